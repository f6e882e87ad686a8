//! Where only holders of a token create transfers: who is refused, what each token allows, and that nobody needs one for anything
//! else. Then the program: how it makes tokens, what it says of a faulty file, and how one is taken back.

use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use onetimeshare_protocol::id::CreateToken;
use onetimeshare_protocol::route;
use onetimeshare_server::budget::{Budget, Budgets, Peer, Proxies, Rate, Rates};
use onetimeshare_server::create_tokens::{CreateTokens, Made};
use serde_json::{Value, json};

use crate::certificates::{Serving, exchange};
use crate::sample::Sample;
use crate::server::{Answer, LIMITS, TestServer, request, with_token};
use crate::start::{misset, server as program};

fn token(byte: u8) -> CreateToken {
    CreateToken::from_bytes([byte; 32])
}

/// The tables of these tokens, each with lines of its own.
fn tables(of: &[(&str, u8, &str)]) -> String {
    let table = |(name, byte, more): &(&str, u8, &str)| {
        Made::of((*name).to_owned(), token(*byte)).table() + more
    };
    of.iter().map(table).collect()
}

/// A server for holders of these tokens.
async fn server_with(budgets: Budgets, of: &[(&str, u8, &str)]) -> TestServer {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.toml");
    fs::write(&path, tables(of)).unwrap();
    let tokens = CreateTokens::open(path, LIMITS).unwrap();
    TestServer::altered(budgets, |app| onetimeshare_server::app::App {
        create_tokens: Some(Arc::new(tokens)),
        ..app
    })
    .await
}

async fn server() -> TestServer {
    let of = [("alice", 1, ""), ("ci", 2, "max-claims = 2\n")];
    server_with(Budgets::endless(), &of).await
}

async fn create(server: &TestServer, token: Option<&str>, json: &Value) -> Answer {
    server.call_json(route::TRANSFERS, token, json).await
}

#[track_caller]
fn unauthorized(answer: Answer) {
    let answer = answer.refused(401, "create.unauthorized");
    assert_eq!(answer.header("www-authenticate"), "Bearer");
}

#[tokio::test]
async fn only_a_token_of_the_file_creates() {
    let (server, sample) = (server().await, Sample::small());
    let right = token(1).to_text();
    let bare = right.strip_prefix("ots_").unwrap().to_owned();
    for wrong in [
        None,
        Some(token(3).to_text()),
        Some(bare),
        Some(format!("{right}A")),
        Some(right.to_uppercase()),
        Some(sample.owner()),
        Some(String::new()),
    ] {
        unauthorized(create(&server, wrong.as_deref(), &sample.request()).await);
    }
    for field in [
        format!("Basic {right}"),
        right.clone(),
        format!("Bearer,{right}"),
    ] {
        let asked = request("POST", route::TRANSFERS)
            .header(AUTHORIZATION, field)
            .header(CONTENT_TYPE, "application/json");
        let asked = asked.body(sample.request().to_string().into()).unwrap();
        unauthorized(server.send(asked).await);
    }
    // Twice is not once, even where both are right.
    let twice = with_token(
        with_token(request("POST", route::TRANSFERS), Some(&right)),
        Some(&right),
    );
    let twice = twice.header(CONTENT_TYPE, "application/json");
    let twice = twice.body(sample.request().to_string().into()).unwrap();
    unauthorized(server.send(twice).await);
    // None of them left anything behind.
    sample
        .peek(&server, &sample.link())
        .await
        .refused(404, "transfer.unknown");
    create(&server, Some(&right), &sample.request())
        .await
        .expect(201);
}

#[tokio::test]
async fn who_has_no_token_is_refused_before_the_body_is_read() {
    let server = server().await;
    let unread = Body::from_stream(futures_util::stream::pending::<
        Result<Vec<u8>, std::io::Error>,
    >());
    let asked = request("POST", route::TRANSFERS)
        .header(CONTENT_TYPE, "application/json")
        .header("content-length", "1000000")
        // Else the rest would be read for the sake of the answer.
        .header("expect", "100-continue");
    unauthorized(server.send(asked.body(unread).unwrap()).await);
}

#[tokio::test]
async fn nothing_else_asks_for_one() {
    let (server, sample) = (server().await, Sample::large());
    create(&server, Some(&token(1).to_text()), &sample.request())
        .await
        .expect(201);
    // Parts, completing, looking, opening, the receipt, burning.
    sample.upload_parts(&server).await;
    sample.assert_unharmed(&server, 5).await;
    server
        .call("DELETE", &sample.path(""), Some(&sample.owner()))
        .await
        .expect(204);
    for path in [
        "/",
        "/open",
        "/manage",
        route::STATS,
        route::OPENAPI,
        route::CONFIG,
    ] {
        server.call("GET", path, None).await.expect(200);
    }
}

#[tokio::test]
async fn the_limits_are_told_and_those_of_a_token_to_its_holder() {
    let more = "max-transfer-size = \"5 kB\"\nmax-ttl = \"1h\"\nmax-claims = 2\n";
    let of = [("alice", 1, ""), ("ci", 2, more)];
    let server = server_with(Budgets::endless(), &of).await;
    let usual = server.call("GET", route::CONFIG, None).await.expect(200);
    assert_eq!(usual.json["needs_create_token"], true);
    assert_eq!(usual.json["claims_max"], 100);
    let alice = token(1).to_text();
    let told = server.call("GET", route::CONFIG, Some(&alice)).await;
    assert_eq!(told.expect(200).json, usual.json);
    let ci = token(2).to_text();
    let told = server
        .call("GET", route::CONFIG, Some(&ci))
        .await
        .expect(200);
    let mut expected = usual.json;
    for (member, value) in [
        ("transfer_size_max", 5000),
        ("ttl_s_max", 3600),
        ("ttl_s_default", 3600),
        ("claims_max", 2),
    ] {
        expected[member] = value.into();
    }
    assert_eq!(told.json, expected);
    let wrong = token(3).to_text();
    unauthorized(server.call("GET", route::CONFIG, Some(&wrong)).await);
    let asked = request("GET", route::CONFIG).header(AUTHORIZATION, "Basic YTpi");
    unauthorized(server.send(asked.body(Body::empty()).unwrap()).await);

    // They hold: what is beyond is refused, with the token's limit in the sentence.
    let refused = [
        (
            "body_len",
            json!(onetimeshare_protocol::limits::body_len(20_000).unwrap()),
            413,
            "5000",
        ),
        ("ttl_s", json!(3601), 422, "3600"),
        ("claims_max", json!(3), 422, "2"),
    ];
    for (member, value, status, told) in refused {
        let mut request = Sample::small().request();
        request[member] = value;
        let answer = create(&server, Some(&ci), &request).await.expect(status);
        let message = answer.json["message"].as_str().unwrap();
        assert!(message.contains(told), "{message}");
    }
    let mut most = Sample::small().request();
    most["claims_max"] = 2.into();
    create(&server, Some(&ci), &most).await.expect(201);
}

#[tokio::test]
async fn a_token_is_passed_over_where_everybody_may_create() {
    let (server, sample) = (TestServer::new().await, Sample::small());
    let any = token(9).to_text();
    let told = server.call("GET", route::CONFIG, Some(&any)).await;
    assert_eq!(told.expect(200).json["needs_create_token"], false);
    create(&server, Some(&any), &sample.request())
        .await
        .expect(201);
}

/// One creation for each client in an hour.
fn one_in_an_hour() -> Budgets {
    let rates = Rates::default().with(Budget::Create, Rate::new(1, 3600));
    let rates = rates.with(Budget::Owner, Rate::new(2, 3600));
    Budgets::new(rates, Proxies::default(), None)
}

fn from(peer: &str, json: &Value, token: Option<&str>) -> Request<Body> {
    let address: IpAddr = peer.parse().unwrap();
    let asked = request("POST", route::TRANSFERS).extension(Peer::new(address));
    let asked = with_token(asked, token).header(CONTENT_TYPE, "application/json");
    asked.body(json.to_string().into()).unwrap()
}

#[tokio::test]
async fn tries_cost_their_client_and_a_token_with_a_rate_pays_for_itself() {
    let of = [
        ("plain", 1, ""),
        ("own", 2, "rate-create = \"2/1h\"\n"),
        ("endless", 3, "rate-create = \"off\"\n"),
    ];
    let server = server_with(one_in_an_hour(), &of).await;
    let [plain, own, endless, wrong] = [1, 2, 3, 4].map(|byte| token(byte).to_text());
    let requests: Vec<_> = (1..=9)
        .map(|seed| Sample::of(seed, 1000).request())
        .collect();
    let ask = async |peer, at: usize, token: &str| {
        server.send(from(peer, &requests[at], Some(token))).await
    };
    unauthorized(ask("192.0.2.1", 0, &wrong).await);
    let limited = ask("192.0.2.1", 0, &wrong).await;
    let told = limited.refused(429, "request.rate_limited");
    assert_eq!(told.header("ratelimit-policy"), "\"create\";q=1;w=3600");
    // The one that has none of its own pays as its client, which has nothing left; the others do not.
    ask("192.0.2.1", 0, &plain)
        .await
        .refused(429, "request.rate_limited");
    ask("192.0.2.2", 0, &plain).await.expect(201);
    // Looking at its limits takes nothing of what it may create.
    let looked = request("GET", route::CONFIG).extension(Peer::new("192.0.2.9".parse().unwrap()));
    let looked = with_token(looked, Some(&own)).body(Body::empty()).unwrap();
    server.send(looked).await.expect(200);
    ask("192.0.2.1", 1, &own).await.expect(201);
    ask("192.0.2.3", 2, &own).await.expect(201);
    let told = ask("192.0.2.4", 3, &own)
        .await
        .refused(429, "request.rate_limited");
    assert_eq!(told.header("ratelimit-policy"), "\"create\";q=2;w=3600");
    assert!(
        told.json["message"]
            .as_str()
            .unwrap()
            .contains("create token")
    );
    for at in 3..9 {
        ask("192.0.2.1", at, &endless).await.expect(201);
    }
    // A check of a token costs as well, right or wrong; looking at the limits does not.
    for _ in 0..9 {
        server.call("GET", route::CONFIG, None).await.expect(200);
    }
    for token in [&wrong, &plain] {
        server.call("GET", route::CONFIG, Some(token)).await;
    }
    let told = server.call("GET", route::CONFIG, Some(&plain)).await;
    told.refused(429, "request.rate_limited");
}

#[tokio::test]
async fn a_token_with_a_quota_holds_no_more_whoever_uses_it() {
    let of = [("ci", 1, "transfers-max = 1\n"), ("free", 2, "")];
    let server = server_with(Budgets::endless(), &of).await;
    let [ci, free] = [1, 2].map(|byte| token(byte).to_text());
    let samples = [1, 2, 3].map(|seed| Sample::of(seed, 1000));
    let ask = async |peer, sample: &Sample, token: &str| {
        server
            .send(from(peer, &sample.request(), Some(token)))
            .await
    };
    ask("192.0.2.1", &samples[0], &ci).await.expect(201);
    let told = ask("192.0.2.2", &samples[1], &ci)
        .await
        .refused(403, "quota.exceeded");
    assert_eq!(told.json["count_max"], 1);
    ask("192.0.2.1", &samples[2], &free).await.expect(201);
    // A repeat is none more, and what is gone makes room.
    ask("192.0.2.3", &samples[0], &ci).await.expect(200);
    let owner = samples[0].owner();
    let burnt = server
        .call("DELETE", &samples[0].path(""), Some(&owner))
        .await;
    burnt.expect(204);
    ask("192.0.2.2", &samples[1], &ci).await.expect(201);
}

/// What the program prints when it makes a token of this name: its table, and what it says beside.
fn make(folder: &Path, name: &str) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(env!("CARGO_BIN_EXE_onetimeshare-server"))
        .current_dir(folder)
        .env_clear()
        // Settings are none of its business, however faulty.
        .env("ONETIMESHARE_LEASE", "never")
        .args(["create-token", name])
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

/// The token among what was said.
#[track_caller]
fn token_in(said: &str) -> String {
    let mut tokens = said.lines().filter(|line| line.starts_with("ots_"));
    let token = tokens.next().unwrap().to_owned();
    assert!(tokens.next().is_none());
    token
}

fn create_at(serving: &Serving, token: &str) -> String {
    let body = Sample::small().request().to_string();
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n",
        route::TRANSFERS,
        body.len()
    );
    exchange(serving.address, &(head + &body))
}

#[test]
fn what_the_program_makes_works_and_can_be_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let (code, first, said) = make(folder.path(), "alice");
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(first.lines().count(), 2, "{first}");
    assert!(first.starts_with("[alice]\nsha256 = \""), "{first}");
    let alice = token_in(&said);
    assert!(!first.contains(&alice));
    let (_, second, said) = make(folder.path(), "bob");
    let bob = token_in(&said);
    assert_ne!(alice, bob);
    let file = folder.path().join("tokens.toml");
    fs::write(&file, format!("{first}{second}")).unwrap();
    let arguments = ["--create-token-file", "tokens.toml", "--log", "trace"];
    let mut serving = Serving::start(&folder, &arguments);
    let status = |answer: String| answer.split(' ').nth(1).unwrap().to_owned();
    assert_eq!(status(create_at(&serving, &alice)), "201");
    assert_eq!(status(create_at(&serving, "ots_")), "401");
    // Alice is taken out; whatever is wrong with the file changes nothing.
    fs::write(&file, "hunter2").unwrap();
    serving.signal("-HUP");
    let told = serving.hear("those from before stay in use");
    assert!(
        told.contains("line 1") && !told.contains("hunter2"),
        "{told}"
    );
    assert_eq!(status(create_at(&serving, &alice)), "200");
    fs::write(&file, &second).unwrap();
    serving.signal("-HUP");
    serving.hear("the create tokens are read again");
    assert_eq!(status(create_at(&serving, &alice)), "401");
    assert_eq!(status(create_at(&serving, &bob)), "200");
    let log = serving.end();
    for secret in [&alice, &bob] {
        assert!(!log.contains(secret.strip_prefix("ots_").unwrap()));
    }
    for name in ["alice", "bob"] {
        assert!(!log.contains(name), "{log}");
    }
}

#[test]
fn a_name_that_is_none_is_refused_and_makes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["", "a b", "ots_alice", "a]\n[b"] {
        let (code, table, said) = make(folder.path(), name);
        assert_eq!((code, table.as_str()), (Some(2), ""), "{said}");
        assert!(said.contains("the name must be"), "{said}");
    }
}

#[test]
fn a_token_that_nobody_can_read_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_onetimeshare-server"));
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let ended = command
        .current_dir(folder.path())
        .env_clear()
        .args(["create-token", "alice"])
        .stdout(full)
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert_eq!(ended.status.code(), Some(1));
}

#[test]
fn a_faulty_file_stops_the_start_with_all_that_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens.toml");
    let table = tables(&[
        ("alice", 1, "max-ttl = \"8d\"\n"),
        ("bob", 2, "colour = 1\n"),
    ]);
    fs::write(&file, table).unwrap();
    let with_file = || {
        let mut command = program(folder.path());
        command.args(["--create-token-file", "tokens.toml"]);
        command
    };
    misset(
        &mut with_file(),
        &[
            "`[alice]` has a `max-ttl`",
            "`[bob]` has a key that is none",
        ],
    );
    fs::remove_file(&file).unwrap();
    misset(
        &mut with_file(),
        &["`create-token-file`: the file tokens.toml cannot be read"],
    );
}
