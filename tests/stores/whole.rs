//! The real server on a bucket: transfers go through it and leave nothing behind, it starts again on what it kept, and tells who
//! comes to a strange one.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use onetimeshare_client::{
    Client, Collected, Content, FileSource, LinkUrl, Opening, SendOptions, Sent, send,
};
use onetimeshare_server::record::memory::MemoryStore;
use onetimeshare_server::service::{MatchError, match_stores};
use onetimeshare_tests::{Meddling, S3, S3Faults, Server};

use crate::buckets::{open, pattern, url};

/// Bodies beyond 4 KiB go in parts of 64 KiB.
const SETTINGS: [&str; 4] = ["--part-size", "64 KiB", "--inline-max", "4 KiB"];

/// Everything that anybody has to say.
const LOUD: &[&str] = &["--log", "trace,object_store=trace"];

fn settings(url: &str) -> Vec<&str> {
    [&SETTINGS[..], &["--blob-url", url]].concat()
}

fn send_file(client: &Client, content: &Bytes) -> Sent {
    let file = FileSource {
        name: "a".to_owned(),
        media_type: String::new(),
        size: u64::try_from(content.len()).unwrap(),
        source: Box::new(Cursor::new(content.to_vec())),
    };
    send(client, &SendOptions::default(), Content::Files(vec![file])).unwrap()
}

fn receive(client: &Client, sent: &Sent) -> Vec<u8> {
    let url = LinkUrl::parse(&sent.link).unwrap();
    let opening = Opening::new(client, url.link(), None).unwrap();
    let token = client.generate_claim_token().unwrap();
    let mut sink = Collected::default();
    let received = opening.claim(&token).unwrap().receive(&mut sink).unwrap();
    assert!(received.untold.is_none() && sink.is_complete);
    let [(_, content)] = &sink.entries[..] else {
        panic!("one file was sent");
    };
    content.clone()
}

/// Every part in the bucket's folder.
fn parts(server: &S3) -> Vec<PathBuf> {
    let folder = server.folder().join(S3::BUCKET).join("a/parts");
    files_below(&folder)
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = folder.read_dir().into_iter().flatten().flatten();
    entries
        .flat_map(|entry| {
            let path = entry.path();
            if path.is_dir() {
                files_below(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

/// Waits until no part is left: within a minute, as is promised.
#[track_caller]
fn wait_for_no_part(server: &S3) {
    const PAUSE: Duration = Duration::from_millis(50);
    for _ in 0..1200 {
        if parts(server).is_empty() {
            return;
        }
        thread::sleep(PAUSE);
    }
    panic!("{:?}", parts(server));
}

/// Fails when a log holds a transfer's id or a credential.
#[track_caller]
fn tells_nothing(log: &str, sent: &[Sent]) {
    let ids = sent.iter().map(|sent| sent.receipt.id.to_text());
    let secrets = [S3::SECRET_KEY, S3::ACCESS_KEY].map(str::to_owned);
    for secret in ids.chain(secrets) {
        assert!(!log.contains(&secret), "{secret} stands in the log:\n{log}");
    }
}

#[test]
fn transfers_go_through_a_bucket_and_leave_nothing_in_it() {
    let bucket = S3::s3s_fs();
    let url = url("a");
    let settings = [&settings(&url)[..], LOUD].concat();
    let mut server = Server::start_with(&settings, bucket.variables());
    let client = Client::new(&server.base()).unwrap();
    client.readyz().unwrap();
    let content = pattern(500_000);
    let [delivered, burnt] = [(); 2].map(|()| send_file(&client, &content));
    assert_eq!(parts(&bucket).len(), 2 * 8);
    assert!(!server.data_dir().join("blobs").exists());
    assert!(files_below(&server.data_dir().join("spool")).is_empty());

    server.restart();
    assert!(receive(&client, &delivered) == content);
    let receipt = &burnt.receipt;
    client.burn(&receipt.id, &receipt.owner_token).unwrap();
    wait_for_no_part(&bucket);
    let id = bucket.folder().join(S3::BUCKET).join("a/store-id");
    assert!(id.is_file());
    assert!(server.stop().success());
    let log = server.log();
    assert!(!log.contains("WARN") && !log.contains("ERROR"), "{log}");
    tells_nothing(&log, &[delivered, burnt]);
}

#[test]
fn a_bucket_that_does_not_answer_loses_nothing() {
    let bucket = S3::s3s_fs();
    let proxy = S3Faults::before(bucket.address());
    let url = url("a");
    let settings = [&settings(&url)[..], LOUD].concat();
    let mut server = Server::start_with(&settings, S3::variables_of(proxy.address()));
    let client = Client::new(&server.base()).unwrap();
    let content = pattern(200_000);
    let [opened, burnt] = [(); 2].map(|()| send_file(&client, &content));

    proxy.meddle(|_| Some(Meddling::refuse(503, "SlowDown")));
    let status = client.readyz().unwrap_err().to_string();
    assert!(status.contains("store"), "{status}");
    let receipt = &burnt.receipt;
    client.burn(&receipt.id, &receipt.owner_token).unwrap();
    proxy.pass();
    // What was found is told for a second.
    thread::sleep(Duration::from_secs(1));
    client.readyz().unwrap();
    assert!(receive(&client, &opened) == content);
    wait_for_no_part(&bucket);
    server.stop();
    let log = server.log();
    assert!(
        log.contains("SlowDown") && log.contains("object_store"),
        "{log}"
    );
    tells_nothing(&log, &[opened, burnt]);
}

#[test]
fn a_bucket_that_hangs_holds_up_no_stop() {
    let bucket = S3::s3s_fs();
    let proxy = S3Faults::before(bucket.address());
    let url = url("a");
    let mut server = Server::start_with(&settings(&url), S3::variables_of(proxy.address()));
    let client = Client::new(&server.base()).unwrap();
    let burnt = send_file(&client, &pattern(200_000)).receipt;
    let before = proxy.count(|_| true);
    proxy.meddle(|_| Some(Meddling::Hang));
    client.burn(&burnt.id, &burnt.owner_token).unwrap();
    while proxy.count(|_| true) == before {
        // The sweep has not begun yet.
        thread::sleep(Duration::from_millis(20));
    }
    let begun = tokio::time::Instant::now();
    assert!(server.stop().success());
    assert!(
        begun.elapsed() < Duration::from_secs(9),
        "{:?}",
        begun.elapsed()
    );
    proxy.pass();
    server.restart();
    wait_for_no_part(&bucket);
}

#[test]
fn a_bucket_that_keeps_versions_is_warned_of() {
    let bucket = S3::moto();
    let url = url("a");
    for (keeps, expected) in [(None, false), (Some(true), true), (Some(false), false)] {
        if let Some(keeps) = keeps {
            bucket.keep_versions(keeps);
        }
        let prefix = format!("{url}{expected}{}", keeps.is_some());
        let mut server = Server::start_with(&settings(&prefix), bucket.variables());
        server.stop();
        let log = server.log();
        assert_eq!(log.contains("keeps versions"), expected, "{log}");
    }
}

#[tokio::test]
async fn a_bucket_belongs_to_one_record_store() {
    let bucket = S3::s3s_fs();
    let opened = open(bucket.address(), "a").await;
    let [own, other] = [(); 2].map(|()| MemoryStore::new().unwrap());
    for _ in 0..2 {
        match_stores(&own, &opened.store).await.unwrap();
    }
    let strange = match_stores(&other, &opened.store).await;
    assert!(matches!(strange, Err(MatchError::Strangers)), "{strange:?}");
}
