//! How a transfer ends: what is erased with it, what its tombstone tells, and when that is forgotten.

use onetimeshare_protocol::transfer::{Cause, State};

use super::fixture::{Fixture, PERIODS, Sample, TTL_S};
use crate::transfer::Refusal;

/// Nothing of the ciphertext is to be had any more, and every part's object is due for deletion.
async fn assert_erased(t: &Fixture, sample: &Sample, objects: &[crate::blob::ObjectName]) {
    for index in 0..3 {
        assert_eq!(t.object(sample, index).await, None);
    }
    assert_eq!(t.take().await, objects);
    assert!(t.is_known(sample).await, "the tombstone stands");
}

pub(super) async fn the_last_delivery_erases(t: &Fixture) {
    let sample = Sample::in_parts();
    let objects = t.upload(&sample).await;
    t.claim(&sample, 1).await.expect("it is ready");
    let later = t.after(10);
    assert_eq!(t.object(&sample, 2).await.as_ref(), objects.last());
    assert_eq!(later.deliver(&sample, 1).await, Ok(()));
    assert_eq!(
        later.after(5).deliver(&sample, 1).await,
        Ok(()),
        "said twice"
    );
    assert_erased(&later, &sample, &objects).await;

    let ended = Refusal::LeaseEnded {
        cause: Cause::Delivered,
        at: later.at.now,
    };
    assert_eq!(later.fetch(&sample, 1).await, Err(ended.clone()));
    assert_eq!(later.renew(&sample, 1).await, Err(ended.clone()));
    assert_eq!(
        later.claim(&sample, 1).await,
        Err(ended),
        "a repeat of the claim"
    );
    let claimed_at = Some(t.at.now);
    let gone = Refusal::Gone {
        cause: Cause::Delivered,
        at: later.at.now,
        claimed_at,
    };
    assert_eq!(later.claim(&sample, 2).await, Err(gone.clone()));
    assert_eq!(later.peek(&sample).await, Err(gone.clone()));
    let (right, wrong) = (sample.access(), sample.wrong_access());
    assert_eq!(later.peek_with(&sample, right).await, Err(gone.clone()));
    assert_eq!(
        later.peek_with(&sample, &wrong).await,
        Err(gone.clone()),
        "not counted, not told"
    );
    assert_eq!(later.claim_with(&sample, &wrong, 1).await, Err(gone));
}

pub(super) async fn a_delivery_leaves_other_claims(t: &Fixture) {
    let sample = Sample::inline(2);
    t.create(&sample).await.expect("it is new");
    t.claim(&sample, 1).await.expect("two are left");
    assert_eq!(t.deliver(&sample, 1).await, Ok(()));
    assert_eq!(
        t.peek(&sample).await.expect("one is left").state,
        State::Ready
    );
    let claimed = t.claim(&sample, 2).await.expect("one is left");
    assert_eq!(claimed.body, sample.new.body);
    let ended = Refusal::LeaseEnded {
        cause: Cause::Delivered,
        at: t.at.now,
    };
    assert_eq!(t.fetch(&sample, 1).await, Err(ended));
    assert_eq!(t.fetch(&sample, 2).await, Ok(()));
    assert_eq!(t.deliver(&sample, 2).await, Ok(()));
    assert!(matches!(
        t.peek(&sample).await,
        Err(Refusal::Gone {
            cause: Cause::Delivered,
            ..
        })
    ));
}

pub(super) async fn leases_lapse(t: &Fixture) {
    let sample = Sample::in_parts();
    let objects = t.upload(&sample).await;
    t.claim(&sample, 1).await.expect("it is ready");
    let before = t.after(PERIODS.lease_s - 1);
    assert_eq!(before.sweep().await, 0);
    assert_eq!(before.fetch(&sample, 1).await, Ok(()));
    let end = t.after(PERIODS.lease_s);
    assert_eq!(end.sweep().await, 1);
    assert_erased(&end, &sample, &objects).await;
    let at = end.at.now;
    let lapsed = Refusal::LeaseEnded {
        cause: Cause::Lapsed,
        at,
    };
    assert_eq!(end.fetch(&sample, 1).await, Err(lapsed.clone()));
    assert_eq!(end.deliver(&sample, 1).await, Err(lapsed));
    let gone = Refusal::Gone {
        cause: Cause::Lapsed,
        at,
        claimed_at: Some(t.at.now),
    };
    assert_eq!(end.claim(&sample, 2).await, Err(gone));
}

pub(super) async fn a_lease_outlives_expiry(t: &Fixture) {
    let sample = Sample::inline(2);
    t.create(&sample).await.expect("it is new");
    let last = t.after(TTL_S - 1);
    let claimed = last.claim(&sample, 1).await;
    assert!(claimed.is_ok());
    let expired = t.after(TTL_S);
    assert_eq!(expired.sweep().await, 0, "the lease lives");
    assert_eq!(expired.fetch(&sample, 1).await, Ok(()));
    assert_eq!(expired.claim(&sample, 1).await, claimed);
    assert_eq!(
        expired.peek(&sample).await.expect("it is fetched").state,
        State::Claimed
    );
    let gone = |at| Refusal::Gone {
        cause: Cause::Expired,
        at,
        claimed_at: Some(last.at.now),
    };
    assert_eq!(
        expired.claim(&sample, 2).await,
        Err(gone(expired.at.now)),
        "no new claim"
    );
    let done = t.after(TTL_S + 10);
    assert_eq!(done.deliver(&sample, 1).await, Ok(()));
    assert_eq!(
        done.peek(&sample).await,
        Err(gone(done.at.now)),
        "the ciphertext went with the lease"
    );
}

pub(super) async fn burning_ends_everything(t: &Fixture) {
    let sample = Sample::in_parts();
    let objects = t.upload(&sample).await;
    t.claim(&sample, 1).await.expect("it is ready");
    let wrong = t.store.burn(sample.id(), &sample.wrong_owner(), t.at).await;
    assert_eq!(wrong.expect("the store answers"), Err(Refusal::Unknown));
    assert_eq!(t.fetch(&sample, 1).await, Ok(()));

    let burnt = t.after(10);
    assert_eq!(burnt.burn(&sample).await, Ok(()));
    assert_eq!(burnt.after(5).burn(&sample).await, Ok(()), "said twice");
    assert_erased(&burnt, &sample, &objects).await;
    let gone = Refusal::Gone {
        cause: Cause::Burnt,
        at: burnt.at.now,
        claimed_at: Some(t.at.now),
    };
    assert_eq!(burnt.fetch(&sample, 1).await, Err(gone.clone()));
    assert_eq!(burnt.deliver(&sample, 1).await, Err(gone.clone()));
    assert_eq!(burnt.claim(&sample, 1).await, Err(gone));

    // Of what ended otherwise, burning changes nothing.
    let delivered = Sample::inline(1);
    t.create(&delivered).await.expect("it is new");
    t.claim(&delivered, 1).await.expect("it is ready");
    t.deliver(&delivered, 1).await.expect("it lives");
    assert_eq!(burnt.burn(&delivered).await, Ok(()));
    assert!(matches!(
        burnt.peek(&delivered).await,
        Err(Refusal::Gone {
            cause: Cause::Delivered,
            ..
        })
    ));

    // What is being written at that moment does not wait for its deadline either.
    let uploading = Sample::in_parts();
    burnt.create(&uploading).await.expect("it is new");
    let part = uploading.part(1, 1, 1);
    burnt.begin(&uploading, &part).await.expect("it is missing");
    burnt.burn(&uploading).await.expect("it is the owner's");
    assert_eq!(burnt.take().await, std::slice::from_ref(&part.object));
    assert!(matches!(
        burnt.accept(&uploading, &part).await,
        Err(Refusal::Gone { .. })
    ));
    assert_eq!(burnt.take().await, [part.object], "written since");
}

pub(super) async fn expiry_erases_without_a_sweep(t: &Fixture) {
    let sample = Sample::in_parts();
    let objects = t.upload(&sample).await;
    let before = t.after(TTL_S - 1);
    assert_eq!(
        before.peek(&sample).await.expect("a second is left").state,
        State::Ready
    );
    // Any step at its hour finds it gone, whether or not the sweeper has come by.
    let expired = t.after(TTL_S);
    let gone = Refusal::Gone {
        cause: Cause::Expired,
        at: expired.at.now,
        claimed_at: None,
    };
    assert_eq!(expired.peek(&sample).await, Err(gone.clone()));
    assert_eq!(expired.claim(&sample, 1).await, Err(gone.clone()));
    assert_eq!(expired.accepted(&sample).await, Err(gone));
    assert_erased(&expired, &sample, &objects).await;
}

pub(super) async fn sweeping_settles_and_forgets(t: &Fixture) {
    let samples: Vec<Sample> = (0..20).map(|_| Sample::inline(1)).collect();
    for sample in &samples {
        t.create(sample).await.expect("it is new");
    }
    assert_eq!(t.after(TTL_S - 1).sweep().await, 0);
    let expired = t.after(TTL_S);
    let first = t
        .store
        .sweep(15, expired.at)
        .await
        .expect("the store answers");
    let second = t
        .store
        .sweep(15, expired.at)
        .await
        .expect("the store answers");
    assert_eq!((first, second), (15, 5));
    assert_eq!(expired.sweep().await, 0, "nothing is touched twice");
    let gone = Refusal::Gone {
        cause: Cause::Expired,
        at: expired.at.now,
        claimed_at: None,
    };

    let tombstone_ends = TTL_S + PERIODS.tombstone_ttl_s;
    let last = t.after(tombstone_ends - 1);
    assert_eq!(last.sweep().await, 0);
    for sample in &samples {
        assert_eq!(last.peek(sample).await, Err(gone.clone()));
        assert_eq!(last.burn(sample).await, Ok(()));
        assert!(t.is_known(sample).await);
    }
    let over = t.after(tombstone_ends);
    assert_eq!(
        over.peek(&samples[0]).await,
        Err(Refusal::Unknown),
        "before the sweep as after it"
    );
    assert_eq!(over.claim(&samples[0], 1).await, Err(Refusal::Unknown));
    assert_eq!(over.burn(&samples[0]).await, Err(Refusal::Unknown));
    assert_eq!(over.sweep().await, 20);
    for sample in &samples {
        assert_eq!(over.peek(sample).await, Err(Refusal::Unknown));
        assert!(!t.is_known(sample).await);
    }

    // Of what ended early, the tombstone still stands until after the expiry.
    let early = Sample::inline(1);
    t.create(&early).await.expect("it is new");
    t.burn(&early).await.expect("it is the owner's");
    assert_eq!(last.sweep().await, 0);
    assert_eq!(over.sweep().await, 1);

    // A server that was down for longer settles and forgets it, and still erases.
    let missed = Sample::in_parts();
    let objects = t.upload(&missed).await;
    assert!(over.sweep().await >= 1);
    assert!(!t.is_known(&missed).await);
    assert_eq!(over.take().await, objects);
}

pub(super) async fn a_spent_id_is_free_after_its_tombstone(t: &Fixture) {
    let sample = Sample::in_parts();
    let objects = t.upload(&sample).await;
    let mut other = Sample::inline(1);
    other.new.creation.id = sample.id().clone();
    let tombstone_ends = TTL_S + PERIODS.tombstone_ttl_s;
    let last = t.after(tombstone_ends - 1);
    assert_eq!(last.create(&other).await, Err(Refusal::Conflict));
    assert_eq!(last.take().await, objects, "finding it spent erased it");
    let over = t.after(tombstone_ends);
    assert!(over.create(&other).await.expect("it is free").is_new);
    let claimed = over.claim(&other, 1).await.expect("it is ready");
    assert_eq!(
        (claimed.manifest, claimed.body),
        (other.new.manifest.clone(), other.new.body.clone())
    );
    assert_eq!(
        over.claim(&sample, 1).await,
        Err(Refusal::Unknown),
        "the old link"
    );
}
