//! How much may be held in all: what does not fit is refused before it is stored, and what ended makes room.

use futures_util::future::join_all;

use super::*;
use crate::transfer::RECORD_LEN;

/// What one of [`numbered`] takes up, in bytes.
pub(super) const ONE: u64 = RECORD_LEN + 304 + 1056;

async fn bounded(storage_max: u64) -> Fixture {
    let fixture = fixture().await;
    let service = fixture.service.with_storage_max(Some(storage_max));
    Fixture { service, ..fixture }
}

/// A small transfer of its own.
pub(super) fn numbered(number: u8) -> CreateRequest {
    let link_verifier = token::link_verifier(&LinkProof::from_bytes([number; 32]));
    CreateRequest {
        id: token::transfer_id(&link_verifier),
        link_verifier,
        ..request(1056)
    }
}

/// One of its own whose body is to come in parts.
pub(super) fn request_in_parts(number: u8) -> CreateRequest {
    CreateRequest {
        body: None,
        body_len: BODY_LEN,
        ..numbered(number)
    }
}

async fn is_full(t: &Fixture, request: CreateRequest) -> bool {
    match t.service.create(request, &Terms::default()).await {
        Ok(_) => false,
        Err(ServiceError::Refused(Refusal::NoRoom) | ServiceError::Store(StoreError::Full(_))) => {
            true
        }
        Err(error) => panic!("{error:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn what_does_not_fit_is_refused_and_what_ended_makes_room() {
    let t = bounded(2 * ONE).await;
    assert!(!is_full(&t, numbered(1)).await);
    assert!(!is_full(&t, numbered(2)).await);
    assert!(is_full(&t, numbered(3)).await, "at once");
    tokio::time::advance(Duration::from_secs(2)).await;
    assert!(is_full(&t, numbered(3)).await, "by a new reading");
    // What was taken is taken, and answered again.
    assert!(!is_full(&t, numbered(1)).await);
    t.service.burn(&numbered(1).id, &owner()).await.unwrap();
    assert!(!is_full(&t, numbered(3)).await, "at once, too");
    assert!(is_full(&t, numbered(4)).await);
}

#[tokio::test]
async fn a_body_that_is_still_to_come_counts_and_takes_nine_tenths_at_most() {
    let len = RECORD_LEN + 304 + BODY_LEN;
    let t = bounded(len * 10 / 9 - 2).await;
    assert!(is_full(&t, request(BODY_LEN)).await);
    let t = bounded(len * 10 / 9 + 2).await;
    t.service
        .create(request(BODY_LEN), &Terms::default())
        .await
        .unwrap();
    assert!(is_full(&t, request_in_parts(8)).await);
    // Nobody goes on with it.
    t.clock.advance(PERIODS.upload_idle_s);
    sweep(&t.service).await.unwrap();
    assert!(!is_full(&t, request_in_parts(8)).await);

    let t = bounded(10 * ONE).await;
    for number in 0..9 {
        assert!(!is_full(&t, numbered(number)).await);
    }
    assert!(is_full(&t, request_in_parts(20)).await);
    assert!(
        !is_full(&t, numbered(9)).await,
        "what comes whole may have the last of it"
    );
}

#[tokio::test]
async fn a_tombstone_whose_time_is_over_is_no_way_in() {
    let t = bounded(2 * ONE).await;
    t.service
        .create(numbered(1), &Terms::default())
        .await
        .unwrap();
    t.service.burn(&numbered(1).id, &owner()).await.unwrap();
    // Its tombstone is over, and nobody has swept it.
    t.clock.advance(3600 + PERIODS.tombstone_ttl_s + 1);
    for number in [2, 3] {
        assert!(!is_full(&t, numbered(number)).await);
    }
    assert!(is_full(&t, numbered(1)).await);
}

#[tokio::test]
async fn who_goes_away_is_counted_all_the_same() {
    let t = bounded(2 * ONE).await;
    let terms = Terms::default();
    let mut creating = Box::pin(t.service.create(numbered(1), &terms));
    // As far as the first wait, and no farther.
    let polled = futures_util::poll!(&mut creating);
    assert!(polled.is_pending());
    drop(creating);
    while t.service.totals().await.unwrap().held.count == 0 {
        tokio::task::yield_now().await;
    }
    assert!(!is_full(&t, numbered(2)).await);
    assert!(is_full(&t, numbered(3)).await);
}

#[tokio::test]
async fn a_store_that_cannot_tell_is_no_reason_to_take_anything() {
    let t = bounded(2 * ONE).await;
    t.records.set_answers(false);
    for _ in 0..2 {
        let refused = t.service.create(numbered(1), &Terms::default()).await;
        assert!(matches!(
            refused,
            Err(ServiceError::Store(StoreError::Unreachable(_)))
        ));
    }
    t.records.set_answers(true);
    assert!(!is_full(&t, numbered(1)).await);
}

#[tokio::test]
async fn requests_that_fail_give_back_what_was_reserved() {
    let t = bounded(ONE).await;
    t.records.set_room(false);
    for _ in 0..3 {
        assert!(is_full(&t, numbered(1)).await);
    }
    t.records.set_room(true);
    assert!(!is_full(&t, numbered(1)).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_never_exceed_it() {
    let t = Arc::new(bounded(10 * ONE).await);
    for round in 0..6_u8 {
        let tasks = (0..40).map(|number| {
            let t = Arc::clone(&t);
            tokio::spawn(async move { is_full(&t, numbered(round * 40 + number)).await })
        });
        let full = join_all(tasks).await;
        let taken = full.iter().filter(|full| !*full.as_ref().unwrap()).count();
        let held = t.service.totals().await.unwrap().held;
        assert_eq!(held.len, held.count * ONE);
        assert_eq!(usize::try_from(held.count).unwrap(), taken);
        assert!((5..=10).contains(&taken), "{taken}");
        for number in 0..40 {
            // Those that were refused are unknown.
            let _ = t
                .service
                .burn(&numbered(round * 40 + number).id, &owner())
                .await;
        }
    }
}
