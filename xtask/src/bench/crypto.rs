//! The tables of sealing and opening: throughput beside others, and what a transfer and a passphrase cost.

use super::figures::{Crypto, Speed, Time};
use super::table::{Table, median, number, ratio, size};

/// Megabytes a second of everybody in one place, with ratios to the first.
pub(super) fn speeds(figures: &Crypto) -> String {
    let subjects = distinct(figures.speeds.iter().map(|speed| speed.subject.as_str()));
    let lens = distinct(figures.speeds.iter().map(|speed| speed.message_len));
    let mut table = Table::new(["message", ""].into_iter().chain(subjects.iter().copied()));
    for len in lens {
        for action in ["seal", "open"] {
            let of = |subject: &str| {
                let is_wanted = |speed: &&Speed| {
                    speed.subject == subject && speed.action == action && speed.message_len == len
                };
                let speed = figures.speeds.iter().find(is_wanted);
                median(
                    speed
                        .into_iter()
                        .flat_map(|speed| speed.mb_s.iter().copied()),
                )
            };
            let base = subjects.first().map_or(0.0, |subject| of(subject));
            let cells = subjects
                .iter()
                .map(|subject| format!("{} · {}", number(of(subject)), ratio(of(subject), base)));
            table.row([size(len), action.to_owned()].into_iter().chain(cells));
        }
    }
    table.text()
}

/// What has no length, in every place, with ratios to ours natively.
pub(super) fn times(places: &[(String, Crypto)]) -> String {
    let all = places.iter().flat_map(|(_, figures)| &figures.times);
    let stretching = all.filter(|time| time.action == "stretch");
    let subjects = distinct(stretching.map(|time| time.subject.as_str()));
    let base = places
        .first()
        .and_then(|(_, figures)| of(figures, "stretch", "onetimeshare"));
    let mut headings = vec!["place".to_owned(), "keys and manifest, µs".to_owned()];
    headings.extend(
        subjects
            .iter()
            .map(|subject| format!("Argon2id, ms: {subject}")),
    );
    let mut table = Table::new(headings.iter().map(String::as_str));
    for (place, figures) in places {
        let begin =
            of(figures, "begin", "onetimeshare").map_or_else(dash, |ms| number(ms * 1000.0));
        let cells = subjects.iter().map(|subject| {
            of(figures, "stretch", subject).map_or_else(dash, |ms| {
                format!("{} · {}", number(ms), ratio(ms, base.unwrap_or_default()))
            })
        });
        table.row([place.clone(), begin].into_iter().chain(cells));
    }
    table.text()
}

fn of(figures: &Crypto, action: &str, subject: &str) -> Option<f64> {
    let is_wanted = |time: &&Time| time.action == action && time.subject == subject;
    let time = figures.times.iter().find(is_wanted)?;
    Some(median(time.ms.iter().copied()))
}

fn dash() -> String {
    "–".to_owned()
}

/// Each once, in the order of the first appearance.
fn distinct<T: PartialEq>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut found = Vec::new();
    for value in values {
        if !found.contains(&value) {
            found.push(value);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(json: &str) -> Crypto {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn speeds_are_medians_beside_their_ratio_to_the_first() {
        let json = r#"{"speeds":[
            {"subject":"a","action":"seal","message_len":1024,"mb_s":[100,300,200]},
            {"subject":"a","action":"open","message_len":1024,"mb_s":[50]},
            {"subject":"b","action":"seal","message_len":1024,"mb_s":[500]},
            {"subject":"b","action":"open","message_len":1024,"mb_s":[25]}],"times":[]}"#;
        let expected = "\
| message |  | a | b |
| --- | --- | --- | --- |
| 1 KiB | seal | 200 · 1.00 | 500 · 2.50 |
| 1 KiB | open | 50.0 · 1.00 | 25.0 · 0.50 |
";
        assert_eq!(speeds(&figures(json)), expected);
    }

    #[test]
    fn times_stand_beside_ours_natively_and_what_was_not_measured_is_a_dash() {
        let native = r#"{"speeds":[],"times":[
            {"subject":"onetimeshare","action":"begin","ms":[0.02]},
            {"subject":"onetimeshare","action":"stretch","ms":[100]}]}"#;
        let node = r#"{"speeds":[],"times":[
            {"subject":"onetimeshare","action":"begin","ms":[0.05]},
            {"subject":"onetimeshare","action":"stretch","ms":[150,150]},
            {"subject":"other","action":"stretch","ms":[200]}]}"#;
        let places = [("native", native), ("node", node)]
            .map(|(place, json)| (place.to_owned(), figures(json)));
        let expected = "\
| place | keys and manifest, µs | Argon2id, ms: onetimeshare | Argon2id, ms: other |
| --- | --- | --- | --- |
| native | 20.0 | 100 · 1.00 | – |
| node | 50.0 | 150 · 1.50 | 200 · 2.00 |
";
        assert_eq!(times(&places), expected);
    }
}
