//! What a client knows of one transfer, call by call: what was acknowledged is certain, what was not answered is possible.
//! An answer that no history of a sound server explains is a complaint. It makes no calls.

mod tests;

use std::collections::BTreeMap;

use onetimeshare_protocol::error::{ErrorBody, ErrorCode};
use onetimeshare_protocol::id::ClaimToken;
use onetimeshare_protocol::limits::ATTEMPTS_MAX;
use onetimeshare_protocol::transfer::{Cause, ClaimAnswer, PeekAnswer, State};

use crate::secret::{Content, Secret};
use crate::wire::{Answer, Call, Heard};

/// Whether something has happened on the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Certainty {
    #[default]
    No,
    /// It was asked for, and no answer came.
    Maybe,
    Yes,
}
use Certainty::{Maybe, No, Yes};

/// One claimant.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Claim {
    pub(crate) granted: Certainty,
    pub(crate) delivered: Certainty,
    lease_expires_at: u64,
}

/// What is known of one transfer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) created: Certainty,
    pub(crate) parts: BTreeMap<u64, Certainty>,
    pub(crate) completed: Certainty,
    pub(crate) claims: BTreeMap<ClaimToken, Claim>,
    burnt: Certainty,
    /// Whether it is certain that it is gone, whatever the cause.
    is_over: bool,
    /// The least and the most attempts that wrong proofs have used.
    attempts: (u32, u32),
    /// Whether an answer that blames the store is a fault of the machine's, made on purpose, and not the server's.
    bears_faults: bool,
}

/// An answer that cannot be explained.
pub(crate) type Complaint = String;

fn require(holds: bool, complaint: &str) -> Result<(), Complaint> {
    if holds {
        Ok(())
    } else {
        Err(complaint.to_owned())
    }
}

impl Ledger {
    /// Of a server whose stores are made to fail: that it says so is no complaint, and leaves the call in doubt.
    pub(crate) fn with_faults() -> Self {
        Self {
            bears_faults: true,
            ..Self::default()
        }
    }

    /// Takes note of what was heard of a call.
    pub(crate) fn hear(
        &mut self,
        secret: &Secret,
        call: &Call,
        heard: &Heard,
    ) -> Result<(), Complaint> {
        match heard {
            Heard::Unsent => Ok(()),
            Heard::Silence => {
                self.suspect(call);
                Ok(())
            }
            Heard::Answer(Answer::Refused(body)) => self.refused(secret, call, body),
            Heard::Answer(answer) => self.answered(secret, call, answer),
        }
    }

    /// Whether it is certain that only a tombstone is left.
    pub(crate) fn is_gone(&self, secret: &Secret) -> bool {
        let spent = self.claims.values().filter(|claim| claim.delivered == Yes);
        self.is_over || self.burnt == Yes || as_u32(spent.count()) == secret.create.claims_max
    }

    /// Whether the body is certain to be there as a whole.
    pub(crate) fn is_complete(&self, secret: &Secret) -> bool {
        self.created == Yes && (secret.is_inline() || self.completed == Yes)
    }

    /// The call may have had its effect.
    pub(crate) fn suspect(&mut self, call: &Call) {
        let doubt = |certainty: &mut Certainty| *certainty = (*certainty).max(Maybe);
        match call {
            Call::Create => doubt(&mut self.created),
            Call::Part(index) => doubt(self.parts.entry(*index).or_default()),
            Call::Complete => doubt(&mut self.completed),
            Call::Claim(claimant) => {
                doubt(&mut self.claims.entry(claimant.clone()).or_default().granted);
            }
            Call::Guess(_) => self.attempts.1 = (self.attempts.1 + 1).min(ATTEMPTS_MAX),
            Call::Delivered(claimant) => {
                doubt(&mut self.claims.entry(claimant.clone()).or_default().delivered);
            }
            Call::Unlock => self.attempts.0 = 0,
            Call::Burn => doubt(&mut self.burnt),
            Call::Parts | Call::Peek { .. } | Call::Body(..) => {}
        }
    }

    fn answered(&mut self, secret: &Secret, call: &Call, answer: &Answer) -> Result<(), Complaint> {
        let is_gone = self.is_gone(secret);
        match (call, answer) {
            (Call::Create, Answer::Created(created)) => {
                self.created = Yes;
                return self.stands(secret, created.state);
            }
            // Of what is gone already it changes nothing, and succeeds.
            (Call::Burn, Answer::Done) => {
                self.burnt = self.burnt.max(if is_gone { self.burnt } else { Maybe });
                self.is_over = true;
                return Ok(());
            }
            (Call::Delivered(claimant), Answer::Done) => {
                let claim = self.claims.entry(claimant.clone()).or_default();
                require(claim.granted != No, "delivered, but never granted")?;
                (claim.granted, claim.delivered) = (Yes, Yes);
                return Ok(());
            }
            _ => require(!is_gone, "it was gone, and is there again")?,
        }
        match (call, answer) {
            (Call::Part(index), Answer::Done) => {
                self.parts.insert(*index, Yes);
            }
            (Call::Parts, Answer::Parts(parts)) => return self.lists(&parts.accepted),
            (Call::Complete, Answer::Completed(completed)) => {
                let known = self.parts.values().filter(|part| **part != No);
                require(
                    known.count() == secret.part_count().try_into().unwrap_or(usize::MAX),
                    "complete without all its parts",
                )?;
                self.completed = Yes;
                return self.stands(secret, completed.state);
            }
            (Call::Peek { with_access }, Answer::Seen(seen)) => {
                return self.sees(secret, *with_access, seen);
            }
            (Call::Claim(claimant), Answer::Granted(granted)) => {
                return self.grants(secret, claimant, granted);
            }
            (Call::Guess(_), Answer::Granted(_)) => {
                return Err("a wrong passphrase was granted a claim".to_owned());
            }
            (Call::Body(claimant, range), Answer::Bytes(bytes)) => {
                let claim = self.claims.entry(claimant.clone()).or_default();
                require(claim.granted != No, "a body without a claim")?;
                require(claim.delivered != Yes, "a body after its delivery")?;
                let within = usize::try_from(range.start).ok()..usize::try_from(range.end).ok();
                let expected = within
                    .start
                    .zip(within.end)
                    .and_then(|(start, end)| secret.body.get(start..end));
                require(expected == Some(bytes), "other bytes than were sealed")?;
            }
            (Call::Unlock, Answer::Done) => self.attempts = (0, 0),
            _ => return Err("an answer of another call".to_owned()),
        }
        Ok(())
    }

    fn lists(&mut self, accepted: &[u64]) -> Result<(), Complaint> {
        for (index, part) in &mut self.parts {
            let is_listed = accepted.contains(index);
            require(is_listed || *part != Yes, "an acknowledged part is lost")?;
            *part = if is_listed { Yes } else { No };
        }
        let mut unknown = accepted
            .iter()
            .filter(|index| !self.parts.contains_key(index));
        require(unknown.next().is_none(), "a part that was never sent")
    }

    /// Whether it may stand so.
    fn stands(&mut self, secret: &Secret, state: State) -> Result<(), Complaint> {
        match state {
            State::Uploading => {
                require(!self.is_complete(secret), "it was complete, and is not")?;
                self.completed = No;
            }
            State::Ready | State::Claimed => {
                require(!self.is_gone(secret), "it was gone, and is there again")?;
                require(
                    secret.is_inline() || self.completed != No,
                    "ready without being complete",
                )?;
                self.completed = Yes;
            }
            State::Gone => {
                require(self.may_be_gone(secret), "it is gone, and nobody ended it")?;
                self.is_over = true;
            }
        }
        Ok(())
    }

    fn sees(
        &mut self,
        secret: &Secret,
        with_access: bool,
        seen: &PeekAnswer,
    ) -> Result<(), Complaint> {
        self.created = Yes;
        self.stands(secret, seen.state)?;
        let taken = secret.create.claims_max.checked_sub(seen.claims_left);
        let (least, most) = (self.claims_of(Yes), self.claims_of(Maybe));
        require(
            taken.is_some_and(|taken| (least..=most).contains(&taken)),
            "another number of claims was taken than was granted",
        )?;
        self.used(ATTEMPTS_MAX.checked_sub(seen.attempts_left))?;
        match &seen.manifest {
            Some(manifest) => require(
                with_access && *manifest == secret.create.manifest,
                "another manifest than was sealed",
            ),
            None => require(
                !with_access || seen.state == State::Claimed,
                "a proof without its manifest",
            ),
        }
    }

    /// How many claims are at least so certain.
    fn claims_of(&self, certainty: Certainty) -> u32 {
        let claims = self.claims.values();
        as_u32(claims.filter(|claim| claim.granted >= certainty).count())
    }

    /// So many attempts are used.
    fn used(&mut self, used: Option<u32>) -> Result<(), Complaint> {
        let (least, most) = self.attempts;
        let used = used.filter(|used| (least..=most).contains(used));
        let used = used.ok_or("another number of attempts is left than wrong proofs have cost")?;
        self.attempts = (used, used);
        Ok(())
    }

    fn grants(
        &mut self,
        secret: &Secret,
        claimant: &ClaimToken,
        granted: &ClaimAnswer,
    ) -> Result<(), Complaint> {
        let body = granted.body.as_ref().unwrap_or(&secret.body);
        require(
            granted.body.is_some() == secret.is_inline()
                && secret.open(&granted.manifest, body) == Content::Same,
            "what was granted does not open to what was sealed",
        )?;
        let claim = self.claims.entry(claimant.clone()).or_default();
        require(claim.delivered != Yes, "granted again after its delivery")?;
        require(
            granted.lease_expires_at >= claim.lease_expires_at,
            "a repeated claim has a shorter lease",
        )?;
        claim.lease_expires_at = granted.lease_expires_at;
        claim.granted = Yes;
        self.completed = Yes;
        require(
            self.claims_of(Yes) <= secret.create.claims_max,
            "granted to more claimants than its sender chose",
        )
    }

    fn refused(&mut self, secret: &Secret, call: &Call, body: &ErrorBody) -> Result<(), Complaint> {
        let members = &body.members;
        match (call, body.code) {
            (_, ErrorCode::StoreUnreachable | ErrorCode::StoreFull) if self.bears_faults => {
                self.suspect(call);
                Ok(())
            }
            (_, ErrorCode::TransferGone) => self.ended(secret, call, members.cause),
            (Call::Body(claimant, _) | Call::Delivered(claimant), ErrorCode::TransferUnknown) => {
                let claim = self.claims.entry(claimant.clone()).or_default();
                require(claim.granted != Yes, "an acknowledged claim is lost")?;
                claim.granted = No;
                Ok(())
            }
            (_, ErrorCode::TransferUnknown) => {
                require(self.created != Yes, "an acknowledged transfer is lost")?;
                self.created = No;
                Ok(())
            }
            (Call::Part(_), ErrorCode::TransferNotUploading) => {
                require(self.completed != No, "complete, but nobody said so")
            }
            (Call::Complete, ErrorCode::PartMissing) => {
                let missing = members.missing.as_deref().unwrap_or_default();
                let held = missing
                    .iter()
                    .any(|index| self.parts.get(index) == Some(&Yes));
                require(!held, "an acknowledged part is lost")
            }
            (Call::Claim(_), ErrorCode::TransferNotReady) => {
                require(!self.is_complete(secret), "it was complete, and is not")?;
                self.completed = No;
                Ok(())
            }
            (Call::Guess(_), ErrorCode::AccessDenied) => {
                let (least, most) = self.attempts;
                self.attempts = (least + 1, (most + 1).min(ATTEMPTS_MAX));
                self.used(
                    members
                        .attempts_left
                        .and_then(|left| ATTEMPTS_MAX.checked_sub(left)),
                )
            }
            (Call::Guess(_) | Call::Peek { with_access: true }, ErrorCode::TransferLocked) => {
                self.used(Some(ATTEMPTS_MAX))
            }
            (Call::Claim(claimant), code) => self.claim_refused(secret, claimant, code),
            (Call::Body(claimant, _), ErrorCode::LeaseEnded) => self.lease_ended(claimant),
            (_, code) => Err(format!("refused: {code}")),
        }
    }

    fn claim_refused(
        &mut self,
        secret: &Secret,
        claimant: &ClaimToken,
        code: ErrorCode,
    ) -> Result<(), Complaint> {
        if code == ErrorCode::LeaseEnded {
            return self.lease_ended(claimant);
        }
        let claim = self.claims.entry(claimant.clone()).or_default();
        require(claim.granted != Yes, "a claim that was granted is refused")?;
        claim.granted = No;
        match code {
            ErrorCode::TransferLocked => self.used(Some(ATTEMPTS_MAX)),
            ErrorCode::TransferClaimed => require(
                self.claims_of(Maybe) >= secret.create.claims_max,
                "claimed, but not by anyone who asked",
            ),
            _ => Err(format!("refused: {code}")),
        }
    }

    fn lease_ended(&mut self, claimant: &ClaimToken) -> Result<(), Complaint> {
        let claim = self.claims.entry(claimant.clone()).or_default();
        require(claim.delivered != No, "a lease ended, and nobody ended it")?;
        (claim.granted, claim.delivered) = (Yes, Yes);
        Ok(())
    }

    /// It is gone, for this cause.
    fn ended(
        &mut self,
        secret: &Secret,
        call: &Call,
        cause: Option<Cause>,
    ) -> Result<(), Complaint> {
        let may_be = match cause {
            Some(Cause::Burnt) => self.burnt != No,
            Some(Cause::Delivered) => self.may_be_delivered(secret),
            _ => false,
        };
        require(
            may_be,
            &format!("gone as {cause:?}, and nobody ended it so"),
        )?;
        self.is_over = true;
        if let Call::Claim(claimant) = call {
            let claim = self.claims.entry(claimant.clone()).or_default();
            // Who had claimed a transfer that was burnt is told the same as everybody else.
            if claim.granted == Maybe && cause == Some(Cause::Delivered) {
                claim.granted = No;
            }
        }
        Ok(())
    }

    fn may_be_gone(&self, secret: &Secret) -> bool {
        self.is_over || self.burnt != No || self.may_be_delivered(secret)
    }

    fn may_be_delivered(&self, secret: &Secret) -> bool {
        let ended = self.claims.values().filter(|claim| claim.delivered != No);
        as_u32(ended.count()) >= secret.create.claims_max
    }
}

fn as_u32(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
