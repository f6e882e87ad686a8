//! The ledger against servers that break a promise: each history here has one planted fault, and must end in its complaint.

use onetimeshare_protocol::error::{ErrorBody, ErrorCode, ErrorMembers};
use onetimeshare_protocol::id::ClaimToken;
use onetimeshare_protocol::transfer::{
    Cause, ClaimAnswer, CompleteAnswer, CreateAnswer, PartsAnswer, PeekAnswer, State,
};

use super::{Complaint, Ledger};
use crate::secret::{PART_LEN, Secret};
use crate::wire::{Answer, Call, Heard};

/// A transfer, and what was heard of it so far without a complaint.
struct History {
    secret: Secret,
    ledger: Ledger,
}

fn token(name: u8) -> ClaimToken {
    ClaimToken::from_bytes([name; 32])
}

fn refused(code: ErrorCode, members: ErrorMembers) -> Heard {
    let message = String::new();
    Heard::Answer(Answer::Refused(ErrorBody {
        code,
        message,
        members,
    }))
}

fn bare(code: ErrorCode) -> Heard {
    refused(code, ErrorMembers::default())
}

fn gone(cause: Cause) -> Heard {
    let cause = Some(cause);
    refused(
        ErrorCode::TransferGone,
        ErrorMembers {
            cause,
            ..ErrorMembers::default()
        },
    )
}

const DONE: Heard = Heard::Answer(Answer::Done);
const PEEK: Call = Call::Peek { with_access: false };

impl History {
    /// Of one that was created, and is ready.
    fn inline(claims_max: u32) -> Self {
        let secret = Secret::seal(&mut fastrand::Rng::with_seed(1), 1000, claims_max);
        Self::of(secret, State::Ready)
    }

    /// Of one that was created, and lacks its two parts.
    fn in_parts() -> Self {
        let secret = Secret::seal(&mut fastrand::Rng::with_seed(2), PART_LEN + 1000, 1);
        assert_eq!(secret.part_count(), 2);
        Self::of(secret, State::Uploading)
    }

    fn of(secret: Secret, state: State) -> Self {
        let mut history = Self {
            secret,
            ledger: Ledger::default(),
        };
        let created = CreateAnswer {
            state,
            part_len: 65_536,
            expires_at: None,
        };
        history.expect(&Call::Create, &Heard::Answer(Answer::Created(created)));
        history
    }

    fn hear(&mut self, call: &Call, heard: &Heard) -> Result<(), Complaint> {
        self.ledger.hear(&self.secret, call, heard)
    }

    #[track_caller]
    fn expect(&mut self, call: &Call, heard: &Heard) {
        assert_eq!(self.hear(call, heard), Ok(()), "{call:?}");
    }

    /// This answer breaks a promise, and the complaint says which.
    #[track_caller]
    fn caught(&mut self, call: &Call, heard: &Heard, word: &str) {
        let complaint = self.hear(call, heard).expect_err("a fault was planted");
        assert!(complaint.contains(word), "{complaint}");
    }

    fn granted(&self, lease_expires_at: u64) -> Heard {
        let create = &self.secret.create;
        Heard::Answer(Answer::Granted(ClaimAnswer {
            lease_expires_at,
            body_len: create.body_len,
            manifest: create.manifest.clone(),
            body: create.body.clone(),
        }))
    }

    fn seen(&self, claims_left: u32, attempts_left: u32) -> Heard {
        Heard::Answer(Answer::Seen(PeekAnswer {
            state: State::Ready,
            created_at: 0,
            expires_at: None,
            claimed_at: None,
            claims_left,
            attempts_left,
            body_len: self.secret.create.body_len,
            part_len: 65_536,
            manifest: None,
        }))
    }
}

#[test]
fn a_transfer_that_is_lost_is_found_missing() {
    let mut history = History::inline(1);
    history.caught(&PEEK, &bare(ErrorCode::TransferUnknown), "lost");
}

#[test]
fn a_transfer_that_was_never_acknowledged_may_be_missing() {
    let mut history = History::inline(1);
    history.ledger = Ledger::default();
    history.expect(&Call::Create, &Heard::Silence);
    history.expect(&PEEK, &bare(ErrorCode::TransferUnknown));
}

#[test]
fn a_second_grant_is_found() {
    let mut history = History::inline(1);
    let granted = history.granted(9);
    history.expect(&Call::Claim(token(1)), &granted);
    history.caught(&Call::Claim(token(2)), &granted, "more claimants");
}

#[test]
fn a_grant_whose_answer_was_lost_counts() {
    let mut history = History::inline(1);
    let granted = history.granted(9);
    history.expect(&Call::Claim(token(1)), &Heard::Silence);
    history.expect(&Call::Claim(token(2)), &bare(ErrorCode::TransferClaimed));
    history.expect(&Call::Claim(token(1)), &granted);
    history.expect(&Call::Claim(token(1)), &granted);
    history.caught(
        &Call::Claim(token(1)),
        &bare(ErrorCode::TransferClaimed),
        "is refused",
    );
}

#[test]
fn a_repeated_claim_has_no_shorter_lease() {
    let mut history = History::inline(1);
    let (longer, shorter) = (history.granted(9), history.granted(8));
    history.expect(&Call::Claim(token(1)), &longer);
    history.caught(&Call::Claim(token(1)), &shorter, "shorter lease");
}

#[test]
fn a_claim_that_nobody_made_is_found() {
    let mut history = History::inline(1);
    let seen = history.seen(0, 5);
    history.caught(&PEEK, &seen, "claims");
    history.caught(
        &Call::Claim(token(1)),
        &bare(ErrorCode::TransferClaimed),
        "not by anyone",
    );
}

#[test]
fn attempts_that_come_back_are_found() {
    let mut history = History::inline(1);
    let denied = |attempts_left| {
        let attempts_left = Some(attempts_left);
        let members = ErrorMembers {
            attempts_left,
            ..ErrorMembers::default()
        };
        refused(ErrorCode::AccessDenied, members)
    };
    let guess = Call::Guess(token(1));
    history.expect(&guess, &denied(4));
    history.expect(&guess, &Heard::Silence);
    let seen = history.seen(1, 5);
    history.caught(&PEEK, &seen, "attempts");
    history.expect(&guess, &denied(2));
    history.caught(&guess, &denied(2), "attempts");
    history.caught(&guess, &bare(ErrorCode::TransferLocked), "attempts");
    let granted = history.granted(9);
    history.caught(&guess, &granted, "wrong passphrase");
}

#[test]
fn other_content_is_found() {
    let mut history = History::inline(1);
    let Heard::Answer(Answer::Granted(mut answer)) = history.granted(9) else {
        panic!("it is a grant");
    };
    if let Some(body) = &mut answer.body {
        body[40] ^= 1;
    }
    let granted = Heard::Answer(Answer::Granted(answer));
    history.caught(&Call::Claim(token(1)), &granted, "does not open");
}

#[test]
fn what_was_burnt_or_delivered_stays_so() {
    let mut history = History::inline(1);
    let (granted, seen) = (history.granted(9), history.seen(1, 5));
    history.caught(&PEEK, &gone(Cause::Burnt), "nobody ended it");
    history.expect(&Call::Burn, &Heard::Silence);
    history.expect(&PEEK, &seen);
    history.expect(&Call::Burn, &DONE);
    history.expect(&PEEK, &gone(Cause::Burnt));
    history.caught(&PEEK, &seen, "there again");
    history.caught(&Call::Claim(token(1)), &granted, "there again");

    let mut history = History::inline(1);
    history.expect(&Call::Claim(token(1)), &granted_of(&history));
    history.expect(&Call::Delivered(token(1)), &DONE);
    history.expect(&Call::Claim(token(1)), &bare(ErrorCode::LeaseEnded));
    history.expect(&PEEK, &gone(Cause::Delivered));
    history.caught(&PEEK, &gone(Cause::Burnt), "nobody ended it");
    let seen = history.seen(0, 5);
    history.caught(&PEEK, &seen, "there again");
}

fn granted_of(history: &History) -> Heard {
    history.granted(9)
}

#[test]
fn parts_that_are_lost_or_made_up_are_found() {
    let listed = |accepted: &[u64]| {
        Heard::Answer(Answer::Parts(PartsAnswer {
            part_len: 65_536,
            part_count: 2,
            accepted: accepted.to_vec(),
        }))
    };
    let completed = Heard::Answer(Answer::Completed(CompleteAnswer {
        state: State::Ready,
        expires_at: 9,
    }));
    let mut history = History::in_parts();
    history.expect(&Call::Part(0), &DONE);
    history.caught(&Call::Parts, &listed(&[]), "lost");
    history.caught(&Call::Parts, &listed(&[0, 1]), "never sent");
    history.caught(&Call::Complete, &completed, "without all");
    history.expect(&Call::Part(1), &Heard::Silence);
    history.expect(&Call::Parts, &listed(&[0]));
    history.expect(&Call::Part(1), &DONE);
    history.expect(&Call::Complete, &completed);
    let missing = Some(vec![1]);
    let members = ErrorMembers {
        missing,
        ..ErrorMembers::default()
    };
    history.caught(
        &Call::Complete,
        &refused(ErrorCode::PartMissing, members),
        "lost",
    );
    history.caught(
        &Call::Claim(token(1)),
        &bare(ErrorCode::TransferNotReady),
        "it was complete",
    );
}

#[test]
fn a_store_that_fails_is_a_complaint_unless_it_was_made_to() {
    let mut history = History::inline(1);
    history.caught(
        &Call::Claim(token(1)),
        &bare(ErrorCode::StoreUnreachable),
        "refused",
    );
    history.ledger = Ledger::with_faults();
    history.expect(&Call::Claim(token(1)), &bare(ErrorCode::StoreUnreachable));
    // It may have been granted all the same: then nobody else gets it.
    history.expect(&Call::Claim(token(2)), &bare(ErrorCode::TransferClaimed));
}
