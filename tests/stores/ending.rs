//! A transfer that ends between the moment at which a claim looks at it and that at which its body is read: whoever claims is told
//! that end.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use onetimeshare_protocol::transfer::Cause;
use onetimeshare_server::blob::memory::MemoryBlobs;
use onetimeshare_server::blob::{BlobStore, ByteStream, ObjectName};
use onetimeshare_server::record::conformance::Sample;
use onetimeshare_server::record::{RecordStore as _, StoreId, StoreResult};
use onetimeshare_server::redis::record::RedisStore;
use onetimeshare_server::redis::{Address, Terms};
use onetimeshare_server::transfer::Refusal;
use onetimeshare_tests::Redis;

use crate::redis::{AT, claim, create};

/// Blobs where, just before a body is read, its transfer is burnt by way of another server, and the body erased.
#[derive(Debug)]
struct Ending {
    blobs: Arc<MemoryBlobs>,
    other: RedisStore,
    burnt: OnceLock<Sample>,
}

#[async_trait]
impl BlobStore for Ending {
    async fn write(&self, object: &ObjectName, body: ByteStream) -> StoreResult<()> {
        self.blobs.write(object, body).await
    }

    async fn read(
        &self,
        object: &ObjectName,
        range: Range<u64>,
    ) -> StoreResult<Option<ByteStream>> {
        if let Some(sample) = self.burnt.get() {
            let owner = &sample.new.creation.owner_verifier;
            let burnt = self.other.burn(sample.id(), owner, AT).await?;
            assert_eq!(burnt, Ok(()));
        }
        self.blobs.delete(object).await?;
        self.blobs.read(object, range).await
    }

    async fn delete(&self, object: &ObjectName) -> StoreResult<()> {
        self.blobs.delete(object).await
    }

    async fn list_old(&self, age_s: u64, now: u64, limit: usize) -> StoreResult<Vec<ObjectName>> {
        self.blobs.list_old(age_s, now, limit).await
    }

    async fn store_id(&self) -> StoreResult<Option<StoreId>> {
        self.blobs.store_id().await
    }

    async fn adopt(&self, store_id: &StoreId) -> StoreResult<()> {
        self.blobs.adopt(store_id).await
    }

    async fn mark(&self) -> StoreResult<Option<u64>> {
        self.blobs.mark().await
    }

    async fn set_mark(&self, mark: u64) -> StoreResult<()> {
        self.blobs.set_mark(mark).await
    }
}

#[tokio::test]
async fn a_claim_that_a_burn_overtakes_is_told_of_the_burn() {
    let redis = Redis::start(&[]);
    let address = Address::parse(&redis.url()).unwrap();
    let blobs = Arc::new(MemoryBlobs::default());
    let shared: Arc<dyn BlobStore> = Arc::<MemoryBlobs>::clone(&blobs);
    let other = RedisStore::open(&address, Terms::default(), shared);
    let ending = Arc::new(Ending {
        blobs,
        other: other.await.unwrap(),
        burnt: OnceLock::new(),
    });
    let shared: Arc<dyn BlobStore> = Arc::<Ending>::clone(&ending);
    let store = RedisStore::open(&address, Terms::default(), shared);
    let store = store.await.unwrap();

    // Of one that nobody has ended the body is lost, as after a fail-over.
    let lost = create(&store).await;
    let told = |claimed| match claimed {
        Ok(Err(Refusal::Gone { cause, .. })) => cause,
        other => panic!("{other:?}"),
    };
    assert_eq!(told(claim(&store, &lost).await), Cause::Lapsed);

    let burnt = create(&store).await;
    ending.burnt.set(burnt.clone()).unwrap();
    assert_eq!(told(claim(&store, &burnt).await), Cause::Burnt);
    // Now it is gone before anything is read.
    assert_eq!(told(claim(&store, &burnt).await), Cause::Burnt);
}
