//! Transfers in every state that a stranger might want to know of, on a server that keeps them there.

use std::time::Duration;

use onetimeshare_client::Client;
use onetimeshare_protocol::error::ErrorCode;
use onetimeshare_protocol::transfer::{Cause, State};

use crate::scale::until;
use crate::subjects::{Place, Store, Subject};

/// How many transfers there are of each state, so that what is found is true of the state and not of an id.
const EACH: usize = 64;

/// The longest that time's work may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// Transfers in each state, on a server that keeps them there.
pub(crate) struct Subjects {
    pub(crate) place: Place,
    pub(crate) claimed: Vec<Subject>,
    pub(crate) ready: Vec<Subject>,
    /// Of these the tombstones are left.
    pub(crate) expired: Vec<Subject>,
    /// Of these nothing is left.
    pub(crate) swept: Vec<Subject>,
}

impl Subjects {
    pub(crate) fn make(store: Store) -> Self {
        // Tombstones of one life only are kept at a time: first those that end at once, then those that stay.
        let mut place = Place::start(store, &["--tombstone-ttl", "1s"]);
        let swept = send_each(&place.client(), 1);
        until("every tombstone to end", PATIENCE, || {
            let client = place.client();
            let state = |subject: &Subject| client.receipt(&subject.id, &subject.owner);
            let is_unknown = |subject| {
                state(subject).is_err_and(|error| error.code() == Some(ErrorCode::TransferUnknown))
            };
            swept.iter().all(is_unknown)
        });
        wait_for_a_sweep(&place);
        place.restart_with(&[]);

        let client = place.client();
        let expired = send_each(&client, 1);
        let (ready, claimed) = (send_each(&client, 86_400), send_each(&client, 86_400));
        for subject in &claimed {
            let token = client.generate_claim_token().unwrap();
            client.claim(&subject.id, &token, &subject.proofs).unwrap();
        }
        until("every short life to end", PATIENCE, || {
            expired.iter().all(|subject| {
                let receipt = client.receipt(&subject.id, &subject.owner).unwrap();
                receipt.cause == Some(Cause::Expired)
            })
        });
        wait_for_a_sweep(&place);
        let subjects = Self {
            place,
            claimed,
            ready,
            expired,
            swept,
        };
        subjects.check();
        subjects
    }

    /// Everything is in the state that it is named after.
    fn check(&self) {
        let client = self.place.client();
        let states = [
            (&self.claimed, Some(State::Claimed)),
            (&self.ready, Some(State::Ready)),
            (&self.expired, Some(State::Gone)),
            (&self.swept, None),
        ];
        for (subjects, expected) in states {
            for subject in subjects {
                let receipt = client.receipt(&subject.id, &subject.owner);
                assert_eq!(receipt.ok().map(|receipt| receipt.state), expected);
            }
        }
    }
}

fn send_each(client: &Client, ttl_s: u64) -> Vec<Subject> {
    (0..EACH).map(|_| Subject::send(client, ttl_s)).collect()
}

/// Waits until a sweep that begins after this call has done something.
fn wait_for_a_sweep(place: &Place) {
    let before = place.server.log().len();
    // What is burnt is erased at once, and the sweeper looks for everything else that is due as well.
    let burnt = Subject::send(&place.client(), 3600);
    place.client().burn(&burnt.id, &burnt.owner).unwrap();
    until("a sweep", PATIENCE, || {
        place.server.log().split_off(before).contains("swept")
    });
}
