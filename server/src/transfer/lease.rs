//! A lease: one claimant's right to fetch the body, from the claim until it is delivered, lapses or is burnt.
//! It never outlives `lease_max` or a burn. Granted while `lease` is 0, it allows one fetch, and that one is never resumed.

use onetimeshare_protocol::id::ClaimVerifier;
use onetimeshare_protocol::transfer::Cause;

use super::{Moment, ONCE_RENEW_S, ONCE_S, Outcome, Phase, RENEW_MIN_S, Refusal, Transfer};

/// How a lease ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LeaseEnd {
    /// The claimant's client said that everything arrived.
    Delivered,
    /// Its time was over.
    Lapsed,
    /// The owner burnt the transfer.
    Burnt,
}

impl LeaseEnd {
    /// The cause of an end, as it is told.
    pub const fn cause(self) -> Cause {
        match self {
            Self::Delivered => Cause::Delivered,
            Self::Lapsed => Cause::Lapsed,
            Self::Burnt => Cause::Burnt,
        }
    }
}

/// How often a claimant may fetch the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fetches {
    /// As often as it likes while the lease lives, and from anywhere: what breaks is resumed.
    Many,
    /// Once and whole, and that has not begun.
    Once,
    /// Once and whole, and that is under way or over.
    Begun,
}

/// One claim that was granted, and what became of it. Kept until the tombstone ends.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Lease {
    /// SHA-256 of the claim token: who it belongs to.
    pub claim_verifier: ClaimVerifier,
    /// When it was granted, in Unix seconds.
    pub claimed_at: u64,
    /// When it was granted or last renewed.
    pub renewed_at: u64,
    /// When it lapses.
    pub expires_at: u64,
    /// What it allows.
    pub fetches: Fetches,
    /// How and when it ended.
    pub end: Option<(LeaseEnd, u64)>,
}

impl Lease {
    /// A body that is `is_inline` goes with the answer: where it is given once, the lease ends as it begins.
    pub(super) fn grant(claim_verifier: ClaimVerifier, is_inline: bool, at: Moment) -> Self {
        let (fetches, lasts_s) = match (at.periods.lease_s, is_inline) {
            (0, true) => (Fetches::Begun, 0),
            (0, false) => (Fetches::Once, ONCE_S),
            (lease_s, _) => (Fetches::Many, lease_s),
        };
        let lasts_s = lasts_s.min(at.periods.lease_max_s);
        Self {
            claim_verifier,
            claimed_at: at.now,
            renewed_at: at.now,
            expires_at: at.now.saturating_add(lasts_s),
            fetches,
            end: (lasts_s == 0).then_some((LeaseEnd::Lapsed, at.now)),
        }
    }

    /// What is told of a body that was given and is not given again.
    pub(super) const fn spent(&self) -> Refusal {
        Refusal::LeaseEnded {
            cause: Cause::Lapsed,
            at: self.renewed_at,
        }
    }

    /// Whether it still gives a right. Time alone ends it only in [`Transfer::settle`].
    pub const fn is_live(&self) -> bool {
        self.end.is_none()
    }

    pub(super) fn settle(&mut self, now: u64) {
        if self.expires_at <= now {
            self.end_as(LeaseEnd::Lapsed, self.expires_at);
        }
    }

    /// The first end is the one that counts.
    pub(super) fn end_as(&mut self, end: LeaseEnd, at: u64) {
        self.end.get_or_insert((end, at));
    }

    fn renew(&mut self, at: Moment) {
        let (every_s, lasts_s) = match self.fetches {
            Fetches::Many => (RENEW_MIN_S.min(at.periods.lease_s / 3), at.periods.lease_s),
            // It has to begin in its time.
            Fetches::Once => return,
            Fetches::Begun => (ONCE_RENEW_S, ONCE_S),
        };
        if self.renewed_at.saturating_add(every_s) <= at.now {
            self.extend(lasts_s, at);
        }
    }

    fn extend(&mut self, lasts_s: u64, at: Moment) {
        self.renewed_at = at.now;
        let limit = self.claimed_at.saturating_add(at.periods.lease_max_s);
        self.expires_at = at
            .now
            .saturating_add(lasts_s)
            .min(limit)
            .max(self.expires_at);
    }
}

impl Transfer {
    /// The claimant's lease, while it lives.
    pub(super) fn live_lease(&mut self, claimant: &ClaimVerifier) -> Outcome<&mut Lease> {
        let gone = self.gone();
        match self.lease_of(claimant) {
            None => Err(Refusal::Unknown),
            Some(lease) => match lease.end {
                None => Ok(lease),
                Some((LeaseEnd::Burnt, _)) => Err(gone),
                Some((end, at)) => Err(Refusal::LeaseEnded {
                    cause: end.cause(),
                    at,
                }),
            },
        }
    }

    /// A claimant fetches the body: it may while its lease lives. Whether this is the only fetch that it will ever be
    /// allowed, and so has to be of the whole.
    pub fn fetch(&mut self, claimant: &ClaimVerifier, at: Moment) -> Outcome<bool> {
        let lease = self.live_lease(claimant)?;
        match lease.fetches {
            Fetches::Many => Ok(false),
            Fetches::Once => {
                lease.fetches = Fetches::Begun;
                lease.extend(ONCE_S, at);
                Ok(true)
            }
            Fetches::Begun => Err(lease.spent()),
        }
    }

    /// The only fetch that a claimant was allowed is over, wherever it broke off: its lease lapses. Of any other lease, and
    /// of one that has ended, it changes nothing.
    pub fn end_fetch(&mut self, claimant: &ClaimVerifier, at: Moment) -> Outcome<()> {
        let lease = self.lease_of(claimant).ok_or(Refusal::Unknown)?;
        if lease.fetches == Fetches::Begun {
            lease.end_as(LeaseEnd::Lapsed, at.now);
            self.settle(at);
        }
        Ok(())
    }

    /// A claimant asks for more time. When the lease ends now, in Unix seconds.
    pub fn renew(&mut self, claimant: &ClaimVerifier, at: Moment) -> Outcome<u64> {
        let lease = self.live_lease(claimant)?;
        lease.renew(at);
        Ok(lease.expires_at)
    }

    /// A claimant's client says that everything arrived: its lease ends. Said twice it succeeds twice. Where the body was given
    /// once, the lease may have ended with that, and what was taken for a lapse turns out to be a delivery.
    pub fn deliver(&mut self, claimant: &ClaimVerifier, at: Moment) -> Outcome<()> {
        let is_begun = self.is_begun(claimant);
        match self.live_lease(claimant) {
            Ok(lease) => lease.end_as(LeaseEnd::Delivered, at.now),
            Err(Refusal::LeaseEnded {
                cause: Cause::Delivered,
                ..
            }) => return Ok(()),
            Err(Refusal::LeaseEnded { at: lapsed_at, .. }) if is_begun => {
                self.correct(claimant, lapsed_at, at.now);
            }
            Err(refusal) => return Err(refusal),
        }
        self.settle(at);
        Ok(())
    }

    fn is_begun(&mut self, claimant: &ClaimVerifier) -> bool {
        let lease = self.lease_of(claimant);
        lease.is_some_and(|lease| lease.fetches == Fetches::Begun)
    }

    /// Turns the lapse of `lapsed_at` into a delivery; the transfer's own, too, when it ended with that lease.
    fn correct(&mut self, claimant: &ClaimVerifier, lapsed_at: u64, now: u64) {
        if let Some(lease) = self.lease_of(claimant) {
            lease.end = Some((LeaseEnd::Delivered, now));
        }
        if let Phase::Gone { cause, at } = &mut self.phase
            && (*cause, *at) == (Cause::Lapsed, lapsed_at)
        {
            *cause = Cause::Delivered;
        }
    }
}
