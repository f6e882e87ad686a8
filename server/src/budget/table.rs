//! What clients have spent, by network, in a table that never outgrows its bound: whoever has no room in it shares one
//! entry with all others who have none. It knows no budget and no clock.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::state::keyed::ShrinkableKeyedStateStore;

use super::client::Network;

/// What one table has room for: a hash table of 65 536 places, which would grow beyond seven eighths; 1.6 MiB.
const CAPACITY: usize = 57_344;

/// The most networks that one table tells apart, beside one entry for all others. Half of its room, less one that is about to come:
/// only then are the places of what was forgotten cleared where they are, instead of in a larger table.
pub(super) const ENTRIES_MAX: usize = CAPACITY / 2 - 2;

/// When each network's budget is whole again. Clones are the same table.
#[derive(Clone, Debug)]
pub(super) struct Table(Arc<Mutex<HashMap<Network, Nanos>>>);

impl Table {
    /// An empty one, of its full size: pages that hold nothing yet cost nothing, and one that grew would leave the smaller ones
    /// that it has outgrown to the allocator, which keeps them.
    pub(super) fn new() -> Self {
        let entries = HashMap::with_capacity(CAPACITY);
        Self(Arc::new(Mutex::new(entries)))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Network, Nanos>> {
        // Every change is a single insertion, so a panic elsewhere spoils nothing.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether `network` has an entry of its own.
    pub(super) fn has(&self, network: &Network) -> bool {
        self.lock().contains_key(network)
    }
}

impl StateStore for Table {
    type Key = Network;

    fn measure_and_replace<T, F, E>(&self, network: &Network, f: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut entries = self.lock();
        let known = entries.get(network).copied();
        let (network, known) = if known.is_none() && entries.len() >= ENTRIES_MAX {
            (Network::Rest, entries.get(&Network::Rest).copied())
        } else {
            (*network, known)
        };
        let (outcome, next) = f(known)?;
        entries.insert(network, next);
        Ok(outcome)
    }
}

impl ShrinkableKeyedStateStore<Network> for Table {
    fn retain_recent(&self, drop_below: Nanos) {
        self.lock().retain(|_, whole_at| *whole_at > drop_below);
    }

    fn len(&self) -> usize {
        self.lock().len()
    }

    fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waves_that_come_and_go_never_make_it_larger() {
        let table = Table::new();
        let room = table.lock().capacity();
        let add = |number: u64, at: u64| {
            let add = |_| Ok::<_, ()>(((), Nanos::new(at)));
            table.measure_and_replace(&Network::V6(number), add)
        };
        for wave in 0..20 {
            for number in 0..100_000 {
                add(wave * 1_000_000 + number, wave + 1).expect("it is always kept");
            }
            // The one that all who have no room share may be left of an earlier wave: then it is counted in.
            assert!((ENTRIES_MAX..=ENTRIES_MAX + 1).contains(&table.len()));
            // All but some of the last.
            let mut left = 0;
            table.lock().retain(|_, _| {
                left += 1;
                left % 100 == 0
            });
        }
        assert!(table.lock().capacity() <= room);
    }
}
