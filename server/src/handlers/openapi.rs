//! `GET /openapi.json`: the API, for programs that read such documents.

use axum::http::HeaderName;
use axum::http::header::CONTENT_TYPE;

use crate::openapi::DOCUMENT;

/// The document.
pub(crate) async fn document() -> ([(HeaderName, &'static str); 1], &'static str) {
    ([(CONTENT_TYPE, "application/json")], DOCUMENT.as_str())
}
