//! The values of a request that cannot be taken, whatever the state of the transfer. They never hold the value itself.

use onetimeshare_protocol::error::ErrorCode;

/// A value that is refused, and what would be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invalid {
    /// The id does not follow from the link verifier.
    Id,
    /// The sealed manifest has none of the thirteen lengths.
    ManifestLen,
    /// `body_len` is not the length of any sealed body.
    BodyLen,
    /// The content would be larger than this server takes.
    TooLarge {
        /// The most content, in bytes.
        transfer_size_max: u64,
    },
    /// A body this small has to come with the request.
    BodyMissing {
        /// Bodies of at most so many bytes come with the request.
        inline_max: u64,
    },
    /// A body this large has to be sent in parts.
    BodyNotInline {
        /// Bodies of at most so many bytes come with the request.
        inline_max: u64,
    },
    /// The body that came is not `body_len` bytes long.
    InlineLen,
    /// The life is outside what this server allows.
    Ttl {
        /// The shortest, in seconds.
        min_s: u64,
        /// The longest, in seconds.
        max_s: u64,
    },
    /// The number of claims is outside what this server allows.
    Claims {
        /// The most.
        max: u32,
    },
    /// The part does not have the length of this part.
    PartLen {
        /// Its length, in bytes.
        expected: u64,
    },
    /// The part's bytes do not have the digest that came with them.
    PartDigest,
    /// The part did not arrive in time.
    PartTimeout,
    /// The range begins at or beyond the end of the body.
    Range {
        /// The body's length, in bytes.
        body_len: u64,
    },
}

impl Invalid {
    /// The code that goes with it.
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Id => ErrorCode::IdMismatch,
            Self::TooLarge { .. } => ErrorCode::TransferTooLarge,
            Self::PartLen { .. } => ErrorCode::PartLengthMismatch,
            Self::PartDigest => ErrorCode::PartDigestMismatch,
            Self::PartTimeout => ErrorCode::RequestTimeout,
            Self::Range { .. } => ErrorCode::RangeUnsatisfiable,
            Self::ManifestLen
            | Self::BodyLen
            | Self::BodyMissing { .. }
            | Self::BodyNotInline { .. }
            | Self::InlineLen
            | Self::Ttl { .. }
            | Self::Claims { .. } => ErrorCode::RequestUnprocessable,
        }
    }
}

impl std::fmt::Display for Invalid {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Id => formatter.write_str(
                "`id` does not follow from `link_verifier`: derive it as the specification says",
            ),
            Self::ManifestLen => formatter.write_str(
                "`manifest` must be 48 bytes longer than a power of two from 256 to 1048576",
            ),
            Self::BodyLen => {
                formatter.write_str("`body_len` is not the length of a padded, sealed body")
            }
            Self::TooLarge { transfer_size_max } => {
                write!(
                    formatter,
                    "this server takes at most {transfer_size_max} bytes of content: send less, or in several transfers"
                )
            }
            Self::BodyMissing { inline_max } => {
                write!(
                    formatter,
                    "a body of at most {inline_max} bytes has to come with the request, as `body`"
                )
            }
            Self::BodyNotInline { inline_max } => {
                write!(
                    formatter,
                    "a body of more than {inline_max} bytes has to be sent in parts: leave `body` out"
                )
            }
            Self::InlineLen => formatter.write_str("`body` is not `body_len` bytes long"),
            Self::Ttl { min_s, max_s } => {
                write!(formatter, "`ttl_s` must be from {min_s} to {max_s} seconds")
            }
            Self::Claims { max } => write!(formatter, "`claims_max` must be from 1 to {max}"),
            Self::PartLen { expected } => write!(
                formatter,
                "this part is {expected} bytes long: send exactly these"
            ),
            Self::PartDigest => {
                formatter.write_str("the bytes do not match `Content-Digest`: send the part again")
            }
            Self::PartTimeout => {
                formatter.write_str("the part did not arrive in time: send it again")
            }
            Self::Range { body_len } => write!(
                formatter,
                "the body is {body_len} bytes long: ask for a range that begins before its end"
            ),
        }
    }
}
