//! The route table, whole, and the layers in order. It decides nothing else.

mod metrics;

use std::sync::Arc;

use axum::routing::{get, post, put};
use axum::{Router, middleware};
use onetimeshare_protocol::route;

pub use self::metrics::metrics_router;
use crate::app::App;
use crate::handlers::{
    body, claim, config, create, health, openapi, owner, pages, parts, peek, security, stats,
};
use crate::middleware::{budget, drain, headers, host, measure, pace, panics, request_log, role};

/// The server's whole face.
pub fn router(app: App) -> Router {
    let is_encrypted = app.is_encrypted;
    let router = Router::new()
        .route(route::TRANSFERS, post(create::create))
        .route(route::TRANSFER, get(owner::receipt).delete(owner::burn))
        .route(route::UNLOCK, post(owner::unlock))
        .route(route::PARTS, get(parts::list))
        .route(route::PART, put(parts::write))
        .route(route::COMPLETE, post(parts::complete))
        .route(route::PEEK, post(peek::peek))
        .route(route::CLAIM, post(claim::claim))
        .route(route::BODY, get(body::fetch).head(body::head))
        .route(route::RENEW, post(claim::renew))
        .route(route::DELIVERED, post(claim::deliver))
        .route(route::CONFIG, get(config::config))
        .route(route::STATS, get(stats::stats))
        .route(route::OPENAPI, get(openapi::document))
        .route(route::HEALTHZ, get(health::live))
        .route(route::READYZ, get(health::ready))
        .route("/", get(pages::send))
        .route("/open", get(pages::open))
        .route("/manage", get(pages::manage))
        .route("/sw.js", get(pages::service_worker))
        .route("/manifest.webmanifest", get(pages::web_manifest))
        .route("/favicon.ico", get(pages::favicon))
        .route("/.well-known/security.txt", get(security::contact))
        .route("/assets/{hash}/{*name}", get(pages::asset))
        .fallback(pages::unknown)
        .method_not_allowed_fallback(pages::method_unknown)
        // The last one here is the outermost. A refused request is still logged, and carries every header.
        .layer(middleware::from_fn_with_state(app.clone(), budget::admit))
        .layer(middleware::from_fn_with_state(app.clone(), role::keep))
        .layer(middleware::from_fn(drain::finish_refused_bodies))
        .layer(middleware::from_fn_with_state(
            app.clone(),
            budget::count_bodies,
        ))
        .layer(middleware::from_fn(pace::require_movement))
        .layer(middleware::from_fn(host::require_one_reading))
        .layer(middleware::from_fn(panics::catch))
        .layer(middleware::from_fn(headers::add))
        .layer(middleware::from_fn(request_log::log))
        .layer(middleware::from_fn_with_state(
            Arc::clone(&app.metrics),
            measure::measure,
        ))
        .with_state(app);
    if is_encrypted {
        router.layer(middleware::map_response(headers::keep_to_https))
    } else {
        router
    }
}
