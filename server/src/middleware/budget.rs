//! Lets a request through as long as its client has a budget left for it, before its body is read and before a store is asked.
//! What anyone may load (pages, limits, health) costs nothing.

use std::num::NonZeroU32;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use onetimeshare_protocol::route;

use crate::app::App;
use crate::budget::{Budget, Client, Peer, Stopped};
use crate::error::{ApiError, ApiResult};
use crate::extract;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What a part costs at least, in KiB, however short it is: no request is for nothing.
const PART_KIB_MIN: u32 = 64;

/// Passes the request on, or refuses it.
pub(crate) async fn admit(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let Some((budget, cost)) = price(&request, app.service.limits().part_len) else {
        return next.run(request).await;
    };
    let peer = request.extensions().get().copied();
    let lines = request.headers().get_all(X_FORWARDED_FOR).into_iter();
    let lines: Vec<_> = lines.map(HeaderValue::as_bytes).collect();
    let client = app
        .budgets
        .client(peer.unwrap_or(Peer::UNKNOWN), lines.into_iter());
    let Some(pending) = app.budgets.begin(client) else {
        app.metrics.stopped("at_once");
        return ApiError::crowded().into_response();
    };
    if let Err(error) = spend(&app, budget, client, cost).await {
        return error.into_response();
    }
    request.extensions_mut().insert(client);
    let mut response = next.run(request).await;
    // The accept loop keeps it as long as the body: however slowly that is taken, it is under way.
    response.extensions_mut().insert(Arc::new(pending));
    response
}

/// Takes `cost` from what `client` has of `budget`, and counts whom that stops.
async fn spend(app: &App, budget: Budget, client: Client, cost: NonZeroU32) -> ApiResult<()> {
    let spent = app.budgets.spend(budget, client, cost).await;
    spent.map_err(|stopped| stop(app, budget, stopped))
}

/// The same for what a request turns out to cost beside what it cost to be looked at. Who is stopped is told to wait for that, too, or it
/// would be stopped for want of the one each time that it comes back.
pub(crate) async fn spend_more(
    app: &App,
    budget: Budget,
    client: Client,
    cost: NonZeroU32,
) -> ApiResult<()> {
    let spent = app.budgets.spend(budget, client, cost).await;
    spent.map_err(|stopped| match stopped {
        Stopped::Spent(spent) => stop(app, budget, Stopped::Spent(spent.and_one())),
        Stopped::Unknown(_) => stop(app, budget, stopped),
    })
}

fn stop(app: &App, budget: Budget, stopped: Stopped) -> ApiError {
    app.metrics.stopped(budget.name());
    match stopped {
        Stopped::Spent(spent) => ApiError::spent(&spent),
        Stopped::Unknown(error) => error.into(),
    }
}

/// What a request costs, and of which budget; none for what costs nothing.
fn price(request: &Request, part_len: u64) -> Option<(Budget, NonZeroU32)> {
    const ONE: NonZeroU32 = NonZeroU32::MIN;
    let path = request.extensions().get::<MatchedPath>()?.as_str();
    // Whoever asks for the head of an answer makes the server work as for all of it.
    let method = match request.method() {
        &Method::HEAD => &Method::GET,
        method => method,
    };
    match (method, path) {
        (&Method::POST, route::TRANSFERS) => Some((Budget::Create, ONE)),
        (&Method::PUT, route::PART) => {
            // One that says no length, or a longer one than any part has, is refused unread.
            let len = extract::content_len(request.headers()).unwrap_or(0);
            let kib = u32::try_from(len.min(part_len).div_ceil(1024)).unwrap_or(u32::MAX);
            let cost = NonZeroU32::new(kib.max(PART_KIB_MIN)).unwrap_or(ONE);
            Some((Budget::Upload, cost))
        }
        (&Method::GET | &Method::DELETE, route::TRANSFER)
        | (&Method::GET, route::PARTS)
        | (&Method::POST, route::COMPLETE | route::UNLOCK) => Some((Budget::Owner, ONE)),
        (&Method::POST, route::PEEK | route::CLAIM | route::RENEW | route::DELIVERED)
        | (&Method::GET, route::BODY | route::STATS) => Some((Budget::Open, ONE)),
        _ => None,
    }
}
