//! The blob store: the parts' ciphertext, in objects that are written once, never overwritten, and deleted.
//!
//! It knows nothing of transfers' lives. `conformance` is what every store must do.

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod folder;
pub mod memory;
pub mod object;

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use onetimeshare_protocol::id::TransferId;
use onetimeshare_protocol::limits::PART_COUNT_MAX;

use crate::record::{StoreError, StoreId, StoreResult};

/// The name of one object: `{id}/{index}.{random}`. Random, so that two writers of one part never meet in one object.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectName {
    /// The transfer it belongs to.
    pub id: TransferId,
    /// The part it is, or was meant to be.
    pub index: u64,
    /// Drawn anew for every write.
    pub random: u64,
}

impl fmt::Display for ObjectName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}/{}.{:016x}",
            self.id.to_text(),
            self.index,
            self.random
        )
    }
}

impl fmt::Debug for ObjectName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}/{}", self.id, self.index)
    }
}

impl FromStr for ObjectName {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        let parse = || {
            let (id, rest) = text.split_once('/')?;
            let (index, random) = rest.split_once('.')?;
            let name = Self {
                id: id.parse().ok()?,
                index: index.parse().ok()?,
                random: u64::from_str_radix(random, 16).ok()?,
            };
            // Only what is written again to itself, of a part that there can be, is a name of ours.
            (name.index < PART_COUNT_MAX && name.to_string() == text).then_some(name)
        };
        parse().ok_or_else(|| StoreError::Corrupt("an object's name".to_owned()))
    }
}

/// Bytes on their way into or out of a store. An error ends them; nothing follows it.
pub type ByteStream = BoxStream<'static, StoreResult<Bytes>>;

/// Objects that are written once and deleted.
#[async_trait]
pub trait BlobStore: Send + Sync + fmt::Debug {
    /// Writes a new object: when it answers `Ok`, every byte of `body` is durable under `object`; when `body` ends in an
    /// error, or it answers `Err`, no reader will ever see the object, though remains of it may lie there until it is deleted.
    async fn write(&self, object: &ObjectName, body: ByteStream) -> StoreResult<()>;

    /// Reads `range` of an object, in bytes; none if there is no such object. Memory use does not grow with the range.
    async fn read(&self, object: &ObjectName, range: Range<u64>)
    -> StoreResult<Option<ByteStream>>;

    /// Deletes an object, remains of unfinished writes included. Deleting what is not there succeeds.
    async fn delete(&self, object: &ObjectName) -> StoreResult<()>;

    /// Deletes several objects. What came of each, in their order; one that cannot be deleted keeps no other from it.
    async fn delete_all(&self, objects: &[ObjectName]) -> Vec<StoreResult<()>> {
        let mut results = Vec::with_capacity(objects.len());
        for object in objects {
            results.push(self.delete(object).await);
        }
        results
    }

    /// Objects last written at least `age_s` seconds before `now`, at most `limit` of them. A large store may be gone through over
    /// several calls: then each goes on where the last one stopped, and after the end comes the beginning.
    async fn list_old(&self, age_s: u64, now: u64, limit: usize) -> StoreResult<Vec<ObjectName>>;

    /// The id that the store was given, if any; read anew each time, so that an answer says that the store can be reached.
    async fn store_id(&self) -> StoreResult<Option<StoreId>>;

    /// Gives the store its id. Fails if it has one.
    async fn adopt(&self, store_id: &StoreId) -> StoreResult<()>;

    /// The mark that was left last; none before the first. See [`crate::service::check_stores`].
    async fn mark(&self) -> StoreResult<Option<u64>>;

    /// Leaves a mark in place of the one before.
    async fn set_mark(&self, mark: u64) -> StoreResult<()>;
}

/// The name of the file or object that holds a store's id.
const STORE_ID: &str = "store-id";

/// The name of the file or object that holds the mark.
const MARK: &str = "mark";

/// The mark in a text of digits.
fn parse_mark(text: &str) -> StoreResult<u64> {
    text.trim()
        .parse()
        .map_err(|_| StoreError::Corrupt(MARK.to_owned()))
}

/// What stands in the one with the id.
fn store_id_text(store_id: &StoreId) -> String {
    format!("{store_id:?}\n")
}

/// The id in a text that [`store_id_text`] wrote.
fn parse_store_id(text: &str) -> StoreResult<StoreId> {
    let id = u128::from_str_radix(text.trim(), 16);
    id.map(|id| StoreId(id.to_be_bytes()))
        .map_err(|_| StoreError::Corrupt(STORE_ID.to_owned()))
}
