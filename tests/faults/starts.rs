//! Starts that have much to do, each killed at one of its writes: the first sweep over what has ended while no server ran, and
//! the upgrade of what the first version wrote. The next start does what was left, and nothing that lives is touched.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use aho_corasick::AhoCorasick;
use onetimeshare_client::Client;
use onetimeshare_protocol::error::ErrorCode;
use onetimeshare_protocol::transfer::Cause;
use onetimeshare_tests::Server;
use tempfile::TempDir;

use crate::kills::wait_for_no_blob;
use crate::ledger::Ledger;
use crate::load::client;
use crate::residue::{SETTINGS, found_in, search};
use crate::scale::{files_below, row, seeded, short_or_long, until};
use crate::secret::{PART_LEN, Secret};
use crate::tale::{Tale, fresh};
use crate::wire::{self, Answer, Call, Heard};

/// Becomes the server, which the file `nth`, as long as there is one, has killed at so manieth of the calls that write of one of its
/// threads. The process stays the server's: `strace` runs beside it.
const KILLED_AT_A_WRITE: &[&str] = &[
    "sh",
    "-c",
    r#"if [ -e nth ]; then
         writes='pwrite64,fsync,fdatasync,ftruncate,?unlink,unlinkat,?rename,renameat,renameat2,?rmdir'
         exec strace -f -D -qq -s 0 -o /dev/null -e signal=none -e "trace=$writes" \
           -e "inject=$writes:signal=SIGKILL:when=$(cat nth)" "$0" "$@"
       fi
       exec "$0" "$@""#,
];

/// The longest that a start may take to do everything.
const PATIENCE: Duration = Duration::from_mins(1);

/// What the first version wrote: transfers in every state.
const FIRST_VERSION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../server/tests/fixtures/v1");

/// A server that is started again and again on the same folder.
struct Starts {
    server: Server,
    /// The folder as each start finds it.
    before: TempDir,
}

impl Starts {
    /// Of the folder that a server keeps, which is killed.
    fn of(mut server: Server) -> Self {
        server.kill();
        let before = tempfile::tempdir().expect("the system has a folder for temporary files");
        copy(&server.data_dir(), &before.path().join("data"));
        Self { server, before }
    }

    fn put_back(&mut self) {
        self.server.kill();
        let data_dir = self.server.data_dir();
        fs::remove_dir_all(&data_dir).expect("the folder is ours");
        copy(&self.before.path().join("data"), &data_dir);
    }

    /// Starts it, to be killed at its `nth` write, and then undisturbed. False when it has come to its end before, which
    /// `is_done` tells.
    fn kill_at(&mut self, nth: u32, is_done: impl Fn(&Server) -> bool) -> bool {
        self.put_back();
        let file = self.server.data_dir().with_file_name("nth");
        fs::write(&file, nth.to_string()).expect("the folder is ours");
        let is_killed = !self.server.restart_doomed() || {
            let server = &mut self.server;
            until("its death, or its end", PATIENCE, || {
                server.has_ended() || is_done(server)
            });
            server.has_ended()
        };
        self.server.kill();
        fs::remove_file(file).expect("the folder is ours");
        self.server.restart();
        is_killed
    }

    /// Kills it at its first write, and from there on at most every so many. How many kills there were.
    fn kill_at_each(
        &mut self,
        stride: u32,
        rng: &mut fastrand::Rng,
        is_done: impl Fn(&Server) -> bool,
        mut look: impl FnMut(&Server, &mut fastrand::Rng),
    ) -> u32 {
        let (mut nth, mut kills) = (1, 0);
        while self.kill_at(nth, &is_done) {
            look(&self.server, rng);
            kills += 1;
            nth += rng.u32(1..=stride);
        }
        // And one that nothing has disturbed.
        look(&self.server, rng);
        kills
    }
}

fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").args([from, to]).status();
    assert!(
        status.is_ok_and(|status| status.success()),
        "cp -a {}",
        from.display()
    );
}

/// Transfers that wait for a start.
struct Waiting {
    living: Vec<Tale>,
    /// With the cause of their end.
    dead: Vec<(Tale, Cause)>,
}

impl Waiting {
    /// More of them than a sweep takes at once, so that it has to be gone on with.
    const EXPIRED: usize = 300;

    fn begin(client: &Client, rng: &mut fastrand::Rng) -> Self {
        let mut upload = |content_len, ttl_s, is_whole: bool| {
            let secret = Secret::seal(rng, content_len, 1).with_ttl(ttl_s);
            let mut tale = Tale::new(secret, Ledger::default());
            let parts = tale.secret.part_count();
            let mut calls = vec![Call::Create];
            calls.extend((0..parts.saturating_sub(u64::from(!is_whole))).map(Call::Part));
            calls.extend((is_whole && parts > 0).then_some(Call::Complete));
            for call in calls {
                tale.call(client, &call);
            }
            tale
        };
        let hour = 3600;
        let living = vec![
            upload(1000, hour, true),
            upload(2 * PART_LEN, hour, true),
            upload(2 * PART_LEN, hour, false),
        ];
        let mut lapsing = vec![upload(1000, hour, true), upload(2 * PART_LEN, hour, true)];
        // The last that are sent: they are to live until the server is killed.
        let lens = [2 * PART_LEN; 3].into_iter();
        let lens = lens.chain([100; Self::EXPIRED]);
        let expiring: Vec<_> = lens.map(|len| upload(len, EXPIRES_S, true)).collect();
        for tale in &mut lapsing {
            tale.call(client, &Call::Claim(fresh(rng)));
        }
        let dead = lapsing.into_iter().map(|tale| (tale, Cause::Lapsed));
        let expired = expiring.into_iter().map(|tale| (tale, Cause::Expired));
        Self {
            living,
            dead: dead.chain(expired).collect(),
        }
    }

    fn remains(&self) -> AhoCorasick {
        let all = self
            .dead
            .iter()
            .flat_map(|(tale, _)| tale.secret.ciphertext());
        search(&all.collect::<Vec<_>>())
    }

    /// What has ended is gone, and told so; what lives is all there, and opens. They live again afterwards, for the next start.
    fn check(&mut self, server: &Server, remains: &AhoCorasick, rng: &mut fastrand::Rng) {
        until("the sweep", PATIENCE, || is_swept(server, remains));
        let clients = &[client(&server.base())];
        let [client] = clients;
        for (tale, cause) in &self.dead {
            let heard = wire::call(client, &Call::Peek { with_access: false }, &tale.secret);
            let Heard::Answer(Answer::Refused(body)) = heard else {
                panic!("it lives on: {heard:?}");
            };
            let told = (body.code, body.members.cause);
            assert_eq!(told, (ErrorCode::TransferGone, Some(*cause)));
        }
        server.check();
        for tale in &mut self.living {
            let before = tale.ledger.clone();
            tale.check(clients, rng);
            if !tale.ledger.is_complete(&tale.secret) {
                tale.call(client, &Call::Part(tale.secret.part_count() - 1));
                tale.call(client, &Call::Complete);
            }
            tale.open_and_end(clients, rng);
            tale.ledger = before;
        }
        wait_for_no_blob(server);
    }
}

/// How long some transfers live, in seconds: longer than it takes to send them.
const EXPIRES_S: u64 = 8;
/// How long a lease is, in [`SETTINGS`], and a little more.
const LEASE: Duration = Duration::from_secs(11);

fn is_swept(server: &Server, remains: &AhoCorasick) -> bool {
    found_in(remains, files_below(&server.data_dir())).is_empty()
}

#[test]
fn a_kill_at_any_write_of_the_first_sweep_leaves_it_to_the_next_start() {
    let mut rng = seeded("starts");
    let server = Server::start_under(KILLED_AT_A_WRITE, SETTINGS);
    let mut waiting = Waiting::begin(&client(&server.base()), &mut rng);
    let remains = waiting.remains();
    let mut starts = Starts::of(server);
    let data_dir = starts.server.data_dir();
    assert!(
        !found_in(&remains, files_below(&data_dir)).is_empty(),
        "they have lived"
    );
    // No clock is stepped: what ends, ends by the clock of the server that is to come.
    thread::sleep(LEASE);
    let kills = starts.kill_at_each(
        short_or_long(200, 8),
        &mut rng,
        |server| is_swept(server, &remains),
        |server, rng| waiting.check(server, &remains, rng),
    );
    assert!(kills > 2, "the first sweep writes more than that");
    row(
        "`kill -9` at each write of the first sweep after a start",
        &format!(
            "{kills} kills, {} transfers that had ended",
            waiting.dead.len()
        ),
        "the next start erases them, each told with its cause; those that live open",
    );
}

#[test]
fn a_kill_at_any_write_of_an_upgrade_leaves_it_to_the_next_start() {
    let mut rng = seeded("starts");
    let server = Server::start_under(KILLED_AT_A_WRITE, SETTINGS);
    let mut starts = Starts::of(server);
    let before = starts.before.path().join("data");
    fs::remove_dir_all(&before).expect("the folder is ours");
    copy(Path::new(FIRST_VERSION), &before);
    // As a server makes its own, and nobody's checkout does.
    let status = Command::new("chmod")
        .args(["-R", "go="])
        .arg(&before)
        .status();
    assert!(status.is_ok_and(|status| status.success()), "chmod");
    let mut summaries = Vec::new();
    let kills = starts.kill_at_each(
        short_or_long(6, 1),
        &mut rng,
        |_| true,
        |server, _| summaries.push(server.check()),
    );
    let (undisturbed, others) = summaries.split_last().expect("the last was not killed");
    for summary in others {
        assert_eq!(summary, undisturbed);
    }
    assert!(kills > 2, "an upgrade writes more than that");
    row(
        "`kill -9` at each write of an upgrade from the first version",
        &format!("{kills} kills"),
        "the next start goes on; every transfer is there",
    );
}
