//! What this crate takes from the machine beside the network: random bytes and pauses. The only place where it does.

use std::io;
use std::time::Duration;

/// Lends random bytes and pauses, so that a test can lend its own.
pub trait Machine: Send + Sync {
    /// Fills `bytes` from a cryptographic generator.
    fn fill_random(&self, bytes: &mut [u8]) -> io::Result<()>;

    /// Returns after `duration`.
    fn pause(&self, duration: Duration);
}

/// The machine that this runs on.
#[derive(Clone, Copy, Debug, Default)]
pub struct ThisMachine;

impl Machine for ThisMachine {
    fn fill_random(&self, bytes: &mut [u8]) -> io::Result<()> {
        getrandom::fill(bytes).map_err(io::Error::other)
    }

    fn pause(&self, duration: Duration) {
        std::thread::sleep(duration);
    }
}
