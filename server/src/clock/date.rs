//! The day of a moment, for people to read.

use time::{Date, UtcDateTime};

/// The day, in UTC, of a moment in Unix seconds; it is written as `2026-11-27`. The last one that there is for what lies beyond.
pub(crate) fn date_of(at: u64) -> Date {
    let at = i64::try_from(at).unwrap_or(i64::MAX);
    UtcDateTime::from_unix_timestamp(at).map_or(Date::MAX, UtcDateTime::date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_written_for_people() {
        let check = |at, expected: &str| assert_eq!(date_of(at).to_string(), expected);
        check(0, "1970-01-01");
        check(951_868_799, "2000-02-29");
        check(951_868_800, "2000-03-01");
        check(253_402_300_799, "9999-12-31");
        check(u64::MAX, "9999-12-31");
    }
}
