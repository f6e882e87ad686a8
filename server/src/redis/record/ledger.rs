//! What clients are known by, and have spent, at all servers of the same records. It touches no record.

use std::sync::Arc;

use super::RedisStore;
use crate::alias::Aliases;
use crate::redis::Address;
use crate::redis::ledger::RedisLedger;

impl RedisStore {
    /// What clients have spent at all servers that share these records, over the same connections; `address` is theirs.
    pub fn ledger(&self, address: &Address) -> Arc<RedisLedger> {
        let aliases = Aliases::of_budgets(&self.store_id, address.password().as_deref());
        Arc::new(RedisLedger::new(Arc::clone(&self.link), aliases))
    }

    /// What stands for whoever holds transfers, the same at all servers that share these records.
    pub fn aliases(&self, address: &Address) -> Aliases {
        Aliases::of_holders(&self.store_id, address.password().as_deref())
    }
}
