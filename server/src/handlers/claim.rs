//! `POST /transfers/{id}/claim`, `/renew` and `/delivered`: a claimant's lease from its beginning to its end.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use onetimeshare_protocol::id::ClaimToken;
use onetimeshare_protocol::transfer::{ClaimAnswer, ClaimRequest, RenewAnswer};

use crate::app::App;
use crate::error::ApiResult;
use crate::extract::{Bearer, JsonBody, PathId};

/// Claims; repeated with the same token it gives the same answer.
pub(crate) async fn claim(
    State(app): State<App>,
    PathId(id): PathId,
    Bearer(claimant): Bearer<ClaimToken>,
    JsonBody(request): JsonBody<ClaimRequest>,
) -> ApiResult<Json<ClaimAnswer>> {
    Ok(Json(app.service.claim(&id, &claimant, request).await?))
}

/// Renews the lease.
pub(crate) async fn renew(
    State(app): State<App>,
    PathId(id): PathId,
    Bearer(claimant): Bearer<ClaimToken>,
) -> ApiResult<Json<RenewAnswer>> {
    let lease_expires_at = app.service.renew(&id, &claimant).await?;
    Ok(Json(RenewAnswer { lease_expires_at }))
}

/// Ends the lease: everything arrived.
pub(crate) async fn deliver(
    State(app): State<App>,
    PathId(id): PathId,
    Bearer(claimant): Bearer<ClaimToken>,
) -> ApiResult<StatusCode> {
    app.service.deliver(&id, &claimant).await?;
    Ok(StatusCode::NO_CONTENT)
}
