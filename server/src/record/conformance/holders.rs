//! What holders hold: counted with each transfer that lives, whatever ends it, and nothing of them kept after.

use std::sync::Arc;

use futures_util::future::join_all;

use super::fixture::{Fixture, PERIODS, Sample, TTL_S};
use crate::transfer::{Holder, Refusal};

/// A site with two clients that nobody has counted anything for yet.
fn clients() -> (Holder, Holder) {
    let site = Sample::draw_site();
    (Holder::new(site, [0; 8]), Holder::new(site, [0xff; 8]))
}

pub(super) async fn what_lives_counts_for_its_holder_and_its_site(t: &Fixture) {
    let (one, other) = clients();
    let (stranger, _) = clients();
    assert_eq!(t.held_by(&one).await, (0, 0));
    let first = Sample::inline(1).of(one);
    for sample in [&first, &Sample::in_parts().of(one)] {
        t.create(sample).await.expect("it is new");
        t.create(sample).await.expect("it is a repeat");
    }
    // Whoever repeats it, it stays whose it was.
    let mut repeat = first.clone();
    repeat.new.creation.holder = Some(other);
    assert!(!t.create(&repeat).await.expect("it is a repeat").is_new);
    t.create(&Sample::inline(1).of(other))
        .await
        .expect("it is new");
    t.create(&Sample::inline(1)).await.expect("it is nobody's");
    assert_eq!(t.held_by(&one).await, (2, 3));
    assert_eq!(t.held_by(&other).await, (1, 3));
    assert_eq!(t.held_by(&stranger).await, (0, 0));

    // One that is refused counts for nobody, and is asked for again.
    let mut refused = Sample::inline(1).of(one);
    refused.new.refusal = Some(Refusal::NoRoom);
    assert_eq!(t.create(&refused).await, Err(Refusal::NoRoom));
    assert!(!t.is_known(&refused).await);
    let mut standing = first.clone();
    standing.new.refusal = Some(Refusal::NoRoom);
    assert!(!t.create(&standing).await.expect("it stands").is_new);
    assert_eq!(t.held_by(&one).await, (2, 3));
}

pub(super) async fn every_end_gives_it_back(t: &Fixture) {
    let (one, other) = clients();
    let delivered = Sample::in_parts().of(one);
    t.upload(&delivered).await;
    let (lapsed, burnt, expired, idle) = (
        Sample::inline(1).of(one),
        Sample::inline(1).of(one),
        Sample::inline(1).of(one),
        Sample::in_parts().of(one),
    );
    for sample in [&lapsed, &burnt, &expired, &idle] {
        t.create(sample).await.expect("it is new");
    }
    assert_eq!(t.held_by(&one).await, (5, 5));
    for sample in [&delivered, &lapsed] {
        t.claim(sample, 1).await.expect("it is ready");
    }
    assert_eq!(t.held_by(&other).await, (0, 5), "what is claimed is held");
    t.deliver(&delivered, 1).await.expect("it lives");
    t.deliver(&delivered, 1).await.expect("said twice");
    assert_eq!(t.held_by(&one).await, (4, 4), "delivered");
    t.burn(&burnt).await.expect("it is the owner's");
    t.burn(&burnt).await.expect("said twice");
    assert_eq!(t.held_by(&one).await, (3, 3), "burnt");
    t.after(PERIODS.lease_s).sweep().await;
    assert_eq!(t.held_by(&one).await, (2, 2), "lapsed");
    t.after(PERIODS.upload_idle_s).sweep().await;
    assert_eq!(t.held_by(&one).await, (1, 1), "abandoned");
    // Time alone has ended it; a step that comes before the sweeper keeps that.
    let over = t.after(TTL_S);
    assert!(matches!(
        over.peek(&expired).await,
        Err(Refusal::Gone { .. })
    ));
    over.sweep().await;
    assert_eq!(t.held_by(&one).await, (0, 0), "expired");
    // A tombstone is nobody's: its id, given again, is another's alone.
    let later = t.after(TTL_S + PERIODS.tombstone_ttl_s);
    let mut again = burnt.clone();
    again.new.creation.holder = Some(other);
    assert!(later.create(&again).await.expect("it is free").is_new);
    assert_eq!(later.held_by(&one).await, (0, 1));
    assert_eq!(later.held_by(&other).await, (1, 1));
    // Its time is over, and nobody has looked: the next of its id ends it.
    let last = later.after(TTL_S + PERIODS.tombstone_ttl_s);
    again.new.creation.holder = Some(one);
    assert!(last.create(&again).await.expect("it is free").is_new);
    assert_eq!(last.held_by(&one).await, (1, 1));
    assert_eq!(last.held_by(&other).await, (0, 1));
}

pub(super) async fn creates_and_ends_that_race_are_counted_once(t: &Fixture) {
    let (one, _) = clients();
    let samples: Vec<_> = (0..8).map(|_| Sample::inline(1).of(one)).collect();
    let samples = Arc::new(samples);
    let all = |burns: bool| {
        let tasks = (0..32_usize).map(|number| {
            let (t, samples) = (t.clone(), Arc::clone(&samples));
            tokio::spawn(async move {
                let sample = &samples[number % samples.len()];
                if burns {
                    t.burn(sample).await.expect("it is the owner's");
                } else {
                    t.create(sample).await.expect("it is new, or a repeat");
                }
            })
        });
        join_all(tasks)
    };
    for task in all(false).await {
        task.expect("it does not panic");
    }
    assert_eq!(t.held_by(&one).await, (8, 8));
    for task in all(true).await {
        task.expect("it does not panic");
    }
    assert_eq!(t.held_by(&one).await, (0, 0));
}
