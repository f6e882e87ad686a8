//! What is measured: that each figure moves by exactly what happened, and that nothing of a transfer stands in it.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Body;
use futures_util::future::join_all;
use http_body_util::BodyExt as _;
use tokio::time::Instant;
use tower::ServiceExt as _;

use crate::sample::Sample;
use crate::server::{TestServer, request};

/// Every series and its figure.
type Figures = BTreeMap<String, f64>;

fn parse(text: &str) -> Figures {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (series, figure) = line.rsplit_once(' ').unwrap();
            (series.to_owned(), figure.parse().unwrap())
        })
        .collect()
}

/// What has come to the series that begin with `prefix`, those that have not moved left out.
fn moved(before: &Figures, after: &Figures, prefix: &str) -> Vec<(String, f64)> {
    let mine = after
        .iter()
        .filter(|(series, _)| series.starts_with(prefix));
    mine.map(|(series, figure)| {
        let change = figure - before.get(series).unwrap_or(&0.0);
        (series.get(prefix.len()..).unwrap().to_owned(), change)
    })
    .filter(|(_, change)| *change != 0.0)
    .collect()
}

#[track_caller]
fn assert_moved(before: &Figures, after: &Figures, prefix: &str, expected: &[(&str, f64)]) {
    let expected: Vec<_> = expected
        .iter()
        .map(|(series, change)| ((*series).to_owned(), *change))
        .collect();
    assert_eq!(moved(before, after, prefix), expected);
}

/// One transfer opened and delivered, one burnt, with a wrong passphrase for each.
async fn live(server: &TestServer, opened: &Sample, burnt: &Sample) {
    for sample in [opened, burnt] {
        sample.upload(server).await;
        sample
            .peek(server, &sample.wrong_access())
            .await
            .refused(403, "access.denied");
    }
    opened.claim(server, 1).await.expect(200);
    opened.fetch(server, 1, None).await.expect(200);
    let (path, token) = (opened.path("/delivered"), opened.claimant(1));
    server.call("POST", &path, Some(&token)).await.expect(204);
    let owner = burnt.owner();
    server
        .call("DELETE", &burnt.path(""), Some(&owner))
        .await
        .expect(204);
    server
        .call("GET", &format!("/{}?{owner}", burnt.id()), None)
        .await
        .refused(404, "path.unknown");
    server
        .call(&owner, "/open", None)
        .await
        .refused(405, "method.unknown");
}

#[tokio::test]
async fn figures_move_by_what_happened() {
    let server = TestServer::new().await;
    let before = parse(&server.measured().await);
    let (large, small) = (Sample::large(), Sample::small());
    live(&server, &large, &small).await;
    let after = parse(&server.measured().await);
    assert_moved(
        &before,
        &after,
        "onetimeshare_transfer_events_total",
        &[
            ("{event=\"burnt\"}", 1.0),
            ("{event=\"claimed\"}", 1.0),
            ("{event=\"created\"}", 2.0),
            ("{event=\"delivered\"}", 1.0),
        ],
    );
    let asked = |route: &str, method: &str, status: u16| {
        format!(
            "onetimeshare_http_requests_total{{route=\"{route}\",method=\"{method}\",status=\"{status}\"}}"
        )
    };
    let transfers = "/api/v1/transfers";
    for (series, expected) in [
        (asked(transfers, "POST", 201), 2.0),
        (asked("/api/v1/transfers/{id}/peek", "POST", 403), 2.0),
        (asked("/api/v1/transfers/{id}/claim", "POST", 200), 1.0),
        (asked("/api/v1/transfers/{id}/delivered", "POST", 204), 1.0),
        (asked("/api/v1/transfers/{id}", "DELETE", 204), 1.0),
        (asked("none", "GET", 404), 1.0),
        (asked("/open", "other", 405), 1.0),
    ] {
        assert_eq!(after.get(&series), Some(&expected), "{series}");
    }
    let body_len = large.body.len().to_string().parse().unwrap();
    assert_moved(
        &before,
        &after,
        "onetimeshare_blob_bytes_total",
        &[
            ("{direction=\"read\"}", body_len),
            ("{direction=\"written\"}", body_len),
        ],
    );
    for level in [
        "onetimeshare_http_requests_in_flight",
        "onetimeshare_claims_lapsed",
    ] {
        assert_eq!(after.get(level), Some(&0.0), "{level}");
    }
    server.clock.advance(3600);
    server.sweep().await;
    let idle = parse(&server.measured().await);
    assert_moved(&after, &idle, "onetimeshare_transfer_events_total", &[]);
}

#[tokio::test]
async fn figures_hold_nothing_of_a_transfer() {
    let server = TestServer::new().await;
    let (large, small) = (Sample::large(), Sample::small());
    live(&server, &large, &small).await;
    let told = server.measured().await;
    for sample in [&large, &small] {
        for secret in sample.secrets() {
            assert!(!told.contains(&secret), "{secret} stands in\n{told}");
        }
    }
}

#[tokio::test]
async fn what_others_ask_for_makes_no_new_series() {
    let server = TestServer::new().await;
    let ask = async |number: u32| {
        let path = format!("/api/v1/transfers/{number}/body?{number}");
        server.call("GET", &path, None).await;
        server.call(&format!("M{number}"), "/open", None).await;
        server.call("GET", &format!("/{number}/a"), None).await;
    };
    ask(0).await;
    let before = parse(&server.measured().await);
    for number in 1..50 {
        ask(number).await;
    }
    let after = parse(&server.measured().await);
    assert!(before.keys().eq(after.keys()), "{after:?}");
}

#[tokio::test]
async fn records_that_do_not_answer_are_told_and_the_rest_is_too() {
    let server = TestServer::new().await;
    Sample::small().upload(&server).await;
    let created = "onetimeshare_transfer_events_total{event=\"created\"}";
    let told = |figures: &Figures| {
        let names = [
            "onetimeshare_counters_read",
            created,
            "onetimeshare_records_have_room",
        ];
        names.map(|name| figures.get(name).copied())
    };
    let before = parse(&server.measured().await);
    assert_eq!(told(&before), [Some(1.0), Some(1.0), Some(1.0)]);
    server.records.set_answers(false);
    server.records.set_room(false);
    let after = parse(&server.measured().await);
    assert_eq!(told(&after), [Some(0.0), Some(1.0), Some(0.0)]);
}

#[tokio::test]
async fn its_listener_shows_nothing_else() {
    let server = TestServer::new().await;
    let router = server.metrics_router();
    let ask = async |method: &str, path: &str, host: &str| {
        let request = request(method, path).header("host", host);
        let request = request.body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        (parts, body.collect().await.unwrap().to_bytes())
    };
    let (parts, body) = ask("GET", "/metrics", "localhost").await;
    assert_eq!(parts.status, 200);
    assert_eq!(
        parts.headers["content-type"],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    assert_eq!(parts.headers["cache-control"], "no-store");
    assert!(body.starts_with(b"# HELP "));
    assert_eq!(ask("GET", "/healthz", "localhost").await.0.status, 204);
    for path in [
        "/",
        "/readyz",
        "/api/v1/config",
        "/api/v1/stats",
        "/metrics/",
        "/open",
    ] {
        assert_eq!(ask("GET", path, "localhost").await.0.status, 404, "{path}");
    }
    assert_eq!(ask("POST", "/metrics", "localhost").await.0.status, 405);
    assert_eq!(ask("GET", "/metrics", "a b").await.0.status, 400);
    server
        .call("GET", "/metrics", None)
        .await
        .refused(404, "path.unknown");
}

#[tokio::test(start_paused = true)]
async fn whoever_reads_while_a_store_hangs_is_told_in_time() {
    let server = TestServer::new().await;
    server.records.set_counts(false);
    let router = server.metrics_router();
    let since = Instant::now();
    let reads = (0..4).map(|_| {
        let asked = request("GET", "/metrics").header("host", "localhost");
        let asked = asked.body(Body::empty()).unwrap();
        router.clone().oneshot(asked)
    });
    for answer in join_all(reads).await {
        let text = answer.unwrap().into_body().collect().await.unwrap();
        let text = String::from_utf8(text.to_bytes().to_vec()).unwrap();
        assert!(text.contains("onetimeshare_counters_read 0\n"), "{text}");
    }
    // Prometheus waits for ten.
    assert!(
        since.elapsed() < Duration::from_secs(6),
        "{:?}",
        since.elapsed()
    );
}
