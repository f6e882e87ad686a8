//! What the OpenAPI document says of texts and numbers that a derive cannot see through, from the same constants that are
//! checked with. It knows no path and no status.

use std::ops::RangeInclusive;

use utoipa::openapi::schema::Type;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};

use crate::limits;

/// Gives a type a schema, as a component of its own whose description is the type's doc comment.
macro_rules! schema {
    ($(#[doc = $doc:literal])* $name:ident => $schema:expr) => {
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                $crate::openapi::described($schema, &[$($doc),*])
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}
pub(crate) use schema;

/// Defines types that only name what a member holds, for `#[schema(value_type)]`.
macro_rules! members {
    ($($(#[doc = $doc:literal])* $name:ident => $schema:expr;)*) => {
        $(
            $(#[doc = $doc])*
            #[derive(Debug)]
            pub struct $name;

            schema! { $(#[doc = $doc])* $name => $schema }
        )*
    };
}

members! {
    /// A sealed manifest: 48 bytes more than a power of two from 2^8 to 2^20.
    Manifest => text(limits::MANIFEST_LEN_MIN).max_length(Some(text_len(limits::MANIFEST_LEN_MAX)));
    /// A whole sealed body, of `body_len` bytes.
    Body => text(body_len_min());
    /// Length of a sealed body in bytes. Bodies are padded, and so are their lengths.
    BodyLen => number(limits::BODY_LEN_MIN..=body_len_max());
    /// A life in seconds; the server's own bounds are in `GET /config`.
    Ttl => number(1..=u64::MAX).maximum(None::<u64>);
    /// A number of claims; the server's own bound is in `GET /config`.
    ClaimsMax => number(1..=limits::CLAIMS_MAX.into());
    /// Claims that nobody has taken.
    ClaimsLeft => number(0..=limits::CLAIMS_MAX.into());
    /// Wrong access proofs that a transfer still bears; 0 means locked.
    AttemptsLeft => number(0..=limits::ATTEMPTS_MAX.into());
    /// Which part, counted from 0.
    PartIndex => number(0..=limits::PART_COUNT_MAX - 1);
}

/// A whole number within bounds.
fn number(range: RangeInclusive<u64>) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(*range.start()))
        .maximum(Some(*range.end()))
}

/// One of these texts.
pub(crate) fn one_of(texts: impl Iterator<Item = &'static str>) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(texts))
}

/// Base64url of at least `len_min` bytes.
fn text(len_min: usize) -> ObjectBuilder {
    base64url("^[A-Za-z0-9_-]+$").min_length(Some(text_len(len_min)))
}

/// Base64url of exactly `len` bytes, which are not a multiple of three: the bits that the last letter has to spare are zero.
pub(crate) fn text_of(len: usize) -> ObjectBuilder {
    let text_len = text_len(len);
    let last = if len % 3 == 1 {
        "AQgw"
    } else {
        "AEIMQUYcgkosw048"
    };
    base64url(&format!("^[A-Za-z0-9_-]{{{}}}[{last}]$", text_len - 1))
        .min_length(Some(text_len))
        .max_length(Some(text_len))
}

fn base64url(pattern: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .content_encoding("base64url")
        .pattern(Some(pattern))
}

/// Letters of base64url without padding that `len` bytes take.
const fn text_len(len: usize) -> usize {
    (len * 4).div_ceil(3)
}

fn body_len_min() -> usize {
    usize::try_from(limits::BODY_LEN_MIN).expect("the shortest body fits any memory")
}

fn body_len_max() -> u64 {
    limits::body_len(limits::CONTENT_LEN_MAX).expect("the limit itself is within it")
}

/// `schema` with a doc comment's lines as its description. Links that only Rust follows become plain words.
pub(crate) fn described(schema: ObjectBuilder, lines: &[&str]) -> RefOr<Schema> {
    let text = lines.concat().replace("[`", "`").replace("`]", "`");
    schema.description(Some(text.trim())).into()
}

#[cfg(test)]
mod tests {
    use utoipa::PartialSchema as _;

    use super::*;
    use crate::id::ClaimVerifier;

    #[test]
    fn texts_have_the_length_of_their_bytes() {
        for len in [16, 32] {
            let expected = crate::base64url::encode(&vec![255; len]).len();
            assert_eq!(text_len(len), expected, "{len}");
        }
    }

    #[test]
    fn bytes_say_their_form() {
        let expected = serde_json::json!({
            "type": "string",
            "contentEncoding": "base64url",
            "pattern": "^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$",
            "minLength": 43,
            "maxLength": 43,
            "description": "SHA-256 of a `ClaimToken`.",
        });
        let schema = serde_json::to_value(ClaimVerifier::schema()).expect("a schema is JSON");
        assert_eq!(schema, expected);
    }
}
