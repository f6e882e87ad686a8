//! Budgets that servers share over a real Redis: the same as in memory, exact over several servers, without an address in the
//! clear or a key that stays; and what becomes of requests when they cannot be asked.

use std::num::NonZeroU32;
use std::sync::Arc;

use futures_util::future::join_all;
use onetimeshare_client::{
    Client as Caller, Content, Error, Patience, SendOptions, Settings, send,
};
use onetimeshare_server::blob::BlobStore;
use onetimeshare_server::blob::memory::MemoryBlobs;
use onetimeshare_server::budget::{Budget, Client, Ledger as _, Rate, conformance};
use onetimeshare_server::redis::ledger::RedisLedger;
use onetimeshare_server::redis::record::RedisStore;
use onetimeshare_server::redis::{Address, Terms};
use onetimeshare_tests::{Redis, S3, Server};

use crate::operating::start_on_with;
use crate::redis::urls_of;

/// The ledgers of so many servers that share everything.
async fn ledgers<const N: usize>(urls: &str) -> [Arc<RedisLedger>; N] {
    let address = Address::parse(urls).unwrap();
    let blobs: Arc<dyn BlobStore> = Arc::new(MemoryBlobs::default());
    let mut ledgers = Vec::new();
    for _ in 0..N {
        let store = RedisStore::open(&address, Terms::default(), Arc::clone(&blobs)).await;
        ledgers.push(store.unwrap().ledger(&address));
    }
    ledgers.try_into().unwrap()
}

fn client(text: &str) -> Client {
    Client::new(text.parse().unwrap())
}

#[tokio::test]
async fn budgets_in_redis_conform() {
    let mut redis = Redis::start_with_clock();
    let [ledger] = ledgers(&redis.url()).await;
    conformance::run_all(ledger.as_ref(), |time| redis.pass(time)).await;
}

#[tokio::test]
async fn servers_that_spend_at_once_spend_no_more_than_there_is() {
    let redis = Redis::start(&[]);
    let nodes = Redis::start_cluster(3);
    for urls in [redis.url(), urls_of(&nodes)] {
        let ledgers: [_; 2] = ledgers(&urls).await;
        let of = (Budget::Create, Rate::new(30, 3600).unwrap());
        let spenders = [
            client("192.0.2.1"),
            client("2001:db8::1"),
            Client::of_token("ci"),
        ];
        for (which, spender) in spenders.into_iter().enumerate() {
            let spends = (0..100).map(|number| {
                let ledger = &ledgers[number % 2];
                ledger.spend(of, spender, NonZeroU32::MIN)
            });
            let waits = join_all(spends).await;
            let granted = waits
                .into_iter()
                .filter(|wait| wait.as_ref().unwrap().is_none());
            assert_eq!(granted.count(), 30, "{which} {urls}");
        }
    }
}

#[tokio::test]
async fn keys_end_with_their_use_and_tell_no_address() {
    let redis = Redis::start(&[]);
    let [ledger] = ledgers(&redis.url()).await;
    let of = (Budget::Create, Rate::new(60, 3600).unwrap());
    for text in ["192.0.2.77", "2001:db8:77:88::99"] {
        let wait = ledger.spend(of, client(text), NonZeroU32::MIN).await;
        assert_eq!(wait.unwrap(), None);
    }
    let told = redis.ask(&["KEYS", "onetimeshare:spent:*"]);
    let keys: Vec<_> = told
        .lines()
        .filter(|line| line.starts_with("onetimeshare:"))
        .collect();
    assert_eq!(keys.len(), 3, "one of IPv4, two of IPv6: {told}");
    for key in keys {
        let left = redis.ask(&["PTTL", key]);
        let left_ms: i64 = left.trim().trim_start_matches(':').parse().unwrap();
        assert!((1..=60_000).contains(&left_ms), "{key} {left}");
        let value = redis.ask(&["GET", key]);
        for address in [
            "192.0.2.77",
            "c000024d",
            "c0.00",
            "3221226061",
            "2001:db8",
            "20010db8",
        ] {
            assert!(
                !key.contains(address) && !value.contains(address),
                "{key} {value}"
            );
        }
    }
}

/// A client that gives up at once.
pub(crate) fn caller(server: &Server) -> Caller {
    let settings = Settings {
        patience: Patience::NONE,
        ..Settings::default()
    };
    Caller::with(&server.base(), settings).unwrap()
}

pub(crate) fn status_of<T: std::fmt::Debug>(outcome: Result<T, Error>) -> u16 {
    match outcome {
        Ok(_) => 200,
        Err(Error::Api { status, .. }) => status,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn two_servers_give_what_one_would() {
    let (redis, bucket) = (Redis::start(&[]), S3::s3s_fs());
    let servers = [(); 2].map(|()| {
        start_on_with(
            &redis,
            &bucket,
            &["--rate-open", "7/1h", "--rate-create", "3/1h"],
        )
    });
    let callers = servers.each_ref().map(caller);
    let turns = || callers.iter().cycle().take(20);
    let granted = turns().filter(|caller| status_of(caller.stats()) == 200);
    assert_eq!(granted.count(), 7);
    let made = turns().filter(|caller| {
        let content = Content::Text("abc");
        status_of(send(caller, &SendOptions::default(), content)) == 200
    });
    assert_eq!(made.count(), 3);
}

#[test]
fn without_budgets_nothing_new_is_taken_and_what_is_there_can_be_opened() {
    let (redis, bucket) = (Redis::start(&[]), S3::s3s_fs());
    let server = start_on_with(
        &redis,
        &bucket,
        &["--rate-open", "100/1h", "--rate-create", "100/1h"],
    );
    let caller = caller(&server);
    let make = || {
        let content = Content::Text("abc");
        status_of(send(&caller, &SendOptions::default(), content))
    };
    assert_eq!(make(), 200);
    // Records are within its rights, and what clients have spent is not.
    redis.ask(&[
        "ACL",
        "SETUSER",
        "default",
        "resetkeys",
        "~onetimeshare:{?}:*",
    ]);
    for _ in 0..2 {
        assert_eq!(make(), 503);
        assert_eq!(status_of(caller.stats()), 200);
    }
    redis.ask(&["ACL", "SETUSER", "default", "~*"]);
    assert_eq!(make(), 200);
    let log = server.log();
    let told = log
        .matches("the shared budgets cannot be asked: until they can")
        .count();
    assert_eq!(told, 1, "{log}");
    assert!(
        log.contains("the shared budgets can be asked again"),
        "{log}"
    );
}
