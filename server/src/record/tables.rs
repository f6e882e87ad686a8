//! Records as plain values: every step of a record store as a function on them, with no lock, clock or file. It is what the
//! memory store keeps behind its lock, what other stores are read against, and what the model of a transfer's life explores.

use std::collections::BTreeMap;

use bytes::Bytes;
use onetimeshare_protocol::id::{
    AccessVerifier, ClaimVerifier, LinkVerifier, OwnerVerifier, TransferId,
};
use onetimeshare_protocol::transfer::{ReceiptAnswer, State};

use super::step::{self, Accepted, Queued};
use super::{BodyPlace, Claimed, Created, HeldBy, NewTransfer, PartStart, PartWrite, Parts};
use crate::blob::ObjectName;
use crate::transfer::{Held, Holder, Moment, Outcome, Peek, Refusal, Tally, Totals, Transfer};

/// A transfer and its ciphertext; the latter is gone when the transfer is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// The record.
    pub transfer: Transfer,
    /// The sealed manifest; empty once the transfer is gone.
    pub manifest: Bytes,
    /// The sealed body, when it was sent inline.
    pub body: Option<Bytes>,
    /// The accepted parts, by index.
    pub parts: BTreeMap<u64, Accepted>,
    /// How many more accepted parts and queued objects it has than these tables hold: none, unless they are a page of a store.
    pub beyond: u64,
}

/// All that a record store keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tables {
    /// Every transfer and tombstone.
    pub entries: BTreeMap<TransferId, Entry>,
    /// The deletion queue.
    pub deletions: BTreeMap<ObjectName, Queued>,
    /// The counters.
    pub totals: Totals,
}

/// Each is the step of [`super::RecordStore`] that has its name, which says what it promises.
impl Tables {
    fn step<T>(
        &mut self,
        id: &TransferId,
        at: Moment,
        run: impl FnOnce(&mut Transfer) -> Outcome<T>,
    ) -> Outcome<T> {
        let Some(entry) = self.entries.get_mut(id) else {
            return Err(Refusal::Unknown);
        };
        let before = entry.transfer.clone();
        let outcome = step::run(&mut entry.transfer, at, run);
        Tally::between(Some(&before), &entry.transfer).add_to(&mut self.totals);
        if entry.transfer.is_gone() {
            self.erase(id, at);
        }
        outcome
    }

    fn step_by_owner<T>(
        &mut self,
        id: &TransferId,
        owner: &OwnerVerifier,
        at: Moment,
        run: impl FnOnce(&mut Transfer) -> Outcome<T>,
    ) -> Outcome<T> {
        self.step(id, at, |transfer| {
            transfer.authorize_owner(owner)?;
            run(transfer)
        })
    }

    fn erase(&mut self, id: &TransferId, at: Moment) {
        let Some(entry) = self.entries.get_mut(id) else {
            return;
        };
        entry.manifest = Bytes::new();
        entry.body = None;
        for (index, part) in std::mem::take(&mut entry.parts) {
            let object = object_of(id, index, part);
            self.deletions.insert(object, Queued::doomed(at));
        }
        for (object, queued) in &mut self.deletions {
            // What is still being written for it is not waited for either.
            if object.id == *id && !queued.is_taken {
                queued.due_at = queued.due_at.min(at.now);
            }
        }
    }

    /// Stores a new transfer, or finds that it stands already.
    pub fn create(&mut self, new: NewTransfer, at: Moment) -> Outcome<Created> {
        let id = new.creation.id.clone();
        let standing = self.step(&id, at, |transfer| {
            if transfer.create_digest == new.creation.create_digest {
                Ok(Created::of(transfer, false, at.now))
            } else {
                Err(Refusal::Conflict)
            }
        });
        if standing != Err(Refusal::Unknown) {
            return standing;
        }
        if let Some(refusal) = new.refusal {
            return Err(refusal);
        }
        let transfer = Transfer::create(new.creation, at.now);
        let created = Created::of(&transfer, true, at.now);
        Tally::between(None, &transfer).add_to(&mut self.totals);
        let entry = Entry {
            transfer,
            manifest: new.manifest,
            body: new.body,
            parts: BTreeMap::new(),
            beyond: 0,
        };
        self.entries.insert(id, entry);
        Ok(created)
    }

    fn accepted(&self, object: &ObjectName) -> Option<Accepted> {
        let entry = self.entries.get(&object.id)?;
        entry.parts.get(&object.index).copied()
    }

    /// How many parts of a transfer are accepted and how many of its objects are queued, together.
    fn object_count(&self, id: &TransferId) -> u64 {
        let end = |index, random| ObjectName {
            id: id.clone(),
            index,
            random,
        };
        let queued = self.deletions.range(end(0, 0)..=end(u64::MAX, u64::MAX));
        let parts = self.entries.get(id).map_or(0, |entry| entry.parts.len());
        let beyond = self.entries.get(id).map_or(0, |entry| entry.beyond);
        let here = u64::try_from(queued.count().saturating_add(parts)).unwrap_or(u64::MAX);
        here.saturating_add(beyond)
    }

    /// Asks to write a part, and queues its object for deletion.
    pub fn begin_part(
        &mut self,
        owner: &OwnerVerifier,
        part: &PartWrite,
        at: Moment,
    ) -> Outcome<PartStart> {
        let accepted = self.accepted(&part.object);
        let object_count = self.object_count(&part.object.id);
        let start = self.step(&part.object.id, at, |transfer| {
            step::begin_part(transfer, owner, part, (accepted, object_count))
        })?;
        if matches!(start, PartStart::Write) {
            let queued = Queued::unwritten(at);
            self.deletions.insert(part.object.clone(), queued);
        }
        Ok(start)
    }

    /// Makes a written object the part and takes it from the deletion queue, or dooms it.
    pub fn accept_part(
        &mut self,
        owner: &OwnerVerifier,
        part: &PartWrite,
        at: Moment,
    ) -> Outcome<bool> {
        let accepted = self.accepted(&part.object);
        let queued = self.deletions.get(&part.object).copied();
        let outcome = self.step(&part.object.id, at, |transfer| {
            step::accept_part(transfer, owner, part, (accepted, queued), at)
        });
        if outcome == Ok(true) && accepted.is_none() {
            self.deletions.remove(&part.object);
            if let Some(entry) = self.entries.get_mut(&part.object.id) {
                entry.parts.insert(part.object.index, Accepted::of(part));
            }
        }
        if step::is_lost(&outcome, part, accepted) {
            let lost = self.deletions.entry(part.object.clone());
            let queued = lost.or_insert_with(|| Queued::doomed(at));
            queued.due_at = queued.due_at.min(at.now);
        }
        outcome
    }

    /// Lists the accepted parts.
    pub fn parts(&mut self, id: &TransferId, owner: &OwnerVerifier, at: Moment) -> Outcome<Parts> {
        let (part_len, part_count) = self.step(id, at, |transfer| {
            step::list_parts(transfer, owner)?;
            Ok((transfer.part_len, transfer.part_count()))
        })?;
        let entry = self.entries.get(id);
        let accepted = entry.map(|entry| entry.parts.keys().copied().collect());
        Ok(Parts {
            part_len,
            part_count,
            accepted: accepted.unwrap_or_default(),
        })
    }

    /// Makes a complete upload ready. State and expiry.
    pub fn complete(
        &mut self,
        id: &TransferId,
        owner: &OwnerVerifier,
        at: Moment,
    ) -> Outcome<(State, u64)> {
        let missing = self.entries.get(id).map(|entry| {
            let accepted = entry.parts.keys().copied();
            step::missing(entry.transfer.part_count(), accepted)
        });
        self.step_by_owner(id, owner, at, |transfer| {
            transfer.complete(missing.unwrap_or_default(), at)
        })
    }

    /// Looks without taking; the manifest when the peek shows it.
    pub fn peek(
        &mut self,
        id: &TransferId,
        link: &LinkVerifier,
        access: Option<&AccessVerifier>,
        at: Moment,
    ) -> Outcome<(Peek, Option<Bytes>)> {
        let peek = self.step(id, at, |transfer| transfer.peek(link, access, at))?;
        let entry = self.entries.get(id).filter(|_| peek.shows_manifest);
        Ok((peek, entry.map(|entry| entry.manifest.clone())))
    }

    /// Grants a claim, or repeats the answer to the one this claimant has.
    pub fn claim(
        &mut self,
        id: &TransferId,
        (link, access): (&LinkVerifier, &AccessVerifier),
        claimant: &ClaimVerifier,
        at: Moment,
    ) -> Outcome<Claimed> {
        // The claim may be the transfer's end; what it gives is taken before that erases it.
        let sealed = self.entries.get(id);
        let sealed = sealed.map(|entry| (entry.manifest.clone(), entry.body.clone()));
        let grant = self.step(id, at, |transfer| {
            transfer.claim(link, access, claimant, at)
        })?;
        let (manifest, body) = sealed.ok_or(Refusal::Unknown)?;
        Ok(Claimed {
            grant,
            manifest,
            body,
        })
    }

    /// Where a claimant with a live lease finds the body.
    pub fn fetch(
        &mut self,
        id: &TransferId,
        claimant: &ClaimVerifier,
        at: Moment,
    ) -> Outcome<BodyPlace> {
        let (body_len, part_len, is_whole) = self.step(id, at, |transfer| {
            let is_whole = transfer.fetch(claimant, at)?;
            Ok((transfer.body_len, transfer.part_len, is_whole))
        })?;
        Ok(BodyPlace {
            body_len,
            part_len,
            is_whole,
            inline: self.entries.get(id).and_then(|entry| entry.body.clone()),
        })
    }

    /// Says that the only fetch a claimant was allowed is over.
    pub fn end_fetch(
        &mut self,
        id: &TransferId,
        claimant: &ClaimVerifier,
        at: Moment,
    ) -> Outcome<()> {
        self.step(id, at, |transfer| transfer.end_fetch(claimant, at))
    }

    /// The object that holds a part.
    pub fn part_object(&self, id: &TransferId, index: u64) -> Option<ObjectName> {
        let part = self.entries.get(id)?.parts.get(&index)?;
        Some(object_of(id, index, *part))
    }

    /// Renews a claimant's lease. When it ends now, in Unix seconds.
    pub fn renew(&mut self, id: &TransferId, claimant: &ClaimVerifier, at: Moment) -> Outcome<u64> {
        self.step(id, at, |transfer| transfer.renew(claimant, at))
    }

    /// Ends a claimant's lease as delivered.
    pub fn deliver(
        &mut self,
        id: &TransferId,
        claimant: &ClaimVerifier,
        at: Moment,
    ) -> Outcome<()> {
        self.step(id, at, |transfer| transfer.deliver(claimant, at))
    }

    /// Destroys a transfer.
    pub fn burn(&mut self, id: &TransferId, owner: &OwnerVerifier, at: Moment) -> Outcome<()> {
        self.step_by_owner(id, owner, at, |transfer| {
            transfer.burn(at.now);
            Ok(())
        })
    }

    /// Restores the attempts.
    pub fn unlock(&mut self, id: &TransferId, owner: &OwnerVerifier, at: Moment) -> Outcome<()> {
        self.step_by_owner(id, owner, at, Transfer::unlock)
    }

    /// What has become of a transfer.
    pub fn receipt(
        &mut self,
        id: &TransferId,
        owner: &OwnerVerifier,
        at: Moment,
    ) -> Outcome<ReceiptAnswer> {
        self.step_by_owner(id, owner, at, |transfer| Ok(transfer.receipt(at.now)))
    }

    /// What a holder's living transfers take up, and what those of all of its site do.
    pub fn held_by(&self, holder: &Holder) -> HeldBy {
        let mut held = HeldBy::default();
        for transfer in self.entries.values().map(|entry| &entry.transfer) {
            let Some(other) = transfer.holder else {
                continue;
            };
            let counts = [
                (&mut held.client, other == *holder),
                (&mut held.site, other.site() == holder.site()),
            ];
            for (held, _) in counts.into_iter().filter(|(_, is_theirs)| *is_theirs) {
                *held = held.and(Held::of(transfer));
            }
        }
        held
    }

    /// Settles up to `limit` transfers whose time has come and forgets tombstones. How many it touched.
    pub fn sweep(&mut self, limit: usize, at: Moment) -> usize {
        let due: Vec<TransferId> = self
            .entries
            .values()
            .filter(|entry| entry.transfer.due_at(at.periods) <= at.now)
            .map(|entry| entry.transfer.id.clone())
            .take(limit)
            .collect();
        for id in &due {
            self.settle(id, at);
        }
        due.len()
    }

    /// Settles one transfer, or forgets its tombstone.
    pub fn settle(&mut self, id: &TransferId, at: Moment) {
        // Unknown is what it answers of a tombstone whose time is over, and of nothing else that is there.
        if self.step(id, at, |_| Ok(())) == Err(Refusal::Unknown) {
            self.entries.remove(id);
        }
    }

    /// Takes up to `limit` objects from the deletion queue whose time has come.
    pub fn take_deletions(&mut self, limit: usize, at: Moment) -> Vec<ObjectName> {
        let due = self
            .deletions
            .iter_mut()
            .filter(|(_, q)| q.due_at <= at.now);
        due.take(limit)
            .map(|(object, queued)| {
                *queued = queued.taken(at);
                object.clone()
            })
            .collect()
    }

    /// Says that these objects, taken `at`, are deleted.
    pub fn confirm_deleted(&mut self, objects: &[ObjectName], at: Moment) {
        for object in objects {
            if let Some(queued) = self.deletions.remove(object)
                && let Some(left) = queued.confirmed(at.now)
            {
                self.deletions.insert(object.clone(), left);
            }
        }
    }

    /// Whether no object is recorded, neither as a part nor for deletion.
    pub fn has_no_parts(&self) -> bool {
        let has_parts = self.entries.values().any(|entry| !entry.parts.is_empty());
        !has_parts && self.deletions.is_empty()
    }
}

const fn object_of(id: &TransferId, index: u64, part: Accepted) -> ObjectName {
    ObjectName {
        id: TransferId::from_bytes(*id.as_bytes()),
        index,
        random: part.random,
    }
}
