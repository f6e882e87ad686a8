//! `/transfers/{id}/parts…` and `/complete`: the upload of a body that is too large to come with its create request.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use futures_util::{StreamExt as _, TryStreamExt as _};
use onetimeshare_protocol::id::OwnerToken;
use onetimeshare_protocol::transfer::{CompleteAnswer, PartsAnswer};

use crate::app::App;
use crate::error::ApiResult;
use crate::extract::{self, Bearer, PartPath, PathId};
use crate::service::{PartUpload, StoreError};

/// Lists the accepted parts.
pub(crate) async fn list(
    State(app): State<App>,
    PathId(id): PathId,
    Bearer(owner): Bearer<OwnerToken>,
) -> ApiResult<Json<PartsAnswer>> {
    let parts = app.service.parts(&id, &owner).await?;
    Ok(Json(PartsAnswer {
        part_len: parts.part_len,
        part_count: parts.part_count,
        accepted: parts.accepted,
    }))
}

/// Takes one part: 204 when it is durable, also when the same bytes were taken before.
pub(crate) async fn write(
    State(app): State<App>,
    PartPath { id, index }: PartPath,
    Bearer(owner): Bearer<OwnerToken>,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<StatusCode> {
    let (len, digest) = (
        extract::content_len(&headers)?,
        extract::content_digest(&headers)?,
    );
    let bytes = body
        .into_data_stream()
        .map_err(|_| StoreError::Interrupted)
        .boxed();
    app.service
        .write_part(&id, &owner, PartUpload { index, len, digest }, bytes)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends the upload: all parts are there.
pub(crate) async fn complete(
    State(app): State<App>,
    PathId(id): PathId,
    Bearer(owner): Bearer<OwnerToken>,
) -> ApiResult<Json<CompleteAnswer>> {
    Ok(Json(app.service.complete(&id, &owner).await?))
}
