//! The OpenAPI document: complete, well formed, served; and every answer that any test gets is held against it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use onetimeshare_protocol::error::ErrorCode;
use onetimeshare_protocol::route;
use onetimeshare_server::hashes::hashes;
use onetimeshare_server::openapi;
use serde_json::Value;

use crate::server::{Answer, TestServer};

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(&openapi::DOCUMENT).unwrap());

/// Fails when the document knows the call and not this answer to it. What is no call of the API may answer anything.
#[track_caller]
pub(crate) fn assert_documented(method: &str, path: &str, answer: &Answer) {
    let Some(operation) = operation(&method.to_lowercase(), path) else {
        return;
    };
    let told = format!("{method} {path}: {} {}", answer.status, answer.json);
    let response = &operation["responses"][answer.status.as_str()];
    assert!(response.is_object(), "not in the document: {told}");
    for name in response["headers"].as_object().unwrap().keys() {
        let header = &DOCUMENT["components"]["headers"][name];
        assert!(
            header["required"] == false || answer.headers.contains_key(name),
            "no {name}: {told}"
        );
    }
    if answer.status.as_u16() >= 400 && method != "HEAD" {
        assert!(
            codes(response).any(|code| *code == answer.json["code"]),
            "not in the document: {told}"
        );
    }
}

/// The documented call of a method and a path as it was asked for.
fn operation(method: &str, path: &str) -> Option<&'static Value> {
    let (_, item) = paths().find(|(template, _)| {
        let (given, expected) = (path.split('/'), template.split('/'));
        given.clone().count() == expected.clone().count()
            && given
                .zip(expected)
                .all(|(given, expected)| expected.starts_with('{') || given == expected)
    })?;
    item.get(method)
}

fn paths() -> impl Iterator<Item = (&'static String, &'static Value)> {
    DOCUMENT["paths"].as_object().unwrap().iter()
}

/// Every call: its method, its path and what the document says of it.
fn operations() -> impl Iterator<Item = (&'static str, &'static str, &'static Value)> {
    paths().flat_map(|(path, item)| {
        let item = item.as_object().unwrap();
        item.iter()
            .map(move |(method, operation)| (method.as_str(), path.as_str(), operation))
    })
}

/// The codes that a documented answer may carry.
fn codes(response: &Value) -> impl Iterator<Item = &Value> {
    let schema = &response["content"]["application/json"]["schema"];
    schema["allOf"][1]["properties"]["code"]["enum"]
        .as_array()
        .into_iter()
        .flatten()
}

#[tokio::test]
async fn it_is_served_as_json() {
    let server = TestServer::new().await;
    let answer = server.call("GET", route::OPENAPI, None).await.expect(200);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.json, *DOCUMENT);
    assert_eq!(answer.json["openapi"], "3.1.0");
}

#[test]
fn every_route_is_in_it() {
    let documented: BTreeSet<_> = paths().map(|(path, _)| path.as_str()).collect();
    assert_eq!(documented, route::ALL.iter().copied().collect());
    // Whatever else the router takes is a page, something that pages load, or what an operator tells.
    let pages = [
        "\"/\"",
        "\"/open\"",
        "\"/manage\"",
        "\"/sw.js\"",
        "\"/manifest.webmanifest\"",
        "\"/favicon.ico\"",
        "\"/assets/{hash}/{*name}\"",
    ];
    let told = "\"/.well-known/security.txt\"";
    let router = include_str!("../../src/router.rs");
    let routed: Vec<_> = router
        .split(".route(")
        .skip(1)
        .map(|rest| rest.trim_start().split(',').next().unwrap())
        .collect();
    assert_eq!(routed.len(), route::ALL.len() + pages.len() + 1);
    for path in routed {
        assert!(
            path.starts_with("route::") || pages.contains(&path) || path == told,
            "{path}"
        );
    }
    // Whoever compares a server with its list of hashes finds each of them in it.
    let list = serde_json::to_value(hashes()).unwrap();
    let files = list["files"].as_array().unwrap().iter();
    let listed: Vec<_> = files.map(|file| file["path"].as_str().unwrap()).collect();
    for page in pages {
        let path = page.trim_matches('"');
        let is_listed = match path.split_once('{') {
            Some((folder, _)) => listed.iter().any(|listed| listed.starts_with(folder)),
            None => listed.contains(&path),
        };
        assert!(is_listed, "{path}");
    }
}

#[tokio::test]
async fn every_method_is_in_it() {
    let server = TestServer::new().await;
    for path in route::ALL {
        let asked = path
            .replace("{id}", "AAAAAAAAAAAAAAAAAAAAAA")
            .replace("{index}", "0");
        let refused = server
            .call("BREW", &asked, None)
            .await
            .refused(405, "method.unknown");
        // HEAD comes with GET, whatever is made of it.
        let taken: BTreeSet<_> = refused
            .header("allow")
            .split(',')
            .map(|method| method.trim().to_lowercase())
            .filter(|method| method != "head")
            .collect();
        let documented: BTreeSet<_> = operations()
            .filter(|(method, of, _)| of == path && *method != "head")
            .map(|(method, _, _)| method.to_owned())
            .collect();
        assert_eq!(documented, taken, "{path}");
    }
}

#[test]
fn every_code_is_in_it() {
    let mut documented: BTreeMap<String, u16> = BTreeMap::new();
    for (_, _, operation) in operations() {
        for (status, response) in operation["responses"].as_object().unwrap() {
            for code in codes(response) {
                documented.insert(code.as_str().unwrap().to_owned(), status.parse().unwrap());
            }
        }
    }
    // Only HEAD of a body is a call that is never taken, and an answer to HEAD has no body to carry a code.
    documented.insert(ErrorCode::MethodUnknown.to_string(), 405);
    assert!(operation("head", route::BODY).unwrap()["responses"]["405"].is_object());
    let expected = ErrorCode::ALL
        .iter()
        .map(|code| (code.to_string(), code.status()))
        .collect();
    assert_eq!(documented, expected);
    let listed = &DOCUMENT["components"]["schemas"]["ErrorCode"]["enum"];
    assert_eq!(*listed, serde_json::json!(ErrorCode::ALL));
}

#[test]
fn what_it_refers_to_is_there() {
    fn visit(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(reference)) = members.get("$ref") {
                    found.push(reference.clone());
                }
                members.values().for_each(|member| visit(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| visit(item, found)),
            _ => {}
        }
    }
    let mut references = Vec::new();
    visit(&DOCUMENT, &mut references);
    assert!(references.len() > 100);
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(DOCUMENT.pointer(pointer).is_some(), "{reference}");
    }
    let ids: Vec<_> = operations()
        .map(|(_, _, call)| &call["operationId"])
        .collect();
    let distinct: BTreeSet<_> = ids.iter().map(|id| id.as_str().unwrap()).collect();
    assert_eq!(ids.len(), distinct.len());
    for (_, path, operation) in operations() {
        for (_, response) in operation["responses"].as_object().unwrap() {
            for link in response["links"]
                .as_object()
                .into_iter()
                .flat_map(|links| links.values())
            {
                assert!(
                    distinct.contains(link["operationId"].as_str().unwrap()),
                    "{path}"
                );
            }
        }
    }
}

#[test]
fn requests_take_nothing_else_and_no_member_is_null() {
    for name in ["CreateRequest", "PeekRequest", "ClaimRequest"] {
        let schema = &DOCUMENT["components"]["schemas"][name];
        assert_eq!(schema["additionalProperties"], false, "{name}");
    }
    assert!(!openapi::DOCUMENT.contains("\"null\""));
}

#[test]
fn docs_list_the_same_calls() {
    let docs = include_str!("../../../docs/api.md");
    let rows = docs.lines().filter_map(|line| line.strip_prefix("| `"));
    let listed: BTreeSet<_> = rows
        .filter_map(|row| row.split_once('`')?.0.split_once(' '))
        .map(|(method, path)| format!("{method} {path}"))
        .collect();
    let documented: BTreeSet<_> = operations()
        .filter(|(method, _, _)| *method != "head")
        .map(|(method, path, _)| {
            let path = path.strip_prefix("/api/v1").unwrap_or(path);
            format!("{} {path}", method.to_uppercase())
        })
        .collect();
    assert_eq!(listed, documented);
}
