//! Records in one SQLite database, for one server: the default. It holds no policy; every rule is a step of
//! [`crate::transfer`], run in a savepoint of one writing thread's transaction, and durable before it is answered.
//!
//! Reads and the check of every proof and token go through connections of their own, so that who holds nothing never
//! reaches the writer's queue.

pub mod audit;
mod directory;
mod frame;
mod log;
pub mod mend;
mod objects;
mod readers;
mod reserve;
mod rows;
mod schema;
mod steps;
#[cfg(test)]
mod tests;
mod writer;

use std::fmt;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use onetimeshare_protocol::id::{
    AccessVerifier, ClaimVerifier, LinkVerifier, OwnerVerifier, TransferId,
};
use onetimeshare_protocol::transfer::{ReceiptAnswer, State};
use rusqlite::Connection;
use tokio_util::sync::CancellationToken;

pub use self::directory::OpenError;
use self::directory::{DATABASE, lock, private_file, refused};
use self::readers::Readers;
use self::reserve::Reserve;
use self::rows::Stored;
use self::steps::{
    Proof, accept_part, body_place, burn, ciphertext, create, glance, in_section, read, shown,
    sweep,
};
use self::writer::{Section, Writer};
use super::step::{self, Queued};
use super::{
    Adoption, BodyPlace, Claimed, Created, HeldBy, NewTransfer, PartStart, PartWrite, Parts,
    RecordStore, StoreError, StoreId, StoreResult, Taken, require_room,
};
use crate::blob::ObjectName;
use crate::transfer::{Holder, Moment, Outcome, Peek, Refusal, Totals, Transfer};

/// What was erased leaves the log after so long at the latest, where the promise is half a minute; and after so long a full
/// disk is looked at again.
const TIDY_AFTER: Duration = Duration::from_secs(10);

/// Records in SQLite. Dropping it finishes what is queued, truncates the log and frees the data directory.
pub struct SqliteStore {
    writer: Writer,
    readers: Readers,
    store_id: StoreId,
    has_room: Arc<AtomicBool>,
    /// Given back last of all.
    _lock: File,
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SqliteStore({:?})", self.store_id)
    }
}

impl SqliteStore {
    /// Opens the records in `directory`, and makes both when they are not there.
    pub fn open(directory: &Path) -> Result<Self, OpenError> {
        Self::open_with(directory, TIDY_AFTER)
    }

    fn open_with(directory: &Path, tidy_after: Duration) -> Result<Self, OpenError> {
        let lock = lock(directory)?;
        let mut reserve = Reserve::open(directory).map_err(|error| refused(directory, &error))?;
        let path = directory.join(DATABASE);
        let conn = loop {
            match open_database(&path) {
                // On a full disk the log and its index need room to be made.
                Err(OpenError::Full(_)) if reserve.give_way() => {}
                opened => break opened?,
            }
        };
        reserve.fill();
        let has_room = reserve.watch();
        let store_id =
            schema::store_id(&conn).map_err(|error| OpenError::Store(error.to_string()))?;
        let writer = Writer::start(conn, reserve, tidy_after)
            .map_err(|error| OpenError::Store(error.to_string()))?;
        Ok(Self {
            writer,
            readers: Readers::new(path),
            store_id,
            has_room,
            _lock: lock,
        })
    }

    /// Cancelled when nothing can be written any more: the writing thread has ended, in a panic unless the store was dropped.
    pub fn ended(&self) -> CancellationToken {
        self.writer.ended()
    }

    /// Whether `proof` fits, without the writer: who is refused here costs one read.
    async fn is_authorized(&self, id: &TransferId, proof: Proof) -> StoreResult<bool> {
        let id = id.clone();
        self.readers.run(move |conn| proof.fits(conn, &id)).await
    }

    /// Runs `run` on the transfer in one atomic section, for who brought a fitting `proof`.
    async fn step<T: Send + 'static>(
        &self,
        id: &TransferId,
        proof: Proof,
        at: Moment,
        run: impl Fn(&Section<'_>, &Stored, &mut Transfer) -> StoreResult<Outcome<T>> + Send + 'static,
    ) -> StoreResult<Outcome<T>> {
        if !self.is_authorized(id, proof).await? {
            return Ok(Err(Refusal::Unknown));
        }
        let id = id.clone();
        self.writer
            .run(move |section| in_section(section, &id, at, &run))
            .await
    }
}

/// Opens the database, which is made for its owner alone when it is not there.
fn open_database(path: &Path) -> Result<Connection, OpenError> {
    // SQLite gives the log and its index the rights that the database has.
    private_file(path).map_err(|error| OpenError::from(StoreError::from(error)))?;
    let mut conn = Connection::open(path)?;
    schema::prepare(&mut conn)?;
    Ok(conn)
}

#[async_trait]
impl RecordStore for SqliteStore {
    async fn create(&self, new: NewTransfer, at: Moment) -> StoreResult<Outcome<Created>> {
        let added_len = new.manifest.len() + new.body.as_ref().map_or(0, Bytes::len);
        let has_room = Arc::clone(&self.has_room);
        let create = move |section: &Section<'_>| {
            create(section, &new, at, || {
                require_room(has_room.load(Ordering::Relaxed))
            })
        };
        self.writer.add(added_len, create).await
    }

    async fn begin_part(
        &self,
        owner: &OwnerVerifier,
        part: &PartWrite,
        at: Moment,
    ) -> StoreResult<Outcome<PartStart>> {
        let (owner, part) = (owner.clone(), part.clone());
        let id = part.object.id.clone();
        if !self.is_authorized(&id, Proof::Owner(owner.clone())).await? {
            return Ok(Err(Refusal::Unknown));
        }
        let has_room = Arc::clone(&self.has_room);
        let begin = move |section: &Section<'_>| {
            in_section(section, &id, at, |section, stored, transfer| {
                let accepted = objects::accepted(section.conn, stored.row, part.object.index)?;
                let object_count = objects::count(section.conn, stored)?;
                let start = step::begin_part(transfer, &owner, &part, (accepted, object_count));
                if matches!(start, Ok(PartStart::Write)) {
                    require_room(has_room.load(Ordering::Relaxed))?;
                    objects::queue(section.conn, &part.object, Queued::unwritten(at))?;
                }
                Ok(start)
            })
        };
        // It adds no ciphertext here, but asks to add some elsewhere.
        self.writer.add(0, begin).await
    }

    async fn accept_part(
        &self,
        owner: &OwnerVerifier,
        part: &PartWrite,
        at: Moment,
    ) -> StoreResult<Outcome<bool>> {
        let (owner, part) = (owner.clone(), part.clone());
        if !self
            .is_authorized(&part.object.id, Proof::Owner(owner.clone()))
            .await?
        {
            return Ok(Err(Refusal::Unknown));
        }
        self.writer
            .run(move |section| accept_part(section, &owner, &part, at))
            .await
    }

    async fn parts(
        &self,
        id: &TransferId,
        owner: &OwnerVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<Parts>> {
        let (id, owner) = (id.clone(), owner.clone());
        let list = move |conn: &Connection| {
            if !Proof::Owner(owner.clone()).fits(conn, &id)? {
                return Ok(Err(Refusal::Unknown));
            }
            read(conn, &id, at, |stored, transfer| {
                if let Err(refusal) = step::list_parts(transfer, &owner) {
                    return Ok(Err(refusal));
                }
                Ok(Ok(Parts {
                    part_len: transfer.part_len,
                    part_count: transfer.part_count(),
                    accepted: objects::accepted_indices(conn, stored.row)?,
                }))
            })
        };
        self.readers.run(list).await
    }

    async fn complete(
        &self,
        id: &TransferId,
        owner: &OwnerVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<(State, u64)>> {
        let owner = owner.clone();
        self.step(
            id,
            Proof::Owner(owner.clone()),
            at,
            move |section, stored, transfer| {
                if let Err(refusal) = transfer.authorize_owner(&owner) {
                    return Ok(Err(refusal));
                }
                let part_count = transfer.part_count();
                let missing = if objects::accepted_count(section.conn, stored.row)? == part_count {
                    Vec::new()
                } else {
                    let accepted = objects::accepted_indices(section.conn, stored.row)?;
                    step::missing(part_count, accepted)
                };
                Ok(transfer.complete(missing, at))
            },
        )
        .await
    }

    async fn peek(
        &self,
        id: &TransferId,
        link: &LinkVerifier,
        access: Option<&AccessVerifier>,
        at: Moment,
    ) -> StoreResult<Outcome<(Peek, Option<Bytes>)>> {
        let (id, link, access) = (id.clone(), link.clone(), access.cloned());
        let seen = {
            let (id, link, access) = (id.clone(), link.clone(), access.clone());
            let look = move |conn: &Connection| glance(conn, &id, (&link, access.as_ref()), at);
            self.readers.run(look).await?
        };
        if let Some(outcome) = seen {
            return Ok(outcome);
        }
        let count = move |section: &Section<'_>| {
            in_section(section, &id, at, |section, stored, transfer| {
                let peeked = transfer.peek(&link, access.as_ref(), at);
                shown(section.conn, stored, peeked)
            })
        };
        self.writer.run(count).await
    }

    async fn claim(
        &self,
        id: &TransferId,
        (link, access): (&LinkVerifier, &AccessVerifier),
        claimant: &ClaimVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<Claimed>> {
        let (link, access, claimant) = (link.clone(), access.clone(), claimant.clone());
        let proof = Proof::Link(link.clone());
        self.step(
            id,
            proof,
            at,
            move |section, stored, transfer| match transfer.claim(&link, &access, &claimant, at) {
                Ok(grant) => {
                    let (manifest, body) = ciphertext(section.conn, stored)?;
                    Ok(Ok(Claimed {
                        grant,
                        manifest,
                        body,
                    }))
                }
                Err(refusal) => Ok(Err(refusal)),
            },
        )
        .await
    }

    async fn fetch(
        &self,
        id: &TransferId,
        claimant: &ClaimVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<BodyPlace>> {
        let found = {
            let (id, claimant) = (id.clone(), claimant.clone());
            let find = move |conn: &Connection| {
                if !Proof::Claim(claimant.clone()).fits(conn, &id)? {
                    return Ok(Err(Refusal::Unknown));
                }
                read(conn, &id, at, |stored, transfer| {
                    body_place(conn, stored, transfer.fetch(&claimant, at))
                })
            };
            self.readers.run(find).await?
        };
        if !matches!(&found, Ok(place) if place.is_whole) {
            return Ok(found);
        }
        // The only fetch there will be: who begins it is the writer's to say.
        let (id, claimant) = (id.clone(), claimant.clone());
        let begin = move |section: &Section<'_>| {
            in_section(section, &id, at, |section, stored, transfer| {
                body_place(section.conn, stored, transfer.fetch(&claimant, at))
            })
        };
        self.writer.run(begin).await
    }

    async fn end_fetch(
        &self,
        id: &TransferId,
        claimant: &ClaimVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<()>> {
        let claimant = claimant.clone();
        let proof = Proof::Claim(claimant.clone());
        self.step(id, proof, at, move |_, _, transfer| {
            Ok(transfer.end_fetch(&claimant, at))
        })
        .await
    }

    async fn part_object(&self, id: &TransferId, index: u64) -> StoreResult<Option<ObjectName>> {
        let id = id.clone();
        let find = move |conn: &Connection| objects::find(conn, &id, index);
        self.readers.run(find).await
    }

    async fn renew(
        &self,
        id: &TransferId,
        claimant: &ClaimVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<u64>> {
        let claimant = claimant.clone();
        let proof = Proof::Claim(claimant.clone());
        self.step(id, proof, at, move |_, _, transfer| {
            Ok(transfer.renew(&claimant, at))
        })
        .await
    }

    async fn deliver(
        &self,
        id: &TransferId,
        claimant: &ClaimVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<()>> {
        let claimant = claimant.clone();
        let proof = Proof::Claim(claimant.clone());
        self.step(id, proof, at, move |_, _, transfer| {
            Ok(transfer.deliver(&claimant, at))
        })
        .await
    }

    async fn burn(
        &self,
        id: &TransferId,
        owner: &OwnerVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<()>> {
        if !self.is_authorized(id, Proof::Owner(owner.clone())).await? {
            return Ok(Err(Refusal::Unknown));
        }
        let (id, owner) = (id.clone(), owner.clone());
        self.writer
            .run(move |section| burn(section, &id, &owner, at))
            .await
    }

    async fn unlock(
        &self,
        id: &TransferId,
        owner: &OwnerVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<()>> {
        let owner = owner.clone();
        let proof = Proof::Owner(owner.clone());
        self.step(id, proof, at, move |_, _, transfer| {
            Ok(transfer
                .authorize_owner(&owner)
                .and_then(|()| transfer.unlock()))
        })
        .await
    }

    async fn receipt(
        &self,
        id: &TransferId,
        owner: &OwnerVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<ReceiptAnswer>> {
        let (id, owner) = (id.clone(), owner.clone());
        let look = move |conn: &Connection| {
            if !Proof::Owner(owner).fits(conn, &id)? {
                return Ok(Err(Refusal::Unknown));
            }
            read(conn, &id, at, |_, transfer| {
                Ok(Ok(transfer.receipt(at.now)))
            })
        };
        self.readers.run(look).await
    }

    async fn totals(&self) -> StoreResult<Totals> {
        self.readers.run(rows::totals).await
    }

    async fn held_by(&self, holder: &Holder) -> StoreResult<HeldBy> {
        let holder = *holder;
        let count = move |conn: &Connection| rows::held_by(conn, &holder);
        self.readers.run(count).await
    }

    async fn sweep(&self, limit: usize, at: Moment) -> StoreResult<usize> {
        let (mut batch, mut swept) = (limit, 0);
        while swept < limit {
            let asked = batch.min(limit - swept);
            let step = move |section: &Section<'_>| sweep(section, asked, at);
            match self.writer.run(step).await {
                // What is erased in one step has to fit into the log.
                Err(StoreError::Full(_)) if batch > 1 => batch = (batch / 4).max(1),
                Err(error) => return Err(error),
                Ok(count) => {
                    swept += count;
                    if count < asked {
                        break;
                    }
                }
            }
        }
        Ok(swept)
    }

    async fn take_deletions(&self, limit: usize, at: Moment) -> StoreResult<Taken> {
        let take = move |section: &Section<'_>| {
            let due = objects::due(section.conn, limit, at.now)?;
            for (object, queued) in &due {
                objects::queue(section.conn, object, queued.taken(at))?;
            }
            let objects = due.into_iter().map(|(object, _)| object).collect();
            Ok(Taken { objects, at })
        };
        self.writer.run(take).await
    }

    async fn confirm_deleted(&self, objects: &[ObjectName], at: Moment) -> StoreResult<()> {
        let deleted = objects.to_vec();
        let confirm = move |section: &Section<'_>| {
            for object in &deleted {
                let queued = objects::queued(section.conn, object)?;
                match queued.map(|queued| queued.confirmed(at.now)) {
                    None => {}
                    Some(None) => objects::remove(section.conn, object)?,
                    Some(Some(left)) => objects::queue(section.conn, object, left)?,
                }
            }
            Ok(())
        };
        self.writer.run(confirm).await
    }

    async fn is_known(&self, id: &TransferId) -> StoreResult<bool> {
        let id = id.clone();
        let find = move |conn: &Connection| {
            let mut query = conn.prepare_cached("SELECT 1 FROM transfer WHERE id = ?1")?;
            Ok(query.exists([id.as_bytes()])?)
        };
        self.readers.run(find).await
    }

    async fn store_id(&self) -> StoreResult<StoreId> {
        Ok(self.store_id.clone())
    }

    fn has_room(&self) -> bool {
        self.has_room.load(Ordering::Relaxed)
    }

    /// Records and blobs lie in one folder, and are restored together.
    async fn mark(&self) -> StoreResult<Option<u64>> {
        Ok(None)
    }

    fn expect_mark(&self, _mark: u64) {}

    async fn advance_mark(&self) -> StoreResult<Option<u64>> {
        Ok(None)
    }

    async fn has_no_parts(&self) -> StoreResult<bool> {
        let look = |conn: &Connection| {
            Ok(!conn
                .prepare_cached("SELECT 1 FROM part UNION ALL SELECT 1 FROM deletion LIMIT 1")?
                .exists([])?)
        };
        self.readers.run(look).await
    }

    async fn begin_adoption(&self) -> StoreResult<Adoption> {
        Ok(Adoption::Open)
    }

    async fn end_adoption(&self) -> StoreResult<()> {
        Ok(())
    }

    /// Reads, and commits a change that changes nothing, through to the disk.
    async fn probe(&self) -> StoreResult<()> {
        self.readers.run(schema::store_id).await?;
        let touch = |section: &Section<'_>| {
            let conn = section.conn;
            conn.prepare_cached("UPDATE store SET store_id = store_id")?
                .execute([])?;
            Ok(())
        };
        self.writer.run(touch).await
    }

    async fn scrub(&self) -> StoreResult<()> {
        self.writer.scrub().await
    }
}
