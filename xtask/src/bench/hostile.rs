//! The tables of what hostile clients come to.

use super::figures::{Flood, Hostile, Slow, Stay};
use super::table::{Table, count, number, ratio, size};

/// Slow clients: one row for each pass.
pub(super) fn slow(hostile: &Hostile) -> String {
    let mut table = Table::new([
        "server",
        "slow clients",
        "heads gone after",
        "bodies gone after",
        "reads gone after",
        "p99 alone, ms",
        "p99 beside them, ms",
        "ratio",
        "more memory",
    ]);
    for pass in &hostile.slow {
        table.row(row(pass));
    }
    table.text()
}

fn row(pass: &Slow) -> Vec<String> {
    let mut row = vec![
        pass.target.clone(),
        count(u64::try_from(pass.count).unwrap_or(u64::MAX)),
    ];
    row.extend(pass.stays.iter().map(|stay| gone(stay, pass.watched_s)));
    row.extend([
        number(pass.quiet_p99_ms),
        number(pass.attacked_p99_ms),
        ratio(pass.attacked_p99_ms, pass.quiet_p99_ms),
        size(pass.grown_kib * 1024),
    ]);
    row
}

fn gone(stay: &Stay, watched_s: u64) -> String {
    match stay.gone_s {
        Some(seconds) => format!("{seconds} s"),
        None => format!("**{} kept** for {watched_s} s", stay.kept),
    }
}

/// Floods: one row for each.
pub(super) fn floods(hostile: &Hostile) -> String {
    let mut table = Table::new([
        "flood",
        "frames",
        "connections",
        "ended by the server",
        "p99 alone, ms",
        "p99 beside it, ms",
        "ratio",
        "more memory",
    ]);
    for flood in &hostile.floods {
        table.row([
            flood.name.clone(),
            count(flood.steps),
            flood.connections.to_string(),
            ended(flood),
            number(flood.quiet_p99_ms),
            number(flood.attacked_p99_ms),
            ratio(flood.attacked_p99_ms, flood.quiet_p99_ms),
            size(flood.grown_kib * 1024),
        ]);
    }
    table.text()
}

fn ended(flood: &Flood) -> String {
    match flood.goaway {
        Some(code) => format!("{}, GOAWAY {code:#x}", flood.ended),
        None => flood.ended.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_kept_is_told() {
        let json = r#"{"slow":[{"target":"axum::serve","count":1000,"requests":9,"quiet_p99_ms":2,"attacked_p99_ms":4,"grown_kib":1024,
            "watched_s":180,"stays":[{"kind":"heads","gone_s":null,"kept":334},{"kind":"bodies","gone_s":31,"kept":0}]}],
            "floods":[{"name":"rapid reset","steps":5000,"connections":7,"ended":7,"goaway":11,"quiet_p99_ms":1,"attacked_p99_ms":3,
            "grown_kib":512}]}"#;
        let hostile: Hostile = serde_json::from_str(json).unwrap();
        let last = |text: String| text.lines().last().unwrap().to_owned();
        assert_eq!(
            last(slow(&hostile)),
            "| axum::serve | 1 000 | **334 kept** for 180 s | 31 s | 2.00 | 4.00 | 2.00 | 1 MiB |"
        );
        assert_eq!(
            last(floods(&hostile)),
            "| rapid reset | 5 000 | 7 | 7, GOAWAY 0xb | 1.00 | 3.00 | 3.00 | 512 KiB |"
        );
    }
}
