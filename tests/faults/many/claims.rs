//! Many claimants of one transfer at one moment, on two servers, over HTTP/1.1 and HTTP/2: each round has as many winners as the
//! sender chose. Wrong passphrases that are tried at once on both cost what five cost one after the other.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex, PoisonError};
use std::thread;

use onetimeshare_client::{Client, Error};
use onetimeshare_protocol::error::{ErrorBody, ErrorCode};
use onetimeshare_protocol::id::ClaimToken;
use onetimeshare_protocol::limits::ATTEMPTS_MAX;
use onetimeshare_protocol::transfer::{ClaimAnswer, ClaimRequest};
use onetimeshare_tests::Redis;

use super::http2::Http2;
use super::{Fleet, twin};
use crate::ledger::Ledger;
use crate::load::client;
use crate::scale::{row, seeded, short_or_long};
use crate::secret::{Content, PART_LEN, Secret};
use crate::tale::{Tale, any, fresh};
use crate::wire::{self, Answer, Call, Heard};

/// How many claim at one moment.
const CLAIMANTS: usize = 64;
/// How many guess at one moment.
const GUESSERS: usize = 100;
/// How many create the transfers of all rounds.
const SENDERS: usize = 8;

/// A way to a server.
#[derive(Clone)]
enum Way {
    /// Over HTTP/1.1, on a connection of its own.
    One(Client),
    /// Over HTTP/2, on a connection that it shares.
    Two(Http2),
}

impl Way {
    /// For each of `count` claimants one: to the servers in turn, and of each half in either version.
    fn all(bases: &[String], count: usize) -> Vec<Self> {
        let shared: Vec<_> = bases.iter().map(|base| Http2::connect(base)).collect();
        let way = |index: usize| {
            let server = index % bases.len();
            if (index / bases.len()).is_multiple_of(2) {
                Self::One(client(&bases[server]))
            } else {
                Self::Two(shared[server].clone())
            }
        };
        (0..count).map(way).collect()
    }

    /// What the server answers; a text when that is no answer.
    fn claim(
        &self,
        secret: &Secret,
        claimant: &ClaimToken,
        request: &ClaimRequest,
    ) -> Result<Result<ClaimAnswer, ErrorBody>, String> {
        match self {
            Self::Two(http2) => http2.claim(secret.id(), claimant, request),
            Self::One(client) => match client.claim(secret.id(), claimant, request) {
                Ok(granted) => Ok(Ok(granted)),
                Err(Error::Api { body, .. }) => Ok(Err(*body)),
                Err(error) => Err(error.to_string()),
            },
        }
    }

    /// Claims as somebody new. Whether the transfer was given, whole.
    fn try_for(&self, secret: &Secret, rng: &mut fastrand::Rng) -> Result<bool, String> {
        match self.claim(secret, &fresh(rng), &secret.claim())? {
            Ok(granted) => {
                let body = granted.body.as_ref().unwrap_or(&secret.body);
                let opened = secret.open(&granted.manifest, body);
                let same = opened == Content::Same;
                same.then_some(true)
                    .ok_or_else(|| "what was given does not open".to_owned())
            }
            Err(body) if body.code == ErrorCode::TransferClaimed => Ok(false),
            Err(body) if body.code == ErrorCode::TransferGone => Ok(false),
            Err(body) => Err(body.code.to_string()),
        }
    }
}

/// Has a claimant on each of `ways` claim each transfer, all at one moment. How many won, transfer by transfer.
///
/// # Panics
/// When one was answered with anything but that it won, or somebody else.
fn race(ways: &[Way], secrets: &[Secret], rng: &mut fastrand::Rng) -> Vec<usize> {
    let start = Barrier::new(ways.len());
    let winners: Vec<_> = secrets.iter().map(|_| AtomicUsize::new(0)).collect();
    let complaints = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for way in ways {
            let mut rng = rng.fork();
            let (start, winners, complaints) = (&start, &winners, &complaints);
            scope.spawn(move || {
                for (secret, winners) in secrets.iter().zip(winners) {
                    start.wait();
                    // Whatever comes, the others wait for this one.
                    match way.try_for(secret, &mut rng) {
                        Ok(has_won) => {
                            winners.fetch_add(usize::from(has_won), Ordering::Relaxed);
                        }
                        Err(complaint) => complaints
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .push(complaint),
                    }
                }
            });
        }
    });
    let complaints = complaints
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    assert!(complaints.is_empty(), "{complaints:?}");
    winners.into_iter().map(AtomicUsize::into_inner).collect()
}

/// How many rounds have another number of winners.
fn broken(winners: &[usize], expected: usize) -> usize {
    winners.iter().filter(|&&count| count != expected).count()
}

/// Transfers that are ready, three of four small enough to go with their create request.
fn send(
    rounds: usize,
    claims_max: u32,
    clients: &[Client],
    rng: &mut fastrand::Rng,
) -> Vec<Secret> {
    let content_len = |round: usize| {
        if round.is_multiple_of(4) {
            PART_LEN + 1000
        } else {
            500
        }
    };
    let sealed = (0..rounds).map(|round| Secret::seal(rng, content_len(round), claims_max));
    let mut tales: Vec<_> = sealed
        .map(|secret| Tale::new(secret, Ledger::default()))
        .collect();
    thread::scope(|scope| {
        for tales in tales.chunks_mut(rounds.div_ceil(SENDERS)) {
            let mut rng = rng.fork();
            scope.spawn(move || {
                for tale in tales {
                    tale.upload(clients, &mut rng);
                }
            });
        }
    });
    tales.into_iter().map(|tale| tale.secret).collect()
}

#[test]
fn of_many_claimants_on_two_servers_as_many_win_as_the_sender_chose() {
    let rounds = short_or_long(200, 2000);
    let mut rng = seeded("claims");
    let redis = Redis::start(&[]);
    let fleet = Fleet::start(2, &redis.url(), &[]);
    let clients = fleet.clients();
    for claims_max in [1, 3] {
        let secrets = send(rounds, claims_max, &clients, &mut rng);
        // A server lets go of a connection that says nothing while thousands are sent.
        let ways = Way::all(&fleet.bases(), CLAIMANTS);
        let winners = race(&ways, &secrets, &mut rng);
        let expected = usize::try_from(claims_max).expect("a small number");
        let broken = broken(&winners, expected);
        row(
            &format!(
                "{CLAIMANTS} claimants of one transfer of {claims_max} opens at one moment, on 2 servers, half of them over HTTP/2"
            ),
            &format!("{rounds} rounds"),
            &format!("rounds with another number of winners than {claims_max}: {broken}"),
        );
        assert_eq!(broken, 0, "{winners:?}");
    }
}

#[test]
fn the_same_claimants_catch_a_server_that_looks_before_it_takes() {
    let rounds = short_or_long(50, 500);
    let mut rng = seeded("claims of the twin");
    let redis = Redis::start(&[]);
    let secrets: Vec<_> = (0..rounds)
        .map(|_| Secret::seal(&mut rng, 500, 1))
        .collect();
    let bases = twin::start(&redis, &secrets, 2);
    let ways: Vec<_> = (0..CLAIMANTS)
        .map(|index| Way::One(client(&bases[index % bases.len()])))
        .collect();
    let winners = race(&ways, &secrets, &mut rng);
    let broken = broken(&winners, 1);
    let most = winners.iter().max().copied().unwrap_or_default();
    row(
        "the control: the same claimants on a server that looks and then deletes, in two steps",
        &format!("{rounds} rounds"),
        &format!("rounds with another number of winners than 1: {broken}, up to {most} winners"),
    );
    assert!(broken > 0 && most > 1, "{winners:?}");
}

/// One wrong passphrase. How many attempts are left then; none when it was locked.
fn guess(way: &Way, secret: &Secret, claimant: &ClaimToken) -> Option<u32> {
    let answer = way.claim(secret, claimant, &secret.wrong_claim());
    match answer.expect("it is answered") {
        Ok(_) => panic!("a wrong passphrase was granted a claim"),
        Err(body) => match body.code {
            ErrorCode::AccessDenied => body.members.attempts_left,
            ErrorCode::TransferLocked => None,
            code => panic!("refused: {code}"),
        },
    }
}

/// Wrong passphrases, all at one moment.
fn guess_all(ways: &[Way], secret: &Secret, rng: &mut fastrand::Rng) -> Vec<Option<u32>> {
    let start = Barrier::new(ways.len());
    thread::scope(|scope| {
        let guessing: Vec<_> = ways
            .iter()
            .map(|way| {
                let (claimant, start) = (fresh(rng), &start);
                scope.spawn(move || {
                    start.wait();
                    guess(way, secret, &claimant)
                })
            })
            .collect();
        let guesses = guessing.into_iter();
        guesses
            .map(|guess| guess.join().expect("a guesser is answered"))
            .collect()
    })
}

#[test]
fn guesses_on_two_servers_at_once_cost_five_attempts_and_lock() {
    let rounds = short_or_long(10, 100);
    let mut rng = seeded("guesses");
    let redis = Redis::start(&[]);
    let fleet = Fleet::start(2, &redis.url(), &[]);
    let clients = fleet.clients();
    let ways = Way::all(&fleet.bases(), GUESSERS);
    for secret in send(rounds, 1, &clients, &mut rng) {
        let told = guess_all(&ways, &secret, &mut rng);
        let mut left: Vec<_> = told.iter().copied().flatten().collect();
        left.sort_unstable();
        let expected: Vec<_> = (0..ATTEMPTS_MAX).collect();
        assert_eq!(left, expected, "each attempt is used once");

        // Not even who knows the passphrase is let in, on either server, until the sender unlocks it.
        for client in &clients {
            let heard = wire::call(client, &Call::Claim(fresh(&mut rng)), &secret);
            assert!(
                matches!(&heard, Heard::Answer(Answer::Refused(body)) if body.code == ErrorCode::TransferLocked),
                "{heard:?}"
            );
        }
        let client = any(&clients, &mut rng);
        assert_eq!(
            wire::call(client, &Call::Unlock, &secret),
            Heard::Answer(Answer::Done)
        );
        let won = ways[0].try_for(&secret, &mut rng);
        assert_eq!(won, Ok(true), "unlocked, and not used up by anybody");
    }
    row(
        &format!("{GUESSERS} wrong passphrases at one moment, on 2 servers"),
        &format!("{rounds} transfers"),
        "five attempts used, then locked for everybody; unlocked, it opens once",
    );
}
