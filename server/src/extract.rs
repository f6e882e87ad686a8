//! What handlers need of a request: ids, tokens, JSON bodies, lengths, digests. Refusals name what was expected and never
//! repeat what came, which may be a secret.

mod json;

use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use onetimeshare_protocol::error::ErrorCode;
use onetimeshare_protocol::id::TransferId;
use tracing::{Span, field};

pub(crate) use self::json::{JsonBody, JsonRequest};
use crate::app::App;
use crate::create_tokens::Grant;
use crate::error::ApiError;
use crate::transfer::Refusal;

/// RFC 9530.
const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");

/// The transfer that a path names. What cannot be an id is as unknown as one that never was.
#[derive(Debug)]
pub(crate) struct PathId(pub(crate) TransferId);

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        let params = params.map_err(|_| ApiError::unknown_transfer())?;
        let id: TransferId = param(&params, "id").ok_or_else(ApiError::unknown_transfer)?;
        // The shortened form: enough to follow one transfer through a log, too little to name it to the server.
        Span::current().record("transfer", field::debug(&id));
        Ok(Self(id))
    }
}

/// The part that a path names.
#[derive(Debug)]
pub(crate) struct PartPath {
    pub(crate) id: TransferId,
    pub(crate) index: u64,
}

impl<S: Send + Sync> FromRequestParts<S> for PartPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let PathId(id) = PathId::from_request_parts(parts, state).await?;
        let params = RawPathParams::from_request_parts(parts, state).await;
        let index = params
            .ok()
            .and_then(|params| param::<PartIndex>(&params, "index"));
        // An index that is no number names no part, like one that is too large.
        let PartIndex(index) = index.ok_or_else(|| ApiError::from(Refusal::PartUnknown))?;
        Ok(Self { id, index })
    }
}

/// An index as the API writes it: digits, without a sign or leading zeros.
struct PartIndex(u64);

impl FromStr for PartIndex {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let index: u64 = text.parse().map_err(|_| ())?;
        if index.to_string() == text {
            Ok(Self(index))
        } else {
            Err(())
        }
    }
}

fn param<T: FromStr>(params: &RawPathParams, name: &str) -> Option<T> {
    params
        .iter()
        .find(|(key, _)| *key == name)
        .and_then(|(_, text)| text.parse().ok())
}

/// The token in `Authorization: Bearer` (RFC 6750, section 2.1). One that is well formed but wrong is the store's to refuse.
#[derive(Debug)]
pub(crate) struct Bearer<T>(pub(crate) T);

impl<S: Send + Sync, T: FromStr> FromRequestParts<S> for Bearer<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        bearer(&parts.headers)
            .map(Self)
            .ok_or_else(ApiError::unauthorized)
    }
}

/// The token in `Authorization: Bearer`; none when nothing well formed stands there.
pub(crate) fn bearer<T: FromStr>(headers: &HeaderMap) -> Option<T> {
    let (scheme, token) = only(headers, &AUTHORIZATION)?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(())?;
    token.trim_start_matches(' ').parse().ok()
}

/// Who creates a transfer: the holder of a create token, or, where none is asked for, anybody. It is looked at before the body is.
#[derive(Debug)]
pub(crate) struct Creator(pub(crate) Option<Arc<Grant>>);

impl FromRequestParts<App> for Creator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let grant = parts.extensions.get::<Arc<Grant>>();
        match (&app.create_tokens, grant) {
            (None, _) => Ok(Self(None)),
            (Some(_), Some(grant)) => Ok(Self(Some(Arc::clone(grant)))),
            (Some(_), None) => Err(ApiError::not_a_creator()),
        }
    }
}

/// The same of who asks for the limits: anybody may, and whoever shows a token hears whether it is one.
#[derive(Debug)]
pub(crate) struct PossibleCreator(pub(crate) Option<Arc<Grant>>);

impl FromRequestParts<App> for PossibleCreator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        if !parts.headers.contains_key(AUTHORIZATION) {
            return Ok(Self(None));
        }
        let Creator(grant) = Creator::from_request_parts(parts, app).await?;
        Ok(Self(grant))
    }
}

/// The announced length of the body, in bytes.
pub(crate) fn content_len(headers: &HeaderMap) -> Result<u64, ApiError> {
    // Digits only (RFC 9110, section 8.6): `parse` alone would take a sign.
    let is_digits = |text: &&str| text.bytes().all(|byte| byte.is_ascii_digit());
    let len = only(headers, &CONTENT_LENGTH).filter(is_digits);
    let len = len.and_then(|text| text.parse().ok());
    let message = "send the part with its `Content-Length`";
    len.ok_or_else(|| ApiError::new(ErrorCode::LengthRequired, message))
}

/// The SHA-256 in `Content-Digest`, beside which other algorithms may stand.
pub(crate) fn content_digest(headers: &HeaderMap) -> Result<[u8; 32], ApiError> {
    let mut fields = headers
        .get_all(CONTENT_DIGEST)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let message = "send the part's SHA-256 as `Content-Digest: sha-256=:…:`, with 44 characters of base64 between the colons";
    fields
        .find_map(sha256_member)
        .ok_or_else(|| ApiError::new(ErrorCode::RequestMalformed, message))
}

/// The member `sha-256` of a dictionary of byte sequences (RFC 9651, section 3.2).
fn sha256_member(field: &str) -> Option<[u8; 32]> {
    field.split(',').find_map(|member| {
        let sequence = member.trim().strip_prefix("sha-256=:")?.strip_suffix(':')?;
        STANDARD.decode(sequence).ok()?.try_into().ok()
    })
}

/// The value of a header that stands there once and is text.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn digests_are_found_among_others() {
        let digest = STANDARD.encode([7; 32]);
        let check =
            |field: String, expected| assert_eq!(sha256_member(&field), expected, "{field}");
        check(format!("sha-256=:{digest}:"), Some([7; 32]));
        check(format!("sha-512=:AAAA:, sha-256=:{digest}:"), Some([7; 32]));
        for refused in [
            format!("sha-256={digest}"),
            format!("sha-256=:{digest}"),
            format!("sha-512=:{digest}:"),
            format!("SHA-256=:{digest}:"),
            "sha-256=:AAAA:".to_owned(),
            "sha-256=:::".to_owned(),
            String::new(),
        ] {
            check(refused, None);
        }
    }

    #[test]
    fn lengths_are_digits_and_stand_there_once() {
        let check = |values: &[&'static str], expected| {
            let values = values.iter().map(|value| HeaderValue::from_static(value));
            let headers: HeaderMap = values.map(|value| (CONTENT_LENGTH, value)).collect();
            assert_eq!(content_len(&headers).ok(), expected, "{headers:?}");
        };
        check(&["120"], Some(120));
        check(&["0"], Some(0));
        for refused in [
            "+120",
            "-1",
            "",
            " ",
            "120,120",
            "0x78",
            "18446744073709551616",
        ] {
            check(&[refused], None);
        }
        check(&["120", "120"], None);
        check(&[], None);
    }

    #[test]
    fn indices_have_one_form() {
        for (text, expected) in [
            ("0", Some(0)),
            ("12", Some(12)),
            ("01", None),
            ("+1", None),
            ("-1", None),
            ("", None),
        ] {
            assert_eq!(
                text.parse::<PartIndex>().ok().map(|index| index.0),
                expected,
                "{text}"
            );
        }
    }
}
