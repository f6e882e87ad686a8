//! `POST /transfers`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use onetimeshare_protocol::transfer::{CreateAnswer, CreateRequest};

use crate::app::App;
use crate::error::ApiResult;
use crate::extract::JsonBody;

/// Creates a transfer: 201, or 200 when the same request was taken before.
pub(crate) async fn create(
    State(app): State<App>,
    JsonBody(request): JsonBody<CreateRequest>,
) -> ApiResult<(StatusCode, Json<CreateAnswer>)> {
    let created = app.service.create(request).await?;
    let status = if created.is_new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    let answer = CreateAnswer {
        state: created.state,
        part_len: created.part_len,
        expires_at: created.expires_at,
    };
    Ok((status, Json(answer)))
}
