//! What the world was told and given, however much of it the servers have forgotten: what the promises are held against.

use onetimeshare_protocol::transfer::Cause;
use onetimeshare_server::transfer::{LeaseEnd, Refusal};

use crate::call::{Answer, Call, Claimant};
use crate::facts::{Ended, Facts};
use crate::invariant::Invariant;
use crate::object::Objects;
use crate::scenario::Scenario;

/// What one claimant was told and given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct SeenClaim {
    /// It was granted a claim.
    pub(crate) is_granted: bool,
    /// Its lease lasts until this tick, as far as it was told.
    pub(crate) until: u8,
    /// It was given bytes of the body.
    pub(crate) has_bytes: bool,
    /// How often the giving of the body was begun; counted where it is given once.
    pub(crate) given: u8,
    /// It has said that everything arrived, and was heard.
    pub(crate) is_delivered: bool,
    /// How its lease ended, as the receipt told.
    pub(crate) ended: Ended,
}

/// What was told and given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Seen {
    /// The sender was told that it stands.
    pub(crate) is_created: bool,
    /// The sender was told that it is ready.
    pub(crate) is_ready: bool,
    /// When it expires, in ticks, as the sender was told.
    pub(crate) expires: u8,
    /// The objects that were accepted as parts.
    pub(crate) accepted: Objects,
    /// The claimants.
    pub(crate) claims: [SeenClaim; 2],
    /// The sender was told that it is burnt.
    pub(crate) is_burnt: bool,
    /// A step that made it gone was answered.
    pub(crate) is_over: bool,
    /// Why, as the receipt told.
    pub(crate) cause: Option<Cause>,
}

impl Seen {
    /// The claimant of this number.
    pub(crate) fn claim(&mut self, number: Claimant) -> &mut SeenClaim {
        let claim = self.claims.get_mut(usize::from(number));
        claim.expect("there are two claimants")
    }

    /// How many claimants were granted a claim.
    pub(crate) fn granted(&self) -> u32 {
        self.claims
            .iter()
            .map(|claim| u32::from(claim.is_granted))
            .sum()
    }

    /// How many claimants were given something of the body.
    pub(crate) fn served(&self) -> u32 {
        self.claims
            .iter()
            .map(|claim| u32::from(claim.has_bytes))
            .sum()
    }

    /// Whether a claimant holds a lease that nothing it was told has ended.
    pub(crate) fn is_live(&self, claim: &SeenClaim, tick: u8) -> bool {
        claim.is_granted && !claim.is_delivered && !self.is_burnt && tick < claim.until
    }

    /// Keeps what a call was answered.
    pub(crate) fn hear(
        &mut self,
        scenario: &Scenario,
        call: Call,
        answer: &Answer,
        tick: u8,
    ) -> Result<(), Invariant> {
        match (call, answer) {
            (Call::Create, Answer::Done) => self.is_created = true,
            (Call::Create | Call::Complete, Answer::Ready(expires_at)) => {
                self.is_created = true;
                self.is_ready = true;
                self.expires = scenario.tick(*expires_at);
            }
            (Call::Accept(object), Answer::Accepted(true)) => self.accepted.insert(object),
            (Call::Burn, Answer::Done) => self.is_burnt = true,
            (Call::Complete, Answer::Refused(refusal))
                if self.is_ready && !matches!(refusal, Refusal::Gone { .. } | Refusal::Unknown) =>
            {
                return Err(Invariant::TwiceIsOnce);
            }
            (Call::Deliver(number), Answer::Refused(refusal))
                if self.claim(number).is_delivered && *refusal != Refusal::Unknown =>
            {
                return Err(Invariant::TwiceIsOnce);
            }
            (Call::Deliver(number), Answer::Done) => self.claim(number).is_delivered = true,
            (Call::Claim(number), Answer::Granted { until, has_body }) => {
                self.hear_grant(number, scenario.tick(*until))?;
                if *has_body {
                    self.take_bytes(scenario, number)?;
                    self.begin_giving(scenario, number)?;
                }
            }
            (Call::Claim(number), Answer::Refused(_)) => {
                let claim = *self.claim(number);
                if self.is_live(&claim, tick) && !scenario.is_once() {
                    return Err(Invariant::LeaseHolds);
                }
            }
            (Call::Fetch(number), Answer::Fetched { has_body, .. }) => {
                if self.is_over {
                    return Err(Invariant::GoneIsSilent);
                }
                self.begin_giving(scenario, number)?;
                if *has_body {
                    self.take_bytes(scenario, number)?;
                }
            }
            // Bytes flow while a lease can be renewed and its parts be found.
            (Call::Renew(_), Answer::Until(_)) | (Call::Find(_), Answer::Found(Some(_)))
                if self.is_over =>
            {
                return Err(Invariant::GoneIsSilent);
            }
            _ => {}
        }
        Ok(())
    }

    fn hear_grant(&mut self, number: Claimant, until: u8) -> Result<(), Invariant> {
        if !self.is_ready {
            return Err(Invariant::CompleteBeforeClaim);
        }
        if self.is_over {
            return Err(Invariant::GoneIsSilent);
        }
        let claim = self.claim(number);
        if claim.ended.is_some() {
            return Err(Invariant::ReceiptIsTrue);
        }
        if claim.is_granted && until < claim.until {
            return Err(Invariant::LeaseHolds);
        }
        claim.is_granted = true;
        claim.until = until;
        Ok(())
    }

    /// A body, or the way to it, was given to a claimant.
    fn begin_giving(&mut self, scenario: &Scenario, number: Claimant) -> Result<(), Invariant> {
        if !scenario.is_once() {
            return Ok(());
        }
        let claim = self.claim(number);
        claim.given += 1;
        (claim.given <= 1)
            .then_some(())
            .ok_or(Invariant::OnceIsOnce)
    }

    /// Bytes of the body were given to a claimant.
    pub(crate) fn take_bytes(
        &mut self,
        scenario: &Scenario,
        number: Claimant,
    ) -> Result<(), Invariant> {
        self.claim(number).has_bytes = true;
        if self.served() > scenario.claims_max {
            return Err(Invariant::AtMostClaimsMax);
        }
        Ok(())
    }

    /// Keeps what a receipt tells now. What was told of an end is not told otherwise later; but where a body is given once, a
    /// lapse may turn out to be a delivery.
    pub(crate) fn read(&mut self, scenario: &Scenario, facts: &Facts) -> Result<(), Invariant> {
        self.is_over |= facts.was_gone;
        if !facts.is_kept {
            return Ok(());
        }
        let is_corrected = |was, is| {
            let lapsed_then_delivered = (Some(LeaseEnd::Lapsed), Some(LeaseEnd::Delivered));
            scenario.is_once() && (was, is) == lapsed_then_delivered
        };
        for (claim, ended) in self.claims.iter_mut().zip(facts.ended) {
            if claim.ended.is_some() && claim.ended != ended && !is_corrected(claim.ended, ended) {
                return Err(Invariant::ReceiptIsTrue);
            }
            if claim.is_delivered && ended != Some(LeaseEnd::Delivered) {
                return Err(Invariant::ReceiptIsTrue);
            }
            claim.ended = ended;
        }
        let is_corrected = scenario.is_once() && self.cause == Some(Cause::Lapsed);
        if self.cause.is_some() && self.cause != facts.cause && !is_corrected {
            return Err(Invariant::ReceiptIsTrue);
        }
        self.cause = facts.cause;
        Ok(())
    }
}
