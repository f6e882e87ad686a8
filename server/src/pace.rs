//! How slow a peer may be: whoever sends a body or takes an answer moves so many bytes a second on the average, or is given up. It reads no
//! clock.

use std::time::Duration;

/// The least that has to move in a second, in bytes.
const RATE_MIN: u64 = 1024;

/// What one byte earns at that rate, in nanoseconds.
const NANOS_EACH: u64 = 1_000_000_000 / RATE_MIN;

/// How late a peer may be that has moved nothing yet.
const LATE_AT_FIRST: Duration = Duration::from_secs(30);

/// How late one may be that was faster before: less than the two minutes after which what stands still is cut off without a word.
const LATE_MAX: Duration = Duration::from_secs(100);

/// How late a peer may still be. What moves faster than it must earns more, up to a bound; so one who is cut off from the network for
/// a while is waited for, and one who trickles is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slack(Duration);

impl Slack {
    /// What everybody begins with.
    pub(crate) const fn new() -> Self {
        Self(LATE_AT_FIRST)
    }

    /// For how long the next byte is waited for.
    pub(crate) const fn left(self) -> Duration {
        self.0
    }

    /// The same after `len` bytes came, which were waited for so long. Who was too late stays so.
    #[must_use]
    pub(crate) fn after(self, waited: Duration, len: usize) -> Self {
        let left = self.0.saturating_sub(waited);
        if left.is_zero() {
            return Self(left);
        }
        let len = u64::try_from(len).unwrap_or(u64::MAX);
        // In whole nanoseconds, so that one byte earns what it is worth.
        let earned =
            Duration::from_secs(len / RATE_MIN) + Duration::from_nanos(len % RATE_MIN * NANOS_EACH);
        Self(left.saturating_add(earned).min(LATE_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// After how many steps of so many bytes, one a second, a peer is given up; none when it never is.
    fn given_up_after(len: usize) -> Option<u32> {
        let mut slack = Slack::new();
        (1..100_000).find(|_| {
            slack = slack.after(SECOND, len);
            slack.left().is_zero()
        })
    }

    #[test]
    fn who_keeps_the_pace_is_never_given_up_and_who_trickles_is_soon() {
        for (len, expected) in [
            (0, Some(30)),
            (1, Some(31)),
            (512, Some(60)),
            (1000, Some(1251)),
            (1024, None),
            (1 << 20, None),
        ] {
            let found = given_up_after(len);
            let is_near = found.unwrap_or(0).abs_diff(expected.unwrap_or(0)) <= 60;
            assert!(
                found.is_some() == expected.is_some() && is_near,
                "{len}: {found:?}"
            );
        }
    }

    #[test]
    fn single_bytes_earn_what_they_earn_together() {
        let waited = SECOND / 1024;
        let mut slack = Slack::new();
        for _ in 0..1 << 20 {
            slack = slack.after(waited, 1);
        }
        let lost = Slack::new().left().saturating_sub(slack.left());
        assert!(lost < SECOND, "{lost:?}");
    }

    #[test]
    fn what_was_earned_has_a_bound() {
        let slack = Slack::new().after(SECOND, usize::MAX);
        assert_eq!(slack.left(), LATE_MAX);
        assert_eq!(slack.after(LATE_MAX, 0).left(), Duration::ZERO);
        assert_eq!(slack.after(LATE_MAX * 2, 2048).left(), Duration::ZERO);
    }
}
