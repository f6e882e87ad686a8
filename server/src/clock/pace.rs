//! How the server's time follows a wall clock that may be set: as fast as time really passes, and a little faster or slower
//! until both agree. It reads no clock.

use std::time::Duration;

use tracing::warn;

/// What a set wall clock moves the server's time by at most: this fraction of the time that has really passed. A life or a
/// lease is never cut short, nor prolonged, by more than that.
const FRACTION: u32 = 8;

/// How long after the machine's start its wall clock is believed whatever it says: one without a battery starts with a stale
/// time, and is set once the network is there.
const UNSET: Duration = Duration::from_mins(15);

/// A difference that is worth a line in the log.
const NOTABLE: Duration = Duration::from_secs(10);

/// Two clocks, read together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    /// The wall clock, since the Unix epoch. May be set to anything at any time.
    pub(super) wall: Duration,
    /// How long the machine has run. Never goes back, and cannot be set.
    pub(super) running: Duration,
}

/// The time that was told last, and when that was.
#[derive(Debug)]
pub(super) struct Pace {
    told: Duration,
    running: Duration,
    is_off: bool,
}

impl Pace {
    /// Begins with the wall clock.
    pub(super) const fn start(at: Reading) -> Self {
        let Reading { wall, running } = at;
        Self {
            told: wall,
            running,
            is_off: false,
        }
    }

    /// The time to tell now, since the Unix epoch.
    pub(super) fn follow(&mut self, at: Reading) -> Duration {
        let Reading { wall, running } = at;
        let passed = running.saturating_sub(self.running);
        self.running = self.running.max(running);
        if running < UNSET {
            self.told = wall;
            return wall;
        }
        let least = self
            .told
            .saturating_add(passed.saturating_sub(passed / FRACTION));
        let most = self.told.saturating_add(passed + passed / FRACTION);
        self.told = wall.clamp(least, most);
        self.notice(wall);
        self.told
    }

    /// Tells the operator, once for each time that the clocks part.
    fn notice(&mut self, wall: Duration) {
        let is_off = wall.abs_diff(self.told) >= NOTABLE;
        if is_off && !self.is_off {
            warn!(
                wall_s = wall.as_secs(),
                told_s = self.told.as_secs(),
                "the machine's clock was set: transfers go on by the time that really passes, and follow it by one second in \
                 {FRACTION}; a restart takes it at once"
            );
        }
        self.is_off = is_off;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3600;
    const WALL: u64 = 1_700_000_000;
    /// Long after the machine's start.
    const RUNNING: u64 = 10 * 24 * HOUR;

    fn reading(wall: u64, running: u64) -> Reading {
        Reading {
            wall: Duration::from_secs(wall),
            running: Duration::from_secs(running),
        }
    }

    /// Reads both clocks at each step, given as (wall clock, time that really passed), both in seconds since the start; expects the
    /// server's time after each.
    #[track_caller]
    fn check(running: u64, steps: &[(i64, u64, u64)]) {
        let mut pace = Pace::start(reading(WALL, running));
        for (index, &(wall, passed, expected)) in steps.iter().enumerate() {
            let wall = WALL.saturating_add_signed(wall);
            let told = pace.follow(reading(wall, running + passed));
            assert_eq!(told.as_secs() - WALL, expected, "step {index}");
        }
    }

    #[test]
    fn clocks_that_agree_are_one() {
        check(
            RUNNING,
            &[(0, 0, 0), (1, 1, 1), (61, 61, 61), (7200, 7200, 7200)],
        );
    }

    #[test]
    fn a_jump_forward_is_taken_in_by_an_eighth() {
        // Six hours ahead: an hour later the server has counted an hour and an eighth.
        check(RUNNING, &[(21_600, 0, 0), (25_200, 3600, 4050)]);
        // And set right again, the time it is ahead by is given back at the same pace.
        check(
            RUNNING,
            &[
                (21_600, 0, 0),
                (25_200, 3600, 4050),
                (3600, 3600, 4050),
                (7200, 7200, 7200),
            ],
        );
    }

    #[test]
    fn a_small_step_is_caught_up_with() {
        check(RUNNING, &[(10, 8, 9), (18, 16, 18), (19, 17, 19)]);
    }

    #[test]
    fn a_jump_back_never_turns_time_back_nor_stops_it() {
        check(
            RUNNING,
            &[(-3600, 0, 0), (-2800, 800, 700), (0, 3600, 3150)],
        );
    }

    #[test]
    fn sleep_that_the_machine_counts_has_passed() {
        check(RUNNING, &[(28_800, 28_800, 28_800)]);
    }

    #[test]
    fn a_clock_that_is_set_soon_after_the_start_is_believed() {
        let year: i64 = 365 * 24 * 3600;
        check(
            5,
            &[
                (year, 30, year.unsigned_abs()),
                (year + 1, 31, year.unsigned_abs() + 1),
            ],
        );
        // From then on it goes by what passes.
        check(
            5,
            &[
                (year, 30, year.unsigned_abs()),
                (2 * year, 900, year.unsigned_abs() + 978),
            ],
        );
    }

    #[test]
    fn many_readings_come_to_the_same_as_few() {
        let mut pace = Pace::start(reading(WALL, RUNNING));
        let mut told = Duration::ZERO;
        for tick in 0..=80_000_u64 {
            let passed = Duration::from_millis(tick);
            told = pace.follow(Reading {
                wall: Duration::from_secs(WALL + 6 * HOUR) + passed,
                running: Duration::from_secs(RUNNING) + passed,
            });
        }
        assert_eq!(told.as_secs() - WALL, 90);
    }

    #[test]
    fn the_operator_is_told_once_for_each_jump() {
        let mut pace = Pace::start(reading(WALL, RUNNING));
        let mut seen = Vec::new();
        for wall in [0, 9, 20, 30, 3, 40] {
            pace.follow(reading(WALL + wall, RUNNING));
            seen.push(pace.is_off);
        }
        assert_eq!(seen, [false, false, true, true, false, true]);
    }
}
