//! One transfer under load: what is done with it next, and the ledger of what came of it. It stops at the first complaint.

use std::collections::VecDeque;

use onetimeshare_client::Client;
use onetimeshare_protocol::error::ErrorCode;
use onetimeshare_protocol::id::ClaimToken;

use crate::ledger::{Certainty, Ledger};
use crate::secret::{PART_LEN, Secret, random};
use crate::wire::{self, Answer, Call, Heard};

/// How many calls a complaint shows.
const SHOWN: usize = 24;

/// A transfer, its ledger, and the last calls.
pub(crate) struct Tale {
    pub(crate) secret: Secret,
    pub(crate) ledger: Ledger,
    /// Whether it was called since it was last checked.
    pub(crate) is_touched: bool,
    calls: VecDeque<String>,
}

impl Tale {
    pub(crate) fn new(secret: Secret, ledger: Ledger) -> Self {
        Self {
            secret,
            ledger,
            is_touched: true,
            calls: VecDeque::new(),
        }
    }

    /// One of a mixed load: half of them small enough to go with their create request, most for one claimant.
    pub(crate) fn mixed(rng: &mut fastrand::Rng, ledger: Ledger) -> Self {
        let content_len = if rng.bool() {
            rng.usize(0..3000)
        } else {
            rng.usize(PART_LEN / 2..3 * PART_LEN)
        };
        let claims_max = if rng.u8(0..4) == 0 { 3 } else { 1 };
        Self::new(Secret::seal(rng, content_len, claims_max), ledger)
    }

    /// Makes one call and takes note of it.
    ///
    /// # Panics
    /// With the last calls, when the answer breaks a promise.
    pub(crate) fn call(&mut self, client: &Client, call: &Call) -> Heard {
        let heard = wire::call(client, call, &self.secret);
        self.hear(call, &heard);
        heard
    }

    pub(crate) fn hear(&mut self, call: &Call, heard: &Heard) {
        self.is_touched = true;
        self.calls
            .push_back(format!("{call:?} -> {}", outline(heard)));
        if self.calls.len() > SHOWN {
            self.calls.pop_front();
        }
        if let Err(complaint) = self.ledger.hear(&self.secret, call, heard) {
            panic!("{complaint}\n{:?}\n{}", self.secret.id(), self.last_calls());
        }
    }

    /// Creates it, sends its parts and completes it, each call on one of `clients`.
    pub(crate) fn upload(&mut self, clients: &[Client], rng: &mut fastrand::Rng) {
        self.call(any(clients, rng), &Call::Create);
        for index in 0..self.secret.part_count() {
            self.call(any(clients, rng), &Call::Part(index));
        }
        if !self.secret.is_inline() {
            self.call(any(clients, rng), &Call::Complete);
        }
        assert!(
            self.ledger.is_complete(&self.secret),
            "{}",
            self.last_calls()
        );
    }

    /// What was heard last, one line for each call.
    fn last_calls(&self) -> String {
        let calls: Vec<_> = self.calls.iter().map(String::as_str).collect();
        calls.join("\n")
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.ledger.is_gone(&self.secret)
    }

    /// What a client might do next.
    pub(crate) fn next(&self, rng: &mut fastrand::Rng) -> Call {
        if self.ledger.created != Certainty::Yes {
            return Call::Create;
        }
        if !self.ledger.is_complete(&self.secret) {
            return self.next_of_upload(rng);
        }
        match rng.u8(0..100) {
            0..20 => Call::Peek {
                with_access: rng.bool(),
            },
            20..28 => Call::Guess(fresh(rng)),
            28..33 => Call::Unlock,
            33..55 => Call::Claim(fresh(rng)),
            55..67 => {
                let known = self.ledger.claims.keys().cloned();
                rng_choice(rng, known).map_or(Call::Create, Call::Claim)
            }
            67..84 => self
                .holder(rng)
                .map_or(Call::Create, |holder| Call::Body(holder, self.range(rng))),
            84..97 => self.holder(rng).map_or(Call::Parts, Call::Delivered),
            _ => Call::Burn,
        }
    }

    fn next_of_upload(&self, rng: &mut fastrand::Rng) -> Call {
        let parts = 0..self.secret.part_count();
        let missing = parts
            .clone()
            .filter(|index| self.ledger.parts.get(index) != Some(&Certainty::Yes));
        match (rng.u8(0..20), rng_choice(rng, missing)) {
            (0, _) => Call::Burn,
            (1, _) => Call::Claim(fresh(rng)),
            (2, _) => Call::Guess(fresh(rng)),
            (3 | 4, _) => Call::Parts,
            (5, _) => Call::Part(rng.u64(parts)),
            (6, _) | (_, None) => Call::Complete,
            (_, Some(index)) => Call::Part(index),
        }
    }

    /// A claimant who is sure of its lease.
    fn holder(&self, rng: &mut fastrand::Rng) -> Option<ClaimToken> {
        rng_choice(rng, self.holders())
    }

    /// Every claimant whose lease was granted and has not ended.
    pub(crate) fn holders(&self) -> impl Iterator<Item = ClaimToken> {
        let claims = self.ledger.claims.iter();
        claims
            .filter(|(_, claim)| {
                claim.granted == Certainty::Yes && claim.delivered == Certainty::No
            })
            .map(|(claimant, _)| claimant.clone())
    }

    fn range(&self, rng: &mut fastrand::Rng) -> std::ops::Range<u64> {
        let end = self.secret.create.body_len;
        let start = rng.u64(0..end);
        start..rng.u64(start + 1..=end)
    }

    /// What several clients might do at one moment: three new claimants, one that reads and ends, and the owner; or two writers of
    /// one part and somebody who completes.
    fn rush(&self, rng: &mut fastrand::Rng) -> Vec<Call> {
        let mut calls = Vec::new();
        if self.ledger.is_complete(&self.secret) {
            calls.extend((0..3).map(|_| Call::Claim(fresh(rng))));
            if let Some(holder) = self.holder(rng) {
                calls.push(Call::Body(holder.clone(), self.range(rng)));
                calls.extend(rng.bool().then_some(Call::Delivered(holder)));
            }
        } else {
            let index = rng.u64(0..self.secret.part_count());
            calls.extend([Call::Part(index), Call::Part(index), Call::Complete]);
        }
        calls.extend((rng.u8(0..6) == 0).then_some(Call::Burn));
        calls
    }

    /// Several calls at one moment, each by one of `clients`. How many.
    pub(crate) fn race(&mut self, clients: &[Client], rng: &mut fastrand::Rng) -> u64 {
        let calls = self.rush(rng);
        for call in &calls {
            self.ledger.suspect(call);
        }
        let secret = &self.secret;
        let mut heard: Vec<_> = std::thread::scope(|scope| {
            let calling: Vec<_> = calls
                .iter()
                .map(|call| (call, any(clients, rng)))
                .map(|(call, client)| (call, scope.spawn(move || wire::call(client, call, secret))))
                .collect();
            let answered = calling.into_iter();
            answered
                .map(|(call, caller)| (call, caller.join().expect("a client does not panic")))
                .collect()
        });
        // Heard in an order in which they may have happened.
        heard.sort_by_key(|(call, heard)| place_in_time(call, heard));
        for (call, heard) in &heard {
            self.hear(call, heard);
        }
        calls.len().try_into().expect("a handful")
    }

    /// Asks for everything that is known or in doubt, on servers that answer, each call on one of them; afterwards nothing is
    /// in doubt. Content that a claimant holds is opened.
    pub(crate) fn check(&mut self, clients: &[Client], rng: &mut fastrand::Rng) {
        if self.ledger.created == Certainty::Maybe {
            self.call(any(clients, rng), &Call::Create);
        }
        self.call(any(clients, rng), &Call::Parts);
        let claimants: Vec<_> = self.ledger.claims.keys().cloned().collect();
        for claimant in claimants {
            if self.is_gone() {
                break;
            }
            self.check_claim(clients, claimant, rng);
        }
        // Before the peek, which tells how many claims were taken in all.
        if self.ledger.is_complete(&self.secret) && self.is_taken() {
            self.call(any(clients, rng), &Call::Claim(fresh(rng)));
        }
        self.call(any(clients, rng), &Call::Peek { with_access: false });
        self.is_touched = false;
    }

    /// Whether no claim is left.
    fn is_taken(&self) -> bool {
        let granted = self.ledger.claims.values();
        let granted = granted.filter(|claim| claim.granted == Certainty::Yes);
        granted.count() >= usize::try_from(self.secret.create.claims_max).unwrap_or(usize::MAX)
    }

    /// One that is known or in doubt is asked for twice: both answers are the same lease, or both the same refusal.
    fn check_claim(&mut self, clients: &[Client], claimant: ClaimToken, rng: &mut fastrand::Rng) {
        let claim = self.ledger.claims[&claimant];
        if claim.granted == Certainty::No {
            return;
        }
        let call = Call::Claim(claimant.clone());
        let first = self.call(any(clients, rng), &call);
        let second = self.call(any(clients, rng), &call);
        assert_eq!(first, second, "one claimant, two leases");
        if claim.delivered == Certainty::Maybe && matches!(first, Heard::Answer(Answer::Granted(_)))
        {
            self.call(any(clients, rng), &Call::Delivered(claimant));
        } else if matches!(first, Heard::Answer(Answer::Granted(_))) {
            let whole = 0..self.secret.create.body_len;
            self.call(any(clients, rng), &Call::Body(claimant, whole));
        }
    }

    /// Opens it for real, as often as it can be claimed, and delivers it; burns it when it is not complete.
    ///
    /// # Panics
    /// When it is not gone then.
    pub(crate) fn open_and_end(&mut self, clients: &[Client], rng: &mut fastrand::Rng) {
        if self.ledger.created != Certainty::Yes || self.is_gone() {
            return;
        }
        if self.ledger.is_complete(&self.secret) {
            self.call(any(clients, rng), &Call::Unlock);
            for _ in 0..self.secret.create.claims_max {
                self.call(any(clients, rng), &Call::Claim(fresh(rng)));
            }
            let whole = 0..self.secret.create.body_len;
            for holder in self.holders().collect::<Vec<_>>() {
                let fetch = Call::Body(holder.clone(), whole.clone());
                self.call(any(clients, rng), &fetch);
                self.call(any(clients, rng), &Call::Delivered(holder));
            }
        } else {
            self.call(any(clients, rng), &Call::Burn);
        }
        assert!(self.is_gone(), "it was ended, and is not gone");
    }
}

/// One of the clients, of which there is at least one.
pub(crate) fn any<'a>(clients: &'a [Client], rng: &mut fastrand::Rng) -> &'a Client {
    &clients[rng.usize(..clients.len())]
}

/// Of what was heard at one moment: what only a living transfer answers comes before its end, and what is missing yet before it is
/// there.
fn place_in_time(call: &Call, heard: &Heard) -> u8 {
    match (call, heard) {
        (_, Heard::Answer(Answer::Refused(body))) if body.code == ErrorCode::TransferGone => 2,
        (_, Heard::Answer(Answer::Refused(_) | Answer::Granted(_) | Answer::Bytes(_))) => 0,
        (Call::Part(_) | Call::Complete, Heard::Answer(_)) => 1,
        _ => 3,
    }
}

/// A new claimant.
pub(crate) fn fresh(rng: &mut fastrand::Rng) -> ClaimToken {
    ClaimToken::from_bytes(random(rng))
}

fn rng_choice<T>(rng: &mut fastrand::Rng, from: impl Iterator<Item = T>) -> Option<T> {
    rng.choice(from.collect::<Vec<_>>())
}

/// What was heard, in a few words.
fn outline(heard: &Heard) -> String {
    match heard {
        Heard::Answer(Answer::Refused(body)) => format!("{} {:?}", body.code, body.members),
        Heard::Answer(Answer::Bytes(bytes)) => format!("{} bytes", bytes.len()),
        Heard::Answer(Answer::Granted(granted)) => {
            format!("granted until {}", granted.lease_expires_at)
        }
        Heard::Answer(Answer::Seen(seen)) => format!(
            "{:?}, {} claims and {} attempts left",
            seen.state, seen.claims_left, seen.attempts_left
        ),
        heard => format!("{heard:?}"),
    }
}
