//! A claim over HTTP/2 without TLS, as a client does that knows that the server speaks it (RFC 9113, section 3.3). It knows no
//! other call, and does not repeat it.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::{Method, Request};
use hyper_util::rt::{TokioExecutor, TokioIo};
use onetimeshare_protocol::error::ErrorBody;
use onetimeshare_protocol::id::{ClaimToken, TransferId};
use onetimeshare_protocol::route;
use onetimeshare_protocol::transfer::{ClaimAnswer, ClaimRequest};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};

/// One connection, which all clones share, each with streams of its own.
#[derive(Clone)]
pub(crate) struct Http2 {
    runtime: Arc<Runtime>,
    sender: SendRequest<Full<Bytes>>,
    base: String,
}

impl Http2 {
    /// To the server at `base`: `http://HOST:PORT`.
    pub(crate) fn connect(base: &str) -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("the system has threads");
        let host = base.trim_start_matches("http://").to_owned();
        let sender = runtime.block_on(async {
            let stream = TcpStream::connect(host).await.expect("it listens");
            let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream))
                .await
                .expect("it speaks HTTP/2");
            // What ends it is told to every request on it.
            tokio::spawn(connection);
            sender
        });
        Self {
            runtime: Arc::new(runtime),
            sender,
            base: base.to_owned(),
        }
    }

    /// What the server answers; a text when that is no answer.
    pub(crate) fn claim(
        &self,
        id: &TransferId,
        claimant: &ClaimToken,
        request: &ClaimRequest,
    ) -> Result<Result<ClaimAnswer, ErrorBody>, String> {
        let path = route::CLAIM.replace("{id}", &id.to_text());
        let body = serde_json::to_vec(request).expect("a struct of texts");
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("{}{path}", self.base))
            .header(AUTHORIZATION, format!("Bearer {}", claimant.to_text()))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::from(body))
            .expect("its parts are visible characters");
        let mut sender = self.sender.clone();
        self.runtime.block_on(async {
            let answer = sender.send_request(request).await;
            let answer = answer.map_err(|error| error.to_string())?;
            let status = answer.status();
            let body = answer.into_body().collect().await;
            let body = body.map_err(|error| error.to_string())?.to_bytes();
            let read = if status.is_success() {
                serde_json::from_slice(&body).map(Ok)
            } else {
                serde_json::from_slice(&body).map(Err)
            };
            read.map_err(|error| format!("{status}: {error}"))
        })
    }
}
