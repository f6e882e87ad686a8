//! Bytes as base64url without padding (RFC 4648 section 5), the one way they are written in JSON and paths.
//! It never accepts a text that would not be written again to itself.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{Error, Visitor};
use serde::{Deserializer, Serializer};

/// The canonical text of `bytes`.
pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of a canonical `text`, or `None`.
pub(crate) fn parse(text: &str) -> Option<Vec<u8>> {
    // The engine refuses padding and stray trailing bits, which is exactly "re-encodes to itself".
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// The bytes of a canonical `text` of exactly `N` bytes, or `None`.
pub(crate) fn parse_array<const N: usize>(text: &str) -> Option<[u8; N]> {
    parse(text)?.try_into().ok()
}

struct TextVisitor<F>(&'static str, F);

impl<T, F: Fn(&str) -> Option<T>> Visitor<'_> for TextVisitor<F> {
    type Value = T;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.0)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        // The text is never echoed: it may be a secret.
        self.1(text).ok_or_else(|| E::custom(format_args!("expected {}", self.0)))
    }
}

/// Deserializes a text by `parse`; the error names `expected` and never the text.
pub(crate) fn deserialize_with<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    expected: &'static str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<T, D::Error> {
    deserializer.deserialize_str(TextVisitor(expected, parse))
}

/// For `#[serde(with)]` on a `Vec<u8>`.
pub(crate) mod bytes {
    use super::{Deserializer, Serializer, deserialize_with, encode, parse};

    const EXPECTED: &str = "bytes as base64url without padding";

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&encode(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        deserialize_with(deserializer, EXPECTED, parse)
    }

    /// The same for an `Option<Vec<u8>>` whose member may be absent, but not null.
    pub(crate) mod optional {
        use super::{Deserializer, Serializer};

        #[expect(clippy::ref_option, reason = "serde hands a reference to the field")]
        pub(crate) fn serialize<S: Serializer>(
            bytes: &Option<Vec<u8>>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            match bytes {
                Some(bytes) => super::serialize(bytes, serializer),
                None => serializer.serialize_none(),
            }
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<Vec<u8>>, D::Error> {
            super::deserialize(deserializer).map(Some)
        }
    }
}
