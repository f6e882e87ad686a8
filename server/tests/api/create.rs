//! `POST /transfers`.

use onetimeshare_protocol::limits;
use serde_json::{Value, json};

use crate::sample::{Sample, text};
use crate::server::{START, TestServer};

#[tokio::test]
async fn small_ones_are_ready_at_once() {
    let (server, sample) = (TestServer::new().await, Sample::small());
    let created = sample.create(&server).await.expect(201);
    assert_eq!(
        created.json,
        json!({"state": "ready", "part_len": 65_536, "expires_at": START + 3600})
    );
}

#[tokio::test]
async fn large_ones_wait_for_their_parts() {
    let (server, sample) = (TestServer::new().await, Sample::large());
    let created = sample.create(&server).await.expect(201);
    assert_eq!(
        created.json,
        json!({"state": "uploading", "part_len": 65_536})
    );
}

#[tokio::test]
async fn a_repeat_is_answered_with_the_present_state() {
    let (server, sample) = (TestServer::new().await, Sample::large());
    sample.upload(&server).await;
    let repeated = sample.create(&server).await.expect(200);
    assert_eq!(
        repeated.json,
        json!({"state": "ready", "part_len": 65_536, "expires_at": START + 3600})
    );
    sample.assert_unharmed(&server, 5).await;
}

#[tokio::test]
async fn another_request_with_the_same_id_conflicts() {
    let (server, sample) = (TestServer::new().await, Sample::small());
    sample.upload(&server).await;
    let mut other = sample.request();
    other["ttl_s"] = 60.into();
    server
        .call_json("/api/v1/transfers", None, &other)
        .await
        .refused(409, "transfer.conflict");
    sample.assert_unharmed(&server, 5).await;
}

#[tokio::test]
async fn values_out_of_range_are_refused() {
    let server = TestServer::new().await;
    let refused = [
        ("id", json!(text(&[0; 16])), 422, "id.mismatch"),
        (
            "manifest",
            json!(text(&[0; 303])),
            422,
            "request.unprocessable",
        ),
        ("manifest", json!(""), 422, "request.unprocessable"),
        ("body_len", json!(1057), 422, "request.unprocessable"),
        ("body_len", json!(1056 + 64), 422, "request.unprocessable"),
        (
            "body_len",
            json!(limits::body_len(1 << 21).unwrap()),
            413,
            "transfer.too_large",
        ),
        ("body", json!(""), 422, "request.unprocessable"),
        (
            "body",
            json!(text(&[0; 1055])),
            422,
            "request.unprocessable",
        ),
        ("ttl_s", json!(59), 422, "request.unprocessable"),
        ("ttl_s", json!(604_801), 422, "request.unprocessable"),
        ("claims_max", json!(0), 422, "request.unprocessable"),
        ("claims_max", json!(101), 422, "request.unprocessable"),
    ];
    for (member, value, status, code) in refused {
        let mut request = Sample::small().request();
        request[member] = value;
        server
            .call_json("/api/v1/transfers", None, &request)
            .await
            .refused(status, code);
    }
    // None of them left anything behind.
    Sample::small()
        .peek(&server, &Sample::small().link())
        .await
        .refused(404, "transfer.unknown");
}

#[tokio::test]
async fn bodies_come_inline_exactly_when_small() {
    let server = TestServer::new().await;
    let mut missing = Sample::small().request();
    missing.as_object_mut().unwrap().remove("body");
    server
        .call_json("/api/v1/transfers", None, &missing)
        .await
        .refused(422, "request.unprocessable");
    let mut inline = Sample::large().request();
    inline["body"] = text(&Sample::large().body).into();
    server
        .call_json("/api/v1/transfers", None, &inline)
        .await
        .refused(422, "request.unprocessable");
}

#[tokio::test]
async fn members_are_known_present_and_single() {
    let server = TestServer::new().await;
    let whole = Sample::small().request();
    for member in [
        "id",
        "link_verifier",
        "access_verifier",
        "owner_verifier",
        "manifest",
        "body_len",
        "ttl_s",
        "claims_max",
    ] {
        let mut missing = whole.clone();
        missing.as_object_mut().unwrap().remove(member);
        let refused = server
            .call_json("/api/v1/transfers", None, &missing)
            .await
            .refused(400, "request.malformed");
        assert!(refused.json["message"].as_str().unwrap().contains(member));
    }
    let text = whole.to_string();
    let check = async |changed: String| {
        let refused = server
            .call_text("/api/v1/transfers", None, &changed)
            .await
            .refused(400, "request.malformed");
        assert!(
            !refused.json["message"]
                .as_str()
                .unwrap()
                .contains("hunter2"),
            "{}",
            refused.json
        );
    };
    check(text.replacen('{', r#"{"hunter2":1,"#, 1)).await;
    check(text.replacen('{', r#"{"ttl_s":3600,"#, 1)).await;
    check(text.replace(r#""ttl_s":3600"#, r#""ttl_s":"hunter2""#)).await;
    check(text.replace(r#""ttl_s":3600"#, r#""ttl_s":-1"#)).await;
    check(text.replace(r#""ttl_s":3600"#, r#""ttl_s":3600.5"#)).await;
    check(text.replace(r#""claims_max":1"#, r#""claims_max":4294967296"#)).await;
    check(text.replace(r#""body":""#, r#""body":"="#)).await;
    check(format!("{text} {{}}")).await;
    check(format!("{text}hunter2")).await;
    check(text.strip_suffix('}').unwrap().to_owned()).await;
    check(String::new()).await;
    check("null".to_owned()).await;
    check(
        Value::from(
            whole
                .as_object()
                .unwrap()
                .values()
                .cloned()
                .collect::<Vec<_>>(),
        )
        .to_string(),
    )
    .await;
    check(
        whole
            .to_string()
            .replace(r#""ttl_s":3600"#, r#""ttl_s":3600,"body":null"#),
    )
    .await;
    check("[".repeat(100_000)).await;
    Sample::small().create(&server).await.expect(201);
}

#[tokio::test]
async fn ten_megabytes_of_json_are_too_large() {
    let server = TestServer::new().await;
    let text = format!(r#"{{"id":"{}"}}"#, "A".repeat(10_000_000));
    server
        .call_text("/api/v1/transfers", None, &text)
        .await
        .refused(413, "request.too_large");
    let text = format!(r#"{{"link_proof":"{}"}}"#, "A".repeat(70_000));
    let path = Sample::small().path("/peek");
    server
        .call_text(&path, None, &text)
        .await
        .refused(413, "request.too_large");
}

#[tokio::test]
async fn spent_ids_are_never_taken_again() {
    let (server, sample) = (TestServer::new().await, Sample::small());
    sample.upload(&server).await;
    server
        .call("DELETE", &sample.path(""), Some(&sample.owner()))
        .await
        .expect(204);
    let mut other = sample.request();
    other["ttl_s"] = 60.into();
    server
        .call_json("/api/v1/transfers", None, &other)
        .await
        .refused(409, "transfer.conflict");
    // The same request again is the same answer: it is gone, and stays so.
    assert_eq!(
        sample.create(&server).await.expect(200).json["state"],
        "gone"
    );
    sample
        .peek(&server, &sample.link())
        .await
        .refused(410, "transfer.gone");
}
