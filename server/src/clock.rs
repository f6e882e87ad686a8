//! Where the time comes from: a parameter of everything that depends on it, so that tests can step it.
//! Nothing else in the server reads a clock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::UNIX_EPOCH;

/// A source of the time.
pub trait Clock: Send + Sync {
    /// Whole seconds since the Unix epoch, UTC.
    fn now(&self) -> u64;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> u64 {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place where the time is read"
        )]
        let now = std::time::SystemTime::now();
        // Before 1970 nothing can have expired: zero is the safe reading of a clock that is not set.
        now.duration_since(UNIX_EPOCH)
            .map_or(0, |elapsed| elapsed.as_secs())
    }
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
