//! `/transfers/{id}/parts…` and `/complete`.

use axum::body::{Body, Bytes};
use futures_util::{StreamExt as _, stream};
use onetimeshare_server::record::TRIES_MAX;
use serde_json::json;

use crate::sample::{Sample, text};
use crate::server::{START, TestServer, request, with_token};

async fn uploading() -> (TestServer, Sample) {
    let (server, sample) = (TestServer::new().await, Sample::large());
    sample.create(&server).await.expect(201);
    (server, sample)
}

async fn complete(server: &TestServer, sample: &Sample) -> crate::server::Answer {
    server
        .call("POST", &sample.path("/complete"), Some(&sample.owner()))
        .await
}

#[tokio::test]
async fn parts_come_in_any_order_and_again() {
    let (server, sample) = uploading().await;
    for index in [3, 0, 2, 0] {
        sample.put(&server, index).await.expect(204);
    }
    let listed = server
        .call("GET", &sample.path("/parts"), Some(&sample.owner()))
        .await
        .expect(200);
    assert_eq!(
        listed.json,
        json!({"part_len": 65_536, "part_count": 4, "accepted": [0, 2, 3]})
    );
    let missing = complete(&server, &sample)
        .await
        .refused(409, "part.missing");
    assert_eq!(missing.json["missing"], json!([1]));
    sample.put(&server, 1).await.expect(204);
    // Its life runs from here on, however long the upload took.
    server.clock.advance(100);
    let expected = json!({"state": "ready", "expires_at": START + 3700});
    assert_eq!(complete(&server, &sample).await.expect(200).json, expected);
    server.clock.advance(100);
    assert_eq!(complete(&server, &sample).await.expect(200).json, expected);
    sample.assert_unharmed(&server, 5).await;
}

#[tokio::test]
async fn parts_that_are_not_what_was_announced_are_refused() {
    let (server, sample) = uploading().await;
    let part = sample.parts()[0].to_vec();
    let mut torn = part.clone();
    torn[70] ^= 1;
    server
        .send(sample.part_request("0", &part, torn.into()))
        .await
        .refused(422, "part.digest_mismatch");
    let short = part[1..].to_vec();
    server
        .send(sample.part_request("0", &part, short.clone().into()))
        .await
        .refused(422, "part.length_mismatch");
    let long = [&part[..], &[0]].concat();
    server
        .send(sample.part_request("0", &part, long.clone().into()))
        .await
        .refused(422, "part.length_mismatch");
    sample
        .put_bytes(&server, "0", &short)
        .await
        .refused(422, "part.length_mismatch");
    sample
        .put_bytes(&server, "0", &long)
        .await
        .refused(422, "part.length_mismatch");
    sample
        .put_bytes(&server, "3", &part)
        .await
        .refused(422, "part.length_mismatch");
    for index in [
        "4",
        "18446744073709551615",
        "18446744073709551616",
        "-1",
        "x",
        "01",
        "%30%31",
    ] {
        sample
            .put_bytes(&server, index, &part)
            .await
            .refused(422, "part.unknown");
    }
    let listed = server
        .call("GET", &sample.path("/parts"), Some(&sample.owner()))
        .await
        .expect(200);
    assert_eq!(listed.json["accepted"], json!([]));
    for index in 0..4 {
        sample.put(&server, index).await.expect(204);
    }
    complete(&server, &sample).await.expect(200);
    sample.assert_unharmed(&server, 5).await;
}

#[tokio::test]
async fn another_content_never_replaces_a_part() {
    let (server, sample) = uploading().await;
    sample.put(&server, 1).await.expect(204);
    let other = vec![0; sample.parts()[1].len()];
    sample
        .put_bytes(&server, "1", &other)
        .await
        .refused(409, "part.conflict");
    for index in [0, 2, 3] {
        sample.put(&server, index).await.expect(204);
    }
    complete(&server, &sample).await.expect(200);
    sample
        .put(&server, 1)
        .await
        .refused(409, "transfer.not_uploading");
    sample
        .put_bytes(&server, "1", &other)
        .await
        .refused(409, "transfer.not_uploading");
    sample.assert_unharmed(&server, 5).await;
}

#[tokio::test]
async fn parts_need_their_length_and_digest() {
    let (server, sample) = uploading().await;
    let send = async |headers: &[(&str, &str)]| {
        let mut request = with_token(
            request("PUT", &sample.path("/parts/0")),
            Some(&sample.owner()),
        );
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        server.send(request.body(Body::empty()).unwrap()).await
    };
    let digest = "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:";
    send(&[("content-digest", digest)])
        .await
        .refused(411, "request.length_required");
    send(&[("content-length", "x"), ("content-digest", digest)])
        .await
        .refused(411, "request.length_required");
    for garbled in [
        "",
        "sha-256=AAAA",
        "sha-512=:AAAA:",
        "sha-256=:AAAA:",
        digest.strip_suffix(':').unwrap(),
    ] {
        let refused = send(&[("content-length", "0"), ("content-digest", garbled)])
            .await
            .refused(400, "request.malformed");
        assert!(
            refused.json["message"]
                .as_str()
                .unwrap()
                .contains("Content-Digest")
        );
    }
    send(&[("content-length", "0")])
        .await
        .refused(400, "request.malformed");
}

#[tokio::test]
async fn only_the_owner_uploads() {
    let (server, sample) = uploading().await;
    let stranger = text(&[1; 32]);
    let calls = [("GET", "/parts"), ("POST", "/complete"), ("DELETE", "")];
    for (method, path) in calls {
        server
            .call(method, &sample.path(path), None)
            .await
            .refused(401, "request.unauthorized");
        server
            .call(method, &sample.path(path), Some(&stranger))
            .await
            .refused(404, "transfer.unknown");
    }
    let mut put = sample.part_request("0", sample.parts()[0], sample.parts()[0].to_vec().into());
    put.headers_mut().remove("authorization");
    server.send(put).await.refused(401, "request.unauthorized");
    let mut put = sample.part_request("0", sample.parts()[0], sample.parts()[0].to_vec().into());
    put.headers_mut().insert(
        "authorization",
        format!("Bearer {stranger}").parse().unwrap(),
    );
    server.send(put).await.refused(404, "transfer.unknown");
    sample.put(&server, 0).await.expect(204);
}

#[tokio::test]
async fn a_part_that_stands_still_is_given_up() {
    let (server, sample) = uploading().await;
    let part = sample.parts()[0];
    let begun = Ok::<_, std::io::Error>(Bytes::copy_from_slice(&part[..100]));
    let stalled = Body::from_stream(stream::iter([begun]).chain(stream::pending()));
    server
        .send(sample.part_request("0", part, stalled))
        .await
        .refused(408, "request.timeout");
    let begun = Ok(Bytes::copy_from_slice(&part[..100]));
    let broken = stream::iter([begun, Err(std::io::Error::other("gone"))]);
    server
        .send(sample.part_request("0", part, Body::from_stream(broken)))
        .await
        .refused(400, "request.malformed");
    sample.put(&server, 0).await.expect(204);
}

#[tokio::test]
async fn tries_that_break_off_again_and_again_are_refused_for_a_while() {
    let (server, sample) = uploading().await;
    let part = sample.parts()[0];
    let broken_off = || {
        let broken = stream::iter([Err::<Bytes, _>(std::io::Error::other("gone"))]);
        sample.part_request("0", part, Body::from_stream(broken))
    };
    let tries = TRIES_MAX + 4;
    for _ in 0..tries {
        server
            .send(broken_off())
            .await
            .refused(400, "request.malformed");
    }
    let refused = server.send(broken_off()).await;
    assert_eq!(refused.header("retry-after"), "60");
    refused.refused(429, "request.rate_limited");
}

#[tokio::test]
async fn burning_an_upload_leaves_nothing() {
    let (server, sample) = uploading().await;
    sample.put(&server, 0).await.expect(204);
    assert_eq!(server.blobs.count(), 1);
    for _ in 0..2 {
        server
            .call("DELETE", &sample.path(""), Some(&sample.owner()))
            .await
            .expect(204);
    }
    server.sweep().await;
    assert_eq!(server.blobs.count(), 0);
    let gone = sample.put(&server, 1).await.refused(410, "transfer.gone");
    assert_eq!(
        (&gone.json["cause"], &gone.json["at"]),
        (&json!("burnt"), &json!(START))
    );
    complete(&server, &sample)
        .await
        .refused(410, "transfer.gone");
}

#[tokio::test]
async fn an_upload_that_idles_is_abandoned() {
    let (server, sample) = uploading().await;
    sample.put(&server, 0).await.expect(204);
    server.clock.advance(3601);
    let gone = sample.put(&server, 1).await.refused(410, "transfer.gone");
    assert_eq!(gone.json["cause"], "abandoned");
}
