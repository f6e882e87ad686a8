//! `GET /stats`: how much went through here, unless the operator keeps that to themselves.

use axum::Json;
use axum::extract::State;
use onetimeshare_protocol::transfer::StatsAnswer;

use crate::app::App;
use crate::error::ApiResult;
use crate::handlers::pages;

/// The counters, for anyone; no such path when they are switched off.
pub(crate) async fn stats(State(app): State<App>) -> ApiResult<Json<StatsAnswer>> {
    if !app.shows_stats {
        return Err(pages::not_here());
    }
    Ok(Json(app.service.totals().await?.stats))
}
