//! A bucket that does what buckets are known to do: it answers with errors or not at all, cuts answers off, ignores conditions, says
//! that it deleted what it did not, and writes what came long ago. Once it is well again nothing is lost, nothing was given
//! twice, and nothing is left in it.

use std::sync::Mutex;
use std::time::Duration;

use onetimeshare_tests::{Meddling, Redis, Request, S3, S3Faults};

use super::Fleet;
use crate::ledger::Ledger;
use crate::load::Load;
use crate::scale::{row, seeded, short_or_long};

/// Calls under each fault.
const CALLS: u64 = 150;

/// Longer than any write can be under way: what was deleted once is then deleted once more. A part that was begun and never
/// written is due at its deadline, ten minutes after it was asked for, and a last time as long after that.
const LATE: Duration = Duration::from_mins(21);

const LATE_WRITES: &str = "writes what was given up long ago";

/// So often there is more of them until one was really written: most are for a part that was written meanwhile, or for none.
const LATE_WRITES_TRIES: u32 = 10;

/// What a bucket does.
const FAULTS: &[Fault] = &[
    Fault {
        name: "answers 500 and 503",
        of_hundred: 30,
        make: |_, rng| {
            Some(if rng.bool() {
                Meddling::refuse(500, "InternalError")
            } else {
                Meddling::refuse(503, "SlowDown")
            })
        },
    },
    Fault {
        name: "takes requests and answers none",
        of_hundred: 2,
        make: |_, _| Some(Meddling::Hang),
    },
    Fault {
        name: "says that it deleted, and did not",
        of_hundred: 50,
        make: |request, _| request.is_deletion().then_some(Meddling::Lose),
    },
    Fault {
        name: "ignores conditions",
        of_hundred: 100,
        make: |request, _| request.is_conditional.then_some(Meddling::Uncondition),
    },
    Fault {
        name: LATE_WRITES,
        of_hundred: 30,
        make: |request, _| (request.method == "PUT").then_some(Meddling::Delay),
    },
    Fault {
        name: "breaks answers off",
        of_hundred: 20,
        make: |_, rng| Some(Meddling::Cut(rng.usize(0..2000))),
    },
];

struct Fault {
    name: &'static str,
    /// Of a hundred requests that it is for, how many it is done to.
    of_hundred: u8,
    make: fn(&Request, &mut fastrand::Rng) -> Option<Meddling>,
}

#[test]
fn a_faulty_bucket_loses_nothing_and_keeps_nothing() {
    let rounds = short_or_long(1, 10);
    let mut rng = seeded("objects");
    let mut redis = Redis::start_with_clock();
    let bucket = S3::s3s_fs();
    let proxy = S3Faults::before(bucket.address());
    let variables = S3::variables_of(proxy.address());
    let mut fleet = Fleet::start_over(2, &redis.url(), &[], (bucket, variables));
    let bases = fleet.bases();
    let mut load = Load::new(Ledger::with_faults(), &mut rng);
    let mut late = 0;
    for fault in (0..rounds).flat_map(|_| FAULTS) {
        let chance = Mutex::new(rng.fork());
        proxy.meddle(move |request| {
            let mut rng = chance.lock().expect("nobody panics over it");
            (rng.u8(0..100) < fault.of_hundred)
                .then(|| (fault.make)(request, &mut rng))
                .flatten()
        });
        let tries = if fault.name == LATE_WRITES {
            LATE_WRITES_TRIES
        } else {
            1
        };
        for _ in 0..tries {
            load.during(&bases, &mut rng, |counts, rng| counts.pass(CALLS, rng));
            let written = proxy.deliver();
            late += written;
            if written > 0 {
                break;
            }
        }
        proxy.pass();
        late += proxy.deliver();
        fleet.wait_until_ready();
        load.check(&bases, true, &mut rng);
    }
    load.end_all(&bases, &mut rng);
    let left = fleet.parts().len();
    redis.pass(LATE);
    fleet.wait_for_no_part();
    load.check(&bases, true, &mut rng);
    assert!(late > 0, "no write came late");
    let names: Vec<_> = FAULTS.iter().map(|fault| fault.name).collect();
    row(
        &format!("a bucket that {}", names.join("; ")),
        &format!(
            "{rounds} times each, {} calls, {} of them answered 503, {late} late writes, {} transfers",
            load.counts.calls(),
            load.counts.refused(),
            load.ended()
        ),
        &format!(
            "nothing acknowledged was lost, nothing given twice; {left} parts that it had kept or got late were deleted the second time"
        ),
    );
}
