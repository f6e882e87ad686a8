//! `/.well-known/security.txt` (RFC 9116): whom to tell of a weakness of this instance.

use std::fmt::Write as _;

use axum::extract::State;
use axum::http::HeaderName;
use axum::http::header::CONTENT_TYPE;

use crate::app::App;
use crate::error::ApiResult;
use crate::handlers::pages;

/// So long what is told today may be relied on, in seconds: 90 days. RFC 9116 (section 2.5.5) asks for less than a year.
const TOLD_FOR_S: u64 = 90 * 24 * 3600;

/// The file, where the operator has named somebody.
pub(crate) async fn contact(
    State(app): State<App>,
) -> ApiResult<([(HeaderName, &'static str); 1], String)> {
    if app.contacts.is_empty() {
        return Err(pages::not_here());
    }
    let mut text = String::new();
    for contact in app.contacts.iter() {
        writeln!(text, "Contact: {contact}").expect("a String takes everything");
    }
    let until = app.service.day_in(TOLD_FOR_S);
    writeln!(text, "Expires: {until}T00:00:00Z").expect("a String takes everything");
    Ok(([(CONTENT_TYPE, "text/plain; charset=utf-8")], text))
}
