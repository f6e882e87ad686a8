//! From when until when a certificate holds. It looks at nothing else in the certificate, and trusts nobody.

use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;
use x509_parser::time::ASN1Time;

const DAY_S: u64 = 24 * 3600;

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
        let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
        let seconds = |time: ASN1Time| u64::try_from(time.timestamp()).unwrap_or(0);
        let validity = certificate.validity();
        Some(Self {
            begins_at: seconds(validity.not_before),
            ends_at: seconds(validity.not_after),
        })
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

#[cfg(test)]
mod tests {
    use super::*;

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
