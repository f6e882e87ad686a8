//! What clients have spent, by network, in a table that never outgrows its bound: whoever has no room in it shares one
//! entry with all others of its region who have none, so that who fills it locks out its neighbours alone. It knows no budget and no clock.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::state::keyed::ShrinkableKeyedStateStore;

use super::client::{Network, Region};

/// What one table has room for: a hash table of 65 536 places, which would grow beyond seven eighths; 1.6 MiB.
const CAPACITY: usize = 57_344;

/// The most networks that one table tells apart. Half of its room, less one that is about to come:
/// only then are the places of what was forgotten cleared where they are, instead of in a larger table.
pub(super) const ENTRIES_MAX: usize = CAPACITY / 2 - 2;

/// The same of regions: 4096 places, 0.1 MiB.
const REGIONS_CAPACITY: usize = 3584;

/// The most regions that it tells apart, beside one entry for all others.
pub(super) const REGIONS_MAX: usize = REGIONS_CAPACITY / 2 - 2;

/// When each budget is whole again. Clones are the same table.
#[derive(Clone)]
pub(super) struct Table(Arc<Mutex<Entries>>);

struct Entries {
    networks: HashMap<Network, Nanos>,
    /// What those share for whom there is no room above.
    regions: HashMap<Region, Nanos>,
}

impl Entries {
    /// Under which region a newcomer of it counts.
    fn region(&self, region: Region) -> Region {
        if self.regions.contains_key(&region) || self.regions.len() < REGIONS_MAX {
            region
        } else {
            Region::Rest
        }
    }

    fn len(&self) -> usize {
        self.networks.len() + self.regions.len()
    }
}

/// Never the networks.
impl std::fmt::Debug for Table {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Table")
    }
}

impl Table {
    /// An empty one, of its full size: pages that hold nothing yet cost nothing, and one that grew would leave the smaller ones
    /// that it has outgrown to the allocator, which keeps them.
    pub(super) fn new() -> Self {
        let entries = Entries {
            networks: HashMap::with_capacity(CAPACITY),
            regions: HashMap::with_capacity(REGIONS_CAPACITY),
        };
        Self(Arc::new(Mutex::new(entries)))
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        // Every change is a single insertion, so a panic elsewhere spoils nothing.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether `network` has an entry of its own.
    pub(super) fn has(&self, network: &Network) -> bool {
        self.lock().networks.contains_key(network)
    }
}

impl StateStore for Table {
    type Key = Network;

    fn measure_and_replace<T, F, E>(&self, network: &Network, f: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut entries = self.lock();
        let known = entries.networks.get(network).copied();
        if known.is_some() || entries.networks.len() < ENTRIES_MAX {
            let (outcome, next) = f(known)?;
            entries.networks.insert(*network, next);
            return Ok(outcome);
        }
        let region = entries.region(network.region());
        let (outcome, next) = f(entries.regions.get(&region).copied())?;
        entries.regions.insert(region, next);
        Ok(outcome)
    }
}

impl ShrinkableKeyedStateStore<Network> for Table {
    fn retain_recent(&self, drop_below: Nanos) {
        let mut entries = self.lock();
        let is_kept = |whole_at: &mut Nanos| *whole_at > drop_below;
        entries.networks.retain(|_, whole_at| is_kept(whole_at));
        entries.regions.retain(|_, whole_at| is_kept(whole_at));
    }

    fn len(&self) -> usize {
        self.lock().len()
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waves_that_come_and_go_never_make_it_larger() {
        let table = Table::new();
        let room = |table: &Table| {
            let entries = table.lock();
            (entries.networks.capacity(), entries.regions.capacity())
        };
        let before = room(&table);
        let add = |number: u64, at: u64| {
            let add = |_| Ok::<_, ()>(((), Nanos::new(at)));
            // Each in a region of its own.
            table.measure_and_replace(&Network::V6(number << 32), add)
        };
        for wave in 0..20 {
            for number in 0..100_000 {
                add(wave * 1_000_000 + number, wave + 1).expect("it is always kept");
            }
            // The one that all who have no room share may be left of an earlier wave: then it is counted in.
            let most = ENTRIES_MAX + REGIONS_MAX;
            assert!((most..=most + 1).contains(&table.len()));
            // All but some of the last.
            let mut left = 0;
            let mut is_left = || {
                left += 1;
                left % 100 == 0
            };
            let mut entries = table.lock();
            entries.networks.retain(|_, _| is_left());
            entries.regions.retain(|_, _| is_left());
        }
        let after = room(&table);
        assert!(after.0 <= before.0 && after.1 <= before.1, "{after:?}");
    }
}
