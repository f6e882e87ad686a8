//! Counts requests and their durations, by the matched route's template. It never sees what a request says.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use tokio::time::Instant;

use super::request_log::{method_of, route_of};
use crate::metrics::{Answered, Metrics};

/// Runs the request and counts its answer. One whose client goes away before that is not answered, and not counted.
pub(crate) async fn measure(
    State(metrics): State<Arc<Metrics>>,
    request: Request,
    next: Next,
) -> Response {
    let _present = metrics.requests_under_way().enter();
    let route = route_of(&request);
    let method = method_of(request.method());
    let started = Instant::now();
    let response = next.run(request).await;
    metrics.answered(Answered {
        route: &route,
        method,
        status: response.status().as_u16(),
        took: started.elapsed(),
    });
    response
}
