//! Whole transfers through the real server: by the client alone, also when processes end in the middle, and between the
//! client and the reference, which shares no code with it.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends at the first surprise"
)]

mod client;
mod content;
mod reference;
