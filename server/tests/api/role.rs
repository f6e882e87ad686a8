//! Servers that take only one half of the calls: what is not theirs is told on every route there is, and everything else goes on.

use std::sync::Arc;

use axum::body::Body;
use onetimeshare_protocol::route;
use onetimeshare_protocol::transfer::Role;
use onetimeshare_server::app::App;
use onetimeshare_server::budget::Budgets;
use onetimeshare_server::hashes::hashes;

use crate::sample::Sample;
use crate::server::{Answer, TestServer, request};
use crate::start::server as program;

const OPEN_URL: &str = "https://share.example.org";

async fn server(role: Role) -> TestServer {
    TestServer::altered(Budgets::endless(), |app| App {
        role,
        open_url: (role == Role::Create).then(|| Arc::from(OPEN_URL)),
        ..app
    })
    .await
}

/// Every route, and whose it is; none for what every server answers.
const ROUTES: [(&str, Option<Role>); 16] = [
    (route::TRANSFERS, Some(Role::Create)),
    (route::TRANSFER, Some(Role::Create)),
    (route::PARTS, Some(Role::Create)),
    (route::PART, Some(Role::Create)),
    (route::COMPLETE, Some(Role::Create)),
    (route::UNLOCK, Some(Role::Create)),
    (route::PEEK, Some(Role::Open)),
    (route::CLAIM, Some(Role::Open)),
    (route::BODY, Some(Role::Open)),
    (route::RENEW, Some(Role::Open)),
    (route::DELIVERED, Some(Role::Open)),
    (route::CONFIG, None),
    (route::STATS, None),
    (route::OPENAPI, None),
    (route::HEALTHZ, None),
    (route::READYZ, None),
];

#[tokio::test]
async fn every_route_belongs_to_a_role_or_to_all() {
    assert_eq!(ROUTES.map(|(path, _)| path), *route::ALL);
    let sample = Sample::small();
    for role in [Role::Both, Role::Create, Role::Open] {
        let server = server(role).await;
        for (path, of) in ROUTES {
            let asked = path.replace("{id}", &sample.id()).replace("{index}", "0");
            let is_elsewhere = of.is_some_and(|of| role != Role::Both && of != role);
            for method in ["GET", "POST", "PUT", "DELETE", "HEAD", "BREW"] {
                let answer = server.call(method, &asked, None).await;
                let told = answer.json["code"] == "path.elsewhere";
                if method == "HEAD" {
                    assert_eq!(
                        answer.status == 404,
                        is_elsewhere,
                        "{role:?} {method} {path}"
                    );
                } else {
                    assert_eq!(told, is_elsewhere, "{role:?} {method} {path}");
                }
                if told {
                    elsewhere(answer, role);
                }
            }
        }
    }
}

#[track_caller]
fn elsewhere(answer: Answer, role: Role) {
    let answer = answer.refused(404, "path.elsewhere");
    let message = answer.json["message"].as_str().unwrap();
    let expected = if role == Role::Create {
        OPEN_URL
    } else {
        "only opens"
    };
    assert!(message.contains(expected), "{message}");
}

#[tokio::test]
async fn the_role_is_told_with_the_limits() {
    for (role, told, url) in [
        (Role::Both, "both", None),
        (Role::Create, "create", Some(OPEN_URL)),
        (Role::Open, "open", None),
    ] {
        let config = server(role).await.call("GET", route::CONFIG, None).await;
        let config = config.expect(200).json;
        assert_eq!(config["role"], told);
        assert_eq!(config.get("open_url").and_then(|url| url.as_str()), url);
    }
}

async fn page(server: &TestServer, path: &str, accept: &str) -> Answer {
    let asked = request("GET", path).header("accept", accept);
    server.send(asked.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn pages_of_the_other_role_are_not_given() {
    let list = serde_json::to_value(hashes()).unwrap();
    let person = "text/html,*/*;q=0.8";
    let is_page = |answer: &Answer, listed: &str| {
        let listed = &list[listed];
        assert_eq!(answer.header("content-type"), listed["content_type"]);
        assert_eq!(answer.bytes.len(), listed["len"]);
    };
    let (creates, opens) = (server(Role::Create).await, server(Role::Open).await);
    // Whoever comes to the front of a server that only opens reads what it is.
    is_page(&page(&opens, "/", person).await.expect(200), "only_opens");
    is_page(&page(&opens, "/", "*/*").await.expect(200), "only_opens");
    is_page(
        &page(&opens, "/manage", person).await.expect(404),
        "only_opens",
    );
    elsewhere(page(&opens, "/manage", "*/*").await, Role::Open);
    is_page(
        &page(&creates, "/open", person).await.expect(404),
        "only_creates",
    );
    elsewhere(page(&creates, "/open", "*/*").await, Role::Create);
    for (server, paths) in [(&creates, ["/", "/manage"]), (&opens, ["/open", "/sw.js"])] {
        for path in paths {
            let given = page(server, path, person).await.expect(200);
            let files = list["files"].as_array().unwrap().iter();
            let listed = files.clone().find(|file| file["path"] == path).unwrap();
            assert_eq!(given.bytes.len(), listed["len"], "{path}");
        }
    }
    // What pages load is the same everywhere, and what is nowhere too.
    for server in [&creates, &opens] {
        page(server, "/manifest.webmanifest", "*/*")
            .await
            .expect(200);
        let unknown = page(server, "/nothing", "*/*").await;
        unknown.refused(404, "path.unknown");
    }
}

#[test]
fn a_server_that_only_creates_has_to_know_where_its_links_lead() {
    let folder = tempfile::tempdir().unwrap();
    let check = |arguments: &[&str], sentence| {
        let mut command = program(folder.path());
        command.args(["--redis-url", "redis://a"]);
        crate::start::misset(command.args(arguments), &[sentence]);
    };
    check(
        &["--role", "create"],
        "`open-url` must be set where `role` is create",
    );
    let path = "https://a.example/open";
    check(
        &["--role", "create", "--open-url", path],
        "`open-url`, from the flag --open-url, must be http",
    );
    check(
        &["--role", "all"],
        "`role`, from the flag --role, must be both, create or open",
    );
}
