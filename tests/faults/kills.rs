//! `kill -9` at random points of a mixed load. After each restart everything acknowledged is there, nothing is granted twice,
//! and what was not answered can be asked for again.

use std::path::Path;
use std::time::Duration;

use onetimeshare_tests::Server;

use crate::ledger::Ledger;
use crate::load::Load;
use crate::scale::{files_below, row, seeded, short_or_long, until};

/// Calls before a kill, at most.
const CALLS_MAX: u64 = 80;

/// Small parts and bodies, so that a few kilobytes go every way there is; periods longer than the test, so that nothing ends
/// by itself.
pub(crate) const SETTINGS: &[&str] = &[
    "--part-size",
    "64KiB",
    "--inline-max",
    "4KiB",
    "--max-transfer-size",
    "16MiB",
    "--lease",
    "1h",
    "--log",
    "warn",
];

/// Waits until no blob is left: within a minute, as is promised.
pub(crate) fn wait_for_no_blob(server: &Server) {
    wait_for_no_blob_in(&server.data_dir());
}

/// The same, for a data directory that is reached otherwise.
pub(crate) fn wait_for_no_blob_in(data_dir: &Path) {
    let blobs = data_dir.join("blobs");
    until("every blob to be deleted", Duration::from_mins(1), || {
        files_below(&blobs) == [blobs.join("store-id")]
    });
}

/// Loads the server until a random call, and kills it a random moment later.
fn load_and_kill(load: &Load, server: &mut Server, rng: &mut fastrand::Rng) {
    let unsent = load.counts.unsent();
    load.during(&[server.base()], rng, |counts, rng| {
        counts.pass(rng.u64(1..CALLS_MAX), rng);
        assert_eq!(counts.unsent(), unsent, "the server ended by itself");
        server.kill();
    });
}

#[test]
fn kills_at_random_points_lose_nothing_and_give_nothing_twice() {
    let rounds = short_or_long(100, 1000);
    let mut rng = seeded("kills");
    let mut server = Server::start(SETTINGS);
    let mut load = Load::new(Ledger::default(), &mut rng);
    for round in 0..rounds {
        load_and_kill(&load, &mut server, &mut rng);
        server.restart();
        let is_thorough = round % 25 == 0;
        load.check(&[server.base()], is_thorough, &mut rng);
        if is_thorough {
            server.check();
        }
    }
    load.end_all(&[server.base()], &mut rng);
    server.restart();
    load.check(&[server.base()], true, &mut rng);
    wait_for_no_blob(&server);
    server.check();
    let (calls, lost) = (load.counts.calls(), load.counts.lost());
    assert!(
        lost > rounds / 2,
        "only {lost} calls were under way when they were killed"
    );
    row(
        "`kill -9` at a random point of a mixed load of 4 clients",
        &format!(
            "{rounds} kills, {calls} calls, {lost} of them without an answer, {} transfers",
            load.ended()
        ),
        "nothing acknowledged was lost, nothing given twice, no blob left",
    );
}
