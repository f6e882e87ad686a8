//! The receipt: what an owner may know of what became of a transfer. It never names a claimant.

use onetimeshare_protocol::transfer::{ClaimState, ReceiptAnswer, ReceiptClaim};

use super::{Lease, LeaseEnd, Phase, Transfer};

impl Lease {
    fn on_receipt(&self) -> ReceiptClaim {
        let state = match self.end {
            None => ClaimState::Live,
            Some((LeaseEnd::Delivered, _)) => ClaimState::Delivered,
            Some((LeaseEnd::Lapsed, _)) => ClaimState::Lapsed,
            Some((LeaseEnd::Burnt, _)) => ClaimState::Burnt,
        };
        ReceiptClaim {
            claimed_at: self.claimed_at,
            state,
            at: self.end.map(|(_, ended_at)| ended_at),
        }
    }
}

impl Transfer {
    /// What has become of it by `now`, in Unix seconds. The caller has settled it.
    pub fn receipt(&self, now: u64) -> ReceiptAnswer {
        let ended = match self.phase {
            Phase::Gone { cause, at } => Some((cause, at)),
            Phase::Uploading | Phase::Ready => None,
        };
        ReceiptAnswer {
            state: self.state(now),
            cause: ended.map(|(cause, _)| cause),
            at: ended.map(|(_, at)| at),
            created_at: self.created_at,
            expires_at: self.expires_at,
            claims_max: self.claims_max,
            claims_left: self.claims_left,
            attempts_left: self.attempts_left,
            body_len: self.body_len,
            claims: self.leases.iter().map(Lease::on_receipt).collect(),
        }
    }
}
