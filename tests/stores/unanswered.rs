//! Servers that do not answer, or not as they should: every step ends in time, with an error that says which kind, and nothing
//! half-written is ever seen.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use onetimeshare_server::blob::{BlobStore as _, conformance};
use onetimeshare_server::record::{StoreError, StoreId, StoreResult};
use onetimeshare_tests::{Meddling, S3, S3Faults};
use tokio::time::{Instant, timeout};

use crate::buckets::{Opened, body, open, part, pattern, read};

/// Callers of a store have gone by then.
const STEP_MAX: Duration = Duration::from_secs(30);

/// Every step of a store at once, each within its time.
async fn every_step(opened: &Opened) -> Vec<(&'static str, StoreResult<()>)> {
    let store = &opened.store;
    let object = part(1, 1);
    let objects = [part(1, 1), part(1, 2)];
    let bytes = pattern(100_000);
    let begun = Instant::now();
    let steps = async {
        tokio::join!(
            store.write(&object, body(&bytes)),
            read(store, &object, 0..10),
            store.delete_all(&objects),
            store.list_old(0, 1 << 40, 10),
            store.store_id(),
            store.adopt(&StoreId([1; 16])),
        )
    };
    let steps = timeout(STEP_MAX, steps).await;
    let (written, found, deleted, listed, id, adopted) =
        steps.unwrap_or_else(|_| panic!("not done after {:?}", begun.elapsed()));
    vec![
        ("write", written),
        ("read", found.map(|_| ())),
        ("delete", deleted.into_iter().collect()),
        ("list", listed.map(|_| ())),
        ("id", id.map(|_| ())),
        ("adopt", adopted),
    ]
}

#[track_caller]
fn all_unreachable(steps: Vec<(&'static str, StoreResult<()>)>) {
    for (step, result) in steps {
        let Err(StoreError::Unreachable(told)) = result else {
            panic!("{step}: {result:?}");
        };
        for secret in [S3::BUCKET, S3::SECRET_KEY, S3::ACCESS_KEY, "http", "AQEB"] {
            assert!(!told.contains(secret), "{step}: {told}");
        }
    }
}

#[tokio::test]
async fn a_server_that_is_down() {
    let mut server = S3::s3s_fs();
    let opened = open(server.address(), "").await;
    server.kill();
    all_unreachable(every_step(&opened).await);
}

#[tokio::test]
async fn a_server_that_fails() {
    let server = S3::s3s_fs();
    let proxy = S3Faults::before(server.address());
    let opened = open(proxy.address(), "").await;
    for (status, code) in [
        (500, "InternalError"),
        (503, "SlowDown"),
        (403, "AccessDenied"),
        // A bucket that is gone is no empty one.
        (404, "NoSuchBucket"),
    ] {
        proxy.meddle(move |_| Some(Meddling::refuse(status, code)));
        all_unreachable(every_step(&opened).await);
    }
    // Something else that listens there.
    proxy.meddle(|_| Some(Meddling::Answer(200, "hello".to_owned())));
    let steps = every_step(&opened).await;
    for (step, result) in steps.into_iter().filter(|(step, _)| *step != "write") {
        assert!(result.is_err(), "{step}");
    }
    proxy.pass();
    conformance::large_objects_stream(&opened.store).await;
}

#[tokio::test]
async fn a_server_that_hangs() {
    let server = S3::s3s_fs();
    let proxy = S3Faults::before(server.address());
    let opened = open(proxy.address(), "").await;
    proxy.meddle(|_| Some(Meddling::Hang));
    all_unreachable(every_step(&opened).await);
    proxy.pass();
    conformance::large_objects_stream(&opened.store).await;
}

#[tokio::test]
async fn a_server_that_is_full() {
    let server = S3::s3s_fs();
    let proxy = S3Faults::before(server.address());
    let opened = open(proxy.address(), "").await;
    for (status, code) in [
        (507, "XMinioStorageFull"),
        (507, "Other"),
        (403, "QuotaExceeded"),
        (400, "XMinioAdminBucketQuotaExceeded"),
    ] {
        proxy.meddle(move |request| {
            (request.method == "PUT").then(|| Meddling::refuse(status, code))
        });
        let written = opened.store.write(&part(1, 1), body(&pattern(10))).await;
        assert!(matches!(written, Err(StoreError::Full(_))), "{written:?}");
    }
}

#[tokio::test]
async fn what_breaks_off_is_never_sent() {
    let server = S3::s3s_fs();
    let proxy = S3Faults::before(server.address());
    let opened = open(proxy.address(), "").await;
    let before = proxy.count(|request| request.method == "PUT");
    let bytes = pattern(500_000);
    let torn = body(&bytes).chain(stream::iter([Err(StoreError::Interrupted)]));
    let written = opened.store.write(&part(1, 1), torn.boxed()).await;
    assert!(
        matches!(written, Err(StoreError::Interrupted)),
        "{written:?}"
    );
    assert_eq!(proxy.count(|request| request.method == "PUT"), before);
}

#[tokio::test]
async fn a_write_that_comes_late_is_deleted_by_a_later_deletion() {
    let server = S3::s3s_fs();
    let proxy = S3Faults::before(server.address());
    let opened = open(proxy.address(), "").await;
    let (object, bytes) = (part(1, 1), pattern(1000));
    proxy.meddle(|request| (request.method == "PUT").then_some(Meddling::Delay));
    opened.store.write(&object, body(&bytes)).await.unwrap_err();
    proxy.pass();
    opened.store.delete(&object).await.unwrap();
    assert_eq!(read(&opened.store, &object, 0..1).await.unwrap(), None);
    assert!(proxy.deliver() > 0);
    let late = read(&opened.store, &object, 0..1000).await.unwrap();
    assert!(late.unwrap() == bytes);
    opened.store.delete(&object).await.unwrap();
    assert_eq!(read(&opened.store, &object, 0..1).await.unwrap(), None);
}
