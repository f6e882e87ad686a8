//! Who asks for too much is told when to go on, before anything else is looked at; nothing that it writes makes it somebody
//! else, and nobody else is told so.

use std::convert::Infallible;
use std::net::IpAddr;

use axum::body::{Body, Bytes};
use axum::http::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use futures_util::{FutureExt as _, StreamExt as _, stream};
use http_body_util::BodyExt as _;
use onetimeshare_protocol::{limits, route};
use onetimeshare_server::budget::{Budget, Budgets, Peer, Proxies, Rate, Rates};

use tower::ServiceExt as _;

use crate::sample::{Sample, text};
use crate::server::{Answer, TestServer, request, with_token};

const COUNT: u32 = 5;

/// Five requests of each kind in an hour: within a test none of them is there again.
fn rates() -> Rates {
    let requests = [Budget::Create, Budget::Open, Budget::Owner].into_iter();
    let rates = requests.fold(Rates::default(), |rates, budget| {
        rates.with(budget, Rate::new(COUNT, 3600))
    });
    // Two parts of this server, in KiB.
    rates.with(Budget::Upload, Rate::new(128, 3600))
}

async fn server(trusted: &[&str]) -> TestServer {
    let networks = trusted.iter().map(|text| text.parse().unwrap());
    let proxies = Proxies::new(networks.collect());
    TestServer::limited(Budgets::new(rates(), proxies, None)).await
}

/// A request over a connection from `peer`.
pub(crate) fn from(peer: &str, method: &str, path: &str) -> axum::http::request::Builder {
    let address: IpAddr = peer.parse().unwrap();
    request(method, path).extension(Peer::new(address))
}

async fn stats(server: &TestServer, peer: &str, headers: &[(&str, &str)]) -> Answer {
    let mut asked = from(peer, "GET", route::STATS);
    for (name, value) in headers {
        asked = asked.header(*name, *value);
    }
    server.send(asked.body(Body::empty()).unwrap()).await
}

#[track_caller]
fn limited(answer: Answer, budget: &str, wait_s: u64, policy: &str) {
    let answer = answer.refused(429, "request.rate_limited");
    let told: u64 = answer.header("retry-after").parse().unwrap();
    // Some of it has passed since.
    assert!((wait_s - 60..=wait_s).contains(&told), "{told}");
    assert_eq!(
        answer.header("ratelimit"),
        format!("\"{budget}\";r=0;t={told}")
    );
    assert_eq!(
        answer.header("ratelimit-policy"),
        format!("\"{budget}\";{policy}")
    );
    assert!(
        answer.json["message"]
            .as_str()
            .unwrap()
            .contains("Retry-After")
    );
}

#[tokio::test]
async fn every_call_costs_some_of_its_budget() {
    let sample = Sample::large();
    let calls = [
        (Budget::Create, "POST", route::TRANSFERS.to_owned()),
        (Budget::Owner, "GET", sample.path("")),
        (Budget::Owner, "DELETE", sample.path("")),
        (Budget::Owner, "POST", sample.path("/unlock")),
        (Budget::Owner, "GET", sample.path("/parts")),
        (Budget::Owner, "POST", sample.path("/complete")),
        (Budget::Open, "POST", sample.path("/peek")),
        (Budget::Open, "POST", sample.path("/claim")),
        (Budget::Open, "GET", sample.path("/body")),
        (Budget::Open, "POST", sample.path("/renew")),
        (Budget::Open, "POST", sample.path("/delivered")),
        (Budget::Open, "GET", route::STATS.to_owned()),
    ];
    for (budget, method, path) in calls {
        let server = server(&[]).await;
        for _ in 0..COUNT {
            let answer = server.call(method, &path, None).await;
            assert_ne!(answer.status, 429, "{method} {path}");
        }
        let answer = server.call(method, &path, None).await;
        limited(answer, budget.name(), 720, "q=5;w=3600");
        let told = server.measured().await;
        for each in Budget::ALL {
            let count = u32::from(each == budget);
            let series = format!(
                "onetimeshare_requests_stopped_total{{budget=\"{}\"}} {count}\n",
                each.name()
            );
            assert!(told.contains(&series), "{series}");
        }
    }
}

#[tokio::test]
async fn the_head_of_an_answer_costs_as_much_as_the_answer() {
    let sample = Sample::large();
    for (path, budget) in [
        (route::STATS.to_owned(), "open"),
        (sample.path("/parts"), "owner"),
    ] {
        let server = server(&[]).await;
        for _ in 0..COUNT {
            let answer = server.call("HEAD", &path, None).await;
            assert_ne!(answer.status, 429, "{path}");
        }
        limited(
            server.call("GET", &path, None).await,
            budget,
            720,
            "q=5;w=3600",
        );
    }
}

#[tokio::test]
async fn a_large_transfer_counts_as_several() {
    let create = async |server: &TestServer, seed: u8, content_len: u64| {
        let mut request = Sample::of(seed, 100_000).request();
        request["body_len"] = limits::body_len(content_len).unwrap().into();
        server.call_json(route::TRANSFERS, None, &request).await
    };
    let server = server(&[]).await;
    create(&server, 1, 200 << 20).await.expect(201);
    create(&server, 2, 1 << 20).await.expect(201);
    let refused = create(&server, 3, 1 << 20).await;
    limited(refused, "create", 720, "q=5;w=3600");
    // Who is stopped for the rest of the price is told to wait for all of it.
    let server = self::server(&[]).await;
    create(&server, 1, 200 << 20).await.expect(201);
    let refused = create(&server, 2, 200 << 20).await;
    limited(refused, "create", 2880, "q=5;w=3600");
    // What no server takes costs no more than to be looked at.
    let server = self::server(&[]).await;
    create(&server, 1, 1 << 40)
        .await
        .refused(413, "transfer.too_large");
    create(&server, 2, 200 << 20).await.expect(201);
    // A manifest counts, too: this one twice 16 KiB.
    let server = self::server(&[]).await;
    let mut request = Sample::of(4, 100_000).request();
    request["manifest"] = text(&vec![0; 48 + (32 << 10)]).into();
    let first = server.call_json(route::TRANSFERS, None, &request).await;
    first.expect(201);
    create(&server, 5, 1 << 20).await.expect(201);
    create(&server, 6, 1 << 20).await.expect(201);
    let refused = create(&server, 7, 1 << 20).await;
    limited(refused, "create", 720, "q=5;w=3600");
    // So does what it is said to be long, before it is read: five times 64 KiB are all that there is.
    let server = self::server(&[]).await;
    let broken = Request::post(route::TRANSFERS)
        .header(CONTENT_TYPE, "application/json")
        .header(CONTENT_LENGTH, 4 * (64 << 10))
        .body(Body::from("{"));
    let broken = server.send(broken.unwrap()).await;
    broken.refused(400, "request.malformed");
    let refused = create(&server, 6, 1 << 20).await;
    limited(refused, "create", 720, "q=5;w=3600");
    // What is larger than all of the budget takes all of it.
    let server = self::server(&[]).await;
    create(&server, 1, 1 << 30).await.expect(201);
    let refused = create(&server, 2, 1 << 20).await;
    limited(refused, "create", 720, "q=5;w=3600");
}

#[tokio::test]
async fn what_anyone_may_load_costs_nothing() {
    let server = server(&[]).await;
    for path in [
        "/",
        "/open",
        "/manage",
        "/sw.js",
        "/favicon.ico",
        route::CONFIG,
        route::OPENAPI,
        route::HEALTHZ,
        route::READYZ,
    ] {
        for _ in 0..=2 * COUNT {
            let answer = server.call("GET", path, None).await;
            assert_ne!(answer.status, 429, "{path}");
        }
    }
    for _ in 0..=COUNT {
        server.call("BREW", route::STATS, None).await.expect(405);
    }
    server.call("GET", route::STATS, None).await.expect(200);
}

#[tokio::test]
async fn parts_cost_their_bytes_and_a_request_is_never_for_nothing() {
    let (server, sample) = (server(&[]).await, Sample::large());
    sample.create(&server).await.expect(201);
    let put = async |index: u64, len: usize| {
        let path = sample.path(&format!("/parts/{index}"));
        let asked = with_token(request("PUT", &path), Some(&sample.owner()));
        let asked = asked.header("content-length", len);
        server.send(asked.body(vec![0; len].into()).unwrap()).await
    };
    for index in 0..2_usize {
        sample.put(&server, index).await.expect(204);
    }
    // Of 128 KiB in an hour, 64 are there again after half an hour.
    let policy = "q=131072;w=3600;qu=\"content-bytes\"";
    limited(put(2, 65_536).await, "upload", 1800, policy);
    limited(put(2, 1).await, "upload", 1800, policy);
    // One that says to be longer than any part is refused for that, and costs no more than a part.
    limited(put(2, 1 << 20).await, "upload", 1800, policy);
}

#[tokio::test]
async fn who_is_refused_is_not_looked_at() {
    let server = server(&[]).await;
    for _ in 0..COUNT {
        server
            .call_text(route::TRANSFERS, None, "{")
            .await
            .refused(400, "request.malformed");
    }
    // What would be wrong with it is not told, and no store was asked.
    server
        .call_text(route::TRANSFERS, None, "{")
        .await
        .refused(429, "request.rate_limited");
    let sample = Sample::small();
    for _ in 0..COUNT {
        sample
            .peek(&server, &sample.link())
            .await
            .refused(404, "transfer.unknown");
    }
    let asked = server.measured().await;
    sample
        .peek(&server, &sample.link())
        .await
        .refused(429, "request.rate_limited");
    let series = "onetimeshare_store_duration_seconds_count{store=\"records\",operation=\"peek\"}";
    let count = |told: &str| {
        let mut lines = told.lines();
        lines
            .find(|line| line.starts_with(series))
            .unwrap()
            .to_owned()
    };
    assert_eq!(count(&asked), count(&server.measured().await));
}

#[tokio::test]
async fn clients_have_budgets_of_their_own() {
    let server = server(&[]).await;
    for (peer, granted) in [
        ("192.0.2.1", 5),
        ("192.0.2.2", 5),
        ("2001:db8::1", 5),
        ("2001:db8::2", 0),
        ("2001:db8:0:1::1", 5),
        ("::ffff:192.0.2.1", 0),
    ] {
        let mut count = 0;
        while stats(&server, peer, &[]).await.status == 200 {
            count += 1;
        }
        assert_eq!(count, granted, "{peer}");
    }
}

#[tokio::test]
async fn forged_chains_gain_no_request() {
    // Straight, behind nobody who is trusted, and behind a proxy that is.
    for (trusted, peer, appended) in [
        (&[][..], "192.0.2.1", None),
        (&["10.0.0.0/8"][..], "192.0.2.1", None),
        (&["10.0.0.0/8"][..], "10.0.0.1", Some("192.0.2.1")),
    ] {
        let server = server(trusted).await;
        let mut granted = 0;
        for number in 0..500 {
            let forged = format!("198.51.{}.{}", number / 256, number % 256);
            let chain = match number % 5 {
                0 => forged.clone(),
                1 => format!("{forged}, 10.0.0.9"),
                2 => format!("{forged}, unknown"),
                3 => format!("10.0.0.9,{forged}:80,"),
                _ => format!("2001:db8:{number:x}::1"),
            };
            let told = format!("for={forged}");
            let mut headers = vec![
                ("x-forwarded-for", chain.as_str()),
                ("x-real-ip", &forged),
                ("forwarded", &told),
                ("cf-connecting-ip", &forged),
            ];
            if let Some(seen) = appended {
                headers.push(("x-forwarded-for", seen));
            }
            granted += u32::from(stats(&server, peer, &headers).await.status == 200);
        }
        assert_eq!(granted, COUNT, "{peer}");
    }
}

#[tokio::test]
async fn who_is_behind_a_trusted_proxy_has_its_own() {
    let server = server(&["10.0.0.0/8"]).await;
    for number in 0..100 {
        let client = format!("192.0.2.{number}");
        let headers = [("x-forwarded-for", client.as_str())];
        stats(&server, "10.0.0.1", &headers).await.expect(200);
    }
    // What comes without one, or with nonsense, is the proxy's.
    for headers in [&[][..], &[("x-forwarded-for", "unknown")]] {
        for _ in 0..2 {
            stats(&server, "10.0.0.1", headers).await.expect(200);
        }
    }
    stats(&server, "10.0.0.1", &[]).await.expect(200);
    stats(&server, "10.0.0.1", &[]).await.expect(429);
}

#[tokio::test]
async fn repeats_cost_as_much() {
    let server = server(&[]).await;
    let text = Sample::small().request().to_string();
    for expected in [201, 200, 200, 200, 200, 429] {
        let asked = request("POST", route::TRANSFERS)
            .header("content-type", "application/json")
            .header("content-length", text.len());
        let asked: Request<Body> = asked.body(text.clone().into()).unwrap();
        server.send(asked).await.expect(expected);
    }
}

#[tokio::test]
async fn a_refused_body_counts_while_it_is_read_whatever_it_asked_for() {
    for (method, path, status) in [
        ("POST", "/", 405),
        ("PUT", "/nothing", 404),
        ("POST", "/healthz", 405),
        ("POST", route::TRANSFERS, 415),
    ] {
        let proxies = Proxies::new(vec!["10.0.0.0/8".parse().unwrap()]);
        let budgets = Budgets::new(Rates::default(), proxies, None).with_requests_max(2);
        let server = TestServer::limited(budgets).await;
        let ask = |client: &str, body: Body| {
            let asked = from("10.0.0.1", method, path)
                .header("host", "localhost")
                .header("x-forwarded-for", client);
            let answer = server.router.clone().oneshot(asked.body(body).unwrap());
            answer.map(|answer| answer.unwrap()).boxed()
        };
        let mut waiting = Vec::new();
        for _ in 0..2 {
            let mut answer = ask("192.0.2.1", endless());
            let is_read = (&mut answer).now_or_never().is_none();
            assert!(is_read, "{path}: the rest of it is waited for");
            waiting.push(answer);
        }
        let refused = ask("192.0.2.1", endless()).now_or_never();
        let refused = refused.expect("nothing more of it is read");
        assert_eq!(refused.status(), 429, "{path}");
        assert_eq!(refused.headers()["connection"], "close", "{path}");
        // Who has sent all is told the reason, and somebody else is nobody's fault.
        let other = ask("192.0.2.2", Body::from("x")).await;
        assert_eq!(other.status(), status, "{path}");
        // What is read no longer counts no longer.
        waiting.pop();
        let again = ask("192.0.2.1", Body::from("x")).await;
        assert_eq!(again.status(), status, "{path}");
    }
}

/// A body of one byte whose second never comes.
fn endless() -> Body {
    let first = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"x"))]);
    Body::from_stream(first.chain(stream::pending()))
}

#[tokio::test]
async fn a_client_has_so_many_under_way_however_slowly_it_takes_them() {
    let budgets = Budgets::endless().with_requests_max(2);
    let server = TestServer::limited(budgets).await;
    let ask = async |peer: &str| {
        let asked = from(peer, "GET", route::STATS).header("host", "localhost");
        let asked = asked.body(Body::empty()).unwrap();
        server.router.clone().oneshot(asked).await.unwrap()
    };
    let (first, second) = (ask("192.0.2.1").await, ask("192.0.2.1").await);
    let refused = ask("192.0.2.1").await;
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["retry-after"], "5");
    let text = refused.into_body().collect().await.unwrap().to_bytes();
    assert!(
        text.starts_with(b"{\"code\":\"request.rate_limited\""),
        "{text:?}"
    );
    assert_eq!(ask("192.0.2.2").await.status(), 200, "somebody else");
    // One is taken to its end, the other is given up.
    first.into_body().collect().await.unwrap();
    assert_eq!(ask("192.0.2.1").await.status(), 200);
    drop(second);
    let both = (ask("192.0.2.1").await, ask("192.0.2.1").await);
    assert_eq!(
        (both.0.status(), both.1.status()),
        (200.try_into().unwrap(), 200.try_into().unwrap())
    );
    let told = server.measured().await;
    assert!(
        told.contains("onetimeshare_requests_stopped_total{budget=\"at_once\"} 1\n"),
        "{told}"
    );
}
