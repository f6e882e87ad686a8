//! The record store in a real Redis.

use std::sync::Arc;

use onetimeshare_server::blob::memory::MemoryBlobs;
use onetimeshare_server::record::conformance;
use onetimeshare_server::redis::record::RedisStore;
use onetimeshare_server::redis::{Address, Terms};
use onetimeshare_tests::Redis;

async fn open(urls: &str) -> RedisStore {
    let address = Address::parse(urls).unwrap();
    let blobs = Arc::new(MemoryBlobs::default());
    RedisStore::open(&address, Terms::default(), blobs)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn records_in_redis_conform() {
    let redis = Redis::start(&[]);
    let store = open(&redis.url()).await.at_callers_time();
    conformance::run_all(Arc::new(store)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn records_in_a_cluster_of_redis_conform() {
    let nodes = Redis::start_cluster(3);
    let urls: Vec<_> = nodes.iter().map(Redis::url).collect();
    // A cluster has one database, and its addresses name none.
    let urls = urls.join(",").replace("/0", "");
    let store = open(&urls).await.at_callers_time();
    conformance::run_all(Arc::new(store)).await;
}
