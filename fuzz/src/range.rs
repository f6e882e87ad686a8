//! `Range`: whatever it says, what comes is a piece of the body that the second reading finds too, or the whole, or nothing.

use axum::http::header::{CONTENT_LENGTH, CONTENT_RANGE, IF_RANGE, RANGE};
use axum::http::{HeaderValue, StatusCode};
use onetimeshare_protocol::error::ErrorCode;

use crate::server::{Sample, Server, post, sha256, with_token};

/// Two claimed transfers: one body lies with the record, the other in two parts.
struct Stage {
    server: Server,
    samples: [Sample; 2],
}

/// What is to come.
#[derive(Debug, PartialEq, Eq)]
enum Reading {
    Whole,
    /// From the first to the last byte, both included.
    Piece(u128, u128),
    Nothing,
}

/// Line by line the values of `Range`; one that begins with `If-Range:` is one of that.
pub fn range(bytes: &[u8]) {
    thread_local!(static STAGE: Stage = Stage::new());
    STAGE.with(|stage| {
        for sample in &stage.samples {
            check(&stage.server, sample, bytes);
        }
    });
}

impl Stage {
    fn new() -> Self {
        let server = Server::new();
        let samples = [Sample::of(1, 1056), Sample::of(2, 1120)];
        for sample in &samples {
            server.must(post("/api/v1/transfers", sample.request().to_string()));
            if sample.body.len() > 1056 {
                upload(&server, sample);
            }
            let mut claim = post(&sample.path("/claim"), sample.proofs().to_string());
            let bearer = with_token("POST", "/", &sample.token("claimant"));
            claim.headers_mut().extend(bearer.headers().clone());
            server.must(claim);
        }
        Self { server, samples }
    }
}

/// Sends both parts.
fn upload(server: &Server, sample: &Sample) {
    use base64::Engine as _;
    let owner = sample.token("owner");
    for (index, part) in sample.body.chunks(1000).enumerate() {
        let mut request = with_token("PUT", &sample.path(&format!("/parts/{index}")), &owner);
        let digest = base64::engine::general_purpose::STANDARD.encode(sha256(part));
        let digest = format!("sha-256=:{digest}:")
            .parse()
            .expect("base64 is visible");
        request
            .headers_mut()
            .insert(CONTENT_LENGTH, part.len().into());
        request.headers_mut().insert("content-digest", digest);
        *request.body_mut() = part.to_vec().into();
        server.must(request);
    }
    server.must(with_token("POST", &sample.path("/complete"), &owner));
}

fn check(server: &Server, sample: &Sample, bytes: &[u8]) {
    let mut request = with_token("GET", &sample.path("/body"), &sample.token("claimant"));
    let mut values = Vec::new();
    let mut has_condition = false;
    for line in bytes.split(|byte| *byte == b'\n').take(8) {
        let condition = line.strip_prefix(b"If-Range:");
        // What no header can hold never comes here.
        let Ok(value) = HeaderValue::from_bytes(condition.unwrap_or(line)) else {
            continue;
        };
        if condition.is_some() {
            has_condition = true;
            request.headers_mut().append(IF_RANGE, value);
        } else {
            request.headers_mut().append(RANGE, value);
            values.push(line);
        }
    }
    let expected = match values[..] {
        [value] if !has_condition => read(value, sample.body.len()),
        _ => Reading::Whole,
    };
    let answer = server.ask(request);
    let body = &sample.body;
    let content_range = answer.headers.get(CONTENT_RANGE);
    let content_range = content_range.map(|value| String::from_utf8_lossy(value.as_bytes()));
    let found = (answer.status, content_range.as_deref());
    match expected {
        Reading::Whole => {
            assert_eq!(found, (StatusCode::OK, None));
            assert!(answer.bytes == *body, "the whole is the whole");
        }
        Reading::Piece(first, last) => {
            let said = format!("bytes {first}-{last}/{}", body.len());
            assert_eq!(found, (StatusCode::PARTIAL_CONTENT, Some(said.as_str())));
            let [first, last] = [first, last].map(|at| usize::try_from(at).unwrap_or(usize::MAX));
            assert!(
                body.get(first..=last) == Some(&answer.bytes[..]),
                "another piece"
            );
        }
        Reading::Nothing => {
            assert_eq!(answer.code(), Some(ErrorCode::RangeUnsatisfiable));
            let said = format!("bytes */{}", body.len());
            assert_eq!(content_range.as_deref(), Some(said.as_str()));
        }
    }
    let len = answer.headers.get(CONTENT_LENGTH);
    let len = len.and_then(|len| len.to_str().ok()?.parse().ok());
    assert!(len.is_none_or(|len: usize| len == answer.bytes.len()));
}

/// One range of bytes, sign by sign (RFC 9110, section 14.1.2), with blanks around unit and range; what is none is passed over.
fn read(value: &[u8], len: usize) -> Reading {
    let len = u128::try_from(len).unwrap_or_default();
    let is_visible = |byte: &u8| *byte == b'\t' || (b' '..0x7f).contains(byte);
    let text: String = value.iter().copied().map(char::from).collect();
    let Some((unit, range)) = text
        .split_once('=')
        .filter(|_| value.iter().all(is_visible))
    else {
        return Reading::Whole;
    };
    let blank = [' ', '\t'];
    let bounds: Vec<&str> = range.trim_matches(blank).split('-').collect();
    let [first, last] = bounds[..] else {
        return Reading::Whole;
    };
    if unit.trim_matches(blank).to_lowercase() != "bytes" {
        return Reading::Whole;
    }
    let (from, to) = match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => (first, last.min(len - 1)),
        (Some(first), None) if last.is_empty() => (first, len - 1),
        (None, Some(count)) if first.is_empty() => {
            if count == 0 {
                return Reading::Nothing;
            }
            (len.saturating_sub(count), len - 1)
        }
        _ => return Reading::Whole,
    };
    if from < len {
        Reading::Piece(from, to)
    } else {
        Reading::Nothing
    }
}

/// Digits, however many. Beyond 64 bits all are alike, so that two of them are never the wrong way round: no body is as long.
fn number(text: &str) -> Option<u128> {
    let mut number = 0_u128;
    for letter in text.chars() {
        let digit = u128::from(letter.to_digit(10)?);
        number = (number * 10 + digit).min(u64::MAX.into());
    }
    (!text.is_empty()).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_reading_keeps_to_the_body() {
        let check =
            |text: &str, expected| assert_eq!(read(text.as_bytes(), 10), expected, "{text}");
        check("bytes=0-", Reading::Piece(0, 9));
        check("bytes=3-99999999999999999999999", Reading::Piece(3, 9));
        check("bytes=-4", Reading::Piece(6, 9));
        check("bytes=-0", Reading::Nothing);
        check("bytes=10-", Reading::Nothing);
        check("bytes=4-3", Reading::Whole);
        check("bytes=0-1,3-4", Reading::Whole);
        check("lines=0-1", Reading::Whole);
    }
}
