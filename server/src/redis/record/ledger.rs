//! The ledger of clients that servers of the same records share. It touches no record.

use std::sync::Arc;

use super::RedisStore;
use crate::redis::Address;
use crate::redis::ledger::RedisLedger;

impl RedisStore {
    /// What clients have spent at all servers that share these records, over the same connections; `address` is theirs.
    pub fn ledger(&self, address: &Address) -> Arc<RedisLedger> {
        let password = address.password();
        let ledger = RedisLedger::new(Arc::clone(&self.link), &self.seal, password.as_deref());
        Arc::new(ledger)
    }
}
