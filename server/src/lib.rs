//! The onetimeshare server: stores what clients have sealed, gives each transfer to as many claimants as its sender chose,
//! and erases it. It never depends on the crypto crate: that it cannot read a transfer is a fact of its manifest.

pub mod blob;
pub mod clock;
pub mod record;
pub mod service;
pub mod sweeper;
pub mod token;
pub mod transfer;
