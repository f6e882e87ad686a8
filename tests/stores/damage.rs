//! What no server has written into Redis, or what a newer one has: it is told, and keeps nothing else from being swept.

use onetimeshare_protocol::id::TransferId;
use onetimeshare_server::blob::ObjectName;
use onetimeshare_server::record::RecordStore as _;
use onetimeshare_server::record::conformance::{PERIODS, Sample};
use onetimeshare_server::transfer::Moment;
use onetimeshare_tests::Redis;

use crate::redis::open;

/// More than one step touches.
const MANY: u64 = 300;

/// How many one step touches.
const BATCH: usize = 256;

const BEGUN: Moment = Moment {
    now: 1000,
    periods: PERIODS,
};

/// When everything is over.
const LATER: Moment = Moment {
    now: 1_000_000_000,
    periods: PERIODS,
};

/// Puts names into an index, due before everything else.
fn plant(redis: &Redis, index: &str, names: impl Iterator<Item = String>) {
    let scored: Vec<_> = names.flat_map(|name| ["1".to_owned(), name]).collect();
    let command: Vec<_> = ["ZADD", index]
        .into_iter()
        .chain(scored.iter().map(String::as_str))
        .collect();
    redis.ask(&command);
}

#[tokio::test]
async fn what_cannot_be_read_keeps_nothing_from_being_swept() {
    let redis = Redis::start(&[]);
    let store = open(&redis.url(), 0).await.at_callers_time();
    let sample = Sample::inline(1);
    store
        .create(sample.new.clone(), BEGUN)
        .await
        .unwrap()
        .unwrap();

    let key = |name: &str| {
        let shard = sample.id().as_bytes()[0] >> 4;
        format!("onetimeshare:{{{shard:x}}}:{name}")
    };
    let (due, queue) = (key("due"), key("queue"));
    let strange = |number: u64| {
        let mut bytes = *sample.id().as_bytes();
        bytes[8..].copy_from_slice(&number.to_be_bytes());
        TransferId::from_bytes(bytes)
    };
    let of_strange = |number| ObjectName {
        id: strange(number),
        index: 0,
        random: 1,
    };
    plant(
        &redis,
        &due,
        (0..MANY).map(|number| format!("no id {number}")),
    );
    let [none, text] = [1, MANY].map(|number| strange(number).to_text());
    redis.ask(&["HSET", &key(&none), "v", "1"]);
    redis.ask(&["SET", &key(&text), "no transfer"]);
    plant(&redis, &due, [&none, &text].into_iter().cloned());
    plant(
        &redis,
        &queue,
        (0..MANY).map(|number| format!("no object {number}")),
    );
    plant(
        &redis,
        &queue,
        (0..MANY).map(|number| of_strange(number).to_string()),
    );
    redis.ask(&["HSET", &key(&none), "q0.0000000000000001", "no time"]);

    let mut steps = 0;
    while store.sweep(BATCH, LATER).await.unwrap() == BATCH {
        steps += 1;
        assert!(steps < 10, "sweeping never ends");
    }
    let mut taken = Vec::new();
    for _ in 0..4 {
        let more = store.take_deletions(BATCH, LATER).await.unwrap();
        taken.extend(more.objects);
    }
    let [object] = &taken[..] else {
        panic!("not just the body: {taken:?}");
    };
    assert_eq!(object.id, *sample.id());

    // It may be mended by then, or read by another version.
    for id in [&none, &text] {
        let put_off = redis.ask(&["ZSCORE", &due, id]);
        assert!(put_off.contains("1000003600"), "{put_off}");
    }
    assert_eq!(redis.ask(&["ZCARD", &queue]), ":1\r\n");
}
