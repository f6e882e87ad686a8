//! Lets a request through as long as its client has a budget left for it, before its body is read and before a store is asked.
//! What anyone may load (pages, limits, health) costs nothing. What brings a body is counted while it lasts, whatever it asks for.

use std::num::NonZeroU32;
use std::sync::Arc;

use axum::body::HttpBody as _;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use onetimeshare_protocol::route;
use onetimeshare_protocol::transfer::CreateRequest;

use crate::app::App;
use crate::budget::{Budget, Client, Peer, Pending, Spender, Stopped};
use crate::create_tokens::{Grant, OwnRate};
use crate::error::{ApiError, ApiResult};
use crate::extract::{self, JsonRequest as _};
use crate::metrics::AT_ONCE;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What a part costs at least, in KiB, however short it is: no request is for nothing.
const PART_KIB_MIN: u32 = 64;

/// For each of so many bytes of its text a request to create counts as one more.
const COUNTED_TEXT_LEN: u64 = 64 * 1024;

/// Who asks, and whose budget that is taken from; left with each request that costs something.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Payer {
    pub(crate) client: Client,
    pub(crate) spender: Spender,
}

impl Default for Payer {
    /// Stands for all requests that came over no connection, which count as one client.
    fn default() -> Self {
        let client = Client::new(Peer::UNKNOWN.0);
        let spender = Spender::Client(client);
        Self { client, spender }
    }
}

/// A request that counts among those which its client has under way, and as whose.
#[derive(Clone)]
struct Counted {
    client: Client,
    pending: Arc<Pending>,
}

/// Counts a request that brings a body until its answer has gone out, also where nothing answers it but a refusal: it has its connection
/// for as long as the rest of that body is read. One too many is refused, and nothing more of it is read.
pub(crate) async fn count_bodies(
    State(app): State<App>,
    mut request: Request,
    next: Next,
) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let counted = match count(&app, &request) {
        Ok(counted) => counted,
        Err(error) => return error.closing(request.version()).into_response(),
    };
    let pending = Arc::clone(&counted.pending);
    request.extensions_mut().insert(counted);
    let mut response = next.run(request).await;
    response.extensions_mut().insert(pending);
    response
}

/// Counts a request, once.
fn count(app: &App, request: &Request) -> ApiResult<Counted> {
    if let Some(counted) = request.extensions().get::<Counted>() {
        return Ok(counted.clone());
    }
    let peer = request.extensions().get().copied();
    let lines = request.headers().get_all(X_FORWARDED_FOR).into_iter();
    let lines: Vec<_> = lines.map(HeaderValue::as_bytes).collect();
    let client = app
        .budgets
        .client(peer.unwrap_or(Peer::UNKNOWN), lines.into_iter());
    let Some(pending) = app.budgets.begin(client) else {
        app.metrics.stopped(AT_ONCE);
        return Err(ApiError::crowded());
    };
    let pending = Arc::new(pending);
    Ok(Counted { client, pending })
}

/// Passes the request on, or refuses it.
pub(crate) async fn admit(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let Some((budget, cost)) = price(&app, &request) else {
        return next.run(request).await;
    };
    let Counted { client, pending } = match count(&app, &request) {
        Ok(counted) => counted,
        Err(error) => return error.into_response(),
    };
    // Looked up for what costs something alone, or tokens could be tried for nothing. Who has none, or a wrong one, is refused later, and
    // pays as a client until then.
    let grant = grant(&app, &request);
    // A token pays for what it creates alone.
    let creator = grant.as_deref().filter(|_| budget == Budget::Create);
    let spender = creator.map_or(Spender::Client(client), |grant| spender(grant, client));
    if let Err(error) = spend(&app, budget, spender, cost).await {
        return error.into_response();
    }
    request.extensions_mut().insert(Payer { client, spender });
    if let Some(grant) = grant {
        request.extensions_mut().insert(grant);
    }
    let mut response = next.run(request).await;
    // The accept loop keeps it as long as the body: however slowly that is taken, it is under way.
    response.extensions_mut().insert(pending);
    response
}

/// The create token that a request shows, if it is one that asks for it and shows one that is known.
fn grant(app: &App, request: &Request) -> Option<Arc<Grant>> {
    let tokens = app.create_tokens.as_ref()?;
    let path = request.extensions().get::<MatchedPath>()?.as_str();
    let shows_one = matches!(path, route::TRANSFERS | route::CONFIG);
    let token = shows_one.then(|| extract::bearer(request.headers()))??;
    tokens.find(&token)
}

/// Whose budget a holder of `grant` spends: the token's, where it has one of its own.
fn spender(grant: &Grant, client: Client) -> Spender {
    match grant.allowance().rate {
        None => Spender::Client(client),
        Some(OwnRate::Off) => Spender::Token(Client::of_token(grant.name()), None),
        Some(OwnRate::Of(rate)) => Spender::Token(Client::of_token(grant.name()), Some(rate)),
    }
}

/// Takes `cost` from what `spender` has of `budget`, and counts whom that stops.
async fn spend(app: &App, budget: Budget, spender: Spender, cost: NonZeroU32) -> ApiResult<()> {
    let spent = app.budgets.spend(budget, spender, cost).await;
    spent.map_err(|stopped| stop(app, budget, stopped))
}

/// The same for what a request turns out to cost beside what it cost to be looked at. Who is stopped is told to wait for that, too, or it
/// would be stopped for want of the one each time that it comes back.
pub(crate) async fn spend_more(
    app: &App,
    budget: Budget,
    spender: Spender,
    cost: u32,
) -> ApiResult<()> {
    let Some(cost) = NonZeroU32::new(cost) else {
        return Ok(());
    };
    let spent = app.budgets.spend(budget, spender, cost).await;
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
fn price(app: &App, request: &Request) -> Option<(Budget, NonZeroU32)> {
    const ONE: NonZeroU32 = NonZeroU32::MIN;
    let path = request.extensions().get::<MatchedPath>()?.as_str();
    // Whoever asks for the head of an answer makes the server work as for all of it.
    let method = match request.method() {
        &Method::HEAD => &Method::GET,
        method => method,
    };
    match (method, path) {
        (&Method::POST, route::TRANSFERS) => {
            // All of it lies in memory while it comes. One that does not say how long it is may be as long as any.
            let len_max = CreateRequest::len_max(app.service.limits());
            let said = extract::content_len(request.headers()).ok();
            let len = said.or_else(|| request.body().size_hint().exact());
            let texts = len.unwrap_or(len_max).min(len_max) / COUNTED_TEXT_LEN;
            let cost = ONE.saturating_add(u32::try_from(texts).unwrap_or(u32::MAX));
            Some((Budget::Create, cost))
        }
        (&Method::PUT, route::PART) => {
            // One that says no length, or a longer one than any part has, is refused unread.
            let len = extract::content_len(request.headers()).unwrap_or(0);
            let part_len = app.service.limits().part_len;
            let kib = u32::try_from(len.min(part_len).div_ceil(1024)).unwrap_or(u32::MAX);
            let cost = NonZeroU32::new(kib.max(PART_KIB_MIN)).unwrap_or(ONE);
            Some((Budget::Upload, cost))
        }
        (&Method::GET | &Method::DELETE, route::TRANSFER)
        | (&Method::GET, route::PARTS)
        | (&Method::POST, route::COMPLETE | route::UNLOCK) => Some((Budget::Owner, ONE)),
        (&Method::POST, route::PEEK | route::CLAIM | route::RENEW | route::DELIVERED)
        | (&Method::GET, route::BODY | route::STATS) => Some((Budget::Open, ONE)),
        // A token can be tried here as well as by creating something.
        (&Method::GET, route::CONFIG) => {
            let tries_one =
                app.create_tokens.is_some() && request.headers().contains_key(AUTHORIZATION);
            tries_one.then_some((Budget::Owner, ONE))
        }
        _ => None,
    }
}
