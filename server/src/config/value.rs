//! Sizes, durations and bounds as people write them. Nothing here knows a setting.

use std::str::FromStr;

use url::Url;

use crate::budget::Rate;

/// Whatever its type reads.
pub(crate) fn parse<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

/// Bytes: `512 kB`, `8MiB`, `2 GiB`, or a plain number.
pub(crate) fn size(text: &str) -> Option<u64> {
    let (number, unit) = split(text)?;
    let factor: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1000,
        "mb" => 1000 * 1000,
        "gb" => 1000 * 1000 * 1000,
        "tb" => 1000 * 1000 * 1000 * 1000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        "tib" => 1 << 40,
        _ => return None,
    };
    number.checked_mul(factor)
}

/// Seconds: `90s`, `10m`, `5h`, `7d`, or a plain number of seconds.
pub(crate) fn duration_s(text: &str) -> Option<u64> {
    let (number, unit) = split(text)?;
    let factor = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        _ => return None,
    };
    number.checked_mul(factor)
}

/// A way to reach somebody (RFC 9116, section 2.5.3): a URI of one of three kinds, on one line.
pub(super) fn contact(text: &str) -> Option<String> {
    let is_kind = |kind: &str| text.strip_prefix(kind).is_some_and(|rest| !rest.is_empty());
    let is_told = ["mailto:", "https://", "tel:"].into_iter().any(is_kind);
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    (is_told && is_plain).then(|| text.to_owned())
}

/// So many of what `unit` reads in a time: `600/1h`.
pub(crate) fn rate(text: &str, unit: impl Fn(&str) -> Option<u64>) -> Option<Rate> {
    let (count, period) = text.split_once('/')?;
    let count = u32::try_from(unit(count.trim_end())?).ok()?;
    let period_s = u32::try_from(duration_s(period.trim_start())?).ok()?;
    Rate::new(count, period_s)
}

/// So many requests in a time: up to 1 000 000, in up to a day.
pub(crate) fn requests(text: &str) -> Option<Rate> {
    const DAY_S: u32 = 24 * 3600;
    let rate = rate(text, parse)?;
    (rate.count() <= 1_000_000 && rate.period_s() <= DAY_S).then_some(rate)
}

/// How much may be held: from 1 MB, in bytes.
pub(crate) fn storage_len(text: &str) -> Option<u64> {
    size(text).filter(|&len| len >= 1_000_000)
}

/// How many transfers one may hold: up to 1 000 000.
pub(crate) fn transfer_count(text: &str) -> Option<u64> {
    parse(text).filter(|count| (1..=1_000_000).contains(count))
}

/// The line, from 1, at which a text turns out to be no TOML. The library's own words may repeat a value.
pub(crate) fn line_of(error: &toml::de::Error, text: &str) -> usize {
    let before = error.span().and_then(|span| text.get(..span.start));
    before.map_or(1, |before| before.matches('\n').count() + 1)
}

/// What `http://` or `https://` names, without a path or anything behind it: `https://HOST[:PORT]`.
pub(crate) fn origin(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let is_bare = url.username().is_empty()
        && url.password().is_none()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none();
    let is_web = matches!(url.scheme(), "http" | "https") && url.has_host();
    (is_bare && is_web).then(|| url.origin().ascii_serialization())
}

/// The whole number that a text begins with, and the unit behind it.
fn split(text: &str) -> Option<(u64, &str)> {
    let end = text
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    Some((number.parse().ok()?, unit.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        let check = |text, expected| assert_eq!(size(text), expected, "{text}");
        check("0", Some(0));
        check("512 kB", Some(512_000));
        check("8MiB", Some(8 << 20));
        check("2 GiB", Some(2 << 30));
        check("1tib", Some(1 << 40));
        check("", None);
        check("GiB", None);
        check("1.5 GiB", None);
        check("-1", None);
        check("8 M", None);
        check("99999999999 TiB", None);
    }

    #[test]
    fn contacts_are_addresses_on_one_line() {
        for taken in [
            "mailto:security@example.org",
            "https://example.org/report",
            "tel:+1-201-555-0123",
        ] {
            assert_eq!(contact(taken).as_deref(), Some(taken));
        }
        for refused in [
            "",
            "mailto:",
            "security@example.org",
            "http://example.org/",
            "javascript:alert(1)",
            "mailto:a@example.org\nContact: mailto:b@example.org",
            "mailto:a b@example.org",
            "mailto:\u{e4}@example.org",
        ] {
            assert_eq!(contact(refused), None, "{refused:?}");
        }
    }

    #[test]
    fn rates_are_so_many_in_a_time() {
        let check = |text, expected: Option<(u32, u32)>| {
            let found = rate(text, size).map(|rate| (rate.count(), rate.period_s()));
            assert_eq!(found, expected, "{text}");
        };
        check("600/1h", Some((600, 3600)));
        check("2 kB / 5m", Some((2000, 300)));
        check("600/30", Some((600, 30)));
        for refused in [
            "", "600", "/1h", "600/", "0/1h", "1/0s", "600/h", "1/1h/1h", "on", "-1/1h", "8 GiB/1h",
        ] {
            check(refused, None);
        }
    }

    #[test]
    fn origins_are_of_the_web_and_nothing_else() {
        let check = |text, expected: Option<&str>| {
            assert_eq!(origin(text).as_deref(), expected, "{text}");
        };
        check(
            "https://share.example.org",
            Some("https://share.example.org"),
        );
        check(
            "HTTPS://Share.Example.org/",
            Some("https://share.example.org"),
        );
        check("https://a.example:443", Some("https://a.example"));
        check("http://127.0.0.1:8080", Some("http://127.0.0.1:8080"));
        check(
            "https://[2001:db8::1]:8443",
            Some("https://[2001:db8::1]:8443"),
        );
        check(
            "https://b\u{fc}cher.example",
            Some("https://xn--bcher-kva.example"),
        );
        for refused in [
            "",
            "share.example.org",
            "//share.example.org",
            "ftp://share.example.org",
            "javascript:alert(1)",
            "data:text/html,a",
            "https://",
            "https://a.example/open",
            "https://a.example/?",
            "https://a.example/#",
            "https://user@a.example",
            "https://user:hunter2@a.example",
            "https://:hunter2@a.example",
            "https://a b.example",
            "https://a.example:99999",
        ] {
            check(refused, None);
        }
    }

    #[test]
    fn durations_have_units() {
        let check = |text, expected| assert_eq!(duration_s(text), expected, "{text}");
        check("90s", Some(90));
        check("10m", Some(600));
        check("5 h", Some(18_000));
        check("7d", Some(604_800));
        check("60", Some(60));
        check("1w", None);
        check("m", None);
        check("1d2h", None);
        check("999999999999999999d", None);
    }
}
