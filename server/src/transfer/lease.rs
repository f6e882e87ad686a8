//! A lease: one claimant's right to fetch the body, from the claim until it is delivered, lapses or is burnt.
//! It never outlives `lease_max` or a burn.

use onetimeshare_protocol::id::ClaimVerifier;
use onetimeshare_protocol::transfer::Cause;

use super::{Moment, Outcome, RENEW_MIN_S, Refusal, Transfer};

/// How a lease ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// One claim that was granted, and what became of it. Kept until the tombstone ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// SHA-256 of the claim token: who it belongs to.
    pub claim_verifier: ClaimVerifier,
    /// When it was granted, in Unix seconds.
    pub claimed_at: u64,
    /// When it was granted or last renewed.
    pub renewed_at: u64,
    /// When it lapses.
    pub expires_at: u64,
    /// How and when it ended.
    pub end: Option<(LeaseEnd, u64)>,
}

impl Lease {
    pub(super) fn grant(claim_verifier: ClaimVerifier, at: Moment) -> Self {
        let lasts_s = at.periods.lease_s.min(at.periods.lease_max_s);
        Self {
            claim_verifier,
            claimed_at: at.now,
            renewed_at: at.now,
            expires_at: at.now.saturating_add(lasts_s),
            end: None,
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
        let pause_s = RENEW_MIN_S.min(at.periods.lease_s / 3);
        if self.renewed_at.saturating_add(pause_s) <= at.now {
            self.renewed_at = at.now;
            let limit = self.claimed_at.saturating_add(at.periods.lease_max_s);
            self.expires_at = at
                .now
                .saturating_add(at.periods.lease_s)
                .min(limit)
                .max(self.expires_at);
        }
    }
}

impl Transfer {
    /// Where the claimant's lease stands among the leases, if it ever had one and while it lives.
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

    /// A claimant fetches the body: it may while its lease lives.
    pub fn fetch(&mut self, claimant: &ClaimVerifier) -> Outcome<()> {
        self.live_lease(claimant).map(|_| ())
    }

    /// A claimant asks for more time. When the lease ends now, in Unix seconds.
    pub fn renew(&mut self, claimant: &ClaimVerifier, at: Moment) -> Outcome<u64> {
        let lease = self.live_lease(claimant)?;
        lease.renew(at);
        Ok(lease.expires_at)
    }

    /// A claimant's client says that everything arrived: its lease ends. Said twice it succeeds twice.
    pub fn deliver(&mut self, claimant: &ClaimVerifier, at: Moment) -> Outcome<()> {
        match self.live_lease(claimant) {
            Ok(lease) => lease.end_as(LeaseEnd::Delivered, at.now),
            Err(Refusal::LeaseEnded {
                cause: Cause::Delivered,
                ..
            }) => return Ok(()),
            Err(refusal) => return Err(refusal),
        }
        self.settle(at);
        Ok(())
    }
}
