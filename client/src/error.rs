//! Everything that can go wrong between a program and a transfer. Holds no secret, and no control character of a server.

use std::io;

use onetimeshare_protocol::error::{ErrorBody, ErrorCode};

/// What an operation of this crate gives back.
pub type Result<T> = std::result::Result<T, Error>;

/// Why something failed. Tells apart what the server decided, what the network did, and what the content is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server refused.
    #[error("{} ({})", .body.message, .body.code)]
    Api {
        /// The HTTP status.
        status: u16,
        /// Its code, its sentence and what else it carries.
        body: Box<ErrorBody>,
        /// Seconds after which to ask again, when it named any.
        retry_after_s: Option<u64>,
    },
    /// There was no connection: the request was not carried out.
    #[error("the server cannot be reached: {0}")]
    Unreachable(String),
    /// There is no secure connection: the server's certificate does not hold, or it speaks no TLS, or this program does not.
    #[error("there is no secure connection to the server: {0}")]
    Insecure(String),
    /// The connection broke before the whole answer was there: the request may have been carried out.
    #[error("the connection broke: {0}")]
    Cut(String),
    /// The answer is not one of this service: of something in between, or of another program altogether.
    #[error("{reason} (status {status})")]
    Protocol {
        /// The HTTP status.
        status: u16,
        /// What is wrong with it.
        reason: &'static str,
        /// Seconds after which to ask again, when it named any.
        retry_after_s: Option<u64>,
    },
    /// Link, passphrase, manifest or body do not open, or the content changed while it was sealed.
    #[error("{0}")]
    Crypto(#[from] onetimeshare_crypto::Error),
    /// The content to send cannot be read.
    #[error("the content cannot be read: {0}")]
    Source(io::Error),
    /// The content received cannot be written.
    #[error("the content cannot be written: {0}")]
    Sink(io::Error),
    /// An address, link or receipt that is none.
    #[error("{0}")]
    Address(&'static str),
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Random(io::Error),
}

impl Error {
    /// The server's code, where it was the server that refused.
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Api { body, .. } => Some(body.code),
            _ => None,
        }
    }

    /// Whether the same request may succeed later: no answer, a busy server, or one that is being restarted.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Cut(_) => true,
            Self::Api { status, .. } | Self::Protocol { status, .. } => {
                matches!(status, 408 | 429 | 500 | 502..=506 | 508..=599)
            }
            _ => false,
        }
    }

    /// Whether the server may have done what was asked although this came back.
    pub fn may_have_been_carried_out(&self) -> bool {
        match self {
            Self::Cut(_) => true,
            // 503 is the server's own word that nothing was consumed; any other of these may have come too late.
            Self::Api { status, .. } => matches!(status, 500..=502 | 504..=599),
            Self::Protocol { status, .. } => matches!(status, 200..=299 | 500..=599),
            _ => false,
        }
    }

    /// Whether the server is asked too much, and did nothing.
    pub(crate) fn is_limited(&self) -> bool {
        matches!(
            self,
            Self::Api { status: 429, .. } | Self::Protocol { status: 429, .. }
        )
    }

    /// How long the server asked to be left alone, in seconds.
    pub(crate) fn retry_after_s(&self) -> Option<u64> {
        match self {
            Self::Api { retry_after_s, .. } | Self::Protocol { retry_after_s, .. } => {
                *retry_after_s
            }
            _ => None,
        }
    }
}
