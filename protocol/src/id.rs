//! The 16- and 32-byte values that name a transfer or prove a right to it. None of the secret ones can be printed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base64url;

/// A text that is not the value it stands for. It does not hold the text, which may be a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// What was expected, for a person to read.
    pub expected: &'static str,
}

impl fmt::Display for ParseError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "expected {}", self.expected)
    }
}

impl std::error::Error for ParseError {}

macro_rules! wire_bytes {
    ($(#[doc = $doc:literal])* $name:ident, $len:literal, $expected:literal) => {
        $(#[doc = $doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; $len]);

        impl $name {
            /// Length in bytes.
            pub const LEN: usize = $len;

            /// Wraps the bytes; every value of this length is one.
            pub const fn from_bytes(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }

            /// The bytes.
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }

            /// The canonical base64url text, as it stands in JSON, paths and headers.
            pub fn to_text(&self) -> String {
                base64url::encode(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = ParseError;

            fn from_str(text: &str) -> Result<Self, ParseError> {
                base64url::parse_array(text).map(Self).ok_or(ParseError { expected: $expected })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.to_text())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                base64url::deserialize_with(deserializer, $expected, |text| text.parse().ok())
            }
        }

        #[cfg(feature = "openapi")]
        $crate::openapi::schema! { $(#[doc = $doc])* $name => $crate::openapi::text_of($len) }
    };
}

macro_rules! secret_debug {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )*};
}

wire_bytes! {
    /// Names a transfer: 16 bytes that follow from its link verifier (specification, section 2). Not a secret, but logs keep
    /// only its first characters.
    TransferId, 16, "an id: 22 characters of base64url"
}

impl fmt::Debug for TransferId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: String = self.to_text().chars().take(6).collect();
        write!(formatter, "TransferId({text}…)")
    }
}

wire_bytes! {
    /// Proves that its bearer holds the link. The server keeps [`LinkVerifier`].
    LinkProof, 32, "a link proof: 43 characters of base64url"
}
wire_bytes! {
    /// Proves that its bearer holds the link and its passphrase. The server keeps [`AccessVerifier`].
    AccessProof, 32, "an access proof: 43 characters of base64url"
}
wire_bytes! {
    /// The sender's authority over a transfer. The server keeps [`OwnerVerifier`].
    OwnerToken, 32, "an owner token: 43 characters of base64url"
}
wire_bytes! {
    /// Names one claimant; made by the claimant, so that a claim can be repeated. The server keeps its verifier.
    ClaimToken, 32, "a claim token: 43 characters of base64url"
}
wire_bytes! {
    /// SHA-256 of a [`LinkProof`].
    LinkVerifier, 32, "a link verifier: 43 characters of base64url"
}
wire_bytes! {
    /// SHA-256 of an [`AccessProof`].
    AccessVerifier, 32, "an access verifier: 43 characters of base64url"
}
wire_bytes! {
    /// SHA-256 of an [`OwnerToken`].
    OwnerVerifier, 32, "an owner verifier: 43 characters of base64url"
}
wire_bytes! {
    /// SHA-256 of a [`ClaimToken`].
    ClaimVerifier, 32, "a claim verifier: 43 characters of base64url"
}

/// Lets its holder create transfers on a server that asks for one: 32 random bytes, made by `onetimeshare-server create-token`. Its
/// text begins with [`CreateToken::PREFIX`], so that scanners for leaked secrets can find it.
#[derive(Clone, PartialEq, Eq)]
pub struct CreateToken([u8; 32]);

impl CreateToken {
    /// Length in bytes.
    pub const LEN: usize = 32;

    /// What its text begins with.
    pub const PREFIX: &'static str = "ots_";

    /// Wraps the bytes; every value of this length is one.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The canonical text, as people paste it and headers carry it: the prefix and 43 characters of base64url.
    pub fn to_text(&self) -> String {
        format!("{}{}", Self::PREFIX, base64url::encode(&self.0))
    }
}

impl FromStr for CreateToken {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let bytes = text
            .strip_prefix(Self::PREFIX)
            .and_then(base64url::parse_array);
        bytes.map(Self).ok_or(ParseError {
            expected: "a create token: ots_ and 43 characters of base64url",
        })
    }
}

secret_debug!(
    LinkProof,
    AccessProof,
    OwnerToken,
    ClaimToken,
    CreateToken,
    LinkVerifier,
    AccessVerifier,
    OwnerVerifier,
    ClaimVerifier
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_canonical() {
        let id = TransferId::from_bytes([255; 16]);
        assert_eq!(id.to_text(), "_____________________w");
        assert_eq!("_____________________w".parse(), Ok(id));
        let refused = [
            "",
            "_____________________x",   // stray bits
            "_____________________w==", // padding
            "/////////////////////w",   // the other alphabet
            "____________________",     // 15 bytes
            "_______________________w", // too long
            " ____________________w",
        ];
        for text in refused {
            assert!(text.parse::<TransferId>().is_err(), "{text}");
        }
    }

    #[test]
    fn create_tokens_have_their_prefix() {
        let token = CreateToken::from_bytes([255; 32]);
        let text = token.to_text();
        assert_eq!(text, format!("ots_{}8", "_".repeat(42)));
        assert_eq!(text.parse(), Ok(token));
        let bare = text.strip_prefix("ots_").expect("its prefix");
        let refused = [
            bare.to_owned(),
            format!("OTS_{bare}"),
            format!("ots-{bare}"),
            format!("ots_{bare}A"),
            format!(" {text}"),
            format!("ots_ots_{bare}"),
            format!("ots_{}9", "_".repeat(42)), // stray bits
            "ots_".to_owned(),
        ];
        for text in refused {
            assert!(text.parse::<CreateToken>().is_err(), "{text}");
        }
    }

    #[test]
    fn secrets_do_not_print() {
        let token = OwnerToken::from_bytes([7; 32]);
        assert_eq!(format!("{token:?}"), "OwnerToken(…)");
        let token = CreateToken::from_bytes([7; 32]);
        assert_eq!(format!("{token:?}"), "CreateToken(…)");
        let error = serde_json::from_str::<OwnerToken>("\"hunter2\"")
            .unwrap_err()
            .to_string();
        assert!(!error.contains("hunter2"), "{error}");
        let id = TransferId::from_bytes([0; 16]);
        assert_eq!(format!("{id:?}"), "TransferId(AAAAAA…)");
    }
}
