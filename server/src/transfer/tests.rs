//! The life of a transfer, at each of its boundaries: one second before, and the second itself.

use onetimeshare_protocol::id::{
    AccessVerifier, ClaimVerifier, LinkVerifier, OwnerVerifier, TransferId,
};
use onetimeshare_protocol::transfer::{Cause, State};

use super::*;

mod once;
mod owner;

const PERIODS: Periods = Periods {
    lease_s: 600,
    lease_max_s: 1500,
    tombstone_ttl_s: 5000,
    upload_idle_s: 3600,
    part_deadline_s: 300,
};
const T0: u64 = 1_000_000;
const TTL_S: u64 = 10_000;
const EXPIRY: u64 = T0 + TTL_S;
const LINK: LinkVerifier = LinkVerifier::from_bytes([1; 32]);
const ACCESS: AccessVerifier = AccessVerifier::from_bytes([2; 32]);
const OWNER: OwnerVerifier = OwnerVerifier::from_bytes([3; 32]);
const WRONG: AccessVerifier = AccessVerifier::from_bytes([9; 32]);

const fn at(now: u64) -> Moment {
    Moment {
        now,
        periods: PERIODS,
    }
}

const fn claimant(number: u8) -> ClaimVerifier {
    ClaimVerifier::from_bytes([number; 32])
}

fn create(claims_max: u32, is_inline: bool) -> Transfer {
    let new = Creation {
        id: TransferId::from_bytes([0; 16]),
        link_verifier: LINK,
        access_verifier: ACCESS,
        owner_verifier: OWNER,
        create_digest: [4; 32],
        manifest_len: 304,
        body_len: 20,
        part_len: 8,
        is_inline,
        ttl_s: TTL_S,
        claims_max,
        holder: Some(Holder::from_bytes([9; 16])),
    };
    Transfer::create(new, T0)
}

fn ready(claims_max: u32) -> Transfer {
    create(claims_max, true)
}

/// One that was claimed at [`T0`], by so many claimants, numbered from 1.
fn claimed(claims_max: u32, claimants: u8) -> Transfer {
    let mut transfer = ready(claims_max);
    for number in 1..=claimants {
        claim(&mut transfer, number, T0).unwrap();
    }
    transfer
}

fn locked(mut transfer: Transfer) -> Transfer {
    transfer.attempts_left = 0;
    transfer
}

fn claim(transfer: &mut Transfer, number: u8, now: u64) -> Outcome<u64> {
    let granted = transfer.claim(&LINK, &ACCESS, &claimant(number), at(now));
    granted.map(|grant| grant.lease_expires_at)
}

/// What it has become by `now`.
fn settled(mut transfer: Transfer, now: u64) -> Transfer {
    transfer.settle(at(now));
    transfer
}

const fn gone(cause: Cause, at: u64, claimed_at: Option<u64>) -> Refusal {
    Refusal::Gone {
        cause,
        at,
        claimed_at,
    }
}

const fn ended(cause: Cause, at: u64) -> Phase {
    Phase::Gone { cause, at }
}

#[test]
fn create_starts_only_what_is_inline() {
    let check = |is_inline, state, expires_at, part_count| {
        let transfer = create(1, is_inline);
        assert_eq!(transfer.state(T0), state);
        assert_eq!(transfer.expires_at, expires_at);
        assert_eq!(transfer.part_count(), part_count);
        assert_eq!((transfer.claims_left, transfer.attempts_left), (1, 5));
    };
    check(true, State::Ready, Some(EXPIRY), 0);
    check(false, State::Uploading, None, 3);
}

#[test]
fn part_count_at_its_boundaries() {
    let check = |body_len, expected| {
        let transfer = Transfer {
            body_len,
            ..create(1, false)
        };
        assert_eq!(transfer.part_count(), expected, "{body_len}");
    };
    check(1, 1);
    check(8, 1);
    check(9, 2);
    check(16, 2);
    check(17, 3);
}

#[test]
fn expect_part_knows_every_length() {
    let check = |body_len, index, expected| {
        let transfer = Transfer {
            body_len,
            ..create(1, false)
        };
        assert_eq!(transfer.expect_part(index), expected, "{body_len} {index}");
    };
    check(20, 0, Ok(8));
    check(20, 1, Ok(8));
    check(20, 2, Ok(4));
    check(20, 3, Err(Refusal::PartUnknown));
    check(16, 1, Ok(8));
    check(16, 2, Err(Refusal::PartUnknown));
    check(1, 0, Ok(1));
    check(20, u64::MAX, Err(Refusal::PartUnknown));
    // The product wraps around to 0, which would be a part's start.
    check(20, 1 << 61, Err(Refusal::PartUnknown));
}

#[test]
fn expect_part_only_while_uploading() {
    let check = |transfer: Transfer, expected| assert_eq!(transfer.expect_part(9), Err(expected));
    check(create(1, false), Refusal::PartUnknown);
    check(ready(1), Refusal::NotUploading);
    check(claimed(1, 1), Refusal::NotUploading);
    check(
        settled(ready(1), EXPIRY),
        gone(Cause::Expired, EXPIRY, None),
    );
}

#[test]
fn complete_starts_the_time_to_live() {
    let mut transfer = create(1, false);
    assert_eq!(
        transfer.complete(vec![1], at(T0 + 5)),
        Err(Refusal::PartsMissing(vec![1]))
    );
    assert_eq!(
        (transfer.phase, transfer.expires_at),
        (Phase::Uploading, None)
    );
    let expires_at = T0 + 5 + TTL_S;
    assert_eq!(
        transfer.complete(vec![], at(T0 + 5)),
        Ok((State::Ready, expires_at))
    );
    assert_eq!(
        transfer.complete(vec![], at(T0 + 9)),
        Ok((State::Ready, expires_at))
    );
    // Whatever the store still says of parts: it was complete.
    assert_eq!(
        transfer.complete(vec![0], at(T0 + 9)),
        Ok((State::Ready, expires_at))
    );
    claim(&mut transfer, 1, T0 + 9).unwrap();
    assert_eq!(
        transfer.complete(vec![], at(T0 + 9)),
        Ok((State::Claimed, expires_at))
    );
    transfer.burn(T0 + 10);
    let refused = gone(Cause::Burnt, T0 + 10, Some(T0 + 9));
    assert_eq!(transfer.complete(vec![], at(T0 + 11)), Err(refused));
}

#[test]
fn owners_are_told_apart() {
    assert_eq!(ready(1).authorize_owner(&OWNER), Ok(()));
    let mut last_byte = [3; 32];
    last_byte[31] = 4;
    for wrong in [[0; 32], last_byte] {
        let wrong = OwnerVerifier::from_bytes(wrong);
        assert_eq!(ready(1).authorize_owner(&wrong), Err(Refusal::Unknown));
    }
}

#[test]
fn settle_at_each_boundary() {
    let check = |transfer: Transfer, now, expected| {
        let before = settled(transfer.clone(), now - 1);
        assert_eq!(before.phase, transfer.phase, "one second before");
        assert_eq!(settled(transfer, now).phase, expected);
    };
    // An upload: idle, active to the last, and older than any may be.
    check(
        create(1, false),
        T0 + 3600,
        ended(Cause::Abandoned, T0 + 3600),
    );
    let active = |active_at| Transfer {
        active_at,
        ..create(1, false)
    };
    check(
        active(T0 + 100),
        T0 + 3700,
        ended(Cause::Abandoned, T0 + 3700),
    );
    let deadline = T0 + UPLOAD_MAX_S;
    check(
        active(deadline - 1),
        deadline,
        ended(Cause::Abandoned, deadline),
    );
    // Expiry: nobody came; somebody came and went.
    check(ready(1), EXPIRY, ended(Cause::Expired, EXPIRY));
    check(
        settled(claimed(2, 1), T0 + 600),
        EXPIRY,
        ended(Cause::Expired, EXPIRY),
    );
    // The last lease lapses.
    check(claimed(1, 1), T0 + 600, ended(Cause::Lapsed, T0 + 600));
    check(claimed(2, 2), T0 + 600, ended(Cause::Lapsed, T0 + 600));
}

#[test]
fn settle_says_when_it_ended_and_not_when_it_was_found() {
    let check = |transfer, expected| {
        let found = settled(transfer, T0 + 1_000_000);
        assert_eq!(found.phase, expected);
        assert_eq!(
            settled(found.clone(), T0 + 2_000_000),
            found,
            "settled is settled"
        );
    };
    check(create(1, false), ended(Cause::Abandoned, T0 + 3600));
    check(ready(1), ended(Cause::Expired, EXPIRY));
    check(claimed(1, 1), ended(Cause::Lapsed, T0 + 600));
    check(claimed(2, 1), ended(Cause::Expired, EXPIRY));
}

#[test]
fn a_live_lease_outlives_expiry() {
    let mut transfer = ready(2);
    claim(&mut transfer, 1, EXPIRY - 1).unwrap();
    let lease_end = EXPIRY - 1 + 600;
    let during = settled(transfer.clone(), lease_end - 1);
    assert_eq!(
        (during.phase, during.state(lease_end - 1)),
        (Phase::Ready, State::Claimed)
    );
    assert_eq!(during.due_at(PERIODS), lease_end);
    // The ciphertext goes with the later of the two.
    assert_eq!(
        settled(transfer.clone(), lease_end).phase,
        ended(Cause::Expired, lease_end)
    );
    transfer.settle(at(EXPIRY + 5));
    transfer.deliver(&claimant(1), at(EXPIRY + 5)).unwrap();
    assert_eq!(transfer.phase, ended(Cause::Expired, EXPIRY + 5));
}

#[test]
fn the_last_lease_names_the_cause() {
    let mut transfer = claimed(2, 1);
    claim(&mut transfer, 2, T0 + 100).unwrap();
    transfer.deliver(&claimant(2), at(T0 + 200)).unwrap();
    assert_eq!(transfer.phase, Phase::Ready, "the first still fetches");
    assert_eq!(
        settled(transfer.clone(), T0 + 600).phase,
        ended(Cause::Lapsed, T0 + 600)
    );
    transfer.deliver(&claimant(1), at(T0 + 300)).unwrap();
    assert_eq!(transfer.phase, ended(Cause::Delivered, T0 + 300));
}

#[test]
fn due_at_follows_the_phase() {
    let check = |transfer: &Transfer, expected| assert_eq!(transfer.due_at(PERIODS), expected);
    check(&create(1, false), T0 + 3600);
    check(
        &Transfer {
            active_at: T0 + UPLOAD_MAX_S,
            ..create(1, false)
        },
        T0 + UPLOAD_MAX_S,
    );
    check(&ready(1), EXPIRY);
    let mut two = claimed(3, 1);
    check(&two, T0 + 600);
    claim(&mut two, 2, T0 + 50).unwrap();
    check(&two, T0 + 600);
    two.deliver(&claimant(1), at(T0 + 60)).unwrap();
    check(&two, T0 + 650);
    check(&settled(two, T0 + 650), EXPIRY);
    // A tombstone stands from the end or the expiry, whichever is later.
    check(&settled(claimed(1, 1), T0 + 600), EXPIRY + 5000);
    check(&settled(create(1, false), T0 + 3600), T0 + 3600 + 5000);
    let mut late = ready(2);
    claim(&mut late, 1, EXPIRY - 1).unwrap();
    check(&settled(late, EXPIRY + 599), EXPIRY + 599 + 5000);
}

#[test]
fn settling_when_due_always_gets_on() {
    for transfer in [create(1, false), ready(1), claimed(1, 1), claimed(3, 2)] {
        let mut transfer = transfer;
        for _ in 0..5 {
            let due_at = transfer.due_at(PERIODS);
            transfer.settle(at(due_at));
            let is_over = transfer.is_forgotten(at(due_at));
            assert!(is_over || transfer.due_at(PERIODS) > due_at, "{transfer:?}");
        }
        assert!(transfer.is_gone());
    }
}

#[test]
fn is_forgotten_at_its_boundary() {
    let check = |now, expected| {
        assert_eq!(
            settled(ready(1), EXPIRY).is_forgotten(at(now)),
            expected,
            "{now}"
        );
    };
    check(EXPIRY, false);
    check(EXPIRY + 4999, false);
    check(EXPIRY + 5000, true);
    assert!(!ready(1).is_forgotten(at(u64::MAX)), "only what is gone");
}

#[test]
fn state_at_each_boundary() {
    let check = |transfer: &Transfer, now, expected| assert_eq!(transfer.state(now), expected);
    check(&create(1, false), T0, State::Uploading);
    check(&ready(1), EXPIRY - 1, State::Ready);
    check(&claimed(2, 1), EXPIRY - 1, State::Ready);
    check(&claimed(2, 1), EXPIRY, State::Claimed);
    check(&claimed(2, 2), T0, State::Claimed);
    check(&settled(ready(1), EXPIRY), EXPIRY, State::Gone);
}

const WRONG_LINK: LinkVerifier = LinkVerifier::from_bytes([8; 32]);

/// A claim by claimant `number`, so many seconds after [`T0`]. A refusal or a repeat changes nothing, but for what it counts.
fn check_claim(
    transfer: Transfer,
    (link, access): (&LinkVerifier, &AccessVerifier),
    (number, after_s): (u8, u64),
    expected: Outcome<u64>,
) {
    let moment = at(T0 + after_s);
    let mut transfer = settled(transfer, moment.now);
    let before = transfer.clone();
    let outcome = transfer.claim(link, access, &claimant(number), moment);
    assert_eq!(outcome.map(|grant| grant.lease_expires_at), expected);
    let is_counted = matches!(expected, Err(Refusal::Denied { .. }));
    let attempts_left = before.attempts_left - u32::from(is_counted);
    assert_eq!(
        transfer,
        Transfer {
            attempts_left,
            ..before
        }
    );
}

const RIGHT_PROOFS: (&LinkVerifier, &AccessVerifier) = (&LINK, &ACCESS);
const WRONG_ACCESS: (&LinkVerifier, &AccessVerifier) = (&LINK, &WRONG);
const DENIED: Outcome<u64> = Err(Refusal::Denied { attempts_left: 4 });

/// One that is locked, claimed and burnt: whatever could be wrong with it is.
fn burnt() -> (Transfer, Outcome<u64>) {
    let mut transfer = locked(claimed(1, 1));
    transfer.burn(T0 + 1);
    (transfer, Err(gone(Cause::Burnt, T0 + 1, Some(T0))))
}

/// One whose last claim was made a second before expiry, and what another claimant is told after it.
fn outlived() -> (Transfer, Outcome<u64>) {
    let mut transfer = ready(1);
    claim(&mut transfer, 1, EXPIRY - 1).unwrap();
    (
        transfer,
        Err(gone(Cause::Expired, EXPIRY, Some(EXPIRY - 1))),
    )
}

#[test]
fn claim_looks_at_the_link_first() {
    let unknown = || Err(Refusal::Unknown);
    check_claim(burnt().0, (&WRONG_LINK, &WRONG), (1, 2), unknown());
    check_claim(locked(ready(1)), (&WRONG_LINK, &WRONG), (1, 2), unknown());
    check_claim(ready(1), (&WRONG_LINK, &ACCESS), (1, 2), unknown());
    check_claim(claimed(1, 1), (&WRONG_LINK, &ACCESS), (1, 2), unknown());
}

#[test]
fn claim_knows_its_token_whatever_has_become() {
    let check = |transfer, after_s, expected| {
        check_claim(transfer, RIGHT_PROOFS, (1, after_s), expected);
    };
    check(locked(claimed(1, 1)), 599, Ok(T0 + 600));
    check(locked(outlived().0), TTL_S, Ok(EXPIRY + 599));
    let lapsed = Refusal::LeaseEnded {
        cause: Cause::Lapsed,
        at: T0 + 600,
    };
    check(locked(claimed(1, 1)), 600, Err(lapsed));
    let (transfer, told) = burnt();
    check(transfer, 2, told);
    // With a wrong access proof, a known token is no token.
    check_claim(claimed(1, 1), WRONG_ACCESS, (1, 1), DENIED);
    check_claim(
        locked(claimed(1, 1)),
        WRONG_ACCESS,
        (1, 1),
        Err(Refusal::Locked),
    );
}

#[test]
fn claim_of_a_stranger_checks_in_order() {
    // Each fault together with all that come after it: the first decides.
    for proofs in [RIGHT_PROOFS, WRONG_ACCESS] {
        let (transfer, told) = burnt();
        check_claim(transfer, proofs, (2, 2), told);
        let (transfer, told) = outlived();
        check_claim(locked(transfer), proofs, (2, TTL_S), told);
        check_claim(
            locked(create(1, false)),
            proofs,
            (2, 0),
            Err(Refusal::Locked),
        );
        check_claim(locked(claimed(1, 1)), proofs, (2, 1), Err(Refusal::Locked));
    }
    check_claim(create(1, false), WRONG_ACCESS, (2, 0), DENIED);
    check_claim(claimed(1, 1), WRONG_ACCESS, (2, 1), DENIED);
    check_claim(
        create(1, false),
        RIGHT_PROOFS,
        (2, 0),
        Err(Refusal::NotReady),
    );
    check_claim(
        claimed(1, 1),
        RIGHT_PROOFS,
        (2, 1),
        Err(Refusal::Claimed { at: T0 }),
    );
}

#[test]
fn claim_takes_one_each() {
    let mut transfer = ready(3);
    for (number, claims_left) in [(1, 2), (2, 1), (3, 0)] {
        assert_eq!(claim(&mut transfer, number, T0), Ok(T0 + 600));
        assert_eq!(
            claim(&mut transfer, number, T0 + 1),
            Ok(T0 + 600),
            "the repeat"
        );
        assert_eq!(transfer.claims_left, claims_left);
    }
    assert_eq!(transfer.leases.len(), 3);
    assert_eq!(
        claim(&mut transfer, 4, T0 + 2),
        Err(Refusal::Claimed { at: T0 })
    );
    assert_eq!(transfer.claimed_at(), Some(T0));
}

#[test]
fn claim_to_the_last_second() {
    let check = |now, expected| assert_eq!(claim(&mut settled(ready(1), now), 1, now), expected);
    check(EXPIRY - 1, Ok(EXPIRY - 1 + 600));
    check(EXPIRY, Err(gone(Cause::Expired, EXPIRY, None)));
}

#[test]
fn a_lease_is_never_longer_than_its_limit() {
    let periods = Periods {
        lease_s: 600,
        lease_max_s: 50,
        ..PERIODS
    };
    let moment = Moment { now: T0, periods };
    let granted = ready(1).claim(&LINK, &ACCESS, &claimant(1), moment);
    assert_eq!(granted.unwrap().lease_expires_at, T0 + 50);
}

#[test]
fn peek_checks_in_order() {
    let check = |mut transfer: Transfer,
                 link: &LinkVerifier,
                 access: Option<&AccessVerifier>,
                 expected: Outcome<(State, bool)>,
                 attempts_left| {
        let peeked = transfer.peek(link, access, at(T0 + 1));
        assert_eq!(
            peeked.map(|peek| (peek.state, peek.shows_manifest)),
            expected
        );
        assert_eq!(transfer.attempts_left, attempts_left);
    };
    let burnt = || {
        let mut transfer = ready(1);
        transfer.burn(T0);
        transfer
    };
    let burnt_is = || Err(gone(Cause::Burnt, T0, None));
    check(burnt(), &WRONG_LINK, Some(&WRONG), Err(Refusal::Unknown), 5);
    check(ready(1), &WRONG_LINK, None, Err(Refusal::Unknown), 5);
    check(burnt(), &LINK, None, burnt_is(), 5);
    check(burnt(), &LINK, Some(&WRONG), burnt_is(), 5);
    check(locked(burnt()), &LINK, Some(&ACCESS), burnt_is(), 0);
    check(
        ready(1),
        &LINK,
        Some(&WRONG),
        Err(Refusal::Denied { attempts_left: 4 }),
        4,
    );
    check(
        locked(ready(1)),
        &LINK,
        Some(&ACCESS),
        Err(Refusal::Locked),
        0,
    );
    check(
        locked(ready(1)),
        &LINK,
        Some(&WRONG),
        Err(Refusal::Locked),
        0,
    );
    check(locked(ready(1)), &LINK, None, Ok((State::Ready, false)), 0);
    check(ready(1), &LINK, None, Ok((State::Ready, false)), 5);
    check(ready(1), &LINK, Some(&ACCESS), Ok((State::Ready, true)), 5);
    check(
        claimed(2, 1),
        &LINK,
        Some(&ACCESS),
        Ok((State::Ready, true)),
        5,
    );
    check(
        claimed(1, 1),
        &LINK,
        Some(&ACCESS),
        Ok((State::Claimed, false)),
        5,
    );
    check(
        create(1, false),
        &LINK,
        Some(&ACCESS),
        Ok((State::Uploading, true)),
        5,
    );
}

#[test]
fn five_wrong_access_proofs_lock() {
    let mut transfer = ready(1);
    for attempts_left in [4, 3, 2, 1, 0] {
        // Right ones in between restore nothing.
        transfer.peek(&LINK, Some(&ACCESS), at(T0)).unwrap();
        let refused = transfer.peek(&LINK, Some(&WRONG), at(T0)).unwrap_err();
        assert_eq!(refused, Refusal::Denied { attempts_left });
    }
    assert_eq!(claim(&mut transfer, 1, T0), Err(Refusal::Locked));
    assert_eq!((transfer.attempts_left, transfer.claims_left), (0, 1));
}

#[test]
fn renew_at_its_limits() {
    let mut transfer = claimed(1, 1);
    let mut check = |now, expected| {
        transfer.settle(at(now));
        assert_eq!(
            transfer.renew(&claimant(1), at(now)),
            expected,
            "{}",
            now - T0
        );
    };
    // At most once a minute, and never beyond the limit of 1500 s after the claim.
    check(T0 + 59, Ok(T0 + 600));
    check(T0 + 60, Ok(T0 + 660));
    check(T0 + 119, Ok(T0 + 660));
    check(T0 + 120, Ok(T0 + 720));
    check(T0 + 719, Ok(T0 + 1319));
    check(T0 + 900, Ok(T0 + 1500));
    check(T0 + 1499, Ok(T0 + 1500));
    check(
        T0 + 1500,
        Err(Refusal::LeaseEnded {
            cause: Cause::Lapsed,
            at: T0 + 1500,
        }),
    );
}

#[test]
fn renewing_never_shortens() {
    let mut transfer = claimed(1, 1);
    let shorter = Moment {
        now: T0 + 60,
        periods: Periods {
            lease_s: 10,
            ..PERIODS
        },
    };
    assert_eq!(transfer.renew(&claimant(1), shorter), Ok(T0 + 600));
}

#[test]
fn a_short_lease_can_be_renewed_before_it_lapses() {
    let mut transfer = ready(1);
    let at = |now| Moment {
        now,
        periods: Periods {
            lease_s: 20,
            ..PERIODS
        },
    };
    transfer
        .claim(&LINK, &ACCESS, &claimant(1), at(T0))
        .unwrap();
    for (now, expected) in [(T0 + 5, T0 + 20), (T0 + 6, T0 + 26), (T0 + 25, T0 + 45)] {
        transfer.settle(at(now));
        assert_eq!(transfer.renew(&claimant(1), at(now)), Ok(expected));
    }
}

#[test]
fn lease_calls_are_refused_alike() {
    let check = |transfer: &Transfer, number, expected: &Refusal| {
        let refused = Err(expected.clone());
        let (token, now) = (claimant(number), at(T0 + 700));
        let transfer = settled(transfer.clone(), now.now);
        assert_eq!(transfer.clone().fetch(&token, now).map(|_| ()), refused);
        assert_eq!(transfer.clone().renew(&token, now).map(|_| ()), refused);
        if !matches!(
            expected,
            Refusal::LeaseEnded {
                cause: Cause::Delivered,
                ..
            }
        ) {
            let mut transfer = transfer;
            assert_eq!(transfer.deliver(&token, now), refused);
        }
    };
    let mut delivered = claimed(1, 1);
    delivered.deliver(&claimant(1), at(T0 + 5)).unwrap();
    let mut burnt = claimed(2, 1);
    burnt.burn(T0 + 5);
    check(&ready(1), 1, &Refusal::Unknown);
    check(&claimed(1, 1), 2, &Refusal::Unknown);
    check(&burnt, 2, &Refusal::Unknown);
    check(
        &claimed(1, 1),
        1,
        &Refusal::LeaseEnded {
            cause: Cause::Lapsed,
            at: T0 + 600,
        },
    );
    check(
        &delivered,
        1,
        &Refusal::LeaseEnded {
            cause: Cause::Delivered,
            at: T0 + 5,
        },
    );
    check(&burnt, 1, &gone(Cause::Burnt, T0 + 5, Some(T0)));
}

#[test]
fn deliver_ends_one_lease() {
    let mut transfer = claimed(2, 2);
    transfer.deliver(&claimant(1), at(T0 + 5)).unwrap();
    assert_eq!(transfer.fetch(&claimant(2), at(T0 + 5)), Ok(false));
    transfer.deliver(&claimant(1), at(T0 + 9)).unwrap();
    assert_eq!(
        transfer.leases[0].end,
        Some((LeaseEnd::Delivered, T0 + 5)),
        "the first time counts"
    );
    transfer.deliver(&claimant(2), at(T0 + 9)).unwrap();
    assert_eq!(transfer.phase, ended(Cause::Delivered, T0 + 9));
    assert_eq!(
        transfer.deliver(&claimant(2), at(T0 + 10)),
        Ok(()),
        "also of what is gone"
    );
}

#[test]
fn deliver_leaves_what_can_still_be_claimed() {
    let mut transfer = claimed(2, 1);
    transfer.deliver(&claimant(1), at(T0 + 5)).unwrap();
    assert_eq!(
        (transfer.phase, transfer.state(T0 + 5)),
        (Phase::Ready, State::Ready)
    );
    assert_eq!(claim(&mut transfer, 2, T0 + 6), Ok(T0 + 606));
}

#[test]
fn burn_ends_every_lease_and_nothing_twice() {
    let check = |mut transfer: Transfer, expected| {
        transfer.burn(T0 + 7);
        assert_eq!(transfer.phase, expected);
        assert!(transfer.leases.iter().all(|lease| !lease.is_live()));
        let once = transfer.clone();
        transfer.burn(T0 + 8);
        assert_eq!(transfer, once);
    };
    let burnt = ended(Cause::Burnt, T0 + 7);
    check(create(1, false), burnt);
    check(ready(1), burnt);
    check(locked(claimed(3, 2)), burnt);
    check(settled(ready(1), EXPIRY), ended(Cause::Expired, EXPIRY));
    // A lease that ended before keeps its end.
    let mut transfer = claimed(2, 2);
    transfer.deliver(&claimant(1), at(T0 + 1)).unwrap();
    transfer.burn(T0 + 7);
    let ends: Vec<_> = transfer.leases.iter().map(|lease| lease.end).collect();
    assert_eq!(
        ends,
        [
            Some((LeaseEnd::Delivered, T0 + 1)),
            Some((LeaseEnd::Burnt, T0 + 7))
        ]
    );
}

#[test]
fn the_end_of_time_does_not_wrap() {
    let mut transfer = Transfer {
        ttl_s: u64::MAX,
        ..create(1, false)
    };
    transfer.complete(vec![], at(T0)).unwrap();
    assert_eq!(transfer.expires_at, Some(u64::MAX));
    transfer.burn(T0);
    assert_eq!(transfer.due_at(PERIODS), u64::MAX);
}

#[test]
fn nothing_of_its_holder_outlives_it() {
    let check = |transfer: Transfer, now, cause| {
        assert!(transfer.holder.is_some(), "{cause:?}");
        let ended = settled(transfer, now);
        assert!(matches!(ended.phase, Phase::Gone { cause: told, .. } if told == cause));
        assert_eq!(ended.holder, None, "{cause:?}");
    };
    check(create(1, false), T0 + UPLOAD_MAX_S, Cause::Abandoned);
    check(ready(1), T0 + TTL_S, Cause::Expired);
    check(claimed(1, 1), T0 + 600, Cause::Lapsed);
    let mut delivered = claimed(1, 1);
    delivered.deliver(&claimant(1), at(T0)).unwrap();
    let mut burnt = ready(1);
    burnt.burn(T0);
    assert_eq!((delivered.holder, burnt.holder), (None, None));
}
