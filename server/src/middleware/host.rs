//! Exactly one host, and one way to say how long a body is: what two parsers could read differently is refused (RFC 9112,
//! sections 3.2 and 6.3).

use axum::extract::Request;
use axum::http::header::{HOST, TRANSFER_ENCODING};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Uri, Version};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use onetimeshare_protocol::error::ErrorCode;

use crate::error::ApiError;

/// Passes a request on, or refuses it and closes its connection.
pub(crate) async fn require_one_reading(request: Request, next: Next) -> Response {
    let error = if !has_one_host(request.version(), request.uri(), request.headers()) {
        ApiError::new(
            ErrorCode::RequestMalformed,
            "a request needs exactly one host, in `Host` or `:authority`",
        )
    } else if request.headers().contains_key(TRANSFER_ENCODING) {
        // With both framing headers hyper goes by this one and hides the other, so only refusing this one always refuses
        // both. Nothing is lost: every body here has a length that its sender knows.
        ApiError::new(
            ErrorCode::LengthRequired,
            "send the body with its `Content-Length`, not in chunks",
        )
    } else {
        return next.run(request).await;
    };
    error.closing(request.version()).into_response()
}

fn has_one_host(version: Version, uri: &Uri, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let parse = |value: &HeaderValue| value.to_str().ok()?.parse::<Authority>().ok();
    // The address may name one as well, which must be the same. Who comes before this server may go by either.
    let is_host = |host: &Authority| !host.as_str().contains('@');
    let agree = |host: &Authority| uri.authority().is_none_or(|named| named == host);
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => parse(host).is_some_and(|host| is_host(&host) && agree(&host)),
        (None, None) => version >= Version::HTTP_2 && uri.authority().is_some_and(is_host),
        _ => false,
    }
}
