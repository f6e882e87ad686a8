//! `kill -9` of one of two servers, and of their Redis, at random points of a mixed load on both: everything acknowledged is there
//! and opens, nothing is granted twice, and nothing stays in the bucket.

use onetimeshare_tests::Redis;

use super::Fleet;
use crate::ledger::Ledger;
use crate::load::Load;
use crate::scale::{row, seeded, short_or_long};

/// Calls before a kill, and before what was killed is started again, at most.
const CALLS_MAX: u64 = 60;

/// Ends what lives, and sees that nothing is left of anything.
pub(super) fn end(fleet: &Fleet, load: &mut Load, rng: &mut fastrand::Rng) {
    load.end_all(&fleet.bases(), rng);
    fleet.wait_for_no_part();
    load.check(&fleet.bases(), true, rng);
}

#[test]
fn a_server_killed_under_load_leaves_the_other_nothing_to_repair() {
    let rounds = short_or_long(20, 500);
    let mut rng = seeded("kills of a server");
    let redis = Redis::start(&[]);
    let mut fleet = Fleet::start(2, &redis.url(), &[]);
    let bases = fleet.bases();
    // Nobody but the server that is killed fails: no answer blames a store.
    let mut load = Load::new(Ledger::default(), &mut rng);
    for round in 0..rounds {
        let killed = rng.usize(..fleet.servers.len());
        let server = &mut fleet.servers[killed];
        load.during(&bases, &mut rng, |counts, rng| {
            counts.pass(rng.u64(1..CALLS_MAX), rng);
            assert!(!server.has_ended(), "it ended by itself:\n{}", server.log());
            server.kill();
            counts.pass(rng.u64(1..CALLS_MAX), rng);
            server.restart();
        });
        load.check(&bases, round % 25 == 0, &mut rng);
    }
    end(&fleet, &mut load, &mut rng);
    let (calls, lost) = (load.counts.calls(), load.counts.lost());
    assert!(lost > 0, "no call was under way when a server was killed");
    row(
        "`kill -9` of one of 2 servers at a random point of a mixed load on both",
        &format!(
            "{rounds} kills, {calls} calls, {lost} of them without an answer, {} transfers",
            load.ended()
        ),
        "nothing acknowledged was lost, nothing given twice, no part left in the bucket",
    );
}

#[test]
fn a_redis_killed_under_load_has_all_that_was_acknowledged() {
    let rounds = short_or_long(5, 50);
    let mut rng = seeded("kills of redis");
    let mut redis = Redis::start(&[]);
    let mut fleet = Fleet::start(2, &redis.url(), &[]);
    let bases = fleet.bases();
    let mut load = Load::new(Ledger::with_faults(), &mut rng);
    for _ in 0..rounds {
        load.during(&bases, &mut rng, |counts, rng| {
            counts.pass(rng.u64(1..CALLS_MAX), rng);
            redis.kill();
            counts.pass(rng.u64(1..CALLS_MAX), rng);
            redis.restart();
            counts.pass(rng.u64(1..CALLS_MAX), rng);
        });
        fleet.wait_until_ready();
        load.check(&bases, true, &mut rng);
    }
    end(&fleet, &mut load, &mut rng);
    let (calls, refused) = (load.counts.calls(), load.counts.refused());
    assert!(
        refused > rounds,
        "only {refused} calls came while there was no Redis"
    );
    row(
        "`kill -9` of Redis (`appendfsync always`) at a random point of a mixed load on 2 servers",
        &format!(
            "{rounds} kills, {calls} calls, {refused} of them answered 503, {} transfers",
            load.ended()
        ),
        "nothing acknowledged was lost, nothing given twice, no part left in the bucket; no server was started again",
    );
}
