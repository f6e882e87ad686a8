//! Creating a transfer and bringing its parts: repeats, conflicts, and everything that comes too late.

use bytes::Bytes;
use onetimeshare_protocol::transfer::{Cause, State};

use super::fixture::{BODY_LEN, Fixture, PART_LEN, PERIODS, Sample, TTL_S};
use crate::record::{Created, PartStart, PartWrite, TRIES_MAX};
use crate::transfer::{Refusal, UPLOAD_MAX_S};

pub(super) async fn create_is_idempotent(t: &Fixture) {
    let sample = Sample::inline(1);
    let expires_at = Some(t.at.now + TTL_S);
    let created = |is_new, state| Created {
        is_new,
        state,
        expires_at,
        part_len: PART_LEN,
    };
    assert_eq!(t.create(&sample).await, Ok(created(true, State::Ready)));
    assert_eq!(
        t.after(1).create(&sample).await,
        Ok(created(false, State::Ready))
    );

    let mut other = sample.clone();
    other.new.creation.create_digest = [9; 32];
    other.new.manifest = Bytes::from_static(b"another manifest");
    assert_eq!(t.create(&other).await, Err(Refusal::Conflict));

    // A repeat says where it stands, and neither it nor the conflict has replaced anything.
    let claimed = t.claim(&sample, 1).await.expect("it is ready");
    assert_eq!(claimed.manifest, sample.new.manifest);
    assert_eq!(t.create(&sample).await, Ok(created(false, State::Claimed)));
    assert_eq!(t.burn(&sample).await, Ok(()));
    assert_eq!(t.create(&sample).await, Ok(created(false, State::Gone)));
    assert_eq!(t.create(&other).await, Err(Refusal::Conflict));

    let in_parts = Sample::in_parts();
    let uploading = Created {
        is_new: true,
        state: State::Uploading,
        expires_at: None,
        part_len: PART_LEN,
    };
    assert_eq!(t.create(&in_parts).await, Ok(uploading));
    assert_eq!(
        t.create(&in_parts).await,
        Ok(Created {
            is_new: false,
            ..uploading
        })
    );
}

pub(super) async fn parts_come_in_any_order(t: &Fixture) {
    let sample = Sample::in_parts();
    t.create(&sample).await.expect("it is new");
    assert_eq!(t.accepted(&sample).await, Ok(vec![]));
    for (index, expected) in [(2, BODY_LEN - 2 * PART_LEN), (0, PART_LEN), (1, PART_LEN)] {
        let part = sample.part(index, index, index);
        for len in [0, expected - 1, expected + 1] {
            let refused = t
                .begin(
                    &sample,
                    &PartWrite {
                        len,
                        ..part.clone()
                    },
                )
                .await;
            assert_eq!(refused, Err(Refusal::PartLength { expected }));
        }
        // What was refused is not even queued for deletion.
        assert_eq!(t.after(PERIODS.part_deadline_s).take().await, []);
        assert_eq!(t.begin(&sample, &part).await, Ok(PartStart::Write));
        assert_eq!(
            t.object(&sample, index).await,
            None,
            "not before it is accepted"
        );
        assert_eq!(t.accept(&sample, &part).await, Ok(true));
        assert_eq!(t.object(&sample, index).await, Some(part.object));
    }
    assert_eq!(t.accepted(&sample).await, Ok(vec![0, 1, 2]));
    assert_eq!(
        t.complete(&sample).await,
        Ok((State::Ready, t.at.now + TTL_S))
    );
    assert_eq!(t.accepted(&sample).await, Ok(vec![0, 1, 2]));
    // What was accepted is in no queue, however late.
    assert_eq!(t.after(TTL_S - 1).take().await, []);
}

pub(super) async fn part_calls_are_refused(t: &Fixture) {
    let (sample, stranger) = (Sample::in_parts(), Sample::in_parts());
    t.create(&sample).await.expect("it is new");
    let part = sample.part(0, 0, 1);
    let (store, wrong, id) = (&t.store, sample.wrong_owner(), sample.id());
    let answered = "the store answers";
    assert_eq!(
        store.begin_part(&wrong, &part, t.at).await.expect(answered),
        Err(Refusal::Unknown)
    );
    assert_eq!(
        store
            .accept_part(&wrong, &part, t.at)
            .await
            .expect(answered),
        Err(Refusal::Unknown)
    );
    assert_eq!(
        store.parts(id, &wrong, t.at).await.expect(answered),
        Err(Refusal::Unknown)
    );
    assert_eq!(
        store.complete(id, &wrong, t.at).await.expect(answered),
        Err(Refusal::Unknown)
    );
    assert_eq!(
        t.begin(&stranger, &stranger.part(0, 0, 1)).await,
        Err(Refusal::Unknown)
    );
    assert_eq!(
        t.accept(&stranger, &stranger.part(0, 0, 1)).await,
        Err(Refusal::Unknown)
    );
    assert_eq!(t.accepted(&stranger).await, Err(Refusal::Unknown));
    assert_eq!(t.complete(&stranger).await, Err(Refusal::Unknown));
    for index in [3, u64::MAX / PART_LEN, u64::MAX] {
        let beyond = sample.part(index, 0, 1);
        assert_eq!(
            t.begin(&sample, &beyond).await,
            Err(Refusal::PartUnknown),
            "{index}"
        );
    }
    assert_eq!(t.object(&sample, u64::MAX).await, None);

    let inline = Sample::inline(1);
    t.create(&inline).await.expect("it is new");
    assert_eq!(
        t.begin(&inline, &inline.part(0, 0, 1)).await,
        Err(Refusal::NotUploading)
    );

    t.burn(&sample).await.expect("it is the owner's");
    let gone = Refusal::Gone {
        cause: Cause::Burnt,
        at: t.at.now,
        claimed_at: None,
    };
    assert_eq!(t.begin(&sample, &part).await, Err(gone.clone()));
    assert_eq!(t.accept(&sample, &part).await, Err(gone.clone()));
    assert_eq!(t.accepted(&sample).await, Err(gone.clone()));
    assert_eq!(t.complete(&sample).await, Err(gone));
}

pub(super) async fn a_part_is_accepted_once(t: &Fixture) {
    let sample = Sample::in_parts();
    t.create(&sample).await.expect("it is new");
    let (winner, twin, other) = (
        sample.part(0, 7, 1),
        sample.part(0, 7, 2),
        sample.part(0, 8, 3),
    );
    for part in [&winner, &twin, &other] {
        assert_eq!(t.begin(&sample, part).await, Ok(PartStart::Write));
    }
    assert_eq!(t.accept(&sample, &winner).await, Ok(true));
    assert_eq!(t.accept(&sample, &twin).await, Ok(false));
    assert_eq!(t.accept(&sample, &other).await, Err(Refusal::PartConflict));
    assert_eq!(t.accept(&sample, &winner).await, Ok(true), "said twice");
    assert_eq!(
        t.begin(&sample, &sample.part(0, 7, 4)).await,
        Ok(PartStart::Accepted)
    );
    assert_eq!(
        t.begin(&sample, &sample.part(0, 8, 5)).await,
        Err(Refusal::PartConflict)
    );
    assert_eq!(t.object(&sample, 0).await, Some(winner.object.clone()));
    // Losers go at once; what was only asked about was never queued.
    assert_eq!(t.take().await, [twin.object, other.object]);

    // After complete, the part that it has is still not lost, and another is.
    for index in [1, 2] {
        let part = sample.part(index, index, 1);
        t.begin(&sample, &part).await.expect("it is missing");
        assert_eq!(t.accept(&sample, &part).await, Ok(true));
    }
    let late = sample.part(1, 1, 9);
    t.complete(&sample).await.expect("all parts are there");
    assert_eq!(t.accept(&sample, &winner).await, Err(Refusal::NotUploading));
    assert_eq!(t.accept(&sample, &late).await, Err(Refusal::NotUploading));
    assert_eq!(t.take().await, [late.object]);
    assert_eq!(t.object(&sample, 0).await, Some(winner.object));
}

pub(super) async fn tries_that_come_to_nothing_are_bounded(t: &Fixture) {
    let (sample, other) = (Sample::in_parts(), Sample::in_parts());
    for sample in [&sample, &other] {
        t.create(sample).await.expect("it is new");
    }
    let last = TRIES_MAX + 2;
    for random in 0..=last {
        let begun = t.begin(&sample, &sample.part(0, 0, random)).await;
        assert_eq!(begun, Ok(PartStart::Write), "{random}");
    }
    let crowded = Err(Refusal::PartCrowded);
    for index in [0, 1, 2] {
        let part = sample.part(index, index, u64::MAX);
        assert_eq!(t.begin(&sample, &part).await, crowded);
    }
    // Nobody else waits for that, and what is under way comes to its end: it is no try any more, but there is one less to come.
    assert_eq!(
        t.begin(&other, &other.part(0, 0, 0)).await,
        Ok(PartStart::Write)
    );
    let part = sample.part(0, 0, last);
    assert_eq!(t.accept(&sample, &part).await, Ok(true));
    let repeat = t.begin(&sample, &sample.part(0, 0, u64::MAX)).await;
    assert_eq!(repeat, Ok(PartStart::Accepted));
    let next = sample.part(1, 1, 1);
    assert_eq!(t.begin(&sample, &next).await, crowded);

    // What was refused is in no queue, and what was deleted once may have to be once more.
    let due = t.after(PERIODS.part_deadline_s);
    let tries = usize::try_from(last).expect("a small number");
    assert_eq!(due.delete().await.len(), tries + 1);
    assert_eq!(due.begin(&sample, &next).await, crowded);
    let cleared = due.after(PERIODS.part_deadline_s);
    assert_eq!(cleared.delete().await.len(), tries + 1);
    assert_eq!(cleared.begin(&sample, &next).await, Ok(PartStart::Write));
}

pub(super) async fn a_late_part_is_refused(t: &Fixture) {
    let sample = Sample::in_parts();
    t.create(&sample).await.expect("it is new");
    let (slow, dead, never) = (
        sample.part(0, 0, 1),
        sample.part(1, 1, 2),
        sample.part(2, 2, 3),
    );
    t.begin(&sample, &slow).await.expect("it is missing");
    t.begin(&sample, &dead).await.expect("it is missing");
    let before = t.after(PERIODS.part_deadline_s - 1);
    assert_eq!(before.take().await, []);
    assert_eq!(before.accept(&sample, &slow).await, Ok(true));
    let after = t.after(PERIODS.part_deadline_s);
    assert_eq!(after.take().await, std::slice::from_ref(&dead.object));
    assert_eq!(after.accept(&sample, &dead).await, Err(Refusal::PartLate));
    assert_eq!(
        after.take().await,
        [dead.object],
        "what was written since goes at once"
    );
    assert_eq!(after.accept(&sample, &never).await, Err(Refusal::PartLate));
    assert_eq!(after.take().await, [never.object]);
    assert_eq!(after.accepted(&sample).await, Ok(vec![0]));
}

pub(super) async fn complete_needs_every_part(t: &Fixture) {
    let sample = Sample::in_parts();
    t.create(&sample).await.expect("it is new");
    let mut missing = vec![0, 1, 2];
    for index in [1, 0, 2] {
        assert_eq!(
            t.complete(&sample).await,
            Err(Refusal::PartsMissing(missing.clone()))
        );
        let part = sample.part(index, index, index);
        t.begin(&sample, &part).await.expect("it is missing");
        assert_eq!(t.accept(&sample, &part).await, Ok(true));
        missing.retain(|left| *left != index);
    }
    // The time to live begins with complete, and only with the first.
    let (done, again) = (t.after(100), t.after(200));
    let expires_at = done.at.now + TTL_S;
    assert_eq!(done.complete(&sample).await, Ok((State::Ready, expires_at)));
    assert_eq!(
        again.complete(&sample).await,
        Ok((State::Ready, expires_at))
    );
    let part = sample.part(0, 0, 9);
    assert_eq!(
        again.begin(&sample, &part).await,
        Err(Refusal::NotUploading)
    );
}

pub(super) async fn uploads_are_abandoned(t: &Fixture) {
    let (idle, active, asked) = (Sample::in_parts(), Sample::in_parts(), Sample::in_parts());
    for sample in [&idle, &active, &asked] {
        t.create(sample).await.expect("it is new");
    }
    // An accepted part keeps an upload alive; asking to write one does not.
    let later = t.after(PERIODS.upload_idle_s - 1);
    let part = active.part(0, 0, 1);
    later.begin(&active, &part).await.expect("it is missing");
    assert_eq!(later.accept(&active, &part).await, Ok(true));
    later
        .begin(&asked, &asked.part(0, 0, 2))
        .await
        .expect("it is missing");

    let end = t.after(PERIODS.upload_idle_s);
    assert_eq!(end.sweep().await, 2);
    let abandoned = |at| Refusal::Gone {
        cause: Cause::Abandoned,
        at,
        claimed_at: None,
    };
    assert_eq!(end.accepted(&idle).await, Err(abandoned(end.at.now)));
    assert_eq!(end.accepted(&asked).await, Err(abandoned(end.at.now)));
    assert_eq!(end.accepted(&active).await, Ok(vec![0]));
    assert_eq!(
        end.take().await,
        [asked.part(0, 0, 2).object],
        "also what is being written"
    );

    let deadline = t.after(UPLOAD_MAX_S);
    let idle_at = later.at.now + PERIODS.upload_idle_s;
    assert_eq!(deadline.accepted(&active).await, Err(abandoned(idle_at)));
    deadline.sweep().await;
    assert_eq!(t.object(&active, 0).await, None);
}
