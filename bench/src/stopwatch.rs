//! The one place that reads a clock to measure how long something takes.
#![expect(
    clippy::disallowed_methods,
    reason = "durations are what a benchmark is for, and decide nothing"
)]

use std::time::{Duration, Instant};

/// Runs from the moment it is made.
#[derive(Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts it.
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// How long it has run.
    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }

    /// The same in milliseconds.
    pub(crate) fn elapsed_ms(self) -> f64 {
        ms(self.elapsed())
    }
}

/// A duration in milliseconds.
pub(crate) fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
