//! One exchange over HTTP: a request out, an answer of bounded length in. The only file that knows the HTTP library. It
//! follows no redirect, repeats nothing, and puts tokens into the `Authorization` field and nowhere else.

use std::io::{self, Read};
use std::ops::Range;
use std::time::Duration;

use onetimeshare_protocol::error::ErrorBody;
use serde::de::DeserializeOwned;
use ureq::Agent;
use ureq::http::header::{
    AUTHORIZATION, CONTENT_RANGE, CONTENT_TYPE, HeaderName, HeaderValue, RANGE, RETRY_AFTER,
};
use ureq::http::{HeaderMap, Request, Response};
use zeroize::Zeroizing;

use crate::api::Settings;
use crate::error::{Error, Result};

pub(crate) use ureq::http::{Method, Uri};

/// The longest error body that is read, in bytes.
const ERROR_LEN_MAX: u64 = 64 * 1024;
/// The longest sentence of a server that is passed on, in characters.
const MESSAGE_LEN_MAX: usize = 500;
const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");

/// What goes with a request.
pub(crate) enum Payload<'a> {
    /// Nothing.
    None,
    /// A JSON text, which may hold proofs.
    Json(Zeroizing<Vec<u8>>),
    /// A part, with its digest.
    Part(&'a [u8], String),
}

/// One request.
pub(crate) struct Call<'a> {
    method: Method,
    path: String,
    bearer: Option<Zeroizing<String>>,
    range: Option<Range<u64>>,
    payload: Payload<'a>,
}

impl<'a> Call<'a> {
    /// A request without token or payload.
    pub(crate) fn new(method: Method, path: String) -> Self {
        Self {
            method,
            path,
            bearer: None,
            range: None,
            payload: Payload::None,
        }
    }

    /// With a token.
    pub(crate) fn bearer(mut self, token: String) -> Self {
        self.bearer = Some(Zeroizing::new(token));
        self
    }

    /// For these bytes of a body only.
    pub(crate) fn range(mut self, range: Option<Range<u64>>) -> Self {
        self.range = range;
        self
    }

    /// With a payload.
    pub(crate) fn payload(mut self, payload: Payload<'a>) -> Self {
        self.payload = payload;
        self
    }
}

/// Connections to one server.
pub(crate) struct Http {
    /// For calls with short payloads: limited as a whole.
    calls: Agent,
    /// For parts and bodies: they may take as long as they like, as long as bytes move.
    streams: Agent,
    base: String,
}

impl Http {
    pub(crate) fn new(base: String, settings: &Settings) -> Self {
        Self {
            calls: agent(settings, Some(settings.call_timeout)),
            streams: agent(settings, None),
            base,
        }
    }

    /// The server: `https://HOST`.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// A call whose answer is JSON of at most `len_max` bytes.
    pub(crate) fn json<T: DeserializeOwned>(&self, call: Call<'_>, len_max: u64) -> Result<T> {
        let answer = self.exchange(&self.calls, call)?;
        let status = answer.status().as_u16();
        if !is_success(status) || !has_type(answer.headers(), "application/json") {
            return Err(foreign(status, "the answer is not one of this service"));
        }
        let text = Zeroizing::new(read_all(answer, len_max)?);
        serde_json::from_slice(&text)
            .map_err(|_| foreign(status, "the answer is not what this call answers"))
    }

    /// A call whose answer is 204 and nothing else.
    pub(crate) fn done(&self, call: Call<'_>) -> Result<()> {
        let agent = match call.payload {
            Payload::Part(..) => &self.streams,
            _ => &self.calls,
        };
        match self.exchange(agent, call)?.status().as_u16() {
            204 => Ok(()),
            status => Err(foreign(status, "the answer is not one of this service")),
        }
    }

    /// A call whose answer is bytes: the range of the call, or the whole.
    pub(crate) fn bytes(&self, call: Call<'_>) -> Result<Body> {
        let asked = call.range.as_ref().map_or(0, |range| range.start);
        let answer = self.exchange(&self.streams, call)?;
        let status = answer.status().as_u16();
        let start = match status {
            200 => Some(0),
            206 => range_start(answer.headers()).filter(|start| *start == asked),
            _ => None,
        };
        let octets = has_type(answer.headers(), "application/octet-stream");
        let start = start
            .filter(|_| octets)
            .ok_or_else(|| foreign(status, "the answer is not the body that was asked for"))?;
        Ok(Body {
            start,
            reader: Box::new(answer.into_body().into_reader()),
        })
    }

    /// Sends the request and returns its answer, unless that is an error.
    fn exchange(&self, agent: &Agent, call: Call<'_>) -> Result<Response<ureq::Body>> {
        let mut request = Request::builder()
            .uri(format!("{}{}", self.base, call.path))
            .method(&call.method);
        if let Some(token) = &call.bearer {
            let value = Zeroizing::new(format!("Bearer {}", **token));
            let mut value = HeaderValue::from_str(&value).expect("base64url is visible");
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        if let Some(Range { start, end }) = call.range {
            request = request.header(RANGE, format!("bytes={start}-{}", end.saturating_sub(1)));
        }
        let bytes = match &call.payload {
            // A POST says the length of nothing too: without it the library would send chunks, which the server refuses.
            Payload::None => (call.method == Method::POST).then_some([].as_slice()),
            Payload::Json(text) => {
                request = request.header(CONTENT_TYPE, "application/json");
                Some(text.as_slice())
            }
            Payload::Part(bytes, digest) => {
                request = request.header(CONTENT_TYPE, "application/octet-stream");
                request = request.header(CONTENT_DIGEST, digest);
                Some(*bytes)
            }
        };
        let sent = match bytes {
            Some(bytes) => request.body(bytes).map(|request| agent.run(request)),
            None => request.body(()).map(|request| agent.run(request)),
        };
        let sent = sent.expect("paths, tokens and digests are made of visible characters");
        let answer = sent.map_err(failed)?;
        if answer.status().as_u16() < 400 {
            Ok(answer)
        } else {
            Err(refusal(answer))
        }
    }
}

/// What sends requests. `timeout` limits each as a whole.
fn agent(settings: &Settings, timeout: Option<Duration>) -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        // Only what the caller says decides where requests go.
        .proxy(None)
        .user_agent(concat!("onetimeshare/", env!("CARGO_PKG_VERSION")))
        .timeout_resolve(Some(settings.connect_timeout))
        .timeout_connect(Some(settings.connect_timeout))
        .timeout_per_read(Some(settings.stall_timeout))
        .timeout_per_write(Some(settings.stall_timeout))
        .timeout_global(timeout);
    #[cfg(feature = "tls")]
    let config = config.tls_config(tls());
    config.build().new_agent()
}

/// The system's own certificates, and the provider that is the only one everywhere in this project.
#[cfg(feature = "tls")]
fn tls() -> ureq::tls::TlsConfig {
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    ureq::tls::TlsConfig::builder()
        .provider(ureq::tls::TlsProvider::Rustls)
        .root_certs(ureq::tls::RootCerts::PlatformVerifier)
        .unversioned_rustls_crypto_provider(std::sync::Arc::new(provider))
        .build()
}

/// The bytes of a body as they arrive. A read fails when the connection breaks; that the end has come says nothing about
/// whether it was the whole.
pub struct Body {
    start: u64,
    reader: Box<dyn Read + Send>,
}

impl Body {
    /// Which byte of the body comes first: where the range begins that was asked for, or 0 from a server that gives bodies
    /// only whole.
    pub const fn start(&self) -> u64 {
        self.start
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer)
    }
}

fn is_success(status: u16) -> bool {
    matches!(status, 200 | 201)
}

fn has_type(headers: &HeaderMap, expected: &str) -> bool {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    value.is_some_and(|value| value.split(';').next().unwrap_or_default().trim() == expected)
}

/// The first number of `bytes 5-9/10`.
fn range_start(headers: &HeaderMap) -> Option<u64> {
    let range = headers.get(CONTENT_RANGE)?.to_str().ok()?;
    let (start, _) = range.strip_prefix("bytes ")?.split_once('-')?;
    start.parse().ok()
}

/// The whole of an answer that may have at most `len_max` bytes.
fn read_all(answer: Response<ureq::Body>, len_max: u64) -> Result<Vec<u8>> {
    let status = answer.status().as_u16();
    let mut bytes = Vec::new();
    let mut reader = answer.into_body().into_reader().take(len_max + 1);
    let len = reader
        .read_to_end(&mut bytes)
        .map_err(|error| Error::Cut(error.to_string()))?;
    if u64::try_from(len).is_ok_and(|len| len <= len_max) {
        Ok(bytes)
    } else {
        Err(foreign(
            status,
            "the answer is longer than this call's can be",
        ))
    }
}

/// What an answer that is an error says, or that it is not one of ours.
fn refusal(answer: Response<ureq::Body>) -> Error {
    let status = answer.status().as_u16();
    let retry_after_s = answer
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let body = read_all(answer, ERROR_LEN_MAX);
    let body = body.and_then(|text| {
        serde_json::from_slice::<ErrorBody>(&text).map_err(|_| foreign(status, ""))
    });
    match body {
        Ok(body) => Error::Api {
            status,
            body: Box::new(printable(body)),
            retry_after_s,
        },
        Err(_) => Error::Protocol {
            status,
            reason: reason_of(status),
            retry_after_s,
        },
    }
}

/// The body with a sentence that a terminal can show: a hostile server writes no control characters there.
fn printable(mut body: ErrorBody) -> ErrorBody {
    let kept = body.message.chars().filter(|letter| !letter.is_control());
    body.message = kept.take(MESSAGE_LEN_MAX).collect();
    body
}

/// What an error without a code of ours is likely to be.
fn reason_of(status: u16) -> &'static str {
    match status {
        401 | 403 => "something in front of the server refuses the request",
        404 | 405 => "there is no onetimeshare server at this address",
        408 | 504 => "something in front of the server gave up waiting for it",
        413 => "something in front of the server refuses requests of this size",
        429 => "something in front of the server has had too many requests",
        502 | 503 => "something in front of the server does not reach it",
        _ => "the answer is not one of this service",
    }
}

fn foreign(status: u16, reason: &'static str) -> Error {
    let reason = match status {
        300..=399 => "the address leads to another: use that one",
        _ => reason,
    };
    Error::Protocol {
        status,
        reason,
        retry_after_s: None,
    }
}

/// What became of a request that has no answer.
fn failed(error: ureq::Error) -> Error {
    use io::ErrorKind::{
        AddrNotAvailable, ConnectionRefused, HostUnreachable, InvalidData, NetworkUnreachable,
    };
    let words = error.to_string();
    match error {
        ureq::Error::HostNotFound
        | ureq::Error::ConnectionFailed
        | ureq::Error::Timeout(ureq::Timeout::Resolve | ureq::Timeout::Connect) => {
            Error::Unreachable(words)
        }
        ureq::Error::Io(cause) => match cause.kind() {
            ConnectionRefused | HostUnreachable | NetworkUnreachable | AddrNotAvailable => {
                Error::Unreachable(words)
            }
            // Of a handshake; what follows it is never taken for data that is invalid.
            InvalidData => Error::Insecure(words),
            _ => Error::Cut(words),
        },
        ureq::Error::Timeout(_) => Error::Cut(words),
        ureq::Error::TlsRequired | ureq::Error::Tls(_) => Error::Insecure(words),
        // No status: what came was no HTTP, or a head beyond all measure.
        _ => foreign(0, "what answers at this address is no HTTP server"),
    }
}
