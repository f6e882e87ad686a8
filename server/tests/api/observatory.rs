//! What Mozilla's HTTP Observatory would make of the pages, by its published rules: each of its ten tests on the answers of an
//! instance that speaks TLS. Where a rule knows several good outcomes, only the one that is ours is told apart from all others.

use std::collections::BTreeMap;

use onetimeshare_server::app::App;
use onetimeshare_server::budget::Budgets;

use crate::server::{Answer, TestServer};

/// From this score on, and not below, what is more than needed is counted too.
const EXTRA_FROM: i32 = 90;

/// Six months, in seconds.
const HSTS_MIN_S: u64 = 15_768_000;

/// The directives of the policy and their sources. Commas would begin another policy.
fn policy(answer: &Answer) -> BTreeMap<&str, Vec<&str>> {
    let text = answer.header("content-security-policy");
    assert!(!text.contains(','), "more than one policy: {text}");
    let mut directives = BTreeMap::new();
    for directive in text.split(';') {
        let mut words = directive.split_ascii_whitespace();
        let name = words.next().unwrap();
        let is_new = directives.insert(name, words.collect()).is_none();
        assert!(is_new, "{name} stands twice");
    }
    directives
}

/// Content Security Policy: +10 for nothing unsafe and `default-src 'none'`, -25 for none, -20 for what is in between.
fn content_security_policy(answer: &Answer) -> i32 {
    let policy = policy(answer);
    let Some(fallback) = policy.get("default-src") else {
        return -25;
    };
    let broad = |source: &&str| {
        let schemes = ["*", "http:", "https:", "ftp:", "data:"];
        let words = ["'unsafe-inline'", "'unsafe-eval'"];
        schemes.contains(source) || words.contains(source) || source.contains("://*")
    };
    let is_unsafe = ["script-src", "object-src", "style-src"]
        .into_iter()
        .any(|name| policy.get(name).unwrap_or(fallback).iter().any(&broad));
    let is_plain = policy
        .values()
        .flatten()
        .any(|source| source.starts_with("http:"));
    if is_unsafe || is_plain || *fallback != ["'none'"] {
        -20
    } else {
        10
    }
}

/// Framing: +5 when the policy names who may, -20 when nothing does.
fn framing(answer: &Answer) -> i32 {
    match policy(answer).get("frame-ancestors").map(Vec::as_slice) {
        Some(["'none'" | "'self'"]) => 5,
        _ => -20,
    }
}

/// Strict Transport Security: nothing for six months or more, -10 for less, -20 for none. Only a preloaded host has +5.
fn transport(answer: &Answer) -> i32 {
    let header = answer.header("strict-transport-security");
    let age = header
        .split(';')
        .find_map(|part| part.trim().strip_prefix("max-age="));
    match age.and_then(|age| age.parse::<u64>().ok()) {
        Some(HSTS_MIN_S..) => 0,
        Some(_) => -10,
        None => -20,
    }
}

/// Subresource Integrity: +5 when scripts say what they must hash to, nothing for own scripts that do not, -50 for strangers'.
fn integrity(answer: &Answer) -> i32 {
    let page = String::from_utf8(answer.bytes.clone()).unwrap();
    let tags: Vec<_> = page
        .split("<script")
        .skip(1)
        .filter_map(|rest| rest.split_once('>').map(|(tag, _)| tag))
        .filter(|tag| tag.contains(" src="))
        .collect();
    assert!(!tags.is_empty(), "the page has no scripts");
    if !tags.iter().all(|tag| tag.contains(r#" src="/assets/"#)) {
        -50
    } else if tags
        .iter()
        .all(|tag| tag.contains(r#" integrity="sha384-"#))
    {
        5
    } else {
        0
    }
}

/// A header that has to have this value: what it is worth, and what it costs not to have it.
fn header(answer: &Answer, name: &str, expected: &str, (worth, cost): (i32, i32)) -> i32 {
    if answer.header(name) == expected {
        worth
    } else {
        cost
    }
}

fn score(answer: &Answer) -> i32 {
    let modifiers = [
        content_security_policy(answer),
        framing(answer),
        transport(answer),
        integrity(answer),
        header(answer, "referrer-policy", "no-referrer", (5, -5)),
        header(answer, "x-content-type-options", "nosniff", (0, -5)),
        header(
            answer,
            "cross-origin-resource-policy",
            "same-origin",
            (10, -5),
        ),
        // Cookies, and content for other origins: there are none.
        header(answer, "set-cookie", "", (0, -40)),
        header(answer, "access-control-allow-origin", "", (0, -50)),
        // Redirection: what listens speaks TLS alone, and there is nothing to be redirected from.
        0,
    ];
    let lost: i32 = modifiers.iter().filter(|modifier| **modifier < 0).sum();
    let won: i32 = modifiers.iter().filter(|modifier| **modifier > 0).sum();
    let score = 100 + lost;
    if score >= EXTRA_FROM {
        score + won
    } else {
        score
    }
}

#[tokio::test]
async fn pages_score_as_high_as_a_host_can_that_browsers_do_not_know() {
    let server = TestServer::altered(Budgets::endless(), |app| App {
        is_encrypted: true,
        ..app
    })
    .await;
    for path in ["/", "/open", "/manage"] {
        let answer = server.call("GET", path, None).await.expect(200);
        assert_eq!(score(&answer), 135, "{path}");
    }
}

#[tokio::test]
async fn without_tls_it_is_less() {
    let server = TestServer::new().await;
    let answer = server.call("GET", "/", None).await.expect(200);
    assert_eq!(score(&answer), 80);
}
