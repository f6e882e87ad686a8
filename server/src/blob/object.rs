//! Objects in a bucket of S3, Google Cloud Storage or Azure, or of what speaks like one of them. It relies on nothing but that an
//! answered write is durable and read after it: no conditional write, no rename, no lock.
//!
//! ```text
//! PREFIX/store-id
//! PREFIX/mark                          the only one that is written again
//! PREFIX/parts/{id}/{index}.{random}   a whole object; there is no other
//! PREFIX/probe.{random}                of a start that was cut off
//! ```

mod bucket;
mod fault;
mod listing;
mod patience;
mod place;
mod reader;
mod spool;
mod trial;

use std::io;
use std::ops::Range;
use std::path::Path as FilePath;

use async_trait::async_trait;
use bytes::Bytes;

pub use self::bucket::Bucket;
use self::bucket::Created;
use self::listing::Cursor;
pub use self::place::Provider;
use self::reader::Reader;
use self::spool::Spool;
pub use self::trial::TrialError;
use super::{
    BlobStore, ByteStream, MARK, ObjectName, STORE_ID, parse_mark, parse_store_id, store_id_text,
};
use crate::record::{StoreError, StoreId, StoreResult};

/// More bytes than a mark has.
const MARK_LEN_MAX: u64 = 32;

/// More bytes than a store's id has.
const STORE_ID_LEN_MAX: u64 = 64;

/// Why a bucket cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder for parts on their way cannot be made or written.
    #[error("the folder for parts on their way cannot be used: {0}")]
    Spool(#[from] io::Error),
    /// The bucket does not do what it must.
    #[error(transparent)]
    Trial(#[from] TrialError),
}

/// Objects in a bucket.
#[derive(Debug)]
pub struct BucketStore {
    bucket: Bucket,
    spool: Spool,
    cursor: Cursor,
    keeps_versions: bool,
}

impl BucketStore {
    /// Tries what the store will need on an object that it makes and deletes. Parts wait in the folder `spool` until they are
    /// whole; it is made when it is not there, with access for its owner alone.
    pub async fn open(bucket: Bucket, spool: &FilePath) -> Result<Self, OpenError> {
        let spool = Spool::open(spool)?;
        let keeps_versions = trial::run(&bucket).await?;
        Ok(Self {
            bucket,
            spool,
            cursor: Cursor::default(),
            keeps_versions,
        })
    }

    /// Whether the bucket went on giving out what was deleted in it, under the version that it had.
    pub const fn keeps_versions(&self) -> bool {
        self.keeps_versions
    }
}

#[async_trait]
impl BlobStore for BucketStore {
    async fn write(&self, object: &ObjectName, body: ByteStream) -> StoreResult<()> {
        // Whole before the store hears of it: a body that breaks off, or comes slowly, is nobody else's matter.
        let part = self.spool.take(body).await?;
        let loaded = self.spool.load(part).await?;
        let put = self
            .bucket
            .put(&self.bucket.part(object), loaded.bytes())
            .await;
        put.map(|_| ())
            .map_err(|fault| fault.into_store_error("writing a part"))
    }

    async fn read(
        &self,
        object: &ObjectName,
        range: Range<u64>,
    ) -> StoreResult<Option<ByteStream>> {
        let path = self.bucket.part(object);
        let reader = Reader::open(self.bucket.clone(), path, range).await?;
        Ok(reader.map(Reader::stream))
    }

    async fn delete(&self, object: &ObjectName) -> StoreResult<()> {
        let results = self.delete_all(std::slice::from_ref(object)).await;
        results.into_iter().collect()
    }

    async fn delete_all(&self, objects: &[ObjectName]) -> Vec<StoreResult<()>> {
        let paths: Vec<_> = objects
            .iter()
            .map(|object| self.bucket.part(object))
            .collect();
        let results = self.bucket.delete(&paths).await.into_iter();
        results
            .map(|result| result.map_err(|fault| fault.into_store_error("deleting a part")))
            .collect()
    }

    async fn list_old(&self, age_s: u64, now: u64, limit: usize) -> StoreResult<Vec<ObjectName>> {
        let until = now.saturating_sub(age_s);
        self.cursor.advance(&self.bucket, until, limit).await
    }

    async fn store_id(&self) -> StoreResult<Option<StoreId>> {
        let found = self
            .bucket
            .small(&self.bucket.path(STORE_ID), STORE_ID_LEN_MAX)
            .await
            .map_err(|fault| fault.into_store_error("reading the store's id"))?;
        let parse = |bytes: Bytes| parse_store_id(&String::from_utf8_lossy(&bytes));
        found.map(parse).transpose()
    }

    /// Without conditional writes, two servers that are started at once on an empty bucket may both be let in here; all but one
    /// then find that the id is another's before they sweep, and at their next start.
    async fn adopt(&self, store_id: &StoreId) -> StoreResult<()> {
        let taken = || StoreError::Corrupt("the bucket has an id already".to_owned());
        if self.store_id().await?.is_some() {
            return Err(taken());
        }
        let text = Bytes::from(store_id_text(store_id));
        let path = self.bucket.path(STORE_ID);
        match self.bucket.create(&path, text).await {
            Ok(Created::New) => {}
            Ok(Created::Exists) => return Err(taken()),
            Err(fault) => return Err(fault.into_store_error("writing the store's id")),
        }
        match self.store_id().await? {
            Some(found) if found == *store_id => Ok(()),
            _ => Err(taken()),
        }
    }

    async fn mark(&self) -> StoreResult<Option<u64>> {
        let found = self
            .bucket
            .small(&self.bucket.path(MARK), MARK_LEN_MAX)
            .await
            .map_err(|fault| fault.into_store_error("reading the mark"))?;
        let parse = |bytes: Bytes| parse_mark(&String::from_utf8_lossy(&bytes));
        found.map(parse).transpose()
    }

    async fn set_mark(&self, mark: u64) -> StoreResult<()> {
        let text = Bytes::from(mark.to_string());
        let put = self.bucket.put(&self.bucket.path(MARK), text).await;
        put.map(|_| ())
            .map_err(|fault| fault.into_store_error("writing the mark"))
    }
}
