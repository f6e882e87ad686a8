//! What an error of the object store's library means, and what of it may stand in a log: a status, a code, the cause at the
//! bottom. Never an address, a name of an object, or an answer's text.

use std::error::Error;

use object_store::Error as LibraryError;

use crate::record::StoreError;

/// The longest code or cause that is told, in letters.
const TOLD_MAX: usize = 100;

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// There is no such object.
    Absent,
    /// There is no such bucket.
    NoBucket,
    /// These credentials are not enough, or none.
    Refused,
    /// The bucket is somewhere else.
    Elsewhere,
    /// It has no room.
    Full,
    /// The object ends before the range begins.
    Beyond,
    /// The object is there already.
    Exists,
    /// It has too much to do.
    Busy,
    /// Another answer that says no.
    Answered,
    /// No answer, or none that can be understood.
    Silent,
}

/// One failed request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    kind: Kind,
    names_object: bool,
    told: String,
}

impl Fault {
    /// What an error of the library means.
    pub(super) fn of(error: &LibraryError) -> Self {
        let text = error.to_string();
        let (status, code) = (status_in(&text), code_in(&text));
        let told = match (status, &code) {
            (Some(status), Some(code)) => format!("answered {status} {code}"),
            (Some(status), None) => format!("answered {status}"),
            (None, Some(code)) => format!("answered {code}"),
            (None, None) => cut(&bottom(error).to_string()),
        };
        let says = |words: &[&str]| {
            let code = code.as_deref().unwrap_or_default();
            words.iter().any(|word| code.contains(word))
        };
        let is_another_address = text.contains("Received redirect without LOCATION");
        let kind = match (error, status) {
            _ if says(&["NoSuchBucket", "ContainerNotFound", "InvalidBucketName"]) => {
                Kind::NoBucket
            }
            _ if says(&["Quota", "StorageFull", "InsufficientStorage"]) => Kind::Full,
            _ if is_another_address || says(&["Redirect", "AuthorizationHeaderMalformed"]) => {
                Kind::Elsewhere
            }
            _ if says(&["AccessKeyId", "SignatureDoesNotMatch", "Token"]) => Kind::Refused,
            (LibraryError::NotFound { .. }, _) => Kind::Absent,
            (LibraryError::PermissionDenied { .. } | LibraryError::Unauthenticated { .. }, _) => {
                Kind::Refused
            }
            (
                LibraryError::AlreadyExists { .. }
                | LibraryError::Precondition { .. }
                | LibraryError::NotModified { .. },
                _,
            ) => Kind::Exists,
            (_, Some(507)) => Kind::Full,
            (_, Some(416)) => Kind::Beyond,
            (_, Some(300..=399)) => Kind::Elsewhere,
            (_, Some(408 | 429 | 503)) => Kind::Busy,
            _ if says(&["SlowDown", "ServiceUnavailable", "ServerBusy"]) => Kind::Busy,
            _ if status.is_some() || code.is_some() => Kind::Answered,
            (LibraryError::NotImplemented { .. } | LibraryError::NotSupported { .. }, _) => {
                Kind::Answered
            }
            _ => Kind::Silent,
        };
        let names_object = match code.as_deref() {
            Some("NoSuchKey" | "NoSuchVersion" | "BlobNotFound") => true,
            // One object's answer within Azure's to many.
            Some("404") => status.is_none(),
            _ => false,
        };
        Self {
            kind,
            names_object,
            told,
        }
    }

    /// There is no answer, for this reason.
    pub(super) fn silent(reason: &str) -> Self {
        Self {
            kind: Kind::Silent,
            names_object: false,
            told: reason.to_owned(),
        }
    }

    /// What went wrong.
    pub(super) const fn kind(&self) -> Kind {
        self.kind
    }

    /// What of it may be told.
    pub(super) fn told(&self) -> &str {
        &self.told
    }

    /// Whether the answer says that it is the object that is not there.
    pub(super) const fn names_the_object(&self) -> bool {
        self.names_object
    }

    /// The error for callers, who asked for `step`.
    pub(super) fn into_store_error(self, step: &str) -> StoreError {
        let told = format!("{step}: {}", self.told);
        match self.kind {
            Kind::Full => StoreError::Full(told),
            _ => StoreError::Unreachable(told),
        }
    }
}

/// The status in `… status code: 503 Service Unavailable …`, as the library writes it.
fn status_in(text: &str) -> Option<u16> {
    let (_, rest) = text.split_once("status code: ")?;
    rest.get(..3)?.parse().ok()
}

/// The code in an answer's XML, or in what the library makes of one object's.
fn code_in(text: &str) -> Option<String> {
    let within = |start: &str, end: char| {
        let (_, rest) = text.split_once(start)?;
        rest.split_once(end).map(|(code, _)| code)
    };
    let code = within("<Code>", '<').or_else(|| within("(code: ", ')'))?;
    let is_code = (1..=TOLD_MAX).contains(&code.len())
        && code.chars().all(|letter| letter.is_ascii_alphanumeric());
    is_code.then(|| code.to_owned())
}

/// The error that no other one caused.
fn bottom(error: &LibraryError) -> &dyn Error {
    let mut bottom: &dyn Error = error;
    while let Some(cause) = bottom.source() {
        bottom = cause;
    }
    bottom
}

/// One line, of a length that can be read.
fn cut(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    line.chars().take(TOLD_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An answer as the library tells it, with what must not be told further.
    fn answered(status: &str, body: &str) -> LibraryError {
        let text = format!(
            "Error performing PUT http://user:hunter2@host/bucket/parts/AQEBAQ in 3ms, after 2 retries - Server returned non-2xx \
             status code: {status}: {body}"
        );
        LibraryError::Generic {
            store: "S3",
            source: text.into(),
        }
    }

    #[track_caller]
    fn check(error: &LibraryError, kind: Kind, told: &str) {
        let fault = Fault::of(error);
        assert_eq!((fault.kind(), fault.told()), (kind, told), "{error}");
    }

    #[test]
    fn answers_are_told_by_status_and_code_alone() {
        for (status, code, kind) in [
            ("500 Internal Server Error", "InternalError", Kind::Answered),
            ("503 Slow Down", "SlowDown", Kind::Busy),
            ("404 Not Found", "NoSuchBucket", Kind::NoBucket),
            ("404 Not Found", "ContainerNotFound", Kind::NoBucket),
            ("403 Forbidden", "SignatureDoesNotMatch", Kind::Refused),
            ("400 Bad Request", "ExpiredToken", Kind::Refused),
            (
                "400 Bad Request",
                "AuthorizationHeaderMalformed",
                Kind::Elsewhere,
            ),
            ("507 Insufficient Storage", "XMinioStorageFull", Kind::Full),
            ("403 Forbidden", "QuotaExceeded", Kind::Full),
            ("416 Range Not Satisfiable", "InvalidRange", Kind::Beyond),
        ] {
            let body = format!("<Error><Code>{code}</Code><Key>AQEBAQ</Key></Error>");
            let number = status.split(' ').next().unwrap();
            check(
                &answered(status, &body),
                kind,
                &format!("answered {number} {code}"),
            );
        }
    }

    #[test]
    fn codes_that_are_none_are_not_told() {
        for code in ["/bucket/AQEBAQ", "", &"a".repeat(101)] {
            let body = format!("<Error><Code>{code}</Code></Error>");
            let error = answered("500 Internal Server Error", &body);
            check(&error, Kind::Answered, "answered 500");
        }
    }

    #[test]
    fn answers_without_a_code_are_told_by_their_status() {
        check(&answered("507 Other", ""), Kind::Full, "answered 507");
        check(
            &answered("301 Moved Permanently", ""),
            Kind::Elsewhere,
            "answered 301",
        );
        check(
            &answered("429 Too Many Requests", "<html>"),
            Kind::Busy,
            "answered 429",
        );
    }

    #[test]
    fn the_cause_at_the_bottom_is_told_where_nobody_answered() {
        #[derive(Debug, thiserror::Error)]
        #[error("Error performing GET http://host/bucket/parts/AQEBAQ")]
        struct Outer(#[source] std::io::Error);
        let bottom = std::io::Error::other("connection refused\nby the next line");
        let error = LibraryError::Generic {
            store: "S3",
            source: Box::new(Outer(bottom)),
        };
        check(&error, Kind::Silent, "connection refused");
        let told = Fault::of(&error).into_store_error("reading a part");
        assert_eq!(
            told.to_string(),
            "store unreachable: reading a part: connection refused"
        );
    }

    #[test]
    fn only_an_answer_about_the_object_says_that_it_is_not_there() {
        let check = |text: &str, expected: bool| {
            let error = LibraryError::NotFound {
                path: "a".to_owned(),
                source: text.to_owned().into(),
            };
            let fault = Fault::of(&error);
            assert_eq!(fault.kind(), Kind::Absent, "{text}");
            assert_eq!(fault.names_the_object(), expected, "{text}");
        };
        check("status code: 404 Not Found: <Code>NoSuchKey</Code>", true);
        check(
            "status code: 404 Not Found: <Code>BlobNotFound</Code>",
            true,
        );
        check("request failed for key a: not there (code: 404)", true);
        check("status code: 404 Not Found: <html>", false);
        check("status code: 404 Not Found: <Code>Other</Code>", false);
        check("status code: 404 Not Found: (code: 404)", false);
    }
}
