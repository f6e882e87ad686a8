//! What an error of the library means: for the one who called, and for the operator, who reads what was tried and what to do.
//! It never tells what was sent, what lies in Redis, or as whom the server came.

use std::error::Error;
use std::io;
use std::sync::Arc;

use redis::{ErrorKind, RedisError, ServerErrorKind};

use super::{Failure, marks};
use crate::record::StoreError;

/// What the server's user has to be allowed.
const RIGHTS: &str = "give the user of `redis-url` the keys ~onetimeshare:* and the commands +@all -@dangerous -@admin +info +config|get \
                      +bgrewriteaof";

/// Whether the connection, or the server behind it, is of no more use.
pub(super) fn is_over(error: &RedisError) -> bool {
    // Redis 6.2 wraps what stopped a script.
    let is_demoted = error
        .detail()
        .is_some_and(|detail| detail.contains("READONLY"));
    is_demoted
        || !matches!(
            error.kind(),
            ErrorKind::Server(
                ServerErrorKind::ResponseError
                    | ServerErrorKind::NoScript
                    | ServerErrorKind::NotBusy
                    | ServerErrorKind::NoPerm
            ) | ErrorKind::Extension
                | ErrorKind::UnexpectedReturnType
        )
}

/// Whether the connection was cut, and not merely silent: another may be better at once.
pub(super) fn is_cut(error: &RedisError) -> bool {
    error.is_connection_dropped() && !error.is_timeout() && !error.is_connection_refusal()
}

pub(super) fn not_written_by_us() -> StoreError {
    StoreError::Corrupt("Redis holds a value of another kind than this server's".to_owned())
}

/// What a call came to that has failed.
pub(super) fn failure(error: RedisError) -> Failure {
    if matches!(error.kind(), ErrorKind::UnexpectedReturnType) {
        return Failure::Refused(not_written_by_us());
    }
    let is_answer = matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension);
    if !is_answer {
        return if error.is_connection_refusal() {
            Failure::Refused(StoreError::Unreachable(reason(&error)))
        } else {
            Failure::Unclear(reason(&error))
        };
    }
    let says = |code: &str| says(&error, code);
    Failure::Refused(if says("STRANGER") {
        StoreError::Corrupt(
            "Redis is not the store that this server began with: it was emptied, or is another database. Bring the old one back, \
             or begin with an empty pair of stores"
                .to_owned(),
        )
    } else if says("BEHIND") {
        marks::behind()
    } else if says("OOM") {
        StoreError::Full("Redis has no memory left".to_owned())
    } else if says("WRONGTYPE") {
        not_written_by_us()
    } else if is_forbidden(&error) {
        forbidden(&error)
    } else {
        StoreError::Unreachable(reason(&error))
    })
}

fn says(error: &RedisError, code: &str) -> bool {
    error.code() == Some(code) || error.detail().is_some_and(|detail| detail.contains(code))
}

/// Whether the server's user may not do it. Redis 7 says it otherwise of a script.
fn is_forbidden(error: &RedisError) -> bool {
    says(error, "NOPERM") || says(error, "ACL failure")
}

fn forbidden(error: &RedisError) -> StoreError {
    // `… no permissions to run the 'info' command`: nothing else of it is told, since it names the user, too.
    let command = error.detail().and_then(|detail| {
        let (_, rest) = detail.split_once("run the '")?;
        let (command, _) = rest.split_once('\'')?;
        let is_plain = |letter: char| letter.is_ascii_alphabetic() || letter == '|';
        command.chars().all(is_plain).then_some(command)
    });
    let what = command.map_or_else(
        || "touch the server's keys or call what its scripts call".to_owned(),
        |command| format!("call `{command}`"),
    );
    StoreError::Unfit(format!(
        "Redis does not let this server {what} (NOPERM): {RIGHTS}"
    ))
}

/// Why there is no connection to Redis at `place`, and what to do.
pub(super) fn unconnected(error: &RedisError, place: &str) -> StoreError {
    let unfit = |text: String| StoreError::Unfit(format!("Redis at {place} {text}"));
    if is_forbidden(error) {
        return forbidden(error);
    }
    let is_unknown_password = error.kind() == ErrorKind::AuthenticationFailed
        || ["WRONGPASS", "NOAUTH"].iter().any(|code| says(error, code));
    if is_unknown_password {
        let code = if says(error, "NOAUTH") {
            "NOAUTH"
        } else {
            "WRONGPASS"
        };
        return unfit(format!(
            "does not take the user and password of `redis-url`, or asks for some ({code}): correct them, as \
             redis://user:password@host or redis://:password@host, with special characters as %40"
        ));
    }
    match error.kind() {
        ErrorKind::MasterNameNotFoundBySentinel => unfit(
            "is not known to the sentinels by the name in `redis-url`: correct it, or the sentinels' addresses".to_owned(),
        ),
        ErrorKind::Server(ServerErrorKind::BusyLoading) => StoreError::Unreachable(format!(
            "Redis at {place} still loads what it holds: try again"
        )),
        ErrorKind::Server(_) | ErrorKind::Extension => {
            unfit(format!("refuses the connection ({})", reason(error)))
        }
        _ => StoreError::Unreachable(format!(
            "Redis at {place} cannot be reached ({}): {}",
            cause(error),
            hint(error)
        )),
    }
}

/// What the system says at the bottom of an error. The library hands it out within a pointer that counts.
fn fault_of(error: &RedisError) -> Option<&io::Error> {
    type Shared = Arc<dyn Error + Send + Sync>;
    let source = error.source()?;
    let shared = source
        .downcast_ref::<Shared>()
        .and_then(|shared| shared.downcast_ref());
    shared.or_else(|| source.downcast_ref())
}

/// What is told of an error that is no answer.
fn cause(error: &RedisError) -> String {
    match fault_of(error) {
        Some(fault) if fault.kind() == io::ErrorKind::TimedOut => "no answer in time".to_owned(),
        Some(fault) => fault.to_string(),
        None => error.category().to_owned(),
    }
}

/// Where to look.
fn hint(error: &RedisError) -> &'static str {
    let Some(fault) = fault_of(error) else {
        return "check the address in `redis-url`, and whether a Redis is what answers there";
    };
    match fault.kind() {
        io::ErrorKind::ConnectionRefused => {
            "check host and port in `redis-url`, and that Redis runs and listens there"
        }
        // One without TLS waits for the end of a line, which a greeting has or has not.
        io::ErrorKind::TimedOut => {
            "check host and port in `redis-url`, and what stands between; if it has no TLS, write redis:// instead of rediss://"
        }
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            "check host and port in `redis-url`, and what stands between"
        }
        io::ErrorKind::InvalidData => {
            "it is spoken to with TLS: if it has none, write redis:// instead of rediss://; if it has, its certificate must be \
             trusted (SSL_CERT_FILE) and for this host"
        }
        io::ErrorKind::UnexpectedEof
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted => {
            "if it has TLS, write rediss:// instead of redis://, else check that it is a Redis and takes more connections"
        }
        _ => "check the host in `redis-url`, and the network",
    }
}

/// What happened, without anything that was sent or lies there.
pub(super) fn reason(error: &RedisError) -> String {
    if error.is_io_error() {
        return format!("Redis: {}", cause(error));
    }
    let code = error.code().unwrap_or_default();
    format!("Redis: {} {code}", error.category())
        .trim_end()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use redis::make_extension_error;

    use super::*;

    const PLACE: &str = "redis.internal:6379/0";

    fn unconnected_by(kind: io::ErrorKind) -> String {
        let error = RedisError::from(io::Error::new(kind, "so the system says"));
        unconnected(&error, PLACE).to_string()
    }

    #[test]
    fn what_keeps_a_connection_from_coming_about_is_told_with_what_to_do() {
        use io::ErrorKind::{ConnectionRefused, ConnectionReset, InvalidData, Other, TimedOut};
        let check = |kind, told: &str, hint: &str| {
            let sentence = unconnected_by(kind);
            for expected in [PLACE, told, hint] {
                assert!(sentence.contains(expected), "{sentence}");
            }
        };
        check(ConnectionRefused, "so the system says", "host and port");
        check(TimedOut, "no answer in time", "what stands between");
        check(InvalidData, "so the system says", "rediss://");
        check(ConnectionReset, "so the system says", "rediss://");
        check(Other, "so the system says", "check the host");
        let busy = make_extension_error("MAXED".to_owned(), Some("hunter2".to_owned()));
        let told = unconnected(&busy, PLACE).to_string();
        assert!(told.contains("refuses the connection"), "{told}");
        assert!(!told.contains("hunter2"), "{told}");
    }

    #[test]
    fn missing_rights_are_told_by_the_command_alone() {
        let check = |detail: &str, expected: &str| {
            let error = make_extension_error("NOPERM".to_owned(), Some(detail.to_owned()));
            for told in [forbidden(&error), unconnected(&error, PLACE)] {
                assert!(matches!(told, StoreError::Unfit(_)), "{told}");
                let told = told.to_string();
                assert!(told.contains(expected) && told.contains("+info"), "{told}");
                assert!(!told.contains("hunter2"), "{told}");
            }
        };
        check(
            "User hunter2 has no permissions to run the 'config|get' command",
            "call `config|get`",
        );
        check(
            "No permissions to access the 'hunter2' key",
            "touch the server's keys",
        );
        check("no permissions to run the 'hunter2' command", "touch the");
    }

    #[test]
    fn only_what_was_cut_is_worth_another_try_at_once() {
        let check = |kind: io::ErrorKind, expected: bool| {
            assert_eq!(is_cut(&io::Error::from(kind).into()), expected, "{kind:?}");
        };
        check(io::ErrorKind::BrokenPipe, true);
        check(io::ErrorKind::ConnectionReset, true);
        check(io::ErrorKind::UnexpectedEof, true);
        check(io::ErrorKind::TimedOut, false);
        check(io::ErrorKind::ConnectionRefused, false);
    }
}
