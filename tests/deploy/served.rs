//! The list of what browsers are given (`onetimeshare-server hashes`, and with it a release's `manifest.json`) against a running
//! server, byte for byte, and against the files in `www`.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use onetimeshare_tests::{Redis, Server};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// What a server answers.
struct Answer {
    status: String,
    fields: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    /// The one field of this name.
    #[track_caller]
    fn field(&self, name: &str) -> &str {
        let mut found = self.fields.iter().filter(|(field, _)| field == name);
        let (_, value) = found.next().unwrap_or_else(|| panic!("no {name}"));
        assert!(found.next().is_none(), "more than one {name}");
        value
    }

    /// Fails unless this is what the list says.
    #[track_caller]
    fn is(&self, listed: &Value, status: &str) {
        assert_eq!(self.status, status, "{listed}");
        assert_eq!(self.field("content-type"), listed["content_type"]);
        assert_eq!(self.body.len(), listed["len"], "{listed}");
        assert_eq!(sha256(&self.body), listed["sha256"], "{listed}");
    }
}

/// Asks for a path as a program would that wants the bytes as they are, or as a person at a browser.
fn ask(base: &str, path: &str, accept: &str) -> Answer {
    let address = base.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nAccept: {accept}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|at| at == b"\r\n\r\n").unwrap();
    let head = std::str::from_utf8(&answer[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().to_owned();
    let fields: Vec<_> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let coded = fields.iter().any(|(name, _)| name == "content-encoding");
    assert!(!coded, "{path}: nobody asked for a coding");
    let body = answer.split_off(end + 4);
    Answer {
        status,
        fields,
        body,
    }
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn list() -> Value {
    serde_json::from_str(&Server::hashes()).unwrap()
}

/// The files of the list, by their paths.
fn files(list: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let files = list["files"].as_array().unwrap();
    files
        .iter()
        .map(|file| (file["path"].as_str().unwrap(), file))
}

fn www() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../www")
}

/// Every file in `folder`, by its path below `www`.
fn walk(folder: &str, found: &mut Vec<String>) {
    for entry in fs::read_dir(www().join(folder)).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = if folder.is_empty() {
            name
        } else {
            format!("{folder}/{name}")
        };
        if !entry.file_type().unwrap().is_dir() {
            found.push(path);
        } else if path != "node_modules" {
            walk(&path, found);
        }
    }
}

#[test]
fn a_server_gives_what_the_list_says_at_every_path() {
    let list = list();
    assert_eq!(list["format"], 1);
    assert_eq!(list["version"], env!("CARGO_PKG_VERSION"));
    let server = Server::start(&[]);
    let base = server.base();
    let policy = &list["content_security_policy"];
    for (path, listed) in files(&list) {
        let answer = ask(&base, path, "*/*");
        answer.is(listed, "200");
        assert_eq!(answer.field("content-security-policy"), policy, "{path}");
    }
    let paths: BTreeSet<_> = files(&list).map(|(path, _)| path).collect();
    assert_eq!(paths.len(), files(&list).count(), "a path is there twice");
    for page in ["/", "/open", "/manage", "/sw.js"] {
        assert!(paths.contains(page), "{page}");
    }
    let unknown = ask(&base, "/nothing", "text/html");
    unknown.is(&list["unknown"], "404");
}

#[test]
fn a_server_of_one_role_gives_what_the_list_says_instead() {
    let list = list();
    let (redis, folder) = (Redis::start(&[]), tempfile::tempdir().unwrap());
    let (redis_url, blobs) = (redis.url(), format!("file://{}", folder.path().display()));
    let shared = ["--redis-url", &redis_url, "--blob-url", &blobs];
    let of_role = |words: &[&str]| Server::start(&[&shared[..], words].concat());
    let opens = of_role(&["--role", "open"]);
    let creates = of_role(&["--role", "create", "--open-url", "https://share.example"]);
    ask(&opens.base(), "/", "*/*").is(&list["only_opens"], "200");
    ask(&opens.base(), "/manage", "text/html").is(&list["only_opens"], "404");
    ask(&creates.base(), "/open", "text/html").is(&list["only_creates"], "404");
}

#[test]
fn a_server_gives_no_file_that_is_not_in_the_list() {
    let list = list();
    let listed: BTreeSet<_> = files(&list).map(|(path, _)| path).collect();
    let prefix = format!("/assets/{}/", list["assets"].as_str().unwrap());
    let server = Server::start(&[]);
    let mut found = Vec::new();
    walk("", &mut found);
    let mut refused = 0;
    for name in &found {
        for path in [format!("{prefix}{name}"), format!("/{name}")] {
            if !listed.contains(&*path) {
                assert_eq!(ask(&server.base(), &path, "*/*").status, "404", "{path}");
                refused += 1;
            }
        }
    }
    assert!(refused > found.len(), "{refused} of {}", found.len());
}

#[test]
fn the_list_holds_the_files_of_the_tree_as_they_were_written() {
    let list = list();
    let prefix = format!("/assets/{}/", list["assets"].as_str().unwrap());
    let mut kinds = BTreeSet::new();
    for (path, listed) in files(&list) {
        let name = path.strip_prefix(&prefix);
        let name = name.or_else(|| path.strip_prefix('/')).unwrap();
        let kind = name.rsplit('.').next().unwrap();
        // The others hold the folder's hash, or each other.
        if ["ico", "js", "png", "svg", "wasm", "woff2"].contains(&kind) {
            let bytes = fs::read(www().join(name)).unwrap();
            assert_eq!(sha256(&bytes), listed["sha256"], "{name}");
            kinds.insert(kind);
        }
    }
    assert_eq!(kinds.len(), 6, "{kinds:?}");
    // A file that neither the server nor its list knew would be missed by both.
    let listed: BTreeSet<_> = files(&list).map(|(path, _)| path).collect();
    let mut found = Vec::new();
    walk("", &mut found);
    found.retain(|name| !name.starts_with("test/"));
    for name in &found {
        let kind = name.rsplit('.').next().unwrap();
        if kind == "css" || kinds.contains(kind) {
            let paths = [format!("{prefix}{name}"), format!("/{name}")];
            let is_listed = paths.iter().any(|path| listed.contains(&**path));
            assert!(is_listed, "{name} is not in the list");
        }
    }
}
