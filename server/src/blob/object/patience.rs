//! How long anything of a bucket is waited for, so that no caller of a store waits for ever. The library's own deadline would
//! count the time that a slow reader takes, and cut it off.

use std::time::Duration;

use async_trait::async_trait;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
    ReqwestConnector,
};
use object_store::{BackoffConfig, ClientOptions, RetryConfig};

use super::fault::Fault;

/// The longest wait for a connection.
const CONNECT_MAX: Duration = Duration::from_secs(3);

/// The longest wait for the answer to one attempt, but for the time that its bytes take.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// No further attempt begins after this.
const RETRIES_MAX: Duration = Duration::from_secs(15);

/// The longest wait for a step with all its attempts, likewise.
const STEP_MAX: Duration = Duration::from_secs(28);

/// Bytes that are sent in a second, at the least.
const RATE: usize = 1 << 20;

/// The longest wait for the next bytes of an object.
pub(super) const PIECE_MAX: Duration = Duration::from_secs(20);

/// How long a part waits for its turn.
pub(super) const TURN_MAX: Duration = Duration::from_secs(15);

/// How long a step may take that sends `len` bytes.
pub(super) fn step(len: usize) -> Duration {
    STEP_MAX + sending(len)
}

fn sending(len: usize) -> Duration {
    Duration::from_secs(u64::try_from(len / RATE).unwrap_or(u64::MAX))
}

/// Waits no longer than `limit`.
pub(super) async fn within<T>(
    limit: Duration,
    step: impl Future<Output = object_store::Result<T>>,
) -> Result<T, Fault> {
    match tokio::time::timeout(limit, step).await {
        Ok(answered) => answered.map_err(|error| Fault::of(&error)),
        Err(_) => Err(Fault::silent("no answer in time")),
    }
}

/// Few attempts, close together: whoever waits asks again by itself.
pub(super) fn retries() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(2),
            base: 2.0,
        },
        max_retries: 2,
        retry_timeout: RETRIES_MAX,
    }
}

/// How the library connects.
pub(super) fn options() -> ClientOptions {
    ClientOptions::new()
        .with_timeout_disabled()
        .with_connect_timeout(CONNECT_MAX)
}

/// Makes clients that give each attempt its time.
#[derive(Debug)]
pub(super) struct Connector;

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let client = ReqwestConnector::default().connect(options)?;
        Ok(HttpClient::new(Patient(client)))
    }
}

#[derive(Debug)]
struct Patient(HttpClient);

#[async_trait]
impl HttpService for Patient {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let limit = ANSWER_MAX + sending(request.body().content_length());
        let answer = tokio::time::timeout(limit, self.0.execute(request));
        answer
            .await
            .unwrap_or_else(|late| Err(HttpError::new(HttpErrorKind::Timeout, late)))
    }
}
