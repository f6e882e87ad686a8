//! When a failed request is said again: back-off with jitter, and the server's own wish. Never decides what is sent.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::machine::Machine;

/// A server may ask for a longer pause than ours, but somebody is waiting.
const ASKED_MAX: Duration = Duration::from_mins(5);

/// What is said again: how often it has failed in a row, and for how long it was refused for being asked too much.
#[derive(Debug, Default)]
pub(crate) struct Row {
    failures: u32,
    limited: Duration,
}

/// How often and how patiently something is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Attempts in a row that may fail before the error is given back; at least 1 is made.
    pub tries: u32,
    /// The pause after the first failure; each further one is twice as long.
    pub first: Duration,
    /// The longest pause of our own choice.
    pub longest: Duration,
    /// How long in all, in a row, a server is waited for that says when it may be asked again because it is asked too much (429
    /// with `Retry-After`). Such an answer is a place in a queue and no failure; beyond this time it is one.
    pub limited_max: Duration,
}

impl Default for Patience {
    /// Eight attempts, with pauses from half a second to 20 seconds: about a minute. Fifteen minutes of a server that is asked
    /// too much.
    fn default() -> Self {
        Self {
            tries: 8,
            first: Duration::from_millis(500),
            longest: Duration::from_secs(20),
            limited_max: Duration::from_mins(15),
        }
    }
}

impl Patience {
    /// One attempt: the first failure is given back.
    pub const NONE: Self = Self {
        tries: 1,
        first: Duration::ZERO,
        longest: Duration::ZERO,
        limited_max: Duration::ZERO,
    };

    /// Runs `attempt` until it succeeds, fails for good as `passes` sees it, or has failed too often. It is told how many
    /// attempts have failed, not counting those that were only put off.
    pub(crate) fn retry<T>(
        &self,
        machine: &dyn Machine,
        passes: impl Fn(&Error) -> bool,
        mut attempt: impl FnMut(u32) -> Result<T>,
    ) -> Result<T> {
        let mut row = Row::default();
        loop {
            match attempt(row.failures) {
                Err(error) if passes(&error) => self.pause_after(machine, &mut row, error)?,
                outcome => return outcome,
            }
        }
    }

    /// Pauses after one more failure in a row; gives the error back when that was the last that is borne.
    pub(crate) fn pause_after(
        &self,
        machine: &dyn Machine,
        row: &mut Row,
        error: Error,
    ) -> Result<()> {
        let asked_s = error.retry_after_s();
        let mut random = [0];
        machine.fill_random(&mut random).map_err(Error::Random)?;
        if error.is_limited() && asked_s.is_some() {
            let pause = self.pause(1, asked_s, random);
            if row.limited + pause <= self.limited_max {
                row.limited += pause;
                machine.pause(pause);
                return Ok(());
            }
        }
        row.failures += 1;
        if row.failures >= self.tries {
            return Err(error);
        }
        machine.pause(self.pause(row.failures, asked_s, random));
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

    fn limited(retry_after_s: Option<u64>) -> Error {
        Error::Protocol {
            status: 429,
            reason: "as planned",
            retry_after_s,
        }
    }

    #[test]
    fn a_place_in_a_queue_is_no_failure() {
        let watch = Stopwatch::default();
        let mut asked = 0;
        let outcome = Patience::NONE.retry(&watch, Error::is_transient, |_| {
            asked += 1;
            Err::<(), _>(limited(Some(7)))
        });
        assert!(outcome.is_err());
        assert_eq!(asked, 1, "no patience is none for queues");
        // However often one lane loses to another, within a quarter of an hour in a row.
        let patience = Patience {
            tries: 1,
            ..Patience::default()
        };
        let mut seen = Vec::new();
        let outcome = patience.retry(&watch, Error::is_transient, |failures| {
            seen.push(failures);
            if seen.len() > 20 {
                return Ok(());
            }
            Err(limited(Some(40)))
        });
        assert!(outcome.is_ok());
        assert_eq!(seen, [0; 21]);
        let pauses = watch.0.lock().unwrap();
        assert_eq!(*pauses, [Duration::from_secs(40); 20]);
    }

    #[test]
    fn a_queue_that_does_not_move_ends() {
        let watch = Stopwatch::default();
        let patience = Patience {
            tries: 2,
            ..Patience::default()
        };
        let outcome = patience.retry(&watch, Error::is_transient, |_| {
            Err::<(), _>(limited(Some(1000)))
        });
        assert!(outcome.is_err());
        // Three of five minutes each, and one more for the failure after them that is borne.
        let pauses = watch.0.lock().unwrap();
        assert_eq!(*pauses, [Duration::from_mins(5); 4]);
    }

    #[test]
    fn too_much_without_a_time_is_a_failure() {
        let watch = Stopwatch::default();
        let mut asked = 0;
        let outcome = Patience::default().retry(&watch, Error::is_transient, |_| {
            asked += 1;
            Err::<(), _>(limited(None))
        });
        assert!(outcome.is_err());
        assert_eq!(asked, 8);
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
