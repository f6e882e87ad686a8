//! The server as targets ask it: its real router over stores in memory, on a clock that stands still. It opens no socket.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_TYPE, HOST};
use axum::http::{HeaderMap, Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http_body_util::BodyExt as _;
use onetimeshare_protocol::error::{ErrorBody, ErrorCode};
use onetimeshare_protocol::limits::MANIFEST_LEN_MIN;
use onetimeshare_server::app::App;
use onetimeshare_server::blob::BlobStore;
use onetimeshare_server::blob::memory::MemoryBlobs;
use onetimeshare_server::clock::MockClock;
use onetimeshare_server::record::RecordStore;
use onetimeshare_server::record::memory::MemoryStore;
use onetimeshare_server::router::router;
use onetimeshare_server::service::{Limits, Service, match_stores};
use onetimeshare_server::transfer::Periods;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt as _;

use crate::SECRET;

/// Small, so that a body of two parts is soon sent. A body of 1056 bytes goes with its request.
pub(crate) const LIMITS: Limits = Limits {
    transfer_size_max: 1 << 20,
    inline_max: 1056,
    part_len: 1000,
    ttl_max_s: 604_800,
    ttl_default_s: 86_400,
    ttl_min_s: 60,
    claims_max: 100,
};

const PERIODS: Periods = Periods {
    lease_s: 600,
    lease_max_s: 86_400,
    tombstone_ttl_s: 86_400,
    upload_idle_s: 3600,
    part_deadline_s: 60,
};

/// A server.
pub(crate) struct Server {
    runtime: Runtime,
    router: Router,
}

/// What it says.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Bytes,
}

impl Answer {
    /// The code of an error; none for an answer that is none. What is neither is a fault, and so is an error of the server's own, or one
    /// that repeats a secret.
    pub(crate) fn code(&self) -> Option<ErrorCode> {
        if self.status.is_success() {
            return None;
        }
        let body: ErrorBody = serde_json::from_slice(&self.bytes).expect("an error has a body");
        assert_eq!(body.code.status(), self.status.as_u16());
        assert!(
            body.code.status() < 500,
            "the server failed: {}",
            body.message
        );
        assert!(body.message.len() < 400, "{}", body.message);
        let text = String::from_utf8_lossy(&self.bytes);
        assert!(!text.contains(SECRET), "it repeats what came: {text}");
        Some(body.code)
    }
}

impl Server {
    /// An empty one.
    pub(crate) fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_time().build();
        let runtime = runtime.expect("a runtime without sockets");
        let router = runtime.block_on(async {
            let records: Arc<dyn RecordStore> =
                Arc::new(MemoryStore::new().expect("a store in memory"));
            let blobs: Arc<dyn BlobStore> = Arc::new(MemoryBlobs::default());
            let matched = match_stores(records.as_ref(), blobs.as_ref()).await;
            matched.expect("both are empty");
            let clock = Arc::new(MockClock::new(1_800_000_000));
            let service = Service::new(records, blobs, clock, LIMITS, PERIODS);
            router(App::new(Arc::new(service)))
        });
        Self { runtime, router }
    }

    /// Sends one request, with a host, and waits for all of the answer.
    pub(crate) fn ask(&self, mut request: Request<Body>) -> Answer {
        let host = "localhost".parse().expect("a host");
        request.headers_mut().entry(HOST).or_insert(host);
        self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await;
            let (parts, body) = response.expect("a router answers").into_parts();
            let body = body.collect().await.expect("an answer in memory is whole");
            Answer {
                status: parts.status,
                headers: parts.headers,
                bytes: body.to_bytes(),
            }
        })
    }

    /// Sends what a client sends, which has to be taken.
    pub(crate) fn must(&self, request: Request<Body>) -> Answer {
        let answer = self.ask(request);
        assert!(
            answer.status.is_success(),
            "{}: {}",
            answer.status,
            String::from_utf8_lossy(&answer.bytes)
        );
        answer
    }
}

/// A request with a body of JSON.
pub(crate) fn post(path: &str, json: impl Into<Body>) -> Request<Body> {
    let request = Request::post(path).header(CONTENT_TYPE, "application/json");
    request.body(json.into()).expect("a path of ours")
}

/// A request with a token, without a body.
pub(crate) fn with_token(method: &str, path: &str, token: &str) -> Request<Body> {
    let request = Request::builder().method(method).uri(path);
    let request = request.header("authorization", format!("Bearer {token}"));
    request.body(Body::empty()).expect("a path of ours")
}

/// One transfer, seen from both its ends. Nothing in it is sealed: the server could not tell.
pub(crate) struct Sample {
    seed: u32,
    /// Its body.
    pub(crate) body: Vec<u8>,
}

impl Sample {
    /// Another one for every `seed`, with so many bytes of body.
    pub(crate) fn of(seed: u32, body_len: u16) -> Self {
        let byte = |at: u16| u8::try_from((at * 7 + 3) % 251).unwrap_or_default();
        let body = (0..body_len).map(byte).collect();
        Self { seed, body }
    }

    /// A path below it.
    pub(crate) fn path(&self, rest: &str) -> String {
        let verifier = sha256(&self.secret("link"));
        let id = sha256(&[&b"onetimeshare/v1 id"[..], &verifier].concat());
        format!("/api/v1/transfers/{}{rest}", text(&id[..16]))
    }

    /// The token of its owner, or of a claimant.
    pub(crate) fn token(&self, whose: &str) -> String {
        text(&self.secret(whose))
    }

    /// Its create request, as an object.
    pub(crate) fn request(&self) -> Value {
        let verifier = |of| text(&sha256(&self.secret(of)));
        let id = self.path("");
        let id = id.rsplit('/').next().unwrap_or_default();
        let mut request = json!({
            "id": id,
            "link_verifier": verifier("link"),
            "access_verifier": verifier("access"),
            "owner_verifier": verifier("owner"),
            "manifest": text(&[7; MANIFEST_LEN_MIN]),
            "body_len": self.body.len(),
            "ttl_s": 3600,
            "claims_max": 1,
        });
        if self.body.len() <= 1056 {
            request["body"] = text(&self.body).into();
        }
        request
    }

    /// Link and access proof.
    pub(crate) fn proofs(&self) -> Value {
        json!({"link_proof": self.token("link"), "access_proof": self.token("access")})
    }

    fn secret(&self, of: &str) -> [u8; 32] {
        sha256(format!("{} {of}", self.seed).as_bytes())
    }
}

/// Bytes as the API writes them.
pub(crate) fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}
