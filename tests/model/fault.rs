//! Bugs to plant around the server's code, one for each promise at least: a search that finds none of them would find none
//! of ours either. The server's code itself is never touched.

use onetimeshare_server::record::tables::{Entry, Tables};
use onetimeshare_server::record::{Accepted, Queued};
use onetimeshare_server::transfer::{Fetches, LeaseEnd, Moment, Phase, Refusal, Transfer};

use crate::call::{Answer, Call};
use crate::object::Object;
use crate::scenario::{Scenario, claimant, id, part};

/// A planted bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A claim reads the record, and stores what it made of it in a second step.
    ClaimsInTwoSteps,
    /// A claim does not ask whether the transfer is complete.
    ClaimsBeforeComplete,
    /// A part is named when its writing begins.
    NamesPartsUnwritten,
    /// A reader is given the latest object of a part, whichever was accepted.
    ServesTheLatest,
    /// A step is answered before it is durable.
    AnswersBeforeDurable,
    /// A sweeper deletes every object that no record names.
    DeletesWhatNobodyNames,
    /// An object that was taken for deletion can still become a part.
    AcceptsWhatWasTaken,
    /// Every try to write a part writes the same object.
    SharesObjects,
    /// A claimant's token is not recognised.
    ForgetsTokens,
    /// The transfer's expiry ends the leases too.
    ExpiryEndsLeases,
    /// A body that is given once can be fetched again.
    FetchesAgain,
    /// A burnt transfer's leases live on.
    BurnLeavesLeases,
    /// What is gone is erased by the next step, not by the one that ends it.
    ErasesLater,
    /// A sweeper confirms before it deletes.
    ConfirmsBeforeDelete,
    /// A sweeper confirms with the time of the confirmation, not with that of the taking.
    ConfirmsWithLaterTime,
    /// An object is not queued before it is written.
    WritesUnqueued,
    /// Tries of parts that came to nothing are not counted.
    CountsNoTries,
    /// A deletion that worked is the last, also when a write may be under way.
    DeletesOnce,
    /// The queue of a transfer goes with its tombstone.
    TombstoneTakesQueue,
    /// A wrong link proof costs an attempt.
    CountsWrongLinks,
    /// A wrong access proof costs a claim.
    GuessCostsClaim,
    /// The lock ends live leases.
    LockEndsLeases,
    /// Complete is refused when it is said again.
    RefusesRepeats,
    /// A burn of what is gone becomes its cause.
    BurnsTheGone,
    /// A late delivered makes a delivery of a lapse.
    DeliversTheLapsed,
    /// A repeated claim is counted.
    CountsRepeats,
}

/// Runs `call`, with the bug around it if it is one of a step.
pub(crate) fn run(
    fault: Option<Fault>,
    scenario: &Scenario,
    tables: &mut Tables,
    call: Call,
    at: Moment,
) -> Answer {
    let Some(fault) = fault else {
        return call.run(scenario, tables, at);
    };
    let before = tables.clone();
    spoil_before(fault, tables, call, at);
    let answer = match (fault, call) {
        (Fault::ForgetsTokens, Call::Claim(number)) if has_lease(tables, number) => {
            call.run_for(&claimant(number + 50), tables, at)
        }
        (Fault::RefusesRepeats, Call::Complete) if is_ready(tables) => {
            Answer::Refused(Refusal::NotUploading)
        }
        (Fault::ServesTheLatest, Call::Find(index)) => {
            let latest = tables.deletions.keys().map(Object::of);
            let latest = latest.filter(|object| object.part() == index).max();
            latest.map_or_else(
                || call.run(scenario, tables, at),
                |object| Answer::Found(Some(object)),
            )
        }
        _ => call.run(scenario, tables, at),
    };
    spoil_after(fault, (&before, tables), call, at);
    answer
}

fn entry(tables: &mut Tables) -> Option<&mut Entry> {
    tables.entries.get_mut(&id())
}

fn transfer(tables: &mut Tables) -> Option<&mut Transfer> {
    entry(tables).map(|entry| &mut entry.transfer)
}

fn has_lease(tables: &Tables, number: u8) -> bool {
    let leases = tables
        .entries
        .values()
        .flat_map(|entry| &entry.transfer.leases);
    let mut of_claimant = leases.filter(|lease| lease.claim_verifier == claimant(number));
    of_claimant.next().is_some()
}

fn is_ready(tables: &Tables) -> bool {
    let mut entries = tables.entries.values();
    entries.any(|entry| entry.transfer.phase == Phase::Ready)
}

fn end_leases(transfer: &mut Transfer, now: u64) {
    for lease in &mut transfer.leases {
        lease.end.get_or_insert((LeaseEnd::Lapsed, now));
    }
}

/// What the bug makes of the records before the step is run.
fn spoil_before(fault: Fault, tables: &mut Tables, call: Call, at: Moment) {
    match (fault, call) {
        (Fault::ClaimsBeforeComplete, Call::Claim(_)) => {
            if let Some(transfer) = transfer(tables)
                && transfer.phase == Phase::Uploading
            {
                transfer.start(at.now);
            }
        }
        (Fault::CountsNoTries, Call::Begin(_)) => {
            if let Some(entry) = entry(tables) {
                entry.beyond = 0;
            }
        }
        (Fault::AcceptsWhatWasTaken, Call::Accept(_)) => {
            for queued in tables.deletions.values_mut() {
                queued.is_taken = false;
            }
        }
        (Fault::WritesUnqueued, Call::Accept(object)) => {
            let queued = Queued {
                due_at: at.now,
                final_at: at.now,
                is_taken: false,
            };
            tables.deletions.insert(part(object).object, queued);
        }
        (Fault::FetchesAgain, Call::Fetch(_)) => {
            for lease in transfer(tables).into_iter().flat_map(|it| &mut it.leases) {
                lease.fetches = Fetches::Once;
            }
        }
        (Fault::ExpiryEndsLeases, _) => {
            if let Some(transfer) = transfer(tables)
                && transfer
                    .expires_at
                    .is_some_and(|expires_at| expires_at <= at.now)
            {
                end_leases(transfer, at.now);
            }
        }
        (Fault::DeletesOnce, Call::Confirm(..)) => {
            for queued in tables.deletions.values_mut() {
                queued.final_at = 0;
            }
        }
        _ => {}
    }
}

/// What the bug makes of the records after the step was run.
fn spoil_after(fault: Fault, (before, tables): (&Tables, &mut Tables), call: Call, at: Moment) {
    let was = before.entries.get(&id()).cloned();
    match (fault, call) {
        (Fault::NamesPartsUnwritten, Call::Begin(object)) => {
            let named = part(object);
            if tables.deletions.remove(&named.object).is_some()
                && let Some(entry) = entry(tables)
            {
                let accepted = Accepted {
                    digest: named.digest,
                    random: named.object.random,
                };
                entry.parts.insert(named.object.index, accepted);
            }
        }
        (Fault::WritesUnqueued, Call::Begin(object)) => {
            tables.deletions.remove(&part(object).object);
        }
        (Fault::TombstoneTakesQueue, Call::Sweep) if tables.entries.is_empty() => {
            tables.deletions.clear();
        }
        (Fault::ErasesLater, _) => {
            if let (Some(was), Some(entry)) = (was, entry(tables))
                && entry.transfer.is_gone()
                && !was.transfer.is_gone()
            {
                let transfer = entry.transfer.clone();
                *entry = Entry { transfer, ..was };
                tables.deletions.clone_from(&before.deletions);
            }
        }
        _ => {
            if let (Some(was), Some(transfer)) = (was, transfer(tables)) {
                spoil_transfer(fault, (&was.transfer, transfer), call, at);
            }
            if fault == Fault::CountsRepeats
                && let Call::Claim(number) = call
                && has_lease(before, number)
            {
                tables.totals.stats.claimed += 1;
            }
        }
    }
}

/// [`spoil_after`] of a transfer that was there before.
fn spoil_transfer(
    fault: Fault,
    (before, transfer): (&Transfer, &mut Transfer),
    call: Call,
    at: Moment,
) {
    match (fault, call) {
        (Fault::BurnLeavesLeases, Call::Burn) => {
            for lease in &mut transfer.leases {
                lease.end = lease.end.filter(|(end, _)| *end != LeaseEnd::Burnt);
            }
        }
        (Fault::CountsWrongLinks, Call::Wrong) => {
            transfer.attempts_left = transfer.attempts_left.saturating_sub(1);
        }
        (Fault::GuessCostsClaim, Call::Guess(_)) => {
            transfer.claims_left = transfer.claims_left.saturating_sub(1);
        }
        (Fault::LockEndsLeases, Call::Guess(_)) if transfer.attempts_left == 0 => {
            end_leases(transfer, at.now);
        }
        (Fault::BurnsTheGone, Call::Burn) if before.is_gone() => {
            transfer.phase = Phase::Gone {
                cause: LeaseEnd::Burnt.cause(),
                at: at.now,
            };
        }
        (Fault::DeliversTheLapsed, Call::Deliver(number)) => {
            let lapsed = transfer.leases.iter_mut().find(|lease| {
                lease.claim_verifier == claimant(number)
                    && matches!(lease.end, Some((LeaseEnd::Lapsed, _)))
            });
            if let Some(lease) = lapsed {
                lease.end = Some((LeaseEnd::Delivered, at.now));
            }
        }
        _ => {}
    }
}
