//! `/metrics`, on a listener of its own: what is measured, for Prometheus.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use crate::metrics::{self, Scrape};

/// Everything that is measured.
pub(crate) async fn metrics(State(scrape): State<Arc<Scrape>>) -> impl IntoResponse {
    ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], scrape.text().await)
}
