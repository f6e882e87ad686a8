//! Records in memory, for tests and demonstrations: the reference that other stores are read against.
//! It never outlives its process.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use onetimeshare_protocol::id::{
    AccessVerifier, ClaimVerifier, LinkVerifier, OwnerVerifier, TransferId,
};
use onetimeshare_protocol::transfer::{ReceiptAnswer, State, StatsAnswer};

use super::step::{self, Accepted, Queued};
use super::{
    BodyPlace, Claimed, Created, NewTransfer, PartStart, PartWrite, Parts, RecordStore, StoreId,
    StoreResult,
};
use crate::blob::ObjectName;
use crate::transfer::{Moment, Outcome, Peek, Refusal, Tally, Transfer};

/// A transfer and its ciphertext; the latter is gone when the transfer is.
struct Entry {
    transfer: Transfer,
    manifest: Bytes,
    body: Option<Bytes>,
    parts: BTreeMap<u64, Accepted>,
}

#[derive(Default)]
struct Tables {
    entries: HashMap<TransferId, Entry>,
    deletions: BTreeMap<ObjectName, Queued>,
    stats: StatsAnswer,
}

/// Records in memory.
pub struct MemoryStore {
    store_id: StoreId,
    tables: Mutex<Tables>,
    has_room: AtomicBool,
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("MemoryStore")
    }
}

impl MemoryStore {
    /// An empty store with an id of its own. Fails when the system has no randomness.
    pub fn new() -> StoreResult<Self> {
        Ok(Self {
            store_id: StoreId::generate()?,
            tables: Mutex::default(),
            has_room: AtomicBool::new(true),
        })
    }

    /// Says whether there is room, in the place of a disk.
    pub fn set_room(&self, has_room: bool) {
        self.has_room.store(has_room, Ordering::SeqCst);
    }

    /// One atomic section. A step that panicked changed nothing half: each is complete before its first write.
    fn section(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

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
        Tally::between(Some(&before), &entry.transfer).add_to(&mut self.stats);
        if entry.transfer.is_gone() {
            self.erase(id, at);
        }
        outcome
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

    fn create(&mut self, new: NewTransfer, at: Moment) -> Outcome<Created> {
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
        let transfer = Transfer::create(new.creation, at.now);
        let created = Created::of(&transfer, true, at.now);
        Tally::between(None, &transfer).add_to(&mut self.stats);
        let entry = Entry {
            transfer,
            manifest: new.manifest,
            body: new.body,
            parts: BTreeMap::new(),
        };
        self.entries.insert(id, entry);
        Ok(created)
    }

    fn accepted(&self, object: &ObjectName) -> Option<Accepted> {
        let entry = self.entries.get(&object.id)?;
        entry.parts.get(&object.index).copied()
    }

    fn begin_part(
        &mut self,
        owner: &OwnerVerifier,
        part: &PartWrite,
        at: Moment,
    ) -> Outcome<PartStart> {
        let accepted = self.accepted(&part.object);
        let start = self.step(&part.object.id, at, |transfer| {
            step::begin_part(transfer, owner, part, accepted)
        })?;
        if matches!(start, PartStart::Write) {
            let queued = Queued::unwritten(at);
            self.deletions.insert(part.object.clone(), queued);
        }
        Ok(start)
    }

    fn accept_part(
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

    fn sweep(&mut self, limit: usize, at: Moment) -> usize {
        let due: Vec<TransferId> = self
            .entries
            .values()
            .filter(|entry| entry.transfer.due_at(at.periods) <= at.now)
            .map(|entry| entry.transfer.id.clone())
            .take(limit)
            .collect();
        for id in &due {
            // Unknown is what it answers of a tombstone whose time is over, and of nothing else that is due.
            if self.step(id, at, |_| Ok(())) == Err(Refusal::Unknown) {
                self.entries.remove(id);
            }
        }
        due.len()
    }

    fn take_deletions(&mut self, limit: usize, at: Moment) -> Vec<ObjectName> {
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

    fn confirm_deleted(&mut self, objects: &[ObjectName], now: u64) {
        for object in objects {
            if let Some(queued) = self.deletions.remove(object)
                && let Some(left) = queued.confirmed(now)
            {
                self.deletions.insert(object.clone(), left);
            }
        }
    }
}

const fn object_of(id: &TransferId, index: u64, part: Accepted) -> ObjectName {
    ObjectName {
        id: TransferId::from_bytes(*id.as_bytes()),
        index,
        random: part.random,
    }
}

#[async_trait]
impl RecordStore for MemoryStore {
    async fn create(&self, new: NewTransfer, at: Moment) -> StoreResult<Outcome<Created>> {
        Ok(self.section().create(new, at))
    }

    async fn begin_part(
        &self,
        owner: &OwnerVerifier,
        part: &PartWrite,
        at: Moment,
    ) -> StoreResult<Outcome<PartStart>> {
        Ok(self.section().begin_part(owner, part, at))
    }

    async fn accept_part(
        &self,
        owner: &OwnerVerifier,
        part: &PartWrite,
        at: Moment,
    ) -> StoreResult<Outcome<bool>> {
        Ok(self.section().accept_part(owner, part, at))
    }

    async fn parts(
        &self,
        id: &TransferId,
        owner: &OwnerVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<Parts>> {
        let mut tables = self.section();
        let counted = tables.step(id, at, |transfer| {
            step::list_parts(transfer, owner)?;
            Ok((transfer.part_len, transfer.part_count()))
        });
        Ok(counted.map(|(part_len, part_count)| Parts {
            part_len,
            part_count,
            accepted: tables
                .entries
                .get(id)
                .map(|entry| entry.parts.keys().copied().collect())
                .unwrap_or_default(),
        }))
    }

    async fn complete(
        &self,
        id: &TransferId,
        owner: &OwnerVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<(State, u64)>> {
        let mut tables = self.section();
        let missing = tables
            .entries
            .get(id)
            .map(|entry| step::missing(entry.transfer.part_count(), entry.parts.keys().copied()));
        Ok(tables.step(id, at, |transfer| {
            transfer.authorize_owner(owner)?;
            transfer.complete(missing.unwrap_or_default(), at)
        }))
    }

    async fn peek(
        &self,
        id: &TransferId,
        link: &LinkVerifier,
        access: Option<&AccessVerifier>,
        at: Moment,
    ) -> StoreResult<Outcome<(Peek, Option<Bytes>)>> {
        let mut tables = self.section();
        let peeked = tables.step(id, at, |transfer| transfer.peek(link, access, at));
        Ok(peeked.map(|peek| {
            let entry = tables.entries.get(id).filter(|_| peek.shows_manifest);
            (peek, entry.map(|entry| entry.manifest.clone()))
        }))
    }

    async fn claim(
        &self,
        id: &TransferId,
        (link, access): (&LinkVerifier, &AccessVerifier),
        claimant: &ClaimVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<Claimed>> {
        let mut tables = self.section();
        // The claim may be the transfer's end; what it gives is taken before that erases it.
        let sealed = tables
            .entries
            .get(id)
            .map(|entry| (entry.manifest.clone(), entry.body.clone()));
        let granted = tables.step(id, at, |transfer| {
            transfer.claim(link, access, claimant, at)
        });
        Ok(granted.and_then(|grant| {
            let (manifest, body) = sealed.ok_or(Refusal::Unknown)?;
            Ok(Claimed {
                grant,
                manifest,
                body,
            })
        }))
    }

    async fn fetch(
        &self,
        id: &TransferId,
        claimant: &ClaimVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<BodyPlace>> {
        let mut tables = self.section();
        let fetched = tables.step(id, at, |transfer| {
            let is_whole = transfer.fetch(claimant, at)?;
            Ok((transfer.body_len, transfer.part_len, is_whole))
        });
        Ok(fetched.map(|(body_len, part_len, is_whole)| BodyPlace {
            body_len,
            part_len,
            is_whole,
            inline: tables.entries.get(id).and_then(|entry| entry.body.clone()),
        }))
    }

    async fn end_fetch(
        &self,
        id: &TransferId,
        claimant: &ClaimVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<()>> {
        let end = |transfer: &mut Transfer| transfer.end_fetch(claimant, at);
        Ok(self.section().step(id, at, end))
    }

    async fn part_object(&self, id: &TransferId, index: u64) -> StoreResult<Option<ObjectName>> {
        let tables = self.section();
        let parts = tables.entries.get(id).map(|entry| &entry.parts);
        let part = parts.and_then(|parts| parts.get(&index));
        Ok(part.map(|part| object_of(id, index, *part)))
    }

    async fn renew(
        &self,
        id: &TransferId,
        claimant: &ClaimVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<u64>> {
        let renew = |transfer: &mut Transfer| transfer.renew(claimant, at);
        Ok(self.section().step(id, at, renew))
    }

    async fn deliver(
        &self,
        id: &TransferId,
        claimant: &ClaimVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<()>> {
        let deliver = |transfer: &mut Transfer| transfer.deliver(claimant, at);
        Ok(self.section().step(id, at, deliver))
    }

    async fn burn(
        &self,
        id: &TransferId,
        owner: &OwnerVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<()>> {
        Ok(self.section().step(id, at, |transfer| {
            transfer.authorize_owner(owner)?;
            transfer.burn(at.now);
            Ok(())
        }))
    }

    async fn unlock(
        &self,
        id: &TransferId,
        owner: &OwnerVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<()>> {
        Ok(self.section().step(id, at, |transfer| {
            transfer.authorize_owner(owner)?;
            transfer.unlock()
        }))
    }

    async fn receipt(
        &self,
        id: &TransferId,
        owner: &OwnerVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<ReceiptAnswer>> {
        Ok(self.section().step(id, at, |transfer| {
            transfer.authorize_owner(owner)?;
            Ok(transfer.receipt(at.now))
        }))
    }

    async fn stats(&self) -> StoreResult<StatsAnswer> {
        Ok(self.section().stats)
    }

    async fn sweep(&self, limit: usize, at: Moment) -> StoreResult<usize> {
        Ok(self.section().sweep(limit, at))
    }

    async fn take_deletions(&self, limit: usize, at: Moment) -> StoreResult<Vec<ObjectName>> {
        Ok(self.section().take_deletions(limit, at))
    }

    async fn confirm_deleted(&self, objects: &[ObjectName], at: Moment) -> StoreResult<()> {
        self.section().confirm_deleted(objects, at.now);
        Ok(())
    }

    async fn is_known(&self, id: &TransferId) -> StoreResult<bool> {
        Ok(self.section().entries.contains_key(id))
    }

    async fn store_id(&self) -> StoreResult<StoreId> {
        Ok(self.store_id.clone())
    }

    fn has_room(&self) -> bool {
        self.has_room.load(Ordering::SeqCst)
    }

    async fn has_no_parts(&self) -> StoreResult<bool> {
        let tables = self.section();
        let has_parts = tables.entries.values().any(|entry| !entry.parts.is_empty());
        Ok(!has_parts && tables.deletions.is_empty())
    }

    async fn probe(&self) -> StoreResult<()> {
        Ok(())
    }

    /// Memory that was freed is not ours to read; there are no files.
    async fn scrub(&self) -> StoreResult<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::record::conformance;

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn conforms() {
        conformance::run_all(Arc::new(MemoryStore::new().unwrap())).await;
    }
}
