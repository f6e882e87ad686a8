//! `DELETE /transfers/{id}`: what only the sender may do to a transfer that is complete.

use axum::extract::State;
use axum::http::StatusCode;
use onetimeshare_protocol::id::OwnerToken;

use crate::app::App;
use crate::error::ApiResult;
use crate::extract::{Bearer, PathId};

/// Destroys a transfer: 204, also when it was gone before.
pub(crate) async fn burn(
    State(app): State<App>,
    PathId(id): PathId,
    Bearer(owner): Bearer<OwnerToken>,
) -> ApiResult<StatusCode> {
    app.service.burn(&id, &owner).await?;
    Ok(StatusCode::NO_CONTENT)
}
