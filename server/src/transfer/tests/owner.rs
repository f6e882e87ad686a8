//! What an owner reads and restores, and what the counters make of it all.

use onetimeshare_protocol::transfer::{ClaimState, ReceiptAnswer, ReceiptClaim, StatsAnswer};

use super::*;

fn fail(transfer: &mut Transfer, times: u32) {
    for _ in 0..times {
        transfer.peek(&LINK, Some(&WRONG), at(T0)).unwrap_err();
    }
}

#[test]
fn unlocking_restores_every_attempt() {
    let check = |mut transfer: Transfer, expected, attempts_left| {
        assert_eq!(transfer.unlock(), expected);
        assert_eq!(transfer.attempts_left, attempts_left);
    };
    check(locked(ready(1)), Ok(()), 5);
    check(locked(create(1, false)), Ok(()), 5);
    check(ready(1), Ok(()), 5);
    let mut burnt = locked(ready(1));
    burnt.burn(T0 + 1);
    check(burnt, Err(gone(Cause::Burnt, T0 + 1, None)), 0);
    let mut unlocked = locked(ready(1));
    unlocked.unlock().unwrap();
    assert!(claim(&mut unlocked, 1, T0 + 1).is_ok());
}

#[test]
fn a_receipt_tells_each_claim() {
    let mut transfer = ready(4);
    for number in 1..=3 {
        claim(&mut transfer, number, T0 + u64::from(number)).unwrap();
    }
    fail(&mut transfer, 2);
    transfer.deliver(&claimant(1), at(T0 + 10)).unwrap();
    transfer.settle(at(T0 + 602));
    let claim = |claimed_at, state, at| ReceiptClaim {
        claimed_at,
        state,
        at,
    };
    let mut expected = ReceiptAnswer {
        state: State::Ready,
        cause: None,
        at: None,
        created_at: T0,
        expires_at: Some(EXPIRY),
        claims_max: 4,
        claims_left: 1,
        attempts_left: 3,
        body_len: 20,
        claims: vec![
            claim(T0 + 1, ClaimState::Delivered, Some(T0 + 10)),
            claim(T0 + 2, ClaimState::Lapsed, Some(T0 + 602)),
            claim(T0 + 3, ClaimState::Live, None),
        ],
    };
    assert_eq!(transfer.receipt(T0 + 602), expected);
    transfer.burn(T0 + 602);
    expected.state = State::Gone;
    (expected.cause, expected.at) = (Some(Cause::Burnt), Some(T0 + 602));
    expected.claims[2] = claim(T0 + 3, ClaimState::Burnt, Some(T0 + 602));
    assert_eq!(transfer.receipt(T0 + 700), expected);
}

/// What the counters come to over these steps. What is held is held to what stands.
fn tally(steps: &[&dyn Fn(&mut Transfer)]) -> StatsAnswer {
    let mut totals = Totals::default();
    let mut transfer = ready(2);
    Tally::between(None, &transfer).add_to(&mut totals);
    for step in steps {
        let before = transfer.clone();
        step(&mut transfer);
        Tally::between(Some(&before), &transfer).add_to(&mut totals);
        let count = u64::from(!transfer.is_gone());
        let len = count * (RECORD_LEN + 304 + 20);
        assert_eq!(totals.held, Held { count, len });
    }
    totals.stats
}

#[test]
fn counters_follow_the_steps() {
    let one = StatsAnswer {
        created: 1,
        ..StatsAnswer::default()
    };
    let first = |transfer: &mut Transfer| drop(claim(transfer, 1, T0));
    let second = |transfer: &mut Transfer| drop(claim(transfer, 2, T0));
    let delivered = |transfer: &mut Transfer| drop(transfer.deliver(&claimant(1), at(T0)));
    let lapse = |transfer: &mut Transfer| transfer.settle(at(T0 + 600));
    let expire = |transfer: &mut Transfer| transfer.settle(at(EXPIRY));
    let burn = |transfer: &mut Transfer| transfer.burn(T0);
    let lock = |transfer: &mut Transfer| fail(transfer, 5);
    let unlock = |transfer: &mut Transfer| drop(transfer.unlock());
    assert_eq!(tally(&[]), one);
    let both = StatsAnswer {
        claimed: 2,
        delivered: 1,
        lapsed: 1,
        ..one
    };
    assert_eq!(
        tally(&[
            &first, &first, &second, &delivered, &delivered, &lapse, &expire, &burn
        ]),
        both
    );
    let expired = StatsAnswer { expired: 1, ..one };
    assert_eq!(tally(&[&expire, &expire, &burn]), expired);
    let burnt = StatsAnswer {
        claimed: 1,
        burnt: 1,
        ..one
    };
    assert_eq!(tally(&[&first, &burn, &lapse]), burnt);
    let locked = StatsAnswer { locked: 2, ..one };
    assert_eq!(tally(&[&lock, &unlock, &lock]), locked);
    let late = |transfer: &mut Transfer| {
        let strict = Periods {
            lease_s: 0,
            ..PERIODS
        };
        let moment = Moment {
            now: T0,
            periods: strict,
        };
        drop(transfer.claim(&LINK, &ACCESS, &claimant(1), moment));
    };
    let lapsed = StatsAnswer {
        claimed: 1,
        lapsed: 1,
        ..one
    };
    assert_eq!(tally(&[&late]), lapsed);
    let corrected = StatsAnswer {
        claimed: 1,
        delivered: 1,
        ..one
    };
    assert_eq!(tally(&[&late, &delivered]), corrected);
}
