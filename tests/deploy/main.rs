//! What is offered to run the server with, beside the server: units of systemd, recipes for proxies, a file for compose, a chart, the
//! workflows. Each is held against the tool that reads it, as far as that runs without a network; and the list of what browsers are
//! given against a running server.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends at the first surprise"
)]

mod examples;
mod files;
mod framing;
mod life;
mod proxies;
mod python;
mod served;
mod systemd;
mod units;
