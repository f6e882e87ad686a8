//! `/transfers/{id}/peek`, `/claim`, `/renew` and `/delivered`.

use serde_json::json;

use crate::sample::{Sample, text};
use crate::server::{START, TestServer};

async fn ready(sample: Sample) -> (TestServer, Sample) {
    let server = TestServer::new().await;
    sample.upload(&server).await;
    (server, sample)
}

#[tokio::test]
async fn peeking_takes_nothing() {
    let (server, sample) = ready(Sample::small()).await;
    let mut expected = json!({
        "state": "ready", "created_at": START, "expires_at": START + 3600, "claims_left": 1, "attempts_left": 5,
        "body_len": 1056, "part_len": 65_536,
    });
    assert_eq!(
        sample.peek(&server, &sample.link()).await.expect(200).json,
        expected
    );
    expected["manifest"] = text(&sample.manifest()).into();
    assert_eq!(
        sample
            .peek(&server, &sample.proofs())
            .await
            .expect(200)
            .json,
        expected
    );
    sample.assert_unharmed(&server, 5).await;
}

#[tokio::test]
async fn a_claim_is_repeated_only_by_its_claimant() {
    let (server, sample) = ready(Sample::small()).await;
    let claimed = sample.claim(&server, 1).await.expect(200);
    let expected = json!({
        "lease_expires_at": START + 600, "body_len": 1056, "manifest": text(&sample.manifest()), "body": text(&sample.body),
    });
    assert_eq!(claimed.json, expected);
    server.clock.advance(30);
    assert_eq!(sample.claim(&server, 1).await.expect(200).json, expected);
    let lost = sample
        .claim(&server, 2)
        .await
        .refused(410, "transfer.claimed");
    assert_eq!(lost.json["at"], START);
}

#[tokio::test]
async fn wrong_proofs_and_unknown_ids_are_alike() {
    let (server, sample) = ready(Sample::small()).await;
    let unknown = Sample::of(1, 1000);
    let strangers = json!({"link_proof": text(&[1; 32]), "access_proof": text(&[1; 32])});
    let expected = unknown
        .claim(&server, 1)
        .await
        .refused(404, "transfer.unknown")
        .json;
    for path in [
        sample.path(""),
        unknown.path(""),
        "/api/v1/transfers/short".to_owned(),
        format!("/api/v1/transfers/{}%ff", "A".repeat(21)),
    ] {
        let peek = server
            .call_json(&format!("{path}/peek"), None, &strangers)
            .await
            .refused(404, "transfer.unknown");
        let claim = server
            .call_json(
                &format!("{path}/claim"),
                Some(&sample.claimant(1)),
                &strangers,
            )
            .await;
        assert_eq!(
            (&peek.json, &claim.refused(404, "transfer.unknown").json),
            (&expected, &expected)
        );
    }
    for path in ["/renew", "/delivered"] {
        let answer = server
            .call("POST", &sample.path(path), Some(&sample.claimant(1)))
            .await;
        assert_eq!(answer.refused(404, "transfer.unknown").json, expected);
    }
    assert_eq!(
        sample
            .fetch(&server, 1, None)
            .await
            .refused(404, "transfer.unknown")
            .json,
        expected
    );
    sample.assert_unharmed(&server, 5).await;
}

#[tokio::test]
async fn wrong_passphrases_lock_it() {
    let (server, sample) = ready(Sample::small()).await;
    for left in [4, 3] {
        let denied = sample
            .peek(&server, &sample.wrong_access())
            .await
            .refused(403, "access.denied");
        assert_eq!(denied.json["attempts_left"], left);
    }
    for left in [2, 1, 0] {
        let path = sample.path("/claim");
        let denied = server
            .call_json(&path, Some(&sample.claimant(1)), &sample.wrong_access())
            .await;
        assert_eq!(
            denied.refused(403, "access.denied").json["attempts_left"],
            left
        );
    }
    sample
        .claim(&server, 1)
        .await
        .refused(423, "transfer.locked");
    sample
        .peek(&server, &sample.proofs())
        .await
        .refused(423, "transfer.locked");
    assert_eq!(
        sample.peek(&server, &sample.link()).await.expect(200).json["attempts_left"],
        0
    );
}

#[tokio::test]
async fn nothing_is_claimed_before_it_is_complete() {
    let (server, sample) = (TestServer::new().await, Sample::large());
    sample.create(&server).await.expect(201);
    sample
        .claim(&server, 1)
        .await
        .refused(409, "transfer.not_ready");
    assert_eq!(
        sample.peek(&server, &sample.link()).await.expect(200).json["state"],
        "uploading"
    );
    for index in 0..4 {
        sample.put(&server, index).await.expect(204);
    }
    server
        .call("POST", &sample.path("/complete"), Some(&sample.owner()))
        .await
        .expect(200);
    sample.assert_unharmed(&server, 5).await;
}

#[tokio::test]
async fn delivery_ends_the_lease_and_erases() {
    let (server, sample) = ready(Sample::large()).await;
    sample.claim(&server, 1).await.expect(200);
    server.clock.advance(60);
    let renewed = server
        .call("POST", &sample.path("/renew"), Some(&sample.claimant(1)))
        .await
        .expect(200);
    assert_eq!(renewed.json, json!({"lease_expires_at": START + 660}));
    for _ in 0..2 {
        server
            .call(
                "POST",
                &sample.path("/delivered"),
                Some(&sample.claimant(1)),
            )
            .await
            .expect(204);
    }
    server.sweep().await;
    assert_eq!(server.blobs.count(), 0);
    let ended = sample
        .fetch(&server, 1, None)
        .await
        .refused(410, "lease.ended");
    assert_eq!(
        (&ended.json["cause"], &ended.json["at"]),
        (&json!("delivered"), &json!(START + 60))
    );
    sample.claim(&server, 1).await.refused(410, "lease.ended");
    server
        .call("POST", &sample.path("/renew"), Some(&sample.claimant(1)))
        .await
        .refused(410, "lease.ended");
    let gone = sample.claim(&server, 2).await.refused(410, "transfer.gone");
    let told = [
        &gone.json["cause"],
        &gone.json["at"],
        &gone.json["claimed_at"],
    ];
    assert_eq!(
        told,
        [&json!("delivered"), &json!(START + 60), &json!(START)]
    );
}

#[tokio::test]
async fn expiry_ends_what_nobody_claimed() {
    let (server, sample) = ready(Sample::small()).await;
    server.clock.advance(3600);
    let gone = sample.claim(&server, 1).await.refused(410, "transfer.gone");
    assert_eq!(
        (&gone.json["cause"], &gone.json["at"]),
        (&json!("expired"), &json!(START + 3600))
    );
    assert!(gone.json.get("claimed_at").is_none());
    // Only who proves the link is told.
    let stranger = json!({"link_proof": text(&[1; 32])});
    sample
        .peek(&server, &stranger)
        .await
        .refused(404, "transfer.unknown");
    server.clock.advance(2 * 86_400);
    server.sweep().await;
    sample
        .peek(&server, &sample.link())
        .await
        .refused(404, "transfer.unknown");
}

#[tokio::test]
async fn burning_wins_over_a_lease() {
    let (server, sample) = ready(Sample::large()).await;
    sample.claim(&server, 1).await.expect(200);
    server
        .call("DELETE", &sample.path(""), Some(&sample.owner()))
        .await
        .expect(204);
    let fetched = sample.fetch(&server, 1, None).await.expect(410);
    assert!(
        ["lease.ended", "transfer.gone"].contains(&fetched.json["code"].as_str().unwrap()),
        "{}",
        fetched.json
    );
}
