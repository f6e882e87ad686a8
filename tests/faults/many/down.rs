//! A store that does not answer, or is not there: what needs it is refused with 503 in time, nothing is used up by that, and all
//! goes on once the store is back, on servers that were never started again.

use std::thread;
use std::time::Duration;

use onetimeshare_client::{Client, Error};
use onetimeshare_protocol::error::{ErrorBody, ErrorCode};
use onetimeshare_tests::{Meddling, Redis, S3, S3Faults};

use super::Fleet;
use crate::ledger::Ledger;
use crate::scale::{row, seeded, short_or_long, timed};
use crate::secret::{PART_LEN, Secret};
use crate::tale::{Tale, any, fresh};
use crate::wire::{self, Call};

/// The longest that an answer may take that says that Redis does not.
const REDIS_MAX: Duration = Duration::from_secs(15);

/// The same of a bucket, which is asked twice.
const BUCKET_MAX: Duration = Duration::from_secs(45);

/// Transfers of each kind, and callers at one moment, half as many on each server.
const EACH: usize = 16;

/// What is ready when a store fails: of each kind so many.
struct Waiting {
    /// The body is in one object, which the claim gives out.
    inline: Vec<Tale>,
    /// The body is in parts, which are fetched after the claim.
    parted: Vec<Tale>,
    /// The body is in parts, of which none was sent.
    uploading: Vec<Tale>,
}

impl Waiting {
    fn begin(clients: &[Client], rng: &mut fastrand::Rng) -> Self {
        let mut seal = |content_len: usize| -> Vec<_> {
            let mut secrets = (0..EACH).map(|_| Secret::seal(rng, content_len, 1));
            secrets
                .by_ref()
                .map(|secret| Tale::new(secret, Ledger::with_faults()))
                .collect()
        };
        let mut waiting = Self {
            inline: seal(1000),
            parted: seal(2 * PART_LEN),
            uploading: seal(PART_LEN + 1000),
        };
        for tale in waiting.inline.iter_mut().chain(&mut waiting.parted) {
            tale.upload(clients, rng);
        }
        for tale in &mut waiting.uploading {
            tale.call(any(clients, rng), &Call::Create);
        }
        waiting
    }

    fn all(&mut self) -> impl Iterator<Item = &mut Tale> {
        let ready = self.inline.iter_mut().chain(&mut self.parted);
        ready.chain(&mut self.uploading)
    }

    /// Once the stores are back nothing was used up, and all goes on.
    fn go_on(mut self, clients: &[Client], rng: &mut fastrand::Rng) {
        for tale in self.all() {
            let seen = any(clients, rng).peek(tale.secret.id(), &tale.secret.peek(true));
            let seen = seen.expect("it is there");
            assert_eq!(
                (seen.claims_left, seen.attempts_left),
                (1, 5),
                "something was used up"
            );
        }
        for tale in &mut self.uploading {
            tale.upload(clients, rng);
        }
        for tale in self.all() {
            tale.open_and_end(clients, rng);
        }
    }
}

/// Makes these calls all at one moment, on each server half of them. How long the longest took.
///
/// # Panics
/// When one is answered with anything but 503 and when to come back, or not in time. The answer to a fetch may have begun, and
/// breaks off then.
fn refused(clients: &[Client], calls: &[(&Secret, Call)], in_time: Duration) -> Duration {
    thread::scope(|scope| {
        let calling = calls.iter().zip(clients.iter().cycle());
        let calling: Vec<_> = calling
            .map(|((secret, call), client)| {
                scope.spawn(move || timed(|| (wire::make(client, call, secret), call)))
            })
            .collect();
        let mut longest = Duration::ZERO;
        for call in calling {
            let ((answer, call), took) = call.join().expect("a call does not panic");
            assert!(took < in_time, "{call:?} took {took:?}: {answer:?}");
            longest = longest.max(took);
            match answer {
                Err(Error::Api {
                    status: 503,
                    body,
                    retry_after_s: Some(1..),
                }) if body.code == ErrorCode::StoreUnreachable => {}
                Err(Error::Cut(_)) if matches!(call, Call::Body(..)) => {}
                answer => panic!("{call:?}: {answer:?}"),
            }
        }
        longest
    })
}

/// Every server says that this store does not answer.
fn unready(clients: &[Client], store: &str, in_time: Duration) {
    // What was found before is told for a second.
    thread::sleep(Duration::from_secs(1));
    for client in clients {
        let (told, took) = timed(|| client.readyz());
        assert!(took < in_time, "readiness took {took:?}");
        let Err(Error::Api {
            status: 503, body, ..
        }) = told
        else {
            panic!("it says that it is ready: {told:?}");
        };
        let ErrorBody { message, .. } = *body;
        assert!(message.contains(store), "{message}");
        client.healthz().expect("the process itself is well");
    }
}

/// What needs the records, of transfers of each kind.
fn calls_for_records<'a>(
    waiting: &'a Waiting,
    unsent: &'a [Secret],
    rng: &mut fastrand::Rng,
) -> Vec<(&'a Secret, Call)> {
    let creates = unsent.iter().map(|secret| (secret, Call::Create));
    let ready = waiting.inline.iter().chain(&waiting.parted);
    let claims = ready.map(|tale| (&tale.secret, Call::Claim(fresh(rng))));
    let calls: Vec<_> = creates.chain(claims).collect();
    let parts = waiting.uploading.iter();
    let parts = parts.map(|tale| (&tale.secret, Call::Part(0)));
    calls.into_iter().chain(parts).collect()
}

fn seal(content_len: usize, rng: &mut fastrand::Rng) -> Vec<Secret> {
    (0..EACH)
        .map(|_| Secret::seal(rng, content_len, 1))
        .collect()
}

#[test]
fn without_redis_everything_is_refused_in_time_and_nothing_used_up() {
    let rounds = short_or_long(1, 10);
    let mut rng = seeded("redis down");
    let mut redis = Redis::start(&[]);
    let mut fleet = Fleet::start(2, &redis.url(), &[]);
    let clients = fleet.clients();
    let mut longest = Duration::ZERO;
    for is_frozen in [true, false].repeat(rounds) {
        let waiting = Waiting::begin(&clients, &mut rng);
        let unsent = seal(1000, &mut rng);
        if is_frozen {
            redis.freeze();
        } else {
            redis.kill();
        }
        let calls = calls_for_records(&waiting, &unsent, &mut rng);
        longest = longest.max(refused(&clients, &calls, REDIS_MAX));
        unready(&clients, "record store", REDIS_MAX);
        if is_frozen {
            redis.thaw();
        } else {
            redis.restart();
        }
        fleet.wait_until_ready();
        waiting.go_on(&clients, &mut rng);
        for secret in unsent {
            let mut tale = Tale::new(secret, Ledger::default());
            tale.upload(&clients, &mut rng);
            tale.open_and_end(&clients, &mut rng);
        }
    }
    fleet.wait_for_no_part();
    row(
        "Redis stopped (`SIGSTOP`) and killed under 2 servers, 64 calls at once",
        &format!("{rounds} times each"),
        &format!(
            "all answered 503 with Retry-After, the last after {:.1} s; nothing used up, all goes on without a restart",
            longest.as_secs_f64()
        ),
    );
}

#[test]
fn without_the_bucket_what_needs_it_is_refused_in_time_and_nothing_used_up() {
    let rounds = short_or_long(1, 5);
    let mut rng = seeded("bucket down");
    let redis = Redis::start(&[]);
    let bucket = S3::s3s_fs();
    let proxy = S3Faults::before(bucket.address());
    let variables = S3::variables_of(proxy.address());
    let mut fleet = Fleet::start_over(2, &redis.url(), &[], (bucket, variables));
    let clients = fleet.clients();
    let mut longest = Duration::ZERO;
    for hangs in [true, false].repeat(rounds) {
        let waiting = Waiting::begin(&clients, &mut rng);
        let unsent = seal(1000, &mut rng);
        proxy.meddle(move |_| {
            Some(if hangs {
                Meddling::Hang
            } else {
                Meddling::refuse(500, "InternalError")
            })
        });
        let creates = unsent.iter().map(|secret| (secret, Call::Create));
        let claims = waiting.inline.iter();
        let claims = claims.map(|tale| (&tale.secret, Call::Claim(fresh(&mut rng))));
        let parts = waiting.uploading.iter();
        let parts = parts.map(|tale| (&tale.secret, Call::Part(0)));
        let calls: Vec<_> = creates.chain(claims).chain(parts).collect();
        longest = longest.max(refused(&clients, &calls, BUCKET_MAX));
        unready(&clients, "blob store", BUCKET_MAX);
        proxy.pass();
        fleet.wait_until_ready();
        waiting.go_on(&clients, &mut rng);
    }
    row(
        "the bucket answers nothing, and 500, under 2 servers, 48 calls at once",
        &format!("{rounds} times each"),
        &format!(
            "what needs it answered 503 with Retry-After, the last after {:.1} s; nothing used up, all goes on without a restart",
            longest.as_secs_f64()
        ),
    );
}
