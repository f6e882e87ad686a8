//! What one client may hold, at real servers on each store: exact however many requests come at once, kept over a restart, given
//! back, and nowhere an address in the clear.

use std::fs;
use std::sync::Arc;
use std::thread;

use onetimeshare_client::{Client as Caller, Content, Error, SendOptions, send};
use onetimeshare_server::alias::Aliases;
use onetimeshare_server::blob::memory::MemoryBlobs;
use onetimeshare_server::budget::Client;
use onetimeshare_server::record::conformance::Sample;
use onetimeshare_server::record::{RecordStore as _, StoreId};
use onetimeshare_server::redis::record::RedisStore;
use onetimeshare_server::redis::{Address, Terms};
use onetimeshare_server::transfer::Holder;
use onetimeshare_tests::{Redis, S3, Server};

use crate::budgets::{caller, status_of};
use crate::operating::start_on_with;
use crate::redis::{AT, open, urls_of};

const TEN: [&str; 2] = ["--client-transfers-max", "10"];

fn make(caller: &Caller) -> Result<onetimeshare_client::Sent, Error> {
    send(caller, &SendOptions::default(), Content::Text("abc"))
}

/// How many of so many at once, spread over `servers`, are made. The others are refused for the quota.
fn make_at_once(servers: &[&Server], count: usize) -> usize {
    let callers: Vec<_> = servers.iter().map(|server| caller(server)).collect();
    thread::scope(|scope| {
        let callers = callers.iter().cycle().take(count);
        let tasks: Vec<_> = callers
            .map(|caller| scope.spawn(move || status_of(make(caller))))
            .collect();
        let statuses = tasks.into_iter().map(|task| task.join().unwrap());
        let made = statuses.filter(|&status| {
            assert!(status == 200 || status == 403, "{status}");
            status == 200
        });
        made.count()
    })
}

#[test]
fn quotas_are_exact_at_one_server_and_outlive_its_restart() {
    let (redis, bucket) = (Redis::start(&[]), S3::s3s_fs());
    for mut server in [Server::start(&TEN), start_on_with(&redis, &bucket, &TEN)] {
        assert_eq!(make_at_once(&[&server], 9), 9);
        let last = caller(&server);
        let sent = make(&last).unwrap();
        assert_eq!(make_at_once(&[&server], 40), 0);
        server.restart();
        assert_eq!(make_at_once(&[&server], 10), 0, "after the restart");
        let again = caller(&server);
        again
            .burn(&sent.receipt.id, &sent.receipt.owner_token)
            .unwrap();
        assert_eq!(make_at_once(&[&server], 40), 1);
        let log = server.log();
        assert!(
            !log.contains("127.0.0.1\"") && !log.contains("Holder"),
            "{log}"
        );
    }
}

#[test]
fn of_many_at_once_as_many_are_made_as_may_be() {
    let (redis, bucket) = (Redis::start(&[]), S3::s3s_fs());
    for server in [Server::start(&TEN), start_on_with(&redis, &bucket, &TEN)] {
        assert_eq!(make_at_once(&[&server], 100), 10);
    }
}

#[test]
fn two_servers_exceed_it_by_no_more_than_they_take_in_at_once() {
    let (redis, bucket) = (Redis::start(&[]), S3::s3s_fs());
    let servers = [(); 2].map(|()| start_on_with(&redis, &bucket, &TEN));
    let [one, other] = &servers;
    let made = make_at_once(&[one, other], 60);
    assert!((10..=20).contains(&made), "{made}");
    // What the others have made is known to each by then.
    assert_eq!(make_at_once(&[one, other], 20), 0);
}

/// Every field of the hashes that holders are counted in, and their values.
fn counted(nodes: &[&Redis]) -> String {
    let mut told = String::new();
    for node in nodes {
        for shard in "0123456789abcdef".chars() {
            let key = format!("onetimeshare:{{{shard}}}:held");
            let answer = node.ask(&["HGETALL", &key]);
            // Of a cluster one node has it.
            if !answer.starts_with("-MOVED") && !answer.starts_with("*0") {
                told += &answer;
            }
        }
    }
    told
}

#[tokio::test]
async fn counters_in_redis_name_nobody_and_go_with_the_last_transfer() {
    let redis = Redis::start(&[]);
    let nodes = Redis::start_cluster(3);
    let cluster: Vec<_> = nodes.iter().collect();
    for (urls, nodes) in [(redis.url(), &[&redis][..]), (urls_of(&nodes), &cluster)] {
        let store = open(&urls, 0).await;
        let address = Address::parse(&urls).unwrap();
        let client = Client::new("192.0.2.77".parse().unwrap());
        let holder = store.aliases(&address).client(client);
        // Another server of the same store knows it by the same name.
        let blobs = Arc::new(MemoryBlobs::default());
        let other = RedisStore::open(&address, Terms::default(), blobs).await;
        assert_eq!(other.unwrap().aliases(&address).client(client), holder);

        let samples: Vec<_> = (0..20).map(|_| Sample::inline(1).of(holder)).collect();
        for sample in &samples {
            let created = store.create(sample.new.clone(), AT).await;
            assert!(created.unwrap().unwrap().is_new);
        }
        assert_eq!(store.held_by(&holder).await.unwrap().client.count, 20);
        let told = counted(nodes);
        assert!(told.contains(&holder.to_text()));
        for address in ["192.0.2.77", "c000024d", "3221226061"] {
            assert!(!told.contains(address), "{told}");
        }
        for sample in &samples {
            let owner = &sample.new.creation.owner_verifier;
            store.burn(sample.id(), owner, AT).await.unwrap().unwrap();
        }
        assert_eq!(counted(nodes), "");
        for sample in &samples {
            let record = store.receipt(sample.id(), &sample.new.creation.owner_verifier, AT);
            record.await.unwrap().unwrap();
        }
        if let [redis] = nodes {
            // Tombstones do not say whose they were either.
            let keys = redis.ask(&["KEYS", "*"]);
            for key in keys
                .lines()
                .filter(|line| line.starts_with("onetimeshare:"))
            {
                let value = redis.ask(&["HGETALL", key]);
                assert!(!value.contains(&holder.to_text()), "{key}");
            }
        }
    }
}

#[test]
fn nothing_of_a_client_is_kept_where_there_is_no_quota() {
    let server = Server::start(&[]);
    make(&caller(&server)).unwrap();
    let bounded = Server::start(&TEN);
    make(&caller(&bounded)).unwrap();
    let has_holder = |server: Server| {
        let database = server.data_dir().join("records.sqlite");
        let mut bytes = fs::read(&database).unwrap();
        let log = database.with_extension("sqlite-wal");
        bytes.extend(fs::read(log).unwrap_or_default());
        let id = fs::read_to_string(server.data_dir().join("blobs/store-id"));
        let id = u128::from_str_radix(id.unwrap().trim(), 16).unwrap();
        let aliases = Aliases::of_holders(&StoreId(id.to_be_bytes()), None);
        let holder: Holder = aliases.client(Client::new("127.0.0.1".parse().unwrap()));
        let needle = holder.as_bytes();
        bytes.windows(needle.len()).any(|window| window == needle)
    };
    assert!(!has_holder(server));
    assert!(has_holder(bounded));
}
