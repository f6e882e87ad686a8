//! What every store must do, run against stores behind servers that this starts itself; never against one that runs already.
//! Stores that need no server run the same in the server's own tests.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod redis;

use std::sync::Arc;

use onetimeshare_server::blob::memory::MemoryBlobs;
use onetimeshare_server::record::memory::MemoryStore;
use onetimeshare_server::{blob, record};

#[tokio::test]
async fn both_suites_can_be_run_from_here() {
    blob::conformance::run_all(Arc::new(MemoryBlobs::default())).await;
    record::conformance::run_all(Arc::new(MemoryStore::new().unwrap())).await;
}
