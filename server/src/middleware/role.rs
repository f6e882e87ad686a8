//! Where a server takes only one half of the calls: whoever asks for the other half is told so, before anything else is looked at.
//! It decides by the route alone.

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use onetimeshare_protocol::error::ErrorCode;
use onetimeshare_protocol::route;
use onetimeshare_protocol::transfer::Role;

use crate::app::App;
use crate::error::ApiError;
use crate::handlers::pages;

/// Passes the request on, or says that this server does not take it.
pub(crate) async fn keep(State(app): State<App>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>();
    let is_elsewhere = path
        .and_then(|path| role_of(path.as_str()))
        .is_some_and(|role| app.role != Role::Both && app.role != role);
    if !is_elsewhere {
        return next.run(request).await;
    }
    let error = elsewhere(&app);
    if request.uri().path().starts_with(route::API) {
        return error.into_response();
    }
    pages::refuse_with(pages::only(app.role), error, request.headers())
}

/// The half that a route belongs to; none for what every server answers.
fn role_of(path: &str) -> Option<Role> {
    match path {
        route::TRANSFERS
        | route::TRANSFER
        | route::UNLOCK
        | route::PARTS
        | route::PART
        | route::COMPLETE
        | "/manage" => Some(Role::Create),
        route::PEEK | route::CLAIM | route::BODY | route::RENEW | route::DELIVERED | "/open" => {
            Some(Role::Open)
        }
        _ => None,
    }
}

fn elsewhere(app: &App) -> ApiError {
    let message = match (app.role, &app.open_url) {
        (Role::Open, _) => {
            "this server only opens transfers: create them, and look after them, at the server that its operator has for that"
                .to_owned()
        }
        (_, Some(url)) => format!("this server only creates transfers: open them at {url}"),
        (_, None) => "this server only creates transfers: open them where their links lead".to_owned(),
    };
    ApiError::new(ErrorCode::PathElsewhere, message)
}
