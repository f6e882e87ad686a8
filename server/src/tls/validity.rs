//! From when until when a certificate holds, and the days of that for a person to read. It looks at nothing else in the
//! certificate, and trusts nobody.

use std::fmt;

const SEQUENCE: u8 = 0x30;
/// The explicit tag of the version, which stands first where it is not the oldest.
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

const DAY_S: u64 = 24 * 3600;
/// Days from the first of March of the year 0 to the Unix epoch.
const EPOCH_DAYS: u64 = 719_468;
/// Days of 400 years, after which the calendar repeats itself.
const ERA_DAYS: u64 = 146_097;

/// The time of a certificate, in Unix seconds, both ends within (RFC 5280, section 4.1.2.5). What lies before 1970 is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// From when on it holds.
    pub begins_at: u64,
    /// Until when.
    pub ends_at: u64,
}

impl Validity {
    /// That of a certificate in DER; none when it is not one.
    pub(super) fn of(certificate: &[u8]) -> Option<Self> {
        let (certificate, _) = value(certificate, SEQUENCE)?;
        let (signed, _) = value(certificate, SEQUENCE)?;
        let rest = match element(signed)? {
            (VERSION, _, rest) => rest,
            _ => signed,
        };
        // Serial number, algorithm and issuer.
        let rest = (0..3).try_fold(rest, |rest, _| Some(element(rest)?.2))?;
        let (times, _) = value(rest, SEQUENCE)?;
        let (tag, begins, rest) = element(times)?;
        let begins_at = moment(tag, begins)?;
        let (tag, ends, _) = element(rest)?;
        let ends_at = moment(tag, ends)?;
        Some(Self { begins_at, ends_at })
    }

    /// Whole days that are left of it.
    pub(super) fn days_left(self, now: u64) -> u64 {
        self.ends_at.saturating_sub(now) / DAY_S
    }

    /// Whether a renewal should have come by now: in the last 14 days, or of a short life in its last third.
    pub(crate) fn is_ending(self, now: u64) -> bool {
        let life_s = self.ends_at.saturating_sub(self.begins_at);
        self.ends_at.saturating_sub(now) < (14 * DAY_S).min(life_s / 3)
    }
}

/// One element of DER: its tag, its value, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (len, rest) = match first {
        ..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (len, rest) = rest.split_at_checked(usize::from(first - 0x80))?;
            let len = len.iter().try_fold(0_usize, |len, &byte| {
                len.checked_mul(256)?.checked_add(usize::from(byte))
            })?;
            (len, rest)
        }
        _ => return None,
    };
    let (value, rest) = rest.split_at_checked(len)?;
    Some((tag, value, rest))
}

/// The value of an element with that tag, and what follows it.
fn value(der: &[u8], expected: u8) -> Option<(&[u8], &[u8])> {
    let (tag, value, rest) = element(der)?;
    (tag == expected).then_some((value, rest))
}

/// Unix seconds of `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`.
fn moment(tag: u8, text: &[u8]) -> Option<u64> {
    let digits = text.strip_suffix(b"Z")?;
    let (year, rest) = match tag {
        // Two digits of the year, from 1950 to 2049.
        UTC_TIME => {
            let (year, rest) = number(digits, 2)?;
            (year + if year < 50 { 2000 } else { 1900 }, rest)
        }
        GENERALIZED_TIME => number(digits, 4)?,
        _ => return None,
    };
    let (month, rest) = number(rest, 2).filter(|(month, _)| (1..=12).contains(month))?;
    let (day, rest) = number(rest, 2).filter(|(day, _)| (1..=31).contains(day))?;
    let (hour, rest) = number(rest, 2)?;
    let (minute, rest) = number(rest, 2)?;
    let (second, rest) = number(rest, 2)?;
    // A year that begins in March has its odd day at its end.
    let (year, month) = match month {
        1 | 2 => (year.checked_sub(1)?, month + 9),
        _ => (year, month - 3),
    };
    let leap_days = year / 4 - year / 100 + year / 400;
    let days = year * 365 + leap_days + (153 * month + 2) / 5 + day - 1;
    let is_whole = rest.is_empty() && days >= EPOCH_DAYS;
    let since = days.saturating_sub(EPOCH_DAYS) * DAY_S + hour * 3600 + minute * 60 + second;
    match (rest.is_empty(), is_whole) {
        (false, _) => None,
        (true, true) => Some(since),
        (true, false) => Some(0),
    }
}

/// The number that `len` digits make, and what follows them.
fn number(digits: &[u8], len: usize) -> Option<(u64, &[u8])> {
    let (digits, rest) = digits.split_at_checked(len)?;
    let number = digits.iter().try_fold(0, |number, &digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        Some(number * 10 + digit)
    });
    Some((number?, rest))
}

/// The day of a moment in Unix seconds, in UTC, as `2026-11-27`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Day(pub(super) u64);

impl fmt::Display for Day {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = self.0 / DAY_S + EPOCH_DAYS;
        let (era, day) = (days / ERA_DAYS, days % ERA_DAYS);
        // Without the odd days of 4, 100 and 400 years, every year has 365.
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let (month, next) = if month < 10 {
            (month + 3, 0)
        } else {
            (month - 9, 1)
        };
        let year = era * 400 + year + next;
        write!(formatter, "{year:04}-{month:02}-{day:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_both_forms() {
        let check = |tag, text: &str, expected: Option<u64>| {
            assert_eq!(moment(tag, text.as_bytes()), expected, "{text}");
        };
        check(UTC_TIME, "700101000000Z", Some(0));
        check(UTC_TIME, "000229120000Z", Some(951_825_600));
        check(UTC_TIME, "491231235959Z", Some(2_524_607_999));
        check(UTC_TIME, "500101000000Z", Some(0));
        check(GENERALIZED_TIME, "20500101000000Z", Some(2_524_608_000));
        check(GENERALIZED_TIME, "21000301000000Z", Some(4_107_542_400));
        check(GENERALIZED_TIME, "99991231235959Z", Some(253_402_300_799));
        check(GENERALIZED_TIME, "00000101000000Z", None);
        check(UTC_TIME, "701301000000Z", None);
        check(UTC_TIME, "700100000000Z", None);
        check(UTC_TIME, "7001010000Z", None);
        check(UTC_TIME, "70010100000000Z", None);
        check(UTC_TIME, "700101000000+0000", None);
        check(UTC_TIME, "7001010000x0Z", None);
        check(SEQUENCE, "700101000000Z", None);
        check(UTC_TIME, "", None);
    }

    #[test]
    fn days_are_written_for_people() {
        let check = |seconds, expected: &str| {
            assert_eq!(Day(seconds).to_string(), expected);
        };
        check(0, "1970-01-01");
        check(951_782_400, "2000-02-29");
        check(951_868_799, "2000-02-29");
        check(951_868_800, "2000-03-01");
        check(2_524_607_999, "2049-12-31");
        check(4_107_542_400, "2100-03-01");
        check(4_107_542_399, "2100-02-28");
        check(253_402_300_799, "9999-12-31");
    }

    #[test]
    fn what_is_no_certificate_has_no_time() {
        let check = |der: &[u8]| assert_eq!(Validity::of(der), None, "{der:?}");
        check(b"");
        check(b"\x30");
        check(b"\x30\x80");
        check(b"\x30\x02\x30\x00");
        check(b"\x30\x84\xff\xff\xff\xff");
        check(b"\x30\x85\x01\x01\x01\x01\x01");
        check(b"\x31\x02\x30\x00");
    }

    #[test]
    fn an_end_comes_near_by_days_or_by_a_third() {
        let check = |life_days: u64, left_s: u64, expected: bool| {
            let ends_at = life_days * DAY_S;
            let validity = Validity {
                begins_at: 0,
                ends_at,
            };
            assert_eq!(validity.is_ending(ends_at - left_s), expected);
        };
        check(90, 14 * DAY_S, false);
        check(90, 14 * DAY_S - 1, true);
        check(6, 2 * DAY_S, false);
        check(6, 2 * DAY_S - 1, true);
        check(90, 0, true);
    }
}
