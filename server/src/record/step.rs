//! What every record store decides alike beside the life of a transfer: who may touch parts, and when an object is deleted.
//! It is pure: a store loads, calls these inside its atomic section, and keeps what they changed.

use onetimeshare_protocol::id::OwnerVerifier;

use super::{PartStart, PartWrite, StoreError, StoreId, StoreResult};
use crate::transfer::{MISSING_MAX, Moment, Outcome, Phase, Refusal, Transfer};

impl StoreId {
    /// Draws an id for a new store.
    pub(crate) fn generate() -> StoreResult<Self> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)
            .map_err(|error| StoreError::Unreachable(format!("no randomness: {error}")))?;
        Ok(Self(bytes))
    }

    /// Reads the 32 digits of hex that its `Debug` writes.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let value = u128::from_str_radix(text, 16).ok()?;
        let id = Self(value.to_be_bytes());
        (format!("{id:?}") == text).then_some(id)
    }
}

/// Runs `step` on a transfer as every store must: time's own work comes first, and a tombstone whose time is over is not
/// there. What it changed must be kept whatever the outcome.
pub(crate) fn run<T>(
    transfer: &mut Transfer,
    at: Moment,
    step: impl FnOnce(&mut Transfer) -> Outcome<T>,
) -> Outcome<T> {
    transfer.settle(at);
    if transfer.is_forgotten(at) {
        return Err(Refusal::Unknown);
    }
    step(transfer)
}

/// An accepted part, as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Accepted {
    /// SHA-256 of the part.
    pub digest: [u8; 32],
    /// Which of the part's objects it lies in.
    pub random: u64,
}

impl Accepted {
    /// The part that `part` is about to become.
    pub(crate) const fn of(part: &PartWrite) -> Self {
        Self {
            digest: part.digest,
            random: part.object.random,
        }
    }
}

/// How many tries of parts a transfer may have in the queue beyond one for each missing part, so that its owner cannot fill the
/// store. A failed one stays there for two part deadlines, 20 minutes by default: enough for four writers on a bad line that each
/// begin anew every 40 seconds, and 1 GiB of what is no part yet where parts have 8 MiB.
pub const TRIES_MAX: u64 = 128;

/// Whether a part has to be written. The store queues the object when it has. `object_count` is how many parts of the transfer
/// are accepted and how many of its objects are queued, together.
pub(crate) fn begin_part(
    transfer: &Transfer,
    owner: &OwnerVerifier,
    part: &PartWrite,
    (accepted, object_count): (Option<Accepted>, u64),
) -> Outcome<PartStart> {
    transfer.authorize_owner(owner)?;
    let len = transfer.expect_part(part.object.index)?;
    match accepted {
        Some(accepted) if accepted.digest == part.digest => Ok(PartStart::Accepted),
        Some(_) => Err(Refusal::PartConflict),
        None if part.len != len => Err(Refusal::PartLength { expected: len }),
        None if object_count >= transfer.part_count().saturating_add(TRIES_MAX) => {
            Err(Refusal::PartCrowded)
        }
        None => Ok(PartStart::Write),
    }
}

/// Whether a written object is the part: the one it becomes now, or the one it became before.
pub(crate) fn accept_part(
    transfer: &mut Transfer,
    owner: &OwnerVerifier,
    part: &PartWrite,
    (accepted, queued): (Option<Accepted>, Option<Queued>),
    at: Moment,
) -> Outcome<bool> {
    transfer.authorize_owner(owner)?;
    transfer.expect_part(part.object.index)?;
    match accepted {
        Some(accepted) if accepted.digest == part.digest => {
            Ok(accepted.random == part.object.random)
        }
        Some(_) => Err(Refusal::PartConflict),
        None if queued.is_none_or(|queued| queued.is_taken) => Err(Refusal::PartLate),
        None => {
            transfer.active_at = at.now;
            Ok(true)
        }
    }
}

/// Whether an object that was brought to [`accept_part`] has to go, and at once: it lost, and is not the part already.
pub(crate) fn is_lost(
    outcome: &Outcome<bool>,
    part: &PartWrite,
    accepted: Option<Accepted>,
) -> bool {
    let is_part = accepted.is_some_and(|accepted| accepted.random == part.object.random);
    !is_part && !matches!(outcome, Ok(true) | Err(Refusal::Unknown))
}

/// Whether the owner may list the parts.
pub(crate) fn list_parts(transfer: &Transfer, owner: &OwnerVerifier) -> Outcome<()> {
    transfer.authorize_owner(owner)?;
    match transfer.phase {
        Phase::Gone { cause, at } => Err(Refusal::Gone {
            cause,
            at,
            claimed_at: transfer.claimed_at(),
        }),
        Phase::Uploading | Phase::Ready => Ok(()),
    }
}

/// The first indices below `part_count` that are not among `accepted`, which ascends.
pub(crate) fn missing(part_count: u64, accepted: impl IntoIterator<Item = u64>) -> Vec<u64> {
    let mut accepted = accepted.into_iter().peekable();
    (0..part_count)
        .filter(|index| accepted.next_if_eq(index).is_none())
        .take(MISSING_MAX)
        .collect()
}

/// An object that was offered for deletion is offered again after so many seconds, unless that was confirmed: what a failed
/// deletion, or a process that died over it, leaves behind is gone within a minute all the same.
pub(crate) const RETRY_S: u64 = 15;

/// An object that waits for its deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Queued {
    /// When it is offered for deletion next, in Unix seconds.
    pub due_at: u64,
    /// From when on a deletion is the last: no write can still be under way.
    pub final_at: u64,
    /// Whether it was offered, so that it can never become a part.
    pub is_taken: bool,
}

impl Queued {
    /// An object that is about to be written. Its writer's deadline begins a little after this step, so a deletion at the
    /// deadline is not yet the last.
    pub(crate) const fn unwritten(at: Moment) -> Self {
        let deadline_s = at.periods.part_deadline_s;
        let due_at = at.now.saturating_add(deadline_s);
        Self {
            due_at,
            final_at: due_at.saturating_add(deadline_s),
            is_taken: false,
        }
    }

    /// An object that nothing names any more.
    pub(crate) const fn doomed(at: Moment) -> Self {
        Self {
            due_at: at.now,
            final_at: at.now.saturating_add(at.periods.part_deadline_s),
            is_taken: false,
        }
    }

    /// Offers it for deletion, and soon again unless that is confirmed.
    #[must_use]
    pub(crate) const fn taken(self, at: Moment) -> Self {
        Self {
            due_at: at.now.saturating_add(RETRY_S),
            final_at: self.final_at,
            is_taken: true,
        }
    }

    /// What is left to do after a deletion that worked: nothing, or one more for a late write.
    #[must_use]
    pub(crate) fn confirmed(self, now: u64) -> Option<Self> {
        (now < self.final_at).then_some(Self {
            due_at: self.final_at,
            is_taken: true,
            ..self
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_id_is_read_as_it_is_written() {
        let id = StoreId::generate().unwrap();
        assert_eq!(StoreId::parse(&format!("{id:?}")), Some(id));
        for text in ["", "0", &"g".repeat(32), &"A".repeat(32), &"0".repeat(33)] {
            assert_eq!(StoreId::parse(text), None);
        }
    }

    #[test]
    fn missing_parts_are_named_up_to_the_limit() {
        let check = |part_count, accepted: &[u64], expected: &[u64]| {
            assert_eq!(missing(part_count, accepted.iter().copied()), expected);
        };
        check(0, &[], &[]);
        check(1, &[], &[0]);
        check(3, &[0, 1, 2], &[]);
        check(3, &[1], &[0, 2]);
        check(3, &[0, 1], &[2]);
        assert_eq!(missing(101, []).len(), MISSING_MAX);
        assert_eq!(missing(101, 0..100), [100]);
    }
}
