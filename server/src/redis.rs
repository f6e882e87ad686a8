//! Redis: records, and what clients have spent, that several servers share. Nothing else in the server speaks to it.
//!
//! A step of a transfer's life is decided by the same code as everywhere, on what one script read, and kept by another script
//! that writes nothing unless the transfer is still what was read: so any server may take any step, and of two that decide at
//! once one decides anew. Redis tells the time.

pub mod address;
mod changes;
mod encoding;
mod inspect;
mod keys;
pub mod ledger;
mod link;
pub mod record;
mod script;

pub use self::address::Address;
pub use self::inspect::Risk;
pub use self::link::Terms;
