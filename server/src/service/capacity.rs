//! How much may be held, in all or by somebody: what a create request would take up is reserved before anything of it is stored,
//! and refused when it does not fit. The count is the record store's; this is the policy on it.
//!
//! Within one process a bound is exact. Servers that share their records know of each other's transfers by the store's counters,
//! which are read anew after [`KEPT`]: so long they may exceed it by what they take in at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tracing::{info, warn};

use super::Quota;
use crate::record::StoreResult;
use crate::transfer::{Exceeded, Held};

/// For so long a count is good enough to say that something fits. That it does not is only said by a newer one.
const KEPT: Duration = Duration::from_secs(1);

/// What the store was found to hold.
#[derive(Clone, Debug)]
struct Reading {
    /// When it was asked.
    at: Instant,
    /// What it held then, or why it could not tell.
    held: StoreResult<Held>,
    /// What this process had taken in by then.
    taken: Held,
}

/// What this process knows beside what the store tells.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    /// Of create requests that are being decided.
    reserved: Held,
    /// Taken in since this was made.
    taken: Held,
}

/// What counts against one bound.
#[derive(Debug, Default)]
pub(super) struct Capacity {
    counts: Mutex<Counts>,
    reading: tokio::sync::Mutex<Option<Reading>>,
    alarm: Option<Alarm>,
}

/// A part of it that is held for one create request, until it is dropped.
#[derive(Debug)]
pub(super) struct Reservation {
    capacity: Arc<Capacity>,
    held: Held,
}

impl Reservation {
    /// Says that the transfer is in the store now, or may be. It counts as that until the store is asked again.
    pub(super) fn keep(self) {
        // Before the reservation ends, so that it is never missing from both.
        let mut counts = self.capacity.counts();
        counts.taken = counts.taken.and(self.held);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut counts = self.capacity.counts();
        counts.reserved = counts.reserved.less(self.held);
    }
}

impl Capacity {
    /// One that logs when so many bytes are held.
    pub(super) fn with_alarm(len_max: u64) -> Self {
        Self {
            alarm: Some(Alarm {
                len_max,
                is_full: AtomicBool::new(false),
            }),
            ..Self::default()
        }
    }

    /// Reserves room for `new` below `max`; what has none when it does not fit. `read` asks the store what it holds, when that has
    /// to be known anew.
    pub(super) async fn reserve(
        self: &Arc<Self>,
        new: Held,
        max: Quota,
        read: impl Future<Output = StoreResult<Held>>,
    ) -> StoreResult<Result<Reservation, Exceeded>> {
        let asked_at = Instant::now();
        // One is decided at a time. Who waited is told by what was read meanwhile, also that nothing could be.
        let mut reading = self.reading.lock().await;
        let is_known = reading.as_ref().is_some_and(|known| {
            let is_fresh = known.at.elapsed() < KEPT;
            known.at > asked_at || (is_fresh && matches!(self.check(known, new, max), Ok(Ok(()))))
        });
        let known = match reading.as_mut() {
            Some(known) if is_known => known,
            _ => reading.insert(self.read(read).await),
        };
        if let Some(alarm) = &self.alarm {
            // By what is held alone: who asks for how much is no reason for a line in the log.
            alarm.tell(self.held(known)?.len);
        }
        if let Err(exceeded) = self.check(known, new, max)? {
            return Ok(Err(exceeded));
        }
        let mut counts = self.counts();
        counts.reserved = counts.reserved.and(new);
        Ok(Ok(Reservation {
            capacity: Arc::clone(self),
            held: new,
        }))
    }

    async fn read(&self, read: impl Future<Output = StoreResult<Held>>) -> Reading {
        let (at, taken) = (Instant::now(), self.counts().taken);
        // What is taken in while the store answers counts twice until the next reading, and never not at all.
        let held = read.await;
        Reading { at, held, taken }
    }

    /// All that is held or reserved.
    fn held(&self, reading: &Reading) -> StoreResult<Held> {
        let Counts { reserved, taken } = *self.counts();
        let since = taken.less(reading.taken);
        Ok(reading.held.clone()?.and(since).and(reserved))
    }

    /// Whether `new` beside that is within `max`.
    fn check(&self, reading: &Reading, new: Held, max: Quota) -> StoreResult<Result<(), Exceeded>> {
        let Held { count, len } = self.held(reading)?.and(new);
        Ok(match (max.count_max, max.len_max) {
            (Some(count_max), _) if count > count_max => Err(Exceeded::Count(count_max)),
            (_, Some(len_max)) if len > len_max => Err(Exceeded::Len(len_max)),
            _ => Ok(()),
        })
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        // Nothing panics between two changes that belong together.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says in the log that no upload in parts has room any more, or has again.
#[derive(Debug)]
struct Alarm {
    len_max: u64,
    is_full: AtomicBool,
}

impl Alarm {
    fn tell(&self, len: u64) {
        let has_room = len <= self.len_max;
        match (self.is_full.swap(!has_room, Ordering::Relaxed), has_room) {
            (false, false) => warn!(
                max = self.len_max,
                "nine tenths of `storage-max` are held: uploads in parts are refused until there is room"
            ),
            (true, true) => info!("there is room again within `storage-max`"),
            _ => {}
        }
    }
}
