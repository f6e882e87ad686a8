//! Connections by TLS over real sockets: both protocols, and every deadline of a plain connection, inside and before it.

use std::time::Duration;

use axum::http::Version;
use onetimeshare_server::tls::Tls;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, timeout};

use crate::authority::{Authority, Talk, VERSIONS};
use crate::connections::{DEADLINES, PATIENCE, Running, read_all, rest_of};
use crate::sample::Sample;

/// A server that speaks TLS, and who vouches for it.
async fn start() -> (Running, Authority) {
    let authority = Authority::new();
    let folder = tempfile::tempdir().unwrap();
    let files = authority.issue().write(folder.path());
    let running = Running::start_by(Some(Tls::open(files).unwrap())).await;
    (running, authority)
}

#[tokio::test]
async fn both_protocols_are_spoken_by_both_versions() {
    let (running, authority) = start().await;
    let sample = Sample::of(3, 1 << 19);
    sample.upload(&running.server).await;
    sample.claim(&running.server, 1).await.expect(200);
    for version in VERSIONS {
        for (protocols, expected) in [
            (&["h2", "http/1.1"][..], Version::HTTP_2),
            (&["http/1.1"], Version::HTTP_11),
            (&["h2"], Version::HTTP_2),
            (&[], Version::HTTP_11),
        ] {
            let stream = authority
                .connect(running.listener, protocols, &[*version])
                .await;
            let mut talk = Talk::begin(stream.unwrap()).await;
            let told = talk
                .ask(&sample.path("/body"), Some(&sample.claimant(1)))
                .await;
            assert_eq!(
                (told.version, told.status.as_u16()),
                (expected, 200),
                "{protocols:?}"
            );
            assert!(told.body == sample.body, "other bytes came");
            let told = talk.ask("/healthz", None).await;
            assert_eq!(told.status, 204, "the connection goes on");
        }
    }
    authority
        .connect(running.listener, &["spdy/3"], VERSIONS)
        .await
        .expect_err("nothing is in common");
}

#[tokio::test]
async fn a_handshake_that_stands_still_is_given_up_and_others_are_served() {
    let (running, authority) = start().await;
    let started = Instant::now();
    // Nothing; the head of a record; one that announces more than comes; one that is none of a handshake's.
    let beginnings: [&[u8]; 4] = [
        b"",
        b"\x16\x03\x01",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x16\x03\x01\x00\x04abcd",
    ];
    let mut standing = Vec::new();
    for beginning in beginnings {
        let mut stream = running.connect().await;
        stream.write_all(beginning).await.unwrap();
        standing.push(stream);
    }
    let stream = authority.connect(running.listener, &[], VERSIONS).await;
    let told = Talk::begin(stream.unwrap())
        .await
        .ask("/healthz", None)
        .await;
    assert_eq!(told.status, 204);
    for mut stream in standing {
        assert!(!read_all(&mut stream).await.contains("HTTP"));
    }
    assert!(started.elapsed() < PATIENCE);
}

#[tokio::test]
async fn a_dripping_handshake_is_given_up() {
    let (running, _) = start().await;
    let mut slow = running.connect().await;
    let drip = async {
        let mut sent = 0;
        slow.write_all(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc")
            .await
            .unwrap();
        while slow.write_all(b"\x00").await.is_ok() && sent < 200 {
            sent += 1;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        sent
    };
    let sent = timeout(PATIENCE, drip).await.unwrap();
    assert!(sent < 100, "the handshake took {sent} bytes");
}

#[tokio::test]
async fn half_a_head_inside_is_given_up_and_so_is_silence() {
    let (running, authority) = start().await;
    let heads: [&[u8]; 5] = [
        b"",
        b"P",
        b"PRI * HTTP/2.0\r\n",
        b"GET /api/v1/config HTTP/1.1\r\nHost: a\r\nX-A: ",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ];
    for head in heads {
        let stream = authority.connect(running.listener, &[], VERSIONS).await;
        let mut stream = stream.unwrap();
        stream.write_all(head).await.unwrap();
        let mut answer = Vec::new();
        // It may end without a farewell.
        let _ = timeout(PATIENCE, stream.read_to_end(&mut answer))
            .await
            .expect("the server ends the connection");
        let answer = String::from_utf8_lossy(&answer);
        assert!(!answer.contains("200 OK"), "{answer}");
    }
}

#[tokio::test]
async fn a_reader_that_stands_still_inside_is_given_up() {
    let (running, authority) = start().await;
    let sample = Sample::of(3, 1 << 20);
    sample.upload(&running.server).await;
    sample.claim(&running.server, 1).await.expect(200);
    let head = format!(
        "GET {} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\n\r\n",
        sample.path("/body"),
        sample.claimant(1)
    );
    let stream = authority
        .connect(running.listener, &["http/1.1"], VERSIONS)
        .await;
    let mut stream = stream.unwrap();
    // More answers than any socket's buffers hold, asked for and never read.
    stream.write_all(head.repeat(200).as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    running.has_let_go().await;
    let taken = rest_of(&mut stream).await;
    assert!(taken < sample.body.len() * 200, "all {taken} bytes came");
}

#[tokio::test]
async fn who_speaks_without_tls_is_told_so() {
    let (running, _) = start().await;
    for request in [
        &b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..],
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x80\x2e\x01\x00\x02",
        &[b'x'; 1000],
    ] {
        let mut stream = running.connect().await;
        stream.write_all(request).await.unwrap();
        stream.shutdown().await.unwrap();
        let answer = read_all(&mut stream).await;
        assert!(
            answer.starts_with("HTTP/1.1 400 Bad Request\r\n"),
            "{answer}"
        );
        assert!(
            answer.ends_with("begin the address with https:// instead.\r\n"),
            "{answer}"
        );
        assert!(!answer.contains("Strict-Transport"), "{answer}");
    }
}

#[tokio::test]
async fn who_speaks_without_tls_cannot_hold_a_connection() {
    let (running, _) = start().await;
    let mut stream = running.connect().await;
    let talk = async {
        while stream
            .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            .await
            .is_ok()
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, talk)
        .await
        .expect("the server ends the connection");
}

#[tokio::test]
async fn stopping_waits_for_no_handshake() {
    let (running, authority) = start().await;
    let mut standing = running.connect().await;
    standing.write_all(b"\x16\x03\x01").await.unwrap();
    // The other connection's answer comes after it was accepted.
    let stream = authority.connect(running.listener, &[], VERSIONS).await;
    Talk::begin(stream.unwrap())
        .await
        .ask("/healthz", None)
        .await;
    let started = Instant::now();
    running.stop.cancel();
    timeout(PATIENCE, running.serving)
        .await
        .expect("the loop ends")
        .unwrap();
    assert!(
        started.elapsed() < DEADLINES.head,
        "{:?}",
        started.elapsed()
    );
}
