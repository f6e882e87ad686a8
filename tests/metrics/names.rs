//! The names that a running server exports, those that docs/monitoring.md explains, those that the dashboard draws, and those that
//! the alerts ask for.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::{burn, open, send_one, start};

/// What the names of all metrics begin with.
const PREFIXES: [&str; 2] = ["onetimeshare_", "process_"];

/// Every metric that is named in `text`. A name of a variable or of the program's own binaries is none.
fn named_in(text: &str) -> BTreeSet<String> {
    let is_of_name =
        |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.' | '/');
    let words = text.split(|letter| !is_of_name(letter));
    words
        .filter(|word| PREFIXES.iter().any(|prefix| word.starts_with(prefix)))
        .map(str::to_owned)
        .collect()
}

/// Every metric that `text`, in Prometheus' format, has a sample of, and every name of its samples.
fn exported(text: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let samples: BTreeSet<String> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split(['{', ' ']).next())
        .map(str::to_owned)
        .collect();
    let typed = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let metrics = typed
        .filter_map(|line| line.split(' ').next())
        .filter(|metric| {
            let is_sample = |suffix: &str| samples.contains(&format!("{metric}{suffix}"));
            is_sample("") || is_sample("_count")
        });
    (metrics.map(str::to_owned).collect(), samples.clone())
}

/// A server of which everything has happened that is measured.
fn told() -> String {
    let server = start();
    let (opened, burnt) = (send_one(&server, 200_000, "a"), send_one(&server, 10, "b"));
    open(&opened, "a");
    burn(&server, &burnt);
    server.metrics()
}

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    fs::read_to_string(root.join(path)).unwrap()
}

/// Every expression, and every query of a variable, of the dashboard.
fn expressions(dashboard: &Value) -> Vec<String> {
    let texts = |value: &Value| value.as_str().map(str::to_owned);
    match dashboard {
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, member)| match name.as_str() {
                "expr" | "query" if member.is_string() => texts(member).into_iter().collect(),
                _ => expressions(member),
            })
            .collect(),
        Value::Array(values) => values.iter().flat_map(expressions).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn the_docs_explain_what_is_exported_and_nothing_else() {
    let (metrics, samples) = exported(&told());
    assert!(metrics.len() > 15, "{metrics:?}");
    let explained = named_in(&read("docs/monitoring.md"));
    let known: BTreeSet<_> = metrics.union(&samples).cloned().collect();
    let unknown: Vec<_> = explained.difference(&known).collect();
    let unexplained: Vec<_> = metrics.difference(&explained).collect();
    assert!(
        unknown.is_empty() && unexplained.is_empty(),
        "explained and not exported: {unknown:?}; exported and not explained: {unexplained:?}"
    );
}

#[test]
fn the_dashboard_draws_what_is_exported() {
    let (metrics, samples) = exported(&told());
    let dashboard: Value =
        serde_json::from_str(&read("contrib/grafana/onetimeshare.json")).unwrap();
    let expressions = expressions(&dashboard);
    assert!(expressions.len() > 20, "{expressions:?}");
    let mut drawn = BTreeSet::new();
    for expression in expressions {
        if expression == "prometheus" {
            continue;
        }
        let named = named_in(&expression);
        assert!(!named.is_empty(), "{expression} draws nothing");
        for name in &named {
            assert!(
                samples.contains(name),
                "{expression} draws {name}, which is not exported"
            );
        }
        drawn.extend(named);
    }
    let is_drawn = |metric: &String| {
        drawn
            .iter()
            .any(|name| name == metric || name.strip_suffix("_bucket") == Some(metric.as_str()))
    };
    let missing: Vec<_> = metrics.iter().filter(|metric| !is_drawn(metric)).collect();
    assert!(missing.is_empty(), "not on the dashboard: {missing:?}");
    // Grafana draws one of two panels with the same id.
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64()).collect();
    assert_eq!(ids.len(), panels.len(), "two panels have one id");
}

#[test]
fn the_alerts_ask_for_what_is_exported() {
    let (_, samples) = exported(&told());
    let alerts = read("contrib/prometheus/alerts.yml");
    let asked = named_in(&alerts);
    assert!(asked.len() > 10, "{asked:?}");
    let unknown: Vec<_> = asked.difference(&samples).collect();
    assert!(
        unknown.is_empty(),
        "asked for and not exported: {unknown:?}"
    );
}

/// A server that never failed has no series of failures: their share is none, and not unknown.
#[test]
fn a_share_of_failures_is_drawn_where_there_was_none() {
    let dashboard: Value =
        serde_json::from_str(&read("contrib/grafana/onetimeshare.json")).unwrap();
    let expressions = expressions(&dashboard);
    let shares: Vec<_> = expressions
        .iter()
        .filter(|expression| expression.contains("status=~") && expression.contains(" / "))
        .collect();
    assert!(!shares.is_empty(), "{expressions:?}");
    for share in shares {
        assert!(share.contains(" or vector(0)) / "), "{share} draws nothing");
    }
}

#[test]
fn names_are_found_in_prose_and_expressions() {
    let check = |text: &str, expected: &[&str]| {
        assert_eq!(
            named_in(text),
            expected.iter().map(|&name| name.to_owned()).collect(),
            "{text}"
        );
    };
    check("| `onetimeshare_a_total{b}` |", &["onetimeshare_a_total"]);
    check(
        "sum(rate(process_a_seconds[5m])) / max by (onetimeshare)",
        &["process_a_seconds"],
    );
    check("onetimeshare-server, job=\"onetimeshare\", processes", &[]);
    let text = "# TYPE a_total counter\na_total 1\n# TYPE b histogram\nb_bucket{le=\"1\"} 0\nb_count 0\n# TYPE c gauge\n";
    let (metrics, samples) = exported(text);
    assert_eq!(metrics, ["a_total", "b"].map(str::to_owned).into());
    assert_eq!(
        samples,
        ["a_total", "b_bucket", "b_count"].map(str::to_owned).into()
    );
}
