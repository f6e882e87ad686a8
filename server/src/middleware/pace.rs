//! Gives up a request whose body trickles, each byte just in time to count as movement: it would hold a connection and what the handler
//! holds for as long as it likes. The time that the server itself takes is nobody's fault and not counted.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use hyper::body::{Frame, SizeHint};
use onetimeshare_protocol::error::ErrorCode;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::error::ApiError;
use crate::pace::Slack;

/// Passes a request on; one whose body falls behind is answered with that, whatever its handler made of the broken body.
pub(crate) async fn require_movement(request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let version = request.version();
    let is_late = Arc::new(AtomicBool::new(false));
    let request = request.map(|body| Body::new(Paced::new(body, Arc::clone(&is_late))));
    let response = next.run(request).await;
    if is_late.load(Ordering::Relaxed) {
        // The rest of the body may come at any time.
        late().closing(version).into_response()
    } else {
        response
    }
}

fn late() -> ApiError {
    let message = "the request arrived too slowly: send it again, over a faster connection";
    ApiError::new(ErrorCode::RequestTimeout, message)
}

/// A body that ends in an error when it falls behind.
struct Paced {
    body: Body,
    slack: Slack,
    /// Since when the next bytes are waited for, and until when.
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
    is_late: Arc<AtomicBool>,
}

impl Paced {
    const fn new(body: Body, is_late: Arc<AtomicBool>) -> Self {
        Self {
            body,
            slack: Slack::new(),
            waiting: None,
            is_late,
        }
    }
}

impl HttpBody for Paced {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            if let Some((since, _)) = self.waiting.take() {
                let bytes = frame
                    .as_ref()
                    .and_then(|frame| frame.as_ref().ok()?.data_ref());
                self.slack = self
                    .slack
                    .after(since.elapsed(), bytes.map_or(0, Bytes::len));
            }
            return Poll::Ready(frame);
        }
        let left = self.slack.left();
        let (_, until) = self.waiting.get_or_insert_with(|| {
            let now = Instant::now();
            (now, Box::pin(sleep_until(now + left)))
        });
        until.as_mut().poll(cx).map(|()| {
            self.is_late.store(true, Ordering::Relaxed);
            Some(Err(axum::Error::new("it came too slowly")))
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
