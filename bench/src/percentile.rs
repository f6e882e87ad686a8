//! Percentiles of durations, by the nearest rank: always one that was measured, never one between two.

use std::time::Duration;

use crate::stopwatch::ms;

/// Durations in ascending order.
pub(crate) struct Sorted(Vec<Duration>);

impl Sorted {
    /// Sorts them.
    pub(crate) fn new(mut durations: Vec<Duration>) -> Self {
        durations.sort_unstable();
        Self(durations)
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The least of them that at least `percent` (1 to 100) percent do not exceed, in milliseconds; 0 when there is none.
    pub(crate) fn percentile_ms(&self, percent: usize) -> f64 {
        let rank = (self.0.len() * percent).div_ceil(100).max(1);
        self.0.get(rank - 1).copied().map_or(0.0, ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_nearest_rank() {
        let check = |count: u64, percent, expected: f64| {
            let durations = (1..=count).rev().map(Duration::from_millis).collect();
            let found = Sorted::new(durations).percentile_ms(percent);
            assert!((found - expected).abs() < 1e-9, "{count} {percent} {found}");
        };
        check(0, 50, 0.0);
        check(1, 1, 1.0);
        check(1, 99, 1.0);
        check(4, 50, 2.0);
        check(5, 50, 3.0);
        check(100, 95, 95.0);
        check(100, 100, 100.0);
        check(101, 99, 100.0);
        check(1000, 99, 990.0);
    }
}
