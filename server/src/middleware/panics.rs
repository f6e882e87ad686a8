//! A panic in one request is that request's 500, and nobody else's. What it said goes to the log, never to the client.

use std::panic::AssertUnwindSafe;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;
use tracing::error;

use crate::error::ApiError;

/// Runs the request; answers `server.internal` for it when it panics.
pub(crate) async fn catch(request: Request, next: Next) -> Response {
    // Nothing that a request shares with others is left half changed: the stores lock on their own.
    let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    answered.unwrap_or_else(|_| {
        error!("a handler panicked; its message stands above");
        ApiError::internal().into_response()
    })
}
