//! Buckets that cannot be used: each is told at the start in one sentence that says where to look, and never a value.

use std::sync::atomic::{AtomicBool, Ordering};

use onetimeshare_tests::{Meddling, S3, S3Faults};

use crate::buckets::{try_open, url};

/// Fails unless the bucket at `url` is refused with a sentence that holds `expected`.
async fn refused(url: &str, variables: Vec<(String, String)>, expected: &[&str]) {
    let told = match try_open(url, variables).await {
        Ok(opened) => panic!("{expected:?}: {opened:?}"),
        Err(error) => error.to_string(),
    };
    for expected in expected {
        assert!(told.contains(expected), "{expected}: {told}");
    }
    assert_eq!(told.lines().count(), 1, "{told}");
    for secret in [S3::SECRET_KEY, S3::ACCESS_KEY, "hunter2", "127.0.0.1"] {
        assert!(!told.contains(secret), "{told}");
    }
}

fn with(mut variables: Vec<(String, String)>, name: &str, value: &str) -> Vec<(String, String)> {
    variables.retain(|(present, _)| present != name);
    variables.push((name.to_owned(), value.to_owned()));
    variables
}

#[tokio::test]
async fn wrong_credentials() {
    let server = S3::s3s_fs();
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        let variables = with(server.variables(), name, "hunter2");
        let expected = ["with these credentials", "begin with AWS_"];
        refused(&url(""), variables, &expected).await;
    }
}

#[tokio::test]
async fn no_credentials_at_all() {
    let server = S3::s3s_fs();
    let mut variables = server.variables();
    variables.retain(|(name, _)| !name.contains("KEY"));
    // Where the library asks the machine for some: nobody is there.
    let variables = with(variables, "AWS_METADATA_ENDPOINT", "http://127.0.0.1:1");
    let expected = [
        "without credentials",
        "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    ];
    refused(&url(""), variables, &expected).await;
}

#[tokio::test]
async fn no_such_bucket() {
    // The other server makes buckets as they are written to.
    let server = S3::moto();
    let expected = ["there is no such bucket", "NoSuchBucket"];
    refused("s3://hunter2/a", server.variables(), &expected).await;
}

#[tokio::test]
async fn nobody_listens() {
    let mut server = S3::s3s_fs();
    server.kill();
    let expected = ["cannot be reached", "refused"];
    refused(&url(""), server.variables(), &expected).await;
    let variables = with(
        server.variables(),
        "AWS_ENDPOINT_URL",
        "http://hunter2.invalid",
    );
    refused(&url(""), variables, &["cannot be reached"]).await;
}

#[tokio::test]
async fn what_may_not_be_done_is_told() {
    let server = S3::s3s_fs();
    let proxy = S3Faults::before(server.address());
    for (method, done) in [("PUT", "written"), ("GET", "read"), ("POST", "deleted")] {
        proxy.meddle(move |request| {
            (request.method == method).then(|| Meddling::refuse(403, "AccessDenied"))
        });
        let expected = [
            &*format!("nothing can be {done} in the bucket"),
            "AccessDenied",
        ];
        refused(&url(""), S3::variables_of(proxy.address()), &expected).await;
    }
    // S3 to those who may not list: what is not there is forbidden.
    let is_deleted = AtomicBool::new(false);
    proxy.meddle(move |request| {
        if request.is_deletion() {
            is_deleted.store(true, Ordering::SeqCst);
        }
        let is_missing = request.method == "GET" && is_deleted.load(Ordering::SeqCst);
        is_missing.then(|| Meddling::refuse(403, "AccessDenied"))
    });
    let expected = ["allow them to list it"];
    refused(&url(""), S3::variables_of(proxy.address()), &expected).await;
}

#[tokio::test]
async fn another_region_an_old_endpoint_and_a_full_bucket() {
    let server = S3::s3s_fs();
    let proxy = S3Faults::before(server.address());
    for (status, code, expected) in [
        (301, "PermanentRedirect", "lies elsewhere"),
        (400, "AuthorizationHeaderMalformed", "lies elsewhere"),
        (507, "XMinioStorageFull", "has no room"),
        (405, "MethodNotAllowed", "check its endpoint"),
    ] {
        proxy.meddle(move |_| Some(Meddling::refuse(status, code)));
        refused(&url(""), S3::variables_of(proxy.address()), &[expected]).await;
    }
}

#[tokio::test]
async fn a_bucket_that_forgets_and_one_that_does_not() {
    let server = S3::s3s_fs();
    let proxy = S3Faults::before(server.address());
    proxy.meddle(|request| (request.method == "PUT").then_some(Meddling::Lose));
    refused(
        &url(""),
        S3::variables_of(proxy.address()),
        &["does not give back"],
    )
    .await;
    proxy.meddle(|request| request.is_deletion().then_some(Meddling::Lose));
    refused(
        &url(""),
        S3::variables_of(proxy.address()),
        &["still gives out"],
    )
    .await;
}

#[tokio::test]
async fn a_folder_for_parts_on_their_way_that_cannot_be_made() {
    use onetimeshare_server::blob::object::BucketStore;
    let server = S3::s3s_fs();
    let file = tempfile::NamedTempFile::new().unwrap();
    let bucket = crate::buckets::bucket(&url(""), server.variables());
    let error = BucketStore::open(bucket, &file.path().join("spool"))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("parts on their way"), "{error}");
}
