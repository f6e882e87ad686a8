//! Floods of HTTP/2 cost their target no memory, and nobody is kept from being served. Each is longer by `cargo xtask bench hostile`.

#[path = "../../bench/src/hostile/flood.rs"]
mod flood;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use onetimeshare_tests::Server;

use self::flood::Flood;

/// Frames of each kind, on one connection.
const STEPS: u64 = 5_000;

/// Connections that flood at once.
const CONNECTIONS: usize = 4;

/// How long the server may take for any of them, with other tests beside it.
const PATIENCE: Duration = Duration::from_mins(1);

/// By how much all of them together may make the server grow.
const GROWTH_KIB_MAX: u64 = 32 * 1024;

/// The most memory that the server ever held, in KiB.
fn peak_kib(server: &Server) -> u64 {
    let pid = server.pid().expect("it runs");
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("its process is there");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
    kib.expect("the system tells it")
}

fn asks(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("a timeout can be set");
    let request = b"GET /api/v1/config HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    stream.write_all(request).expect("it takes a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer
}

#[test]
fn floods_cost_no_memory_and_others_are_served() {
    let server = Server::start(&[]);
    let address = server
        .base()
        .trim_start_matches("http://")
        .parse()
        .expect("an address");
    assert!(asks(address).starts_with("HTTP/1.1 200"));
    let before = peak_kib(&server);
    for flood in Flood::ALL {
        let floods =
            [(); CONNECTIONS].map(|()| thread::spawn(move || flood.run(address, STEPS, PATIENCE)));
        let answer = asks(address);
        assert!(answer.starts_with("HTTP/1.1 200"), "{flood:?}: {answer}");
        for flooding in floods {
            let outcome = flooding.join().expect("it does not panic");
            let outcome = outcome.expect("the server listens");
            let is_limited = matches!(
                flood,
                Flood::RapidReset
                    | Flood::Continuation
                    | Flood::EmptyContinuation
                    | Flood::EmptyBody
            );
            assert!(
                !is_limited || !outcome.is_whole || outcome.goaway.is_some(),
                "{flood:?}: {outcome:?}"
            );
        }
    }
    let grown = peak_kib(&server) - before;
    println!(
        "{grown} KiB more after {} floods",
        Flood::ALL.len() * CONNECTIONS
    );
    assert!(grown < GROWTH_KIB_MAX, "{grown} KiB");
    let log = server.log();
    assert!(!log.contains("h2::"), "nobody fills the log by it: {log}");
    assert!(asks(address).starts_with("HTTP/1.1 200"));
}
