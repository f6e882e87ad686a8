//! How many of something each client has at once, alone and together with its neighbours. It knows bounds, and not of what; it sees
//! addresses and never tells one.

use std::collections::HashMap;
use std::hash::Hash;

use super::{Client, Network, WIDER};

/// Who has how many; nothing is kept of who has none.
#[derive(Debug, Default)]
pub(crate) struct Counts(HashMap<Network, usize>);

impl Counts {
    /// Counts one more of `client`; false when it has `each`, or all of its /48 together eight times as many.
    pub(crate) fn add(&mut self, client: Client, each: usize) -> bool {
        let wide = usize::try_from(WIDER).map_or(each, |wider| each.saturating_mul(wider));
        let bounds = [each, wide];
        let networks = counted_for(client);
        let is_full = |(network, max)| self.of(network) >= max;
        if networks.clone().zip(bounds).any(is_full) {
            return false;
        }
        for network in networks {
            *self.0.entry(network).or_insert(0) += 1;
        }
        true
    }

    /// Counts one less.
    pub(crate) fn remove(&mut self, client: Client) {
        for network in counted_for(client) {
            match self.0.get_mut(&network) {
                Some(count) if *count > 1 => *count -= 1,
                _ => drop(self.0.remove(&network)),
            }
        }
        give_back(&mut self.0);
    }

    /// How many count for `network`.
    pub(crate) fn of(&self, network: Network) -> usize {
        self.0.get(&network).copied().unwrap_or(0)
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The client alone, and those that it is counted with.
fn counted_for(client: Client) -> impl Iterator<Item = Network> + Clone {
    [Some(client.network()), client.wider()]
        .into_iter()
        .flatten()
}

/// Gives back the room of a crowd that has gone.
pub(crate) fn give_back<K: Eq + Hash, V>(map: &mut HashMap<K, V>) {
    if map.capacity() > 1024 && map.capacity() / 4 > map.len() {
        map.shrink_to_fit();
    }
}
