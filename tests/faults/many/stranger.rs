//! A Redis that is not the one that the servers began with: emptied, another database, an old copy of itself. Nothing that was
//! delivered is given again, nothing alive is deleted, and with the right one back all goes on.

use std::thread;
use std::time::Duration;

use onetimeshare_client::Client;
use onetimeshare_protocol::error::ErrorCode;
use onetimeshare_tests::Redis;

use super::{Fleet, PATIENCE};
use crate::ledger::Ledger;
use crate::scale::{row, seeded, until};
use crate::secret::{PART_LEN, Secret};
use crate::tale::{Tale, any, fresh};
use crate::wire::{self, Answer, Call, Heard};

/// Transfers, half of them in parts.
const EACH: usize = 6;

/// Into how many parts a store in Redis is cut.
const SHARD_COUNT: u8 = 16;

/// How far behind an old copy is, beyond what is forgiven.
const OLD: Duration = Duration::from_mins(2);

/// Ready transfers.
fn send(clients: &[Client], rng: &mut fastrand::Rng) -> Vec<Tale> {
    let content_lens = [1000, PART_LEN + 1000].into_iter().cycle().take(EACH);
    content_lens
        .map(|content_len| {
            let secret = Secret::seal(rng, content_len, 1);
            let mut tale = Tale::new(secret, Ledger::with_faults());
            tale.upload(clients, rng);
            tale
        })
        .collect()
}

fn open_and_end(tales: &mut [Tale], clients: &[Client], rng: &mut fastrand::Rng) {
    for tale in tales {
        tale.check(clients, rng);
        tale.open_and_end(clients, rng);
    }
}

/// Every server refuses these, and new ones, and says that its record store is why.
fn refuses_all(tales: &[Tale], clients: &[Client], rng: &mut fastrand::Rng) {
    let new = Secret::seal(rng, 1000, 1);
    // What readiness was found before is told for a second.
    thread::sleep(Duration::from_secs(1));
    for client in clients {
        let claims = tales
            .iter()
            .map(|tale| (&tale.secret, Call::Claim(fresh(rng))));
        let calls: Vec<_> = claims.chain([(&new, Call::Create)]).collect();
        for (secret, call) in calls {
            let heard = wire::call(client, &call, secret);
            assert!(
                matches!(&heard, Heard::Answer(Answer::Refused(body)) if body.code == ErrorCode::StoreUnreachable),
                "{call:?}: {heard:?}"
            );
        }
        let told = client.readyz().expect_err("it is not ready").to_string();
        assert!(told.contains("record store"), "{told}");
    }
}

/// Waits until the last server has tried to sweep, and did not.
fn wait_for_a_sweep_put_off(fleet: &Fleet) {
    let server = fleet.servers.last().expect("there is one");
    until("a sweep that is put off", PATIENCE, || {
        let log = server.log();
        log.contains("sweep put off") || log.contains("nothing is swept")
    });
}

/// How many of these a new claimant is given whole.
fn given(tales: &[Tale], clients: &[Client], rng: &mut fastrand::Rng) -> usize {
    let mut is_given = |tale: &Tale| {
        let claimant = fresh(rng);
        let claim = Call::Claim(claimant.clone());
        let Heard::Answer(Answer::Granted(granted)) =
            wire::call(any(clients, rng), &claim, &tale.secret)
        else {
            return false;
        };
        let whole = Call::Body(claimant, 0..tale.secret.create.body_len);
        granted.body.is_some()
            || matches!(
                wire::call(any(clients, rng), &whole, &tale.secret),
                Heard::Answer(Answer::Bytes(bytes)) if !bytes.is_empty()
            )
    };
    tales.iter().filter(|tale| is_given(tale)).count()
}

#[test]
fn an_emptied_redis_is_noticed_and_costs_nothing() {
    let mut rng = seeded("emptied");
    let folder = tempfile::tempdir().expect("the system has a folder for temporary files");
    let kept = folder.path().join("kept");
    let mut redis = Redis::start(&[]);
    let mut fleet = Fleet::start(2, &redis.url(), &[]);
    let clients = fleet.clients();
    let mut tales = send(&clients, &mut rng);
    redis.kill_and_copy(&kept);
    redis.restart();
    fleet.wait_until_ready();

    redis.ask(&["FLUSHALL"]);
    refuses_all(&tales, &clients, &mut rng);
    let said = fleet.servers[0].restart_refused();
    assert!(said.contains("belongs to another record store"), "{said}");
    // What the one that was refused has written there makes it no other.
    refuses_all(&tales, &clients[1..], &mut rng);
    wait_for_a_sweep_put_off(&fleet);
    assert!(fleet.parts().len() >= EACH, "something alive was deleted");

    redis.restart_with(&kept);
    fleet.servers[0].restart();
    fleet.wait_until_ready();
    open_and_end(&mut tales, &clients, &mut rng);
    fleet.wait_for_no_part();
    row(
        "Redis emptied under 2 servers, and one of them started again",
        &format!("once, {EACH} transfers"),
        "everything answered 503, no start, nothing deleted; with the old one back all opens once",
    );
}

/// One node of a cluster comes back without what it held: a server whose Redis has lost the value of `key`, or has what `damage`
/// makes of it, is refused at every start with these words. With the value back everything opens once.
fn refused_for_a_part(key: &str, damage: fn(&str) -> Option<String>, words: &str) {
    let mut rng = seeded(words);
    let redis = Redis::start(&[]);
    let mut fleet = Fleet::start(1, &redis.url(), &[]);
    let clients = fleet.clients();
    let mut tales = send(&clients, &mut rng);
    let answer = redis.ask(&["GET", key]);
    let value = answer.lines().next_back().expect("it has a value");
    match damage(value) {
        Some(damaged) => redis.ask(&["SET", key, &damaged]),
        None => redis.ask(&["DEL", key]),
    };
    for _ in 0..2 {
        let said = fleet.servers[0].restart_refused();
        assert!(said.contains(words), "{said}");
    }
    redis.ask(&["SET", key, value]);
    fleet.servers[0].restart();
    fleet.wait_until_ready();
    open_and_end(&mut tales, &clients, &mut rng);
    fleet.wait_for_no_part();
}

#[test]
fn a_redis_that_was_emptied_in_part_is_refused_at_the_start_and_stays_so() {
    let words = "a part of this Redis was emptied";
    refused_for_a_part("onetimeshare:{7}:seal", |_| None, words);
}

#[test]
fn a_redis_that_is_an_old_copy_in_part_is_refused_at_the_start() {
    let older = |mark: &str| {
        let mark: u64 = mark.parse().expect("a mark is a time");
        Some((mark - OLD.as_secs()).to_string())
    };
    refused_for_a_part("onetimeshare:{7}:mark", older, "old copy of itself");
}

#[test]
fn another_database_is_refused_at_the_start() {
    let mut rng = seeded("another database");
    let redis = Redis::start(&[]);
    let fleet = Fleet::start(1, &redis.url(), &[]);
    let clients = fleet.clients();
    let mut tales = send(&clients, &mut rng);
    let said = fleet.refused(&redis.url_of_database(1), &[]);
    assert!(said.contains("belongs to another record store"), "{said}");
    open_and_end(&mut tales, &clients, &mut rng);
    fleet.wait_for_no_part();
}

#[test]
fn a_copy_of_less_than_a_minute_gives_nothing_that_was_delivered() {
    let mut rng = seeded("a young copy");
    let folder = tempfile::tempdir().expect("the system has a folder for temporary files");
    let copy = folder.path().join("copy");
    let mut redis = Redis::start(&[]);
    let mut fleet = Fleet::start(2, &redis.url(), &[]);
    let clients = fleet.clients();
    let mut tales = send(&clients, &mut rng);
    redis.kill_and_copy(&copy);
    redis.restart();
    fleet.wait_until_ready();
    open_and_end(&mut tales, &clients, &mut rng);
    fleet.wait_for_no_part();

    redis.restart_with(&copy);
    fleet.wait_until_ready();
    let given = given(&tales, &clients, &mut rng);
    row(
        "Redis restarted on a copy of less than a minute ago",
        &format!("once, {EACH} transfers delivered since"),
        &format!("given again: {given}"),
    );
    assert_eq!(given, 0, "it was delivered, and is given again");
}

#[test]
fn an_older_copy_is_refused_under_running_servers_and_at_the_start() {
    let mut rng = seeded("an old copy");
    let folder = tempfile::tempdir().expect("the system has a folder for temporary files");
    let (old, present) = (folder.path().join("old"), folder.path().join("present"));
    let mut redis = Redis::start_with_clock();
    let mut fleet = Fleet::start(2, &redis.url(), &[]);
    let clients = fleet.clients();
    let (mut delivered, mut alive) = (send(&clients, &mut rng), send(&clients, &mut rng));
    redis.kill_and_copy(&old);
    redis.restart();
    fleet.wait_until_ready();
    let parts = fleet.parts().len();
    open_and_end(&mut delivered, &clients, &mut rng);
    redis.pass(OLD);
    // Sweeping after this, a server leaves word of how far the records have come.
    let mut last = send(&clients, &mut rng);
    open_and_end(&mut last, &clients, &mut rng);
    let of_living = parts - part_count_of(&delivered);
    until("what was opened to be deleted", PATIENCE, || {
        fleet.parts().len() == of_living
    });
    redis.kill_and_copy(&present);

    redis.restart_with(&old);
    refuses_all(&delivered, &clients, &mut rng);
    refuses_all(&alive, &clients, &mut rng);
    let said = fleet.servers[0].restart_refused();
    assert!(said.contains("old copy"), "{said}");
    wait_for_a_sweep_put_off(&fleet);
    assert_eq!(fleet.parts().len(), of_living, "something was deleted");

    // Who says so may use it all the same, and is not given what was erased.
    let accepting = fleet.another(&redis.url(), &["--redis-accept", "restored"]);
    let given = given(
        &delivered,
        &[crate::load::client(&accepting.base())],
        &mut rng,
    );
    drop(accepting);

    redis.restart_with(&present);
    fleet.servers[0].restart();
    fleet.wait_until_ready();
    open_and_end(&mut alive, &clients, &mut rng);
    fleet.wait_for_no_part();
    row(
        "Redis restarted on a copy of two minutes ago, and one of 2 servers with it",
        &format!("once, {} transfers", 2 * EACH),
        &format!(
            "everything answered 503, no start, nothing deleted; where it is accepted, given again of those delivered: {given}; with \
             the present one back all goes on"
        ),
    );
    assert_eq!(given, 0, "it was delivered, and is given again");
}

/// Names what a shard of Redis holds, and which shard a transfer is in.
fn key(shard: u8, name: &str) -> String {
    format!("onetimeshare:{{{shard:x}}}:{name}")
}

fn shard_of(tale: &Tale) -> u8 {
    tale.secret.id().as_bytes()[0] >> 4
}

/// Copies the record of each of these to or from what `name` begins with.
#[track_caller]
fn copy_records(redis: &Redis, tales: &[Tale], names: fn(&str) -> [String; 2]) {
    for tale in tales {
        let [from, to] = names(&tale.secret.id().to_text()).map(|name| key(shard_of(tale), &name));
        assert_eq!(redis.ask(&["COPY", &from, &to, "REPLACE"]), ":1\r\n");
    }
}

/// Says of every shard that it has come so far.
#[track_caller]
fn set_marks(redis: &Redis, mark: u64) {
    for shard in 0..SHARD_COUNT {
        let answer = redis.ask(&["SET", &key(shard, "mark"), &mark.to_string()]);
        assert_eq!(answer, "+OK\r\n");
    }
}

#[track_caller]
fn mark(redis: &Redis, shard: u8) -> Option<u64> {
    let answer = redis.ask(&["GET", &key(shard, "mark")]);
    answer.lines().nth(1)?.parse().ok()
}

/// As when a node of a cluster fails over to an old copy: no connection of the servers' is cut.
#[test]
fn an_old_copy_in_the_place_of_the_present_one_gives_nothing_again() {
    let mut rng = seeded("an old copy in place");
    let redis = Redis::start(&[]);
    let mut fleet = Fleet::start(2, &redis.url(), &[]);
    // One that is restarted while it moves them on leaves those of later shards as they were.
    until("the first marks", PATIENCE, || {
        (0..SHARD_COUNT).all(|shard| mark(&redis, shard).is_some())
    });
    // What a server has not moved on itself it learns at its start, and before each sweep.
    for server in &mut fleet.servers {
        server.restart();
    }
    fleet.wait_until_ready();
    let clients = fleet.clients();
    let mut tales = send(&clients, &mut rng);
    copy_records(&redis, &tales, |id| [id.to_owned(), format!("old {id}")]);
    open_and_end(&mut tales, &clients, &mut rng);
    fleet.wait_for_no_part();
    copy_records(&redis, &tales, |id| {
        [id.to_owned(), format!("present {id}")]
    });

    let present = mark(&redis, 0).expect("there was one");
    // What is sought while it is put in place is answered as before, and asked for by nobody.
    set_marks(&redis, present - OLD.as_secs());
    copy_records(&redis, &tales, |id| [format!("old {id}"), id.to_owned()]);
    refuses_all(&tales, &clients, &mut rng);
    wait_for_a_sweep_put_off(&fleet);
    refuses_all(&tales, &clients, &mut rng);
    assert_eq!(mark(&redis, 0), Some(present - OLD.as_secs()));

    copy_records(&redis, &tales, |id| {
        [format!("present {id}"), id.to_owned()]
    });
    set_marks(&redis, present);
    fleet.wait_until_ready();
    assert_eq!(given(&tales, &clients, &mut rng), 0);
    let mut alive = send(&clients, &mut rng);
    open_and_end(&mut alive, &clients, &mut rng);
    fleet.wait_for_no_part();
    row(
        "an old copy of Redis in the place of the present one, under 2 servers and their connections",
        &format!("once, {EACH} transfers delivered since"),
        "everything answered 503 by both, nothing swept, no mark moved; with the present one back all goes on, no server started \
         again",
    );
}

/// How many parts these lie in.
fn part_count_of(tales: &[Tale]) -> usize {
    let parts = tales.iter().map(|tale| tale.secret.part_count().max(1));
    usize::try_from(parts.sum::<u64>()).expect("a small number")
}
