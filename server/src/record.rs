//! The record store: what is known of each transfer, and the atomic steps of its life.
//!
//! A store holds no policy. It runs one step of [`crate::transfer`] in one atomic section of its own, durable before the
//! answer, and keeps three promises with it:
//! - when a step makes a transfer gone, its manifest, inline body and list of parts are erased in the same section, and the
//!   parts' objects are queued for deletion there;
//! - an expected refusal is a value; `Err` means that the store could not be asked or could not remember, never that a
//!   transfer is gone, and after it nothing was consumed that a repeat of the call would not find;
//! - a wrong proof is refused on the verifiers alone, in the same time as an unknown id.
//!
//! `conformance` is what every store must do, races included.

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod memory;
pub mod sqlite;
mod step;
pub mod tables;

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use onetimeshare_protocol::id::{
    AccessVerifier, ClaimVerifier, LinkVerifier, OwnerVerifier, TransferId,
};
use onetimeshare_protocol::transfer::{ReceiptAnswer, State};

pub(crate) use self::step::RETRY_S;
pub use self::step::{Accepted, Queued, TRIES_MAX};
use crate::blob::ObjectName;
use crate::transfer::{
    Creation, Grant, Held, Holder, Moment, Outcome, Peek, Refusal, Totals, Transfer,
};

/// A random value that a record store and a blob store share, so that neither is ever used with a stranger.
#[derive(Clone, PartialEq, Eq)]
pub struct StoreId(pub [u8; 16]);

impl fmt::Debug for StoreId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

/// The store could not be asked, or could not keep what it was told.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// It does not answer, or answers with an error of its own.
    #[error("store unreachable: {0}")]
    Unreachable(String),
    /// It answers, and cannot be used as it is.
    #[error("{0}")]
    Unfit(String),
    /// The bytes to be stored did not all arrive.
    #[error("the bytes to be stored did not all arrive")]
    Interrupted,
    /// It has no room.
    #[error("store full: {0}")]
    Full(String),
    /// It holds something that no version of this program can have written.
    #[error("store corrupt: {0}")]
    Corrupt(String),
}

/// Refuses what is new while the room that is left is needed for what is there. Repeats of what was done are answered before.
pub(crate) fn require_room(has_room: bool) -> StoreResult<()> {
    if has_room {
        Ok(())
    } else {
        Err(StoreError::Full(
            "new things wait until there is room".to_owned(),
        ))
    }
}

/// By so many seconds a store's mark may be behind what it was: a fail-over loses the last moments where nobody waits for
/// replicas, and is no old copy.
pub(crate) const BEHIND_MAX_S: u64 = 60;

/// What every step of a store comes to.
pub type StoreResult<T> = Result<T, StoreError>;

/// A create request as it is stored.
#[derive(Clone, Debug)]
pub struct NewTransfer {
    /// The record.
    pub creation: Creation,
    /// The sealed manifest.
    pub manifest: Bytes,
    /// The sealed body, when it came with the request.
    pub body: Option<Bytes>,
    /// Why a new one is not taken, when there is no room for it in what may be held. A repeat of what stands is answered all the
    /// same.
    pub refusal: Option<Refusal>,
}

/// What a create request came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Created {
    /// False for a repeat of the same request.
    pub is_new: bool,
    /// Where the transfer stands now.
    pub state: State,
    /// When it expires; none until it is ready.
    pub expires_at: Option<u64>,
    /// Length of every part but the last, in bytes, as fixed by the first request.
    pub part_len: u64,
}

impl Created {
    /// The answer for `transfer` at `now`.
    pub fn of(transfer: &Transfer, is_new: bool, now: u64) -> Self {
        let Transfer {
            part_len,
            expires_at,
            ..
        } = *transfer;
        Self {
            is_new,
            state: transfer.state(now),
            expires_at,
            part_len,
        }
    }
}

/// One part that an owner wants to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartWrite {
    /// The object it will lie in: names the transfer and the index, and is used only once.
    pub object: ObjectName,
    /// How many bytes it will have.
    pub len: u64,
    /// SHA-256 of the part.
    pub digest: [u8; 32],
}

/// Whether a part has to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartStart {
    /// Yes. The object is queued for deletion until [`RecordStore::accept_part`].
    Write,
    /// No: the same content was accepted before.
    Accepted,
}

/// Which parts of a transfer were accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// Length of every part but the last, in bytes.
    pub part_len: u64,
    /// How many there are in all.
    pub part_count: u64,
    /// The accepted indices, ascending.
    pub accepted: Vec<u64>,
}

/// A claim that was granted, with what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// The lease.
    pub grant: Grant,
    /// The sealed manifest.
    pub manifest: Bytes,
    /// The sealed body, when it was sent inline.
    pub body: Option<Bytes>,
}

/// Where a claimant finds the body it may fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodyPlace {
    /// Length of the sealed body, in bytes.
    pub body_len: u64,
    /// Length of every part but the last, in bytes.
    pub part_len: u64,
    /// The body itself, when it was sent inline; otherwise its parts are asked for one by one.
    pub inline: Option<Bytes>,
    /// Whether this is the only fetch that the claimant is allowed: of the whole, and followed by
    /// [`RecordStore::end_fetch`].
    pub is_whole: bool,
}

/// Objects that were taken for deletion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Which.
    pub objects: Vec<ObjectName>,
    /// When, by the store's own time: a store that keeps one knows better than its callers.
    pub at: Moment,
}

/// What is held by somebody, and by all who are counted with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeldBy {
    /// By the holder itself.
    pub client: Held,
    /// By all holders of its site, itself among them.
    pub site: Held,
}

/// Whether a blob store without an id may be given the records' own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adoption {
    /// Yes, by this caller, who says so with [`RecordStore::end_adoption`].
    Open,
    /// Another caller is at it.
    Pending,
    /// No: a blob store has it.
    Done,
}

/// The atomic steps of a transfer's life. Every method is one step; two servers may call them at once.
#[async_trait]
pub trait RecordStore: Send + Sync + fmt::Debug {
    /// Stores a new transfer, or finds that it stands already. [`crate::transfer::Refusal::Conflict`] when the id is held by
    /// another request, also by a tombstone. Without room ([`RecordStore::has_room`]) a new one is [`StoreError::Full`].
    async fn create(&self, new: NewTransfer, at: Moment) -> StoreResult<Outcome<Created>>;

    /// Asks to write a part, and queues its object for deletion at the part deadline. Nothing may be written before it answers.
    /// Without room ([`RecordStore::has_room`]) a part that has to be written is [`StoreError::Full`]; with [`TRIES_MAX`] tries that
    /// came to nothing it is [`crate::transfer::Refusal::PartCrowded`], until the first of them is cleared away.
    async fn begin_part(
        &self,
        owner: &OwnerVerifier,
        part: &PartWrite,
        at: Moment,
    ) -> StoreResult<Outcome<PartStart>>;

    /// Makes a written object the part and takes it from the deletion queue, while the upload goes on. `Ok(Ok(false))`: the
    /// same content was accepted from another object. An object that was taken for deletion is
    /// [`crate::transfer::Refusal::PartLate`]. One that does not become the part is due for deletion at once.
    async fn accept_part(
        &self,
        owner: &OwnerVerifier,
        part: &PartWrite,
        at: Moment,
    ) -> StoreResult<Outcome<bool>>;

    /// Lists the accepted parts.
    async fn parts(
        &self,
        id: &TransferId,
        owner: &OwnerVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<Parts>>;

    /// Makes a complete upload ready. State and expiry; said twice it succeeds twice.
    async fn complete(
        &self,
        id: &TransferId,
        owner: &OwnerVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<(State, u64)>>;

    /// Looks without taking; the manifest when [`Peek::shows_manifest`]. A wrong access proof costs an attempt, atomically.
    async fn peek(
        &self,
        id: &TransferId,
        link: &LinkVerifier,
        access: Option<&AccessVerifier>,
        at: Moment,
    ) -> StoreResult<Outcome<(Peek, Option<Bytes>)>>;

    /// Grants a claim, or repeats the answer to the one this claimant has.
    async fn claim(
        &self,
        id: &TransferId,
        proofs: (&LinkVerifier, &AccessVerifier),
        claimant: &ClaimVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<Claimed>>;

    /// Where a claimant with a live lease finds the body. Where it is allowed one fetch, this begins it: no other caller
    /// gets it too.
    async fn fetch(
        &self,
        id: &TransferId,
        claimant: &ClaimVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<BodyPlace>>;

    /// Says that the only fetch a claimant was allowed is over; erases when nothing is left to claim or fetch.
    async fn end_fetch(
        &self,
        id: &TransferId,
        claimant: &ClaimVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<()>>;

    /// The object that holds a part; none once the transfer is gone.
    async fn part_object(&self, id: &TransferId, index: u64) -> StoreResult<Option<ObjectName>>;

    /// Renews a claimant's lease. When it ends now, in Unix seconds.
    async fn renew(
        &self,
        id: &TransferId,
        claimant: &ClaimVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<u64>>;

    /// Ends a claimant's lease as delivered; erases when nothing is left to claim or fetch.
    async fn deliver(
        &self,
        id: &TransferId,
        claimant: &ClaimVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<()>>;

    /// Destroys a transfer. Of one that is gone already it changes nothing and succeeds.
    async fn burn(
        &self,
        id: &TransferId,
        owner: &OwnerVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<()>>;

    /// Restores the attempts of a transfer that is not gone; said twice it succeeds twice.
    async fn unlock(
        &self,
        id: &TransferId,
        owner: &OwnerVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<()>>;

    /// What has become of a transfer, for as long as its tombstone stands.
    async fn receipt(
        &self,
        id: &TransferId,
        owner: &OwnerVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<ReceiptAnswer>>;

    /// The counters: what has happened since the store was made, and what it holds. Each is kept by the step that it counts, and so is never
    /// ahead or behind.
    async fn totals(&self) -> StoreResult<Totals>;

    /// What a holder's living transfers take up, and what those of all of its site do. Each is kept by the step that it counts, as
    /// [`RecordStore::totals`] are.
    async fn held_by(&self, holder: &Holder) -> StoreResult<HeldBy>;

    /// Settles up to `limit` transfers whose time has come and forgets tombstones. How many it touched: fewer than `limit`
    /// means that nothing is due.
    async fn sweep(&self, limit: usize, at: Moment) -> StoreResult<usize>;

    /// Takes up to `limit` objects from the deletion queue whose time has come. A taken object can no longer be accepted as
    /// a part, and is offered again soon until [`RecordStore::confirm_deleted`].
    async fn take_deletions(&self, limit: usize, at: Moment) -> StoreResult<Taken>;

    /// Says that these objects, [`Taken::at`] that moment, are deleted. One whose late write may still have arrived since stays queued for once
    /// more.
    async fn confirm_deleted(&self, objects: &[ObjectName], at: Moment) -> StoreResult<()>;

    /// Whether a transfer of this id is recorded, alive or as a tombstone.
    async fn is_known(&self, id: &TransferId) -> StoreResult<bool>;

    /// Whether there is room for more than notes on what is there already. Without it nothing new is to be begun; claims, and
    /// all that ends something, go on.
    fn has_room(&self) -> bool;

    /// The store's own id.
    async fn store_id(&self) -> StoreResult<StoreId>;

    /// How far the store has come: a mark that only grows, or none where records and blobs are never restored one without the
    /// other. See [`crate::service::check_stores`].
    async fn mark(&self) -> StoreResult<Option<u64>>;

    /// Says that the store had come to this mark: no step runs any more on what of it has fallen far behind.
    fn expect_mark(&self, mark: u64);

    /// Moves the mark on, and says where to; none when there is none, or that was done a moment ago.
    async fn advance_mark(&self) -> StoreResult<Option<u64>>;

    /// Whether no object is recorded, neither as a part nor for deletion, so that an empty blob store is no loss.
    async fn has_no_parts(&self) -> StoreResult<bool>;

    /// Asks to give a blob store the records' id. Of servers that share the records one is let do it at a time, so that no two
    /// take different blob stores for theirs; records that one server alone uses always answer [`Adoption::Open`].
    async fn begin_adoption(&self) -> StoreResult<Adoption>;

    /// Says that a blob store has the records' id: from then on no other is given it. Said twice it succeeds twice.
    async fn end_adoption(&self) -> StoreResult<()>;

    /// Answers when the store can be read and written.
    async fn probe(&self) -> StoreResult<()>;

    /// Makes what was erased unreadable in the store's own files, as far as it depends on the store. Called after erasing
    /// and on a timer.
    async fn scrub(&self) -> StoreResult<()>;
}
