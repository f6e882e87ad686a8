//! The table of what many waiting transfers cost.

use super::figures::Live;
use super::table::{Table, count, median, number, size};

/// One row for each number of transfers.
pub(super) fn table(levels: &[Live]) -> String {
    let mut headings = vec![
        "waiting".to_owned(),
        "database".to_owned(),
        "filled, 1/s".to_owned(),
        "start, ms".to_owned(),
    ];
    if let Some(first) = levels.first() {
        let names = first.calls.iter().map(|call| call.name.as_str());
        headings.extend(names.map(|name| format!("{name}, ms: median · p99")));
        headings.push(format!("sweep of {}, s", count(first.due)));
    }
    headings.push("peak memory".to_owned());
    let mut table = Table::new(headings.iter().map(String::as_str));
    for level in levels {
        let mut row = vec![
            count(level.count),
            size(level.database_len),
            number(level.fill_rate),
            number(median(level.start_ms.iter().copied())),
        ];
        let calls = level.calls.iter();
        row.extend(calls.map(|call| format!("{} · {}", number(call.p50_ms), number(call.p99_ms))));
        row.push(number(level.sweep_s));
        row.push(size(level.peak_kib * 1024));
        table.row(row);
    }
    table.text()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_of_transfers_has_a_row() {
        let level = |count: u64| {
            format!(
                r#"{{"count":{count},"fill_rate":10000,"database_len":4194304,"start_ms":[9,5,7],"due":10000,"sweep_s":1.5,
                    "peak_kib":30720,"calls":[{{"name":"create","count":9,"p50_ms":1,"p99_ms":2}},
                    {{"name":"peek","count":9,"p50_ms":0.1,"p99_ms":0.2}}]}}"#
            )
        };
        let json = format!("[{},{}]", level(1_000), level(1_000_000));
        let levels: Vec<Live> = serde_json::from_str(&json).unwrap();
        let expected = "\
| waiting | database | filled, 1/s | start, ms | create, ms: median · p99 | peek, ms: median · p99 | sweep of 10 000, s | peak memory |
| --- | --- | --- | --- | --- | --- | --- | --- |
| 1 000 | 4 MiB | 10000 | 7.00 | 1.00 · 2.00 | 0.10 · 0.20 | 1.50 | 30 MiB |
| 1 000 000 | 4 MiB | 10000 | 7.00 | 1.00 · 2.00 | 0.10 · 0.20 | 1.50 | 30 MiB |
";
        assert_eq!(table(&levels), expected);
    }
}
