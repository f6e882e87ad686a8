//! What is true of a record store's content at a tick, whatever happened before: found by asking copies of it. This is
//! where the promises are held against it that need no memory of what the world was told.

use onetimeshare_protocol::transfer::{Cause, ClaimState, ReceiptAnswer, State};
use onetimeshare_server::record::tables::{Entry, Tables};
use onetimeshare_server::transfer::{LeaseEnd, Moment, Refusal, Totals, Transfer};

use crate::call::{Answer, Call, STRANGER};
use crate::invariant::Invariant;
use crate::object::{Object, Objects};
use crate::records::{Records, RecordsId};
use crate::scenario::{HOLDER, OWNER, Scenario, claimant, id};

/// So many wrong access proofs are tried: one, as many as lock, and one more.
const GUESSES: [u8; 3] = [1, 5, 6];

/// What became of a claimant's lease.
pub(crate) type Ended = Option<LeaseEnd>;

/// What is true of a content at a tick. But for `was_gone`, it is told as it is once time has done its work.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    /// What it breaks.
    pub(crate) broken: Vec<Invariant>,
    /// Whether the transfer is known, alive or as a tombstone.
    pub(crate) is_kept: bool,
    /// Whether it is gone.
    pub(crate) is_gone: bool,
    /// Whether a step has stored that it is gone.
    pub(crate) was_gone: bool,
    /// Why it is gone.
    pub(crate) cause: Option<Cause>,
    /// Whether nothing at all is recorded.
    pub(crate) is_empty: bool,
    /// Whether time has something to do still.
    pub(crate) has_future: bool,
    /// What lies where, as far as it is named.
    pub(crate) parts: Objects,
    /// Wrong access proofs that it still bears.
    pub(crate) attempts_left: u32,
    /// How many leases were granted.
    pub(crate) lease_count: usize,
    /// How the leases of the first claimants ended, as far as they have.
    pub(crate) ended: [Ended; 2],
}

impl Facts {
    /// Asks a content.
    pub(crate) fn of(records: &mut Records, id: RecordsId, tick: u8) -> Self {
        let settled = settled(records, id, tick);
        let broken = broken(records, (id, settled), tick);
        let scenario = *records.scenario();
        let stored = entry(records.tables(id)).map(|entry| entry.transfer.is_gone());
        let tables = records.tables(settled);
        let at = scenario.moment(tick);
        let has_future = has_future(records.tables(id), tables, at);
        let known = entry(tables).filter(|entry| !entry.transfer.is_forgotten(at));
        let transfer = known.map(|entry| &entry.transfer);
        let receipt = receipt(tables, &scenario, tick);
        Self {
            broken,
            is_kept: known.is_some(),
            is_gone: transfer.is_some_and(Transfer::is_gone),
            was_gone: stored == Some(true),
            cause: receipt.and_then(|receipt| receipt.cause),
            is_empty: tables.entries.is_empty() && tables.deletions.is_empty(),
            has_future,
            parts: known.map(parts).unwrap_or_default(),
            attempts_left: transfer.map_or(0, |transfer| transfer.attempts_left),
            lease_count: transfer.map_or(0, |transfer| transfer.leases.len()),
            ended: [0, 1].map(|number| ended(known, number)),
        }
    }
}

fn entry(tables: &Tables) -> Option<&Entry> {
    tables.entries.get(&id())
}

/// What time alone makes of a content: a call of nobody that is known settles and is refused.
fn settled(records: &mut Records, id: RecordsId, tick: u8) -> RecordsId {
    records.run(id, Call::Renew(STRANGER), tick).0
}

fn parts(entry: &Entry) -> Objects {
    let parts = entry.parts.values();
    parts.map(|part| Object::drawn(part.random)).collect()
}

fn ended(entry: Option<&Entry>, number: u8) -> Ended {
    let mut leases = entry?.transfer.leases.iter();
    let lease = leases.find(|lease| lease.claim_verifier == claimant(number))?;
    lease.end.map(|(end, _)| end)
}

/// Whether a deadline is still to come: of the transfer, as it is stored and as it is now, or of what is queued.
fn has_future(stored: &Tables, settled: &Tables, at: Moment) -> bool {
    let both = stored.entries.values().chain(settled.entries.values());
    let deadlines = both.flat_map(|entry| {
        let transfer = &entry.transfer;
        let leases = transfer.leases.iter().map(|lease| lease.expires_at);
        let fixed = [Some(transfer.due_at(at.periods)), transfer.expires_at];
        leases.chain(fixed.into_iter().flatten())
    });
    let queue = stored.deletions.values();
    let queue = queue.flat_map(|queued| [queued.due_at, queued.final_at]);
    deadlines.chain(queue).any(|deadline| deadline > at.now)
}

fn receipt(tables: &Tables, scenario: &Scenario, tick: u8) -> Option<ReceiptAnswer> {
    let mut copy = tables.clone();
    copy.receipt(&id(), &OWNER, scenario.moment(tick)).ok()
}

/// The promises that are broken.
fn broken(
    records: &mut Records,
    (id, settled): (RecordsId, RecordsId),
    tick: u8,
) -> Vec<Invariant> {
    let scenario = *records.scenario();
    let erased = [id, settled].map(|id| is_erased(records.tables(id)));
    let tables = records.tables(settled);
    let receipt = receipt(tables, &scenario, tick);
    let receipt_is_true = receipt
        .as_ref()
        .is_none_or(|receipt| is_consistent(receipt, &scenario, tick));
    let counters_are_true = receipt.is_none_or(|receipt| counts(tables, &receipt));
    let both = (id, settled);
    let kept = [
        (Invariant::GoneIsErased, erased == [true, true]),
        (Invariant::ReceiptIsTrue, receipt_is_true),
        (Invariant::CountersAreTrue, counters_are_true),
        (
            Invariant::WrongProofsChangeNothing,
            wrong_changes_nothing(records, both, tick),
        ),
        (
            Invariant::GuessesOnlyLock,
            GUESSES
                .into_iter()
                .all(|times| only_locks(records, both, times, tick)),
        ),
        (
            Invariant::TwiceIsOnce,
            is_twice_once(records, settled, tick),
        ),
    ];
    let broken = kept.into_iter().filter(|(_, is_kept)| !is_kept);
    broken.map(|(invariant, _)| invariant).collect()
}

/// Whether nothing is left of what is gone.
fn is_erased(tables: &Tables) -> bool {
    let mut gone = tables
        .entries
        .values()
        .filter(|entry| entry.transfer.is_gone());
    gone.all(|entry| {
        let is_nobodys = entry.transfer.holder.is_none();
        let is_empty = entry.manifest.is_empty() && entry.parts.is_empty();
        is_nobodys && is_empty && entry.body.is_none()
    })
}

/// Whether a wrong proof is told nothing, and does no more than anybody does who asks: to let time do its work.
fn wrong_changes_nothing(
    records: &mut Records,
    (id, settled): (RecordsId, RecordsId),
    tick: u8,
) -> bool {
    let (wrong, told) = records.run(id, Call::Wrong, tick);
    told == Answer::Refused(Refusal::Unknown) && (wrong == id || wrong == settled)
}

/// Whether the members of a receipt fit together.
fn is_consistent(receipt: &ReceiptAnswer, scenario: &Scenario, tick: u8) -> bool {
    let now = scenario.moment(tick).now;
    let claims = &receipt.claims;
    let count = u32::try_from(claims.len()).unwrap_or(u32::MAX);
    let are_past = claims.iter().all(|claim| {
        let is_live = claim.state == ClaimState::Live;
        let is_past = claim
            .at
            .is_none_or(|at| claim.claimed_at <= at && at <= now);
        is_past && claim.at.is_none() == is_live && !(is_live && receipt.state == State::Gone)
    });
    // Its last lease ended it. Where a body is given once, that it was delivered may be told later.
    let ended_with = |state| {
        let is_late = scenario.is_once() && state == ClaimState::Delivered;
        let last = claims.iter().filter_map(|claim| claim.at).max();
        receipt.claims_left == 0
            && (receipt.at == last || scenario.is_once())
            && claims.iter().any(|claim| {
                claim.state == state
                    && (claim.at == receipt.at || is_late && claim.at >= receipt.at)
            })
    };
    let fits = match receipt.cause {
        None => receipt.state != State::Gone,
        Some(_) if receipt.state != State::Gone => false,
        Some(Cause::Delivered) => ended_with(ClaimState::Delivered),
        Some(Cause::Lapsed) => ended_with(ClaimState::Lapsed),
        Some(Cause::Burnt) => true,
        Some(Cause::Expired) => receipt.expires_at.is_some() && receipt.at >= receipt.expires_at,
        Some(Cause::Abandoned) => receipt.expires_at.is_none(),
    };
    fits && are_past
        && count + receipt.claims_left == receipt.claims_max
        && receipt.at.is_none_or(|at| at <= now)
        && (receipt.expires_at.is_some() || claims.is_empty())
}

/// Whether the counters say what the receipt says.
fn counts(tables: &Tables, receipt: &ReceiptAnswer) -> bool {
    let Totals { stats, held } = tables.totals;
    let claims = |state| {
        let claims = receipt.claims.iter().filter(|claim| claim.state == state);
        u64::try_from(claims.count()).unwrap_or(u64::MAX)
    };
    let is_cause = |cause| u64::from(receipt.cause == Some(cause));
    stats.created == 1
        && stats.claimed == u64::try_from(receipt.claims.len()).unwrap_or(u64::MAX)
        && stats.delivered == claims(ClaimState::Delivered)
        && stats.lapsed == claims(ClaimState::Lapsed)
        && stats.burnt == is_cause(Cause::Burnt)
        && stats.expired == is_cause(Cause::Expired)
        && stats.abandoned == is_cause(Cause::Abandoned)
        && held.count == u64::from(receipt.cause.is_none())
        && (held.len == 0) == (held.count == 0)
        && tables.held_by(&HOLDER).client == held
}

/// Whether so many wrong access proofs take so many attempts, at most all, and leave everything else.
fn only_locks(
    records: &mut Records,
    (id, settled): (RecordsId, RecordsId),
    times: u8,
    tick: u8,
) -> bool {
    let (guessed, told) = records.run(id, Call::Guess(times), tick);
    let now = records.scenario().moment(tick).now;
    let mut expected = records.tables(settled).clone();
    let is_kept = |told: &Answer| {
        matches!(
            told,
            Answer::Refused(Refusal::Gone { .. } | Refusal::Unknown)
        )
    };
    let Some(entry) = expected.entries.get_mut(&crate::scenario::id()) else {
        return is_kept(&told);
    };
    let transfer = &mut entry.transfer;
    if transfer.is_gone() {
        return guessed == settled && is_kept(&told);
    }
    let attempts_left = transfer.attempts_left;
    // After expiry nothing is asked of a claim, but a peek still tells a live transfer's deadline, and counts.
    if transfer
        .expires_at
        .is_some_and(|expires_at| expires_at <= now)
    {
        let entry = records.tables(guessed).entries.get(&crate::scenario::id());
        transfer.attempts_left = entry.map_or(0, |entry| entry.transfer.attempts_left);
    } else {
        transfer.attempts_left = attempts_left.saturating_sub(u32::from(times));
        let is_locked = attempts_left < u32::from(times);
        let expected = if is_locked {
            Refusal::Locked
        } else {
            let attempts_left = transfer.attempts_left;
            Refusal::Denied { attempts_left }
        };
        if told != Answer::Refused(expected) {
            return false;
        }
    }
    *records.tables(guessed) == expected
}

/// Whether what may be said twice changes nothing when it is said again, and is answered alike.
fn is_twice_once(records: &mut Records, settled: RecordsId, tick: u8) -> bool {
    if entry(records.tables(settled)).is_none() {
        return true;
    }
    let calls = [
        Call::Create,
        Call::Complete,
        Call::Burn,
        Call::Unlock,
        Call::Deliver(0),
        Call::Deliver(1),
    ];
    calls.into_iter().all(|call| {
        let once = records.run(settled, call, tick);
        let twice = records.run(once.0, call, tick);
        twice.0 == once.0 && twice.1 == once.1
    })
}
