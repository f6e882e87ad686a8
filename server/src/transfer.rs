//! The life of a transfer as a pure state machine: every rule on who may do what, and when it ends, is decided here.
//! It reads no clock and does no I/O; a record store runs one of these steps inside one atomic section of its own.
//!
//! ```text
//! create ─► uploading ─complete─► ready ──claims until none is left──► claimed ──last lease ended──► gone
//!               │ abandoned         └───────────── expiry, burn ─────────┴──────────────────────────► gone
//!               └───────────────────────────────────────────────────────────────────────────────────► gone
//! ```

mod claim;
mod holder;
mod lease;
mod receipt;
mod tally;
#[cfg(test)]
mod tests;

use onetimeshare_protocol::id::{
    AccessVerifier, ClaimVerifier, LinkVerifier, OwnerVerifier, TransferId,
};
use onetimeshare_protocol::limits;
use onetimeshare_protocol::transfer::{Cause, State};

pub use self::claim::{Grant, Peek};
pub use self::holder::Holder;
pub use self::lease::{Fetches, Lease, LeaseEnd};
pub use self::tally::{Held, Tally, Totals};
use crate::token::is_same;

/// An upload is given up this long after it was created, whatever arrives: 24 hours, in seconds.
pub const UPLOAD_MAX_S: u64 = 24 * 3600;

/// A lease is renewed at most this often, in seconds; a short one at most three times in its length.
pub const RENEW_MIN_S: u64 = 60;

/// A claim that allows one fetch waits so long for it to begin, and for each sign of life once it has: in seconds.
pub const ONCE_S: u64 = 60;

/// How often a fetch that may not be repeated shows that it goes on, in seconds: several times within [`ONCE_S`].
pub const ONCE_RENEW_S: u64 = 15;

/// What a transfer takes up beside its ciphertext, as it is counted, in bytes: its record, its first lease, their share of indices.
pub const RECORD_LEN: u64 = 8 * 1024;

/// The periods that an operator sets, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Periods {
    /// How long a lease lasts when it is not renewed. With 0, a body is given once, and no fetch of it is ever resumed.
    pub lease_s: u64,
    /// How long after the claim a lease ends at the latest.
    pub lease_max_s: u64,
    /// How long a tombstone is kept after the transfer's end or expiry, whichever is later.
    pub tombstone_ttl_s: u64,
    /// An upload without an accepted part for so long is abandoned.
    pub upload_idle_s: u64,
    /// How long writing one part may take: until then an object that no part names may still appear.
    pub part_deadline_s: u64,
}

/// When a step is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Unix seconds, UTC.
    pub now: u64,
    /// The periods that this server keeps.
    pub periods: Periods,
}

/// What a step comes to: what was asked for, or the reason why not.
pub type Outcome<T> = Result<T, Refusal>;

/// Why a step is refused. None of these is a fault of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No such transfer, or not for who asks: unknown id, wrong link proof, wrong token.
    Unknown,
    /// Another create request holds this id.
    Conflict,
    /// It is new, and does not fit into what may be held.
    NoRoom,
    /// It is new, and does not fit into what whoever makes it may hold.
    OverQuota(Exceeded),
    /// Right link proof, wrong access proof; this one was counted.
    Denied {
        /// Wrong access proofs that the transfer still bears.
        attempts_left: u32,
    },
    /// Too many wrong access proofs.
    Locked,
    /// Not complete yet.
    NotReady,
    /// Complete already: it takes no more parts.
    NotUploading,
    /// The body has no such part.
    PartUnknown,
    /// The part does not have the length of this part.
    PartLength {
        /// Its length, in bytes.
        expected: u64,
    },
    /// Another content was accepted as this part.
    PartConflict,
    /// The object was not written before the part deadline: it may be deleted already, and has to be sent again.
    PartLate,
    /// Too many tries of parts have failed, and are not cleared away yet.
    PartCrowded,
    /// Parts are missing: their indices, at most [`MISSING_MAX`].
    PartsMissing(Vec<u64>),
    /// All opens are taken, and a lease still lives.
    Claimed {
        /// When the last claim was made, in Unix seconds.
        at: u64,
    },
    /// This claimant's lease has ended.
    LeaseEnded {
        /// Delivered or lapsed.
        cause: Cause,
        /// When, in Unix seconds.
        at: u64,
    },
    /// Only the tombstone is left.
    Gone {
        /// Why.
        cause: Cause,
        /// When, in Unix seconds.
        at: u64,
        /// When it was last claimed, if ever.
        claimed_at: Option<u64>,
    },
}

/// Which bound of a quota has no room for one more transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exceeded {
    /// That of transfers: at most so many.
    Count(u64),
    /// That of what they take up: at most so many bytes.
    Len(u64),
}

/// How many missing parts an answer names.
pub const MISSING_MAX: usize = 100;

/// Where a transfer stands, as it is stored. [`Transfer::state`] tells what the world sees of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Parts are still arriving.
    Uploading,
    /// Complete: ready or claimed, as `claims_left` and the leases say.
    Ready,
    /// Erased; this is its tombstone.
    Gone {
        /// Why.
        cause: Cause,
        /// When, in Unix seconds.
        at: u64,
    },
}

/// A transfer's record, less its ciphertext and its list of parts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Transfer {
    /// Its name.
    pub id: TransferId,
    /// Who presents a proof of this holds the link.
    pub link_verifier: LinkVerifier,
    /// Who presents a proof of this holds the passphrase too.
    pub access_verifier: AccessVerifier,
    /// Who presents a token of this is the sender.
    pub owner_verifier: OwnerVerifier,
    /// SHA-256 over all that its create request said, so that a repeat is known.
    pub create_digest: [u8; 32],
    /// Length of the sealed manifest, in bytes.
    pub manifest_len: u64,
    /// Length of the sealed body, in bytes.
    pub body_len: u64,
    /// Length of every part but the last, in bytes.
    pub part_len: u64,
    /// Whether the body came with the create request.
    pub is_inline: bool,
    /// How long it can be opened once it is ready, in seconds.
    pub ttl_s: u64,
    /// How many claims it was made for.
    pub claims_max: u32,
    /// How many claims are left.
    pub claims_left: u32,
    /// Wrong access proofs it still bears; 0 is locked.
    pub attempts_left: u32,
    /// When it was created.
    pub created_at: u64,
    /// When it was created or last accepted a part.
    pub active_at: u64,
    /// When it expires; none until it is ready.
    pub expires_at: Option<u64>,
    /// Where it stands.
    pub phase: Phase,
    /// Every claim ever granted, oldest first.
    pub leases: Vec<Lease>,
    /// Whom it counts for while it lives, where somebody may hold only so much. Nothing of that outlives it.
    pub holder: Option<Holder>,
}

impl Transfer {
    /// Makes a complete upload ready; its time to live begins.
    pub fn start(&mut self, now: u64) {
        self.phase = Phase::Ready;
        self.expires_at = Some(now.saturating_add(self.ttl_s));
    }

    /// Applies what time alone has done: leases that lapsed, expiry, an upload nobody goes on with. Every other step begins with it.
    pub fn settle(&mut self, at: Moment) {
        for lease in &mut self.leases {
            lease.settle(at.now);
        }
        match self.phase {
            Phase::Uploading => {
                let given_up_at = self.upload_deadline(at.periods);
                if given_up_at <= at.now {
                    self.end(Cause::Abandoned, given_up_at);
                }
            }
            Phase::Ready if self.has_live_lease() => {}
            Phase::Ready => self.settle_without_lease(at.now),
            Phase::Gone { .. } => {}
        }
    }

    fn settle_without_lease(&mut self, now: u64) {
        let last = self
            .leases
            .iter()
            .filter_map(|lease| lease.end)
            .max_by_key(|(_, ended_at)| *ended_at);
        let expired_at = self.expires_at.filter(|expires_at| *expires_at <= now);
        match (self.claims_left, last, expired_at) {
            (0, Some((end, ended_at)), _) => self.end(end.cause(), ended_at),
            (_, last, Some(expired_at)) => {
                // A lease outlives expiry: the ciphertext went with the later of the two.
                self.end(
                    Cause::Expired,
                    last.map_or(expired_at, |(_, ended_at)| ended_at.max(expired_at)),
                );
            }
            _ => {}
        }
    }

    fn end(&mut self, cause: Cause, at: u64) {
        self.phase = Phase::Gone { cause, at };
        self.holder = None;
    }

    fn upload_deadline(&self, periods: Periods) -> u64 {
        let idle_at = self.active_at.saturating_add(periods.upload_idle_s);
        idle_at.min(self.created_at.saturating_add(UPLOAD_MAX_S))
    }

    /// When [`Transfer::settle`] next has something to do, or, once gone, when the tombstone ends. Unix seconds.
    pub fn due_at(&self, periods: Periods) -> u64 {
        match self.phase {
            Phase::Uploading => self.upload_deadline(periods),
            Phase::Ready => {
                let lapses_at = self
                    .leases
                    .iter()
                    .filter(|lease| lease.is_live())
                    .map(|lease| lease.expires_at)
                    .min();
                lapses_at.or(self.expires_at).unwrap_or(self.created_at)
            }
            Phase::Gone { at, .. } => self
                .expires_at
                .map_or(at, |expires_at| expires_at.max(at))
                .saturating_add(periods.tombstone_ttl_s),
        }
    }

    /// Whether the tombstone's time is over and the record itself may go.
    pub fn is_forgotten(&self, at: Moment) -> bool {
        self.is_gone() && self.due_at(at.periods) <= at.now
    }

    /// Whether the ciphertext is to be erased.
    pub const fn is_gone(&self) -> bool {
        matches!(self.phase, Phase::Gone { .. })
    }

    /// What the world sees of the phase.
    pub fn state(&self, now: u64) -> State {
        match self.phase {
            Phase::Uploading => State::Uploading,
            Phase::Ready if self.claims_left == 0 || self.is_expired(now) => State::Claimed,
            Phase::Ready => State::Ready,
            Phase::Gone { .. } => State::Gone,
        }
    }

    fn is_expired(&self, now: u64) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= now)
    }

    fn has_live_lease(&self) -> bool {
        self.leases.iter().any(Lease::is_live)
    }

    /// When it was last claimed.
    pub fn claimed_at(&self) -> Option<u64> {
        self.leases.iter().map(|lease| lease.claimed_at).max()
    }

    /// What it takes up, or will when all its parts have come, in bytes.
    pub const fn held_len(&self) -> u64 {
        held_len(self.manifest_len, self.body_len)
    }

    /// How many parts its body has; an inline body counts as none.
    pub const fn part_count(&self) -> u64 {
        if self.is_inline {
            0
        } else {
            self.body_len.div_ceil(self.part_len)
        }
    }

    /// Checks who asks for an owner's call.
    pub fn authorize_owner(&self, owner: &OwnerVerifier) -> Outcome<()> {
        if is_same(owner.as_bytes(), self.owner_verifier.as_bytes()) {
            Ok(())
        } else {
            Err(Refusal::Unknown)
        }
    }

    /// An owner's call on a part: it must exist, and the upload must be under way. The part's exact length in bytes.
    pub fn expect_part(&self, index: u64) -> Outcome<u64> {
        match self.phase {
            Phase::Gone { .. } => return Err(self.gone()),
            Phase::Ready => return Err(Refusal::NotUploading),
            Phase::Uploading => {}
        }
        let start = index
            .checked_mul(self.part_len)
            .filter(|start| *start < self.body_len);
        start.map_or(Err(Refusal::PartUnknown), |start| {
            Ok(self.part_len.min(self.body_len - start))
        })
    }

    /// The owner says that every part is there. `missing` is what the store lacks; said twice it succeeds twice.
    pub fn complete(&mut self, missing: Vec<u64>, at: Moment) -> Outcome<(State, u64)> {
        match self.phase {
            Phase::Gone { .. } => return Err(self.gone()),
            Phase::Ready => {}
            Phase::Uploading if missing.is_empty() => self.start(at.now),
            Phase::Uploading => return Err(Refusal::PartsMissing(missing)),
        }
        Ok((self.state(at.now), self.expires_at.unwrap_or(at.now)))
    }

    /// The owner destroys it: every lease ends with it. Said twice, or of what ended otherwise, it changes nothing.
    pub fn burn(&mut self, now: u64) {
        if self.is_gone() {
            return;
        }
        for lease in &mut self.leases {
            lease.end_as(LeaseEnd::Burnt, now);
        }
        self.end(Cause::Burnt, now);
    }

    /// The owner gives back the attempts that wrong access proofs have cost. Said twice it succeeds twice.
    pub fn unlock(&mut self) -> Outcome<()> {
        if self.is_gone() {
            return Err(self.gone());
        }
        self.attempts_left = limits::ATTEMPTS_MAX;
        Ok(())
    }

    fn gone(&self) -> Refusal {
        match self.phase {
            Phase::Gone { cause, at } => Refusal::Gone {
                cause,
                at,
                claimed_at: self.claimed_at(),
            },
            Phase::Uploading | Phase::Ready => Refusal::Unknown,
        }
    }

    fn lease_of(&mut self, claimant: &ClaimVerifier) -> Option<&mut Lease> {
        self.leases
            .iter_mut()
            .find(|lease| is_same(claimant.as_bytes(), lease.claim_verifier.as_bytes()))
    }

    /// A new record with nothing claimed and nothing tried.
    pub fn create(new: Creation, now: u64) -> Self {
        let mut transfer = Self {
            id: new.id,
            link_verifier: new.link_verifier,
            access_verifier: new.access_verifier,
            owner_verifier: new.owner_verifier,
            create_digest: new.create_digest,
            manifest_len: new.manifest_len,
            body_len: new.body_len,
            part_len: new.part_len,
            is_inline: new.is_inline,
            ttl_s: new.ttl_s,
            claims_max: new.claims_max,
            claims_left: new.claims_max,
            attempts_left: limits::ATTEMPTS_MAX,
            created_at: now,
            active_at: now,
            expires_at: None,
            phase: Phase::Uploading,
            leases: Vec::new(),
            holder: new.holder,
        };
        if transfer.is_inline {
            transfer.start(now);
        }
        transfer
    }
}

/// What a transfer with a manifest and a body of these lengths takes up, in bytes.
pub const fn held_len(manifest_len: u64, body_len: u64) -> u64 {
    RECORD_LEN
        .saturating_add(manifest_len)
        .saturating_add(body_len)
}

/// What a create request says of a new transfer, less its ciphertext. Fields as in [`Transfer`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Creation {
    /// Its name.
    pub id: TransferId,
    /// SHA-256 of the link proof.
    pub link_verifier: LinkVerifier,
    /// SHA-256 of the access proof.
    pub access_verifier: AccessVerifier,
    /// SHA-256 of the owner token.
    pub owner_verifier: OwnerVerifier,
    /// SHA-256 over all that the request said.
    pub create_digest: [u8; 32],
    /// Length of the sealed manifest, in bytes.
    pub manifest_len: u64,
    /// Length of the sealed body, in bytes.
    pub body_len: u64,
    /// Length of every part but the last, in bytes.
    pub part_len: u64,
    /// Whether the body came with the request.
    pub is_inline: bool,
    /// How long it can be opened once it is ready, in seconds.
    pub ttl_s: u64,
    /// How many claims it is made for.
    pub claims_max: u32,
    /// Whom it counts for, where that is to be kept.
    pub holder: Option<Holder>,
}
