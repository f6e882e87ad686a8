//! The onetimeshare server: stores what clients have sealed, gives each transfer to as many claimants as its sender chose,
//! and erases it. It never depends on the crypto crate: that it cannot read a transfer is a fact of its manifest.

pub mod alias;
pub mod app;
pub mod assets;
pub mod blob;
pub mod budget;
pub mod check;
pub mod clock;
pub mod config;
pub mod create_tokens;
pub mod creators;
mod error;
mod extract;
mod handlers;
pub mod hashes;
pub mod healthcheck;
pub mod http;
pub mod metrics;
mod middleware;
pub mod openapi;
mod pace;
pub mod record;
pub mod redis;
pub mod renewal;
pub mod router;
pub mod service;
#[cfg(test)]
mod stage;
pub mod supervisor;
pub mod sweeper;
pub mod telemetry;
pub mod tls;
pub mod token;
pub mod transfer;
