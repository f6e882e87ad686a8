//! A write, sync, rename or unlink fails, or is the last thing that the server does, in a cycle from create to delivered: every
//! one of the thread that writes records, and each kind of those that write blobs. The faults are made by `strace`.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use onetimeshare_client::Client;
use onetimeshare_protocol::error::ErrorCode;
use onetimeshare_tests::Server;

use crate::kills::SETTINGS;
use crate::ledger::{Certainty, Ledger};
use crate::load::client;
use crate::residue::{found_in, search};
use crate::scale::{files_below, row, seeded, short_or_long, until};
use crate::secret::{PART_LEN, Secret};
use crate::strace::{Fault, Strace, Threads};
use crate::tale::{Tale, fresh};
use crate::wire::{Answer, Call, Heard};

/// Servers that run at one moment: most of them wait for something.
const LANES: usize = 6;

/// A kind of call, under all its names, and the steps at which every fault of it is made in every run.
type Change = (&'static str, &'static [&'static str]);

/// The calls by which records are written.
const RECORDS: &[Change] = &[
    ("pwrite64", &["pwrite64 records.sqlite-wal"]),
    ("fsync,fdatasync", &["fsync records.sqlite-wal"]),
    // Whether the log is truncated while it is watched is up to when the sweep comes.
    ("ftruncate", &[]),
];
/// The calls by which blobs are written.
const BLOBS: &[Change] = &[
    ("write", &["write blobs/{id}/{object}.aside"]),
    (
        "fsync",
        &[
            "fsync blobs",
            "fsync blobs/{id}",
            "fsync blobs/{id}/{object}.aside",
        ],
    ),
    (
        "?rename,renameat,renameat2",
        &["rename blobs/{id}/{object}.aside"],
    ),
    // The object's or that of its writing: each waits for the next sweep, and the long run meets both.
    ("?unlink,unlinkat", &[]),
    ("?mkdir,mkdirat", &["mkdir blobs/{id}"]),
    ("?rmdir", &["rmdir blobs/{id}"]),
];
/// By which the writer wakes whoever waits for what it has committed: no disk's, so that only a kill comes there.
const WAKE: Change = ("write", &[]);

/// By how many tries, in each of which a thread is chosen by chance, every step of a series has long been met.
const TRIES_MAX: usize = 300;

/// Longer than a deletion that failed waits for the next try.
const PATIENCE: Duration = Duration::from_secs(90);

/// One kind of fault, made at the first, second, … of one kind of call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Series {
    pub(crate) threads: Threads,
    pub(crate) change: &'static str,
    pub(crate) fault: Fault,
    /// At which it is made in every run.
    steps: &'static [&'static str],
}

/// What came of one fault.
pub(crate) enum Point {
    /// It was made at this step.
    Made(String),
    /// At a call that is no disk's: a wake-up, a line of the log.
    Elsewhere,
    /// The cycle has fewer such calls.
    Beyond,
}

fn every_series() -> Vec<Series> {
    let series = |threads, (change, steps): Change, fault| Series {
        threads,
        change,
        fault,
        steps,
    };
    let faults = [Fault::Kill, Fault::Error("EIO"), Fault::Error("ENOSPC")];
    let records = RECORDS.iter().map(|change| (Threads::Records, *change));
    let blobs = BLOBS.iter().map(|change| (Threads::Blobs, *change));
    let mut every: Vec<_> = records
        .chain(blobs)
        .flat_map(|(threads, change)| faults.map(|fault| series(threads, change, fault)))
        .collect();
    // After a commit, before its answer.
    every.push(series(Threads::Records, WAKE, Fault::Kill));
    // The longest come first: they are taken from the end.
    every.reverse();
    every
}

/// A small and a large transfer, from create to delivered, each call as often as the store fails at it. False when the server
/// died of it.
fn cycle(tales: &mut [Tale], client: &Client, rng: &mut fastrand::Rng) -> bool {
    for tale in tales {
        let mut calls = vec![Call::Create];
        calls.extend((0..tale.secret.part_count()).map(Call::Part));
        if !tale.secret.is_inline() {
            calls.push(Call::Complete);
        }
        calls.push(Call::Peek { with_access: true });
        for call in &calls {
            if !insist(tale, client, call) {
                return false;
            }
        }
        if !take(tale, client, rng) {
            return false;
        }
    }
    true
}

/// Claims, fetches and delivers. After a claim that failed, another claimant comes first, half of the time.
fn take(tale: &mut Tale, client: &Client, rng: &mut fastrand::Rng) -> bool {
    let mut claimant = fresh(rng);
    let heard = tale.call(client, &Call::Claim(claimant.clone()));
    if is_failure(&heard) && rng.bool() {
        let other = fresh(rng);
        if matches!(
            tale.call(client, &Call::Claim(other.clone())),
            Heard::Answer(Answer::Granted(_))
        ) {
            claimant = other;
        }
    }
    let whole = 0..tale.secret.create.body_len;
    let calls = [
        Call::Claim(claimant.clone()),
        Call::Body(claimant.clone(), whole),
        Call::Delivered(claimant),
    ];
    calls.iter().all(|call| insist(tale, client, call))
}

/// Asks until the store does not fail: the fault is made once, and a disk that seemed full is looked at again after seconds.
/// False when there is nobody any more.
fn insist(tale: &mut Tale, client: &Client, call: &Call) -> bool {
    let mut heard = tale.call(client, call);
    // An answer that was lost is the fault's doing, or the machine's, which is under load: the next attempt tells.
    let is_passing = |heard: &Heard| is_failure(heard) || *heard == Heard::Silence;
    if is_passing(&heard) {
        until(
            &format!("the store to work again: {call:?}"),
            PATIENCE,
            || {
                heard = tale.call(client, call);
                !is_passing(&heard)
            },
        );
    }
    matches!(heard, Heard::Answer(_))
}

fn is_failure(heard: &Heard) -> bool {
    matches!(heard, Heard::Answer(Answer::Refused(body))
        if matches!(body.code, ErrorCode::StoreUnreachable | ErrorCode::StoreFull))
}

/// Whether nothing of these transfers is left on the disk.
fn is_swept(server: &Server, tales: &[Tale]) -> bool {
    let data_dir = server.data_dir();
    let blobs = data_dir.join("blobs");
    let records = ["records.sqlite", "records.sqlite-wal"].map(|name| data_dir.join(name));
    files_below(&blobs) == [blobs.join("store-id")]
        && tales
            .iter()
            .all(|tale| found_in(&search(&tale.secret.ciphertext()), records.to_vec()).is_empty())
}

/// Makes one fault, sees what the server does about it, and that everything is right after a restart.
fn make(series: Series, nth: u32, rng: &mut fastrand::Rng) -> Point {
    let mut server = Server::start(SETTINGS);
    let clients = &[client(&server.base())];
    let [client] = clients;
    let mut upload = |content_len, ledger| Tale::new(Secret::seal(rng, content_len, 1), ledger);
    // So that every thread that the cycle needs is there.
    let mut warm_up = [upload(PART_LEN + 1000, Ledger::default())];
    let mut tales =
        [1000, PART_LEN + 1000].map(|content_len| upload(content_len, Ledger::with_faults()));
    assert!(cycle(&mut warm_up, client, rng));
    until("the sweep before", PATIENCE, || is_swept(&server, &warm_up));

    let pid = server.pid().expect("it was just started");
    let strace = Strace::attach(pid, series, nth, rng);
    let lives = cycle(&mut tales, client, rng);
    if lives {
        // The rest of the cycle is the sweeper's.
        until(&format!("the sweep: {series:?} {nth}"), PATIENCE, || {
            strace.is_over() || is_swept(&server, &tales)
        });
    } else if series.fault == Fault::Kill {
        until("its death", PATIENCE, || strace.is_over());
    }
    let is_dead = strace.is_over();
    let point = strace.end(&server.data_dir());
    match point {
        Point::Beyond => {
            assert!(
                lives && !is_dead,
                "{series:?} {nth}: it ended by itself\n{}",
                server.log()
            );
            return point;
        }
        Point::Made(_) => assert!(
            lives || is_dead,
            "{series:?} {nth}: it does not answer, and has not ended\n{}",
            server.log()
        ),
        // Whatever it made of a fault that no disk makes, what it kept is right.
        Point::Elsewhere => {}
    }
    server.restart();
    server.check();
    for tale in &mut tales {
        tale.check(clients, rng);
        if tale.ledger.created == Certainty::Yes {
            tale.open_and_end(clients, rng);
            tale.check(clients, rng);
        }
    }
    until(
        &format!("the last sweep: {series:?} {nth}"),
        PATIENCE,
        || is_swept(&server, &tales),
    );
    point
}

/// How much of a series is made.
#[derive(Clone, Copy)]
struct Extent {
    /// Of the writer's calls the first, and from there on at most every so many.
    stride: u32,
    /// How often each kind of call that writes blobs fails, at least: they come to threads by chance.
    hits: usize,
}

/// What was made: the kinds of step, and how many kills and errors.
#[derive(Default)]
struct Made {
    steps: BTreeSet<String>,
    kills: u32,
    errors: u32,
}

impl Made {
    /// Counts a point. False when it lies beyond the end of its series.
    fn count(&mut self, fault: Fault, point: Point) -> bool {
        match (fault, point) {
            (_, Point::Beyond) => return false,
            // Wherever it comes, it is a crash.
            (Fault::Kill, Point::Elsewhere) => self.kills += 1,
            (Fault::Error(_), Point::Elsewhere) => {}
            (fault, Point::Made(step)) => {
                self.steps.insert(step);
                match fault {
                    Fault::Kill => self.kills += 1,
                    Fault::Error(_) => self.errors += 1,
                }
            }
        }
        true
    }

    /// Makes a series, on and on until every step of it is met.
    fn run(&mut self, series: Series, extent: Extent, rng: &mut fastrand::Rng) {
        let mut nth = 1;
        match series.threads {
            Threads::Records => {
                while self.count(series.fault, make(series, nth, rng)) {
                    nth += rng.u32(1..=extent.stride);
                }
            }
            Threads::Blobs => {
                // A part is written by several threads, which take turns: one call of theirs may be any of these steps.
                let nth_max = u32::try_from(series.steps.len().max(1)).expect("a handful");
                let (mut tries, mut hits) = (0, 0);
                while hits < extent.hits || !self.missed(series).is_empty() {
                    assert!(tries < TRIES_MAX, "{series:?}: made {hits} times");
                    tries += 1;
                    let point = make(series, rng.u32(1..=nth_max), rng);
                    hits += usize::from(matches!(point, Point::Made(_)));
                    self.count(series.fault, point);
                }
            }
        }
        // The harness itself: without these it has missed what it is for.
        let missed = self.missed(series);
        assert!(missed.is_empty(), "{series:?}: never made at {missed:?}");
    }

    /// The steps of a series at which it was not made.
    fn missed(&self, series: Series) -> Vec<&'static str> {
        let steps = series.steps.iter().copied();
        steps.filter(|step| !self.steps.contains(*step)).collect()
    }

    fn add(&mut self, other: Self) {
        self.steps.extend(other.steps);
        self.kills += other.kills;
        self.errors += other.errors;
    }
}

#[test]
fn a_kill_or_failure_at_any_write_loses_nothing_and_gives_nothing_twice() {
    let extent = short_or_long(
        Extent {
            stride: 48,
            hits: 1,
        },
        Extent {
            stride: 1,
            hits: 12,
        },
    );
    let mut rng = seeded("writes");
    let queue = Mutex::new(every_series());
    let made = Mutex::new(Made::default());
    thread::scope(|scope| {
        for _ in 0..LANES {
            let mut rng = rng.fork();
            let (queue, made) = (&queue, &made);
            scope.spawn(move || {
                let next = || queue.lock().expect("nobody panics over it").pop();
                while let Some(series) = next() {
                    let mut own = Made::default();
                    own.run(series, extent, &mut rng);
                    made.lock().expect("nobody panics over it").add(own);
                }
            });
        }
    });
    let Made {
        steps,
        kills,
        errors,
    } = made.into_inner().expect("nobody panics over it");
    for step in &steps {
        println!("{step}");
    }
    row(
        "a kill, `EIO` or `ENOSPC` at each write, sync, truncation, rename, unlink, mkdir and rmdir of create to delivered",
        &format!(
            "{kills} kills, {errors} errors, {} kinds of step",
            steps.len()
        ),
        "fails closed, goes on without a restart or ends; nothing lost, nothing given twice, no blob left",
    );
}
