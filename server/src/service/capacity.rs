//! How much may be held in all: what a create request would take up is reserved before anything of it is stored, and refused
//! when it does not fit. The count is the record store's; this is the policy on it.
//!
//! Within one process the bound is exact. Servers that share their records know of each other's transfers by the store's counters,
//! which are read anew after [`KEPT`]: so long they may exceed it by what they take in at once.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::record::{RecordStore, StoreResult};

/// For so long a count is good enough to say that something fits. That it does not is only said by a newer one.
const KEPT: Duration = Duration::from_secs(1);

/// What the store was found to hold.
#[derive(Clone, Copy, Debug)]
struct Reading {
    /// When it was asked.
    at: Instant,
    /// What it held then, in bytes.
    held_len: u64,
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
}

/// A part of it that is held for one create request, until it is dropped.
pub(super) struct Reservation<'a> {
    capacity: &'a Capacity,
    len: u64,
}

impl fmt::Debug for Reservation<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Reservation({})", self.len)
    }
}

impl Reservation<'_> {
    /// Says that the transfer is in the store now. It counts as that until the store is asked again.
    pub(super) fn keep(self) {
        // Before the reservation ends, so that it is never missing from both.
        self.capacity
            .taken_len
            .fetch_add(self.len, Ordering::SeqCst);
    }
}

impl Drop for Reservation<'_> {
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
        }
    }

    /// The bound, in bytes.
    pub(super) const fn max(&self) -> u64 {
        self.max
    }

    /// Reserves `len` bytes; none when they do not fit.
    pub(super) async fn reserve(
        &self,
        len: u64,
        records: &dyn RecordStore,
    ) -> StoreResult<Option<Reservation<'_>>> {
        let asked_at = Instant::now();
        // One is decided at a time. Who waited is told by what was read meanwhile.
        let mut reading = self.reading.lock().await;
        let known = match *reading {
            Some(known) if known.at > asked_at => known,
            Some(known) if known.at.elapsed() < KEPT && self.fits(known, len) => known,
            _ => self.read(records).await?,
        };
        *reading = Some(known);
        if !self.fits(known, len) {
            return Ok(None);
        }
        self.reserved_len.fetch_add(len, Ordering::SeqCst);
        Ok(Some(Reservation {
            capacity: self,
            len,
        }))
    }

    async fn read(&self, records: &dyn RecordStore) -> StoreResult<Reading> {
        let (at, taken_len) = (Instant::now(), self.taken_len.load(Ordering::SeqCst));
        // What is taken in while the store answers counts twice until the next reading, and never not at all.
        let held_len = records.totals().await?.held.len;
        Ok(Reading {
            at,
            held_len,
            taken_len,
        })
    }

    /// Whether `len` more than all that is held or reserved is within the bound.
    fn fits(&self, reading: Reading, len: u64) -> bool {
        // In this order: a reservation that is kept in between counts twice, and never not at all.
        let reserved_len = self.reserved_len.load(Ordering::SeqCst);
        let taken_len = self.taken_len.load(Ordering::SeqCst);
        let since = taken_len.saturating_sub(reading.taken_len);
        let parts = [reading.held_len, since, reserved_len, len];
        parts.into_iter().fold(0, u64::saturating_add) <= self.max
    }
}
