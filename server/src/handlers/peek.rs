//! `POST /transfers/{id}/peek`.

use axum::Json;
use axum::extract::State;
use onetimeshare_protocol::transfer::{PeekAnswer, PeekRequest};

use crate::app::App;
use crate::error::ApiResult;
use crate::extract::{JsonBody, PathId};

/// Looks, without taking a claim.
pub(crate) async fn peek(
    State(app): State<App>,
    PathId(id): PathId,
    JsonBody(request): JsonBody<PeekRequest>,
) -> ApiResult<Json<PeekAnswer>> {
    Ok(Json(app.service.peek(&id, request).await?))
}
