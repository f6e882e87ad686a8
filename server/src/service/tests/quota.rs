//! How much one client may hold, and all of its site: what does not fit is refused before it is stored, for that client alone, and
//! what ended makes room.

use futures_util::future::join_all;

use super::capacity::{ONE, numbered, request_in_parts};
use super::*;
use crate::record::HeldBy;
use crate::service::Quota;
use crate::transfer::{Exceeded, Holder, RECORD_LEN};

/// A client of a site, who may hold so much.
fn terms(site: u8, client: u8, quota: Quota) -> Terms {
    Terms {
        holder: Some(Holder::new([site; 8], [client; 8])),
        quota,
        site_quota: quota.times(8),
    }
}

const fn count(count_max: u64) -> Quota {
    Quota {
        len_max: None,
        count_max: Some(count_max),
    }
}

const fn len(len_max: u64) -> Quota {
    Quota {
        len_max: Some(len_max),
        count_max: None,
    }
}

/// Which bound has no room for it; none when it is taken.
async fn exceeded(t: &Fixture, request: CreateRequest, terms: &Terms) -> Option<Exceeded> {
    match t.service.create(request, terms).await {
        Ok(_) => None,
        Err(ServiceError::Refused(Refusal::OverQuota(exceeded))) => Some(exceeded),
        Err(error) => panic!("{error:?}"),
    }
}

async fn held(t: &Fixture, terms: &Terms) -> HeldBy {
    let holder = terms.holder.unwrap();
    t.records.held_by(&holder).await.unwrap()
}

#[tokio::test]
async fn one_client_over_its_quota_is_refused_and_no_other() {
    let t = fixture().await;
    let (one, other) = (terms(1, 1, count(2)), terms(2, 1, count(2)));
    for number in [1, 2] {
        assert_eq!(exceeded(&t, numbered(number), &one).await, None);
    }
    let over = Some(Exceeded::Count(2));
    assert_eq!(exceeded(&t, numbered(3), &one).await, over);
    assert_eq!(
        t.records.totals().await.unwrap().held.count,
        2,
        "nothing is stored"
    );
    assert_eq!(exceeded(&t, numbered(3), &other).await, None);
    // What stands is answered again, whoever asks.
    assert_eq!(exceeded(&t, numbered(1), &one).await, None);
    assert_eq!(exceeded(&t, numbered(3), &one).await, None);
    t.service.burn(&numbered(1).id, &owner()).await.unwrap();
    assert_eq!(exceeded(&t, numbered(4), &one).await, None, "at once");
    assert_eq!(exceeded(&t, numbered(5), &one).await, over);
}

#[tokio::test]
async fn a_body_that_is_still_to_come_counts_and_is_given_back_when_nobody_goes_on() {
    let t = fixture().await;
    let large = RECORD_LEN + 304 + BODY_LEN;
    let terms = terms(1, 1, len(large + ONE));
    assert_eq!(exceeded(&t, request_in_parts(1), &terms).await, None);
    let over = Some(Exceeded::Len(large + ONE));
    assert_eq!(exceeded(&t, request_in_parts(2), &terms).await, over);
    assert_eq!(exceeded(&t, numbered(3), &terms).await, None);
    assert_eq!(exceeded(&t, numbered(4), &terms).await, over);
    t.clock.advance(PERIODS.upload_idle_s);
    sweep(&t.service).await.unwrap();
    // The small one lived as long.
    assert_eq!(held(&t, &terms).await, HeldBy::default());
    assert_eq!(exceeded(&t, request_in_parts(2), &terms).await, None);
}

#[tokio::test]
async fn neighbours_have_eight_times_as_much_together() {
    let t = fixture().await;
    let client = |number| terms(1, number, count(1));
    for number in 0..8 {
        assert_eq!(exceeded(&t, numbered(number), &client(number)).await, None);
    }
    let over = Some(Exceeded::Count(8));
    assert_eq!(exceeded(&t, numbered(20), &client(20)).await, over);
    let over = Some(Exceeded::Count(1));
    assert_eq!(exceeded(&t, numbered(20), &client(0)).await, over);
    assert_eq!(
        exceeded(&t, numbered(20), &terms(2, 0, count(1))).await,
        None
    );
}

#[tokio::test]
async fn without_a_quota_nobody_is_kept_with_a_transfer() {
    let t = fixture().await;
    let unbound = terms(1, 1, Quota::default());
    t.service.create(numbered(1), &unbound).await.unwrap();
    assert_eq!(held(&t, &unbound).await, HeldBy::default());
    let bound = terms(1, 1, count(1));
    assert_eq!(exceeded(&t, numbered(2), &bound).await, None);
    assert_eq!(held(&t, &bound).await.client.len, ONE);
}

#[tokio::test]
async fn its_own_quota_is_told_before_that_all_is_full_and_takes_nothing_of_that() {
    let t = fixture().await;
    let service = t.service.clone().with_storage_max(Some(2 * ONE));
    let t = Fixture { service, ..t };
    let one = terms(1, 1, count(1));
    assert_eq!(exceeded(&t, numbered(1), &one).await, None);
    for number in 2..9 {
        let over = Some(Exceeded::Count(1));
        assert_eq!(exceeded(&t, numbered(number), &one).await, over);
    }
    let other = terms(2, 1, count(5));
    assert_eq!(exceeded(&t, numbered(2), &other).await, None);
    for _ in 0..3 {
        let full = t.service.create(numbered(3), &other).await;
        assert!(matches!(full, Err(ServiceError::Refused(Refusal::NoRoom))));
    }
    // What was reserved of its own share for those is free again.
    t.service.burn(&numbered(1).id, &owner()).await.unwrap();
    assert_eq!(exceeded(&t, numbered(3), &other).await, None);
    assert_eq!(held(&t, &other).await.client.count, 2);
}

#[tokio::test]
async fn a_store_that_cannot_tell_is_no_reason_to_take_anything() {
    let t = fixture().await;
    let terms = terms(1, 1, count(1));
    t.records.set_answers(false);
    for _ in 0..2 {
        let refused = t.service.create(numbered(1), &terms).await;
        assert!(matches!(
            refused,
            Err(ServiceError::Store(StoreError::Unreachable(_)))
        ));
    }
    t.records.set_answers(true);
    assert_eq!(exceeded(&t, numbered(1), &terms).await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_are_exactly_as_many_as_may_be() {
    let t = Arc::new(fixture().await);
    for round in 0..2_u8 {
        // Each round a client of its own, beside one that has no bound.
        let bound = terms(1, round, count(10));
        let tasks = (0..100).map(|number| {
            let t = Arc::clone(&t);
            tokio::spawn(async move { exceeded(&t, numbered(100 * round + number), &bound).await })
        });
        let told = join_all(tasks).await;
        let taken = told.iter().filter(|told| told.as_ref().unwrap().is_none());
        assert_eq!(taken.count(), 10);
        assert_eq!(held(&t, &bound).await.client.count, 10);
    }
}
