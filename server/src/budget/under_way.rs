//! How many requests of one client may be under way at once: each holds buffers and files until its answer has gone out, however
//! slowly it is taken. It counts; it sees addresses and never tells one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Client;
use super::counts::Counts;

/// Those that are under way.
#[derive(Clone, Debug)]
pub(crate) struct UnderWay(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    max: usize,
    counts: Mutex<Counts>,
}

/// One of them, counted until this is dropped.
#[derive(Debug)]
pub(crate) struct Pending {
    under_way: UnderWay,
    client: Client,
}

impl UnderWay {
    /// At most `max` for each client, and eight times as many for all of a /48 together.
    pub(crate) fn new(max: usize) -> Self {
        Self(Arc::new(Inner {
            max,
            counts: Mutex::default(),
        }))
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        // Nothing panics in the middle of a change, so a panic elsewhere spoils nothing.
        self.0.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one more of `client`; none when it, or its neighbours together, have as many as they may.
    pub(crate) fn begin(&self, client: Client) -> Option<Pending> {
        let is_counted = self.counts().add(client, self.0.max);
        is_counted.then(|| Pending {
            under_way: self.clone(),
            client,
        })
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.under_way.counts().remove(self.client);
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
        assert!(under_way.counts().is_empty());
    }

    #[test]
    fn a_48_has_as_many_as_eight_clients() {
        let under_way = UnderWay::new(2);
        let begin = |text: &str| under_way.begin(Client::new(text.parse().expect("an address")));
        let nets = (0..50).flat_map(|net| [net, net]);
        let begun: Vec<_> = nets
            .filter_map(|net| begin(&format!("2001:db8:0:{net}::1")))
            .collect();
        assert_eq!(begun.len(), 16);
        drop(begin("2001:db8:1::1").expect("another /48"));
        drop(begun);
        drop(begin("2001:db8:0:50::1").expect("all have ended"));
        assert!(under_way.counts().is_empty());
    }
}
