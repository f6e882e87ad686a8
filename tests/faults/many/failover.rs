//! A primary of Redis that is lost, and its replica promoted by a sentinel. Where replicas are waited for, what the replica does
//! not have was never given; where they are not, it is given again, which shows that the test can see it.

use std::thread;

use onetimeshare_client::Client;
use onetimeshare_protocol::error::ErrorCode;
use onetimeshare_tests::Redis;

use super::kills::end;
use super::{Fleet, PATIENCE};
use crate::ledger::Ledger;
use crate::load::Load;
use crate::scale::{row, seeded, short_or_long, until};
use crate::secret::{PART_LEN, Secret};
use crate::tale::{Tale, any, fresh};
use crate::wire::{Answer, Call, Heard};

/// Transfers of each kind while the replica is cut off: so many are called at one moment, since each call waits, and a replica
/// that is cut off for long is not promoted.
const EACH: usize = 12;

const WAITING: &[&str] = &["--redis-replicas", "1"];

/// A primary, its replica, and the sentinel that watches them.
struct Watched {
    primary: Redis,
    replica: Redis,
    sentinel: Redis,
}

impl Watched {
    fn start() -> Self {
        let primary = Redis::start(&[]);
        let replica = Redis::start_replica(&primary);
        let sentinel = Redis::start_sentinel(&primary);
        Self {
            primary,
            replica,
            sentinel,
        }
    }

    /// The address that servers follow.
    fn url(&self) -> String {
        format!("redis+sentinel://{}/main", self.sentinel.address())
    }

    /// Cuts the replica off: it goes on with what it has, and its primary lets it come no more.
    fn cut(&self) {
        self.replica.ask(&[
            "CONFIG",
            "SET",
            "masterauth",
            "a word that is not asked for",
        ]);
        self.primary.ask(&["CLIENT", "KILL", "TYPE", "replica"]);
        self.replica
            .wait_for(&["INFO", "replication"], "master_link_status:down");
    }

    /// Waits until the replica is the primary, with a replica of its own, and the sentinel knows both. The one before.
    fn promoted(&mut self) -> Redis {
        self.replica.wait_for(&["ROLE"], "master");
        self.replica.ask(&["CONFIG", "SET", "masterauth", ""]);
        let next = Redis::start_replica(&self.replica);
        self.sentinel.wait_for(
            &["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main"],
            &self.replica.port().to_string(),
        );
        self.sentinel.wait_for(
            &["SENTINEL", "REPLICAS", "main"],
            &next.address().to_string(),
        );
        let promoted = std::mem::replace(&mut self.replica, next);
        std::mem::replace(&mut self.primary, promoted)
    }
}

fn seal(content_len: usize, rng: &mut fastrand::Rng) -> Vec<Tale> {
    let tale = |_| Tale::new(Secret::seal(rng, content_len, 1), Ledger::with_faults());
    (0..EACH).map(tale).collect()
}

/// A call that is asked for when nothing can be replicated is refused, and said again it is refused again.
fn refused_twice(tales: &mut [Tale], clients: &[Client], calls: Vec<Call>) {
    thread::scope(|scope| {
        for (index, (tale, call)) in tales.iter_mut().zip(calls).enumerate() {
            scope.spawn(move || {
                for turn in 0..2 {
                    // Each time on another server.
                    let heard = tale.call(&clients[(index + turn) % clients.len()], &call);
                    assert!(is_unreachable(&heard), "{call:?}, {turn}: {heard:?}");
                }
            });
        }
    });
}

fn is_unreachable(heard: &Heard) -> bool {
    matches!(heard, Heard::Answer(Answer::Refused(body)) if body.code == ErrorCode::StoreUnreachable)
}

/// Claims each transfer as somebody new. How many were given.
fn claim_all(tales: &[Tale], clients: &[Client], rng: &mut fastrand::Rng) -> Vec<bool> {
    thread::scope(|scope| {
        let claims: Vec<_> = tales
            .iter()
            .map(|tale| {
                let (client, claimant) = (any(clients, rng), fresh(rng));
                let claim = move || {
                    let claimed = client.claim(tale.secret.id(), &claimant, &tale.secret.claim());
                    claimed.is_ok()
                };
                scope.spawn(claim)
            })
            .collect();
        let claims = claims.into_iter();
        claims
            .map(|claim| claim.join().expect("a claimant does not panic"))
            .collect()
    })
}

#[test]
fn what_a_replica_does_not_have_is_not_given_nor_acknowledged() {
    let rounds = short_or_long(1, 10);
    let mut rng = seeded("failover");
    for _ in 0..rounds {
        let mut redis = Watched::start();
        let mut fleet = Fleet::start(2, &redis.url(), WAITING);
        let clients = fleet.clients();
        let [mut ready, mut claimed, mut burning] =
            [1000, 1000, 2000].map(|len| seal(len, &mut rng));
        let mut uploaded = seal(PART_LEN + 1000, &mut rng);
        for tale in ready.iter_mut().chain(&mut claimed).chain(&mut burning) {
            tale.upload(&clients, &mut rng);
        }
        for tale in &mut claimed {
            tale.call(any(&clients, &mut rng), &Call::Claim(fresh(&mut rng)));
        }
        for tale in &mut uploaded {
            tale.call(any(&clients, &mut rng), &Call::Create);
            for index in 0..tale.secret.part_count() {
                tale.call(any(&clients, &mut rng), &Call::Part(index));
            }
        }

        redis.cut();
        let claims = ready.iter().map(|_| Call::Claim(fresh(&mut rng))).collect();
        let holders = claimed.iter().filter_map(|tale| tale.holders().next());
        let deliveries = holders.map(Call::Delivered).collect();
        thread::scope(|scope| {
            let clients = &clients;
            scope.spawn(|| refused_twice(&mut ready, clients, claims));
            scope.spawn(|| refused_twice(&mut claimed, clients, deliveries));
            scope.spawn(|| refused_twice(&mut burning, clients, vec![Call::Burn; EACH]));
            scope.spawn(|| refused_twice(&mut uploaded, clients, vec![Call::Complete; EACH]));
        });
        redis.primary.kill();
        let mut lost = redis.promoted();
        fleet.wait_until_ready();
        // It comes back with what nobody was given, and finds another in its place.
        lost.restart();
        let tales = [&mut ready, &mut claimed, &mut burning, &mut uploaded];
        for tale in tales.into_iter().flatten() {
            tale.check(&clients, &mut rng);
            tale.open_and_end(&clients, &mut rng);
        }
        fleet.wait_for_no_part();
    }
    row(
        "a primary lost whose replica was cut off before, `--redis-replicas 1`: claims, deliveries, burns and completions meanwhile",
        &format!("{rounds} times, {} transfers", 4 * EACH * rounds),
        "each answered 503, also said again; given by the promoted replica once; 0 given twice",
    );
}

#[test]
fn without_waiting_for_replicas_a_fail_over_gives_again_but_not_what_was_delivered() {
    let rounds = short_or_long(1, 10);
    let mut rng = seeded("failover, the control");
    let (mut twice, mut delivered_twice) = (0, 0);
    for _ in 0..rounds {
        let mut redis = Watched::start();
        let mut fleet = Fleet::start(2, &redis.url(), &["--redis-replicas", "0"]);
        let clients = fleet.clients();
        let mut tales = seal(1000, &mut rng);
        for tale in &mut tales {
            tale.upload(&clients, &mut rng);
        }
        redis.cut();
        let (claimed, delivered) = tales.split_at_mut(EACH / 2);
        assert_eq!(
            claim_all(claimed, &clients, &mut rng),
            vec![true; claimed.len()]
        );
        let parts = fleet.parts().len();
        for tale in delivered.iter_mut() {
            tale.open_and_end(&clients, &mut rng);
        }
        until("what was delivered to be deleted", PATIENCE, || {
            fleet.parts().len() == parts - delivered.len()
        });
        redis.primary.kill();
        redis.promoted();
        fleet.wait_until_ready();
        let given = |claims: Vec<bool>| claims.into_iter().filter(|&given| given).count();
        twice += given(claim_all(claimed, &clients, &mut rng));
        delivered_twice += given(claim_all(delivered, &clients, &mut rng));
    }
    row(
        "the control: the same with `--redis-replicas 0`, half of the transfers delivered meanwhile",
        &format!("{rounds} times, {} transfers", EACH * rounds),
        &format!("given twice: {twice} that were claimed, {delivered_twice} that were delivered"),
    );
    assert!(twice > 0, "the control shows no danger");
    assert_eq!(delivered_twice, 0, "its body was erased");
}

/// Calls before a primary is lost, and after it came back, at most.
const CALLS_MAX: u64 = 200;

#[test]
fn a_fail_over_under_load_loses_nothing_and_gives_nothing_twice() {
    let rounds = short_or_long(2, 20);
    let mut rng = seeded("failover under load");
    let mut redis = Watched::start();
    let mut fleet = Fleet::start(2, &redis.url(), WAITING);
    let bases = fleet.bases();
    let mut load = Load::new(Ledger::with_faults(), &mut rng);
    for round in 0..rounds {
        load.during(&bases, &mut rng, |counts, rng| {
            counts.pass(rng.u64(1..CALLS_MAX), rng);
            // One is dead; the other only sleeps, and wakes up believing that it is the primary.
            let is_asleep = round % 2 == 1;
            if is_asleep {
                // It wakes up as a second replica, where one is waited for: then it must not be the next to be promoted.
                redis
                    .primary
                    .ask(&["CONFIG", "SET", "replica-priority", "0"]);
                redis.primary.freeze();
            } else {
                redis.primary.kill();
            }
            let lost = redis.promoted();
            counts.pass(rng.u64(1..CALLS_MAX), rng);
            if is_asleep {
                lost.thaw();
                counts.pass(rng.u64(1..CALLS_MAX), rng);
            }
        });
        fleet.wait_until_ready();
        load.check(&bases, true, &mut rng);
    }
    end(&fleet, &mut load, &mut rng);
    row(
        "a primary killed or asleep and its replica promoted, under a mixed load on 2 servers, `--redis-replicas 1`",
        &format!(
            "{rounds} fail-overs, {} calls, {} of them answered 503, {} transfers",
            load.counts.calls(),
            load.counts.refused(),
            load.ended()
        ),
        "nothing acknowledged was lost, nothing given twice; no server was started again",
    );
}
