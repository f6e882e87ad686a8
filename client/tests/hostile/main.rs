//! What the client makes of a server that breaks off, lies, or is another program altogether. Each test scripts the
//! answers, connection by connection.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends at the first surprise"
)]

mod calls;
mod opening;
mod scripted;
mod sending;
