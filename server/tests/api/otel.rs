//! Spans of the program itself, as a collector is sent them, in builds with the feature `otel`; and a collector that does not
//! answer. It reads no protobuf: what must not be sent may not stand anywhere in its bytes.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::sample::Sample;
use crate::start::{Started, nobody, refused, server};

/// The trace that a client would like to be in.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
/// The longest that an answer may take on a machine with much else to do; a collector that hangs is waited for twice as long.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// How a collector meets what it is sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    Takes,
    Hangs,
}

/// Keeps what it is sent.
struct Collector {
    address: String,
    sent: Arc<Mutex<Vec<u8>>>,
}

impl Collector {
    fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let sent = Arc::<Mutex<Vec<u8>>>::default();
        let kept = Arc::clone(&sent);
        // It ends with the process.
        thread::spawn(move || {
            for stream in listener.incoming() {
                let kept = Arc::clone(&kept);
                thread::spawn(move || keep(stream.unwrap(), manner, &kept));
            }
        });
        Self { address, sent }
    }

    fn sent(&self) -> Vec<u8> {
        self.sent.lock().unwrap().clone()
    }
}

/// Reads to the end of the stream; each time that a request is whole, it is answered.
fn keep(mut stream: TcpStream, manner: Manner, kept: &Mutex<Vec<u8>>) {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer).unwrap_or(0);
        if count == 0 {
            return;
        }
        request.extend_from_slice(&buffer[..count]);
        if manner == Manner::Takes && is_whole(&request) {
            kept.lock().unwrap().append(&mut request);
            let answer = "HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
            stream.write_all(answer.as_bytes()).unwrap();
        }
    }
}

fn is_whole(request: &[u8]) -> bool {
    let Some(end) = request.windows(4).position(|four| four == b"\r\n\r\n") else {
        return false;
    };
    let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
    let (_, len) = head.split_once("content-length: ").unwrap();
    let len: usize = len.lines().next().unwrap().parse().unwrap();
    request.len() == end + 4 + len
}

/// A program that sends its spans there.
fn exporting(folder: &Path, address: &str) -> Command {
    let mut command = server(folder);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{address}"));
    command
}

/// The answer to a request with a body of JSON, whole.
fn post(started: &Started, path: &str, token: &str, body: &Value) -> String {
    let body = body.to_string();
    let mut stream = TcpStream::connect(&started.address).unwrap();
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Authorization: Bearer {token}\r\nUser-Agent: hunter2\r\ntraceparent: 00-{TRACE}-00f067aa0ba902b7-01\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Creates a transfer and claims it. The answers.
fn create_and_claim(started: &Started, sample: &Sample) -> [String; 2] {
    let created = post(started, "/api/v1/transfers", "hunter2", &sample.request());
    assert!(created.starts_with("HTTP/1.1 201"), "{created}");
    let path = sample.path("/claim");
    let claimed = post(started, &path, &sample.claimant(1), &sample.proofs());
    assert!(claimed.starts_with("HTTP/1.1 200"), "{claimed}");
    [created, claimed]
}

fn holds(bytes: &[u8], sought: &[u8]) -> bool {
    bytes.windows(sought.len()).any(|part| part == sought)
}

#[test]
fn spans_hold_templates_and_nothing_of_a_transfer() {
    let folder = tempfile::tempdir().unwrap();
    let collector = Collector::start(Manner::Takes);
    let mut started = Started::of(&mut exporting(folder.path(), &collector.address));
    let sample = Sample::small();
    let answers = create_and_claim(&started, &sample);
    started.ask(&format!("/{}?hunter2", sample.id()));
    // What is left is sent at the end.
    assert_eq!(started.terminate(), Some(0));
    let sent = collector.sent();
    let shown = String::from_utf8_lossy(&sent);
    assert!(shown.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{shown}");
    for word in [
        "POST /api/v1/transfers",
        "POST /api/v1/transfers/{id}/claim",
        "http.response.status_code",
        "records.claim",
        "service.name\u{12}\u{e}\n\u{c}onetimeshare",
    ] {
        assert!(holds(&sent, word.as_bytes()), "{word} is missing:\n{shown}");
    }
    for answer in answers {
        let (_, rest) = answer.split_once("x-request-id: ").unwrap();
        let id = rest.lines().next().unwrap();
        assert!(holds(&sent, id.as_bytes()), "{id} is missing:\n{shown}");
    }
    for secret in sample.secrets() {
        assert!(!holds(&sent, secret.as_bytes()), "{secret}:\n{shown}");
    }
    for secret in sample.secret_bytes() {
        assert!(!holds(&sent, &secret), "{secret:?}:\n{shown}");
    }
    // Not even its beginning, which lines of the log have.
    let id = sample.id();
    let beginning = id.get(..6).unwrap();
    for word in [beginning, "hunter2", "127.0.0.1:", TRACE, "GET none"] {
        let (_, body) = shown.split_once("\r\n\r\n").unwrap();
        assert!(!body.contains(word), "{word}:\n{shown}");
    }
    let trace = u128::from_str_radix(TRACE, 16).unwrap().to_be_bytes();
    assert!(!holds(&sent, &trace), "the client chose the trace");
}

#[test]
fn a_name_of_its_own_and_spans_switched_off() {
    let folder = tempfile::tempdir().unwrap();
    let collector = Collector::start(Manner::Takes);
    let mut command = exporting(folder.path(), &collector.address);
    command.env("OTEL_SDK_DISABLED", "true");
    let mut started = Started::of(&mut command);
    assert!(started.ask("/healthz").starts_with("HTTP/1.1 204"));
    assert_eq!(started.terminate(), Some(0));
    assert_eq!(collector.sent(), b"");
    command
        .env("OTEL_SDK_DISABLED", "false")
        .env("OTEL_SERVICE_NAME", "another");
    let mut started = Started::of(&mut command);
    assert!(started.ask("/healthz").starts_with("HTTP/1.1 204"));
    assert_eq!(started.terminate(), Some(0));
    let sent = collector.sent();
    assert!(holds(&sent, b"service.name\x12\x09\n\x07another"));
    assert!(holds(&sent, b"GET /healthz"));
}

/// Asks more than one batch of spans takes, and ends it. What it said on stderr.
fn serves_and_ends(command: &mut Command) -> String {
    let mut started = Started::of(command);
    create_and_claim(&started, &Sample::small());
    for _ in 0..600 {
        let begun = Instant::now();
        assert!(started.ask("/healthz").starts_with("HTTP/1.1 204"));
        assert!(begun.elapsed() < ANSWER_MAX, "{:?}", begun.elapsed());
    }
    let begun = Instant::now();
    assert_eq!(started.terminate(), Some(0));
    // 5 s for the collector, and as long again for everything else.
    assert!(begun.elapsed() < 2 * ANSWER_MAX, "{:?}", begun.elapsed());
    started.complaints()
}

#[test]
fn a_collector_that_is_away_is_told_of_and_costs_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let (address, _kept) = nobody();
    let mut command = exporting(folder.path(), &address.to_string());
    let said = serves_and_ends(command.args(["--log", "warn"]));
    assert_eq!(said.matches("does not take spans").count(), 1, "{said}");
}

#[test]
fn a_collector_that_hangs_is_left_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let collector = Collector::start(Manner::Hangs);
    let mut command = exporting(folder.path(), &collector.address);
    let said = serves_and_ends(command.args(["--log", "warn"]));
    assert!(said.contains("within 5 s: they are lost"), "{said}");
}

#[test]
fn a_collector_that_is_none() {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    ] {
        let mut command = exporting(folder.path(), "127.0.0.1:4318");
        let sentence = "spans cannot be exported: OTEL_EXPORTER_OTLP_ENDPOINT must be like";
        refused(command.env(name, "hunter2 /"), &[sentence]);
    }
}
