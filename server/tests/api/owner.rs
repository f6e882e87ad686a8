//! `GET /transfers/{id}`, `/unlock`, `/config` and `/stats`.

use serde_json::{Value, json};

use crate::sample::Sample;
use crate::server::{Answer, START, TestServer};

async fn receipt(server: &TestServer, sample: &Sample) -> Answer {
    server
        .call("GET", &sample.path(""), Some(&sample.owner()))
        .await
}

async fn unlock(server: &TestServer, sample: &Sample) -> Answer {
    server
        .call("POST", &sample.path("/unlock"), Some(&sample.owner()))
        .await
}

async fn lock(server: &TestServer, sample: &Sample) {
    for _ in 0..5 {
        sample
            .peek(server, &sample.wrong_access())
            .await
            .refused(403, "access.denied");
    }
    sample
        .claim(server, 1)
        .await
        .refused(423, "transfer.locked");
}

#[tokio::test]
async fn a_receipt_follows_the_transfer() {
    let (server, sample) = (TestServer::new().await, Sample::large());
    sample.create(&server).await.expect(201);
    let mut expected = json!({
        "state": "uploading", "created_at": START, "claims_max": 1, "claims_left": 1, "attempts_left": 5,
        "body_len": sample.body.len(), "claims": [],
    });
    assert_eq!(receipt(&server, &sample).await.expect(200).json, expected);
    for index in 0..4 {
        sample.put(&server, index).await.expect(204);
    }
    server
        .call("POST", &sample.path("/complete"), Some(&sample.owner()))
        .await
        .expect(200);
    expected["state"] = "ready".into();
    expected["expires_at"] = (START + 3600).into();
    assert_eq!(receipt(&server, &sample).await.expect(200).json, expected);
    server.clock.advance(10);
    sample.claim(&server, 1).await.expect(200);
    expected["state"] = "claimed".into();
    expected["claims_left"] = 0.into();
    expected["claims"] = json!([{"claimed_at": START + 10, "state": "live"}]);
    assert_eq!(receipt(&server, &sample).await.expect(200).json, expected);
    server.clock.advance(10);
    server
        .call(
            "POST",
            &sample.path("/delivered"),
            Some(&sample.claimant(1)),
        )
        .await
        .expect(204);
    expected["state"] = "gone".into();
    expected["cause"] = "delivered".into();
    expected["at"] = (START + 20).into();
    expected["claims"] =
        json!([{"claimed_at": START + 10, "state": "delivered", "at": START + 20}]);
    server.clock.advance(3600 + 86_400 - 21);
    server.sweep().await;
    let last = receipt(&server, &sample).await.expect(200);
    assert_eq!(
        (&last.json, last.header("cache-control")),
        (&expected, "no-store")
    );
    server.clock.advance(1);
    receipt(&server, &sample)
        .await
        .refused(404, "transfer.unknown");
}

#[tokio::test]
async fn a_receipt_tells_how_it_ended() {
    let server = TestServer::new().await;
    let (burnt, expired) = (Sample::of(1, 1000), Sample::of(2, 1000));
    for sample in [&burnt, &expired] {
        sample.create(&server).await.expect(201);
    }
    server
        .call("DELETE", &burnt.path(""), Some(&burnt.owner()))
        .await
        .expect(204);
    server.clock.advance(3600);
    for (sample, cause, at) in [
        (&burnt, "burnt", START),
        (&expired, "expired", START + 3600),
    ] {
        let told = receipt(&server, sample).await.expect(200).json;
        assert_eq!(
            (&told["state"], &told["cause"], &told["at"]),
            (&json!("gone"), &json!(cause), &json!(at))
        );
        // 410 for what an owner can no longer do, but burning again is no fault.
        let gone = unlock(&server, sample).await.refused(410, "transfer.gone");
        assert_eq!(gone.json["cause"], cause);
        server
            .call("DELETE", &sample.path(""), Some(&sample.owner()))
            .await
            .expect(204);
    }
}

#[tokio::test]
async fn unlocking_lets_the_receiver_try_again() {
    let (server, sample) = (TestServer::new().await, Sample::small());
    sample.create(&server).await.expect(201);
    lock(&server, &sample).await;
    let told = receipt(&server, &sample).await.expect(200).json;
    assert_eq!(
        (&told["state"], &told["attempts_left"]),
        (&json!("ready"), &json!(0))
    );
    for _ in 0..2 {
        let answer = unlock(&server, &sample).await.expect(204);
        assert!(answer.bytes.is_empty());
    }
    sample.assert_unharmed(&server, 5).await;
}

#[tokio::test]
async fn only_the_owner_is_told_or_heard() {
    let (server, sample) = (TestServer::new().await, Sample::small());
    sample.create(&server).await.expect(201);
    lock(&server, &sample).await;
    let unknown = Sample::of(1, 1000);
    for (method, rest) in [("GET", ""), ("POST", "/unlock")] {
        let path = sample.path(rest);
        let missing = server.call(method, &path, None).await;
        let missing = missing.refused(401, "request.unauthorized");
        assert_eq!(missing.header("www-authenticate"), "Bearer");
        server
            .call(method, &path, Some("short"))
            .await
            .refused(401, "request.unauthorized");
        let wrong = server.call(method, &path, Some(&unknown.owner())).await;
        let nobody = server
            .call(method, &unknown.path(rest), Some(&unknown.owner()))
            .await;
        assert_eq!(
            wrong.refused(404, "transfer.unknown").json,
            nobody.refused(404, "transfer.unknown").json
        );
        let refused = server.call("PUT", &path, Some(&sample.owner())).await;
        refused.refused(405, "method.unknown");
    }
    let told = receipt(&server, &sample).await.expect(200).json;
    assert_eq!(told["attempts_left"], 0, "still locked");
}

#[tokio::test]
async fn the_config_tells_how_long_a_receipt_is_answered() {
    let (server, sample) = (TestServer::new().await, Sample::small());
    let config = server
        .call("GET", "/api/v1/config", None)
        .await
        .expect(200)
        .json;
    let tombstone_ttl_s = config["tombstone_ttl_s"].as_u64().unwrap();
    sample.create(&server).await.expect(201);
    let expires_at = receipt(&server, &sample).await.expect(200).json["expires_at"]
        .as_u64()
        .unwrap();
    server
        .clock
        .advance(expires_at - START + tombstone_ttl_s - 1);
    assert_eq!(
        receipt(&server, &sample).await.expect(200).json["cause"],
        "expired"
    );
    server.clock.advance(1);
    receipt(&server, &sample)
        .await
        .refused(404, "transfer.unknown");
}

async fn stats(server: &TestServer) -> Value {
    server
        .call("GET", "/api/v1/stats", None)
        .await
        .expect(200)
        .json
}

#[tokio::test]
async fn counters_are_for_everyone_unless_switched_off() {
    let server = TestServer::new().await;
    let mut expected = json!({
        "created": 0, "claimed": 0, "delivered": 0, "lapsed": 0, "burnt": 0, "expired": 0, "abandoned": 0, "locked": 0,
    });
    assert_eq!(stats(&server).await, expected);
    let (opened, burnt) = (Sample::of(1, 1000), Sample::of(2, 1000));
    for sample in [&opened, &burnt] {
        sample.create(&server).await.expect(201);
        sample.create(&server).await.expect(200);
    }
    lock(&server, &opened).await;
    unlock(&server, &opened).await.expect(204);
    opened.claim(&server, 1).await.expect(200);
    opened.claim(&server, 1).await.expect(200);
    server.clock.advance(600);
    server.sweep().await;
    server
        .call("DELETE", &burnt.path(""), Some(&burnt.owner()))
        .await
        .expect(204);
    for (name, count) in [
        ("created", 2),
        ("claimed", 1),
        ("lapsed", 1),
        ("burnt", 1),
        ("locked", 1),
    ] {
        expected[name] = count.into();
    }
    assert_eq!(stats(&server).await, expected);

    let silent = TestServer::with(600, false).await;
    silent
        .call("GET", "/api/v1/stats", None)
        .await
        .refused(404, "path.unknown");
}
