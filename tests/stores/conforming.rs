//! Records conform in Redis, alone and as a cluster. Buckets conform on three servers of different making, also where conditions are not
//! known, and beside another store in the same bucket.

use std::sync::Arc;

use onetimeshare_server::blob::{BlobStore as _, conformance};
use onetimeshare_server::record::{StoreId, conformance as records};
use onetimeshare_tests::{Meddling, Redis, S3, S3Faults};

use crate::buckets::open;
use crate::redis;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn records_in_redis_conform() {
    let server = Redis::start(&[]);
    let store = redis::open(&server.url(), 0).await.at_callers_time();
    records::run_all(Arc::new(store)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn records_in_a_cluster_of_redis_conform() {
    let nodes = Redis::start_cluster(3);
    let store = redis::open(&redis::urls_of(&nodes), 0)
        .await
        .at_callers_time();
    records::run_all(Arc::new(store)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn records_in_a_cluster_whose_replicas_are_waited_for_conform() {
    let nodes = Redis::start_cluster(3);
    let _replicas = Redis::start_cluster_replicas(&nodes);
    let store = redis::open(&redis::urls_of(&nodes), 1)
        .await
        .at_callers_time();
    records::run_all(Arc::new(store)).await;
}

#[tokio::test]
async fn a_bucket_of_s3s_fs_conforms_and_two_prefixes_never_meet() {
    let server = S3::s3s_fs();
    for prefix in ["", "one", "one/two"] {
        let opened = open(server.address(), prefix).await;
        conformance::run_all(Arc::new(opened.store)).await;
        let mut waiting = std::fs::read_dir(opened.spool.path()).unwrap();
        assert!(waiting.next().is_none(), "parts that wait have no name");
    }
}

#[tokio::test]
async fn a_bucket_of_moto_conforms_with_versions_and_without() {
    let server = S3::moto();
    for (prefix, keeps) in [
        ("without", None),
        ("with", Some(true)),
        ("after", Some(false)),
    ] {
        if let Some(keeps) = keeps {
            server.keep_versions(keeps);
        }
        let opened = open(server.address(), prefix).await;
        assert_eq!(
            opened.store.keeps_versions(),
            keeps == Some(true),
            "{prefix}"
        );
        conformance::run_all(Arc::new(opened.store)).await;
    }
}

#[cfg(feature = "garage")]
#[tokio::test]
async fn a_bucket_of_garage_conforms() {
    let server = S3::garage();
    for prefix in ["", "one/two"] {
        let opened = open(server.address(), prefix).await;
        conformance::run_all(Arc::new(opened.store)).await;
    }
}

#[tokio::test]
async fn conditions_that_are_passed_over_or_not_known_do_not_matter() {
    let server = S3::moto();
    let proxy = S3Faults::before(server.address());
    let unknown = Meddling::refuse(501, "NotImplemented");
    for (prefix, meddling) in [("over", Meddling::Uncondition), ("unknown", unknown)] {
        proxy.meddle(move |request| request.is_conditional.then(|| meddling.clone()));
        let opened = open(proxy.address(), prefix).await;
        conformance::run_all(Arc::new(opened.store)).await;
    }
    assert!(proxy.count(|request| request.is_conditional) > 1);
}

#[tokio::test]
async fn of_many_who_adopt_at_once_the_one_whose_id_stays_is_let_in() {
    // Its conditional writes are not atomic: more than one may be let in, and all but one find a stranger's id afterwards.
    let server = S3::s3s_fs();
    let opened = open(server.address(), "").await;
    let store = Arc::new(opened.store);
    let adoptions = (0..8).map(|number| {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.adopt(&StoreId([number; 16])).await })
    });
    let adopted = futures_util::future::join_all(adoptions).await;
    let StoreId(found) = store.store_id().await.unwrap().expect("one of them");
    adopted[usize::from(found[0])]
        .as_ref()
        .unwrap()
        .as_ref()
        .unwrap();
    store.adopt(&StoreId([9; 16])).await.unwrap_err();
}
