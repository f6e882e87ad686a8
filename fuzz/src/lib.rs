//! What must hold whatever strangers write: one function for each thing that is read from them. It takes any bytes, and panics where
//! they make something happen that must never happen. It draws no randomness: the same bytes always do the same.
//!
//! Each compares what the product makes of the bytes with a second, slower reading that shares no code with it, or with what the
//! bytes were made from. `tests/corpus.rs` runs all of them over `corpus/` with every `cargo test`; `cargo xtask fuzz` has libFuzzer
//! look for new inputs by the hour, from the programs in `bin/`.

mod api;
mod config;
mod digest;
mod forwarded;
mod link;
mod manifest;
mod payload;
mod range;
mod reading;
mod server;

pub use api::api;
pub use config::config;
pub use digest::digest;
pub use forwarded::forwarded;
pub use link::link;
pub use manifest::manifest;
pub use payload::payload;
pub use range::range;

/// What no answer and no fault may repeat: inputs hold it where a secret would stand.
const SECRET: &str = "hunter2";

/// One function, by the name of its folder below `corpus/` and of its program.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name.
    pub name: &'static str,
    /// The function.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: [Target; 8] = [
    of("api", api),
    of("config", config),
    of("digest", digest),
    of("forwarded", forwarded),
    of("link", link),
    of("manifest", manifest),
    of("payload", payload),
    of("range", range),
];

const fn of(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run }
}
