//! Reading where connections break, and objects that are not what they were.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{StreamExt as _, TryStreamExt as _};
use onetimeshare_server::blob::BlobStore as _;
use onetimeshare_server::record::StoreError;
use onetimeshare_tests::{Meddling, S3, S3Faults};

use crate::buckets::{body, open, part, pattern, read};

const LEN: usize = 3_000_000;

#[tokio::test]
async fn a_part_comes_whole_over_connections_that_break() {
    let server = S3::s3s_fs();
    let proxy = S3Faults::before(server.address());
    let opened = open(proxy.address(), "").await;
    let (object, bytes) = (part(1, 1), pattern(LEN));
    opened.store.write(&object, body(&bytes)).await.unwrap();
    proxy.meddle(|request| (request.method == "GET").then_some(Meddling::Cut(200_000)));
    let found = read(&opened.store, &object, 1..2_999_999).await.unwrap();
    assert!(found.unwrap() == bytes[1..LEN - 1]);
    assert!(proxy.count(|request| request.method == "GET") > 15);
}

#[tokio::test]
async fn connections_that_give_nothing_are_given_up() {
    let server = S3::s3s_fs();
    let proxy = S3Faults::before(server.address());
    let opened = open(proxy.address(), "").await;
    let (object, bytes) = (part(1, 1), pattern(LEN));
    opened.store.write(&object, body(&bytes)).await.unwrap();
    let cuts = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&cuts);
    proxy.meddle(move |request| {
        let is_first = request.method == "GET" && counted.fetch_add(1, Ordering::SeqCst) == 0;
        Some(Meddling::Cut(if is_first { 200_000 } else { 20 }))
    });
    let found = read(&opened.store, &object, 0..1_000_000).await;
    assert!(
        matches!(found, Err(StoreError::Unreachable(_))),
        "{found:?}"
    );
    assert!(cuts.load(Ordering::SeqCst) < 20);
}

#[tokio::test]
async fn an_object_that_vanishes_or_shrinks_is_an_error_and_never_a_gap() {
    let server = S3::s3s_fs();
    let proxy = S3Faults::before(server.address());
    let opened = open(proxy.address(), "").await;
    let (object, bytes) = (part(1, 1), pattern(LEN));
    let path = server
        .folder()
        .join(S3::BUCKET)
        .join("parts")
        .join(object.to_string());
    for then in [None, Some(1_000_000)] {
        opened.store.write(&object, body(&bytes)).await.unwrap();
        let file = path.clone();
        proxy.meddle(move |request| {
            let is_whole = file.metadata().is_ok_and(|file| file.len() == 3_000_000);
            (request.method == "GET" && is_whole).then_some(Meddling::Cut(200_000))
        });
        let pieces = opened.store.read(&object, 0..3_000_000).await.unwrap();
        let mut pieces = pieces.unwrap();
        pieces.next().await.unwrap().unwrap();
        match then {
            None => fs::remove_file(&path).unwrap(),
            Some(len) => {
                let shorter = bytes.slice(..len);
                opened.store.write(&object, body(&shorter)).await.unwrap();
            }
        }
        let rest: Result<Vec<_>, _> = pieces.try_collect().await;
        rest.unwrap_err();
    }
    let found = read(&opened.store, &object, 500_000..1_000_001).await;
    assert!(matches!(found, Err(StoreError::Corrupt(_))), "{found:?}");
    let found = read(&opened.store, &object, 1_000_000..1_000_001).await;
    assert!(matches!(found, Err(StoreError::Corrupt(_))), "{found:?}");
}
