//! Records in a cluster of Redis: three nodes that share the slots. The load that kills one of them after the other.

use onetimeshare_tests::Redis;

use super::Fleet;
use super::kills::end;
use crate::ledger::Ledger;
use crate::load::Load;
use crate::scale::{row, seeded, short_or_long};

/// Calls before and after a kill, at most.
const CALLS_MAX: u64 = 200;

#[test]
fn a_cluster_whose_nodes_are_killed_has_all_that_was_acknowledged() {
    let rounds = short_or_long(3, 30);
    let mut rng = seeded("cluster");
    let mut nodes = Redis::start_cluster(3);
    let urls: Vec<_> = nodes
        .iter()
        .map(|node| format!("redis://{}", node.address()))
        .collect();
    let mut fleet = Fleet::start(2, &urls.join(","), &[]);
    let bases = fleet.bases();
    let mut load = Load::new(Ledger::with_faults(), &mut rng);
    for round in 0..rounds {
        let index = round % nodes.len();
        load.during(&bases, &mut rng, |counts, rng| {
            counts.pass(rng.u64(1..CALLS_MAX), rng);
            let node = &mut nodes[index];
            node.kill();
            counts.pass(rng.u64(1..CALLS_MAX / 4), rng);
            node.restart();
            node.wait_for(&["CLUSTER", "INFO"], "cluster_state:ok");
        });
        fleet.wait_until_ready();
        load.check(&bases, true, &mut rng);
    }
    end(&fleet, &mut load, &mut rng);
    row(
        "`kill -9` of one of 3 nodes of a Redis cluster under a mixed load on 2 servers",
        &format!(
            "{rounds} kills, {} calls, {} of them answered 503, {} transfers",
            load.counts.calls(),
            load.counts.refused(),
            load.ended()
        ),
        "nothing acknowledged was lost, nothing given twice, no part left in the bucket",
    );
}
