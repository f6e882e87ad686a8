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

/// The calls by which records are written.
const RECORDS: &[&str] = &["pwrite64", "fsync,fdatasync", "ftruncate"];
/// The calls by which blobs are written, each under all its names.
const BLOBS: &[&str] = &[
    "write",
    "fsync",
    "?rename,renameat,renameat2",
    "?unlink,unlinkat",
    "?mkdir,mkdirat",
    "?rmdir",
];
/// By which the writer wakes whoever waits for what it has committed.
const WAKE: &str = "write";

/// Steps that no run misses.
const STEPS: &[&str] = &[
    "pwrite64 records.sqlite-wal",
    "fsync records.sqlite-wal",
    "fsync blobs",
    "mkdir blobs",
    "rename blobs",
    "unlink blobs",
];

/// In how many tries a thread that was chosen by chance makes a call of the kind, more than once.
const TRIES_FOR_A_HIT: usize = 12;

/// Longer than a deletion that failed waits for the next try.
const PATIENCE: Duration = Duration::from_secs(90);

/// One kind of fault, made at the first, second, … of one kind of call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Series {
    pub(crate) threads: Threads,
    pub(crate) change: &'static str,
    pub(crate) fault: Fault,
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
    let changes = |threads, changes: &'static [&'static str]| {
        changes.iter().map(move |change| (threads, *change))
    };
    let faults = [Fault::Kill, Fault::Error("EIO"), Fault::Error("ENOSPC")];
    let mut every: Vec<_> = changes(Threads::Records, RECORDS)
        .chain(changes(Threads::Blobs, BLOBS))
        .flat_map(|(threads, change)| {
            faults.map(|fault| Series {
                threads,
                change,
                fault,
            })
        })
        .collect();
    // After a commit, before its answer: only a kill comes there.
    every.push(Series {
        threads: Threads::Records,
        change: WAKE,
        fault: Fault::Kill,
    });
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
    /// Of each kind of call that writes blobs, which come to threads by chance: the first of some thread, so many times.
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

    fn run(&mut self, series: Series, extent: Extent, rng: &mut fastrand::Rng) {
        if series.threads == Threads::Blobs {
            let tries = (0..extent.hits * TRIES_FOR_A_HIT).map(|_| make(series, 1, rng));
            let points = tries.filter(|point| !matches!(point, Point::Beyond));
            for point in points.take(extent.hits) {
                self.count(series.fault, point);
            }
            return;
        }
        let mut nth = 1;
        while self.count(series.fault, make(series, nth, rng)) {
            nth += rng.u32(1..=extent.stride);
        }
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
    // The harness itself: without these it has missed what it is for.
    for step in STEPS {
        assert!(
            steps.iter().any(|made| made.starts_with(step)),
            "never made at {step}"
        );
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
