//! The tables of the service under load: targets side by side for each number of clients, and memory.

use super::figures::{Cell, Load, Pass};
use super::table::{Table, median, number, ratio, size};

/// Whose rate is 1.00: the target that promises what we promise.
const BASE: &str = "control";

/// Rates, latencies and memory of one scenario.
pub(super) fn scenario(load: &Load, name: &str) -> String {
    let mut table = Table::new([
        "clients",
        "target",
        "transfers/s",
        "ratio",
        "p50, ms",
        "p95, ms",
        "p99, ms",
        "peak memory",
    ]);
    let cells = || load.cells.iter().filter(|cell| cell.scenario == name);
    for cell in cells() {
        let mut bases =
            cells().filter(|other| other.clients == cell.clients && other.target == BASE);
        let base = bases.next().map_or(0.0, |base| of(base, |pass| pass.rate));
        let rate = of(cell, |pass| pass.rate);
        let peak_kib = cell.passes.iter().map(|pass| pass.peak_kib).max();
        // Of nginx only the process that starts the workers was looked at.
        let peak = peak_kib.filter(|_| cell.target != "nginx");
        table.row([
            cell.clients.to_string(),
            cell.target.clone(),
            number(rate),
            ratio(rate, base),
            number(of(cell, |pass| pass.p50_ms)),
            number(of(cell, |pass| pass.p95_ms)),
            number(of(cell, |pass| pass.p99_ms)),
            peak.map_or_else(|| "–".to_owned(), |kib| size(kib * 1024)),
        ]);
    }
    table.text()
}

/// The median over all passes.
fn of(cell: &Cell, figure: impl Fn(&Pass) -> f64) -> f64 {
    median(cell.passes.iter().map(figure))
}

/// Memory while many large uploads go on.
pub(super) fn uploads(load: &Load) -> String {
    let uploads = &load.uploads;
    let mut table = Table::new([
        "uploads at once",
        "each",
        "seconds",
        "memory before",
        "peak memory",
    ]);
    table.row([
        uploads.count.to_string(),
        size(uploads.content_len),
        number(uploads.seconds),
        size(uploads.idle_kib * 1024),
        size(uploads.peak_kib * 1024),
    ]);
    table.text()
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = r#"{"pass_s":3,"cells":[
        {"scenario":"small","target":"onetimeshare","clients":30,"passes":[
            {"rate":300,"p50_ms":1,"p95_ms":2,"p99_ms":3,"peak_kib":2048},
            {"rate":100,"p50_ms":3,"p95_ms":4,"p99_ms":5,"peak_kib":4096},
            {"rate":200,"p50_ms":2,"p95_ms":3,"p99_ms":4,"peak_kib":1024}]},
        {"scenario":"small","target":"control","clients":30,"passes":[
            {"rate":100,"p50_ms":1,"p95_ms":2,"p99_ms":3,"peak_kib":1024}]},
        {"scenario":"small","target":"nginx","clients":30,"passes":[
            {"rate":1000,"p50_ms":0.1,"p95_ms":0.2,"p99_ms":0.3,"peak_kib":1024}]},
        {"scenario":"large","target":"nginx","clients":30,"passes":[]}],
        "uploads":{"count":50,"content_len":104857600,"seconds":20.5,"idle_kib":10240,"peak_kib":102400}}"#;

    #[test]
    fn a_scenario_has_medians_ratios_to_the_control_and_the_highest_peak() {
        let load: Load = serde_json::from_str(JSON).unwrap();
        let text = scenario(&load, "small");
        let rows: Vec<&str> = text.lines().skip(2).collect();
        assert_eq!(
            rows,
            [
                "| 30 | onetimeshare | 200 | 2.00 | 2.00 | 3.00 | 4.00 | 4 MiB |",
                "| 30 | control | 100 | 1.00 | 1.00 | 2.00 | 3.00 | 1 MiB |",
                "| 30 | nginx | 1000 | 10.00 | 0.10 | 0.20 | 0.30 | – |",
            ]
        );
    }

    #[test]
    fn uploads_show_memory_before_and_at_its_peak() {
        let load: Load = serde_json::from_str(JSON).unwrap();
        let text = uploads(&load);
        assert!(
            text.ends_with("| 50 | 100 MiB | 20.5 | 10 MiB | 100 MiB |\n"),
            "{text}"
        );
    }
}
