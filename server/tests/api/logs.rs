//! What a log never holds.

use std::io;
use std::sync::{Arc, Mutex};

use onetimeshare_server::config::LogFormat;
use onetimeshare_server::telemetry;
use tracing_subscriber::EnvFilter;

use crate::sample::Sample;
use crate::server::TestServer;

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

#[tokio::test]
async fn logs_hold_no_proof_token_or_whole_id() {
    // While there is only one subscriber, tracing asks that of the thread which first comes to a span or line, and tests beside
    // this one have none: it would be switched off for all. With a second one it asks both.
    let other = telemetry::subscriber(EnvFilter::new("trace"), LogFormat::Text, false, io::sink);
    let _other = tracing::Dispatch::new(other);
    for format in [LogFormat::Text, LogFormat::Json] {
        for sample in [Sample::small(), Sample::large()] {
            let lines = Lines::default();
            let writer = lines.clone();
            let subscriber =
                telemetry::subscriber(EnvFilter::new("trace"), format, false, move || {
                    writer.clone()
                });
            let guard = tracing::subscriber::set_default(subscriber);
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
