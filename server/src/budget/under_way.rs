//! How many requests of one client may be under way at once: each holds buffers and files until its answer has gone out, however
//! slowly it is taken. It counts; it sees addresses and never tells one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Client, Network};

/// Those that are under way.
#[derive(Clone, Debug)]
pub(crate) struct UnderWay(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    max: usize,
    /// How many each client has; none that has none.
    of: Mutex<HashMap<Network, usize>>,
}

/// One of them, counted until this is dropped.
#[derive(Debug)]
pub(crate) struct Pending {
    under_way: UnderWay,
    network: Network,
}

impl UnderWay {
    /// At most `max` for each client.
    pub(crate) fn new(max: usize) -> Self {
        Self(Arc::new(Inner {
            max,
            of: Mutex::default(),
        }))
    }

    fn of(&self) -> MutexGuard<'_, HashMap<Network, usize>> {
        // Every change is a single assignment, so a panic elsewhere spoils nothing.
        self.0.of.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one more of `client`; none when it has as many as it may.
    pub(crate) fn begin(&self, client: Client) -> Option<Pending> {
        let network = client.network();
        let mut of = self.of();
        let count = of.entry(network).or_insert(0);
        if *count >= self.0.max {
            return None;
        }
        *count += 1;
        Some(Pending {
            under_way: self.clone(),
            network,
        })
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let mut of = self.under_way.of();
        match of.get_mut(&self.network) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(of.remove(&self.network)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_has_so_many_and_nothing_is_kept_of_who_has_none() {
        let under_way = UnderWay::new(2);
        let [one, other] =
            ["192.0.2.1", "2001:db8::1"].map(|text| Client::new(text.parse().expect("an address")));
        let first = under_way.begin(one).expect("the first");
        let second = under_way.begin(one).expect("the second");
        assert!(under_way.begin(one).is_none());
        drop(under_way.begin(other).expect("somebody else"));
        drop(first);
        let third = under_way.begin(one).expect("one has ended");
        drop((second, third));
        assert!(under_way.of().is_empty());
    }
}
