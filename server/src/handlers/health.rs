//! `/healthz` and `/readyz`, for what starts and watches the server.

use axum::extract::State;
use axum::http::StatusCode;

use crate::app::App;
use crate::error::{ApiError, ApiResult};

/// The process answers.
pub(crate) async fn live() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// The stores answer.
pub(crate) async fn ready(State(app): State<App>) -> ApiResult<StatusCode> {
    app.service.probe().await.map_err(ApiError::unready)?;
    Ok(StatusCode::NO_CONTENT)
}
