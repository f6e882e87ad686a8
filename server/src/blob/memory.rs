//! Objects in memory: the folder store's twin for tests. It never survives the process.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::{BlobStore, ByteStream, ObjectName};
use crate::record::{StoreError, StoreId, StoreResult};

/// Bytes that a reader is given at once: few, so that tests see more than one piece.
const PIECE_LEN: usize = 300;

/// Objects in memory.
#[derive(Debug, Default)]
pub struct MemoryBlobs {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    objects: BTreeMap<ObjectName, Bytes>,
    store_id: Option<StoreId>,
    mark: Option<u64>,
}

impl MemoryBlobs {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // No section below can leave the map half changed, so a panic elsewhere does not spoil it.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets everything, in the place of a bucket that was emptied.
    pub fn lose_all(&self) {
        *self.lock() = Inner::default();
    }

    /// How many objects there are.
    pub fn count(&self) -> usize {
        self.lock().objects.len()
    }
}

#[async_trait]
impl BlobStore for MemoryBlobs {
    async fn write(&self, object: &ObjectName, body: ByteStream) -> StoreResult<()> {
        let bytes = body.try_fold(BytesMut::new(), async |mut bytes, piece| {
            bytes.extend_from_slice(&piece);
            Ok(bytes)
        });
        let bytes = bytes.await?.freeze();
        self.lock().objects.insert(object.clone(), bytes);
        Ok(())
    }

    async fn read(
        &self,
        object: &ObjectName,
        range: Range<u64>,
    ) -> StoreResult<Option<ByteStream>> {
        let Some(bytes) = self.lock().objects.get(object).cloned() else {
            return Ok(None);
        };
        let bounds = usize::try_from(range.start)
            .ok()
            .zip(usize::try_from(range.end).ok());
        let slice = bounds
            .filter(|(from, to)| from <= to && *to <= bytes.len())
            .map(|(from, to)| bytes.slice(from..to));
        let slice = slice
            .ok_or_else(|| StoreError::Corrupt(format!("{object:?} is shorter than its part")))?;
        let pieces = (0..slice.len()).step_by(PIECE_LEN);
        let pieces = pieces.map(move |at| Ok(slice.slice(at..slice.len().min(at + PIECE_LEN))));
        Ok(Some(stream::iter(pieces).boxed()))
    }

    async fn delete(&self, object: &ObjectName) -> StoreResult<()> {
        self.lock().objects.remove(object);
        Ok(())
    }

    async fn list_old(&self, age_s: u64, _now: u64, limit: usize) -> StoreResult<Vec<ObjectName>> {
        // What lies in memory is as young as the process.
        let taken = if age_s == 0 { limit } else { 0 };
        Ok(self.lock().objects.keys().take(taken).cloned().collect())
    }

    async fn store_id(&self) -> StoreResult<Option<StoreId>> {
        Ok(self.lock().store_id.clone())
    }

    async fn adopt(&self, store_id: &StoreId) -> StoreResult<()> {
        let mut inner = self.lock();
        if inner.store_id.is_some() {
            return Err(StoreError::Corrupt(
                "the blob store has an id already".to_owned(),
            ));
        }
        inner.store_id = Some(store_id.clone());
        Ok(())
    }

    async fn mark(&self) -> StoreResult<Option<u64>> {
        Ok(self.lock().mark)
    }

    async fn set_mark(&self, mark: u64) -> StoreResult<()> {
        self.lock().mark = Some(mark);
        Ok(())
    }
}
