//! Where the time comes from: a parameter of everything that depends on it, so that tests can step it.
//! Nothing else in the server reads a clock.

mod date;
mod pace;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

pub(crate) use self::date::date_of;
use self::pace::{Pace, Reading};

/// A source of the time.
pub trait Clock: Send + Sync {
    /// Whole seconds since the Unix epoch, UTC.
    fn now(&self) -> u64;
}

/// The machine's clock, at a pace of its own: it begins with the wall clock and follows it, but never by a jump. So a wall clock
/// that is set forward by mistake expires nothing that lives, and one that is set back prolongs nothing for long.
#[derive(Debug)]
pub struct SystemClock(Mutex<Pace>);

impl SystemClock {
    /// Takes the wall clock's time as it is now.
    pub fn start() -> Self {
        Self(Mutex::new(Pace::start(read())))
    }
}

impl Clock for SystemClock {
    fn now(&self) -> u64 {
        let mut pace = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pace.follow(read()).as_secs()
    }
}

/// The one place where the time is read.
fn read() -> Reading {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the time is read"
    )]
    let wall = std::time::SystemTime::now();
    Reading {
        // Before 1970 nothing can have expired: zero is the safe reading of a clock that is not set.
        wall: wall.duration_since(UNIX_EPOCH).unwrap_or_default(),
        running: running(),
    }
}

/// How long the machine has run, sleep included: what it slept through has passed.
#[cfg(target_os = "linux")]
fn running() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    Duration::try_from(clock_gettime(ClockId::Boottime)).unwrap_or_default()
}

/// How long this process has run.
#[cfg(not(target_os = "linux"))]
fn running() -> Duration {
    use std::sync::LazyLock;
    use tokio::time::Instant;
    static STARTED: LazyLock<Instant> = LazyLock::new(Instant::now);
    STARTED.elapsed()
}

/// A clock that stands still until it is told otherwise; for tests.
#[derive(Debug)]
pub struct MockClock(AtomicU64);

impl MockClock {
    /// Stands at `now`, in Unix seconds.
    pub const fn new(now: u64) -> Self {
        Self(AtomicU64::new(now))
    }

    /// Steps forward by `seconds`.
    pub fn advance(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for MockClock {
    fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}
