//! What every store must do, run against stores behind servers that this starts itself; never against one that runs already.
//! Stores that need no server run the same in the server's own tests.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod redis;
