//! JSON bodies, read within a limit. A refusal says where and what was expected; it repeats nothing that came.

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use http_body_util::{BodyExt as _, Collected, LengthLimitError, Limited};
use onetimeshare_protocol::error::ErrorCode;
use onetimeshare_protocol::limits::MANIFEST_LEN_MAX;
use onetimeshare_protocol::transfer::{ClaimRequest, CreateRequest, PeekRequest};
use serde::de::DeserializeOwned;

use crate::app::App;
use crate::error::ApiError;
use crate::service::Limits;

/// The longest request of a call that carries proofs only, in bytes.
const SHORT_LEN_MAX: u64 = 64 * 1024;

/// A request body that one of the calls takes.
pub(crate) trait JsonRequest: DeserializeOwned {
    /// The longest text of it, in bytes.
    fn len_max(_: &Limits) -> u64 {
        SHORT_LEN_MAX
    }
}

impl JsonRequest for PeekRequest {}
impl JsonRequest for ClaimRequest {}

impl JsonRequest for CreateRequest {
    fn len_max(limits: &Limits) -> u64 {
        // The manifest and the inline body stand in it as base64url.
        let bytes_max = u64::try_from(MANIFEST_LEN_MAX)
            .unwrap_or(u64::MAX)
            .saturating_add(limits.inline_max);
        bytes_max
            .div_ceil(3)
            .saturating_mul(4)
            .saturating_add(SHORT_LEN_MAX)
    }
}

/// A request body, parsed.
#[derive(Debug)]
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<T: JsonRequest> FromRequest<App> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        if !is_json(request.headers()) {
            let message = "send JSON, with `Content-Type: application/json`";
            return Err(ApiError::new(ErrorCode::MediaTypeUnsupported, message));
        }
        let len_max = T::len_max(app.service.limits());
        let bytes = read(request.into_body(), len_max).await?;
        // Serde would also read an array as the members in their order; the API has objects only.
        if bytes.trim_ascii_start().first() != Some(&b'{') {
            return Err(ApiError::new(
                ErrorCode::RequestMalformed,
                "not a JSON object: send one, with the call's members",
            ));
        }
        serde_json::from_slice(&bytes)
            .map(Self)
            .map_err(|error| ApiError::new(ErrorCode::RequestMalformed, describe(&error)))
    }
}

async fn read(body: Body, len_max: u64) -> Result<Bytes, ApiError> {
    let limit = usize::try_from(len_max).unwrap_or(usize::MAX);
    if body.size_hint().lower() > len_max {
        return Err(too_large(len_max));
    }
    let collected = Limited::new(body, limit).collect().await;
    collected.map(Collected::to_bytes).map_err(|error| {
        if error.is::<LengthLimitError>() {
            too_large(len_max)
        } else {
            ApiError::new(
                ErrorCode::RequestMalformed,
                "the request broke off before its end: send it again",
            )
        }
    })
}

fn too_large(len_max: u64) -> ApiError {
    let message =
        format!("this call takes at most {len_max} bytes: send less, and large bodies in parts");
    ApiError::new(ErrorCode::RequestTooLarge, message)
}

fn is_json(headers: &HeaderMap) -> bool {
    let essence = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

/// What is wrong with a text, in words that are all ours: serde's own repeat unknown names and values.
fn describe(error: &serde_json::Error) -> String {
    let place = format!(" at line {} column {}", error.line(), error.column());
    let text = error.to_string();
    let text = text.strip_suffix(&place).unwrap_or(&text);
    if !error.is_data() {
        return format!("not JSON{place}: check that the text is whole and nothing follows it");
    }
    // Only names of members that we know stand in these two.
    if text.starts_with("missing field `") || text.starts_with("duplicate field `") {
        return format!("{text}: send every member once");
    }
    // What follows this last word is ours; what comes before may be the client's.
    match text.rsplit_once("expected ") {
        Some((before, expected)) if before.starts_with("unknown field `") => {
            format!(
                "unknown member{place}: this call takes {}",
                expected.trim_start_matches("one of ")
            )
        }
        Some((_, expected)) => format!("wrong value{place}: expected {expected}"),
        None => format!("wrong value{place}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(json: &str) -> String {
        describe(&serde_json::from_str::<PeekRequest>(json).expect_err(json))
    }

    #[test]
    fn refusals_repeat_nothing() {
        let check = |json: &str, expected: &str| assert_eq!(refused(json), expected, "{json}");
        check("{}", "missing field `link_proof`: send every member once");
        check(
            r#"{"hunter2":1}"#,
            "unknown member at line 1 column 10: this call takes `link_proof` or `access_proof`",
        );
        check(
            r#"{"link_proof":"hunter2"}"#,
            "wrong value at line 1 column 23: expected a link proof: 43 characters of base64url",
        );
        check(
            r#"{"link_proof":7}"#,
            "wrong value at line 1 column 15: expected a link proof: 43 characters of base64url",
        );
        check(
            r#"{"link_proof"#,
            "not JSON at line 1 column 12: check that the text is whole and nothing follows it",
        );
    }
}
