//! A state of the world: what the stores hold, what servers have under way, and what everybody was told.
//!
//! Nothing tells one server from another: a request, a reader and a sweeper share nothing but the stores with anything
//! else, whichever process they run in, so that two of each at once are two servers. A process that dies is all of its work
//! broken off, which is each of them broken off, one right after the other.

use crate::call::Claimant;
use crate::object::{Object, Objects, PARTS_MAX};
use crate::records::RecordsId;
use crate::seen::Seen;

/// How much can be under way at the same time.
pub(crate) const WORK_MAX: usize = 5;

/// Where a reader of the body stands with a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Reading {
    /// It renews the lease next.
    Renews,
    /// It looks for the part's object next.
    Finds,
    /// It reads this object next.
    Reads(Object),
}

/// Something that a server does in more than one step. All that it knows is lost when it breaks off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Work {
    /// Nothing.
    #[default]
    None,
    /// An object is being written, and may appear until this tick.
    Write(Object, u8),
    /// An object is written, and has to be accepted.
    Written(Object),
    /// Nobody waits for this write any more, but it may still appear until this tick.
    Stray(Object, u8),
    /// A claimant is sent this part of the body; whether it is the only time.
    Body(Claimant, u8, Reading, bool),
    /// The only fetch of a claimant is over, and has to be ended.
    EndOfBody(Claimant),
    /// What is left to delete, what is deleted, and the tick of the taking.
    Sweep(Objects, Objects, u8),
    /// A claimant's claim was decided on these records, and has to be stored: only a planted bug does that.
    Claim(Claimant, RecordsId),
}

/// A state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct World {
    /// The time.
    pub(crate) tick: u8,
    /// What the record store holds.
    pub(crate) records: RecordsId,
    /// What it would hold after a loss of power. A step is durable before it is answered, so it is the same.
    pub(crate) durable: RecordsId,
    /// Objects that are there, whole.
    pub(crate) whole: Objects,
    /// Objects of which remains are there that nobody can read.
    pub(crate) torn: Objects,
    /// How often the writing of each part was begun.
    pub(crate) tries: [u8; PARTS_MAX],
    /// What is under way, in order, so that the same things in other places are the same state.
    pub(crate) work: [Work; WORK_MAX],
    /// How many sweeps may still fail.
    pub(crate) failures_left: u8,
    /// What was told and given.
    pub(crate) seen: Seen,
}

impl World {
    /// Nothing has happened.
    pub(crate) fn new(records: RecordsId, failures_left: u8) -> Self {
        Self {
            tick: 0,
            records,
            durable: records,
            whole: Objects::default(),
            torn: Objects::default(),
            tries: [0; PARTS_MAX],
            work: [Work::None; WORK_MAX],
            failures_left,
            seen: Seen::default(),
        }
    }

    /// How much of it is under way.
    pub(crate) fn count(&self, is_counted: impl Fn(&Work) -> bool) -> usize {
        self.work.iter().filter(|work| is_counted(work)).count()
    }

    /// Begins something; false when there is no room.
    pub(crate) fn begin(&mut self, begun: Work) -> bool {
        let free = self.work.iter_mut().find(|work| **work == Work::None);
        free.map(|free| *free = begun).is_some()
    }

    /// Brings what is under way into order.
    pub(crate) fn tidy(&mut self) {
        self.work.sort_unstable();
    }
}
