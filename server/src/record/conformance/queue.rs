//! The deletion queue, and what the store says of itself.

use super::fixture::{Fixture, PERIODS, Sample};
use crate::record::step::RETRY_S;
use crate::transfer::Refusal;

pub(super) async fn objects_are_offered_until_confirmed(t: &Fixture) {
    let sample = Sample::in_parts();
    t.create(&sample).await.expect("it is new");
    let mut objects = Vec::new();
    for index in 0..3 {
        let part = sample.part(index, index, u64::MAX - index);
        t.begin(&sample, &part).await.expect("it is missing");
        objects.push(part.object);
    }
    let deadline_s = PERIODS.part_deadline_s;
    assert_eq!(t.after(deadline_s - 1).take().await, []);
    let due = t.after(deadline_s);
    let some = t
        .store
        .take_deletions(2, due.at)
        .await
        .expect("the store answers")
        .objects;
    assert_eq!(some.len(), 2);
    let rest = due.take().await;
    assert_eq!(rest.len(), 1);
    assert_eq!(due.take().await, [], "each is offered once");
    let offered: std::collections::BTreeSet<_> = some.iter().chain(&rest).collect();
    assert!(offered.into_iter().eq(&objects));

    // What was not confirmed is offered again soon; what was, once more for a late write.
    t.store
        .confirm_deleted(&some, due.at)
        .await
        .expect("the store answers");
    assert_eq!(due.after(RETRY_S - 1).take().await, []);
    assert_eq!(due.after(RETRY_S).delete().await, rest);
    assert_eq!(due.after(deadline_s - 1).take().await, []);
    let again = due.after(deadline_s);
    assert_eq!(again.delete().await, objects);
    assert_eq!(
        again.after(10 * deadline_s).take().await,
        [],
        "that was the last time"
    );
    // Confirming what is in no queue is nothing.
    t.store
        .confirm_deleted(&objects, again.at)
        .await
        .expect("the store answers");
    assert_eq!(again.after(10 * deadline_s).take().await, []);
}

pub(super) async fn an_erased_part_is_deleted_twice(t: &Fixture) {
    let sample = Sample::in_parts();
    let objects = t.upload(&sample).await;
    t.burn(&sample).await.expect("it is the owner's");
    assert_eq!(t.delete().await, objects);
    let late = t.after(PERIODS.part_deadline_s);
    assert_eq!(t.after(PERIODS.part_deadline_s - 1).take().await, []);
    assert_eq!(late.delete().await, objects);
    assert_eq!(late.after(10 * PERIODS.part_deadline_s).take().await, []);
}

/// Whoever asks for the parts of an upload that is over settles it, without having read them.
pub(super) async fn an_upload_that_is_over_dooms_its_parts_and_nothing_else(t: &Fixture) {
    let sample = Sample::in_parts();
    t.create(&sample).await.expect("it is new");
    let mut objects = Vec::new();
    for index in 0..2 {
        let part = sample.part(index, index, 1 << 63 | index);
        t.begin(&sample, &part).await.expect("it is missing");
        assert_eq!(t.accept(&sample, &part).await, Ok(true));
        objects.push(part.object);
    }
    let late = t.after(PERIODS.upload_idle_s);
    let accepted = late.accepted(&sample).await;
    assert!(
        matches!(accepted, Err(Refusal::Gone { .. })),
        "{accepted:?}"
    );
    // A store may leave that to the next sweep.
    late.sweep().await;
    assert_eq!(late.delete().await, objects);
}

pub(super) async fn the_store_knows_itself(t: &Fixture) {
    let store = &t.store;
    let answered = "the store answers";
    let store_id = store.store_id().await.expect(answered);
    assert_eq!(store.store_id().await.expect(answered), store_id);
    store.probe().await.expect(answered);
    store.scrub().await.expect(answered);
    store.scrub().await.expect("again, with nothing to do");

    assert!(store.has_no_parts().await.expect(answered));
    let sample = Sample::in_parts();
    assert!(!t.is_known(&sample).await);
    t.create(&sample).await.expect("it is new");
    assert!(t.is_known(&sample).await);
    let part = sample.part(0, 0, 1);
    t.begin(&sample, &part).await.expect("it is missing");
    assert!(
        !store.has_no_parts().await.expect(answered),
        "not accepted, but it may lie there"
    );
    assert_eq!(t.accept(&sample, &part).await, Ok(true));
    assert!(!store.has_no_parts().await.expect(answered));
    t.burn(&sample).await.expect("it is the owner's");
    assert!(
        !store.has_no_parts().await.expect(answered),
        "it waits for its deletion"
    );
    t.delete().await;
    t.after(PERIODS.part_deadline_s).delete().await;
    assert!(store.has_no_parts().await.expect(answered));
    assert!(t.is_known(&sample).await);
}
