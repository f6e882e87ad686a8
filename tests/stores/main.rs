//! What every store must do, run against stores behind servers that this starts itself, and what they must bear of those; never
//! against one that runs already. Stores that need no server run the same in the server's own tests.
#![expect(
    clippy::panic,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test ends at the first surprise"
)]

mod buckets;
mod budgets;
mod conforming;
mod damage;
mod deleting;
mod ending;
mod listing;
mod losing;
mod marks;
mod memory;
mod operating;
mod quotas;
mod reading;
mod redis;
mod starting;
mod unanswered;
mod whole;
