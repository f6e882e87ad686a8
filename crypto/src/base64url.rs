//! `b64` of the specification: canonical base64url without padding (RFC 4648 section 5). Knows no format.

use base64ct::{Base64, Base64UrlUnpadded, Encoding};

use crate::hazmat::sha256;

/// Encodes; 4 characters for 3 bytes.
pub fn encode_base64url(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

/// Decodes; `None` for anything that would not encode back to the same text.
pub fn decode_base64url(text: &str) -> Option<Vec<u8>> {
    Base64UrlUnpadded::decode_vec(text).ok()
}

/// The value of a `Content-Digest` field (RFC 9530) for these bytes: `sha-256=:…:`, with padded standard base64.
pub fn content_digest(bytes: &[u8]) -> String {
    format!("sha-256=:{}:", Base64::encode_string(&sha256(&[bytes])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decode_takes_only_what_it_would_encode() {
        for (text, expected) in [
            ("", Some(vec![])),
            ("AA", Some(vec![0])),
            ("_-8", Some(vec![0xff, 0xef])),
            ("A", None),
            ("AB", None),
            ("AA==", None),
            ("AA=", None),
            ("/+8", None),
            ("AA ", None),
            ("AA\n", None),
            ("Ä", None),
        ] {
            assert_eq!(decode_base64url(text), expected, "{text:?}");
        }
    }

    #[test]
    fn content_digest_is_that_of_rfc_9530_section_2() {
        let body = b"{\"hello\": \"world\"}\n";
        assert_eq!(
            content_digest(body),
            "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"
        );
    }
}
