//! What an owner reads and restores: receipts, unlocking; and the counters, which are everybody's.

use onetimeshare_protocol::transfer::{
    Cause, ClaimState, ReceiptAnswer, ReceiptClaim, State, StatsAnswer,
};

use super::fixture::{BODY_LEN, Fixture, MANIFEST_LEN, PERIODS, Sample, TTL_S};
use crate::transfer::{Held, RECORD_LEN, Refusal};

async fn lock(t: &Fixture, sample: &Sample) {
    for _ in 0..5 {
        let refused = t.peek_with(sample, &sample.wrong_access()).await;
        assert!(matches!(refused, Err(Refusal::Denied { .. })));
    }
    let locked = t.claim(sample, 1).await;
    assert_eq!(locked, Err(Refusal::Locked));
}

pub(super) async fn unlocking_gives_the_attempts_back(t: &Fixture) {
    let sample = Sample::inline(1);
    assert_eq!(t.unlock(&sample).await, Err(Refusal::Unknown));
    t.create(&sample).await.expect("it is new");
    lock(t, &sample).await;
    assert_eq!(t.unlock(&sample).await, Ok(()));
    assert_eq!(t.unlock(&sample).await, Ok(()), "said twice");
    assert_eq!(t.peek(&sample).await.expect("it stands").attempts_left, 5);
    lock(t, &sample).await;
    assert_eq!(t.unlock(&sample).await, Ok(()), "as often as it takes");
    let claimed = t.claim(&sample, 1).await.expect("it is ready");
    assert_eq!(claimed.body, sample.new.body);
    t.deliver(&sample, 1).await.expect("it lives");
    let gone = Refusal::Gone {
        cause: Cause::Delivered,
        at: t.at.now,
        claimed_at: Some(t.at.now),
    };
    assert_eq!(t.unlock(&sample).await, Err(gone));
}

pub(super) async fn receipts_list_each_claim(t: &Fixture) {
    let sample = Sample::inline(4);
    t.create(&sample).await.expect("it is new");
    let mut expected = ReceiptAnswer {
        state: State::Ready,
        cause: None,
        at: None,
        created_at: t.at.now,
        expires_at: Some(t.at.now + TTL_S),
        claims_max: 4,
        claims_left: 4,
        attempts_left: 5,
        body_len: BODY_LEN,
        claims: vec![],
    };
    assert_eq!(t.receipt(&sample).await, Ok(expected.clone()));
    for number in 1..=3 {
        let claimed = t.after(10 * number).claim(&sample, number).await;
        claimed.expect("some are left");
    }
    let denied = t.peek_with(&sample, &sample.wrong_access()).await;
    assert_eq!(denied, Err(Refusal::Denied { attempts_left: 4 }));
    let delivered = t.after(50);
    delivered.deliver(&sample, 1).await.expect("it lives");
    // The second has lapsed, whether or not the sweeper has come by.
    let later = t.after(PERIODS.lease_s + 20);
    let claim = |number: u64, state, at: Option<&Fixture>| ReceiptClaim {
        claimed_at: t.at.now + 10 * number,
        state,
        at: at.map(|moment| moment.at.now),
    };
    expected.claims_left = 1;
    expected.attempts_left = 4;
    expected.claims = vec![
        claim(1, ClaimState::Delivered, Some(&delivered)),
        claim(2, ClaimState::Lapsed, Some(&later)),
        claim(3, ClaimState::Live, None),
    ];
    assert_eq!(later.receipt(&sample).await, Ok(expected.clone()));
    later.burn(&sample).await.expect("it is the owner's");
    expected.state = State::Gone;
    (expected.cause, expected.at) = (Some(Cause::Burnt), Some(later.at.now));
    expected.claims[2] = claim(3, ClaimState::Burnt, Some(&later));
    let tombstone_ends = TTL_S + PERIODS.tombstone_ttl_s;
    for moment in [&later, &t.after(tombstone_ends - 1)] {
        moment.sweep().await;
        assert_eq!(moment.receipt(&sample).await, Ok(expected.clone()));
    }
    let over = t.after(tombstone_ends).receipt(&sample).await;
    assert_eq!(over, Err(Refusal::Unknown));

    let uploading = Sample::in_parts();
    t.create(&uploading).await.expect("it is new");
    let receipt = t.receipt(&uploading).await.expect("it stands");
    assert_eq!(
        (receipt.state, receipt.expires_at),
        (State::Uploading, None)
    );
    let abandoned = t.after(PERIODS.upload_idle_s);
    let receipt = abandoned.receipt(&uploading).await.expect("it stands");
    assert_eq!(
        (receipt.cause, receipt.at),
        (Some(Cause::Abandoned), Some(abandoned.at.now))
    );
}

pub(super) async fn only_owners_are_told(t: &Fixture) {
    let sample = Sample::inline(1);
    t.create(&sample).await.expect("it is new");
    lock(t, &sample).await;
    let (store, wrong, id) = (&t.store, sample.wrong_owner(), sample.id());
    let answered = "the store answers";
    let receipt = store.receipt(id, &wrong, t.at).await.expect(answered);
    assert_eq!(receipt, Err(Refusal::Unknown));
    let unlocked = store.unlock(id, &wrong, t.at).await.expect(answered);
    assert_eq!(unlocked, Err(Refusal::Unknown));
    assert_eq!(t.peek(&sample).await.expect("it stands").attempts_left, 0);
    let stranger = Sample::inline(1);
    assert_eq!(t.receipt(&stranger).await, Err(Refusal::Unknown));
}

pub(super) async fn counters_count_each_step_once(t: &Fixture) {
    let before = t.stats().await;
    let held = t.held().await;
    let holds = async |count: u64| {
        let len = held.len + count * (RECORD_LEN + MANIFEST_LEN + BODY_LEN);
        let count = held.count + count;
        assert_eq!(t.held().await, Held { count, len });
    };
    let (opened, burnt, expired, idle) = (
        Sample::inline(3),
        Sample::inline(1),
        Sample::inline(1),
        Sample::in_parts(),
    );
    for sample in [&opened, &burnt, &expired, &idle] {
        t.create(sample).await.expect("it is new");
        t.create(sample).await.expect("it is a repeat");
    }
    holds(4).await;
    lock(t, &opened).await;
    t.unlock(&opened).await.expect("it stands");
    for number in [1, 1, 2] {
        t.claim(&opened, number).await.expect("some are left");
    }
    t.deliver(&opened, 1).await.expect("it lives");
    t.deliver(&opened, 1).await.expect("said twice");
    t.burn(&burnt).await.expect("it is the owner's");
    t.burn(&burnt).await.expect("said twice");
    holds(3).await;
    let mut expected = StatsAnswer {
        created: 4,
        claimed: 2,
        delivered: 1,
        burnt: 1,
        locked: 1,
        ..StatsAnswer::default()
    };
    assert_eq!(t.stats_since(before).await, expected);
    t.after(TTL_S).sweep().await;
    expected = StatsAnswer {
        lapsed: 1,
        expired: 2,
        abandoned: 1,
        ..expected
    };
    assert_eq!(t.stats_since(before).await, expected);
    holds(0).await;
    // Forgetting a tombstone takes nothing back.
    t.after(10 * TTL_S).sweep().await;
    assert!(!t.is_known(&opened).await);
    assert_eq!(t.stats_since(before).await, expected);
    holds(0).await;
}
