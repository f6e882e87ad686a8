//! The bounds that a new transfer has to fit into: of its holder, of its holder's site, and of all that is held.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::capacity::{Capacity, Reservation};
use super::{Quota, Terms};
use crate::record::{RecordStore, StoreResult};
use crate::transfer::{Creation, Held, Holder, Refusal, held_len};

/// Of the bound on all so much is kept for bodies that come with their create request: uploads that never come cannot take all of it.
const INLINE_SHARE: u64 = 10;

/// So many shares may be known before those that nobody uses any more are forgotten.
const SHARES_MIN: usize = 64;

/// Every bound there is.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// None where as much is held as the stores take.
    whole: Option<Whole>,
    shares: Shares,
}

/// The bound on all that is held.
#[derive(Debug)]
struct Whole {
    len_max: u64,
    capacity: Arc<Capacity>,
}

impl Room {
    /// With at most so many bytes in all; none for as much as the stores take.
    pub(super) fn new(storage_max: Option<u64>) -> Self {
        Self {
            whole: storage_max.map(|len_max| Whole {
                len_max,
                capacity: Arc::new(Capacity::with_alarm(for_parts(len_max))),
            }),
            shares: Shares::default(),
        }
    }

    /// The most that may be held in all, in bytes.
    pub(super) fn storage_max(&self) -> Option<u64> {
        self.whole.as_ref().map(|whole| whole.len_max)
    }

    /// Whether a transfer on these terms has any bound.
    pub(super) fn bounds(&self, terms: &Terms) -> bool {
        self.whole.is_some() || terms.bounded_holder().is_some()
    }

    /// Reserves what a new transfer would take up, or says why it is refused. Its holder's own bounds come first: these it can do
    /// something about.
    pub(super) async fn reserve(
        &self,
        new: &Creation,
        terms: &Terms,
        records: &dyn RecordStore,
    ) -> StoreResult<Result<Vec<Reservation>, Refusal>> {
        let held = Held {
            count: 1,
            len: held_len(new.manifest_len, new.body_len),
        };
        let mut reservations = Vec::new();
        if let Some(holder) = &terms.bounded_holder() {
            let (client, site) = self.shares.of(holder);
            let read = async { Ok(records.held_by(holder).await?.client) };
            match client.reserve(held, terms.quota, read).await? {
                Ok(reservation) => reservations.push(reservation),
                Err(exceeded) => return Ok(Err(Refusal::OverQuota(exceeded))),
            }
            let read = async { Ok(records.held_by(holder).await?.site) };
            match site.reserve(held, terms.site_quota, read).await? {
                Ok(reservation) => reservations.push(reservation),
                Err(exceeded) => return Ok(Err(Refusal::OverQuota(exceeded))),
            }
        }
        if let Some(Whole { len_max, capacity }) = &self.whole {
            let len_max = if new.is_inline {
                *len_max
            } else {
                for_parts(*len_max)
            };
            let max = Quota {
                len_max: Some(len_max),
                count_max: None,
            };
            let read = async { Ok(records.totals().await?.held) };
            match capacity.reserve(held, max, read).await? {
                Ok(reservation) => reservations.push(reservation),
                Err(_) => return Ok(Err(Refusal::NoRoom)),
            }
        }
        Ok(Ok(reservations))
    }
}

/// What of it is for uploads in parts, too.
const fn for_parts(len_max: u64) -> u64 {
    len_max - len_max / INLINE_SHARE
}

/// What a share is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Part {
    Client(Holder),
    Site([u8; 8]),
}

/// The bounds of holders, for as long as somebody decides by them. What is taken in is in the store by then, which is asked anew:
/// so one that was forgotten is missed by nobody, and there are never more than twice as many as requests that create.
#[derive(Debug, Default)]
struct Shares {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    by_part: HashMap<Part, Weak<Capacity>>,
    /// When those that nobody uses are looked for.
    swept_at: usize,
}

impl Shares {
    /// Of a holder, and of its site.
    fn of(&self, holder: &Holder) -> (Arc<Capacity>, Arc<Capacity>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        (
            known.share(Part::Client(*holder)),
            known.share(Part::Site(holder.site())),
        )
    }
}

impl Known {
    fn share(&mut self, part: Part) -> Arc<Capacity> {
        if let Some(share) = self.by_part.get(&part).and_then(Weak::upgrade) {
            return share;
        }
        if self.by_part.len() >= self.swept_at {
            self.by_part.retain(|_, share| share.strong_count() > 0);
            self.swept_at = SHARES_MIN.max(2 * self.by_part.len());
        }
        let share = Arc::new(Capacity::default());
        self.by_part.insert(part, Arc::downgrade(&share));
        share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(number: u64) -> Holder {
        Holder::new(number.to_be_bytes(), number.to_be_bytes())
    }

    #[test]
    fn shares_are_one_while_they_are_used_and_forgotten_after() {
        let shares = Shares::default();
        let (client, site) = shares.of(&holder(1));
        let (again, neighbours) = shares.of(&Holder::new(1_u64.to_be_bytes(), [9; 8]));
        assert!(!Arc::ptr_eq(&client, &again) && Arc::ptr_eq(&site, &neighbours));
        for number in 2..10_000 {
            let _ = shares.of(&holder(number));
        }
        let known = shares.known.lock().expect("nothing panicked");
        assert!(
            known.by_part.len() <= SHARES_MIN + 2,
            "{}",
            known.by_part.len()
        );
        drop(known);
        assert!(Arc::ptr_eq(&client, &shares.of(&holder(1)).0));
    }
}
