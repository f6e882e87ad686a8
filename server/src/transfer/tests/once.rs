//! A lease of 0: a body is given once, whatever breaks.

use super::*;

const STRICT: Periods = Periods {
    lease_s: 0,
    ..PERIODS
};

const fn strictly(now: u64) -> Moment {
    Moment {
        now,
        periods: STRICT,
    }
}

fn claim_once(transfer: &mut Transfer, number: u8, now: u64) -> Outcome<u64> {
    let granted = transfer.claim(&LINK, &ACCESS, &claimant(number), strictly(now));
    granted.map(|grant| grant.lease_expires_at)
}

fn in_parts(claims_max: u32) -> Transfer {
    let mut transfer = create(claims_max, false);
    transfer.complete(vec![], at(T0)).unwrap();
    transfer
}

const fn lease_ended(cause: Cause, at: u64) -> Refusal {
    Refusal::LeaseEnded { cause, at }
}

#[test]
fn an_inline_body_goes_with_the_claim() {
    let mut transfer = ready(1);
    assert_eq!(claim_once(&mut transfer, 1, T0 + 5), Ok(T0 + 5));
    assert_eq!(transfer.phase, ended(Cause::Lapsed, T0 + 5));
    let spent = lease_ended(Cause::Lapsed, T0 + 5);
    assert_eq!(claim_once(&mut transfer, 1, T0 + 5), Err(spent.clone()));
    let fetched = transfer.fetch(&claimant(1), strictly(T0 + 5));
    assert_eq!(fetched, Err(spent.clone()));
    assert_eq!(transfer.renew(&claimant(1), strictly(T0 + 5)), Err(spent));
    assert_eq!(
        claim_once(&mut transfer, 2, T0 + 6),
        Err(gone(Cause::Lapsed, T0 + 5, Some(T0 + 5)))
    );
    let due_at = transfer.due_at(STRICT);
    transfer.deliver(&claimant(1), strictly(T0 + 7)).unwrap();
    assert_eq!(transfer.phase, ended(Cause::Delivered, T0 + 5));
    assert_eq!(
        transfer.leases[0].end,
        Some((LeaseEnd::Delivered, T0 + 7)),
        "when it was said"
    );
    assert_eq!(transfer.due_at(STRICT), due_at);
    transfer.deliver(&claimant(1), strictly(T0 + 9)).unwrap();
    assert_eq!(transfer.leases[0].end, Some((LeaseEnd::Delivered, T0 + 7)));
    let spent = lease_ended(Cause::Delivered, T0 + 7);
    assert_eq!(claim_once(&mut transfer, 1, T0 + 9), Err(spent));
}

#[test]
fn several_opens_are_each_given_once() {
    let mut transfer = ready(2);
    claim_once(&mut transfer, 1, T0).unwrap();
    assert_eq!(transfer.phase, Phase::Ready);
    claim_once(&mut transfer, 2, T0 + 10).unwrap();
    assert_eq!(transfer.phase, ended(Cause::Lapsed, T0 + 10));
    // The one that did not end it does not change what ended it.
    transfer.deliver(&claimant(1), strictly(T0 + 11)).unwrap();
    assert_eq!(transfer.phase, ended(Cause::Lapsed, T0 + 10));
    transfer.deliver(&claimant(2), strictly(T0 + 12)).unwrap();
    assert_eq!(transfer.phase, ended(Cause::Delivered, T0 + 10));
}

#[test]
fn a_body_in_parts_is_fetched_once() {
    let mut transfer = in_parts(1);
    assert_eq!(claim_once(&mut transfer, 1, T0), Ok(T0 + ONCE_S));
    let spent = lease_ended(Cause::Lapsed, T0);
    assert_eq!(claim_once(&mut transfer, 1, T0 + 1), Err(spent));
    assert_eq!(
        transfer.renew(&claimant(1), strictly(T0 + 59)),
        Ok(T0 + ONCE_S),
        "it has to begin in its time"
    );
    let begun = strictly(T0 + 59);
    assert_eq!(transfer.fetch(&claimant(1), begun), Ok(true));
    let spent = lease_ended(Cause::Lapsed, T0 + 59);
    assert_eq!(transfer.fetch(&claimant(1), begun), Err(spent.clone()));
    assert_eq!(claim_once(&mut transfer, 1, T0 + 59), Err(spent));
    assert_eq!(transfer.state(T0 + 59), State::Claimed);
    // While bytes flow it lives; then it ends at once.
    let renew = |transfer: &mut Transfer, now| transfer.renew(&claimant(1), strictly(now));
    assert_eq!(
        renew(&mut transfer, T0 + 59 + ONCE_RENEW_S - 1),
        Ok(T0 + 119)
    );
    assert_eq!(
        renew(&mut transfer, T0 + 59 + ONCE_RENEW_S),
        Ok(T0 + 119 + ONCE_RENEW_S)
    );
    let done = strictly(T0 + 80);
    transfer.end_fetch(&claimant(1), done).unwrap();
    assert_eq!(transfer.phase, ended(Cause::Lapsed, T0 + 80));
    transfer.end_fetch(&claimant(1), strictly(T0 + 90)).unwrap();
    assert_eq!(transfer.phase, ended(Cause::Lapsed, T0 + 80));
    transfer.deliver(&claimant(1), strictly(T0 + 95)).unwrap();
    assert_eq!(transfer.phase, ended(Cause::Delivered, T0 + 80));
}

#[test]
fn a_fetch_that_never_begins_or_stands_still_lapses() {
    let mut transfer = in_parts(1);
    claim_once(&mut transfer, 1, T0).unwrap();
    transfer.settle(strictly(T0 + ONCE_S - 1));
    assert_eq!(transfer.phase, Phase::Ready);
    let mut never = transfer.clone();
    never.settle(strictly(T0 + ONCE_S));
    assert_eq!(never.phase, ended(Cause::Lapsed, T0 + ONCE_S));
    let told = never.deliver(&claimant(1), strictly(T0 + 70));
    let lapsed = lease_ended(Cause::Lapsed, T0 + ONCE_S);
    assert_eq!(told, Err(lapsed), "it was given nothing");

    transfer.fetch(&claimant(1), strictly(T0 + 10)).unwrap();
    transfer.settle(strictly(T0 + 10 + ONCE_S));
    assert_eq!(transfer.phase, ended(Cause::Lapsed, T0 + 10 + ONCE_S));
    let fetched = transfer.fetch(&claimant(1), strictly(T0 + 100));
    assert!(fetched.is_err());
}

#[test]
fn a_fetch_never_outlives_the_longest_lease() {
    let mut transfer = in_parts(1);
    claim_once(&mut transfer, 1, T0).unwrap();
    transfer.fetch(&claimant(1), strictly(T0)).unwrap();
    let mut now = T0;
    while now < T0 + PERIODS.lease_max_s - ONCE_RENEW_S {
        now += ONCE_RENEW_S;
        let ends_at = transfer.renew(&claimant(1), strictly(now)).unwrap();
        assert_eq!(ends_at, (now + ONCE_S).min(T0 + PERIODS.lease_max_s));
    }
}

#[test]
fn other_leases_are_not_ended_by_a_fetch() {
    let mut transfer = claimed(1, 1);
    assert_eq!(transfer.fetch(&claimant(1), at(T0 + 1)), Ok(false));
    assert_eq!(transfer.end_fetch(&claimant(1), at(T0 + 1)), Ok(()));
    assert_eq!(transfer.phase, Phase::Ready);
    // Nor by an operator who changes the setting meanwhile.
    assert_eq!(transfer.fetch(&claimant(1), strictly(T0 + 2)), Ok(false));
    assert_eq!(claim_once(&mut transfer, 1, T0 + 2), Ok(T0 + 600));
    let refused = transfer.end_fetch(&claimant(2), at(T0 + 1));
    assert_eq!(refused, Err(Refusal::Unknown));
}
