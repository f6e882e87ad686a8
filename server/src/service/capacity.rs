//! How much may be held in all: what a create request would take up is reserved before anything of it is stored, and refused
//! when it does not fit. The count is the record store's; this is the policy on it.
//!
//! Within one process the bound is exact. Servers that share their records know of each other's transfers by the store's counters,
//! which are read anew after [`KEPT`]: so long they may exceed it by what they take in at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;
use tracing::{info, warn};

use crate::record::{RecordStore, StoreResult};

/// For so long a count is good enough to say that something fits. That it does not is only said by a newer one.
const KEPT: Duration = Duration::from_secs(1);

/// Of the bound so much is kept for bodies that come with their create request: uploads that never come cannot take all of it.
const INLINE_SHARE: u64 = 10;

/// What the store was found to hold.
#[derive(Clone, Debug)]
struct Reading {
    /// When it was asked.
    at: Instant,
    /// What it held then, in bytes, or why it could not tell.
    held_len: StoreResult<u64>,
    /// What this process had taken in by then, since it started, in bytes.
    taken_len: u64,
}

/// The bound, and what counts against it.
#[derive(Debug)]
pub(super) struct Capacity {
    max: u64,
    /// Bytes of create requests that are being decided.
    reserved_len: AtomicU64,
    /// Bytes that this process has taken in since it started.
    taken_len: AtomicU64,
    reading: Mutex<Option<Reading>>,
    is_full: AtomicBool,
}

/// A part of it that is held for one create request, until it is dropped.
#[derive(Debug)]
pub(super) struct Reservation {
    capacity: Arc<Capacity>,
    len: u64,
}

impl Reservation {
    /// Says that the transfer is in the store now, or may be. It counts as that until the store is asked again.
    pub(super) fn keep(self) {
        // Before the reservation ends, so that it is never missing from both.
        self.capacity
            .taken_len
            .fetch_add(self.len, Ordering::SeqCst);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.capacity
            .reserved_len
            .fetch_sub(self.len, Ordering::SeqCst);
    }
}

impl Capacity {
    /// Of at most `max` bytes.
    pub(super) const fn new(max: u64) -> Self {
        Self {
            max,
            reserved_len: AtomicU64::new(0),
            taken_len: AtomicU64::new(0),
            reading: Mutex::const_new(None),
            is_full: AtomicBool::new(false),
        }
    }

    /// The bound, in bytes.
    pub(super) const fn max(&self) -> u64 {
        self.max
    }

    /// Reserves `len` bytes of a transfer whose body comes with its create request, or in parts; none when they do not fit.
    pub(super) async fn reserve(
        self: &Arc<Self>,
        (len, is_inline): (u64, bool),
        records: &dyn RecordStore,
    ) -> StoreResult<Option<Reservation>> {
        let asked_at = Instant::now();
        let for_parts = self.max - self.max / INLINE_SHARE;
        let max = if is_inline { self.max } else { for_parts };
        // One is decided at a time. Who waited is told by what was read meanwhile, also that nothing could be.
        let mut reading = self.reading.lock().await;
        let is_known = reading.as_ref().is_some_and(|known| {
            let is_fresh = known.at.elapsed() < KEPT;
            known.at > asked_at || (is_fresh && self.fits(known, len, max).unwrap_or(false))
        });
        if !is_known {
            *reading = Some(self.read(records).await);
        }
        let Some(known) = &*reading else {
            return Ok(None);
        };
        // By what is held alone: who asks for how much is no reason for a line in the log.
        self.tell(self.fits(known, 0, for_parts)?);
        if !self.fits(known, len, max)? {
            return Ok(None);
        }
        self.reserved_len.fetch_add(len, Ordering::SeqCst);
        let capacity = Arc::clone(self);
        Ok(Some(Reservation { capacity, len }))
    }

    async fn read(&self, records: &dyn RecordStore) -> Reading {
        let (at, taken_len) = (Instant::now(), self.taken_len.load(Ordering::SeqCst));
        // What is taken in while the store answers counts twice until the next reading, and never not at all.
        let held_len = records.totals().await.map(|totals| totals.held.len);
        Reading {
            at,
            held_len,
            taken_len,
        }
    }

    /// Whether `len` more than all that is held or reserved is within `max`.
    fn fits(&self, reading: &Reading, len: u64, max: u64) -> StoreResult<bool> {
        // In this order: a reservation that is kept in between counts twice, and never not at all.
        let reserved_len = self.reserved_len.load(Ordering::SeqCst);
        let taken_len = self.taken_len.load(Ordering::SeqCst);
        let since = taken_len.saturating_sub(reading.taken_len);
        let parts = [reading.held_len.clone()?, since, reserved_len, len];
        Ok(parts.into_iter().fold(0, u64::saturating_add) <= max)
    }

    /// Logs that no upload in parts has room any more, or has again.
    fn tell(&self, has_room: bool) {
        match (self.is_full.swap(!has_room, Ordering::Relaxed), has_room) {
            (false, false) => warn!(
                max = self.max,
                "nine tenths of `storage-max` are held: uploads in parts are refused until there is room"
            ),
            (true, true) => info!("there is room again within `storage-max`"),
            _ => {}
        }
    }
}
