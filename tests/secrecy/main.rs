//! What strangers and operators can learn of transfers: from the time that answers take, by guesses, and from everything that the
//! server leaves in files, stores, logs and its own memory. Each test drives the real server as a process, and is short here and
//! long by `cargo xtask faults`; what they print are rows of docs/security.md. None knows the server's code.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends at the first surprise"
)]

mod canary;
mod guesses;
mod memory;
mod search;
mod site;
mod states;
mod subjects;
mod timing;
mod welch;
mod wire;

use onetimeshare_tests::scale;
