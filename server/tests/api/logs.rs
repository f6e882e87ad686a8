//! What a log never holds, and what it does when a body breaks off.

use std::io;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use http_body_util::BodyExt as _;
use onetimeshare_server::config::LogFormat;
use onetimeshare_server::telemetry;
use tower::ServiceExt as _;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::EnvFilter;

use crate::sample::Sample;
use crate::server::{TestServer, request, with_token};

/// Log lines, kept.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A transfer's whole life, wrong turns included.
async fn live(sample: &Sample) -> String {
    let server = TestServer::new().await;
    sample.upload(&server).await;
    sample
        .peek(&server, &sample.wrong_access())
        .await
        .refused(403, "access.denied");
    sample.peek(&server, &sample.proofs()).await.expect(200);
    for (method, rest) in [("GET", ""), ("POST", "/unlock")] {
        server
            .call(method, &sample.path(rest), Some(&sample.owner()))
            .await;
    }
    let claimed = sample.claim(&server, 1).await.expect(200);
    sample.fetch(&server, 1, Some("bytes=5-")).await.expect(206);
    sample
        .fetch(&server, 2, None)
        .await
        .refused(404, "transfer.unknown");
    server
        .call(
            "POST",
            &sample.path("/delivered"),
            Some(&sample.claimant(1)),
        )
        .await
        .expect(204);
    server
        .call("GET", &format!("/{}?{}", sample.id(), sample.owner()), None)
        .await
        .refused(404, "path.unknown");
    server
        .call(&sample.owner(), "/open", None)
        .await
        .refused(405, "method.unknown");
    server.sweep().await;
    claimed.header("x-request-id").to_owned()
}

/// While there is only one subscriber, tracing asks that of the thread which first comes to a span or line, and tests beside one with
/// a subscriber have none: it would be switched off for all. With this second one it asks both.
fn another() -> tracing::Dispatch {
    let other = telemetry::subscriber(EnvFilter::new("trace"), LogFormat::Text, false, io::sink);
    tracing::Dispatch::new(other)
}

/// Keeps what is logged from here on, until the guard is dropped.
fn keep(format: LogFormat) -> (Lines, DefaultGuard) {
    let lines = Lines::default();
    let writer = lines.clone();
    let filter = EnvFilter::new("trace");
    let subscriber = telemetry::subscriber(filter, format, false, move || writer.clone());
    (lines, tracing::subscriber::set_default(subscriber))
}

#[tokio::test]
async fn logs_hold_no_proof_token_or_whole_id() {
    let _other = another();
    for format in [LogFormat::Text, LogFormat::Json] {
        for sample in [Sample::small(), Sample::large()] {
            let (lines, guard) = keep(format);
            let request_id = live(&sample).await;
            drop(guard);
            let log = lines.text();
            for secret in sample.secrets() {
                assert!(!log.contains(&secret), "{secret} stands in the log:\n{log}");
            }
            assert!(
                log.contains(&request_id),
                "the answer's id is in the log:\n{log}"
            );
            assert!(
                log.contains("/api/v1/transfers/{id}/claim"),
                "the route is in the log:\n{log}"
            );
            assert!(
                log.contains(sample.id().get(..6).unwrap()),
                "the transfer's first characters are in the log:\n{log}"
            );
        }
    }
}

/// Begins to fetch a claimed body, whose end fails after `spoil`. The errors that are logged.
async fn errors_of_fetch(spoil: impl AsyncFnOnce(&TestServer, &Sample)) -> Vec<String> {
    let _other = another();
    let sample = Sample::large();
    let server = TestServer::new().await;
    sample.upload(&server).await;
    sample.claim(&server, 1).await.expect(200);
    let (lines, _guard) = keep(LogFormat::Text);
    let fetch = with_token(
        request("GET", &sample.path("/body")),
        Some(&sample.claimant(1)),
    )
    .header("host", "localhost");
    let fetch = fetch.body(Body::empty()).unwrap();
    let begun = server.router.clone().oneshot(fetch).await.unwrap();
    assert_eq!(begun.status(), 200);
    spoil(&server, &sample).await;
    begun.into_body().collect().await.unwrap_err();
    let log = lines.text();
    let errors = log.lines().filter(|line| line.contains("ERROR"));
    errors.map(str::to_owned).collect()
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_told_once() {
    let told = errors_of_fetch(async |server, _| server.blobs.lose_all()).await;
    let [line] = &told[..] else {
        panic!("{told:?}");
    };
    let id = Sample::large().id();
    let short = format!("TransferId({}…)", id.get(..6).unwrap());
    assert!(
        line.contains("breaks off") && line.contains(&short),
        "{line}"
    );
    assert!(!line.contains(&id), "{line}");
}

#[tokio::test]
async fn a_body_whose_transfer_was_burnt_is_no_error() {
    let told = errors_of_fetch(async |server, sample| {
        let (path, owner) = (sample.path(""), sample.owner());
        let burnt = server.call("DELETE", &path, Some(&owner)).await;
        burnt.expect(204);
    });
    assert_eq!(told.await, [""; 0]);
}
