//! How many connections there may be: in all, and from one network, so that nobody alone keeps all others out. Where all are taken, one
//! of whoever has the most makes room. Trusted proxies never have all. It sees addresses and never tells one.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::activity::Activity;
use crate::budget::counts::{Counts, give_back};
use crate::budget::{Client, Network, Peer, Proxies};
use crate::metrics::{Connections, NoPlace, Present};

/// How many connections of whoever has the most are looked at for one that can go.
const LOOKED_AT_MAX: usize = 64;

/// One of so many connections is not for trusted proxies: however many they bring, a probe for health from elsewhere comes in.
const APART_OF: usize = 16;

/// Bounds of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The most at once.
    pub all: usize,
    /// The most from one address, of IPv6 one /64, and eight times as many from a /48. Further ones are closed at once.
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
    /// What of it trusted proxies may have.
    proxied: Arc<Semaphore>,
    each: usize,
    proxies: Proxies,
    measured: Connections,
    seats: Mutex<Seats>,
}

/// Who has which connections. Trusted proxies are not in it.
#[derive(Debug, Default)]
struct Seats {
    next: u64,
    /// How many each has, with those that have not entered yet.
    counts: Counts,
    /// Those that have entered, by who shares them: an address, or a /48.
    shares: HashMap<Network, BTreeMap<u64, Seat>>,
    /// The same shares by how many they hold.
    by_len: BTreeSet<(usize, Network)>,
}

/// A connection that has entered.
#[derive(Debug)]
struct Seat {
    network: Network,
    activity: Activity,
    leave: CancellationToken,
}

/// One connection, counted until this is dropped.
#[derive(Debug)]
pub(super) struct Member {
    crowd: Crowd,
    /// None for a trusted proxy.
    client: Option<Client>,
    seat: Option<u64>,
    leave: CancellationToken,
    room: Option<OwnedSemaphorePermit>,
    proxied: Option<OwnedSemaphorePermit>,
    _present: Present,
}

impl Member {
    /// Waits until there is room for it among all. False when there is none, and who it is from has its share. A proxy's never waits for
    /// another proxy's: they may last long, and all others wait behind it.
    pub(super) async fn enter(&mut self, activity: &Activity) -> bool {
        if self.client.is_none() {
            self.proxied = Arc::clone(&self.crowd.0.proxied).try_acquire_owned().ok();
            if self.proxied.is_none() {
                self.crowd.0.measured.refused(NoPlace::Proxies);
                return false;
            }
        }
        let room = &self.crowd.0.room;
        let entered = Arc::clone(room).try_acquire_owned();
        self.room = if let Ok(room) = entered {
            Some(room)
        } else {
            let share = self.client.map(share_of);
            if !self.crowd.seats().make_room(share) {
                self.crowd.0.measured.refused(NoPlace::Full);
                return false;
            }
            let room = Arc::clone(room).acquire_owned().await;
            Some(room.expect("the semaphore is never closed"))
        };
        if let Some(client) = self.client {
            let seat = Seat {
                network: client.network(),
                activity: activity.clone(),
                leave: self.leave.clone(),
            };
            self.seat = Some(self.crowd.seats().seat(share_of(client), seat));
        }
        true
    }

    /// Tells when it has to go, because somebody who has less needs its place.
    pub(super) fn leave(&self) -> CancellationToken {
        self.leave.clone()
    }
}

impl Crowd {
    /// Nobody yet. From each of `proxies`, which stand for many, may come as many as all of them may have.
    pub fn new(bounds: Bounds, proxies: Proxies, measured: Connections) -> Self {
        let all = bounds.all.min(Semaphore::MAX_PERMITS);
        // Where there is but one, it is for whoever comes.
        let apart = all.div_ceil(APART_OF).min(all.saturating_sub(1));
        Self(Arc::new(Inner {
            room: Arc::new(Semaphore::new(all)),
            proxied: Arc::new(Semaphore::new(all - apart)),
            each: bounds.each,
            proxies,
            measured,
            seats: Mutex::default(),
        }))
    }

    /// Without bounds.
    pub fn unbounded(measured: Connections) -> Self {
        Self::new(Bounds::NONE, Proxies::default(), measured)
    }

    fn seats(&self) -> MutexGuard<'_, Seats> {
        // Nothing panics in the middle of a change, so a panic elsewhere spoils nothing.
        self.0.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in a connection from `peer`, which is not served before it has entered; none when it has as many as it may.
    pub(super) fn admit(&self, peer: Peer) -> Option<Member> {
        let is_counted = !self.0.proxies.trust(peer.0);
        let client = is_counted.then(|| Client::new(peer.0));
        if client.is_some_and(|client| !self.seats().counts.add(client, self.0.each)) {
            self.0.measured.refused(NoPlace::Each);
            return None;
        }
        Some(Member {
            crowd: self.clone(),
            client,
            seat: None,
            leave: CancellationToken::new(),
            room: None,
            proxied: None,
            _present: self.0.measured.enter(),
        })
    }
}

/// Whom a connection counts for where all are taken: a /48 counts as a whole, or one customer would be thousands.
fn share_of(client: Client) -> Network {
    client.wider().unwrap_or_else(|| client.network())
}

impl Seats {
    fn seat(&mut self, share: Network, seat: Seat) -> u64 {
        let number = self.next;
        self.next += 1;
        let seats = self.shares.entry(share).or_default();
        self.by_len.remove(&(seats.len(), share));
        seats.insert(number, seat);
        self.by_len.insert((seats.len(), share));
        number
    }

    /// Takes a seat away, if it still is one.
    fn unseat(&mut self, share: Network, number: u64) -> Option<Seat> {
        let seats = self.shares.get_mut(&share)?;
        let len = seats.len();
        let seat = seats.remove(&number)?;
        self.by_len.remove(&(len, share));
        if seats.is_empty() {
            self.shares.remove(&share);
            give_back(&mut self.shares);
        } else {
            self.by_len.insert((len - 1, share));
        }
        Some(seat)
    }

    /// Makes one connection of whoever has the most leave for one of `share`. It need not: one of those who have few may wait until some
    /// connection ends by itself. False when `share` has as many as anybody, and would only keep others waiting.
    fn make_room(&mut self, share: Option<Network>) -> bool {
        let own = share
            .and_then(|share| self.shares.get(&share))
            .map_or(0, BTreeMap::len);
        let Some(&(most, largest)) = self.by_len.last() else {
            return true;
        };
        let Some((number, is_idle)) = self.least_missed(largest) else {
            return true;
        };
        // Whoever has nothing under way misses nothing. Else the places are shared evenly, one by one.
        if is_idle || most > own + 1 {
            if let Some(seat) = self.unseat(largest, number) {
                seat.leave.cancel();
            }
            return true;
        }
        own == 0
    }

    /// The connection of a share that can go first, and whether it has nothing under way: of the neighbour who has the most, idle, old.
    fn least_missed(&self, share: Network) -> Option<(u64, bool)> {
        let seats = self.shares.get(&share)?.iter().take(LOOKED_AT_MAX);
        let rated = seats.map(|(&number, seat)| {
            let of_network = self.counts.of(seat.network);
            (of_network, seat.activity.is_idle(), Reverse(number))
        });
        rated
            .max()
            .map(|(_, is_idle, Reverse(number))| (number, is_idle))
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let Some(client) = self.client else {
            return;
        };
        if self.leave.is_cancelled() {
            self.crowd.0.measured.refused(NoPlace::Displaced);
        }
        let mut seats = self.crowd.seats();
        if let Some(number) = self.seat {
            seats.unseat(share_of(client), number);
        }
        seats.counts.remove(client);
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::body::Body;
    use axum::extract::Request;
    use axum::response::Response;
    use futures_util::FutureExt as _;

    use super::*;

    fn crowd(all: usize, each: usize) -> Crowd {
        let proxy = crate::budget::client::parse_network("10.0.0.0/8");
        let proxies = Proxies::new(proxy.into_iter().collect());
        Crowd::new(Bounds { all, each }, proxies, Connections::default())
    }

    /// One that has entered, with nothing under way; none when it was refused or has to wait.
    fn admit(crowd: &Crowd, from: &str) -> Option<Member> {
        enter(crowd, from, &Activity::new()).ok()
    }

    /// The same with something under way, until what comes with it is dropped.
    fn admit_busy(crowd: &Crowd, from: &str) -> Option<(Member, Body)> {
        let activity = Activity::new();
        let answer = async |_| Ok::<_, Infallible>(Response::new(Body::from("abc")));
        let watched = activity.clone().watch(Request::default(), answer);
        let Ok(response) = watched.now_or_never().expect("it waits for nothing");
        let member = enter(crowd, from, &activity).ok()?;
        Some((member, response.into_body()))
    }

    /// What becomes of a connection that does not enter at once.
    #[derive(Debug, PartialEq, Eq)]
    enum Outside {
        Refused,
        Waiting,
    }

    fn enter(crowd: &Crowd, from: &str, activity: &Activity) -> Result<Member, Outside> {
        let member = crowd.admit(Peer::new(from.parse().expect("an address")));
        let mut member = member.ok_or(Outside::Refused)?;
        match member.enter(activity).now_or_never() {
            Some(true) => Ok(member),
            Some(false) => Err(Outside::Refused),
            None => Err(Outside::Waiting),
        }
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
        let seats = crowd.seats();
        assert!(seats.counts.is_empty() && seats.shares.is_empty() && seats.by_len.is_empty());
        assert_eq!(crowd.0.room.available_permits(), 100);
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_and_a_wider_one_as_eight() {
        let crowd = crowd(100, 1);
        let _first = admit(&crowd, "2001:db8::1").expect("the first");
        assert!(admit(&crowd, "2001:db8::2").is_none());
        let more = (1..20).map_while(|net| admit(&crowd, &format!("2001:db8:0:{net}::1")));
        let more: Vec<_> = more.collect();
        assert_eq!(more.len(), 7);
        assert!(admit(&crowd, "2001:db8:1:1::1").is_some());
    }

    #[test]
    fn proxies_stand_for_many_and_never_have_all() {
        for (all, expected) in [(1, 1), (2, 1), (16, 15), (17, 15), (4096, 3840)] {
            let crowd = crowd(all, 1);
            let proxy = |of: usize| admit_busy(&crowd, &format!("10.0.0.{}", of % 8));
            let mut members: Vec<_> = (0..all).map_while(proxy).collect();
            assert_eq!(members.len(), expected, "{all}");
            // Nobody waits behind one more.
            let activity = Activity::new();
            let more = enter(&crowd, "10.0.0.1", &activity).err();
            assert_eq!(more, Some(Outside::Refused), "{all}");
            let probe = enter(&crowd, "192.0.2.1", &activity);
            assert_eq!(probe.is_ok(), all > 1, "{all}");
            drop(probe);
            members.pop();
            assert!(admit(&crowd, "10.0.0.1").is_some(), "{all}");
        }
    }

    #[test]
    fn proxies_share_the_room_with_all_others() {
        let crowd = crowd(3, 3);
        let others = ["192.0.2.1", "192.0.2.2"].map(|from| admit_busy(&crowd, from));
        let proxy = admit(&crowd, "10.0.0.1").expect("there is room for one");
        let activity = Activity::new();
        let more = enter(&crowd, "10.0.0.1", &activity).err();
        assert_eq!(more, Some(Outside::Waiting), "until one ends");
        drop(others);
        assert!(admit(&crowd, "10.0.0.1").is_some());
        drop(proxy);
        assert_eq!(crowd.0.proxied.available_permits(), 2);
        assert_eq!(crowd.0.room.available_permits(), 3);
    }

    #[test]
    fn where_all_are_taken_an_idle_one_of_who_has_the_most_goes() {
        let crowd = crowd(3, 3);
        let busy = admit_busy(&crowd, "192.0.2.1").expect("the first");
        let idle = admit(&crowd, "192.0.2.1").expect("the second");
        let other = admit(&crowd, "192.0.2.2").expect("another's first");
        // It frees its place when it is gone, not before.
        assert!(admit(&crowd, "192.0.2.3").is_none());
        assert!(idle.leave().is_cancelled());
        assert!(!busy.0.leave().is_cancelled() && !other.leave().is_cancelled());
        drop(idle);
        assert!(admit(&crowd, "192.0.2.3").is_some());
    }

    /// Has `attackers` take all places, busy with each, and counts how many of `others` get in, each as soon as one has left for it.
    #[track_caller]
    fn entered_in_place(
        all: usize,
        attackers: impl Fn(usize) -> String,
        others: impl Fn(usize) -> String,
    ) -> usize {
        let crowd = crowd(all, all);
        let mut taken: Vec<_> = (0..all)
            .map_while(|of| admit_busy(&crowd, &attackers(of)))
            .collect();
        assert_eq!(taken.len(), all);
        let mut inside = Vec::new();
        for of in 0..all {
            let newcomer = || admit_busy(&crowd, &others(of));
            // Refused, or told to wait until one has left.
            if newcomer().is_some() {
                unreachable!("all were taken");
            }
            taken.retain(|(member, _)| !member.leave().is_cancelled());
            let Some(entered) = newcomer() else {
                break;
            };
            inside.push(entered);
            // Whoever holds the most gains nothing by coming again.
            assert!(admit_busy(&crowd, &attackers(0)).is_none());
        }
        assert!(
            inside
                .iter()
                .all(|(member, _)| !member.leave().is_cancelled())
        );
        inside.len()
    }

    #[test]
    fn eight_addresses_or_a_whole_48_keep_nobody_out() {
        let eight = |of: usize| format!("192.0.2.{}", of % 8);
        let wide = |of: usize| format!("2001:db8:1:{of:x}::1");
        let person = |of: usize| format!("198.51.100.{of}");
        // Until each of the eight has as few as everybody.
        assert_eq!(entered_in_place(160, eight, person), 160 - 8);
        assert_eq!(entered_in_place(160, wide, person), 160 - 1);
        // One person with many connections has as many as each attacker in the end.
        assert_eq!(entered_in_place(160, wide, |_| person(0)), 80);
    }

    #[test]
    fn a_neighbour_in_the_same_48_stays() {
        let crowd = crowd(10, 10);
        let neighbour = admit_busy(&crowd, "2001:db8:1:1::1").expect("the first");
        let attacker = || admit_busy(&crowd, "2001:db8:1:2::1");
        let taken: Vec<_> = (0..9).map_while(|_| attacker()).collect();
        assert!(admit(&crowd, "192.0.2.1").is_none());
        assert!(!neighbour.0.leave().is_cancelled());
        let gone = taken
            .iter()
            .filter(|(member, _)| member.leave().is_cancelled());
        assert_eq!(gone.count(), 1);
    }

    #[test]
    fn where_everybody_has_one_a_newcomer_waits() {
        let crowd = crowd(2, 2);
        let _taken =
            ["192.0.2.1", "192.0.2.2"].map(|from| admit_busy(&crowd, from).expect("one each"));
        let activity = Activity::new();
        assert!(
            enter(&crowd, "192.0.2.3", &activity).err() == Some(Outside::Waiting),
            "it waits"
        );
        assert!(
            enter(&crowd, "192.0.2.2", &activity).err() == Some(Outside::Refused),
            "who has one is refused a second"
        );
        assert!(
            enter(&crowd, "10.0.0.1", &activity).err() == Some(Outside::Waiting),
            "a proxy waits"
        );
    }
}
