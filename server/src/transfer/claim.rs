//! Peek and claim: what someone with the link may see and take. It never counts anything against a wrong link proof.

use onetimeshare_protocol::id::{AccessVerifier, ClaimVerifier, LinkVerifier};
use onetimeshare_protocol::transfer::{Cause, State};

use super::{Fetches, Lease, Moment, Outcome, Phase, Refusal, Transfer};
use crate::token::is_same;

/// What a claimant gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// When the lease ends unless renewed, in Unix seconds.
    pub lease_expires_at: u64,
    /// Length of the sealed body, in bytes.
    pub body_len: u64,
}

/// What a link holder sees without taking anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peek {
    /// Where it stands.
    pub state: State,
    /// When it was created, in Unix seconds.
    pub created_at: u64,
    /// When it expires; none until it is ready.
    pub expires_at: Option<u64>,
    /// When it was last claimed, in Unix seconds.
    pub claimed_at: Option<u64>,
    /// Claims that are left.
    pub claims_left: u32,
    /// Wrong access proofs it still bears.
    pub attempts_left: u32,
    /// Length of the sealed body, in bytes.
    pub body_len: u64,
    /// Length of every part but the last, in bytes.
    pub part_len: u64,
    /// Whether the caller proved access and may have the sealed manifest.
    pub shows_manifest: bool,
}

impl Transfer {
    /// Whether `link` is this transfer's: without it, it does not exist for the caller, and nothing is counted.
    pub fn authorize_link(&self, link: &LinkVerifier) -> Outcome<()> {
        if is_same(link.as_bytes(), self.link_verifier.as_bytes()) {
            Ok(())
        } else {
            Err(Refusal::Unknown)
        }
    }

    /// Whether `access` is this transfer's.
    pub fn is_access(&self, access: &AccessVerifier) -> bool {
        is_same(access.as_bytes(), self.access_verifier.as_bytes())
    }

    /// Looks without taking. Without an access proof it changes nothing; a wrong one costs an attempt.
    ///
    /// The manifest is shown only while somebody can still claim: once every open is taken, its names are the claimants'.
    pub fn peek(
        &mut self,
        link: &LinkVerifier,
        access: Option<&AccessVerifier>,
        at: Moment,
    ) -> Outcome<Peek> {
        self.authorize_link(link)?;
        if self.is_gone() {
            return Err(self.gone());
        }
        if let Some(access) = access {
            self.try_access(access)?;
        }
        let state = self.state(at.now);
        Ok(Peek {
            state,
            created_at: self.created_at,
            expires_at: self.expires_at,
            claimed_at: self.claimed_at(),
            claims_left: self.claims_left,
            attempts_left: self.attempts_left,
            body_len: self.body_len,
            part_len: self.part_len,
            shows_manifest: access.is_some() && state != State::Claimed,
        })
    }

    /// Takes one claim for `claimant`, or repeats the answer to the claim it took before; with a lease of 0 nothing is
    /// repeated, and the claim of an inline body may be the transfer's end: its ciphertext belongs to this answer.
    ///
    /// The order of the checks: link proof; a right access proof with a known claim token; gone or expired; locked; access
    /// proof; not ready; count. So the repeat
    /// of a live lease succeeds whatever has become of lock, count and expiry, and a wrong access proof never learns more
    /// than that the transfer is gone or locked.
    pub fn claim(
        &mut self,
        link: &LinkVerifier,
        access: &AccessVerifier,
        claimant: &ClaimVerifier,
        at: Moment,
    ) -> Outcome<Grant> {
        self.authorize_link(link)?;
        if self.is_access(access) && self.lease_of(claimant).is_some() {
            let lease = self.live_lease(claimant)?;
            if lease.fetches != Fetches::Many {
                return Err(lease.spent());
            }
            let lease_expires_at = lease.expires_at;
            return Ok(Grant {
                lease_expires_at,
                body_len: self.body_len,
            });
        }
        if let Some(refusal) = self.closed(at.now) {
            return Err(refusal);
        }
        self.try_access(access)?;
        if self.phase == Phase::Uploading {
            return Err(Refusal::NotReady);
        }
        let Some(claims_left) = self.claims_left.checked_sub(1) else {
            return Err(Refusal::Claimed {
                at: self.claimed_at().unwrap_or(self.created_at),
            });
        };
        self.claims_left = claims_left;
        let lease = Lease::grant(claimant.clone(), self.is_inline, at);
        let grant = Grant {
            lease_expires_at: lease.expires_at,
            body_len: self.body_len,
        };
        let has_ended = !lease.is_live();
        self.leases.push(lease);
        if has_ended {
            self.settle(at);
        }
        Ok(grant)
    }

    /// Why no new claim can ever be granted, if so: gone, or expired while somebody still fetches.
    fn closed(&self, now: u64) -> Option<Refusal> {
        if self.is_gone() {
            return Some(self.gone());
        }
        let expired_at = self.expires_at.filter(|expires_at| *expires_at <= now)?;
        Some(Refusal::Gone {
            cause: Cause::Expired,
            at: expired_at,
            claimed_at: self.claimed_at(),
        })
    }

    /// A locked transfer refuses whatever the proof; otherwise a wrong one costs an attempt.
    fn try_access(&mut self, access: &AccessVerifier) -> Outcome<()> {
        let Some(attempts_left) = self.attempts_left.checked_sub(1) else {
            return Err(Refusal::Locked);
        };
        if self.is_access(access) {
            return Ok(());
        }
        self.attempts_left = attempts_left;
        Err(Refusal::Denied { attempts_left })
    }
}
