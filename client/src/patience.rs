//! When a failed request is said again: back-off with jitter, and the server's own wish. Never decides what is sent.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::machine::Machine;

/// A server may ask for a longer pause than ours, but somebody is waiting.
const ASKED_MAX: Duration = Duration::from_mins(5);

/// How often and how patiently something is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Attempts in a row that may fail before the error is given back; at least 1 is made.
    pub tries: u32,
    /// The pause after the first failure; each further one is twice as long.
    pub first: Duration,
    /// The longest pause of our own choice.
    pub longest: Duration,
}

impl Default for Patience {
    /// Eight attempts, with pauses from half a second to 20 seconds: about a minute.
    fn default() -> Self {
        Self {
            tries: 8,
            first: Duration::from_millis(500),
            longest: Duration::from_secs(20),
        }
    }
}

impl Patience {
    /// One attempt: the first failure is given back.
    pub const NONE: Self = Self {
        tries: 1,
        first: Duration::ZERO,
        longest: Duration::ZERO,
    };

    /// Runs `attempt` until it succeeds, fails for good as `passes` sees it, or has failed too often. It is told how many
    /// attempts have failed.
    pub(crate) fn retry<T>(
        &self,
        machine: &dyn Machine,
        passes: impl Fn(&Error) -> bool,
        mut attempt: impl FnMut(u32) -> Result<T>,
    ) -> Result<T> {
        let mut failures = 0;
        loop {
            match attempt(failures) {
                Err(error) if passes(&error) => {
                    failures += 1;
                    self.pause_after(machine, failures, error)?;
                }
                outcome => return outcome,
            }
        }
    }

    /// Pauses after the `failures`-th failure in a row; gives the error back when that was the last that is borne.
    pub(crate) fn pause_after(
        &self,
        machine: &dyn Machine,
        failures: u32,
        error: Error,
    ) -> Result<()> {
        if failures >= self.tries {
            return Err(error);
        }
        let mut random = [0];
        machine.fill_random(&mut random).map_err(Error::Random)?;
        machine.pause(self.pause(failures, error.retry_after_s(), random));
        Ok(())
    }

    /// The pause after the `failures`-th failure: doubled each time, spread by a quarter either way so that clients that
    /// failed together come back apart, and never shorter than the server asked for.
    fn pause(&self, failures: u32, asked_s: Option<u64>, [random]: [u8; 1]) -> Duration {
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
        let own = self.first.saturating_mul(doubled).min(self.longest);
        let spread = own.saturating_mul(384 + u32::from(random)) / 512;
        let asked = Duration::from_secs(asked_s.unwrap_or_default());
        spread.max(asked.min(ASKED_MAX))
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Mutex;

    use super::*;

    /// Draws zeros and remembers the pauses instead of making them.
    #[derive(Default)]
    struct Stopwatch(Mutex<Vec<Duration>>);

    impl Machine for Stopwatch {
        fn fill_random(&self, _: &mut [u8]) -> io::Result<()> {
            Ok(())
        }

        fn pause(&self, duration: Duration) {
            self.0.lock().unwrap().push(duration);
        }
    }

    fn cut() -> Error {
        Error::Cut("as planned".to_owned())
    }

    #[test]
    fn pauses_double_and_end_at_the_longest() {
        let patience = Patience::default();
        let check = |failures, asked_s, random, expected_ms| {
            let pause = patience.pause(failures, asked_s, [random]);
            assert_eq!(pause, Duration::from_millis(expected_ms), "{failures}");
        };
        check(1, None, 0, 375);
        check(1, None, 128, 500);
        check(2, None, 128, 1000);
        check(6, None, 128, 16_000);
        check(7, None, 128, 20_000);
        check(u32::MAX, None, 128, 20_000);
        check(1, Some(5), 0, 5000);
        check(7, Some(5), 128, 20_000);
        check(1, Some(u64::MAX), 0, 300_000);
    }

    #[test]
    fn what_passes_is_tried_as_often_as_said() {
        let watch = Stopwatch::default();
        let patience = Patience {
            tries: 3,
            ..Patience::default()
        };
        let mut seen = Vec::new();
        let outcome = patience.retry(&watch, Error::is_transient, |failures| {
            seen.push(failures);
            Err::<(), _>(cut())
        });
        assert!(matches!(outcome, Err(Error::Cut(_))));
        assert_eq!(seen, [0, 1, 2]);
        assert_eq!(
            *watch.0.lock().unwrap(),
            [375, 750].map(Duration::from_millis)
        );
    }

    #[test]
    fn what_does_not_pass_is_tried_once() {
        let watch = Stopwatch::default();
        let mut count = 0;
        let outcome = Patience::default().retry(&watch, Error::is_transient, |_| {
            count += 1;
            Err::<(), _>(Error::Address("as planned"))
        });
        assert!(outcome.is_err());
        assert_eq!((count, watch.0.lock().unwrap().len()), (1, 0));
    }

    #[test]
    fn none_is_one_attempt() {
        let watch = Stopwatch::default();
        let outcome = Patience::NONE.retry(&watch, Error::is_transient, |_| Err::<(), _>(cut()));
        assert!(outcome.is_err());
        assert_eq!(watch.0.lock().unwrap().len(), 0);
    }

    #[test]
    fn success_after_failure_is_success() {
        let watch = Stopwatch::default();
        let outcome = Patience::default().retry(&watch, Error::is_transient, |failures| {
            if failures < 2 {
                Err(cut())
            } else {
                Ok(failures)
            }
        });
        assert!(matches!(outcome, Ok(2)));
    }
}
