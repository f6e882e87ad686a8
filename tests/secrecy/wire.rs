//! Requests as bytes over one connection that is kept open, so that nothing but the server takes time between a request and its
//! answer. It knows no more of HTTP/1.1 than this server's answers need.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use onetimeshare_protocol::id::TransferId;

use crate::scale::timed;

/// How long an answer may take.
const ANSWER_MAX: Duration = Duration::from_mins(1);

/// What ends the head of an answer.
const HEAD_END: &[u8] = b"\r\n\r\n";

/// A call of the API on one transfer, as bytes.
pub(crate) fn request(
    (method, id, call): (&str, &TransferId, &str),
    bearer: Option<&str>,
    json: Option<&str>,
) -> Vec<u8> {
    let bearer = bearer.map(|token| format!("Authorization: Bearer {token}\r\n"));
    let json = json.map(|json| {
        let len = json.len();
        format!("Content-Type: application/json\r\nContent-Length: {len}\r\n\r\n{json}")
    });
    format!(
        "{method} /api/v1/transfers/{}{call} HTTP/1.1\r\nHost: 127.0.0.1\r\n{}{}",
        id.to_text(),
        bearer.unwrap_or_default(),
        json.unwrap_or_else(|| "\r\n".to_owned()),
    )
    .into_bytes()
}

/// A connection to the server.
pub(crate) struct Wire {
    stream: TcpStream,
    /// The request under way: every one is sent from here, so that memory that is far away costs none of them more.
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl Wire {
    /// Connects to the server at `base`: `http://127.0.0.1:PORT`.
    pub(crate) fn connect(base: &str) -> Self {
        let address = base.strip_prefix("http://").unwrap();
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(ANSWER_MAX)).unwrap();
        Self {
            stream,
            request: Vec::new(),
            answer: vec![0; 1 << 16],
        }
    }

    /// This end of it, as the server sees it.
    pub(crate) fn address(&self) -> SocketAddr {
        self.stream.local_addr().unwrap()
    }

    /// Sends one request. Its answer, whole, and how long that took in nanoseconds.
    pub(crate) fn ask(&mut self, request: &[u8]) -> (&[u8], u32) {
        self.request.clear();
        self.request.extend_from_slice(request);
        let (len, time) = timed(|| {
            self.stream.write_all(&self.request).unwrap();
            let mut len = 0;
            while !is_whole(&self.answer[..len]) {
                let more = self.stream.read(&mut self.answer[len..]).unwrap();
                assert_ne!(more, 0, "the server has closed the connection");
                len += more;
            }
            len
        });
        let time = u32::try_from(time.as_nanos()).unwrap_or(u32::MAX);
        (&self.answer[..len], time)
    }
}

fn is_whole(answer: &[u8]) -> bool {
    let Some((head, body)) = parts(answer) else {
        return false;
    };
    body.len() == content_len(head)
}

/// The head without the empty line, and the body as far as it is here.
fn parts(answer: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = answer
        .windows(HEAD_END.len())
        .position(|window| window == HEAD_END)?;
    Some((&answer[..at], &answer[at + HEAD_END.len()..]))
}

fn lines(head: &[u8]) -> impl Iterator<Item = &str> {
    std::str::from_utf8(head).unwrap().split("\r\n")
}

fn content_len(head: &[u8]) -> usize {
    lines(head)
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |len| len.parse().unwrap())
}

/// An answer without what is another in each: the moment, and the request's own id. Fails when it has neither, for then it was
/// not this server's.
pub(crate) fn essence(answer: &[u8]) -> String {
    let (head, body) = parts(answer).unwrap();
    let is_own = |line: &&str| line.starts_with("date: ") || line.starts_with("x-request-id: ");
    assert_eq!(
        lines(head).filter(is_own).count(),
        2,
        "{:?}",
        lines(head).collect::<Vec<_>>()
    );
    let rest: Vec<_> = lines(head).filter(|line| !is_own(line)).collect();
    format!("{}\n\n{}", rest.join("\n"), String::from_utf8_lossy(body))
}

#[test]
fn answers_are_alike_but_for_moment_and_id() {
    let answer =
        b"HTTP/1.1 404 Not Found\r\ndate: now\r\nx-request-id: 1\r\ncontent-length: 2\r\n\r\n{}";
    assert_eq!(
        essence(answer),
        "HTTP/1.1 404 Not Found\ncontent-length: 2\n\n{}"
    );
    for len in 0..answer.len() {
        assert!(!is_whole(&answer[..len]), "{len}");
    }
    assert!(is_whole(answer));
}
