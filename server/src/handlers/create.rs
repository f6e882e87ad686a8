//! `POST /transfers`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use onetimeshare_protocol::transfer::{CreateAnswer, CreateRequest};

use crate::app::App;
use crate::budget::Budget;
use crate::error::ApiResult;
use crate::extract::{Creator, JsonBody};
use crate::middleware::budget::{self, Payer};

/// For each of so many bytes of its body a transfer counts as one more that its client creates: room is reserved for all of it,
/// whether it ever comes or not.
const COUNTED_LEN: u64 = 64 << 20;

/// The same of its manifest, which is kept with the records: in the memory of Redis, where there is one.
const COUNTED_MANIFEST_LEN: usize = 16 << 10;

/// Creates a transfer: 201, or 200 when the same request was taken before.
pub(crate) async fn create(
    State(app): State<App>,
    payer: Option<Extension<Payer>>,
    Creator(creator): Creator,
    JsonBody(request): JsonBody<CreateRequest>,
) -> ApiResult<(StatusCode, Json<CreateAnswer>)> {
    // What is refused anyway costs no more than to be looked at.
    let all = app.service.limits();
    let limits = creator.as_ref().map_or(*all, |creator| creator.limits(all));
    app.service.check(&request, &limits)?;
    let Payer { client, spender } = payer.map_or_else(Payer::default, |Extension(payer)| payer);
    let more = cost(&request).min(app.budgets.cost_max(Budget::Create, spender));
    budget::spend_more(&app, Budget::Create, spender, more).await?;
    let terms = app.creators.terms(client, creator.as_deref());
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

/// What it costs its client beside the request itself.
fn cost(request: &CreateRequest) -> u32 {
    let body = u32::try_from(request.body_len / COUNTED_LEN).unwrap_or(u32::MAX);
    let manifest = request.manifest.len() / COUNTED_MANIFEST_LEN;
    body.saturating_add(u32::try_from(manifest).unwrap_or(u32::MAX))
}
