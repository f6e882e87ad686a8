//! The client against the real server: what it sends it opens again, also when connections break and processes end.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod client;
