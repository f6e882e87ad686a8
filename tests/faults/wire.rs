//! One call of the API on one transfer, and what was heard of it. It never repeats a call, so that whoever uses it knows
//! which calls were lost.

use std::io::Read as _;
use std::ops::Range;

use onetimeshare_client::{Client, Error};
use onetimeshare_protocol::error::ErrorBody;
use onetimeshare_protocol::id::ClaimToken;
use onetimeshare_protocol::transfer::{
    ClaimAnswer, CompleteAnswer, CreateAnswer, PartsAnswer, PeekAnswer,
};

use crate::secret::Secret;

/// A call on one transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Create,
    /// Send the part of this index.
    Part(u64),
    Parts,
    Complete,
    Peek {
        with_access: bool,
    },
    Claim(ClaimToken),
    /// A claim with a wrong passphrase.
    Guess(ClaimToken),
    /// A range of the body.
    Body(ClaimToken, Range<u64>),
    Delivered(ClaimToken),
    Unlock,
    Burn,
}

/// What the server said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Created(CreateAnswer),
    Parts(PartsAnswer),
    Completed(CompleteAnswer),
    Seen(PeekAnswer),
    Granted(ClaimAnswer),
    Bytes(Vec<u8>),
    Done,
    Refused(ErrorBody),
}

/// What was heard of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Answer(Answer),
    /// It was sent, at least in part, and no whole answer came: it may have had its effect.
    Silence,
    /// There was nobody to send it to.
    Unsent,
}

/// Makes one call.
///
/// # Panics
/// When the answer is none of this service.
pub(crate) fn call(client: &Client, call: &Call, secret: &Secret) -> Heard {
    match make(client, call, secret) {
        Ok(answer) => Heard::Answer(answer),
        Err(Error::Api { body, .. }) => Heard::Answer(Answer::Refused(*body)),
        Err(Error::Unreachable(_)) => Heard::Unsent,
        Err(Error::Cut(_)) => Heard::Silence,
        Err(error) => panic!("{call:?}: {error}"),
    }
}

/// The same, with the error that the client tells.
pub(crate) fn make(client: &Client, call: &Call, secret: &Secret) -> Result<Answer, Error> {
    let (id, owner) = (secret.id(), &secret.owner);
    let done = |()| Answer::Done;
    match call {
        Call::Create => client.create(&secret.create).map(Answer::Created),
        Call::Part(index) => client
            .put_part(id, owner, *index, secret.part(*index))
            .map(done),
        Call::Parts => client.parts(id, owner).map(Answer::Parts),
        Call::Complete => client.complete(id, owner).map(Answer::Completed),
        Call::Peek { with_access } => client
            .peek(id, &secret.peek(*with_access))
            .map(Answer::Seen),
        Call::Claim(claimant) => client
            .claim(id, claimant, &secret.claim())
            .map(Answer::Granted),
        Call::Guess(claimant) => client
            .claim(id, claimant, &secret.wrong_claim())
            .map(Answer::Granted),
        Call::Body(claimant, range) => {
            let mut body = client.body(id, claimant, Some(range.clone()))?;
            let mut bytes = Vec::new();
            body.read_to_end(&mut bytes)
                .map_err(|error| Error::Cut(error.to_string()))?;
            Ok(Answer::Bytes(bytes))
        }
        Call::Delivered(claimant) => client.delivered(id, claimant).map(done),
        Call::Unlock => client.unlock(id, owner).map(done),
        Call::Burn => client.burn(id, owner).map(done),
    }
}
