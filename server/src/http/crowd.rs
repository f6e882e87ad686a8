//! How many connections there may be: in all, and from one address, so that nobody alone keeps all others out. It sees
//! addresses and never tells one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::budget::{Client, Network, Peer, Proxies};
use crate::metrics::{Level, Present};

/// Bounds of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The most at once. Further ones wait to be accepted.
    pub all: usize,
    /// The most from one address, of IPv6 one /64. Further ones are closed at once.
    pub each: usize,
}

impl Bounds {
    /// More than there are sockets.
    pub const NONE: Self = Self {
        all: Semaphore::MAX_PERMITS,
        each: usize::MAX,
    };
}

/// Those who are connected.
#[derive(Clone, Debug)]
pub struct Crowd(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    room: Arc<Semaphore>,
    each: usize,
    proxies: Proxies,
    open: Level,
    /// How many connections each has; none that has none.
    from: Mutex<HashMap<Network, usize>>,
}

/// One connection, counted until this is dropped.
#[derive(Debug)]
pub(super) struct Member {
    crowd: Crowd,
    network: Option<Network>,
    room: Option<OwnedSemaphorePermit>,
    _present: Present,
}

impl Member {
    /// Waits until there is room for it among all.
    pub(super) async fn enter(&mut self) {
        let room = Arc::clone(&self.crowd.0.room).acquire_owned().await;
        self.room = Some(room.expect("the semaphore is never closed"));
    }
}

impl Crowd {
    /// Nobody yet. Any number may come from `proxies`, which stand for many; `open` tells how many there are.
    pub fn new(bounds: Bounds, proxies: Proxies, open: Level) -> Self {
        Self(Arc::new(Inner {
            room: Arc::new(Semaphore::new(bounds.all.min(Semaphore::MAX_PERMITS))),
            each: bounds.each,
            proxies,
            open,
            from: Mutex::default(),
        }))
    }

    /// Without bounds.
    pub fn unbounded(open: Level) -> Self {
        Self::new(Bounds::NONE, Proxies::default(), open)
    }

    fn from(&self) -> MutexGuard<'_, HashMap<Network, usize>> {
        // Every change is a single assignment, so a panic elsewhere spoils nothing.
        self.0.from.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in a connection from `peer`, which is not served before it has entered; none when it has as many as it may.
    pub(super) fn admit(&self, peer: Peer) -> Option<Member> {
        let is_counted = !self.0.proxies.trust(peer.0);
        let network = is_counted.then(|| Client::new(peer.0).network());
        if let Some(network) = network {
            let mut from = self.from();
            let count = from.get(&network).copied().unwrap_or(0);
            if count >= self.0.each {
                return None;
            }
            from.insert(network, count + 1);
        }
        Some(Member {
            crowd: self.clone(),
            network,
            room: None,
            _present: self.0.open.enter(),
        })
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let Some(network) = self.network else {
            return;
        };
        let mut from = self.crowd.from();
        match from.get_mut(&network) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                from.remove(&network);
            }
        }
        // After a crowd has gone, its room is given back.
        if from.capacity() > 1024 && from.capacity() / 4 > from.len() {
            from.shrink_to_fit();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn crowd(all: usize, each: usize) -> Crowd {
        let proxy = crate::budget::client::parse_network("10.0.0.0/8");
        let proxies = Proxies::new(proxy.into_iter().collect());
        Crowd::new(Bounds { all, each }, proxies, Level::default())
    }

    fn admit(crowd: &Crowd, from: &str) -> Option<Member> {
        let mut member = crowd.admit(Peer::new(from.parse().expect("an address")))?;
        member.enter().now_or_never()?;
        Some(member)
    }

    #[test]
    fn each_address_has_its_own_count() {
        let crowd = crowd(100, 2);
        let first = admit(&crowd, "192.0.2.1").expect("the first");
        let second = admit(&crowd, "::ffff:192.0.2.1").expect("the second");
        assert!(admit(&crowd, "192.0.2.1").is_none());
        let other = admit(&crowd, "192.0.2.2").expect("another's first");
        drop(first);
        let third = admit(&crowd, "192.0.2.1").expect("there is room again");
        drop((second, third, other));
        assert!(crowd.from().is_empty());
        assert_eq!(crowd.0.room.available_permits(), 100);
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one() {
        let crowd = crowd(100, 1);
        let _first = admit(&crowd, "2001:db8::1").expect("the first");
        assert!(admit(&crowd, "2001:db8::2").is_none());
        assert!(admit(&crowd, "2001:db8:0:1::1").is_some());
    }

    #[test]
    fn proxies_stand_for_many_and_all_share_the_room() {
        let crowd = crowd(3, 1);
        let mut members: Vec<_> = (0..3).map_while(|_| admit(&crowd, "10.0.0.1")).collect();
        assert_eq!(members.len(), 3);
        assert!(admit(&crowd, "192.0.2.1").is_none(), "there is no room");
        members.pop();
        assert!(admit(&crowd, "192.0.2.1").is_some());
    }
}
