//! Requests that two parsers could read differently, straight to the server and through nginx by its recipe: each gets the answer that is
//! written down for it, and none is taken for two.

mod cases;

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use onetimeshare_tests::Server;

use self::cases::{CASES, Case};
use crate::proxies::nginx;

/// Longer than any answer takes, with other tests beside it; what has not come by then does not come.
const PATIENCE: Duration = Duration::from_mins(1);

/// A good request, the last of its connection, and what only its answer says.
const GOOD: &[u8] =
    b"GET /api/v1/config HTTP/1.1\r\nHost: share.example\r\nConnection: close\r\n\r\n";
const GOOD_MARK: &str = "\"transfer_size_max\"";

/// What one connection was answered.
struct Answers {
    statuses: Vec<u16>,
    last: String,
}

/// Takes the first answer from what has come. None where it is not whole.
fn split(bytes: &[u8]) -> Option<(u16, String, usize)> {
    let end = bytes.windows(4).position(|at| at == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let status: u16 = head.split(' ').nth(1).and_then(|text| text.parse().ok())?;
    assert!(!head.contains("\r\ntransfer-encoding"), "{head}");
    let len = head
        .split_once("\r\ncontent-length: ")
        .and_then(|(_, rest)| {
            let (digits, _) = rest.split_once("\r\n")?;
            digits.parse::<usize>().ok()
        });
    let body = bytes.get(end..end + len.unwrap_or(0))?;
    Some((
        status,
        String::from_utf8_lossy(body).into_owned(),
        end + body.len(),
    ))
}

/// Reads until one more answer is whole. Whether one came before the connection ended.
fn read_one(stream: &mut TcpStream, came: &mut Vec<u8>, answers: &mut Answers) -> bool {
    let mut buffer = [0; 4096];
    loop {
        if let Some((status, body, len)) = split(came) {
            came.drain(..len);
            answers.statuses.push(status);
            answers.last = body;
            return true;
        }
        match stream.read(&mut buffer) {
            Ok(0) => return false,
            Ok(count) => came.extend_from_slice(&buffer[..count]),
            // What was refused unread may end in a reset, behind the answer.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return false,
            Err(error) => panic!("{error}: {:?}", String::from_utf8_lossy(came)),
        }
    }
}

/// Sends a case and, after its answers, a good request on the same connection.
fn converse(address: SocketAddr, case: &Case, expected: usize) -> Answers {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(&case.bytes()).unwrap();
    let (mut came, mut answers) = (
        Vec::new(),
        Answers {
            statuses: Vec::new(),
            last: String::new(),
        },
    );
    // As many as the case itself should have: what comes beyond them comes before the good one's.
    for _ in 0..expected.max(1) {
        if !read_one(&mut stream, &mut came, &mut answers) {
            return answers;
        }
    }
    // It may be closed, or be closing.
    let _ = stream.write_all(GOOD);
    while read_one(&mut stream, &mut came, &mut answers) {}
    answers
}

/// How many requests the server has counted that only hide in others.
fn hidden_count(server: &Server) -> usize {
    let log = server.log();
    let (_, rest) = log.rsplit_once(" metrics at http://").unwrap();
    let (address, _) = rest.split_once("/metrics").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut told = String::new();
    stream.read_to_string(&mut told).unwrap();
    assert!(told.contains("onetimeshare_http_requests_total{"), "{told}");
    told.matches("favicon").count()
}

/// Every case at `address`: what was answered otherwise than expected.
fn check(server: &Server, address: SocketAddr, expected: impl Fn(&Case) -> &[u16]) -> Vec<String> {
    let mut wrong = Vec::new();
    for case in CASES {
        let expected = expected(case);
        let Answers { statuses, last } = converse(address, case, expected.len().saturating_sub(1));
        let goes_on = expected.len() > 1 && expected.last() == Some(&200);
        if statuses != expected || goes_on && !last.contains(GOOD_MARK) {
            wrong.push(format!(
                "{}: {statuses:?} instead of {expected:?}, at last {last:?}",
                case.name
            ));
        }
        // Whoever comes next, on a connection that a proxy may have kept, is answered what they asked.
        let next = converse_well(address);
        if !next.last.contains(GOOD_MARK) || next.statuses != [200] {
            wrong.push(format!(
                "{}: the next one is answered {:?}",
                case.name, next.statuses
            ));
        }
    }
    let hidden = hidden_count(server);
    if hidden > 0 {
        wrong.push(format!("{hidden} hidden requests were taken for requests"));
    }
    wrong
}

fn converse_well(address: SocketAddr) -> Answers {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(GOOD).unwrap();
    let (mut came, mut answers) = (
        Vec::new(),
        Answers {
            statuses: Vec::new(),
            last: String::new(),
        },
    );
    while read_one(&mut stream, &mut came, &mut answers) {}
    answers
}

fn start() -> Server {
    Server::start(&["--metrics-listen", "127.0.0.1:0"])
}

#[test]
fn framing_is_read_in_one_way_only() {
    let server = start();
    let address = server.base().trim_start_matches("http://").parse().unwrap();
    let wrong = check(&server, address, |case| case.direct);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn framing_is_read_in_one_way_only_behind_nginx() {
    let server = start();
    let (proxy, _) = nginx(&server, &[]);
    let wrong = check(&server, proxy.address, |case| case.nginx);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
