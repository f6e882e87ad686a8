//! A sweep of more than one step can do: transfers and objects take turns, and it ends with the stores that it began on.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;

use super::{LIMITS, NOW, PERIODS};
use crate::blob::memory::MemoryBlobs;
use crate::blob::{BlobStore, ByteStream, ObjectName};
use crate::clock::{Clock, MockClock};
use crate::record::conformance::Sample;
use crate::record::memory::MemoryStore;
use crate::record::{RecordStore, StoreId, StoreResult};
use crate::service::{MatchError, Service, match_stores};
use crate::sweeper::{BATCH, sweep};

/// Objects in a folder that is unmounted once something was deleted in it.
#[derive(Debug, Default)]
struct Unmounted {
    blobs: MemoryBlobs,
    deleted: AtomicUsize,
}

#[async_trait]
impl BlobStore for Unmounted {
    async fn write(&self, object: &ObjectName, body: ByteStream) -> StoreResult<()> {
        self.blobs.write(object, body).await
    }

    async fn read(
        &self,
        object: &ObjectName,
        range: Range<u64>,
    ) -> StoreResult<Option<ByteStream>> {
        self.blobs.read(object, range).await
    }

    async fn delete(&self, object: &ObjectName) -> StoreResult<()> {
        self.deleted.fetch_add(1, Ordering::SeqCst);
        self.blobs.delete(object).await
    }

    async fn list_old(&self, age_s: u64, now: u64, limit: usize) -> StoreResult<Vec<ObjectName>> {
        self.blobs.list_old(age_s, now, limit).await
    }

    async fn store_id(&self) -> StoreResult<Option<StoreId>> {
        if self.deleted.load(Ordering::SeqCst) > 0 {
            return Ok(None);
        }
        self.blobs.store_id().await
    }

    async fn mark(&self) -> StoreResult<Option<u64>> {
        self.blobs.mark().await
    }

    async fn set_mark(&self, mark: u64) -> StoreResult<()> {
        self.blobs.set_mark(mark).await
    }

    async fn adopt(&self, store_id: &StoreId) -> StoreResult<()> {
        self.blobs.adopt(store_id).await
    }
}

#[tokio::test]
async fn a_backlog_is_swept_by_turns_and_on_the_stores_alone_that_it_was_begun_on() {
    let clock = Arc::new(MockClock::new(NOW));
    let blobs = Arc::new(Unmounted::default());
    let records = Arc::new(MemoryStore::new().unwrap());
    match_stores(records.as_ref(), blobs.as_ref())
        .await
        .unwrap();
    let shared_records: Arc<dyn RecordStore> = Arc::<MemoryStore>::clone(&records);
    let shared_blobs: Arc<dyn BlobStore> = Arc::<Unmounted>::clone(&blobs);
    let shared_clock: Arc<dyn Clock> = Arc::<MockClock>::clone(&clock);
    let service = Service::new(shared_records, shared_blobs, shared_clock, LIMITS, PERIODS);

    let at = service.moment();
    for _ in 0..=2 * BATCH {
        let created = records.create(Sample::inline(1).new, at).await;
        assert!(created.unwrap().unwrap().is_new);
    }
    // As many as one upload may have are fewer than a batch.
    for _ in 0..3 {
        let uploading = Sample::in_parts();
        let created = records.create(uploading.new.clone(), at).await;
        assert!(created.unwrap().unwrap().is_new);
        for random in 0..100 {
            let part = uploading.part(0, 0, random);
            let owner = &uploading.new.creation.owner_verifier;
            let begun = records.begin_part(owner, &part, at).await;
            assert!(begun.unwrap().is_ok());
        }
    }

    clock.advance(86_400);
    let swept = sweep(&service).await;
    assert!(matches!(swept, Err(MatchError::BlobsLost)), "{swept:?}");
    let stats = records.totals().await.unwrap().stats;
    let settled = stats.expired + stats.abandoned;
    let deleted = blobs.deleted.load(Ordering::SeqCst);
    assert_eq!((settled, deleted), (u64::try_from(BATCH).unwrap(), BATCH));
}
