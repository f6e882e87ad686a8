//! The routes of the listener that shows what is measured: that, whether the process lives, and nothing else. Scrapes are
//! neither logged nor measured.

use std::sync::Arc;

use axum::routing::get;
use axum::{Router, middleware};
use onetimeshare_protocol::route;

use crate::handlers::{health, metrics};
use crate::metrics::Scrape;
use crate::middleware::{headers, host, panics};

/// The whole face of that listener.
pub fn metrics_router(scrape: Arc<Scrape>) -> Router {
    Router::new()
        .route("/metrics", get(metrics::metrics))
        .route(route::HEALTHZ, get(health::live))
        .layer(middleware::from_fn(host::require_one_reading))
        .layer(middleware::from_fn(panics::catch))
        .layer(middleware::from_fn(headers::add))
        .with_state(scrape)
}
