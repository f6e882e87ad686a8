//! Reads what is left of a refused request's body before the answer goes out. A client that is still sending would otherwise
//! see a broken connection instead of the reason. It never keeps what it reads, and counts for the client all the while
//! (see [`super::budget::count_bodies`]).

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::EXPECT;
use axum::middleware::Next;
use axum::response::Response;
use http_body_util::BodyExt as _;
use hyper::body::{Frame, SizeHint};

/// The most that is read for the sake of an answer, in bytes: twice the default part.
const DRAIN_LEN_MAX: u64 = 16 * 1024 * 1024;

/// How long that may take.
const DRAIN_DEADLINE: Duration = Duration::from_secs(10);

/// Where a body goes when its reader lets go of it.
type Remains = Arc<Mutex<Option<Body>>>;

/// Answers as the handler did; after a refusal, the rest of the body is read first.
pub(crate) async fn finish_refused_bodies(request: Request, next: Next) -> Response {
    // A client that waits for "100 Continue" has sent nothing yet, and is told to go on by the first read.
    if request.headers().contains_key(EXPECT) {
        return next.run(request).await;
    }
    let remains = Remains::default();
    let request = request.map(|body| {
        Body::new(Returned {
            body,
            remains: Arc::clone(&remains),
        })
    });
    let response = next.run(request).await;
    let body = remains
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    if let Some(body) = body.filter(|_| is_worth_reading_for(response.status())) {
        // Too much or too slow: then the connection breaks after the answer, as it would have.
        let _ = tokio::time::timeout(DRAIN_DEADLINE, drain(body)).await;
    }
    response
}

/// Whether the answer is a refusal that a client would miss. One that was too slow has had its time already.
fn is_worth_reading_for(status: StatusCode) -> bool {
    (status.is_client_error() || status.is_server_error()) && status != StatusCode::REQUEST_TIMEOUT
}

async fn drain(mut body: Body) {
    let mut left = DRAIN_LEN_MAX;
    if body.size_hint().lower() > left {
        return;
    }
    while let Some(Ok(frame)) = body.frame().await {
        let len = frame.data_ref().map_or(0, Bytes::len);
        match left.checked_sub(u64::try_from(len).unwrap_or(u64::MAX)) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}

/// A body that is handed back when it is dropped before its end.
struct Returned {
    body: Body,
    remains: Remains,
}

impl HttpBody for Returned {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Returned {
    fn drop(&mut self) {
        if !self.body.is_end_stream() {
            let body = std::mem::take(&mut self.body);
            *self.remains.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
        }
    }
}
