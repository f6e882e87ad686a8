//! The client and the reference in Python agree: on the vectors, on each other's transfers, and with stock `age`.

use std::fs;
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use onetimeshare_tests::Server;
use serde_json::{Value, json};

use crate::content::{Named, pattern, receive_all, send_all};

/// Composed and decomposed: the format makes one of both, and of nothing else.
const PASSPHRASE: &str = "Ame\u{301}lie 日本";

/// Bodies beyond 4 KiB go in parts of 64 KiB, which a chunk and its tag do not fit.
const SETTINGS: &[&str] = &["--part-size", "64 KiB", "--inline-max", "4 KiB"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A program of the reference, with what it needs.
fn program(name: &str) -> Command {
    let mut command = Command::new("python3");
    command.arg(root().join("tests/reference/run.py")).arg(name);
    command
}

/// The reference as a party of its own, which sends and opens transfers when it is asked to.
struct Reference {
    child: Child,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Reference {
    fn start() -> Self {
        let mut child = program("transfer.py")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 is there: `cargo xtask test` says how to install it");
        let stdout = child.stdout.take().unwrap();
        Self {
            child,
            answers: BufReader::new(stdout).lines(),
        }
    }

    /// Has it do something, and fails with it.
    fn ask(&mut self, order: &Value) -> Value {
        let stdin = self.child.stdin.as_mut().unwrap();
        writeln!(stdin, "{order}").unwrap();
        let answer = self.answers.next();
        let answer = answer.unwrap_or_else(|| panic!("the reference fails: {order}"));
        serde_json::from_str(&answer.unwrap()).unwrap()
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        // It ends with its standard input.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// Each kind of content that could be taken apart differently.
fn contents() -> Vec<Vec<Named>> {
    let named = |name: &str, content: Vec<u8>| (name.to_owned(), content);
    vec![
        vec![named("", "swordfish 日本語 🎉 e\u{301}\n".into())],
        vec![named("", Vec::new())],
        vec![named("", "é".repeat(100_000).into())],
        vec![named("empty.bin", Vec::new())],
        vec![named("one.bin", pattern(1024))],
        vec![named("chunk.bin", pattern(65_536))],
        vec![
            named("a/b.bin", pattern(300_000)),
            named("a/empty", Vec::new()),
            named("日本/e\u{301} \"x\".txt", pattern(17)),
            named("日本/\u{1f389}", pattern(131_072)),
            named("<b>.html", b"<script>alert(1)</script>".to_vec()),
        ],
    ]
}

/// Every content, with and without passphrase, through `pass`, which brings it from one side to the other.
fn pass_all(pass: impl Fn(&Server, &mut Reference, &[Named], Option<&str>) -> Vec<Named>) {
    let server = Server::start(SETTINGS);
    let mut reference = Reference::start();
    for content in contents() {
        for passphrase in [None, Some(PASSPHRASE)] {
            let passed = pass(&server, &mut reference, &content, passphrase);
            let names: Vec<_> = content.iter().map(|(name, _)| name).collect();
            assert!(passed == content, "{names:?}, passphrase {passphrase:?}");
        }
    }
}

/// What the reference has written of the entries it answered.
fn written(answer: &Value) -> Vec<Named> {
    let entries = answer["entries"].as_array().unwrap().iter();
    let content = |entry: &Value| fs::read(entry["path"].as_str().unwrap()).unwrap();
    let name = |entry: &Value| entry["name"].as_str().unwrap().to_owned();
    entries.map(|entry| (name(entry), content(entry))).collect()
}

#[test]
fn the_reference_makes_the_vectors_and_refuses_what_must_not_open() {
    for (command, file) in [("vectors", "vectors.json"), ("refused", "refused.json")] {
        let output = program("onetimeshare_v1.py").arg(command).output().unwrap();
        assert!(output.status.success(), "{command}");
        let made: Value = serde_json::from_slice(&output.stdout).unwrap();
        let kept = fs::read_to_string(root().join("crypto/vectors").join(file)).unwrap();
        assert!(!made.as_array().unwrap().is_empty());
        assert!(
            made == serde_json::from_str::<Value>(&kept).unwrap(),
            "{file}"
        );
    }
}

#[test]
fn the_reference_opens_what_the_client_sends() {
    pass_all(|server, reference, content, passphrase| {
        let sent = send_all(server, content, passphrase);
        let folder = tempfile::tempdir().unwrap();
        let answer = reference.ask(&json!({
            "do": "open", "link": *sent.link, "passphrase": passphrase, "folder": folder.path(),
        }));
        written(&answer)
    });
}

#[test]
fn the_client_opens_what_the_reference_sends() {
    pass_all(|server, reference, content, passphrase| {
        let folder = tempfile::tempdir().unwrap();
        let entries: Vec<_> = content
            .iter()
            .enumerate()
            .map(|(index, (name, bytes))| {
                let path = folder.path().join(index.to_string());
                fs::write(&path, bytes).unwrap();
                json!({"name": name, "type": "application/octet-stream", "path": path})
            })
            .collect();
        let is_text = content.iter().all(|(name, _)| name.is_empty());
        let kind = if is_text { "text" } else { "files" };
        let answer = reference.ask(&json!({
            "do": "send", "base": server.base(), "kind": kind, "entries": entries, "passphrase": passphrase,
        }));
        receive_all(answer["link"].as_str().unwrap(), passphrase)
    });
}

#[test]
fn an_exported_body_opens_with_stock_age() {
    let server = Server::start(SETTINGS);
    let mut reference = Reference::start();
    for len in [5, 200_000] {
        let content = pattern(len);
        let sent = send_all(&server, &[("a".to_owned(), content.clone())], None);
        let folder = tempfile::tempdir().unwrap();
        let answer =
            reference.ask(&json!({"do": "export", "link": *sent.link, "folder": folder.path()}));
        let age = Command::new("age")
            .args([
                "--decrypt",
                "--identity",
                answer["identity"].as_str().unwrap(),
            ])
            .arg(answer["age"].as_str().unwrap())
            .output()
            .expect("age is there: `cargo xtask test` says how to install it");
        assert!(
            age.status.success(),
            "{}",
            String::from_utf8_lossy(&age.stderr)
        );
        let (opened, padding) = age.stdout.split_at(len);
        assert!(opened == content && padding.iter().all(|byte| *byte == 0));
    }
}
