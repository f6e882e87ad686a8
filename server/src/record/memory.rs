//! Records in memory, for tests and demonstrations. It decides nothing: the steps are those of [`Tables`], each behind one
//! lock. It never outlives its process.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use onetimeshare_protocol::id::{
    AccessVerifier, ClaimVerifier, LinkVerifier, OwnerVerifier, TransferId,
};
use onetimeshare_protocol::transfer::{ReceiptAnswer, State};

use super::tables::Tables;
use super::{
    Adoption, BodyPlace, Claimed, Created, HeldBy, NewTransfer, PartStart, PartWrite, Parts,
    RecordStore, StoreError, StoreId, StoreResult, Taken, require_room,
};
use crate::blob::ObjectName;
use crate::transfer::{Holder, Moment, Outcome, Peek, Totals};

/// Records in memory.
pub struct MemoryStore {
    store_id: StoreId,
    tables: Mutex<Tables>,
    has_room: AtomicBool,
    answers: AtomicBool,
    counts: AtomicBool,
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
            answers: AtomicBool::new(true),
            counts: AtomicBool::new(true),
        })
    }

    /// Says whether there is room, in the place of a disk.
    pub fn set_room(&self, has_room: bool) {
        self.has_room.store(has_room, Ordering::SeqCst);
    }

    /// Says whether it ever tells its counters, in the place of a server that hangs.
    pub fn set_counts(&self, counts: bool) {
        self.counts.store(counts, Ordering::SeqCst);
    }

    /// Says whether it answers, in the place of a server of its own.
    pub fn set_answers(&self, answers: bool) {
        self.answers.store(answers, Ordering::SeqCst);
    }

    /// One atomic section. A step that panicked changed nothing half: each is complete before its first write.
    fn section(&self) -> StoreResult<MutexGuard<'_, Tables>> {
        if self.answers.load(Ordering::SeqCst) {
            Ok(self.tables.lock().unwrap_or_else(PoisonError::into_inner))
        } else {
            Err(StoreError::Unreachable("it was told so".to_owned()))
        }
    }
}

#[async_trait]
impl RecordStore for MemoryStore {
    async fn create(&self, new: NewTransfer, at: Moment) -> StoreResult<Outcome<Created>> {
        let mut tables = self.section()?;
        if !tables.entries.contains_key(&new.creation.id) {
            require_room(self.has_room())?;
        }
        Ok(tables.create(new, at))
    }

    async fn begin_part(
        &self,
        owner: &OwnerVerifier,
        part: &PartWrite,
        at: Moment,
    ) -> StoreResult<Outcome<PartStart>> {
        let mut tables = self.section()?;
        let begun = tables.begin_part(owner, part, at);
        if matches!(begun, Ok(PartStart::Write)) && !self.has_room() {
            tables.deletions.remove(&part.object);
            require_room(false)?;
        }
        Ok(begun)
    }

    async fn accept_part(
        &self,
        owner: &OwnerVerifier,
        part: &PartWrite,
        at: Moment,
    ) -> StoreResult<Outcome<bool>> {
        Ok(self.section()?.accept_part(owner, part, at))
    }

    async fn parts(
        &self,
        id: &TransferId,
        owner: &OwnerVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<Parts>> {
        Ok(self.section()?.parts(id, owner, at))
    }

    async fn complete(
        &self,
        id: &TransferId,
        owner: &OwnerVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<(State, u64)>> {
        Ok(self.section()?.complete(id, owner, at))
    }

    async fn peek(
        &self,
        id: &TransferId,
        link: &LinkVerifier,
        access: Option<&AccessVerifier>,
        at: Moment,
    ) -> StoreResult<Outcome<(Peek, Option<Bytes>)>> {
        Ok(self.section()?.peek(id, link, access, at))
    }

    async fn claim(
        &self,
        id: &TransferId,
        proofs: (&LinkVerifier, &AccessVerifier),
        claimant: &ClaimVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<Claimed>> {
        Ok(self.section()?.claim(id, proofs, claimant, at))
    }

    async fn fetch(
        &self,
        id: &TransferId,
        claimant: &ClaimVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<BodyPlace>> {
        Ok(self.section()?.fetch(id, claimant, at))
    }

    async fn end_fetch(
        &self,
        id: &TransferId,
        claimant: &ClaimVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<()>> {
        Ok(self.section()?.end_fetch(id, claimant, at))
    }

    async fn part_object(&self, id: &TransferId, index: u64) -> StoreResult<Option<ObjectName>> {
        Ok(self.section()?.part_object(id, index))
    }

    async fn renew(
        &self,
        id: &TransferId,
        claimant: &ClaimVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<u64>> {
        Ok(self.section()?.renew(id, claimant, at))
    }

    async fn deliver(
        &self,
        id: &TransferId,
        claimant: &ClaimVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<()>> {
        Ok(self.section()?.deliver(id, claimant, at))
    }

    async fn burn(
        &self,
        id: &TransferId,
        owner: &OwnerVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<()>> {
        Ok(self.section()?.burn(id, owner, at))
    }

    async fn unlock(
        &self,
        id: &TransferId,
        owner: &OwnerVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<()>> {
        Ok(self.section()?.unlock(id, owner, at))
    }

    async fn receipt(
        &self,
        id: &TransferId,
        owner: &OwnerVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<ReceiptAnswer>> {
        Ok(self.section()?.receipt(id, owner, at))
    }

    async fn totals(&self) -> StoreResult<Totals> {
        if !self.counts.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        Ok(self.section()?.totals)
    }

    async fn held_by(&self, holder: &Holder) -> StoreResult<HeldBy> {
        Ok(self.section()?.held_by(holder))
    }

    async fn sweep(&self, limit: usize, at: Moment) -> StoreResult<usize> {
        Ok(self.section()?.sweep(limit, at))
    }

    async fn take_deletions(&self, limit: usize, at: Moment) -> StoreResult<Taken> {
        let objects = self.section()?.take_deletions(limit, at);
        Ok(Taken { objects, at })
    }

    async fn confirm_deleted(&self, objects: &[ObjectName], at: Moment) -> StoreResult<()> {
        self.section()?.confirm_deleted(objects, at);
        Ok(())
    }

    async fn is_known(&self, id: &TransferId) -> StoreResult<bool> {
        Ok(self.section()?.entries.contains_key(id))
    }

    async fn store_id(&self) -> StoreResult<StoreId> {
        Ok(self.store_id.clone())
    }

    fn has_room(&self) -> bool {
        self.has_room.load(Ordering::SeqCst)
    }

    /// Nothing of it is ever restored.
    async fn mark(&self) -> StoreResult<Option<u64>> {
        Ok(None)
    }

    fn expect_mark(&self, _mark: u64) {}

    async fn advance_mark(&self) -> StoreResult<Option<u64>> {
        Ok(None)
    }

    async fn has_no_parts(&self) -> StoreResult<bool> {
        Ok(self.section()?.has_no_parts())
    }

    async fn begin_adoption(&self) -> StoreResult<Adoption> {
        Ok(Adoption::Open)
    }

    async fn end_adoption(&self) -> StoreResult<()> {
        Ok(())
    }

    async fn probe(&self) -> StoreResult<()> {
        self.section().map(|_| ())
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
