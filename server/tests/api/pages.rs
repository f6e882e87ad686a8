//! The pages, what they load, and the headers that every answer carries.

use std::collections::BTreeSet;
use std::io::Read as _;

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use onetimeshare_server::app::App;
use onetimeshare_server::assets;
use onetimeshare_server::budget::Budgets;
use serde_json::Value;
use sha2::{Digest as _, Sha256, Sha384};

use crate::server::{Answer, TestServer, request};

async fn ask(server: &TestServer, path: &str, encoding: &str) -> Answer {
    server
        .send(
            request("GET", path)
                .header("accept-encoding", encoding)
                .body(Body::empty())
                .unwrap(),
        )
        .await
}

fn import_map(page: &str) -> &str {
    let (_, rest) = page.split_once(r#"<script type="importmap">"#).unwrap();
    rest.split_once("</script>").unwrap().0
}

#[tokio::test]
async fn every_answer_carries_the_same_policy() {
    let server = TestServer::new().await;
    for path in [
        "/",
        "/open",
        "/sw.js",
        "/api/v1/config",
        "/api/v1/nothing",
        "/healthz",
        "/readyz",
    ] {
        let answer = server.call("GET", path, None).await;
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self' 'wasm-unsafe-eval' 'sha256-"),
            "{path}: {policy}"
        );
        assert!(policy.contains(
            "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types onetimeshare"
        ));
        assert!(!policy.contains("unsafe-inline"), "{policy}");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin");
        assert_eq!(
            answer.header("cross-origin-embedder-policy"),
            "require-corp"
        );
        assert_eq!(
            answer.header("integrity-policy"),
            "blocked-destinations=(script)"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert!(answer.header("permissions-policy").contains("camera=()"));
        assert_eq!(
            answer.header("cache-control"),
            if path == "/sw.js" {
                "no-cache"
            } else {
                "no-store"
            }
        );
        assert_eq!(answer.header("x-request-id").len(), 16);
    }
}

#[tokio::test]
async fn pages_name_their_scripts_by_content() {
    assert!(
        assets::is_complete(),
        "run `cargo xtask wasm` and build again"
    );
    let server = TestServer::new().await;
    let prefix = format!("/assets/{}/", assets::HASH);
    for path in ["/", "/open"] {
        let page =
            String::from_utf8(server.call("GET", path, None).await.expect(200).bytes).unwrap();
        assert_eq!(
            page.matches("/assets/").count(),
            page.matches(&prefix).count(),
            "{path}"
        );
        let map = import_map(&page);
        let policy = server
            .call("GET", path, None)
            .await
            .header("content-security-policy")
            .to_owned();
        assert!(
            policy.contains(&STANDARD.encode(Sha256::digest(map))),
            "{path}: the policy allows the map"
        );
        let map: Value = serde_json::from_str(map).unwrap();
        let modules = map["integrity"].as_object().unwrap();
        assert!(
            modules
                .keys()
                .any(|name| name.ends_with("wasm/onetimeshare_crypto.js")),
            "the wasm's face is among them"
        );
        for (name, integrity) in modules {
            let module = server.call("GET", name, None).await.expect(200);
            assert_eq!(
                integrity,
                &format!("sha384-{}", STANDARD.encode(Sha384::digest(&module.bytes))),
                "{name}"
            );
            assert_eq!(
                module.header("content-type"),
                "text/javascript; charset=utf-8"
            );
            assert_eq!(
                module.header("cache-control"),
                "public, max-age=31536000, immutable"
            );
        }
    }
}

#[tokio::test]
async fn pages_link_their_own_modules_and_no_others() {
    let server = TestServer::new().await;
    let pages = [("/", "send"), ("/open", "open"), ("/manage", "manage")];
    for (path, own) in pages {
        let page =
            String::from_utf8(server.call("GET", path, None).await.expect(200).bytes).unwrap();
        let links: Vec<_> = page
            .split(r#"<link rel="modulepreload" href=""#)
            .skip(1)
            .map(|rest| rest.split_once('"').unwrap().0)
            .collect();
        let expected = format!("/assets/{}/js/{own}.js", assets::HASH);
        assert_eq!(
            links.last(),
            Some(&&*expected),
            "{path}: each behind what it imports"
        );
        let unique: BTreeSet<_> = links.iter().collect();
        assert_eq!(unique.len(), links.len(), "{path}: each once");
        let has = |name: &str| links.iter().any(|link| link.ends_with(name));
        // Imported by others only, in one line or several.
        assert!(has("/js/text/en.send.js") && has("/js/format.js"), "{path}");
        assert_eq!(has("/vendor/uqr/uqr.js"), own == "send", "{path}");
        assert_eq!(has("/vendor/client-zip.js"), own == "open", "{path}");
        assert!(!has(".worker.js") && !has("/js/start.js"), "{path}");
        for link in links {
            server.call("GET", link, None).await.expect(200);
        }
    }
}

#[tokio::test]
async fn the_style_sheet_comes_whole() {
    let server = TestServer::new().await;
    let path = format!("/assets/{}/css/index.css", assets::HASH);
    let answer = ask(&server, &path, "identity").await.expect(200);
    assert_eq!(answer.header("content-type"), "text/css; charset=utf-8");
    let sheet = String::from_utf8(answer.bytes).unwrap();
    assert!(
        !sheet.contains("@import"),
        "one request brings all of it, in the order of the layers"
    );
    let order = ["reset, base, ", "base {", "components {", "utilities {"]
        .map(|layer| sheet.find(&format!("@layer {layer}")).unwrap());
    assert!(order.is_sorted(), "{order:?}");
    assert!(sheet.contains(".main-button"));
    assert_eq!(sheet.matches('{').count(), sheet.matches('}').count());
}

#[tokio::test]
async fn assets_come_compressed_to_who_can_read_them() {
    let server = TestServer::new().await;
    let path = format!("/assets/{}/wasm/onetimeshare_crypto_bg.wasm", assets::HASH);
    let plain = ask(&server, &path, "identity").await.expect(200);
    assert_eq!(
        (
            plain.header("content-type"),
            plain.header("content-encoding")
        ),
        ("application/wasm", "")
    );
    let br = ask(&server, &path, "gzip, deflate, br").await.expect(200);
    assert_eq!(
        (br.header("content-encoding"), br.header("vary")),
        ("br", "accept-encoding")
    );
    let mut unpacked = Vec::new();
    brotli::Decompressor::new(&br.bytes[..], 4096)
        .read_to_end(&mut unpacked)
        .unwrap();
    assert!(unpacked == plain.bytes && br.bytes.len() < plain.bytes.len());
    let gzip = ask(&server, &path, "gzip").await.expect(200);
    assert_eq!(gzip.header("content-encoding"), "gzip");
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&gzip.bytes[..])
        .read_to_end(&mut unpacked)
        .unwrap();
    assert!(unpacked == plain.bytes);
    let head = request("HEAD", &path).body(Body::empty()).unwrap();
    let head = server.send(head).await.expect(200);
    assert_eq!(
        (head.header("content-length"), head.bytes.len()),
        (&*plain.bytes.len().to_string(), 0)
    );
}

#[tokio::test]
async fn only_what_belongs_to_the_pages_is_served() {
    let server = TestServer::new().await;
    let hash = assets::HASH;
    for path in [
        "/assets/0000000000000000/js/send.js".to_owned(),
        format!("/assets/{hash}/js/nothing.js"),
        format!("/assets/{hash}/sw.js"),
        format!("/assets/{hash}/index.html"),
        format!("/assets/{hash}/package.json"),
        format!("/assets/{hash}/test/link.test.js"),
        format!("/assets/{hash}/fonts/OFL.txt"),
        format!("/assets/{hash}/wasm/onetimeshare_crypto.d.ts"),
        format!("/assets/{hash}/js/../js/send.js"),
        format!("/assets/{hash}/js/%2e%2e/%2e%2e/%2e%2e/server/Cargo.toml"),
        format!("/assets/{hash}/js/%ff"),
        format!("/assets/{hash}/"),
        "/assets/".to_owned(),
    ] {
        server
            .call("GET", &path, None)
            .await
            .refused(404, "path.unknown");
    }
    let worker = server.call("GET", "/sw.js", None).await.expect(200);
    assert_eq!(
        worker.header("content-type"),
        "text/javascript; charset=utf-8"
    );
}

#[tokio::test]
async fn health_is_told_without_a_body() {
    let server = TestServer::new().await;
    for path in ["/healthz", "/readyz"] {
        assert!(
            server
                .call("GET", path, None)
                .await
                .expect(204)
                .bytes
                .is_empty()
        );
    }
    let config = server
        .call("GET", "/api/v1/config", None)
        .await
        .expect(200)
        .json;
    let told = ["transfer_size_max", "inline_max", "part_len", "lease_s"]
        .map(|name| config[name].as_u64().unwrap());
    assert_eq!(told, [1 << 20, 4096, 65_536, 600]);
}

#[tokio::test]
async fn pages_and_icons_have_their_addresses_and_types() {
    let server = TestServer::new().await;
    for (path, content_type, caching) in [
        ("/manage", "text/html; charset=utf-8", "no-store"),
        (
            "/manifest.webmanifest",
            "application/manifest+json",
            "no-cache",
        ),
        ("/favicon.ico", "image/x-icon", "no-cache"),
    ] {
        let answer = server.call("GET", path, None).await;
        let answer = answer.expect(200);
        assert_eq!(
            (
                answer.header("content-type"),
                answer.header("cache-control")
            ),
            (content_type, caching),
            "{path}"
        );
    }
}

/// What a browser's address bar asks for.
const NAVIGATION: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

async fn navigate(server: &TestServer, method: &str, path: &str, accept: &str) -> Answer {
    let request = request(method, path).header("accept", accept);
    server.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_person_at_an_unknown_address_reads_a_page() {
    let server = TestServer::new().await;
    let api = server.call("GET", "/api/v1/config", None).await;
    for path in [
        "/foo",
        "/open/",
        "/OPEN",
        "/manage/x",
        "/assets/x",
        "/assets/0/open.html",
        "/apix",
    ] {
        let answer = navigate(&server, "GET", path, NAVIGATION).await.expect(404);
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
        for field in [
            "content-security-policy",
            "x-content-type-options",
            "referrer-policy",
        ] {
            assert_eq!(answer.header(field), api.header(field), "{path}: {field}");
        }
        assert_eq!(answer.header("cache-control"), "no-store");
        let page = String::from_utf8(answer.bytes).unwrap();
        assert!(!page.contains("<script"), "it needs none");
        assert!(page.contains(r#"href="/""#) && page.contains("copied whole"));
        assert!(page.contains(&format!("/assets/{}/css/index.css", assets::HASH)));
        assert!(
            !page.contains(path),
            "nothing of the request comes back in it"
        );
        for accept in ["*/*", "application/json", "text/html;q=0"] {
            let answer = navigate(&server, "GET", path, accept).await;
            answer.refused(404, "path.unknown");
        }
    }
    for path in ["/api/v1/nothing", "/api/", "/api/v2/transfers"] {
        let answer = navigate(&server, "GET", path, NAVIGATION).await;
        answer.refused(404, "path.unknown");
    }
}

#[tokio::test]
async fn a_wrong_method_is_answered_as_the_client_reads() {
    let server = TestServer::new().await;
    let page = navigate(&server, "POST", "/open", NAVIGATION)
        .await
        .expect(405);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(page.header("allow"), "GET,HEAD");
    let plain = navigate(&server, "POST", "/open", "*/*").await;
    assert_eq!(
        plain.refused(405, "method.unknown").header("allow"),
        "GET,HEAD"
    );
    let api = navigate(&server, "GET", "/api/v1/transfers", NAVIGATION).await;
    api.refused(405, "method.unknown");
}

#[tokio::test]
async fn whom_to_tell_of_a_weakness_is_told() {
    let path = "/.well-known/security.txt";
    let server = TestServer::new().await;
    server
        .call("GET", path, None)
        .await
        .refused(404, "path.unknown");
    let contacts = ["mailto:security@example.org", "https://example.org/report"];
    let server = TestServer::altered(Budgets::endless(), |app| App {
        contacts: contacts.map(str::to_owned).into(),
        ..app
    })
    .await;
    let answer = server.call("GET", path, None).await.expect(200);
    assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    // Ninety days after the clock's day.
    assert_eq!(
        str::from_utf8(&answer.bytes).unwrap(),
        "Contact: mailto:security@example.org\n\
         Contact: https://example.org/report\n\
         Expires: 2027-04-15T00:00:00Z\n"
    );
}
