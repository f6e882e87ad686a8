//! Any step on any server: what one has begun, another goes on with, and a third ends. And the sweepers of all of them at once.

use std::sync::Mutex;
use std::thread;

use onetimeshare_client::Client;
use onetimeshare_protocol::error::ErrorCode;
use onetimeshare_tests::Redis;

use super::Fleet;
use crate::ledger::Ledger;
use crate::scale::{row, seeded, short_or_long};
use crate::secret::{PART_LEN, Secret};
use crate::tale::{Tale, fresh};
use crate::wire::{self, Answer, Call, Heard};

/// Transfers at one moment.
const LANES: usize = 4;

/// Clients of several servers, asked in turn.
struct Turns<'a> {
    clients: &'a [Client],
    next: usize,
}

impl<'a> Turns<'a> {
    fn next(&mut self) -> &'a Client {
        self.next += 1;
        &self.clients[self.next % self.clients.len()]
    }

    fn call(&mut self, tale: &mut Tale, call: &Call) -> Heard {
        tale.call(self.next(), call)
    }

    fn done(&mut self, tale: &mut Tale, call: &Call) {
        let heard = self.call(tale, call);
        let is_done = matches!(
            heard,
            Heard::Answer(Answer::Done | Answer::Created(_) | Answer::Completed(_))
        );
        assert!(is_done, "{call:?}: {heard:?}");
    }

    /// One part, sent to two servers at one moment: whichever comes first, both take it.
    fn send_twice(&mut self, tale: &mut Tale, index: u64) {
        let call = Call::Part(index);
        tale.ledger.suspect(&call);
        let secret = &tale.secret;
        let clients = [self.next(), self.next()];
        let heard = thread::scope(|scope| {
            clients
                .map(|client| scope.spawn(|| wire::call(client, &call, secret)))
                .map(|sender| sender.join().expect("a sender does not panic"))
        });
        for heard in &heard {
            assert_eq!(*heard, Heard::Answer(Answer::Done), "{call:?}");
            tale.hear(&call, heard);
        }
    }
}

/// One transfer, each of whose calls goes to another server than the one before.
fn pass_around(turns: &mut Turns<'_>, rng: &mut fastrand::Rng) {
    let content_len = rng.usize(0..4 * PART_LEN);
    let mut tale = Tale::new(Secret::seal(rng, content_len, 2), Ledger::default());
    turns.done(&mut tale, &Call::Create);
    turns.done(&mut tale, &Call::Create);
    for index in 0..tale.secret.part_count() {
        turns.send_twice(&mut tale, index);
    }
    if !tale.secret.is_inline() {
        turns.call(&mut tale, &Call::Parts);
        turns.done(&mut tale, &Call::Complete);
        turns.done(&mut tale, &Call::Complete);
    }
    turns.call(&mut tale, &Call::Peek { with_access: true });
    turns.call(&mut tale, &Call::Guess(fresh(rng)));
    let body_len = tale.secret.create.body_len;
    for _ in 0..tale.secret.create.claims_max {
        let claimant = fresh(rng);
        let claim = Call::Claim(claimant.clone());
        let leases = [(); 3].map(|()| turns.call(&mut tale, &claim));
        assert!(
            leases.iter().all(|lease| *lease == leases[0]),
            "one claimant, several leases: {leases:?}"
        );
        let mut start = 0;
        while start < body_len {
            let end = body_len.min(start + rng.u64(1..=body_len));
            let heard = turns.call(&mut tale, &Call::Body(claimant.clone(), start..end));
            assert!(
                matches!(heard, Heard::Answer(Answer::Bytes(_))),
                "{heard:?}"
            );
            start = end;
        }
        turns.done(&mut tale, &Call::Delivered(claimant.clone()));
        turns.done(&mut tale, &Call::Delivered(claimant));
    }
    assert!(tale.is_gone(), "it was delivered to all");
    // Which every server says.
    for _ in turns.clients {
        let heard = turns.call(&mut tale, &Call::Claim(fresh(rng)));
        assert!(
            matches!(&heard, Heard::Answer(Answer::Refused(body)) if body.code == ErrorCode::TransferGone),
            "{heard:?}"
        );
    }
}

#[test]
fn every_step_may_be_taken_on_another_server() {
    let transfers = short_or_long(60, 2000);
    let mut rng = seeded("steps");
    let redis = Redis::start(&[]);
    let fleet = Fleet::start(3, &redis.url(), &[]);
    let clients = fleet.clients();
    let left = Mutex::new(transfers);
    thread::scope(|scope| {
        for lane in 0..LANES {
            let mut rng = rng.fork();
            let (clients, left) = (&clients, &left);
            let mut turns = Turns {
                clients,
                next: lane,
            };
            let next = move || {
                let mut left = left.lock().expect("nobody panics over it");
                let is_left = *left > 0;
                *left -= i32::from(is_left);
                is_left
            };
            scope.spawn(move || {
                while next() {
                    pass_around(&mut turns, &mut rng);
                }
            });
        }
    });
    fleet.wait_for_no_part();
    row(
        "each call on one transfer to another of 3 servers, each part to two at once",
        &format!("{transfers} transfers of 2 opens"),
        "all opened by both claimants, one lease for each, gone for everybody, no part left in the bucket",
    );
}
