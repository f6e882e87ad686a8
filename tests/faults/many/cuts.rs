//! Connections to Redis that break at any byte, of what is asked and of what is answered: what a server does not know it finds
//! out, and what it cannot find out it does not say.

use onetimeshare_tests::Redis;

use super::Fleet;
use super::kills::end;
use crate::ledger::Ledger;
use crate::load::Load;
use crate::proxy::Proxy;
use crate::scale::{row, seeded, short_or_long};

/// Calls between two looks at everything that was touched.
const CALLS: u64 = 400;

#[test]
fn connections_to_redis_cut_at_any_byte_lose_nothing_and_give_nothing_twice() {
    let rounds = short_or_long(5, 100);
    let mut rng = seeded("cuts to redis");
    let redis = Redis::start(&[]);
    let proxy = Proxy::start(redis.address(), rng.fork());
    // A server that begins is no part of this: it needs to reach Redis once.
    proxy.set_cutting(false);
    let mut fleet = Fleet::start(2, &format!("redis://{}/0", proxy.address()), &[]);
    let bases = fleet.bases();
    let mut load = Load::new(Ledger::with_faults(), &mut rng);
    for _ in 0..rounds {
        proxy.set_cutting(true);
        // Those that stand are closed, so that all are made anew, through what cuts them.
        redis.ask(&["CLIENT", "KILL", "TYPE", "normal"]);
        load.during(&bases, &mut rng, |counts, rng| counts.pass(CALLS, rng));
        proxy.set_cutting(false);
        fleet.wait_until_ready();
        load.check(&bases, true, &mut rng);
    }
    end(&fleet, &mut load, &mut rng);
    let (calls, refused, cuts) = (load.counts.calls(), load.counts.refused(), proxy.cuts());
    assert!(
        cuts > 10 * rounds,
        "only {cuts} connections to Redis were cut"
    );
    row(
        "connections to Redis cut at random bytes in both directions, under a mixed load on 2 servers",
        &format!(
            "{cuts} cuts, {calls} calls, {refused} of them answered 503, {} transfers",
            load.ended()
        ),
        "nothing acknowledged was lost, nothing given twice, no part left in the bucket",
    );
}
