//! What an operator of several servers meets: stores that are mixed up, full, emptied or started again, and what the server says
//! of settings that do not fit. Nothing that it says holds a password.

use std::fs;
use std::thread;
use std::time::Duration;

use futures_util::future::join_all;
use onetimeshare_client::Client;
use onetimeshare_protocol::id::TransferId;
use onetimeshare_server::blob::BlobStore as _;
use onetimeshare_server::blob::memory::MemoryBlobs;
use onetimeshare_server::record::{Adoption, RecordStore as _};
use onetimeshare_server::redis::record::RedisStore;
use onetimeshare_server::service::{MatchError, match_stores};
use onetimeshare_tests::{Redis, S3, Server};

use crate::buckets::url;
use crate::redis::open;

const ADOPTION: &str = "onetimeshare:{0}:adoption";

/// Stands in every address, and nowhere else.
const SECRET: &str = "hunter2";

async fn try_match(redis: &Redis, blobs: &MemoryBlobs) -> Result<(), MatchError> {
    let records = open(&redis.url(), 0).await;
    match_stores(&records, blobs).await
}

#[tokio::test]
async fn blobs_without_an_id_are_refused_once_others_have_it() {
    let redis = Redis::start(&[]);
    let (first, second) = (MemoryBlobs::default(), MemoryBlobs::default());
    try_match(&redis, &first).await.unwrap();
    for _ in 0..2 {
        let told = try_match(&redis, &second).await;
        assert!(matches!(told, Err(MatchError::Elsewhere)), "{told:?}");
        assert_eq!(second.store_id().await.unwrap(), None);
    }
    try_match(&redis, &first).await.unwrap();

    // As an older version has left it.
    redis.ask(&["DEL", ADOPTION]);
    try_match(&redis, &first).await.unwrap();
    let told = try_match(&redis, &second).await;
    assert!(matches!(told, Err(MatchError::Elsewhere)), "{told:?}");

    // Who begins anew has emptied both.
    redis.ask(&["FLUSHALL"]);
    try_match(&redis, &second).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_begin_at_once_with_blobs_of_their_own_one_is_let_in() {
    for _ in 0..5 {
        let redis = Redis::start(&[]);
        let starts = (0..8).map(|_| async {
            let blobs = MemoryBlobs::default();
            let matched = try_match(&redis, &blobs).await;
            (matched.is_ok(), blobs.store_id().await.unwrap().is_some())
        });
        let starts = join_all(starts).await;
        let one = |&(is_let_in, has_id): &(bool, bool)| {
            assert_eq!(is_let_in, has_id, "{starts:?}");
            is_let_in
        };
        assert_eq!(starts.iter().filter(|start| one(start)).count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_begin_at_once_with_the_same_blobs_all_are_let_in() {
    let redis = Redis::start(&[]);
    let blobs = MemoryBlobs::default();
    let starts = join_all((0..8).map(|_| try_match(&redis, &blobs))).await;
    assert!(starts.iter().all(Result::is_ok), "{starts:?}");
}

#[tokio::test]
async fn one_that_dies_while_it_gives_the_id_is_not_waited_for_for_ever() {
    let redis = Redis::start(&[]);
    let records = open(&redis.url(), 0).await;
    assert_eq!(records.begin_adoption().await.unwrap(), Adoption::Open);
    assert_eq!(records.begin_adoption().await.unwrap(), Adoption::Pending);
    let left = redis.ask(&["TTL", ADOPTION]);
    assert!([":120\r\n", ":119\r\n"].contains(&&*left), "{left}");
    redis.ask(&["PEXPIRE", ADOPTION, "300"]);
    let blobs = MemoryBlobs::default();
    match_stores(&records, &blobs).await.unwrap();
    assert_eq!(redis.ask(&["TTL", ADOPTION]), ":-1\r\n");
}

#[tokio::test]
async fn a_full_redis_is_no_reason_not_to_begin() {
    let redis = Redis::start(&[]);
    let blobs = MemoryBlobs::default();
    try_match(&redis, &blobs).await.unwrap();
    redis.ask(&["CONFIG", "SET", "maxmemory", "1"]);
    try_match(&redis, &blobs).await.unwrap();
    redis.ask(&["DEL", ADOPTION]);
    try_match(&redis, &blobs).await.unwrap();
}

/// Everything that is not repeated by a step of its own.
async fn ask_everything(store: &RedisStore) {
    let id = TransferId::from_bytes([1; 16]);
    assert_eq!(store.part_object(&id, 0).await.unwrap(), None);
    assert!(!store.is_known(&id).await.unwrap());
    store.probe().await.unwrap();
    store.totals().await.unwrap();
    store.store_id().await.unwrap();
}

#[tokio::test]
async fn connections_that_a_restart_of_redis_has_cut_cost_no_call() {
    let mut redis = Redis::start(&[]);
    let replica = Redis::start_replica(&redis);
    // Each asks on another connection first. A replica takes seconds to come back, and its own connections are all alike.
    for (replicas, rounds) in [(0, 5), (1, 2)] {
        if replicas > 0 {
            replica.wait_for(&["INFO", "replication"], "master_link_status:up");
        }
        let store = open(&redis.url(), replicas).await;
        for begun in 0..rounds {
            ask_everything(&store).await;
            redis.restart();
            if replicas > 0 {
                replica.wait_for(&["INFO", "replication"], "master_link_status:up");
            }
            let id = TransferId::from_bytes([1; 16]);
            for _ in 0..begun {
                store.is_known(&id).await.unwrap();
            }
            store.probe().await.unwrap();
            ask_everything(&store).await;
        }
    }
}

/// A server with its records in this Redis and its blobs in this bucket.
fn start_on(redis: &Redis, bucket: &S3) -> Server {
    start_on_with(redis, bucket, &[])
}

/// The same, with further flags.
pub(crate) fn start_on_with(redis: &Redis, bucket: &S3, flags: &[&str]) -> Server {
    let (redis_url, blob_url) = (redis.url(), url("a"));
    let places = ["--redis-url", &redis_url, "--blob-url", &blob_url];
    Server::start_with(&[&places, flags].concat(), bucket.variables())
}

#[test]
fn readiness_names_a_bucket_that_was_emptied_and_a_redis_that_is_full() {
    let redis = Redis::start(&[]);
    let bucket = S3::s3s_fs();
    let server = start_on(&redis, &bucket);
    let client = Client::new(&server.base()).unwrap();
    let ready = || {
        // What was found is told for a second.
        thread::sleep(Duration::from_secs(1));
        client.readyz().map_err(|error| error.to_string())
    };
    ready().unwrap();

    redis.ask(&["CONFIG", "SET", "maxmemory", "1"]);
    let told = ready().unwrap_err();
    assert!(told.contains("the record store has no room"), "{told}");
    redis.ask(&["CONFIG", "SET", "maxmemory", "0"]);
    ready().unwrap();

    let (kept, aside) = (bucket.folder().join(S3::BUCKET), bucket.folder().join("b"));
    fs::rename(&kept, &aside).unwrap();
    fs::create_dir(&kept).unwrap();
    let told = ready().unwrap_err();
    assert!(told.contains("the blob store is not what"), "{told}");
    fs::remove_dir(&kept).unwrap();
    fs::rename(&aside, &kept).unwrap();
    ready().unwrap();
}

#[test]
fn the_start_and_the_end_of_an_outage_are_told_and_what_the_servers_keep_where() {
    let mut redis = Redis::start(&[]);
    let bucket = S3::s3s_fs();
    let place = format!("redis://:{SECRET}@127.0.0.1:{}/3", redis.port());
    redis.ask(&["CONFIG", "SET", "requirepass", SECRET]);
    let blob_url = url("a");
    let settings = ["--redis-url", &place, "--blob-url", &blob_url];
    let settings = [&settings[..], &["--redis-replicas", "1"]].concat();
    let server = Server::start_with(&settings, bucket.variables());
    let log = server.log();
    let told = format!(
        "the Redis at 127.0.0.1:{}/3 and in the bucket s3://{}/a",
        redis.port(),
        S3::BUCKET
    );
    assert!(log.contains(&told), "{log}");

    let client = Client::new(&server.base()).unwrap();
    redis.kill();
    thread::sleep(Duration::from_secs(1));
    client.readyz().unwrap_err();
    assert!(!server.log().contains("Redis is back"));
    redis.restart();
    redis.ask(&["CONFIG", "SET", "requirepass", SECRET]);
    thread::sleep(Duration::from_secs(1));
    // No replica is there.
    client.readyz().unwrap_err();
    let log = server.log();
    assert_eq!(log.matches("Redis is back").count(), 1, "{log}");
    // Told at the start, and once.
    assert_eq!(log.matches("0 of the 1 replicas").count(), 1, "{log}");
    assert!(!log.contains(SECRET), "{log}");
}

/// Fails unless a server is refused over this Redis with one sentence that holds all these words.
#[track_caller]
fn refused(redis_url: &str, words: &[&str]) {
    let said = Server::refused(&["--redis-url", redis_url], Vec::new());
    for word in words {
        assert!(said.contains(word), "{word}: {said}");
    }
    assert!(!said.contains(SECRET), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn a_redis_that_cannot_be_reached_is_named_with_what_to_do() {
    let mut redis = Redis::start(&[]);
    let place = format!("127.0.0.1:{}", redis.port());
    let with_tls = format!("rediss://me:{SECRET}@{place}/0");
    refused(&with_tls, &[&place, "redis:// instead of rediss://"]);
    let bucket = S3::s3s_fs();
    let other = bucket.address();
    let words = [&*other.to_string(), "whether a Redis is what answers there"];
    refused(&format!("redis://:{SECRET}@{other}"), &words);
    redis.kill();
    let words = [&*place, "refused", "check host and port"];
    refused(&format!("redis://:{SECRET}@{place}/2"), &words);
    let words = ["nowhere.invalid:6379", "check the host"];
    refused(&format!("redis://:{SECRET}@nowhere.invalid"), &words);
}

#[test]
fn a_redis_that_does_not_let_the_server_in_says_what_is_missing() {
    let redis = Redis::start(&[]);
    let url_as = |user: &str| format!("redis://{user}@127.0.0.1:{}/0", redis.port());
    redis.ask(&["CONFIG", "SET", "requirepass", "swordfish"]);
    let words = ["does not take the user and password", "WRONGPASS", "%40"];
    refused(&url_as(&format!(":{SECRET}")), &words);
    let words = ["does not take the user and password", "NOAUTH"];
    refused(&redis.url(), &words);

    let redis = Redis::start(&[]);
    let url_as = |user: &str| format!("redis://{user}@127.0.0.1:{}/0", redis.port());
    let allow = |rights: &[&str]| {
        let user = ["ACL", "SETUSER", "hunter2", "reset", "on", ">hunter2"];
        redis.ask(&[&user[..], rights].concat());
    };
    let url = url_as("hunter2:hunter2");
    allow(&["~onetimeshare:*", "+@all", "-@dangerous", "-@admin"]);
    refused(&url, &["call `info`", "+info +config|get"]);
    allow(&["~other:*", "+@all"]);
    refused(&url, &["touch the server's keys", "~onetimeshare:*"]);
    redis.ask(&["CONFIG", "SET", "appendonly", "no"]);
    allow(&["~onetimeshare:*", "+@all"]);
    let said = Server::refused(&["--redis-url", &url], Vec::new());
    assert!(said.contains("appendonly yes"), "{said}");
    assert!(!said.contains("unreachable"), "{said}");
    assert!(!said.contains("--data-dir"), "{said}");
}

#[test]
fn a_server_without_the_bucket_of_the_others_is_told_what_it_lacks() {
    let redis = Redis::start(&[]);
    let bucket = S3::s3s_fs();
    let _server = start_on(&redis, &bucket);
    let said = Server::refused(&["--redis-url", &redis.url()], Vec::new());
    assert!(said.contains("the same --blob-url as the others"), "{said}");
    assert!(!said.contains("--data-dir"), "{said}");
}
