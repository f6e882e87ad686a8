//! The accept loop over real sockets: deadlines, refusals while a client still sends, and the end.

use std::io::ErrorKind;
use std::net::IpAddr;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use onetimeshare_server::budget::{Budget, Budgets, Proxies, Rate, Rates};
use onetimeshare_server::healthcheck::{self, Question, Target};
use onetimeshare_server::http::{self, Bounds, Crowd, Deadlines};
use onetimeshare_server::tls::Tls;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::sample::Sample;
use crate::server::TestServer;

pub(crate) const DEADLINES: Deadlines = Deadlines {
    head: Duration::from_millis(300),
    stall: Duration::from_millis(300),
    shutdown: Duration::from_millis(500),
};

/// Longer than any deadline here: what has not happened by then does not happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Running {
    pub(crate) server: TestServer,
    pub(crate) listener: std::net::SocketAddr,
    pub(crate) stop: CancellationToken,
    pub(crate) serving: JoinHandle<()>,
}

impl Running {
    pub(crate) async fn start() -> Self {
        Self::with(TestServer::new().await, Bounds::NONE, None).await
    }

    /// One that speaks TLS, if there is something for it.
    pub(crate) async fn start_by(tls: Option<Tls>) -> Self {
        Self::with(TestServer::new().await, Bounds::NONE, tls).await
    }

    async fn with(server: TestServer, bounds: Bounds, tls: Option<Tls>) -> Self {
        let crowd = Crowd::new(bounds, Proxies::default(), server.metrics.connections());
        Self::with_all(server, crowd, tls, DEADLINES).await
    }

    /// One without TLS that has these deadlines.
    pub(crate) async fn with_deadlines(
        server: TestServer,
        bounds: Bounds,
        deadlines: Deadlines,
    ) -> Self {
        let crowd = Crowd::new(bounds, Proxies::default(), server.metrics.connections());
        Self::with_all(server, crowd, None, deadlines).await
    }

    async fn with_all(
        server: TestServer,
        crowd: Crowd,
        tls: Option<Tls>,
        deadlines: Deadlines,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let serving = http::serve(
            vec![listener],
            tls,
            server.router.clone(),
            deadlines,
            crowd,
            stop.clone(),
        );
        Self {
            server,
            listener: address,
            stop,
            serving: tokio::spawn(serving),
        }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.listener).await.unwrap()
    }

    /// How many connections the server counts as open.
    pub(crate) async fn open_count(&self) -> String {
        self.measure("onetimeshare_connections_open{listener=\"main\"} ")
            .await
    }

    /// How many it has closed for want of room, by why.
    async fn refused_count(&self, reason: &str) -> String {
        self.measure(&format!(
            "onetimeshare_connections_refused_total{{reason=\"{reason}\"}} "
        ))
        .await
    }

    /// How many requests it counts as under way.
    async fn under_way_count(&self) -> String {
        self.measure("onetimeshare_http_requests_in_flight ").await
    }

    async fn measure(&self, series: &str) -> String {
        let told = self.server.measured().await;
        let mut lines = told.lines();
        lines
            .find_map(|line| line.strip_prefix(series).map(str::to_owned))
            .unwrap()
    }

    /// Waits until the server has let go of every connection.
    pub(crate) async fn has_let_go(&self) {
        let ended = async {
            while self.open_count().await != "0" {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE, ended)
            .await
            .expect("the server lets go of every connection");
    }

    /// Sends `bytes` and reads all that comes until the connection ends.
    pub(crate) async fn converse(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.unwrap();
        read_all(&mut stream).await
    }
}

pub(crate) async fn read_all(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // A reset after the answer ends it as well.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer))
        .await
        .expect("the server ends the connection");
    String::from_utf8_lossy(&answer).into_owned()
}

/// Reads one answer whose length is announced.
async fn read_answer(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let read = async {
        while !answer.ends_with(b"}") {
            let byte = stream.read_u8().await.unwrap();
            answer.push(byte);
        }
    };
    timeout(PATIENCE, read).await.expect("an answer");
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn half_a_head_is_given_up() {
    let running = Running::start().await;
    let started = Instant::now();
    let heads: [&[u8]; 6] = [
        b"",
        b"P",
        b"PRI * HTTP/2.0\r\n",
        b"GET /api/v1/config HTTP/1.1\r\nHost: a\r\n",
        b"GET /api/v1/config HTTP/1.1\r\nHost: a\r\nX-A: ",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ];
    for head in heads {
        let answer = running.converse(head).await;
        assert!(!answer.contains("200 OK"), "{answer}");
    }
    assert!(started.elapsed() < PATIENCE);
}

#[tokio::test]
async fn a_dripping_head_is_given_up_and_others_are_served() {
    let running = Running::start().await;
    let mut slow = running.connect().await;
    let drip = tokio::spawn(async move {
        let mut sent = 0;
        slow.write_all(b"GET /api/v1/config HTTP/1.1\r\nHost: a\r\n")
            .await
            .unwrap();
        while slow.write_all(b"X: y\r\n").await.is_ok() && sent < 200 {
            sent += 1;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        sent
    });
    let answer = running
        .converse(b"GET /api/v1/config HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    let sent = timeout(PATIENCE, drip).await.unwrap().unwrap();
    assert!(sent < 100, "the connection took {sent} headers");
}

#[tokio::test]
async fn idle_connections_are_closed() {
    let running = Running::start().await;
    let answer = running
        .converse(b"GET /api/v1/config HTTP/1.1\r\nHost: a\r\n\r\n")
        .await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
}

#[tokio::test]
async fn heads_that_parsers_disagree_on_are_refused() {
    let running = Running::start().await;
    let check = async |head: &str, status: u16| {
        let answer = running.converse(format!("{head}\r\n\r\n").as_bytes()).await;
        let status = StatusCode::from_u16(status).unwrap();
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {}", status.as_u16())),
            "{head}: {answer}"
        );
    };
    check("GET /api/v1/config HTTP/1.1", 400).await;
    check("GET /api/v1/config HTTP/1.1\r\nHost: a\r\nHost: b", 400).await;
    check(
        "GET /api/v1/config HTTP/1.1\r\nHost: a\r\nContent-Length: +5",
        400,
    )
    .await;
    check(
        "GET /api/v1/config HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2",
        400,
    )
    .await;
    check(
        "POST /api/v1/transfers HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked",
        400,
    )
    .await;
    check("POST /api/v1/transfers HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0", 411).await;
    check("POST /api/v1/transfers HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0", 411).await;
    check(
        &format!("GET / HTTP/1.1\r\nHost: a{}", "\r\nX: y".repeat(70)),
        431,
    )
    .await;
}

#[tokio::test]
async fn a_head_has_an_end_by_both_protocols() {
    let running = Running::start().await;
    for (len, expected) in [(65_000, "204"), (66_000, "431"), (200_000, "431")] {
        let head = "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: ";
        let request = format!("{head}{}\r\n\r\n", "y".repeat(len));
        let answer = running.converse(request.as_bytes()).await;
        assert_eq!(answer.get(9..12), Some(expected), "{len}");
    }
    for (len, expected) in [(16_000, 204), (16_500, 431)] {
        let io = TokioIo::new(running.connect().await);
        let (mut sender, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
        tokio::spawn(connection);
        let request = Request::get("http://a/healthz").header("x", "y".repeat(len));
        let request = request.body(Body::empty()).unwrap();
        let answer = sender.send_request(request).await.unwrap();
        assert_eq!(answer.status(), expected, "{len}");
    }
}

#[tokio::test]
async fn answers_say_how_long_they_are() {
    let running = Running::start().await;
    let mut stream = running.connect().await;
    for (head, status) in [
        ("GET /api/v1/stats HTTP/1.1\r\nHost: a\r\n\r\n", 200),
        ("GET /api/v1/config HTTP/1.1\r\nHost: a\r\n\r\n", 200),
        (
            "POST /api/v1/transfers HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n{",
            400,
        ),
    ] {
        stream.write_all(head.as_bytes()).await.unwrap();
        let answer = read_answer(&mut stream).await.to_lowercase();
        assert!(
            answer.starts_with(&format!("http/1.1 {status}")),
            "{answer}"
        );
        assert!(answer.contains("\r\ncontent-length: "), "{answer}");
        assert!(!answer.contains("transfer-encoding"), "{answer}");
    }
}

#[tokio::test]
async fn a_refused_upload_is_read_to_its_end() {
    let running = Running::start().await;
    let sample = Sample::small();
    let mut stream = running.connect().await;
    for path in ["/api/v1/transfers", &*sample.path("/peek")] {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 10000000\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&vec![b' '; 10_000_000]).await.unwrap();
        let answer = read_answer(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    }
    // The connection goes on.
    stream
        .write_all(b"GET /api/v1/config HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    assert!(read_answer(&mut stream).await.starts_with("HTTP/1.1 200"));
}

/// How many bytes still come, until the end or a break.
pub(crate) async fn rest_of(stream: &mut (impl AsyncRead + Unpin)) -> usize {
    let (mut taken, mut buffer) = (0, vec![0; 1 << 20]);
    while let Ok(Ok(count @ 1..)) = timeout(PATIENCE, stream.read(&mut buffer)).await {
        taken += count;
    }
    taken
}

#[tokio::test]
async fn a_reader_that_stands_still_is_given_up() {
    let server = TestServer::patient().await;
    let running = Running::with_deadlines(server, Bounds::NONE, DEADLINES).await;
    // More than any socket's buffers hold.
    let sample = Sample::of(3, 16 << 20);
    sample.upload(&running.server).await;
    sample.claim(&running.server, 1).await.expect(200);
    let head = format!(
        "GET {} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\n\r\n",
        sample.path("/body"),
        sample.claimant(1)
    );
    let mut stream = running.connect().await;
    stream.write_all(head.as_bytes()).await.unwrap();
    // Until it is counted: what it asked for comes after it was accepted.
    while running.open_count().await != "1" {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    running.has_let_go().await;
    // So has the system: it holds nothing that would still have to be taken.
    let (mut taken, mut buffer) = (0, vec![0; 1 << 20]);
    let error = loop {
        match timeout(PATIENCE, stream.read(&mut buffer)).await.unwrap() {
            Ok(count @ 1..) => taken += count,
            ended => break ended.expect_err("it is broken off"),
        }
    };
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert!(taken < sample.body.len() / 2, "{taken} bytes");
}

#[tokio::test]
async fn stopping_finishes_what_is_under_way() {
    let running = Running::start().await;
    let idle = running.connect().await;
    let mut busy = running.connect().await;
    let text = Sample::small().request().to_string();
    let head = format!(
        "POST /api/v1/transfers HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        text.len()
    );
    busy.write_all(head.as_bytes()).await.unwrap();
    busy.write_all(&text.as_bytes()[..10]).await.unwrap();
    // Until the request is being read: the other connection's answer comes after it was accepted.
    running
        .converse(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .await;
    running.stop.cancel();
    busy.write_all(&text.as_bytes()[10..]).await.unwrap();
    let answer = read_all(&mut busy).await;
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    timeout(PATIENCE, running.serving)
        .await
        .expect("the loop ends")
        .unwrap();
    drop(idle);
    assert!(
        TcpStream::connect(running.listener).await.is_err(),
        "nobody listens any more"
    );
}

#[tokio::test]
async fn stopping_does_not_wait_for_ever() {
    let running = Running::start().await;
    let mut stuck = running.connect().await;
    let sample = Sample::large();
    sample.create(&running.server).await.expect(201);
    let head = format!(
        "PUT {} HTTP/1.1\r\nHost: a\r\nContent-Length: 65536\r\n\r\n",
        sample.path("/parts/0")
    );
    stuck.write_all(head.as_bytes()).await.unwrap();
    running
        .converse(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .await;
    running.stop.cancel();
    timeout(PATIENCE, running.serving)
        .await
        .expect("the loop ends")
        .unwrap();
}

pub(crate) const HEALTH: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn one_address_has_so_many_connections_and_no_more() {
    let bounds = Bounds {
        each: 2,
        ..Bounds::NONE
    };
    let running = Running::with(TestServer::new().await, bounds, None).await;
    let [mut first, mut second] = [running.connect().await, running.connect().await];
    // Closed before anything was said on it.
    assert_eq!(read_all(&mut running.connect().await).await, "");
    for stream in [&mut first, &mut second] {
        stream.write_all(HEALTH).await.unwrap();
        let answer = read_all(stream).await;
        assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    }
    let again = async {
        while !running.converse(HEALTH).await.starts_with("HTTP/1.1 204") {
            tokio::task::yield_now().await;
        }
    };
    assert_eq!(running.refused_count("each").await, "1");
    timeout(PATIENCE, again).await.expect("there is room again");
}

#[tokio::test]
async fn beyond_all_connections_an_idle_one_makes_room() {
    let bounds = Bounds {
        all: 1,
        ..Bounds::NONE
    };
    let running = Running::with(TestServer::new().await, bounds, None).await;
    let mut idle = running.connect().await;
    let answer = running.converse(HEALTH).await;
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    assert_eq!(read_all(&mut idle).await, "");
    assert_eq!(running.refused_count("displaced").await, "1");
}

#[tokio::test]
async fn beyond_all_connections_others_wait_for_a_busy_one() {
    let bounds = Bounds {
        all: 1,
        ..Bounds::NONE
    };
    let deadlines = Deadlines {
        // Longer than anything here is waited for.
        stall: PATIENCE * 3,
        ..DEADLINES
    };
    let running = Running::with_deadlines(TestServer::new().await, bounds, deadlines).await;
    let mut busy = running.connect().await;
    busy.write_all(
        b"POST /api/v1/transfers HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\nConnection: close\r\nExpect: 100-continue\r\n\r\n",
    )
    .await
    .unwrap();
    // Its body is being waited for.
    busy.read_u8().await.unwrap();
    // One more of the same address would only keep others waiting.
    assert_eq!(read_all(&mut running.connect().await).await, "");
    assert_eq!(running.refused_count("full").await, "1");
    let other = TcpSocket::new_v4().unwrap();
    other.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut other = other.connect(running.listener).await.unwrap();
    other.write_all(HEALTH).await.unwrap();
    busy.write_all(b"{\"a\": 1}}").await.unwrap();
    let answer = read_all(&mut busy).await;
    assert!(
        answer.contains("\r\n\r\nHTTP/1.1 400"),
        "it went on until its end: {answer}"
    );
    let answer = read_all(&mut other).await;
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
}

#[tokio::test]
async fn whoever_is_behind_a_proxy_takes_no_more_than_its_own_and_nobody_waits_behind_it() {
    let proxies = Proxies::new(vec!["127.0.0.1".parse::<IpAddr>().unwrap().into()]);
    let bounds = Bounds {
        all: 8,
        ..Bounds::NONE
    };
    let budgets = Budgets::new(Rates::default(), proxies.clone(), None).with_requests_max(3);
    let server = TestServer::limited(budgets).await;
    let crowd = Crowd::new(bounds, proxies, server.metrics.connections());
    let deadlines = Deadlines {
        // Longer than anything here is waited for.
        stall: PATIENCE * 3,
        ..DEADLINES
    };
    let running = Running::with_all(server, crowd, None, deadlines).await;
    let begin = async |client: u8| {
        let mut stream = running.connect().await;
        let head = format!(
            "POST / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.{client}\r\nContent-Length: 1000000\r\n\r\n{{"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
    };
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(begin(1).await);
    }
    while running.under_way_count().await != "3" {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // One more of the same client has no place for longer than its answer takes.
    let answer = read_all(&mut begin(1).await).await;
    assert!(answer.starts_with("HTTP/1.1 429"), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
    // Others have all of the rest but one.
    for client in 2..=5 {
        held.push(begin(client).await);
    }
    while running.under_way_count().await != "7" {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // Closed before anything was said on it.
    assert_eq!(read_all(&mut running.connect().await).await, "");
    assert_eq!(running.refused_count("proxies").await, "1");
    // A probe from the proxy's own machine.
    let target = Target::of_listener(running.listener).unwrap();
    let said = healthcheck::ask(&target, Question::Live).await;
    assert!(said.is_ok(), "{said:?}");
    drop(held);
}

#[tokio::test]
async fn a_connection_says_who_its_requests_are_from() {
    let rates = Rates::default().with(Budget::Open, Rate::new(1, 3600));
    let server = TestServer::limited(Budgets::new(rates, Proxies::default(), None)).await;
    let running = Running::with(server, Bounds::NONE, None).await;
    let stats = b"GET /api/v1/stats HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\nConnection: close\r\n\r\n";
    for expected in ["200 OK", "429 Too Many Requests"] {
        let answer = running.converse(stats).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {expected}")),
            "{answer}"
        );
    }
    // One that came over no connection is somebody else.
    let answer = running.server.call("GET", "/api/v1/stats", None).await;
    answer.expect(200);
}

#[tokio::test]
async fn open_connections_are_counted() {
    let running = Running::start().await;
    let mut stream = running.connect().await;
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    stream.read_u8().await.unwrap();
    assert_eq!(running.open_count().await, "1");
    read_all(&mut stream).await;
    running.has_let_go().await;
}
