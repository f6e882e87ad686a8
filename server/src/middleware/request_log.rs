//! One line for each request: what was asked, by the route's template, and what came of it. Never a path or query as it came,
//! a header, a body, or an address.

use std::time::Duration;

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use tokio::time::Instant;
use tracing::{Instrument as _, info, info_span};

use crate::telemetry::spans;

/// The id that ties an answer to the log's lines about it.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Runs the request inside a span of its own and logs its end.
pub(crate) async fn log(request: Request, next: Next) -> Response {
    let route = route_of(&request);
    let method = method_of(request.method());
    let id = request_id();
    let span = info_span!("request", %id, transfer = tracing::field::Empty);
    let started = Instant::now();
    async move {
        let asked = (method, &*route, &*id);
        let answer = next.run(request);
        let status_of = |response: &Response| response.status().as_u16();
        let mut response = spans::of_request(asked, answer, status_of).await;
        let ms = millis(started.elapsed());
        info!(
            method,
            route,
            status = response.status().as_u16(),
            ms,
            "answered"
        );
        if let Ok(value) = HeaderValue::try_from(id) {
            response.headers_mut().insert(REQUEST_ID, value);
        }
        response
    }
    .instrument(span)
    .await
}

/// The matched route's template, or `none`.
pub(super) fn route_of(request: &Request) -> String {
    let matched = request.extensions().get::<MatchedPath>();
    matched.map_or("none", MatchedPath::as_str).to_owned()
}

/// The method's name. A made-up method is the client's text, and not repeated.
pub(super) fn method_of(method: &Method) -> &'static str {
    let known = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::DELETE,
        Method::OPTIONS,
        Method::PATCH,
    ];
    let names = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"];
    known
        .iter()
        .zip(names)
        .find_map(|(each, name)| (each == method).then_some(name))
        .unwrap_or("other")
}

/// 16 hexadecimal digits. Without randomness the requests go on, and share one id.
fn request_id() -> String {
    format!("{:016x}", getrandom::u64().unwrap_or_default())
}

/// Milliseconds to two digits: enough to see what is slow.
fn millis(elapsed: Duration) -> f64 {
    (elapsed.as_secs_f64() * 100_000.0).round() / 100.0
}
