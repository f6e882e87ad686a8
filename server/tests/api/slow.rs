//! Clients that are slow on purpose, with the deadlines of a real server and a clock that is stepped: each of them is gone in time, and a
//! bare `axum::serve` keeps them all.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use axum::routing::{get, post};
use futures_util::stream;
use onetimeshare_server::http::{Bounds, Deadlines};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::task::AbortOnDropHandle;

use crate::connections::{HEALTH, Running};
use crate::sample::Sample;
use crate::server::TestServer;

/// How many of each kind.
const COUNT: usize = 20;

/// Longer than anybody is to be kept.
const LONG: Duration = Duration::from_mins(10);

/// What one of them does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slow {
    /// A byte of its head every second.
    Head,
    /// A byte of its body every second.
    Body,
    /// A byte of the answer every second.
    Reader,
}

/// Whom they attack: where, and what is asked for there.
#[derive(Clone)]
struct Target {
    address: std::net::SocketAddr,
    body: String,
    reader: String,
}

impl Slow {
    const ALL: [Self; 3] = [Self::Head, Self::Body, Self::Reader];
}

/// How long one lasts, at most so long.
async fn lasts(slow: Slow, target: Target) -> Duration {
    let socket = TcpSocket::new_v4().unwrap();
    // Little of an answer fits between the two.
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(target.address).await.unwrap();
    let beginning = match slow {
        Slow::Head => "GET /healthz HTTP/1.1\r\nHost: a\r\nX: ",
        Slow::Body => &target.body,
        Slow::Reader => &target.reader,
    };
    stream.write_all(beginning.as_bytes()).await.unwrap();
    let started = Instant::now();
    let _ = timeout(LONG, drip(slow, &mut stream)).await;
    started.elapsed()
}

/// Goes on until the connection ends.
async fn drip(slow: Slow, stream: &mut TcpStream) {
    loop {
        sleep(Duration::from_secs(1)).await;
        let is_over = match slow {
            Slow::Head => stream.write_all(b"y").await.is_err(),
            Slow::Body => stream.write_all(b" ").await.is_err(),
            Slow::Reader => !matches!(stream.read(&mut [0]).await, Ok(1..)),
        };
        if is_over {
            return;
        }
    }
}

/// Begins with as many as there are of a kind.
fn attack(slow: Slow, target: &Target) -> JoinSet<Duration> {
    (0..COUNT).map(|_| lasts(slow, target.clone())).collect()
}

#[tokio::test(start_paused = true)]
async fn slow_clients_are_gone_in_time_and_others_are_served() {
    let running = Running::with_deadlines(
        TestServer::patient().await,
        Bounds::NONE,
        Deadlines::default(),
    )
    .await;
    let (sample, other) = (Sample::of(3, 1 << 20), Sample::large());
    sample.upload(&running.server).await;
    sample.claim(&running.server, 1).await.expect(200);
    other.create(&running.server).await.expect(201);
    let target = Target {
        address: running.listener,
        body: format!(
            "PUT {} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\nContent-Digest: sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:\r\nContent-Length: 65536\r\n\r\n",
            other.path("/parts/0"),
            other.owner()
        ),
        reader: format!(
            "GET {} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\n\r\n",
            sample.path("/body"),
            sample.claimant(1)
        ),
    };
    for slow in Slow::ALL {
        let attackers = attack(slow, &target);
        // What lies between the two may still be read when the server has let go.
        let bound = Duration::from_secs(match slow {
            Slow::Head => 15,
            Slow::Body => 45,
            Slow::Reader => 120,
        });
        let started = Instant::now();
        loop {
            let answer = running.converse(HEALTH).await;
            assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
            sleep(Duration::from_secs(1)).await;
            if running.open_count().await == "0" {
                break;
            }
            assert!(started.elapsed() < bound, "{slow:?}");
        }
        drop(attackers);
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_gets_all_of_it() {
    let running = Running::with_deadlines(
        TestServer::patient().await,
        Bounds::NONE,
        Deadlines::default(),
    )
    .await;
    // Many times what the system would hold for it.
    let sample = Sample::of(4, 16 << 20);
    sample.upload(&running.server).await;
    sample.claim(&running.server, 1).await.expect(200);
    let mut stream = TcpStream::connect(running.listener).await.unwrap();
    let head = format!(
        "GET {} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
        sample.path("/body"),
        sample.claimant(1)
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let (mut buffer, mut answer) = (vec![0; 8 * 1024], Vec::new());
    loop {
        sleep(Duration::from_secs(4)).await;
        match stream.read(&mut buffer).await.unwrap() {
            0 => break,
            count => answer.extend_from_slice(&buffer[..count]),
        }
    }
    assert!(answer.ends_with(&sample.body), "{} bytes", answer.len());
}

#[tokio::test(start_paused = true)]
async fn a_bare_axum_keeps_slow_clients() {
    let endless = || {
        let piece = Ok::<_, std::convert::Infallible>(vec![0; 64 * 1024]);
        Response::new(Body::from_stream(stream::repeat(piece)))
    };
    let router = Router::new()
        .route("/body", post(async |_: axum::body::Bytes| "taken"))
        .route("/endless", get(async move || endless()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = Target {
        address: listener.local_addr().unwrap(),
        body: "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 65536\r\n\r\n".to_owned(),
        reader: "GET /endless HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
    };
    let _serving =
        AbortOnDropHandle::new(tokio::spawn(async { axum::serve(listener, router).await }));
    for slow in Slow::ALL {
        let lasted = attack(slow, &target).join_all().await;
        assert!(
            lasted.iter().all(|lasted| *lasted >= LONG),
            "{slow:?}: {lasted:?}"
        );
    }
}
