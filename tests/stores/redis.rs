//! The record store in a real Redis.

use std::sync::Arc;

use onetimeshare_server::blob::memory::MemoryBlobs;
use onetimeshare_server::record::conformance;
use onetimeshare_server::redis::record::RedisStore;
use onetimeshare_server::redis::{Address, Terms};
use onetimeshare_tests::Redis;

/// The store at `urls`, where so many replicas are waited for.
pub(crate) async fn open(urls: &str, replicas: u32) -> RedisStore {
    let address = Address::parse(urls).unwrap();
    let terms = Terms {
        replicas,
        ..Terms::default()
    };
    let blobs = Arc::new(MemoryBlobs::default());
    RedisStore::open(&address, terms, blobs).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn records_in_redis_conform() {
    let redis = Redis::start(&[]);
    let store = open(&redis.url(), 0).await.at_callers_time();
    conformance::run_all(Arc::new(store)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn records_in_a_cluster_of_redis_conform() {
    let nodes = Redis::start_cluster(3);
    let store = open(&urls_of(&nodes), 0).await.at_callers_time();
    conformance::run_all(Arc::new(store)).await;
    let _replicas = Redis::start_cluster_replicas(&nodes);
    let store = open(&urls_of(&nodes), 1).await.at_callers_time();
    conformance::run_all(Arc::new(store)).await;
}

fn urls_of(nodes: &[Redis]) -> String {
    let urls: Vec<_> = nodes.iter().map(Redis::url).collect();
    // A cluster has one database, and its addresses name none.
    urls.join(",").replace("/0", "")
}
