//! From everything that can go wrong to what a client reads: a status, a code, and a sentence that says what to do. A store's
//! own words are logged here, once, under the request's id, and never sent.

use std::borrow::Cow;

use axum::Json;
use axum::http::header::{CONNECTION, CONTENT_RANGE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode, Version};
use axum::response::{IntoResponse, Response};
use onetimeshare_protocol::error::{ErrorBody, ErrorCode, ErrorMembers};
use tracing::error;

use crate::budget::{Budget, Spent};
use crate::record::StoreError;
use crate::service::{Invalid, ServiceError, Unready};
use crate::transfer::{Exceeded, Refusal};

/// What a client may wait before it asks again, in seconds.
const RETRY_AFTER_S: HeaderValue = HeaderValue::from_static("5");

/// What an owner may wait whose tries of parts have to be cleared away, which takes minutes, in seconds.
const RETRY_PARTS_AFTER_S: HeaderValue = HeaderValue::from_static("60");

/// Which budget is spent, and when there is some of it again (draft-ietf-httpapi-ratelimit-headers-10).
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// What there is of it, and in which time.
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// An answer that is an error: the only one there is.
#[derive(Debug)]
pub(crate) struct ApiError {
    code: ErrorCode,
    message: Cow<'static, str>,
    /// Boxed, with the headers: most answers have neither, and every result of a handler has room for an error.
    more: Box<More>,
}

/// What an error carries beside its message.
#[derive(Debug, Default)]
struct More {
    members: ErrorMembers,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// What a handler comes to.
pub(crate) type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    /// An error that carries nothing else.
    pub(crate) fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into(),
            more: Box::default(),
        }
    }

    /// The call needs a token that is not there, or is not one.
    pub(crate) fn unauthorized() -> Self {
        let message = "this call needs a token: send it as `Authorization: Bearer` with 43 characters of base64url";
        Self::new(ErrorCode::RequestUnauthorized, message)
            .with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    /// Whoever wants to create a transfer holds no create token, or none that is known here.
    pub(crate) fn not_a_creator() -> Self {
        let message = "this server creates transfers for holders of its create tokens alone: send one as `Authorization: Bearer`, as whoever runs it has given it to you";
        Self::new(ErrorCode::CreateUnauthorized, message)
            .with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    /// No transfer for what the caller proved, whatever it is that does not fit.
    pub(crate) fn unknown_transfer() -> Self {
        Refusal::Unknown.into()
    }

    /// A fault of ours.
    pub(crate) fn internal() -> Self {
        Self::new(
            ErrorCode::ServerInternal,
            "the server made a mistake: try again; its log has this answer's X-Request-Id",
        )
    }

    /// A store cannot be used: the message says which.
    pub(crate) fn unready(unready: Unready) -> Self {
        let Unready { store, error } = unready;
        let message = match error {
            StoreError::Full(_) => format!("the {store} has no room left: try again later"),
            StoreError::Unfit(_) => format!(
                "the {store} answers, but cannot be used as it is: its log says more; nothing was used up, try again later"
            ),
            StoreError::Corrupt(_) => format!(
                "the {store} is not what the server began with: its log says more; nothing was used up, try again later"
            ),
            _ => format!("the server cannot reach its {store}: try again"),
        };
        Self {
            message: message.into(),
            ..error.into()
        }
    }

    /// The client has asked for more than its share.
    pub(crate) fn spent(spent: &Spent) -> Self {
        let Spent {
            budget,
            rate,
            is_of_token,
            ..
        } = spent;
        let (name, wait_s) = (budget.name(), spent.wait_s());
        let (quota, unit) = match budget {
            Budget::Upload => (u64::from(rate.count()) * 1024, ";qu=\"content-bytes\""),
            _ => (rate.count().into(), ""),
        };
        let policy = format!("\"{name}\";q={quota};w={}{unit}", rate.period_s());
        let visible =
            |text: String| HeaderValue::try_from(text).expect("words and digits are visible");
        let message = if *is_of_token {
            "too much is created with this create token: wait as many seconds as `Retry-After` says, then go on; nothing was used up"
        } else {
            "too much is asked from your network: wait as many seconds as `Retry-After` says, then go on; nothing was used up"
        };
        Self::new(ErrorCode::RateLimited, message)
            .with_header(RETRY_AFTER, HeaderValue::from(wait_s))
            .with_header(RATE_LIMIT_POLICY, visible(policy))
            .with_header(RATE_LIMIT, visible(format!("\"{name}\";r=0;t={wait_s}")))
    }

    /// A client has as many requests under way as it may.
    pub(crate) fn crowded() -> Self {
        let message = "too much is asked from your network at once: wait until some of it is answered, then go on; nothing was used up";
        Self::new(ErrorCode::RateLimited, message).with_header(RETRY_AFTER, RETRY_AFTER_S)
    }

    /// The last answer on its connection, by HTTP/1: what follows there cannot be trusted to be the request that it seems. By HTTP/2 every
    /// request has an end of its own.
    #[must_use]
    pub(crate) fn closing(self, version: Version) -> Self {
        if version >= Version::HTTP_2 {
            return self;
        }
        self.with_header(CONNECTION, HeaderValue::from_static("close"))
    }

    fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.more.headers.push((name, value));
        self
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.code.status())
            .expect("every code has a status of three digits");
        let More { members, headers } = *self.more;
        let body = ErrorBody {
            code: self.code,
            message: self.message.into_owned(),
            members,
        };
        let mut response = (status, Json(body)).into_response();
        response.headers_mut().extend(headers);
        response
    }
}

impl From<ServiceError> for ApiError {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Refused(refusal) => refusal.into(),
            ServiceError::Invalid(invalid) => invalid.into(),
            ServiceError::Store(error) => error.into(),
        }
    }
}

impl From<Invalid> for ApiError {
    fn from(invalid: Invalid) -> Self {
        let error = Self::new(invalid.code(), invalid.to_string());
        match invalid {
            Invalid::Range { body_len } => {
                let whole = HeaderValue::try_from(format!("bytes */{body_len}"))
                    .expect("digits are visible");
                error.with_header(CONTENT_RANGE, whole)
            }
            _ => error,
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            // The client stopped sending: nobody's fault here, and nobody may be left to read this.
            StoreError::Interrupted => Self::new(
                ErrorCode::RequestMalformed,
                "the request broke off before its end: send it again",
            ),
            StoreError::Full(_) => {
                error!(%error, "a store has no room");
                Self::new(
                    ErrorCode::StoreFull,
                    "the server has no room left: nothing was used up, try again later, or send less",
                )
            }
            StoreError::Unreachable(_) | StoreError::Unfit(_) | StoreError::Corrupt(_) => {
                error!(%error, "a store failed");
                Self::new(
                    ErrorCode::StoreUnreachable,
                    "the server cannot reach its store: nothing was used up, try again",
                )
                .with_header(RETRY_AFTER, RETRY_AFTER_S)
            }
        }
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        let (code, message) = sentence(&refusal);
        let is_crowded = refusal == Refusal::PartCrowded;
        let mut error = Self::new(code, message);
        error.more.members = members(refusal);
        if is_crowded {
            error.with_header(RETRY_AFTER, RETRY_PARTS_AFTER_S)
        } else {
            error
        }
    }
}

/// What a refusal is called, and what its reader can do.
const fn sentence(refusal: &Refusal) -> (ErrorCode, &'static str) {
    match refusal {
        Refusal::Unknown => (
            ErrorCode::TransferUnknown,
            "no such transfer, or not for this link or token: check that the link is whole",
        ),
        Refusal::Conflict => (
            ErrorCode::TransferConflict,
            "another transfer has this id: seal again with a new link key",
        ),
        Refusal::NoRoom => (
            ErrorCode::StoreFull,
            "the server has no room left for it: nothing was used up, try again later, or send less",
        ),
        Refusal::OverQuota(exceeded) => (ErrorCode::QuotaExceeded, over_quota(*exceeded)),
        Refusal::Denied { .. } => (
            ErrorCode::AccessDenied,
            "wrong passphrase: `attempts_left` more wrong ones lock the transfer",
        ),
        Refusal::Locked => (
            ErrorCode::TransferLocked,
            "locked after too many wrong passphrases: ask the sender to unlock it",
        ),
        Refusal::NotReady => (
            ErrorCode::TransferNotReady,
            "its upload is not complete yet: try again when the sender is done",
        ),
        Refusal::NotUploading => (
            ErrorCode::TransferNotUploading,
            "its upload is complete: it takes no more parts",
        ),
        Refusal::PartUnknown => (
            ErrorCode::PartUnknown,
            "the body has no part of this index: count from 0, in steps of `part_len`",
        ),
        Refusal::PartLength { .. } => (
            ErrorCode::PartLengthMismatch,
            "the part does not have the length of this part: send exactly its bytes",
        ),
        Refusal::PartConflict => (
            ErrorCode::PartConflict,
            "another content was accepted as this part: begin a new transfer",
        ),
        Refusal::PartLate => (
            ErrorCode::RequestTimeout,
            "the part took too long to arrive: send it again",
        ),
        Refusal::PartCrowded => (
            ErrorCode::RateLimited,
            "too many tries of its parts broke off: go on in some minutes",
        ),
        Refusal::PartsMissing(_) => (
            ErrorCode::PartMissing,
            "parts are missing: send those in `missing`, then complete again",
        ),
        Refusal::Claimed { .. } => (
            ErrorCode::TransferClaimed,
            "it was opened already: if that was not you, tell the sender",
        ),
        Refusal::LeaseEnded { .. } => (
            ErrorCode::LeaseEnded,
            "this claim has ended: its content cannot be fetched any more",
        ),
        Refusal::Gone { .. } => (
            ErrorCode::TransferGone,
            "the transfer is gone: `cause` and `at` say how; ask the sender for a new one",
        ),
    }
}

/// What can be done about a quota that has no room.
const fn over_quota(exceeded: Exceeded) -> &'static str {
    match exceeded {
        Exceeded::Count(_) => {
            "as many transfers as you may have wait to be opened, `count_max`: nothing was stored; go on when one of them is opened or has \
             expired, or delete one"
        }
        Exceeded::Len(_) => {
            "it does not fit beside what you have sent and nobody has opened, `len_max` bytes in all: nothing was stored; send less, go on \
             when some of that is opened or has expired, or delete some"
        }
    }
}

/// What a refusal tells beside its sentence.
fn members(refusal: Refusal) -> ErrorMembers {
    let mut members = ErrorMembers::default();
    match refusal {
        Refusal::Denied { attempts_left } => members.attempts_left = Some(attempts_left),
        Refusal::PartsMissing(missing) => members.missing = Some(missing),
        Refusal::OverQuota(Exceeded::Count(max)) => members.count_max = Some(max),
        Refusal::OverQuota(Exceeded::Len(max)) => members.len_max = Some(max),
        Refusal::Claimed { at } => members.at = Some(at),
        Refusal::LeaseEnded { cause, at } => {
            members.cause = Some(cause);
            members.at = Some(at);
        }
        Refusal::Gone {
            cause,
            at,
            claimed_at,
        } => {
            members.cause = Some(cause);
            members.at = Some(at);
            members.claimed_at = claimed_at;
        }
        Refusal::Unknown
        | Refusal::Conflict
        | Refusal::NoRoom
        | Refusal::Locked
        | Refusal::NotReady
        | Refusal::NotUploading
        | Refusal::PartUnknown
        | Refusal::PartLength { .. }
        | Refusal::PartConflict
        | Refusal::PartLate
        | Refusal::PartCrowded => {}
    }
    members
}
