//! `GET /transfers/{id}/body`.

use axum::body::Body;
use axum::http::header::{IF_RANGE, RANGE};

use crate::sample::Sample;
use crate::server::{TestServer, request, with_token};

async fn claimed(sample: Sample) -> (TestServer, Sample) {
    let server = TestServer::new().await;
    sample.upload(&server).await;
    sample.claim(&server, 1).await.expect(200);
    (server, sample)
}

#[tokio::test]
async fn ranges_give_exactly_their_bytes() {
    for sample in [Sample::small(), Sample::large()] {
        let (server, sample) = claimed(sample).await;
        let len = sample.body.len();
        let check = async |range: String, from: usize, to: usize| {
            let answer = sample.fetch(&server, 1, Some(&range)).await.expect(206);
            assert!(answer.bytes == sample.body[from..to], "{range}");
            assert_eq!(
                answer.header("content-range"),
                format!("bytes {from}-{}/{len}", to - 1)
            );
            assert_eq!(answer.header("content-length"), (to - from).to_string());
        };
        check("bytes=0-".into(), 0, len).await;
        check("bytes=0-0".into(), 0, 1).await;
        check("bytes=1000-1023".into(), 1000, 1024).await;
        check(format!("bytes=1-{}", u64::MAX), 1, len).await;
        check("bytes=-7".into(), len - 7, len).await;
        check(format!("bytes=-{}", len + 1), 0, len).await;
        check(format!("bytes={}-", len - 1), len - 1, len).await;
        if len > 200_000 {
            // Across the edges of parts.
            check("bytes=65535-65536".into(), 65_535, 65_537).await;
            check("bytes=65536-196608".into(), 65_536, 196_609).await;
        }
    }
}

#[tokio::test]
async fn ranges_beyond_the_end_name_the_length() {
    let (server, sample) = claimed(Sample::large()).await;
    let len = sample.body.len();
    for range in [
        format!("bytes={len}-"),
        format!("bytes={}-{}", len + 5, len + 9),
        "bytes=-0".into(),
    ] {
        let refused = sample
            .fetch(&server, 1, Some(&range))
            .await
            .refused(416, "range.unsatisfiable");
        assert_eq!(refused.header("content-range"), format!("bytes */{len}"));
    }
    assert!(sample.fetch(&server, 1, None).await.expect(200).bytes == sample.body);
}

#[tokio::test]
async fn other_ranges_are_ignored() {
    let (server, sample) = claimed(Sample::large()).await;
    for range in ["bytes=0-1,5-6", "lines=1-2", "bytes=5-4", "bytes=", "5-"] {
        let whole = sample.fetch(&server, 1, Some(range)).await.expect(200);
        assert!(whole.bytes == sample.body, "{range}");
        assert_eq!(
            (whole.header("accept-ranges"), whole.header("content-range")),
            ("bytes", "")
        );
        assert_eq!(whole.header("content-type"), "application/octet-stream");
    }
    let conditional = with_token(
        request("GET", &sample.path("/body")),
        Some(&sample.claimant(1)),
    );
    let conditional = conditional
        .header(RANGE, "bytes=5-")
        .header(IF_RANGE, "\"x\"")
        .body(Body::empty())
        .unwrap();
    assert_eq!(
        server.send(conditional).await.expect(200).bytes.len(),
        sample.body.len()
    );
}

#[tokio::test]
async fn only_a_live_lease_fetches() {
    let (server, sample) = claimed(Sample::large()).await;
    server
        .call("GET", &sample.path("/body"), None)
        .await
        .refused(401, "request.unauthorized");
    sample
        .fetch(&server, 2, None)
        .await
        .refused(404, "transfer.unknown");
    server
        .call("GET", &sample.path("/body"), Some(&sample.owner()))
        .await
        .refused(404, "transfer.unknown");
    server.clock.advance(599);
    sample.fetch(&server, 1, None).await.expect(200);
    // Bytes that flowed renewed it.
    server.clock.advance(599);
    sample.fetch(&server, 1, None).await.expect(200);
    server.clock.advance(601);
    let ended = sample
        .fetch(&server, 1, None)
        .await
        .refused(410, "lease.ended");
    assert_eq!(ended.json["cause"], "lapsed");
}
