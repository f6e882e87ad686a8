//! A sweep that stands still between a deletion and its confirmation, while a write that was under way comes to its end.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use bytes::Bytes;

use super::{BODY_LEN, LIMITS, NOW, PART_LEN, PERIODS, Terms, owner, pieces, request};
use crate::blob::memory::MemoryBlobs;
use crate::blob::{BlobStore, ByteStream, ObjectName};
use crate::clock::{Clock, MockClock};
use crate::record::memory::MemoryStore;
use crate::record::{PartStart, PartWrite, StoreId, StoreResult};
use crate::service::{Service, match_stores};
use crate::sweeper::sweep;
use crate::token;

/// Objects whose first deletion is overtaken: right after it the object is written, and the time that two writers have is over.
#[derive(Debug)]
struct Overtaken {
    blobs: MemoryBlobs,
    clock: Arc<MockClock>,
    is_over: AtomicBool,
}

#[async_trait]
impl BlobStore for Overtaken {
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
        self.blobs.delete(object).await?;
        if !self.is_over.swap(true, Ordering::SeqCst) {
            let late = Bytes::from_static(b"late");
            self.blobs.write(object, pieces(&late)).await?;
            self.clock.advance(2 * PERIODS.part_deadline_s);
        }
        Ok(())
    }

    async fn list_old(&self, age_s: u64, now: u64, limit: usize) -> StoreResult<Vec<ObjectName>> {
        self.blobs.list_old(age_s, now, limit).await
    }

    async fn store_id(&self) -> StoreResult<Option<StoreId>> {
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
async fn a_write_that_overtakes_a_deletion_is_deleted_all_the_same() {
    let clock = Arc::new(MockClock::new(NOW));
    let blobs = Arc::new(Overtaken {
        blobs: MemoryBlobs::default(),
        clock: Arc::clone(&clock),
        is_over: AtomicBool::new(false),
    });
    let records = Arc::new(MemoryStore::new().unwrap());
    match_stores(records.as_ref(), blobs.as_ref())
        .await
        .unwrap();
    let shared_blobs: Arc<dyn BlobStore> = Arc::<Overtaken>::clone(&blobs);
    let shared_clock: Arc<dyn Clock> = Arc::<MockClock>::clone(&clock);
    let service = Service::new(records, shared_blobs, shared_clock, LIMITS, PERIODS);

    let request = request(BODY_LEN);
    let id = request.id.clone();
    service.create(request, &Terms::default()).await.unwrap();
    let part = PartWrite {
        object: ObjectName {
            id: id.clone(),
            index: 0,
            random: 1,
        },
        len: PART_LEN,
        digest: [7; 32],
    };
    let owner_verifier = token::owner_verifier(&owner());
    let begun = service
        .records()
        .begin_part(&owner_verifier, &part, service.moment())
        .await;
    assert_eq!(begun.unwrap(), Ok(PartStart::Write));
    service.burn(&id, &owner()).await.unwrap();

    sweep(&service).await.unwrap();
    assert_eq!(blobs.blobs.count(), 1, "it came after its deletion");
    sweep(&service).await.unwrap();
    assert_eq!(blobs.blobs.count(), 0);
}
