//! A lease of 0: a body is given once, erased with that, and never resumed.

use onetimeshare_protocol::transfer::{Cause, ClaimState, State};

use super::fixture::{Fixture, Sample, TTL_S};
use crate::transfer::{ONCE_RENEW_S, ONCE_S, Refusal};

const fn spent(cause: Cause, at: u64) -> Refusal {
    Refusal::LeaseEnded { cause, at }
}

pub(super) async fn an_inline_body_is_given_once(t: &Fixture) {
    let t = &t.strict();
    let sample = Sample::inline(1);
    t.create(&sample).await.expect("it is new");
    let claimed = t.claim(&sample, 1).await.expect("it is ready");
    assert_eq!(
        (claimed.manifest, claimed.body),
        (sample.new.manifest.clone(), sample.new.body.clone())
    );
    assert_eq!(claimed.grant.lease_expires_at, t.at.now);
    let lapsed = || spent(Cause::Lapsed, t.at.now);
    assert_eq!(t.claim(&sample, 1).await, Err(lapsed()), "never again");
    assert_eq!(t.fetch(&sample, 1).await, Err(lapsed()));
    assert_eq!(t.renew(&sample, 1).await, Err(lapsed()));
    let gone = |cause| Refusal::Gone {
        cause,
        at: t.at.now,
        claimed_at: Some(t.at.now),
    };
    assert_eq!(t.claim(&sample, 2).await, Err(gone(Cause::Lapsed)));
    assert_eq!(t.deliver(&sample, 2).await, Err(Refusal::Unknown));

    let later = t.after(5);
    assert_eq!(later.deliver(&sample, 1).await, Ok(()));
    assert_eq!(later.after(5).deliver(&sample, 1).await, Ok(()));
    assert_eq!(later.peek(&sample).await, Err(gone(Cause::Delivered)));
    let receipt = later.receipt(&sample).await.expect("the tombstone stands");
    assert_eq!(
        (receipt.claims[0].state, receipt.claims[0].at),
        (ClaimState::Delivered, Some(later.at.now))
    );
    let repeated = later.claim(&sample, 1).await;
    assert_eq!(repeated, Err(spent(Cause::Delivered, later.at.now)));
}

pub(super) async fn a_body_in_parts_is_fetched_once(t: &Fixture) {
    let t = &t.strict();
    let sample = Sample::in_parts();
    let objects = t.upload(&sample).await;
    let claimed = t.claim(&sample, 1).await.expect("it is ready");
    assert_eq!(claimed.grant.lease_expires_at, t.at.now + ONCE_S);
    let repeated = t.claim(&sample, 1).await;
    assert_eq!(repeated, Err(spent(Cause::Lapsed, t.at.now)));
    let claimed = t.claim(&sample, 2).await;
    assert_eq!(claimed, Err(Refusal::Claimed { at: t.at.now }));

    let begun = t.after(ONCE_S - 1);
    assert_eq!(begun.fetch(&sample, 2).await, Err(Refusal::Unknown));
    assert_eq!(begun.fetch(&sample, 1).await, Ok(()));
    let over = || spent(Cause::Lapsed, begun.at.now);
    assert_eq!(begun.fetch(&sample, 1).await, Err(over()));
    assert_eq!(begun.claim(&sample, 1).await, Err(over()));
    // Its parts are readable for as long as it goes on.
    let flowing = begun.after(ONCE_RENEW_S);
    let ends_at = flowing.renew(&sample, 1).await;
    assert_eq!(ends_at, Ok(flowing.at.now + ONCE_S));
    let (last, claims) = (flowing.after(ONCE_S - 1), ClaimState::Live);
    assert_eq!(last.sweep().await, 0);
    assert_eq!(last.object(&sample, 2).await.as_ref(), objects.last());
    assert_eq!(last.take().await, []);
    let receipt = last.receipt(&sample).await.expect("it stands");
    assert_eq!(
        (receipt.state, receipt.claims[0].state),
        (State::Claimed, claims)
    );

    assert_eq!(last.end_fetch(&sample, 2).await, Err(Refusal::Unknown));
    assert_eq!(last.end_fetch(&sample, 1).await, Ok(()));
    assert_eq!(last.object(&sample, 2).await, None);
    assert_eq!(last.take().await, objects, "due at once");
    assert_eq!(last.after(1).end_fetch(&sample, 1).await, Ok(()));
    let gone = |cause| Refusal::Gone {
        cause,
        at: last.at.now,
        claimed_at: Some(t.at.now),
    };
    assert_eq!(last.peek(&sample).await, Err(gone(Cause::Lapsed)));
    assert_eq!(last.after(2).deliver(&sample, 1).await, Ok(()));
    assert_eq!(last.peek(&sample).await, Err(gone(Cause::Delivered)));
}

pub(super) async fn what_does_not_go_on_lapses(t: &Fixture) {
    let t = &t.strict();
    let (never, stopped, burnt) = (Sample::in_parts(), Sample::in_parts(), Sample::in_parts());
    let mut objects = Vec::new();
    for sample in [&never, &stopped, &burnt] {
        objects.extend(t.upload(sample).await);
        t.claim(sample, 1).await.expect("it is ready");
    }
    objects.sort();
    t.fetch(&stopped, 1).await.expect("it begins");
    t.fetch(&burnt, 1).await.expect("it begins");
    t.burn(&burnt).await.expect("it is the owner's");
    assert!(matches!(
        t.renew(&burnt, 1).await,
        Err(Refusal::Gone {
            cause: Cause::Burnt,
            ..
        })
    ));
    let end = t.after(ONCE_S);
    assert_eq!(t.after(ONCE_S - 1).sweep().await, 0);
    assert_eq!(end.sweep().await, 2);
    assert_eq!(end.take().await, objects);
    let lapsed = spent(Cause::Lapsed, end.at.now);
    assert_eq!(end.fetch(&never, 1).await, Err(lapsed.clone()));
    assert_eq!(end.fetch(&stopped, 1).await, Err(lapsed.clone()));
    // Who was given nothing has nothing to report.
    assert_eq!(end.deliver(&never, 1).await, Err(lapsed));
    assert_eq!(end.deliver(&stopped, 1).await, Ok(()));
}

pub(super) async fn several_are_each_given_it_once(t: &Fixture) {
    let t = &t.strict();
    let inline = Sample::inline(2);
    t.create(&inline).await.expect("it is new");
    t.claim(&inline, 1).await.expect("two are left");
    assert_eq!(t.peek(&inline).await.expect("it stands").claims_left, 1);
    let second = t.claim(&inline, 2).await.expect("one is left");
    assert_eq!(second.body, inline.new.body);
    assert!(matches!(
        t.peek(&inline).await,
        Err(Refusal::Gone {
            cause: Cause::Lapsed,
            ..
        })
    ));

    // The end of one fetch takes nothing from under another.
    let in_parts = Sample::in_parts_for(2);
    let objects = t.upload(&in_parts).await;
    for number in [1, 2] {
        t.claim(&in_parts, number).await.expect("some are left");
        assert_eq!(t.fetch(&in_parts, number).await, Ok(()));
    }
    t.end_fetch(&in_parts, 1).await.expect("it was begun");
    assert_eq!(t.take().await, []);
    assert_eq!(t.object(&in_parts, 0).await.as_ref(), objects.first());
    t.end_fetch(&in_parts, 2).await.expect("it was begun");
    assert_eq!(t.take().await, objects);

    // One that is not taken to the end expires.
    let left = Sample::inline(2);
    t.create(&left).await.expect("it is new");
    t.claim(&left, 1).await.expect("two are left");
    let expired = t.after(TTL_S);
    assert!(matches!(
        expired.peek(&left).await,
        Err(Refusal::Gone {
            cause: Cause::Expired,
            ..
        })
    ));
}
