//! The accept loop: connections in, the router's answers out, each with deadlines, until told to stop. It knows no path and
//! no transfer.

mod activity;
mod crowd;
mod handshake;
mod socket;
mod stall;

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use futures_util::FutureExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;
use tracing::{debug, warn};

use self::activity::Activity;
use self::crowd::Member;
pub use self::crowd::{Bounds, Crowd};
use self::socket::Socket;
use self::stall::StallGuard;
use crate::budget::Peer;
use crate::tls::Tls;

/// The most headers of one HTTP/1 request.
const HTTP1_HEADERS_MAX: usize = 64;
/// Bytes that one HTTP/1 connection buffers: the longest head of a request.
const HTTP1_BUFFER_LEN: usize = 64 * 1024;
/// The longest head of an HTTP/2 request, in bytes, with 32 more for each header (RFC 9113, section 6.5.2).
const HTTP2_HEAD_LEN_MAX: u32 = 16 * 1024;
/// Requests that one HTTP/2 connection may have under way.
const STREAMS_MAX: u32 = 32;
/// Bytes of an answer that one of them buffers.
const STREAM_BUFFER_LEN: usize = 64 * 1024;
/// How long the loop rests when the system has no more sockets to give.
const REST: Duration = Duration::from_millis(100);

/// How long a connection may take for what it has to do.
#[derive(Clone, Copy, Debug)]
pub struct Deadlines {
    /// From the connection, or the last answer, to the end of the next request's head; an idle connection is closed by it. A TLS
    /// handshake has as long, before that.
    pub head: Duration,
    /// For a request or an answer under way to move, by any byte.
    pub stall: Duration,
    /// For answers under way, once the server was told to stop.
    pub shutdown: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            stall: Duration::from_mins(2),
            shutdown: Duration::from_secs(20),
        }
    }
}

/// Serves `router` on every listener, by `tls` if there is one, until `stop`; then finishes what is under way, within the deadline.
/// `crowd` says who may connect.
pub async fn serve(
    listeners: Vec<TcpListener>,
    tls: Option<Tls>,
    router: Router,
    deadlines: Deadlines,
    crowd: Crowd,
    stop: CancellationToken,
) {
    let connections = TaskTracker::new();
    let abort = CancellationToken::new();
    let accepting = listeners.into_iter().map(|listener| {
        let (router, abort, connections) = (&router, &abort, &connections);
        let (tls, crowd, stop) = (&tls, &crowd, &stop);
        async move {
            let next = || accept_one(&listener, crowd);
            while let Some(Accepted {
                stream,
                peer,
                member,
                activity,
            }) = stop.run_until_cancelled(next()).await
            {
                let answering = Answering {
                    router: router.clone(),
                    peer,
                    activity,
                    deadlines,
                    stop: stop.clone(),
                };
                let serving = match tls {
                    None => answering.serve(stream).boxed(),
                    Some(tls) => answering.serve_securely(stream, tls.clone()).boxed(),
                };
                let serving = member.leave().run_until_cancelled_owned(serving);
                let serving = abort.clone().run_until_cancelled_owned(serving);
                connections.spawn(serving.inspect(move |_| drop(member)));
            }
        }
    });
    futures_util::future::join_all(accepting).await;
    connections.close();
    if timeout(deadlines.shutdown, connections.wait())
        .await
        .is_err()
    {
        warn!(
            connections = connections.len(),
            "connections are cut off: they did not end in time"
        );
        abort.cancel();
        connections.wait().await;
    }
}

/// A connection that is to be served.
struct Accepted {
    stream: Socket,
    peer: Peer,
    member: Member,
    activity: Activity,
}

/// The next connection of someone who may have one. Where no other makes room for it, it waits, and all others behind it.
async fn accept_one(listener: &TcpListener, crowd: &Crowd) -> Accepted {
    loop {
        let (stream, address) = accept(listener).await;
        let peer = Peer::new(address.ip());
        let Some(mut member) = crowd.admit(peer) else {
            continue;
        };
        let activity = Activity::new();
        if member.enter(&activity).await {
            return Accepted {
                stream,
                peer,
                member,
                activity,
            };
        }
    }
}

/// The next connection. One that was gone before it was accepted costs nothing; anything else, such as too many open files,
/// passes when other connections end: the loop waits instead of dying or spinning.
async fn accept(listener: &TcpListener) -> (Socket, SocketAddr) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    loop {
        match listener.accept().await {
            Ok((stream, address)) => return (Socket::new(stream), address),
            Err(error)
                if matches!(
                    error.kind(),
                    ConnectionAborted | ConnectionRefused | ConnectionReset
                ) => {}
            Err(error) => {
                warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(REST).await;
            }
        }
    }
}

/// What a connection is served with.
struct Answering {
    router: Router,
    peer: Peer,
    activity: Activity,
    deadlines: Deadlines,
    stop: CancellationToken,
}

impl Answering {
    /// Serves the inside of TLS. A handshake is nothing that a stop would wait for.
    async fn serve_securely(self, stream: Socket, tls: Tls) {
        let secured = timeout(self.deadlines.head, handshake::secure(stream, &tls));
        match self.stop.run_until_cancelled(secured).await {
            Some(Ok(Ok(stream))) => self.serve(stream).await,
            Some(Ok(Err(error))) => debug!(%error, "a connection did not become one by TLS"),
            Some(Err(_)) => debug!("a TLS handshake stood still"),
            None => {}
        }
    }

    async fn serve(self, stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) {
        let Self {
            router,
            peer,
            activity,
            deadlines,
            stop,
        } = self;
        let Deadlines { head, stall, .. } = deadlines;
        let io = TokioIo::new(StallGuard::new(stream, head, stall));
        activity.restart();
        let watching = activity.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer);
            let router = router.clone();
            let answer = async move |request| router.oneshot(request).await;
            // Boxed: the executor's bounds on the bare future crash the compiler's incremental builds (1.95).
            watching
                .clone()
                .watch(request.map(Body::new), answer)
                .boxed()
        });
        let builder = builder(deadlines);
        let mut connection = pin!(builder.serve_connection(io, service));
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
            () = activity.ended(head, stall) => {
                connection.as_mut().graceful_shutdown();
                // Long enough for a farewell; what has stood still so far is not waited for any longer.
                timeout(head, connection).await.unwrap_or(Ok(()))
            }
        };
        if let Err(error) = ended {
            // Clients that go away or speak something else: everyday, and nothing that an operator can mend.
            debug!(%error, "a connection ended early");
        }
    }
}

fn builder(deadlines: Deadlines) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(deadlines.head)
        .max_headers(HTTP1_HEADERS_MAX)
        .max_buf_size(HTTP1_BUFFER_LEN);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(deadlines.head)
        .keep_alive_timeout(deadlines.head)
        .max_concurrent_streams(STREAMS_MAX)
        .max_send_buf_size(STREAM_BUFFER_LEN)
        .max_header_list_size(HTTP2_HEAD_LEN_MAX);
    builder
}
