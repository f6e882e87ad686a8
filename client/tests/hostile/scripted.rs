//! A server that says what a test wrote down, and remembers what it was asked; and a machine whose pauses take no time.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use onetimeshare_client::{Client, Machine, Patience, Settings, ThisMachine};
use serde::Serialize;

/// One request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// `POST /api/v1/…`.
    pub(crate) line: String,
    /// All fields, in lower case but for their values.
    pub(crate) head: String,
    /// The payload.
    pub(crate) body: Vec<u8>,
}

/// A server on a loopback port. Each connection carries one request; `answer` says what is written, and nothing more is.
pub(crate) struct Scripted {
    address: SocketAddr,
    asked: Arc<(Mutex<Vec<Asked>>, Condvar)>,
}

impl Scripted {
    /// Answers each request by `answer`, which is told how many came before it.
    pub(crate) fn new(answer: impl FnMut(usize, &Asked) -> Vec<u8> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            asked: Arc::default(),
        };
        let script = Arc::new(Mutex::new(answer));
        let asked = Arc::clone(&server.asked);
        // Both end with the process: nothing tells them that their test is over.
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (script, asked) = (Arc::clone(&script), Arc::clone(&asked));
                thread::spawn(move || {
                    let mut stream = stream.unwrap();
                    let Ok(request) = read_request(&stream) else {
                        return;
                    };
                    let answer = {
                        let mut list = asked.0.lock().unwrap();
                        list.push(request.clone());
                        asked.1.notify_all();
                        let before = list.len() - 1;
                        (script.lock().unwrap())(before, &request)
                    };
                    // A client that has read enough closes: no concern of this side.
                    let _ = stream.write_all(&answer);
                });
            }
        });
        server
    }

    /// Gives `answers` one after the other, and the last one ever after.
    pub(crate) fn answering(answers: Vec<Vec<u8>>) -> Self {
        Self::new(move |before, _| answers[before.min(answers.len() - 1)].clone())
    }

    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A client that waits for nothing and tries everything three times.
    pub(crate) fn client(&self, machine: &Arc<Lent>) -> Client {
        let machine: Arc<Lent> = Arc::clone(machine);
        let settings = Settings {
            stall_timeout: Duration::from_secs(30),
            patience: Patience {
                tries: 3,
                ..Patience::default()
            },
            machine,
            ..Settings::default()
        };
        Client::with(&self.base(), settings).unwrap()
    }

    /// What it was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.0.lock().unwrap().clone()
    }

    /// The first lines of what it was asked so far, without what all have in common.
    pub(crate) fn lines(&self) -> Vec<String> {
        let lines = self.asked().into_iter().map(|asked| asked.line);
        lines.map(|line| line.replace("/api/v1/", "")).collect()
    }

    /// Waits until it was asked something whose line ends with `end`.
    pub(crate) fn wait_for(&self, end: &str) {
        let (list, changed) = &*self.asked;
        let is_awaited =
            |list: &mut Vec<Asked>| !list.iter().any(|asked| asked.line.ends_with(end));
        let guard = list.lock().unwrap();
        let limit = Duration::from_mins(1);
        let waited = changed
            .wait_timeout_while(guard, limit, is_awaited)
            .unwrap();
        assert!(!waited.1.timed_out(), "nobody asked for {end}");
    }
}

fn read_request(stream: &std::net::TcpStream) -> io::Result<Asked> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        // A connection that was given up before anything was said on it is no request.
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let mut head = String::new();
    let mut len = 0;
    loop {
        let mut field = String::new();
        if reader.read_line(&mut field)? <= 2 {
            break;
        }
        let (name, value) = field.split_once(':').ok_or(io::ErrorKind::InvalidData)?;
        let name = name.to_lowercase();
        if name == "content-length" {
            len = value.trim().parse().map_err(io::Error::other)?;
        }
        head.extend([&name, ":", value.trim_end(), "\n"]);
    }
    let mut body = vec![0; len];
    reader.read_exact(&mut body)?;
    let line = line.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
    Ok(Asked { line, head, body })
}

/// An answer as HTTP writes it.
pub(crate) fn answer(status: u16, media_type: &str, more: &str, body: &[u8]) -> Vec<u8> {
    let mut text = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\nConnection: close\r\n{more}\r\n",
        body.len()
    )
    .into_bytes();
    text.extend_from_slice(body);
    text
}

pub(crate) fn json(status: u16, body: &impl Serialize) -> Vec<u8> {
    answer(
        status,
        "application/json",
        "",
        &serde_json::to_vec(body).unwrap(),
    )
}

pub(crate) fn done() -> Vec<u8> {
    b"HTTP/1.1 204 X\r\nConnection: close\r\n\r\n".to_vec()
}

pub(crate) fn refusal(status: u16, code: &str, more: &str) -> Vec<u8> {
    let body = format!("{{\"code\":\"{code}\",\"message\":\"as planned\"}}");
    answer(status, "application/json", more, body.as_bytes())
}

/// Real randomness, and pauses that are written down instead of made.
#[derive(Default)]
pub(crate) struct Lent(Mutex<Vec<Duration>>);

impl Lent {
    pub(crate) fn pauses(&self) -> Vec<Duration> {
        self.0.lock().unwrap().clone()
    }
}

impl Machine for Lent {
    fn fill_random(&self, bytes: &mut [u8]) -> io::Result<()> {
        ThisMachine.fill_random(bytes)
    }

    fn pause(&self, duration: Duration) {
        self.0.lock().unwrap().push(duration);
    }
}
