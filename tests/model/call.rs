//! The calls that are made on the server's own records. Whatever follows from one is the server's code: nothing here decides.

use onetimeshare_protocol::id::{AccessVerifier, ClaimVerifier};
use onetimeshare_server::record::PartStart;
use onetimeshare_server::record::tables::Tables;
use onetimeshare_server::transfer::{Moment, Outcome, Refusal};

use crate::object::{Object, Objects};
use crate::scenario::{
    ACCESS, LINK, OWNER, Scenario, WRONG_ACCESS, WRONG_LINK, WRONG_OWNER, claimant, id, part,
};

/// Who claims, by number.
pub(crate) type Claimant = u8;

/// A claimant that never claims but on copies, to see whether it could.
pub(crate) const STRANGER: Claimant = 9;

/// More than a sweeper finds.
const BATCH: usize = 100;

/// One atomic step of the record store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Call {
    /// The sender creates it.
    Create,
    /// The sender asks to write an object.
    Begin(Object),
    /// The server that wrote the object brings it.
    Accept(Object),
    /// The sender says that every part is there.
    Complete,
    /// The sender burns it.
    Burn,
    /// The sender unlocks it.
    Unlock,
    /// A claimant claims, or repeats its claim.
    Claim(Claimant),
    /// A claimant asks for the body.
    Fetch(Claimant),
    /// A claimant asks for more time, or the server that sends the body does for it.
    Renew(Claimant),
    /// The server that was sending a body says that it is over.
    EndFetch(Claimant),
    /// A claimant says that everything arrived.
    Deliver(Claimant),
    /// The server that sends the body looks for a part.
    Find(u8),
    /// So many wrong access proofs, one after the other.
    Guess(u8),
    /// Everything that can be said with a wrong link proof, owner token or claim token.
    Wrong,
    /// A sweeper settles what is due.
    Sweep,
    /// A sweeper takes what is to be deleted.
    Take,
    /// A sweeper says what it has deleted, and that it had taken that at this tick.
    Confirm(Objects, u8),
}

/// What a call came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It succeeded, and there is no more to say.
    Done,
    /// Whether a part has to be written.
    Begun(bool),
    /// Whether the object is the part.
    Accepted(bool),
    /// It is complete, and expires then.
    Ready(u64),
    /// A claim is granted, with a lease until then.
    Granted {
        /// When the lease ends.
        until: u64,
        /// Whether the body came with it.
        has_body: bool,
    },
    /// A fetch may begin.
    Fetched {
        /// Whether it is the only one.
        is_whole: bool,
        /// Whether the body came with it.
        has_body: bool,
    },
    /// The lease ends then.
    Until(u64),
    /// Where a part lies.
    Found(Option<Object>),
    /// What is to be deleted.
    Taken(Objects),
    /// It is refused.
    Refused(Refusal),
}

impl Answer {
    fn of<T>(outcome: Outcome<T>, answer: impl FnOnce(T) -> Self) -> Self {
        outcome.map_or_else(Self::Refused, answer)
    }
}

impl Call {
    /// Runs it on `tables`.
    pub(crate) fn run(self, scenario: &Scenario, tables: &mut Tables, at: Moment) -> Answer {
        let id = id();
        match self {
            Self::Create => {
                let created = tables.create(scenario.create(), at);
                if let Some(entry) = tables.entries.get_mut(&id) {
                    entry.beyond = scenario.stuck;
                }
                Answer::of(created, |created| {
                    created.expires_at.map_or(Answer::Done, Answer::Ready)
                })
            }
            Self::Begin(object) => {
                let begun = tables.begin_part(&OWNER, &part(object), at);
                Answer::of(begun, |start| Answer::Begun(start == PartStart::Write))
            }
            Self::Accept(object) => {
                let accepted = tables.accept_part(&OWNER, &part(object), at);
                Answer::of(accepted, Answer::Accepted)
            }
            Self::Complete => Answer::of(tables.complete(&id, &OWNER, at), |(_, expires_at)| {
                Answer::Ready(expires_at)
            }),
            Self::Burn => Answer::of(tables.burn(&id, &OWNER, at), |()| Answer::Done),
            Self::Unlock => Answer::of(tables.unlock(&id, &OWNER, at), |()| Answer::Done),
            Self::Find(index) => {
                let found = tables.part_object(&id, u64::from(index));
                Answer::Found(found.as_ref().map(Object::of))
            }
            Self::Guess(times) => guess(tables, times, at),
            Self::Wrong => wrong(tables, at),
            Self::Sweep => {
                tables.sweep(BATCH, at);
                Answer::Done
            }
            Self::Take => {
                let taken = tables.take_deletions(BATCH, at);
                Answer::Taken(taken.iter().map(Object::of).collect())
            }
            Self::Confirm(objects, tick) => {
                let names: Vec<_> = objects.iter().map(|object| part(object).object).collect();
                tables.confirm_deleted(&names, scenario.moment(tick));
                Answer::Done
            }
            Self::Claim(number)
            | Self::Fetch(number)
            | Self::Renew(number)
            | Self::EndFetch(number)
            | Self::Deliver(number) => self.run_for(&claimant(number), tables, at),
        }
    }

    /// A claimant's call.
    pub(crate) fn run_for(
        self,
        claimant: &ClaimVerifier,
        tables: &mut Tables,
        at: Moment,
    ) -> Answer {
        let id = id();
        match self {
            Self::Claim(_) => claim(tables, &ACCESS, claimant, at),
            Self::Fetch(_) => {
                Answer::of(tables.fetch(&id, claimant, at), |place| Answer::Fetched {
                    is_whole: place.is_whole,
                    has_body: place.inline.is_some(),
                })
            }
            Self::Renew(_) => Answer::of(tables.renew(&id, claimant, at), Answer::Until),
            Self::EndFetch(_) => Answer::of(tables.end_fetch(&id, claimant, at), |()| Answer::Done),
            _ => Answer::of(tables.deliver(&id, claimant, at), |()| Answer::Done),
        }
    }
}

fn claim(
    tables: &mut Tables,
    access: &AccessVerifier,
    claimant: &ClaimVerifier,
    at: Moment,
) -> Answer {
    let claimed = tables.claim(&id(), (&LINK, access), claimant, at);
    Answer::of(claimed, |claimed| Answer::Granted {
        until: claimed.grant.lease_expires_at,
        has_body: claimed.body.is_some(),
    })
}

/// Wrong access proofs by turns: at peek, and at claim with the token of a claimant and with one of the guesser's own.
fn guess(tables: &mut Tables, times: u8, at: Moment) -> Answer {
    let mut told = Answer::Done;
    for time in 0..times {
        told = match time % 3 {
            0 => claim(tables, &WRONG_ACCESS, &claimant(0), at),
            1 => {
                let peeked = tables.peek(&id(), &LINK, Some(&WRONG_ACCESS), at);
                Answer::of(peeked, |_| Answer::Done)
            }
            _ => claim(tables, &WRONG_ACCESS, &claimant(STRANGER), at),
        };
    }
    told
}

/// Calls with a wrong proof each, with everything else right. Unknown when each was told so, or the first other answer.
fn wrong(tables: &mut Tables, at: Moment) -> Answer {
    let (id, nobody) = (id(), claimant(STRANGER));
    let object = part(Object::new(0, 0));
    let done = |outcome: Outcome<()>| Answer::of(outcome, |()| Answer::Done);
    let told = [
        done(tables.peek(&id, &WRONG_LINK, None, at).map(drop)),
        done(
            tables
                .peek(&id, &WRONG_LINK, Some(&WRONG_ACCESS), at)
                .map(drop),
        ),
        done(
            tables
                .claim(&id, (&WRONG_LINK, &ACCESS), &claimant(0), at)
                .map(drop),
        ),
        done(
            tables
                .claim(&id, (&WRONG_LINK, &WRONG_ACCESS), &nobody, at)
                .map(drop),
        ),
        done(tables.begin_part(&WRONG_OWNER, &object, at).map(drop)),
        done(tables.accept_part(&WRONG_OWNER, &object, at).map(drop)),
        done(tables.parts(&id, &WRONG_OWNER, at).map(drop)),
        done(tables.complete(&id, &WRONG_OWNER, at).map(drop)),
        done(tables.burn(&id, &WRONG_OWNER, at)),
        done(tables.unlock(&id, &WRONG_OWNER, at)),
        done(tables.receipt(&id, &WRONG_OWNER, at).map(drop)),
        done(tables.fetch(&id, &nobody, at).map(drop)),
        done(tables.end_fetch(&id, &nobody, at)),
        done(tables.renew(&id, &nobody, at).map(drop)),
        done(tables.deliver(&id, &nobody, at)),
    ];
    let unknown = Answer::Refused(Refusal::Unknown);
    let other = told.into_iter().find(|told| *told != unknown);
    other.unwrap_or(unknown)
}
