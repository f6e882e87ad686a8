//! The record store in a real Redis.

use std::sync::Arc;
use std::time::Duration;

use onetimeshare_protocol::id::ClaimVerifier;
use onetimeshare_server::blob::memory::MemoryBlobs;
use onetimeshare_server::record::conformance::{PERIODS, Sample};
use onetimeshare_server::record::{Claimed, RecordStore as _, StoreResult};
use onetimeshare_server::redis::record::RedisStore;
use onetimeshare_server::redis::{Address, Terms};
use onetimeshare_server::transfer::{Moment, Outcome};
use onetimeshare_tests::{Meddling, Redis, S3, S3Faults};
use tokio::time::timeout;

use crate::buckets;

/// Steps are decided at Redis's time.
pub(crate) const AT: Moment = Moment {
    now: 0,
    periods: PERIODS,
};

/// Claims a sample, always as the same claimant.
pub(crate) async fn claim(store: &RedisStore, sample: &Sample) -> StoreResult<Outcome<Claimed>> {
    let creation = &sample.new.creation;
    let proofs = (&creation.link_verifier, &creation.access_verifier);
    let claimant = ClaimVerifier::from_bytes([1; 32]);
    store.claim(sample.id(), proofs, &claimant, AT).await
}

/// A sample that can be claimed.
pub(crate) async fn create(store: &RedisStore) -> Sample {
    let sample = Sample::inline(1);
    let created = store.create(sample.new.clone(), AT).await;
    assert!(created.unwrap().unwrap().is_new);
    sample
}

/// The store at `urls`, where so many replicas are waited for.
pub(crate) async fn open(urls: &str, replicas: u32) -> RedisStore {
    let terms = Terms {
        replicas,
        ..Terms::default()
    };
    open_on(urls, terms).await
}

async fn open_on(urls: &str, terms: Terms) -> RedisStore {
    let address = Address::parse(urls).unwrap();
    let blobs = Arc::new(MemoryBlobs::default());
    RedisStore::open(&address, terms, blobs).await.unwrap()
}

pub(crate) fn urls_of(nodes: &[Redis]) -> String {
    let urls: Vec<_> = nodes.iter().map(Redis::url).collect();
    // A cluster has one database, and its addresses name none.
    urls.join(",").replace("/0", "")
}

#[tokio::test]
async fn a_bucket_that_hangs_holds_up_a_connection_for_seconds() {
    let redis = Redis::start(&[]);
    let mark = open(&redis.url(), 0).await.advance_mark().await;
    assert!(mark.unwrap().is_some());
    let server = S3::s3s_fs();
    let proxy = S3Faults::before(server.address());
    let bucket = buckets::open(proxy.address(), "").await;
    proxy.meddle(|_| Some(Meddling::Hang));
    // What Redis says of its age is held against what was left with the blobs.
    let address = Address::parse(&redis.url()).unwrap();
    let opening = RedisStore::open(&address, Terms::default(), Arc::new(bucket.store));
    let opened = timeout(Duration::from_secs(10), opening).await;
    let told = opened.expect("it ends").unwrap_err().to_string();
    assert!(told.contains("too long"), "{told}");
}

#[tokio::test]
async fn a_rewrite_that_could_not_begin_is_asked_for_again() {
    let redis = Redis::start(&[]);
    let terms = Terms {
        rewrite_s: 3600,
        ..Terms::default()
    };
    // It cannot know what was erased before it began.
    let store = open_on(&redis.url(), terms).await;
    redis.ask(&["ACL", "SETUSER", "default", "-bgrewriteaof"]);
    store.scrub().await.unwrap_err();
    let asked = "onetimeshare:{0}:rewrite";
    assert_eq!(redis.ask(&["TTL", asked]), ":60\r\n");
    redis.ask(&["ACL", "SETUSER", "default", "+bgrewriteaof"]);
    redis.ask(&["DEL", asked]);
    store.scrub().await.unwrap();
    let told = redis.ask(&["INFO", "commandstats"]);
    assert!(told.contains("cmdstat_bgrewriteaof:calls=1,"), "{told}");
    store.scrub().await.unwrap();
    assert_eq!(redis.ask(&["TTL", asked]), ":3600\r\n");
}
