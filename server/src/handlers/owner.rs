//! `GET` and `DELETE /transfers/{id}`, and `/unlock`: what only the sender may see of a transfer and do to it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use onetimeshare_protocol::id::OwnerToken;
use onetimeshare_protocol::transfer::ReceiptAnswer;

use crate::app::App;
use crate::error::ApiResult;
use crate::extract::{Bearer, PathId};

/// The receipt: what has become of it, also for as long as its tombstone stands.
pub(crate) async fn receipt(
    State(app): State<App>,
    PathId(id): PathId,
    Bearer(owner): Bearer<OwnerToken>,
) -> ApiResult<Json<ReceiptAnswer>> {
    Ok(Json(app.service.receipt(&id, &owner).await?))
}

/// Gives the attempts back: 204, also when none was lost.
pub(crate) async fn unlock(
    State(app): State<App>,
    PathId(id): PathId,
    Bearer(owner): Bearer<OwnerToken>,
) -> ApiResult<StatusCode> {
    app.service.unlock(&id, &owner).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Destroys a transfer: 204, also when it was gone before.
pub(crate) async fn burn(
    State(app): State<App>,
    PathId(id): PathId,
    Bearer(owner): Bearer<OwnerToken>,
) -> ApiResult<StatusCode> {
    app.service.burn(&id, &owner).await?;
    Ok(StatusCode::NO_CONTENT)
}
