//! Who has as much lying here as it may is refused one more before anything of it is stored, and told which bound it met; nothing
//! that it writes makes it somebody else, and nobody else is refused.

use axum::http::header::CONTENT_TYPE;
use onetimeshare_protocol::route;
use onetimeshare_server::budget::Proxies;
use onetimeshare_server::record::RecordStore as _;
use onetimeshare_server::service::Quota;
use onetimeshare_server::transfer::RECORD_LEN;

use crate::budgets::from;
use crate::sample::Sample;
use crate::server::{Answer, TestServer};

const OURS: &str = "10.0.0.1";

const fn count(count_max: u64) -> Quota {
    Quota {
        len_max: None,
        count_max: Some(count_max),
    }
}

async fn server(quota: Quota) -> TestServer {
    let ours = vec!["10.0.0.0/8".parse().unwrap()];
    TestServer::bounded(quota, Proxies::new(ours)).await
}

/// Creates the small sample of this seed, over a connection from `peer`.
async fn create(server: &TestServer, seed: u8, peer: &str, headers: &[(&str, &str)]) -> Answer {
    create_of(server, &Sample::of(seed, 1000), peer, headers).await
}

async fn create_of(
    server: &TestServer,
    sample: &Sample,
    peer: &str,
    headers: &[(&str, &str)],
) -> Answer {
    let mut asked = from(peer, "POST", route::TRANSFERS).header(CONTENT_TYPE, "application/json");
    for (name, value) in headers {
        asked = asked.header(*name, *value);
    }
    let body = sample.request().to_string().into();
    server.send(asked.body(body).unwrap()).await
}

#[tokio::test]
async fn what_does_not_fit_is_told_with_its_bound_and_stored_nowhere() {
    let server = server(count(2)).await;
    for seed in [1, 2] {
        create(&server, seed, "192.0.2.1", &[]).await.expect(201);
    }
    let told = create(&server, 3, "192.0.2.1", &[]).await;
    assert_eq!(told.header("retry-after"), "", "nobody waits for days");
    let told = told.refused(403, "quota.exceeded");
    assert_eq!(told.json["count_max"], 2);
    assert!(told.json.get("len_max").is_none());
    assert!(!String::from_utf8_lossy(&told.bytes).contains("192.0"));
    assert_eq!(server.records.totals().await.unwrap().held.count, 2);
    // What was taken is answered again, and others go on.
    create(&server, 1, "192.0.2.1", &[]).await.expect(200);
    create(&server, 3, "192.0.2.2", &[]).await.expect(201);
    let burnt = Sample::of(1, 1000);
    let (path, owner) = (burnt.path(""), burnt.owner());
    server.call("DELETE", &path, Some(&owner)).await.expect(204);
    create(&server, 4, "192.0.2.1", &[]).await.expect(201);
    let measured = server.measured().await;
    for (reason, count) in [("quota_count", 1), ("quota_bytes", 0), ("storage_max", 0)] {
        let series = format!("onetimeshare_creates_refused_total{{reason=\"{reason}\"}} {count}\n");
        assert!(measured.contains(&series), "{series}");
    }
    assert!(!measured.contains("192.0"));
}

#[tokio::test]
async fn a_large_one_is_refused_before_any_part_and_given_back_when_nobody_goes_on() {
    let large = Sample::large();
    let len = RECORD_LEN + 304 + u64::try_from(large.body.len()).unwrap();
    let quota = Quota {
        len_max: Some(len + 1),
        count_max: None,
    };
    let server = server(quota).await;
    let other = Sample::of(3, 200_000);
    create_of(&server, &large, "192.0.2.1", &[])
        .await
        .expect(201);
    let told = create_of(&server, &other, "192.0.2.1", &[]).await;
    let told = told.refused(403, "quota.exceeded");
    assert_eq!(told.json["len_max"], len + 1);
    let measured = server.measured().await;
    let series = "onetimeshare_creates_refused_total{reason=\"quota_bytes\"} 1\n";
    assert!(measured.contains(series));
    server.clock.advance(3600);
    server.sweep().await;
    create_of(&server, &other, "192.0.2.1", &[])
        .await
        .expect(201);
}

#[tokio::test]
async fn forged_headers_gain_no_transfer() {
    for (peer, through) in [("192.0.2.1", None), (OURS, Some("192.0.2.1"))] {
        let server = server(count(3)).await;
        let mut made = 0;
        for seed in 0..20 {
            let forged = format!("198.51.100.{seed}");
            let chain =
                through.map_or_else(|| forged.clone(), |through| format!("{forged}, {through}"));
            let element = format!("for={forged}");
            let headers = [
                ("x-forwarded-for", chain.as_str()),
                ("x-real-ip", &forged),
                ("forwarded", &element),
            ];
            let answer = create(&server, seed, peer, &headers).await;
            made += u64::from(answer.status == 201);
        }
        assert_eq!(made, 3, "{peer}");
    }
}

#[tokio::test]
async fn a_64_has_its_quota_and_a_48_eight() {
    let server = server(count(2)).await;
    let mut made = [0_u64; 12];
    let mut seed = 0;
    for (network, made) in made.iter_mut().enumerate() {
        for host in 0..3 {
            let peer = format!("2001:db8:1:{network:x}::{host}");
            *made += u64::from(create(&server, seed, &peer, &[]).await.status == 201);
            seed += 1;
        }
    }
    assert_eq!(made, [2, 2, 2, 2, 2, 2, 2, 2, 0, 0, 0, 0]);
    let told = create(&server, seed, "2001:db8:1:ff::1", &[]).await;
    assert_eq!(told.refused(403, "quota.exceeded").json["count_max"], 16);
    create(&server, seed, "2001:db8:2::1", &[])
        .await
        .expect(201);
}

#[tokio::test]
async fn without_a_quota_there_is_no_end() {
    let server = server(Quota::default()).await;
    for seed in 0..20 {
        create(&server, seed, "192.0.2.1", &[]).await.expect(201);
    }
}
