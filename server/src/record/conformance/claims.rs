//! Peeking and claiming, one call after the other: who sees what, what is counted, what is repeated.

use onetimeshare_protocol::transfer::{Cause, State};

use super::fixture::{BODY_LEN, Fixture, PART_LEN, PERIODS, Sample, TTL_S, claimant};
use crate::transfer::{Peek, RENEW_MIN_S, Refusal};

pub(super) async fn peek_shows_what_is_proved(t: &Fixture) {
    let sample = Sample::inline(2);
    assert_eq!(t.peek(&sample).await, Err(Refusal::Unknown));
    t.create(&sample).await.expect("it is new");
    let seen = Peek {
        state: State::Ready,
        created_at: t.at.now,
        expires_at: Some(t.at.now + TTL_S),
        claimed_at: None,
        claims_left: 2,
        attempts_left: 5,
        body_len: BODY_LEN,
        part_len: PART_LEN,
        shows_manifest: false,
    };
    assert_eq!(t.peek(&sample).await, Ok(seen));
    let shown = Peek {
        shows_manifest: true,
        ..seen
    };
    let manifest = Some(sample.new.manifest.clone());
    assert_eq!(
        t.peek_with(&sample, sample.access()).await,
        Ok((shown, manifest))
    );
    let wrong = sample.wrong_access();
    assert_eq!(
        t.peek_with(&sample, &wrong).await,
        Err(Refusal::Denied { attempts_left: 4 })
    );
    assert_eq!(
        t.peek(&sample).await,
        Ok(Peek {
            attempts_left: 4,
            ..seen
        })
    );

    // Once every open is taken, the names are the claimants'.
    t.claim(&sample, 1).await.expect("two are left");
    t.claim(&sample, 2).await.expect("one is left");
    let claimed = Peek {
        state: State::Claimed,
        claimed_at: Some(t.at.now),
        claims_left: 0,
        attempts_left: 4,
        ..seen
    };
    assert_eq!(t.peek(&sample).await, Ok(claimed));
    assert_eq!(
        t.peek_with(&sample, sample.access()).await,
        Ok((claimed, None))
    );

    let uploading = Sample::in_parts();
    t.create(&uploading).await.expect("it is new");
    let seen = t.peek(&uploading).await.expect("it stands");
    assert_eq!((seen.state, seen.expires_at), (State::Uploading, None));
}

pub(super) async fn claim_gives_the_ciphertext(t: &Fixture) {
    let inline = Sample::inline(1);
    t.create(&inline).await.expect("it is new");
    let claimed = t.claim(&inline, 1).await.expect("it is ready");
    assert_eq!(claimed.manifest, inline.new.manifest);
    assert_eq!(claimed.body, inline.new.body);
    assert_eq!(claimed.grant.lease_expires_at, t.at.now + PERIODS.lease_s);
    assert_eq!(claimed.grant.body_len, BODY_LEN);
    assert_eq!(t.fetch(&inline, 1).await, Ok(()));

    let in_parts = Sample::in_parts();
    t.upload(&in_parts).await;
    let claimed = t.claim(&in_parts, 1).await.expect("it is ready");
    assert_eq!(
        (claimed.manifest, claimed.body),
        (in_parts.new.manifest.clone(), None)
    );
    assert_eq!(t.fetch(&in_parts, 1).await, Ok(()));

    // A token that claimed nothing is no token, also of what was never created.
    for number in [2, 3] {
        assert_eq!(t.fetch(&inline, number).await, Err(Refusal::Unknown));
        assert_eq!(t.renew(&inline, number).await, Err(Refusal::Unknown));
        assert_eq!(t.deliver(&inline, number).await, Err(Refusal::Unknown));
        assert_eq!(
            t.claim(&inline, number).await,
            Err(Refusal::Claimed { at: t.at.now })
        );
    }
    let stranger = Sample::inline(1);
    assert_eq!(t.claim(&stranger, 1).await, Err(Refusal::Unknown));
    assert_eq!(t.fetch(&stranger, 1).await, Err(Refusal::Unknown));
    assert_eq!(t.renew(&stranger, 1).await, Err(Refusal::Unknown));
    assert_eq!(t.deliver(&stranger, 1).await, Err(Refusal::Unknown));
    assert_eq!(t.burn(&stranger).await, Err(Refusal::Unknown));
}

pub(super) async fn claim_waits_for_complete(t: &Fixture) {
    let sample = Sample::in_parts();
    t.create(&sample).await.expect("it is new");
    assert_eq!(t.claim(&sample, 1).await, Err(Refusal::NotReady));
    assert_eq!(
        t.fetch(&sample, 1).await,
        Err(Refusal::Unknown),
        "nothing was granted"
    );
    let wrong = sample.wrong_access();
    let denied = Err(Refusal::Denied { attempts_left: 4 });
    assert_eq!(t.claim_with(&sample, &wrong, 1).await, denied);
}

pub(super) async fn wrong_link_proofs_count_nothing(t: &Fixture) {
    let sample = Sample::inline(1);
    t.create(&sample).await.expect("it is new");
    let (store, wrong, access) = (&t.store, sample.wrong_link(), sample.wrong_access());
    for _ in 0..6 {
        let proofs = (&wrong, &access);
        let claimed = store.claim(sample.id(), proofs, &claimant(1), t.at).await;
        assert_eq!(claimed.expect("the store answers"), Err(Refusal::Unknown));
        let peeked = store.peek(sample.id(), &wrong, Some(&access), t.at).await;
        assert_eq!(peeked.expect("the store answers"), Err(Refusal::Unknown));
        let peeked = store.peek(sample.id(), &wrong, None, t.at).await;
        assert_eq!(peeked.expect("the store answers"), Err(Refusal::Unknown));
    }
    assert_eq!(t.peek(&sample).await.expect("it stands").attempts_left, 5);
    assert!(t.claim(&sample, 1).await.is_ok());
}

pub(super) async fn five_wrong_proofs_lock(t: &Fixture) {
    let sample = Sample::inline(1);
    t.create(&sample).await.expect("it is new");
    let wrong = sample.wrong_access();
    for attempts_left in (0..5).rev() {
        let refused = Refusal::Denied { attempts_left };
        if attempts_left % 2 == 0 {
            assert_eq!(t.peek_with(&sample, &wrong).await, Err(refused));
        } else {
            assert_eq!(t.claim_with(&sample, &wrong, 1).await, Err(refused));
        }
    }
    for access in [&wrong, sample.access()] {
        assert_eq!(t.peek_with(&sample, access).await, Err(Refusal::Locked));
        assert_eq!(t.claim_with(&sample, access, 1).await, Err(Refusal::Locked));
    }
    let seen = t.peek(&sample).await.expect("it stands");
    assert_eq!((seen.attempts_left, seen.claims_left), (0, 1));
    // Burn and expiry win over the lock.
    let expired = t.after(TTL_S);
    let gone = Refusal::Gone {
        cause: Cause::Expired,
        at: expired.at.now,
        claimed_at: None,
    };
    assert_eq!(expired.claim(&sample, 1).await, Err(gone));
}

pub(super) async fn locking_touches_no_lease(t: &Fixture) {
    let sample = Sample::inline(2);
    t.create(&sample).await.expect("it is new");
    let claimed = t.claim(&sample, 1).await;
    for _ in 0..5 {
        let refused = t.claim_with(&sample, &sample.wrong_access(), 2).await;
        assert!(
            matches!(refused, Err(Refusal::Denied { .. })),
            "{refused:?}"
        );
    }
    assert_eq!(t.claim(&sample, 2).await, Err(Refusal::Locked));
    assert_eq!(t.claim(&sample, 1).await, claimed);
    assert_eq!(
        t.claim_with(&sample, &sample.wrong_access(), 1).await,
        Err(Refusal::Locked)
    );
    assert_eq!(t.fetch(&sample, 1).await, Ok(()));
    assert_eq!(t.deliver(&sample, 1).await, Ok(()));
    assert_eq!(t.peek(&sample).await.expect("one is left").claims_left, 1);
}

pub(super) async fn a_claim_is_repeated(t: &Fixture) {
    let sample = Sample::inline(2);
    t.create(&sample).await.expect("it is new");
    let first = t.claim(&sample, 1).await;
    assert!(first.is_ok());
    let later = t.after(PERIODS.lease_s - 1);
    assert_eq!(later.claim(&sample, 1).await, first, "the same lease");
    assert_eq!(later.peek(&sample).await.expect("it stands").claims_left, 1);
    let ended_at = t.at.now + PERIODS.lease_s;
    let lapsed = Refusal::LeaseEnded {
        cause: Cause::Lapsed,
        at: ended_at,
    };
    let end = t.after(PERIODS.lease_s);
    assert_eq!(
        end.claim(&sample, 1).await,
        Err(lapsed),
        "never a second one"
    );
    assert_eq!(end.peek(&sample).await.expect("one is left").claims_left, 1);
}

pub(super) async fn leases_are_renewed(t: &Fixture) {
    let sample = Sample::inline(1);
    t.create(&sample).await.expect("it is new");
    t.claim(&sample, 1).await.expect("it is ready");
    let granted_to = t.at.now + PERIODS.lease_s;
    let (early, due) = (t.after(RENEW_MIN_S - 1), t.after(RENEW_MIN_S));
    assert_eq!(early.renew(&sample, 1).await, Ok(granted_to));
    assert_eq!(
        due.renew(&sample, 1).await,
        Ok(due.at.now + PERIODS.lease_s)
    );
    assert_eq!(t.after(PERIODS.lease_s).fetch(&sample, 1).await, Ok(()));
    // Not beyond the longest time, however often.
    let limit = t.at.now + PERIODS.lease_max_s;
    let mut step = due;
    while step.at.now + PERIODS.lease_s < limit {
        step = step.after(PERIODS.lease_s - 1);
        let expected = (step.at.now + PERIODS.lease_s).min(limit);
        assert_eq!(step.renew(&sample, 1).await, Ok(expected));
    }
    let end = t.after(PERIODS.lease_max_s);
    let lapsed = Refusal::LeaseEnded {
        cause: Cause::Lapsed,
        at: limit,
    };
    assert_eq!(end.renew(&sample, 1).await, Err(lapsed.clone()));
    assert_eq!(end.fetch(&sample, 1).await, Err(lapsed.clone()));
    assert_eq!(end.deliver(&sample, 1).await, Err(lapsed));
}
