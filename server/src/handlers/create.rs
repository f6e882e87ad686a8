//! `POST /transfers`.

use std::num::NonZeroU32;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use onetimeshare_protocol::transfer::{CreateAnswer, CreateRequest};

use crate::app::App;
use crate::budget::{Budget, Client, Peer};
use crate::error::ApiResult;
use crate::extract::JsonBody;
use crate::middleware::budget;

/// For each of so many bytes of its body a transfer counts as one more that its client creates: room is reserved for all of it,
/// whether it ever comes or not.
const COUNTED_LEN: u64 = 64 << 20;

/// The same of its manifest, which is kept with the records: in the memory of Redis, where there is one.
const COUNTED_MANIFEST_LEN: usize = 16 << 10;

/// Creates a transfer: 201, or 200 when the same request was taken before.
pub(crate) async fn create(
    State(app): State<App>,
    client: Option<Extension<Client>>,
    JsonBody(request): JsonBody<CreateRequest>,
) -> ApiResult<(StatusCode, Json<CreateAnswer>)> {
    // What is refused anyway costs no more than to be looked at.
    app.service.check(&request)?;
    let more = u32::try_from(request.body_len / COUNTED_LEN).unwrap_or(u32::MAX);
    let manifest = request.manifest.len() / COUNTED_MANIFEST_LEN;
    let more = more.saturating_add(u32::try_from(manifest).unwrap_or(u32::MAX));
    let more = more.min(app.budgets.cost_max(Budget::Create));
    // A request that came over no connection counts as all such do.
    let client = client.map_or_else(|| Client::new(Peer::UNKNOWN.0), |Extension(client)| client);
    if let Some(more) = NonZeroU32::new(more) {
        budget::spend_more(&app, Budget::Create, client, more).await?;
    }
    let terms = app.creators.terms(client);
    let created = app.service.create(request, &terms).await;
    let created = created.inspect_err(|error| app.metrics.not_created(error))?;
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
