//! What crosses the wire between a onetimeshare server and its clients: ids, requests, answers, error codes, limits, paths.
//!
//! It does no I/O and no cryptography, and depends on nothing of ours: the server, the command line and the tests all stand
//! on this one description. `docs/api.md` is the same contract in prose.

#![warn(clippy::indexing_slicing)]

mod base64url;
pub mod error;
pub mod id;
pub mod limits;
#[cfg(feature = "openapi")]
pub mod openapi;
pub mod route;
pub mod transfer;
