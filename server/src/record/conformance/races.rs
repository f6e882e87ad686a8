//! Many callers at one moment: exactly as many win as there is to win, and nothing is counted twice.

use std::future::Future;
use std::sync::Arc;

use onetimeshare_protocol::transfer::Cause;
use tokio::sync::Barrier;

use super::fixture::{BODY_LEN, Fixture, PERIODS, Sample, TTL_S};
use crate::record::PartStart;
use crate::transfer::Refusal;

/// Runs `call` for every number below `count`, all of them released at once. What they came to, in the order of numbers.
async fn race<T, F>(count: u64, call: impl Fn(u64) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let size = usize::try_from(count).expect("a small number");
    let gate = Arc::new(Barrier::new(size));
    let runners: Vec<_> = (0..count)
        .map(|number| {
            let (gate, run) = (Arc::clone(&gate), call(number));
            tokio::spawn(async move {
                gate.wait().await;
                run.await
            })
        })
        .collect();
    let mut outcomes = Vec::with_capacity(size);
    for runner in runners {
        outcomes.push(runner.await.expect("no caller panics"));
    }
    outcomes
}

/// 64 claimers race for a transfer, so many rounds over. Who won in each.
async fn claim_rounds(t: &Fixture, claims_max: u32, rounds: u32) {
    for round in 0..rounds {
        let sample = Sample::inline(claims_max);
        t.create(&sample).await.expect("it is new");
        let outcomes = race(64, |number| {
            let (t, sample) = (t.clone(), sample.clone());
            async move { t.claim(&sample, number).await }
        })
        .await;
        let winners = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(u32::try_from(winners), Ok(claims_max), "round {round}");
        for (number, outcome) in (0..).zip(&outcomes) {
            match outcome {
                Ok(claimed) => {
                    assert_eq!(claimed.body, sample.new.body);
                    assert_eq!(t.fetch(&sample, number).await, Ok(()));
                }
                Err(refusal) => {
                    assert_eq!(refusal, &Refusal::Claimed { at: t.at.now });
                    assert_eq!(t.fetch(&sample, number).await, Err(Refusal::Unknown));
                }
            }
        }
    }
}

pub(super) async fn one_of_many_claimers_wins(t: &Fixture) {
    claim_rounds(t, 1, 200).await;
}

pub(super) async fn three_opens_have_three_winners(t: &Fixture) {
    claim_rounds(t, 3, 20).await;
}

pub(super) async fn sixty_wrong_proofs_cost_five(t: &Fixture) {
    for _ in 0..20 {
        let sample = Sample::inline(1);
        t.create(&sample).await.expect("it is new");
        let outcomes = race(60, |number| {
            let (t, sample) = (t.clone(), sample.clone());
            let wrong = sample.wrong_access();
            async move {
                if number % 2 == 0 {
                    t.peek_with(&sample, &wrong).await.map(|_| ())
                } else {
                    t.claim_with(&sample, &wrong, number).await.map(|_| ())
                }
            }
        })
        .await;
        let mut counted = Vec::new();
        for outcome in outcomes {
            match outcome {
                Err(Refusal::Denied { attempts_left }) => counted.push(attempts_left),
                other => assert_eq!(other, Err(Refusal::Locked)),
            }
        }
        counted.sort_unstable();
        assert_eq!(counted, [0, 1, 2, 3, 4]);
        assert_eq!(t.claim(&sample, 1).await, Err(Refusal::Locked));
        assert_eq!(
            t.peek_with(&sample, sample.access()).await,
            Err(Refusal::Locked)
        );
        assert_eq!(t.peek(&sample).await.expect("it stands").attempts_left, 0);
    }
}

pub(super) async fn repeats_of_one_token_are_one_claim(t: &Fixture) {
    for _ in 0..20 {
        let sample = Sample::inline(2);
        t.create(&sample).await.expect("it is new");
        let outcomes = race(16, |number| {
            // Each a second later than the one before it: had it been granted anew, its lease would end later.
            let (t, sample) = (t.after(number), sample.clone());
            async move { t.claim(&sample, 1).await }
        })
        .await;
        assert!(
            outcomes
                .iter()
                .all(|outcome| outcome.is_ok() && *outcome == outcomes[0])
        );
        assert_eq!(t.peek(&sample).await.expect("one is left").claims_left, 1);
    }
}

pub(super) async fn one_of_many_writers_of_a_part_wins(t: &Fixture) {
    let sample = Sample::in_parts();
    t.create(&sample).await.expect("it is new");
    let outcomes = race(16, |number| {
        let (t, sample) = (t.clone(), sample.clone());
        async move {
            let part = sample.part(0, 0, number);
            match t.begin(&sample, &part).await {
                Ok(PartStart::Write) => t.accept(&sample, &part).await,
                Ok(PartStart::Accepted) => Ok(false),
                Err(refusal) => Err(refusal),
            }
        }
    })
    .await;
    let winners: Vec<u64> = (0..)
        .zip(&outcomes)
        .filter(|(_, won)| **won == Ok(true))
        .map(|(n, _)| n)
        .collect();
    assert_eq!(winners.len(), 1, "{outcomes:?}");
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    let object = t.object(&sample, 0).await.expect("one was accepted");
    assert_eq!(object.random, winners[0]);
    let lost = t.after(PERIODS.part_deadline_s).take().await;
    assert!(!lost.contains(&object));
}

pub(super) async fn creates_of_one_id_make_one_transfer(t: &Fixture) {
    let sample = Sample::inline(1);
    let outcomes = race(16, |number| {
        let (t, mut sample) = (t.clone(), sample.clone());
        // Two senders, eight repeats each.
        sample.new.creation.create_digest[0] ^= u8::from(number % 2 == 0);
        async move { t.create(&sample).await }
    })
    .await;
    let made = outcomes
        .iter()
        .filter(|outcome| outcome.as_ref().is_ok_and(|created| created.is_new));
    assert_eq!(made.count(), 1, "{outcomes:?}");
    let refused = outcomes
        .iter()
        .filter(|outcome| **outcome == Err(Refusal::Conflict));
    assert_eq!(refused.count(), 8, "{outcomes:?}");
    let seen = t.peek(&sample).await.expect("it stands");
    assert_eq!(
        (seen.expires_at, seen.body_len),
        (Some(t.at.now + TTL_S), BODY_LEN)
    );
}

/// Claim, delivery, burn, lock, sweep and renewal around the second in which a transfer and its lease end, by callers whose
/// clocks differ. What comes first is chance; that it ends once, and is told alike ever after, is not.
pub(super) async fn ends_that_race_are_one(t: &Fixture) {
    for round in 0..60 {
        let sample = Sample::inline(1);
        t.create(&sample).await.expect("it is new");
        let before = t.stats().await;
        let has_claimant = round % 2 == 0;
        if has_claimant {
            let claiming = t.after(TTL_S - PERIODS.lease_s);
            claiming.claim(&sample, 0).await.expect("it is ready");
        }
        let granted = race(18, |number| {
            let (t, sample) = (t.after(TTL_S - 4 + (number + round) % 8), sample.clone());
            async move {
                match number % 6 {
                    0 => return t.claim(&sample, number + 1).await.is_ok(),
                    1 => t.deliver(&sample, 0).await.is_ok(),
                    2 => t.burn(&sample).await.is_ok(),
                    3 => {
                        let wrong = sample.wrong_access();
                        t.claim_with(&sample, &wrong, number + 1).await.is_ok()
                    }
                    4 => t.sweep().await > 0,
                    _ => t.renew(&sample, 0).await.is_ok(),
                };
                false
            }
        })
        .await;
        let granted = granted.into_iter().filter(|is_granted| *is_granted).count();
        let late = t.after(TTL_S + PERIODS.lease_s + 60);
        let told = late.receipt(&sample).await.expect("its tombstone stands");
        assert_eq!(
            told.claims.len(),
            granted + usize::from(has_claimant),
            "round {round}"
        );
        assert!(told.claims.len() <= 1, "round {round}: {told:?}");
        late.sweep().await;
        assert_eq!(
            late.deliver(&sample, 0).await.is_ok(),
            told.cause == Some(Cause::Delivered)
        );
        late.burn(&sample).await.expect("it is the owner's");
        assert!(late.claim(&sample, 99).await.is_err());
        assert_eq!(
            late.receipt(&sample).await,
            Ok(told.clone()),
            "round {round}"
        );
        let counted = t.stats_since(before).await;
        let ends = match told.cause.expect("it has ended") {
            Cause::Delivered => counted.delivered,
            Cause::Lapsed => counted.lapsed,
            Cause::Burnt => counted.burnt,
            Cause::Expired => counted.expired,
            Cause::Abandoned => 0,
        };
        assert_eq!(
            (ends, counted.burnt + counted.expired <= 1),
            (1, true),
            "{told:?} {counted:?}"
        );
    }
}

pub(super) async fn one_of_many_fetches_begins(t: &Fixture) {
    let t = &t.strict();
    for _ in 0..20 {
        let sample = Sample::in_parts();
        t.upload(&sample).await;
        t.claim(&sample, 1).await.expect("it is ready");
        let outcomes = race(64, |_| {
            let (t, sample) = (t.clone(), sample.clone());
            async move { t.fetch(&sample, 1).await }
        })
        .await;
        let begun = outcomes.iter().filter(|outcome| outcome.is_ok());
        assert_eq!(begun.count(), 1, "{outcomes:?}");
        let spent = Err(Refusal::LeaseEnded {
            cause: Cause::Lapsed,
            at: t.at.now,
        });
        let refused = outcomes.iter().filter(|outcome| **outcome == spent);
        assert_eq!(refused.count(), 63, "{outcomes:?}");
    }
}

pub(super) async fn one_of_many_claims_is_given_the_body(t: &Fixture) {
    let t = &t.strict();
    let before = t.stats().await;
    for round in 0..20 {
        let sample = Sample::inline(1);
        t.create(&sample).await.expect("it is new");
        let outcomes = race(64, |number| {
            let (t, sample) = (t.clone(), sample.clone());
            // Half of them are one claimant who asks again.
            async move { t.claim(&sample, number.min(32)).await }
        })
        .await;
        let given = outcomes.iter().filter(|outcome| outcome.is_ok());
        assert_eq!(given.count(), 1, "round {round}: {outcomes:?}");
    }
    let counted = t.stats_since(before).await;
    assert_eq!(
        (counted.created, counted.claimed, counted.lapsed),
        (20, 20, 20)
    );
}
