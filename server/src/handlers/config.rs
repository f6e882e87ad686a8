//! `GET /config`: what a client has to know before it begins.

use axum::Json;
use axum::extract::State;
use onetimeshare_protocol::transfer::ConfigAnswer;

use crate::app::App;
use crate::extract::PossibleCreator;

/// The limits of this server, or those of the create token that is shown to it.
pub(crate) async fn config(
    State(app): State<App>,
    PossibleCreator(creator): PossibleCreator,
) -> Json<ConfigAnswer> {
    let (all, periods) = (app.service.limits(), app.service.periods());
    let limits = creator.map_or(*all, |grant| grant.limits(all));
    Json(ConfigAnswer {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        transfer_size_max: limits.transfer_size_max,
        inline_max: limits.inline_max,
        part_len: limits.part_len,
        ttl_s_max: limits.ttl_max_s,
        ttl_s_default: limits.ttl_default_s,
        ttl_s_min: limits.ttl_min_s,
        claims_max: limits.claims_max,
        lease_s: periods.lease_s,
        upload_idle_s: periods.upload_idle_s,
        tombstone_ttl_s: periods.tombstone_ttl_s,
        needs_create_token: app.create_tokens.is_some(),
        role: app.role,
        open_url: app.open_url.as_deref().map(str::to_owned),
    })
}
