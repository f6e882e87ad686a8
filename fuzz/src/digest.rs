//! `Content-Digest` and `Content-Length` of a part: it is taken exactly when a second reading finds its length and its digest there.

use std::cell::RefCell;

use axum::http::HeaderValue;
use axum::http::header::CONTENT_LENGTH;
use onetimeshare_protocol::error::ErrorCode;

use crate::server::{Sample, Server, post, sha256, with_token};

/// A new server after so many transfers: each keeps what it was given.
const TRANSFERS_MAX: u32 = 256;

/// The last part of a body, which is the same for every transfer.
const PART: &str = "/parts/1";

/// A server and the number of the next transfer on it.
struct Stage {
    server: Server,
    next: u32,
}

/// Line by line the values of `Content-Digest`; one that begins with `Content-Length:` is one of that, which stands there rightly if
/// none does.
pub fn digest(bytes: &[u8]) {
    thread_local!(static STAGE: RefCell<Option<Stage>> = RefCell::default());
    STAGE.with_borrow_mut(|stage| {
        let Stage { server, next } = stage.get_or_insert_with(|| Stage {
            server: Server::new(),
            next: 0,
        });
        check(server, &Sample::of(*next, 1120), bytes);
        *next += 1;
        if *next == TRANSFERS_MAX {
            *stage = None;
        }
    });
}

fn check(server: &Server, sample: &Sample, bytes: &[u8]) {
    server.must(post("/api/v1/transfers", sample.request().to_string()));
    let part = sample.body.get(1000..).unwrap_or_default();
    let mut request = with_token("PUT", &sample.path(PART), &sample.token("owner"));
    let (mut digests, mut lens) = (Vec::new(), Vec::new());
    for line in bytes.split(|byte| *byte == b'\n').take(8) {
        let (name, line, values) = match line.strip_prefix(b"Content-Length:") {
            Some(line) => ("content-length", line, &mut lens),
            None => ("content-digest", line, &mut digests),
        };
        if let Ok(value) = HeaderValue::from_bytes(line) {
            request.headers_mut().append(name, value);
            values.push(line);
        }
    }
    if lens.is_empty() {
        request
            .headers_mut()
            .insert(CONTENT_LENGTH, part.len().into());
        lens.push(b"120");
    }
    *request.body_mut() = part.to_vec().into();
    let len = match lens[..] {
        [len] => number(len),
        _ => None,
    };
    let digest = digests.iter().find_map(|line| read(line));
    let expected = match (len, digest) {
        (None, _) => Some(ErrorCode::LengthRequired),
        (_, None) => Some(ErrorCode::RequestMalformed),
        (Some(len), _) if len != part.len() => Some(ErrorCode::PartLengthMismatch),
        (_, Some(digest)) if digest != sha256(part) => Some(ErrorCode::PartDigestMismatch),
        _ => None,
    };
    assert_eq!(server.ask(request).code(), expected);
}

/// Digits (RFC 9110, section 8.6); a number beyond all lengths is none.
fn number(text: &[u8]) -> Option<usize> {
    let is_digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let number: u64 = str::from_utf8(text)
        .ok()
        .filter(|_| is_digits)?
        .parse()
        .ok()?;
    usize::try_from(number).ok()
}

/// The first member `sha-256` of a line that holds 32 bytes, whatever stands beside it.
fn read(line: &[u8]) -> Option<[u8; 32]> {
    let is_visible = |byte: &u8| *byte == b'\t' || (b' '..0x7f).contains(byte);
    if !line.iter().all(is_visible) {
        return None;
    }
    line.split(|byte| *byte == b',').find_map(|member| {
        let member = str::from_utf8(member).ok()?.trim_matches([' ', '\t']);
        let (name, value) = member.split_once('=')?;
        let inside = value.strip_prefix(':')?.strip_suffix(':')?;
        (name == "sha-256").then(|| bits(inside))?
    })
}

/// 44 characters of base64, bit by bit: 43 of the alphabet, the last with two zero bits at its end, and one `=`.
fn bits(text: &str) -> Option<[u8; 32]> {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letters = text.strip_suffix('=')?;
    let mut bits = Vec::new();
    for letter in letters.chars() {
        let value = ALPHABET.find(letter)?;
        bits.extend((0..6).rev().map(|bit| value >> bit & 1 == 1));
    }
    let (bits, rest) = bits.split_at_checked(256)?;
    if rest != [false, false] {
        return None;
    }
    let byte = |bits: &[bool]| bits.iter().fold(0, |byte, bit| byte << 1 | u8::from(*bit));
    let bytes: Vec<u8> = bits.chunks(8).map(byte).collect();
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_reading_finds_a_digest_among_others() {
        // RFC 9530, section 2.
        let text = "RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=";
        let digest = sha256(b"{\"hello\": \"world\"}\n");
        let check = |line: String, expected| assert_eq!(read(line.as_bytes()), expected, "{line}");
        check(format!("sha-512=:AA==:,\tsha-256=:{text}: "), Some(digest));
        check(format!("sha-256={text}"), None);
        check(format!("SHA-256=:{text}:"), None);
        check(format!("sha-256=:{}:", text.replace("Dg=", "Dh=")), None);
    }
}
