//! The scenarios that are explored, and the bugs that are planted into them.

use onetimeshare_server::record::TRIES_MAX;

use crate::fault::Fault;
use crate::invariant::Invariant;
use crate::scenario::{Scenario, Ticks};

const TICKS: Ticks = Ticks {
    lease: 1,
    lease_max: 2,
    tombstone: 1,
    idle: 2,
    part_deadline: 1,
};

/// A body in parts on its way in: two writers, broken off anywhere, a sweeper between them, and a claimant at the end.
pub(crate) const UPLOADS: Scenario = Scenario {
    name: "uploads",
    parts: 1,
    claims_max: 1,
    ttl: 1,
    ticks: TICKS,
    claimants: 1,
    has_guesser: false,
    is_burnt: true,
    begins_ready: false,
    tries: 2,
    stuck: 0,
    writers: 2,
    readers: 0,
    sweepers: 1,
    failures: 1,
};

/// One claim, two claimants, a guesser.
pub(crate) const CLAIMS: Scenario = Scenario {
    name: "claims",
    parts: 0,
    claims_max: 1,
    ttl: 2,
    ticks: Ticks {
        lease: 2,
        lease_max: 3,
        ..TICKS
    },
    claimants: 2,
    has_guesser: true,
    is_burnt: true,
    begins_ready: false,
    tries: 0,
    stuck: 0,
    writers: 0,
    readers: 1,
    sweepers: 1,
    failures: 0,
};

/// The same with two claims.
pub(crate) const TWO_CLAIMS: Scenario = Scenario {
    name: "two claims",
    claims_max: 2,
    ..CLAIMS
};

/// A body in parts on its way out: two readers of whichever claimants, and a sweeper.
pub(crate) const BODIES: Scenario = Scenario {
    name: "bodies",
    parts: 2,
    claims_max: 1,
    ttl: 2,
    ticks: TICKS,
    claimants: 2,
    has_guesser: false,
    is_burnt: true,
    begins_ready: true,
    tries: 2,
    stuck: 0,
    writers: 1,
    readers: 2,
    sweepers: 1,
    failures: 1,
};

/// A body that is given once, with the claim.
pub(crate) const ONCE: Scenario = Scenario {
    name: "once",
    ticks: Ticks { lease: 0, ..TICKS },
    ..TWO_CLAIMS
};

/// A body that is given once, by one fetch each.
pub(crate) const ONCE_IN_PARTS: Scenario = Scenario {
    name: "once, in parts",
    parts: 1,
    claims_max: 2,
    ticks: Ticks { lease: 0, ..TICKS },
    is_burnt: false,
    failures: 0,
    ..BODIES
};

/// The uploads, where so many tries came to nothing that there is room for one, and what it may leave.
pub(crate) const CROWDED: Scenario = Scenario {
    name: "uploads, crowded",
    stuck: TRIES_MAX,
    ..UPLOADS
};

/// The uploads, with a reader at the end.
const READ: Scenario = Scenario {
    name: "uploads, read",
    readers: 1,
    ..UPLOADS
};

/// The first of the larger worlds of the long run, which hold what the small ones leave out: two parts.
pub(crate) const LONG_UPLOADS: Scenario = Scenario {
    name: "uploads, long",
    parts: 2,
    tries: 3,
    ..UPLOADS
};

/// Three writers of one part, one after or beside the other, and a reader.
pub(crate) const LONG_WRITERS: Scenario = Scenario {
    name: "writers, long",
    tries: 3,
    readers: 1,
    ..UPLOADS
};

/// Longer lives, so that there is time for more.
pub(crate) const LONG_CLAIMS: Scenario = Scenario {
    name: "claims, long",
    ttl: 3,
    ticks: Ticks {
        lease: 2,
        lease_max: 4,
        tombstone: 2,
        ..TICKS
    },
    ..TWO_CLAIMS
};

/// From the first part on, and with two sweepers.
pub(crate) const LONG_BODIES: Scenario = Scenario {
    name: "bodies, long",
    parts: 1,
    tries: 1,
    begins_ready: false,
    sweepers: 2,
    ..BODIES
};

/// With a burn and sweeps that fail.
pub(crate) const LONG_ONCE: Scenario = Scenario {
    name: "once, in parts, long",
    is_burnt: true,
    failures: 1,
    ..ONCE_IN_PARTS
};

/// Each bug, the promise that it breaks, and where.
pub(crate) const FAULTS: &[(Fault, Invariant, Scenario)] = &[
    (Fault::ClaimsInTwoSteps, Invariant::AtMostClaimsMax, CLAIMS),
    (
        Fault::ClaimsBeforeComplete,
        Invariant::CompleteBeforeClaim,
        UPLOADS,
    ),
    (Fault::NamesPartsUnwritten, Invariant::ReadyIsKept, UPLOADS),
    (
        Fault::ServesTheLatest,
        Invariant::OnlyAcceptedIsServed,
        READ,
    ),
    (Fault::AnswersBeforeDurable, Invariant::ReadyIsKept, CLAIMS),
    (
        Fault::DeletesWhatNobodyNames,
        Invariant::AcceptedIsKept,
        UPLOADS,
    ),
    (
        Fault::AcceptsWhatWasTaken,
        Invariant::AcceptedIsKept,
        UPLOADS,
    ),
    (Fault::SharesObjects, Invariant::AcceptedIsKept, UPLOADS),
    (Fault::ForgetsTokens, Invariant::LeaseHolds, TWO_CLAIMS),
    (Fault::ExpiryEndsLeases, Invariant::LeaseHolds, CLAIMS),
    (Fault::FetchesAgain, Invariant::OnceIsOnce, ONCE_IN_PARTS),
    (Fault::BurnLeavesLeases, Invariant::GoneIsSilent, BODIES),
    (Fault::ErasesLater, Invariant::GoneIsErased, CLAIMS),
    (
        Fault::ConfirmsBeforeDelete,
        Invariant::NothingIsLeft,
        UPLOADS,
    ),
    (
        Fault::ConfirmsWithLaterTime,
        Invariant::NothingIsLeft,
        UPLOADS,
    ),
    (Fault::WritesUnqueued, Invariant::NothingIsLeft, UPLOADS),
    (Fault::DeletesOnce, Invariant::NothingIsLeft, UPLOADS),
    (Fault::CountsNoTries, Invariant::TriesAreBounded, CROWDED),
    (
        Fault::TombstoneTakesQueue,
        Invariant::NothingIsLeft,
        UPLOADS,
    ),
    (
        Fault::CountsWrongLinks,
        Invariant::WrongProofsChangeNothing,
        CLAIMS,
    ),
    (Fault::GuessCostsClaim, Invariant::GuessesOnlyLock, CLAIMS),
    (Fault::LockEndsLeases, Invariant::GuessesOnlyLock, CLAIMS),
    (Fault::RefusesRepeats, Invariant::TwiceIsOnce, CLAIMS),
    (Fault::BurnsTheGone, Invariant::ReceiptIsTrue, CLAIMS),
    (Fault::DeliversTheLapsed, Invariant::ReceiptIsTrue, CLAIMS),
    (Fault::CountsRepeats, Invariant::CountersAreTrue, CLAIMS),
];
