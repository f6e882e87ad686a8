//! A mixed load: clients that do with many transfers whatever a client may do, on one server or on any of several, and the
//! ledger of each. It holds every answer against what is known, and stops at the first that cannot be.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use onetimeshare_client::{Client, Patience, Settings};
use onetimeshare_protocol::error::ErrorCode;

use crate::ledger::{Certainty, Ledger};
use crate::scale::until;
use crate::tale::{Tale, any};
use crate::wire::{Answer, Heard};

/// Clients at work at one moment.
const LANES: usize = 4;
/// Transfers that they share.
const TALES: usize = 24;

/// A client that asks once.
pub(crate) fn client(base: &str) -> Client {
    let settings = Settings {
        patience: Patience::NONE,
        ..Settings::default()
    };
    Client::with(base, settings).expect("the server's address is one")
}

/// Calls made, and what became of some of them.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    calls: AtomicU64,
    lost: AtomicU64,
    refused: AtomicU64,
    unsent: AtomicU64,
}

impl Counts {
    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Those without an answer.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Those that a store's failure was the answer to.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Those that nobody was there for.
    pub(crate) fn unsent(&self) -> u64 {
        self.unsent.load(Ordering::Relaxed)
    }

    fn add(&self, calls: u64) {
        self.calls.fetch_add(calls, Ordering::Relaxed);
    }

    fn hear(&self, heard: &Heard) {
        let counter = match heard {
            Heard::Silence => &self.lost,
            Heard::Unsent => &self.unsent,
            Heard::Answer(Answer::Refused(body)) if body.code == ErrorCode::StoreUnreachable => {
                &self.refused
            }
            Heard::Answer(_) => return,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Waits until so many more calls were made, then until a random moment within those that are under way.
    pub(crate) fn pass(&self, more: u64, rng: &mut fastrand::Rng) {
        let last = self.calls() + more;
        until(
            "calls to be answered, one way or the other",
            Duration::from_mins(2),
            || self.calls() >= last,
        );
        thread::sleep(Duration::from_micros(rng.u64(0..20_000)));
    }
}

/// Transfers, living and over, and what was heard of them.
pub(crate) struct Load {
    tales: Vec<Mutex<Tale>>,
    over: Mutex<Vec<Tale>>,
    ledger: Ledger,
    pub(crate) counts: Counts,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic of a client fails the test by itself.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn into_inner<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(PoisonError::into_inner)
}

impl Load {
    /// Of transfers that are yet to be created, each of which begins with `ledger`.
    pub(crate) fn new(ledger: Ledger, rng: &mut fastrand::Rng) -> Self {
        let tales = (0..TALES).map(|_| Mutex::new(Tale::mixed(rng, ledger.clone())));
        Self {
            tales: tales.collect(),
            over: Mutex::default(),
            ledger,
            counts: Counts::default(),
        }
    }

    /// How many transfers have come to their end.
    pub(crate) fn ended(&self) -> usize {
        lock(&self.over).len()
    }

    /// Loads the servers at `bases`, each call on any of them, while `meddle` runs. A server that is not there is nothing
    /// to end for.
    pub(crate) fn during<T>(
        &self,
        bases: &[String],
        rng: &mut fastrand::Rng,
        meddle: impl FnOnce(&Counts, &mut fastrand::Rng) -> T,
    ) -> T {
        let is_over = &AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..LANES {
                let mut rng = rng.fork();
                scope.spawn(move || {
                    let clients: Vec<_> = bases.iter().map(|base| client(base)).collect();
                    while !is_over.load(Ordering::SeqCst) {
                        self.work(&clients, &mut rng);
                    }
                });
            }
            // However it ends, the lanes end with it.
            let _over = Over(is_over);
            meddle(&self.counts, rng)
        })
    }

    /// Works on one transfer that nobody else works on. The last that was heard; none when somebody else does.
    pub(crate) fn work(&self, clients: &[Client], rng: &mut fastrand::Rng) -> Option<Heard> {
        let mut tale = self.tales[rng.usize(0..self.tales.len())].try_lock().ok()?;
        if tale.ledger.created == Certainty::Yes && !tale.is_gone() && rng.u8(0..8) == 0 {
            self.counts.add(tale.race(clients, rng));
        }
        self.counts.add(1);
        let call = tale.next(rng);
        let heard = tale.call(any(clients, rng), &call);
        self.counts.hear(&heard);
        if tale.is_gone() {
            let new = Tale::mixed(rng, self.ledger.clone());
            lock(&self.over).push(std::mem::replace(&mut tale, new));
        }
        Some(heard)
    }

    /// Asks for everything that was touched since it was asked last, or for everything there is.
    pub(crate) fn check(&self, bases: &[String], all: bool, rng: &mut fastrand::Rng) {
        let over = std::mem::take(&mut *lock(&self.over));
        let tales: Vec<_> = over.into_iter().map(Mutex::new).collect();
        thread::scope(|scope| {
            for lane in 0..LANES {
                let mut rng = rng.fork();
                let (living, over) = (&self.tales, &tales);
                scope.spawn(move || {
                    let clients: Vec<_> = bases.iter().map(|base| client(base)).collect();
                    let tales = living.iter().chain(over).skip(lane).step_by(LANES);
                    for tale in tales {
                        let mut tale = lock(tale);
                        if all || tale.is_touched {
                            tale.check(&clients, &mut rng);
                        }
                    }
                });
            }
        });
        lock(&self.over).extend(tales.into_iter().map(into_inner));
    }

    /// Ends what still lives: opened and delivered where it is complete, burnt otherwise. Then asks for everything there was.
    pub(crate) fn end_all(&mut self, bases: &[String], rng: &mut fastrand::Rng) {
        let clients: Vec<_> = bases.iter().map(|base| client(base)).collect();
        for tale in std::mem::take(&mut self.tales) {
            let mut tale = into_inner(tale);
            tale.open_and_end(&clients, rng);
            lock(&self.over).push(tale);
        }
        self.check(bases, true, rng);
    }
}

/// Says that the load is over, also when the test is.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}
