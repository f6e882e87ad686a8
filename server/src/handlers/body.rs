//! `GET /transfers/{id}/body`: the sealed bytes, whole or from where a broken download left off (RFC 9110, section 14).

use std::ops::Range;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{
    ACCEPT_RANGES, ALLOW, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, IF_RANGE, RANGE,
};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;
use onetimeshare_protocol::id::ClaimToken;

use crate::app::App;
use crate::error::ApiResult;
use crate::extract::{Bearer, PathId};
use crate::handlers::pages;
use crate::service::{Download, Invalid};

/// Looking at a body's headers is no call of its own: where a body is given once, that would have been it.
pub(crate) async fn head() -> impl IntoResponse {
    ([(ALLOW, "GET")], pages::wrong_method())
}

/// Gives the body, or the range that was asked for, to a claimant with a live lease. A body that is given once is given whole,
/// whatever was asked for.
pub(crate) async fn fetch(
    State(app): State<App>,
    PathId(id): PathId,
    Bearer(claimant): Bearer<ClaimToken>,
    headers: HeaderMap,
) -> ApiResult<Response<Body>> {
    let asked = asked_range(&headers);
    let choose = |body_len| match asked {
        Some(asked) => asked
            .within(body_len)
            .ok_or_else(|| Invalid::Range { body_len }.into()),
        None => Ok(0..body_len),
    };
    let Download {
        body_len,
        range,
        is_whole,
        bytes,
    } = app.service.body(&id, &claimant, choose).await?;
    let mut response = Response::new(Body::from_stream(bytes));
    let headers = response.headers_mut();
    let accepted = if is_whole { "none" } else { "bytes" };
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static(accepted));
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/octet-stream"),
    );
    headers.insert(CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
    if asked.is_some() && !is_whole {
        let Range { start, end } = range;
        let value = format!("bytes {start}-{}/{body_len}", end - 1);
        headers.insert(
            CONTENT_RANGE,
            HeaderValue::try_from(value).expect("digits are visible"),
        );
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    Ok(response)
}

/// One range of bytes, as a request asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// From here on.
    From(u64),
    /// From the first to the last, both included.
    Between(u64, u64),
    /// So many at the end.
    Suffix(u64),
}

impl Asked {
    /// What it means for a body of `len` bytes; none when it begins at or beyond the end.
    fn within(self, len: u64) -> Option<Range<u64>> {
        let range = match self {
            Self::From(first) => first..len,
            Self::Between(first, last) => first..last.saturating_add(1).min(len),
            Self::Suffix(count) => len.saturating_sub(count)..len,
        };
        (!range.is_empty()).then_some(range)
    }

    fn parse(text: &str) -> Option<Self> {
        let (unit, range) = text.split_once('=')?;
        let (first, last) = range.trim().split_once('-')?;
        if !unit.trim().eq_ignore_ascii_case("bytes") {
            return None;
        }
        match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => Some(Self::Between(first, last)),
            (Some(first), None) if last.is_empty() => Some(Self::From(first)),
            (None, Some(count)) if first.is_empty() => Some(Self::Suffix(count)),
            _ => None,
        }
    }
}

/// Digits only: `parse` alone would take a sign. A number beyond all lengths is as good as the largest.
fn number(text: &str) -> Option<u64> {
    let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits.then(|| text.parse().unwrap_or(u64::MAX))
}

/// The one range of the request. Several, other units and what cannot be read are ignored, as the RFC allows: the answer is
/// the whole. So is a range with a condition, for bodies have no validator that could meet it.
fn asked_range(headers: &HeaderMap) -> Option<Asked> {
    let mut values = headers.get_all(RANGE).iter();
    match (values.next(), values.next()) {
        (Some(value), None) if !headers.contains_key(IF_RANGE) => {
            Asked::parse(value.to_str().ok()?)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_single_and_of_bytes() {
        let check = |text: &str, expected| assert_eq!(Asked::parse(text), expected, "{text}");
        check("bytes=0-", Some(Asked::From(0)));
        check("Bytes=5-9", Some(Asked::Between(5, 9)));
        check("bytes=-7", Some(Asked::Suffix(7)));
        check("bytes=99999999999999999999-", Some(Asked::From(u64::MAX)));
        for ignored in [
            "bytes=",
            "bytes=-",
            "bytes=9-5",
            "bytes=0-1,3-4",
            "bytes=+1-2",
            "lines=1-2",
            "bytes 1-2",
            "bytes=1-x",
        ] {
            check(ignored, None);
        }
    }

    #[test]
    fn ranges_end_with_the_body() {
        let check = |asked: Asked, expected| assert_eq!(asked.within(10), expected, "{asked:?}");
        check(Asked::From(9), Some(9..10));
        check(Asked::From(10), None);
        check(Asked::Between(0, 0), Some(0..1));
        check(Asked::Between(3, u64::MAX), Some(3..10));
        check(Asked::Between(10, 11), None);
        check(Asked::Suffix(4), Some(6..10));
        check(Asked::Suffix(11), Some(0..10));
        check(Asked::Suffix(0), None);
    }
}
