//! Old copies of Redis, of a part of it, under stores that run: none of them is used, whoever knew how far it had come, and all goes
//! on with the right one.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use onetimeshare_protocol::id::ClaimVerifier;
use onetimeshare_server::blob::memory::MemoryBlobs;
use onetimeshare_server::blob::{BlobStore, ByteStream, ObjectName};
use onetimeshare_server::record::conformance::Sample;
use onetimeshare_server::record::{RecordStore as _, StoreError, StoreId, StoreResult};
use onetimeshare_server::redis::record::RedisStore;
use onetimeshare_server::redis::{Address, Risk, Terms};
use onetimeshare_server::service::match_stores;
use onetimeshare_server::transfer::Refusal;
use onetimeshare_tests::Redis;

use crate::redis::{AT, claim, create, urls_of};

/// By so many seconds a shard may have fallen behind.
const BEHIND_MAX_S: u64 = 60;

/// Two stores of one cluster, as two servers have them.
struct Pair {
    nodes: Vec<Redis>,
    blobs: Arc<MemoryBlobs>,
    one: RedisStore,
    other: RedisStore,
}

impl Pair {
    async fn start() -> Self {
        let nodes = Redis::start_cluster(3);
        let blobs = Arc::new(MemoryBlobs::default());
        let open = || open(&nodes, &blobs, &[]);
        let (one, other) = (open().await, open().await);
        Self {
            nodes,
            blobs,
            one,
            other,
        }
    }

    const fn stores(&self) -> [&RedisStore; 2] {
        [&self.one, &self.other]
    }

    /// What the node that holds the key answers.
    #[track_caller]
    fn ask(&self, words: &[&str]) -> String {
        let answers = self.nodes.iter().map(|node| node.ask(words));
        let mut answers = answers.filter(|answer| !answer.starts_with("-MOVED"));
        answers.next().expect("one node holds the key")
    }

    #[track_caller]
    fn mark(&self, shard: &str) -> u64 {
        let answer = self.ask(&["GET", &format!("onetimeshare:{{{shard}}}:mark")]);
        let mark = answer.lines().nth(1).and_then(|mark| mark.parse().ok());
        mark.expect("a mark is a time")
    }

    #[track_caller]
    fn set_mark(&self, shard: &str, mark: u64) {
        let key = format!("onetimeshare:{{{shard}}}:mark");
        let answer = self.ask(&["SET", &key, &mark.to_string()]);
        assert_eq!(answer, "+OK\r\n");
    }

    /// Copies what `from` names in `shard` over `to`.
    #[track_caller]
    fn copy(&self, shard: &str, from: &str, to: &str) {
        let [from, to] = [from, to].map(|name| format!("onetimeshare:{{{shard}}}:{name}"));
        let answer = self.ask(&["COPY", &from, &to, "REPLACE"]);
        assert_eq!(answer, ":1\r\n");
    }
}

async fn open(nodes: &[Redis], blobs: &Arc<MemoryBlobs>, accepted: &[Risk]) -> RedisStore {
    let address = Address::parse(&urls_of(nodes)).unwrap();
    let terms = Terms {
        accepted: accepted.to_vec(),
        ..Terms::default()
    };
    let blobs = Arc::clone(blobs);
    RedisStore::open(&address, terms, blobs).await.unwrap()
}

/// The shard that a sample lies in, as keys name it.
fn shard_of(sample: &Sample) -> String {
    format!("{:x}", sample.id().as_bytes()[0] >> 4)
}

#[track_caller]
fn assert_behind<T: std::fmt::Debug>(told: StoreResult<T>) {
    let told = told.map_err(|error| error.to_string());
    let is_behind = |told: &String| told.contains("old copy of itself");
    assert!(told.as_ref().is_err_and(is_behind), "{told:?}");
}

/// Everything that a store is asked for about an old copy, but for its id and its mark, which tell what it is.
async fn assert_refused(store: &RedisStore, sample: &Sample) {
    let (id, owner) = (sample.id(), &sample.new.creation.owner_verifier);
    assert_behind(claim(store, sample).await);
    assert_behind(store.create(sample.new.clone(), AT).await);
    assert_behind(store.receipt(id, owner, AT).await);
    assert_behind(store.burn(id, owner, AT).await);
    assert_behind(store.part_object(id, 0).await);
    assert_behind(store.is_known(id).await);
    assert_behind(store.totals().await);
    assert_behind(store.sweep(1000, AT).await);
    assert_behind(store.take_deletions(1000, AT).await);
    assert_behind(store.has_no_parts().await);
    assert_behind(store.probe().await);
}

/// Blobs where another server leaves a newer mark, just before it is looked for.
#[derive(Debug)]
struct Moving {
    blobs: Arc<MemoryBlobs>,
    other: RedisStore,
}

#[async_trait]
impl BlobStore for Moving {
    async fn write(&self, object: &ObjectName, body: ByteStream) -> StoreResult<()> {
        self.blobs.write(object, body).await
    }

    async fn read(
        &self,
        object: &ObjectName,
        range: Range<u64>,
    ) -> StoreResult<Option<ByteStream>> {
        self.blobs.read(object, range).await
    }

    async fn delete(&self, object: &ObjectName) -> StoreResult<()> {
        self.blobs.delete(object).await
    }

    async fn list_old(&self, age_s: u64, now: u64, limit: usize) -> StoreResult<Vec<ObjectName>> {
        self.blobs.list_old(age_s, now, limit).await
    }

    async fn store_id(&self) -> StoreResult<Option<StoreId>> {
        self.blobs.store_id().await
    }

    async fn adopt(&self, store_id: &StoreId) -> StoreResult<()> {
        self.blobs.adopt(store_id).await
    }

    async fn mark(&self) -> StoreResult<Option<u64>> {
        let mark = self.other.advance_mark().await?.expect("a first one");
        self.blobs.set_mark(mark).await?;
        self.blobs.mark().await
    }

    async fn set_mark(&self, mark: u64) -> StoreResult<()> {
        self.blobs.set_mark(mark).await
    }
}

#[tokio::test]
async fn a_mark_that_another_server_moves_on_meanwhile_is_no_old_copy() {
    let redis = Redis::start(&[]);
    let blobs = Arc::new(MemoryBlobs::default());
    let nodes = [redis];
    let one = open(&nodes, &blobs, &[]).await;
    let other = open(&nodes, &blobs, &[]).await;
    match_stores(&one, &Moving { blobs, other }).await.unwrap();
}

#[tokio::test]
async fn an_old_copy_of_a_node_grants_nothing_and_all_goes_on_with_the_right_one() {
    let pair = Pair::start().await;
    let sample = create(&pair.one).await;
    let (shard, id) = (shard_of(&sample), sample.id().to_text());
    pair.copy(&shard, &id, "old");
    claim(&pair.one, &sample).await.unwrap().unwrap();
    let claimant = ClaimVerifier::from_bytes([1; 32]);
    let delivered = pair.one.deliver(sample.id(), &claimant, AT).await;
    delivered.unwrap().unwrap();
    pair.copy(&shard, &id, "present");

    // One moves it on, the other only hears of it.
    let mark = pair.one.advance_mark().await.unwrap().expect("a first one");
    assert_eq!(pair.other.advance_mark().await.unwrap(), None);
    assert_eq!(pair.other.mark().await.unwrap(), Some(mark));

    pair.copy(&shard, "old", &id);
    let old = mark - BEHIND_MAX_S - 1;
    pair.set_mark(&shard, old);
    for store in pair.stores() {
        assert_refused(store, &sample).await;
    }
    // Nobody makes it look like the present one.
    pair.set_mark("0", old);
    for store in pair.stores() {
        assert_behind(store.advance_mark().await);
    }
    assert_eq!(pair.mark(&shard), old);

    pair.copy(&shard, "present", &id);
    for shard in ["0", &shard] {
        pair.set_mark(shard, mark);
    }
    for store in pair.stores() {
        let told = claim(store, &sample).await.unwrap();
        assert!(matches!(told, Err(Refusal::LeaseEnded { .. })), "{told:?}");
        claim(store, &create(store).await).await.unwrap().unwrap();
        store.probe().await.unwrap();
    }
}

#[tokio::test]
async fn what_was_left_with_the_blobs_is_known_too() {
    let pair = Pair::start().await;
    let sample = create(&pair.one).await;
    let mark = pair.one.advance_mark().await.unwrap().expect("a first one");
    // This one has heard of none, as when it was cut off for long.
    let old = mark - BEHIND_MAX_S - 1;
    pair.set_mark(&shard_of(&sample), old);
    pair.other.expect_mark(mark);
    assert_behind(claim(&pair.other, &sample).await);
    pair.set_mark(&shard_of(&sample), mark);
    claim(&pair.other, &sample).await.unwrap().unwrap();
}

#[tokio::test]
async fn the_last_moments_may_be_lost_and_an_old_copy_may_be_accepted() {
    let pair = Pair::start().await;
    let sample = create(&pair.one).await;
    let mark = pair.one.advance_mark().await.unwrap().expect("a first one");
    pair.set_mark(&shard_of(&sample), mark - BEHIND_MAX_S);
    claim(&pair.one, &sample).await.unwrap().unwrap();

    pair.set_mark(&shard_of(&sample), 1);
    assert_behind(claim(&pair.one, &sample).await);
    let accepting = open(&pair.nodes, &pair.blobs, &[Risk::Restored]).await;
    accepting.expect_mark(mark);
    claim(&accepting, &sample).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_mark_that_was_moved_on_in_a_part_refuses_no_other() {
    let pair = Pair::start().await;
    let mark = pair.one.advance_mark().await.unwrap().expect("a first one");
    // Whoever moved it on, after hours in which nobody did, has ended over it.
    let later = mark + 3600;
    pair.set_mark("0", later);
    assert_eq!(pair.other.mark().await.unwrap(), Some(mark));
    pair.other.probe().await.unwrap();
    pair.other.sweep(1000, AT).await.unwrap();
    // A mark that is ahead stays.
    pair.other.advance_mark().await.unwrap();
    assert_eq!((pair.mark("0"), pair.mark("7")), (later, mark));
}

#[tokio::test]
async fn the_mark_of_a_stranger_is_not_taken_for_the_store_s() {
    let pair = Pair::start().await;
    let sample = create(&pair.one).await;
    let shard = shard_of(&sample);
    let mark = pair.one.advance_mark().await.unwrap().expect("a first one");
    pair.copy(&shard, "seal", "kept");
    let seal = format!("onetimeshare:{{{shard}}}:seal");
    pair.ask(&["SET", &seal, "another"]);
    pair.set_mark(&shard, mark + 3600);
    // It tells what it is asked for, and is asked before each sweep.
    pair.one.mark().await.unwrap();
    let told = claim(&pair.one, &sample).await;
    assert!(
        matches!(&told, Err(StoreError::Corrupt(words)) if words.contains("not the store")),
        "{told:?}"
    );
    pair.copy(&shard, "kept", "seal");
    pair.set_mark(&shard, mark);
    claim(&pair.one, &sample).await.unwrap().unwrap();
}
