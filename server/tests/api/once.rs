//! A server whose lease is 0: what it gives, it gives once.

use serde_json::json;

use crate::sample::{Sample, text};
use crate::server::{Answer, START, TestServer};

async fn ready(sample: Sample) -> (TestServer, Sample) {
    let server = TestServer::with(0, true).await;
    sample.upload(&server).await;
    (server, sample)
}

async fn deliver(server: &TestServer, sample: &Sample) -> Answer {
    server
        .call(
            "POST",
            &sample.path("/delivered"),
            Some(&sample.claimant(1)),
        )
        .await
}

fn assert_lapsed(answer: Answer, at: u64) {
    let ended = answer.refused(410, "lease.ended");
    assert_eq!(
        (&ended.json["cause"], &ended.json["at"]),
        (&json!("lapsed"), &json!(at))
    );
}

#[tokio::test]
async fn an_inline_body_comes_with_the_claim_alone() {
    let (server, sample) = ready(Sample::small()).await;
    let config = server.call("GET", "/api/v1/config", None).await.expect(200);
    assert_eq!(config.json["lease_s"], 0);
    let claimed = sample.claim(&server, 1).await.expect(200);
    assert_eq!(
        claimed.json,
        json!({
            "lease_expires_at": START, "body_len": 1056, "manifest": text(&sample.manifest()),
            "body": text(&sample.body),
        })
    );
    assert_lapsed(sample.claim(&server, 1).await, START);
    assert_lapsed(sample.fetch(&server, 1, None).await, START);
    let gone = sample.claim(&server, 2).await.refused(410, "transfer.gone");
    assert_eq!(gone.json["cause"], "lapsed");
    server.clock.advance(5);
    for _ in 0..2 {
        deliver(&server, &sample).await.expect(204);
    }
    let gone = sample.peek(&server, &sample.link()).await;
    let gone = gone.refused(410, "transfer.gone");
    assert_eq!(
        (&gone.json["cause"], &gone.json["at"]),
        (&json!("delivered"), &json!(START))
    );
}

#[tokio::test]
async fn a_body_in_parts_is_given_whole_to_one_fetch() {
    let (server, sample) = ready(Sample::large()).await;
    let claimed = sample.claim(&server, 1).await.expect(200);
    assert_eq!(claimed.json["lease_expires_at"], START + 60);
    assert_lapsed(sample.claim(&server, 1).await, START);
    server.clock.advance(59);
    // A range is not what is given; looking at the headers is not the fetch.
    let head = server
        .call("HEAD", &sample.path("/body"), Some(&sample.claimant(1)))
        .await
        .expect(405);
    assert_eq!(head.header("allow"), "GET");
    let whole = sample.fetch(&server, 1, Some("bytes=5-")).await.expect(200);
    assert!(whole.bytes == sample.body);
    assert_eq!(
        (whole.header("accept-ranges"), whole.header("content-range")),
        ("none", "")
    );
    assert_lapsed(sample.fetch(&server, 1, None).await, START + 59);
    server.sweep().await;
    assert_eq!(server.blobs.count(), 0);
    deliver(&server, &sample).await.expect(204);
    let receipt = server
        .call("GET", &sample.path(""), Some(&sample.owner()))
        .await
        .expect(200);
    assert_eq!(
        receipt.json["claims"],
        json!([{"claimed_at": START, "state": "delivered", "at": START + 59}])
    );
    assert_eq!(receipt.json["cause"], "delivered");
}

#[tokio::test]
async fn a_claim_that_nobody_follows_up_is_spent() {
    let (server, sample) = ready(Sample::large()).await;
    sample.claim(&server, 1).await.expect(200);
    server.clock.advance(60);
    assert_lapsed(sample.fetch(&server, 1, None).await, START + 60);
    assert_lapsed(deliver(&server, &sample).await, START + 60);
    server.sweep().await;
    assert_eq!(server.blobs.count(), 0);
}
