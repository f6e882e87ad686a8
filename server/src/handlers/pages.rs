//! The web pages, what they load, and everything that is not there.

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Response, Uri};
use axum::response::IntoResponse as _;
use onetimeshare_protocol::error::ErrorCode;
use onetimeshare_protocol::route;
use onetimeshare_protocol::transfer::Role;

use crate::app::App;
use crate::assets;
use crate::error::{ApiError, ApiResult};

/// The page that sends; where nothing is created, one that says so.
pub(crate) async fn send(State(app): State<App>, headers: HeaderMap) -> ApiResult<Response<Body>> {
    let page = match app.role {
        Role::Open => only(app.role),
        Role::Both | Role::Create => "index.html",
    };
    assets::page(page, &headers).ok_or_else(not_here)
}

/// The page that says what a server of one role is not for.
pub(crate) const fn only(role: Role) -> &'static str {
    match role {
        Role::Create => assets::ONLY_CREATES,
        Role::Open | Role::Both => assets::ONLY_OPENS,
    }
}

/// The page that opens a link.
pub(crate) async fn open(headers: HeaderMap) -> ApiResult<Response<Body>> {
    assets::page("open.html", &headers).ok_or_else(not_here)
}

/// The page that shows a receipt.
pub(crate) async fn manage(headers: HeaderMap) -> ApiResult<Response<Body>> {
    assets::page("manage.html", &headers).ok_or_else(not_here)
}

/// What browsers install the pages by.
pub(crate) async fn web_manifest(headers: HeaderMap) -> ApiResult<Response<Body>> {
    assets::revalidated("manifest.webmanifest", &headers).ok_or_else(not_here)
}

/// The icon that browsers ask for without being told of it.
pub(crate) async fn favicon(headers: HeaderMap) -> ApiResult<Response<Body>> {
    assets::revalidated("favicon.ico", &headers).ok_or_else(not_here)
}

/// The service worker, at its fixed address.
pub(crate) async fn service_worker(headers: HeaderMap) -> ApiResult<Response<Body>> {
    assets::revalidated("sw.js", &headers).ok_or_else(not_here)
}

/// A file below the folder's hash.
pub(crate) async fn asset(
    path: Result<Path<(String, String)>, PathRejection>,
    headers: HeaderMap,
) -> Response<Body> {
    let asset = path
        .ok()
        .and_then(|Path((hash, name))| assets::file(&hash, &name, &headers));
    asset.unwrap_or_else(|| refuse(not_here(), &headers))
}

/// No such path.
pub(crate) async fn unknown(uri: Uri, headers: HeaderMap) -> Response<Body> {
    refuse_at(&uri, not_here(), &headers)
}

/// The path takes other methods; axum adds which.
pub(crate) async fn method_unknown(uri: Uri, headers: HeaderMap) -> Response<Body> {
    refuse_at(&uri, wrong_method(), &headers)
}

/// The path takes other methods than this.
pub(crate) fn wrong_method() -> ApiError {
    ApiError::new(
        ErrorCode::MethodUnknown,
        "this path does not take this method: see `Allow` for those it takes",
    )
}

/// There is nothing at this address.
pub(crate) fn not_here() -> ApiError {
    ApiError::new(
        ErrorCode::PathUnknown,
        "there is nothing at this address: check it, or begin at the front page",
    )
}

/// The API speaks JSON to everybody.
fn refuse_at(uri: &Uri, error: ApiError, headers: &HeaderMap) -> Response<Body> {
    if uri.path().starts_with(route::API) {
        return error.into_response();
    }
    refuse(error, headers)
}

fn refuse(error: ApiError, headers: &HeaderMap) -> Response<Body> {
    refuse_with(assets::UNKNOWN, error, headers)
}

/// Refuses with this page, which a person can read, or, to every other client, with the error as it is.
pub(crate) fn refuse_with(
    page: &'static str,
    error: ApiError,
    headers: &HeaderMap,
) -> Response<Body> {
    let page = assets::wants_page(headers)
        .then(|| assets::page(page, headers))
        .flatten();
    let refusal = error.into_response();
    match page {
        Some(mut page) => {
            *page.status_mut() = refusal.status();
            page
        }
        None => refusal,
    }
}
