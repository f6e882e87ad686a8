//! What is refused before any transfer is looked at.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::Version;
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST};
use futures_util::{StreamExt as _, stream};
use tokio::time::Instant;

use crate::sample::Sample;
use crate::server::{TestServer, request, with_token};

/// Well formed, and no part's.
const NO_DIGEST: &str = "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:";

#[tokio::test]
async fn paths_and_methods_that_are_not_there() {
    let server = TestServer::new().await;
    for path in [
        "/api/v1/nothing",
        "/api/v2/config",
        "/api/v1/transfers/x/y/z",
        "/download/x",
        "/index.html",
        "/manage.html",
    ] {
        server
            .call("GET", path, None)
            .await
            .refused(404, "path.unknown");
    }
    for (method, path) in [
        ("GET", "/api/v1/transfers"),
        ("PUT", "/api/v1/config"),
        ("BREW", "/"),
        ("POST", "/open"),
    ] {
        let refused = server
            .call(method, path, None)
            .await
            .refused(405, "method.unknown");
        assert_ne!(refused.header("allow"), "", "{method} {path}");
    }
}

#[tokio::test]
async fn tokens_are_bearer_and_whole() {
    let (server, sample) = (TestServer::new().await, Sample::large());
    sample.create(&server).await.expect(201);
    let token = sample.owner();
    let send = async |values: &[String]| {
        let mut request = request("GET", &sample.path("/parts"));
        for value in values {
            request = request.header(AUTHORIZATION, value);
        }
        server.send(request.body(Body::empty()).unwrap()).await
    };
    let bearer = format!("Bearer {token}");
    for garbled in [
        String::new(),
        "Bearer".into(),
        "Bearer ".into(),
        token.clone(),
        format!("Basic {token}"),
        format!("{bearer}="),
        bearer.get(..49).unwrap().into(),
        format!("{bearer} {token}"),
    ] {
        let refused = send(std::slice::from_ref(&garbled))
            .await
            .refused(401, "request.unauthorized");
        assert_eq!(refused.header("www-authenticate"), "Bearer", "{garbled}");
    }
    send(&[]).await.refused(401, "request.unauthorized");
    send(&[bearer.clone(), bearer.clone()])
        .await
        .refused(401, "request.unauthorized");
    send(&[format!("bearer {token}")]).await.expect(200);
    send(&[bearer]).await.expect(200);
}

#[tokio::test]
async fn calls_with_json_take_only_json() {
    let (server, sample) = (TestServer::new().await, Sample::small());
    let send = async |content_type: Option<&str>| {
        let mut request = request("POST", "/api/v1/transfers");
        if let Some(content_type) = content_type {
            request = request.header(CONTENT_TYPE, content_type);
        }
        server
            .send(request.body(sample.request().to_string().into()).unwrap())
            .await
    };
    for other in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("application/jsonp"),
        Some(""),
    ] {
        send(other).await.refused(415, "request.media_type");
    }
    send(Some("Application/JSON; charset=utf-8"))
        .await
        .expect(201);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stands_still_is_given_up() {
    let server = TestServer::new().await;
    let begun = Ok::<_, std::io::Error>(Bytes::from_static(b"{"));
    let send = async |body| {
        let request = request("POST", "/api/v1/transfers").header(CONTENT_TYPE, "application/json");
        server.send(request.body(body).unwrap()).await
    };
    let stalled = Body::from_stream(stream::iter([begun]).chain(stream::pending()));
    send(stalled).await.refused(408, "request.timeout");
    let trickling = send(dripping(b" ")).await;
    trickling.refused(408, "request.timeout");
    // However long it takes: what is missing is said when all of it has come.
    let slow = [dripping(&[b' '; 1024]), Body::from("{}")];
    let slow = stream::iter(slow).flat_map(Body::into_data_stream);
    let started = Instant::now();
    let answer = send(Body::from_stream(slow)).await;
    answer.refused(400, "request.malformed");
    assert_eq!(started.elapsed().as_secs(), 64);
    let broken = stream::iter([
        Ok(Bytes::from_static(b"{")),
        Err(std::io::Error::other("gone")),
    ]);
    send(Body::from_stream(broken))
        .await
        .refused(400, "request.malformed");
}

/// A body of which `piece` comes every second, 64 times, from a client that is in no hurry.
fn dripping(piece: &'static [u8]) -> Body {
    Body::from_stream(stream::repeat(piece).take(64).then(async |piece| {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok::<_, std::io::Error>(Bytes::from_static(piece))
    }))
}

#[tokio::test(start_paused = true)]
async fn a_part_that_trickles_is_given_up_and_a_slow_one_is_not() {
    let server = TestServer::patient().await;
    let sample = Sample::large();
    sample.create(&server).await.expect(201);
    let send = async |version, piece| {
        let started = Instant::now();
        let request = with_token(
            request("PUT", &sample.path("/parts/0")),
            Some(&sample.owner()),
        );
        let request = request.version(version).header(HOST, "a");
        let request = request
            .header(CONTENT_LENGTH, 65_536)
            .header("content-digest", NO_DIGEST);
        let request = request.body(dripping(piece)).unwrap();
        (server.send(request).await, started.elapsed().as_secs())
    };
    for (version, closed) in [(Version::HTTP_11, "close"), (Version::HTTP_2, "")] {
        let (answer, after_s) = send(version, b"x").await;
        let answer = answer.refused(408, "request.timeout");
        assert_eq!((answer.header("connection"), after_s), (closed, 30));
    }
    // All of it comes, and is found to have another digest.
    let (answer, after_s) = send(Version::HTTP_11, &[0; 1024]).await;
    answer.refused(422, "part.digest_mismatch");
    assert_eq!(after_s, 64);
}

#[tokio::test]
async fn requests_have_exactly_one_host() {
    let server = TestServer::new().await;
    let send = async |version: Version, uri: &str, hosts: &[&str]| {
        let mut request = request("GET", uri).version(version);
        for host in hosts {
            request = request.header(HOST, *host);
        }
        server.send_raw(request.body(Body::empty()).unwrap()).await
    };
    let config = "/api/v1/config";
    for hosts in [
        &[][..],
        &["a", "a"],
        &["a", "b"],
        &[""],
        &["a b"],
        &["a/b"],
        &["a@b"],
    ] {
        let refused = send(Version::HTTP_11, config, hosts)
            .await
            .refused(400, "request.malformed");
        assert_eq!(refused.header("connection"), "close", "{hosts:?}");
    }
    send(Version::HTTP_11, config, &["localhost:8080"])
        .await
        .expect(200);
    send(Version::HTTP_11, config, &["[::1]:8080"])
        .await
        .expect(200);
    send(Version::HTTP_2, "http://localhost/api/v1/config", &[])
        .await
        .expect(200);
    send(
        Version::HTTP_2,
        "http://localhost/api/v1/config",
        &["a", "b"],
    )
    .await
    .refused(400, "request.malformed");
    send(Version::HTTP_2, config, &[])
        .await
        .refused(400, "request.malformed");
    // The address names a host, too.
    let named = "http://localhost:8080/api/v1/config";
    for version in [Version::HTTP_11, Version::HTTP_2] {
        send(version, named, &["LOCALHOST:8080"]).await.expect(200);
        for other in ["localhost", "other:8080", "a@localhost:8080"] {
            let refused = send(version, named, &[other]).await;
            refused.refused(400, "request.malformed");
        }
    }
    send(Version::HTTP_2, "http://a@localhost/api/v1/config", &[])
        .await
        .refused(400, "request.malformed");
}

#[tokio::test]
async fn chunked_requests_are_refused() {
    let server = TestServer::new().await;
    let chunked = request("POST", "/api/v1/transfers")
        .header("transfer-encoding", "chunked")
        .body(Body::empty())
        .unwrap();
    let refused = server
        .send(chunked)
        .await
        .refused(411, "request.length_required");
    assert_eq!(refused.header("connection"), "close");
}
