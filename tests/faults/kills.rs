//! `kill -9` at random points of a mixed load. After each restart everything acknowledged is there, nothing is granted twice,
//! and what was not answered can be asked for again.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use onetimeshare_client::{Client, Patience, Settings};
use onetimeshare_tests::Server;

use crate::ledger::Certainty;
use crate::scale::{files_below, row, seeded, short_or_long, until};
use crate::tale::{Tale, fresh};
use crate::wire::{Call, Heard};

/// Clients at work at one moment.
const CLIENTS: usize = 4;
/// Transfers that they share.
const TALES: usize = 24;
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

/// A client that asks once.
pub(crate) fn client(base: &str) -> Client {
    let settings = Settings {
        patience: Patience::NONE,
        ..Settings::default()
    };
    Client::with(base, settings).expect("the server's address is one")
}

/// Calls made, and those among them without an answer.
#[derive(Default)]
struct Counts {
    calls: AtomicU64,
    lost: AtomicU64,
}

/// Everything that is known of one server.
struct World {
    server: Server,
    tales: Vec<Mutex<Tale>>,
    over: Mutex<Vec<Tale>>,
    rng: fastrand::Rng,
    counts: Counts,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // A panic of a client fails the test by itself.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    fn new(mut rng: fastrand::Rng) -> Self {
        Self {
            server: Server::start(SETTINGS),
            tales: (0..TALES)
                .map(|_| Mutex::new(Tale::mixed(&mut rng)))
                .collect(),
            over: Mutex::default(),
            rng,
            counts: Counts::default(),
        }
    }

    /// Loads the server until a random call, and kills it a random moment later.
    fn load_and_kill(&mut self) {
        let is_killed = AtomicBool::new(false);
        let base = self.server.base();
        let (tales, over, counts) = (&self.tales, &self.over, &self.counts);
        let last = counts.calls.load(Ordering::Relaxed) + self.rng.u64(1..CALLS_MAX);
        // Within the calls that are under way then.
        let spins = self.rng.u32(0..200_000);
        thread::scope(|scope| {
            let clients: Vec<_> = (0..CLIENTS)
                .map(|_| {
                    let mut rng = self.rng.fork();
                    let (is_killed, base) = (&is_killed, &base);
                    scope.spawn(move || {
                        let client = client(base);
                        while load(tales, over, &client, &mut rng, counts) {}
                        assert!(
                            is_killed.load(Ordering::SeqCst),
                            "the server ended by itself"
                        );
                    })
                })
                .collect();
            while counts.calls.load(Ordering::Relaxed) < last
                && clients.iter().any(|client| !client.is_finished())
            {
                thread::yield_now();
            }
            (0..spins).for_each(|_| std::hint::spin_loop());
            is_killed.store(true, Ordering::SeqCst);
            self.server.kill();
        });
    }

    /// Asks for everything that was touched since the last kill, or for everything there is.
    fn check(&mut self, all: bool) {
        let base = self.server.base();
        let over = std::mem::take(&mut *lock(&self.over));
        let tales: Vec<_> = over.into_iter().map(Mutex::new).collect();
        thread::scope(|scope| {
            for lane in 0..CLIENTS {
                let mut rng = self.rng.fork();
                let (base, living, over) = (&base, &self.tales, &tales);
                scope.spawn(move || {
                    let client = client(base);
                    let tales = living.iter().chain(over).skip(lane).step_by(CLIENTS);
                    for tale in tales {
                        let mut tale = lock(tale);
                        if all || tale.is_touched {
                            tale.check(&client, &mut rng);
                        }
                    }
                });
            }
        });
        let over = tales
            .into_iter()
            .map(|tale| tale.into_inner().unwrap_or_else(PoisonError::into_inner));
        lock(&self.over).extend(over);
    }

    /// Ends what still lives: opened and delivered where it is complete, burnt otherwise.
    fn end_all(&mut self) {
        let client = client(&self.server.base());
        for tale in std::mem::take(&mut self.tales) {
            let mut tale = tale.into_inner().unwrap_or_else(PoisonError::into_inner);
            open_and_end(&mut tale, &client, &mut self.rng);
            lock(&self.over).push(tale);
        }
    }
}

/// Works on one transfer that nobody else works on. False when there is no server any more.
fn load(
    tales: &[Mutex<Tale>],
    over: &Mutex<Vec<Tale>>,
    client: &Client,
    rng: &mut fastrand::Rng,
    counts: &Counts,
) -> bool {
    let Ok(mut tale) = tales[rng.usize(0..tales.len())].try_lock() else {
        return true;
    };
    let heard = work(&mut tale, client, rng, counts);
    counts
        .lost
        .fetch_add(u64::from(heard == Heard::Silence), Ordering::Relaxed);
    if tale.is_gone() {
        let new = Tale::mixed(rng);
        lock(over).push(std::mem::replace(&mut tale, new));
    }
    heard != Heard::Unsent
}

/// One or a few calls on one transfer.
fn work(tale: &mut Tale, client: &Client, rng: &mut fastrand::Rng, counts: &Counts) -> Heard {
    if tale.ledger.is_complete(&tale.secret) && rng.u8(0..12) == 0 {
        counts.calls.fetch_add(3, Ordering::Relaxed);
        tale.race(client, rng);
    }
    counts.calls.fetch_add(1, Ordering::Relaxed);
    let call = tale.next(rng);
    tale.call(client, &call)
}

/// Opens a transfer for real, as often as it can be claimed, and delivers it; burns one that is not complete.
pub(crate) fn open_and_end(tale: &mut Tale, client: &Client, rng: &mut fastrand::Rng) {
    if tale.ledger.created != Certainty::Yes || tale.is_gone() {
        return;
    }
    if tale.ledger.is_complete(&tale.secret) {
        tale.call(client, &Call::Unlock);
        for _ in 0..tale.secret.create.claims_max {
            tale.call(client, &Call::Claim(fresh(rng)));
        }
        let whole = 0..tale.secret.create.body_len;
        for holder in tale.holders().collect::<Vec<_>>() {
            tale.call(client, &Call::Body(holder.clone(), whole.clone()));
            tale.call(client, &Call::Delivered(holder));
        }
    } else {
        tale.call(client, &Call::Burn);
    }
    assert!(tale.is_gone(), "it was ended, and is not gone");
}

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

#[test]
fn kills_at_random_points_lose_nothing_and_give_nothing_twice() {
    let rounds = short_or_long(100, 1000);
    let mut world = World::new(seeded("kills"));
    for round in 0..rounds {
        world.load_and_kill();
        world.server.restart();
        let is_thorough = round % 25 == 0;
        world.check(is_thorough);
        if is_thorough {
            world.server.check();
        }
    }
    world.end_all();
    world.server.restart();
    world.check(true);
    wait_for_no_blob(&world.server);
    world.server.check();
    let transfers = lock(&world.over).len();
    let calls = world.counts.calls.into_inner();
    let lost = world.counts.lost.into_inner();
    assert!(
        lost > rounds / 2,
        "only {lost} calls were under way when they were killed"
    );
    row(
        "`kill -9` at a random point of a mixed load of 4 clients",
        &format!(
            "{rounds} kills, {calls} calls, {lost} of them without an answer, {transfers} transfers"
        ),
        "nothing acknowledged was lost, nothing given twice, no blob left",
    );
}
