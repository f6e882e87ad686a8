//! Every error code that can cross the wire, and the body that carries it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::transfer::Cause;

macro_rules! error_codes {
    ($(#[doc = $meaning:literal] $name:ident = $code:literal, $status:literal;)*) => {
        /// What went wrong, as `noun.reason`. Codes are never renamed; `docs/api.md` lists them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $(#[doc = $meaning] #[serde(rename = $code)] $name,)*
        }

        impl ErrorCode {
            /// Every code, in the order of the list.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The code as it stands in JSON.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The HTTP status it comes with.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// What it means, in the words of `docs/api.md`.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning.trim_ascii_start(),)* }
            }
        }
    };
}

error_codes! {
    /// The request cannot be read: not JSON, unknown, missing or doubled members, a bad header or path.
    RequestMalformed = "request.malformed", 400;
    /// The call needs an owner or claim token in `Authorization: Bearer`.
    RequestUnauthorized = "request.unauthorized", 401;
    /// This server creates transfers for holders of its create tokens alone: `Authorization: Bearer` has none of them.
    CreateUnauthorized = "create.unauthorized", 401;
    /// Right link proof, wrong access proof; carries `attempts_left`.
    AccessDenied = "access.denied", 403;
    /// What its creator may hold at once has no room for one more; carries the bound, `count_max` or `len_max`. A repeat of a request that was taken is answered all the same.
    QuotaExceeded = "quota.exceeded", 403;
    /// No transfer here for what the caller proved: unknown id, wrong link proof, wrong token. All alike.
    TransferUnknown = "transfer.unknown", 404;
    /// No such path. Outside of `/api/`, who accepts `text/html` gets a page instead; likewise for 405.
    PathUnknown = "path.unknown", 404;
    /// This server takes only one half of the calls, those that create or those that open: the other half is taken elsewhere.
    PathElsewhere = "path.elsewhere", 404;
    /// The path does not take this method.
    MethodUnknown = "method.unknown", 405;
    /// The request took too long to arrive, or came more slowly than 1 KiB a second.
    RequestTimeout = "request.timeout", 408;
    /// Another create request holds this id.
    TransferConflict = "transfer.conflict", 409;
    /// It cannot be claimed before its upload is complete.
    TransferNotReady = "transfer.not_ready", 409;
    /// It takes no parts: its upload is complete.
    TransferNotUploading = "transfer.not_uploading", 409;
    /// Another content was accepted as this part.
    PartConflict = "part.conflict", 409;
    /// Parts are missing; carries `missing`, at most the first 100.
    PartMissing = "part.missing", 409;
    /// Only a tombstone is left; carries `cause`, `at` and, once opened, `claimed_at`.
    TransferGone = "transfer.gone", 410;
    /// Every open is taken, and the last claimant is still fetching; carries `at`, when that claim was made.
    TransferClaimed = "transfer.claimed", 410;
    /// This claim token's lease has ended; carries `cause` and `at`.
    LeaseEnded = "lease.ended", 410;
    /// The request has no length, where one is needed before it is read.
    LengthRequired = "request.length_required", 411;
    /// The request is larger than this call takes.
    RequestTooLarge = "request.too_large", 413;
    /// The content would be larger than this server takes.
    TransferTooLarge = "transfer.too_large", 413;
    /// The body is not sent as this call needs it.
    MediaTypeUnsupported = "request.media_type", 415;
    /// The range begins at or beyond the end of the body.
    RangeUnsatisfiable = "range.unsatisfiable", 416;
    /// A value is out of its range.
    RequestUnprocessable = "request.unprocessable", 422;
    /// The id does not follow from the link verifier.
    IdMismatch = "id.mismatch", 422;
    /// The part's bytes do not have the digest that came with them.
    PartDigestMismatch = "part.digest_mismatch", 422;
    /// The part does not have the length of this part.
    PartLengthMismatch = "part.length_mismatch", 422;
    /// The body has no part of this index.
    PartUnknown = "part.unknown", 422;
    /// Too many wrong access proofs; its owner can unlock it.
    TransferLocked = "transfer.locked", 423;
    /// Too much was asked from this address or network, or too many tries of the transfer's parts came to nothing of late. Comes with `Retry-After`.
    RateLimited = "request.rate_limited", 429;
    /// A fault of the server's own; its log says more under the request id.
    ServerInternal = "server.internal", 500;
    /// A store does not answer; nothing was consumed. Comes with `Retry-After`.
    StoreUnreachable = "store.unreachable", 503;
    /// The disk or Redis is full, or the transfer does not fit within `--storage-max`: nothing new is taken. Claims, and all that ends a transfer, go on.
    StoreFull = "store.full", 507;
}

#[cfg(feature = "openapi")]
crate::openapi::schema! {
    /// What went wrong, as `noun.reason`.
    ErrorCode => crate::openapi::one_of(ErrorCode::ALL.iter().map(|code| code.as_str()))
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The body of every answer that is an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorBody {
    /// For programs to branch on.
    pub code: ErrorCode,
    /// For people to read; says what to do.
    pub message: String,
    /// Members that belong to the code.
    #[serde(flatten)]
    pub members: ErrorMembers,
}

/// What some codes carry beside their message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorMembers {
    /// Wrong access proofs that the transfer still bears.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::openapi::AttemptsLeft, required = false))]
    pub attempts_left: Option<u32>,
    /// Why it is gone, or how the lease ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub cause: Option<Cause>,
    /// When that happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub at: Option<u64>,
    /// When it was last claimed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub claimed_at: Option<u64>,
    /// Indices of missing parts, at most the first 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub missing: Option<Vec<u64>>,
    /// How many transfers its creator, or all of its network, may hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub count_max: Option<u64>,
    /// How many bytes they may take up, with 8192 for each record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub len_max: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_noun_reason_and_stable() {
        // Clients branch on these: a change here breaks those that are out there.
        let released = [
            ("request.malformed", 400),
            ("request.unauthorized", 401),
            ("create.unauthorized", 401),
            ("access.denied", 403),
            ("quota.exceeded", 403),
            ("transfer.unknown", 404),
            ("path.unknown", 404),
            ("path.elsewhere", 404),
            ("method.unknown", 405),
            ("request.timeout", 408),
            ("transfer.conflict", 409),
            ("transfer.not_ready", 409),
            ("transfer.not_uploading", 409),
            ("part.conflict", 409),
            ("part.missing", 409),
            ("transfer.gone", 410),
            ("transfer.claimed", 410),
            ("lease.ended", 410),
            ("request.length_required", 411),
            ("request.too_large", 413),
            ("transfer.too_large", 413),
            ("request.media_type", 415),
            ("range.unsatisfiable", 416),
            ("request.unprocessable", 422),
            ("id.mismatch", 422),
            ("part.digest_mismatch", 422),
            ("part.length_mismatch", 422),
            ("part.unknown", 422),
            ("transfer.locked", 423),
            ("request.rate_limited", 429),
            ("server.internal", 500),
            ("store.unreachable", 503),
            ("store.full", 507),
        ];
        let listed: Vec<_> = ErrorCode::ALL
            .iter()
            .map(|code| (code.as_str(), code.status()))
            .collect();
        assert_eq!(listed, released);
        for code in ErrorCode::ALL {
            assert_eq!(
                serde_json::to_value(code).expect("a code is a text"),
                code.as_str()
            );
        }
    }

    #[test]
    fn docs_list_every_code_with_its_meaning() {
        let docs = include_str!("../../docs/api.md");
        let rows: Vec<_> = docs
            .lines()
            .filter(|line| line.starts_with("| 4") || line.starts_with("| 5"))
            .collect();
        let expected: Vec<_> = ErrorCode::ALL
            .iter()
            .map(|code| format!("| {} | `{code}` | {} |", code.status(), code.meaning()))
            .collect();
        assert_eq!(rows, expected);
    }

    #[test]
    fn members_stand_beside_the_message() {
        let body = ErrorBody {
            code: ErrorCode::AccessDenied,
            message: "wrong".to_owned(),
            members: ErrorMembers {
                attempts_left: Some(4),
                ..ErrorMembers::default()
            },
        };
        let json = serde_json::to_string(&body).expect("a plain struct");
        assert_eq!(
            json,
            r#"{"code":"access.denied","message":"wrong","attempts_left":4}"#
        );
    }
}
