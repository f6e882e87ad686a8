//! The API as a client sees it: every route, every refusal, through the router or a real socket. It looks at no store from
//! inside, and never sleeps where a clock can be stepped.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say where"
)]

mod authority;
mod body;
mod budgets;
mod certificates;
mod claim;
mod connections;
mod create;
mod create_tokens;
mod full;
mod logs;
mod malformed;
mod metrics;
mod once;
mod openapi;
#[cfg(feature = "otel")]
mod otel;
mod owner;
mod pages;
mod parts;
mod quotas;
mod role;
mod sample;
mod server;
mod settings;
mod start;
mod tls;
