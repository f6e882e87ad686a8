//! The life of a transfer, explored through every order of what servers and people may do, with crashes, losses and repeats;
//! every rule in it is the server's own code. docs/reliability.md says what that covers, and has the figures.

#![expect(clippy::print_stdout, reason = "the figures are what a reader wants")]
#![expect(
    clippy::panic,
    reason = "a test fails by it, also in a function that tests share"
)]

mod call;
mod checker;
mod facts;
mod fault;
mod invariant;
mod life;
mod object;
mod records;
mod scenario;
mod scenarios;
mod seen;
mod world;

use onetimeshare_protocol::transfer::Cause;

use crate::checker::search;
use crate::fault::Fault;
use crate::invariant::Invariant;
use crate::life::{Action, Life};
use crate::scenario::Scenario;

/// Set for the long run: larger worlds, for which it needs minutes and gigabytes.
const LONG: &str = "ONETIMESHARE_MODEL_LONG";

/// Explores everything, and fails with the shortest way to what is broken, or when an end of a transfer was never reached.
#[track_caller]
fn holds(scenario: Scenario, causes: &[Cause]) {
    let mut life = Life::new(scenario, None);
    let report = search(&mut life, |_| true);
    println!(
        "{:<20} {:>9} states {:>10} moves {:>6} records {:>3} deep {:>6.1} s",
        scenario.name,
        report.states,
        report.moves,
        life.records(),
        report.depth,
        report.took.as_secs_f64(),
    );
    if let Some((broken, path)) = report.fault {
        panic!(
            "{}: {broken:?} is broken by\n{}",
            scenario.name,
            told(&path)
        );
    }
    for cause in causes {
        assert!(
            life.causes().contains(cause),
            "{}: never {cause:?}",
            scenario.name
        );
    }
}

/// Explores a world with a planted bug until it has broken the promise that it is to break.
#[track_caller]
fn finds(fault: Fault, broken: Invariant, scenario: Scenario) {
    let mut life = Life::new(scenario, Some(fault));
    let report = search(&mut life, |found| *found == broken);
    let Some((_, path)) = report.fault else {
        panic!("{fault:?} in {} does not break {broken:?}", scenario.name);
    };
    println!(
        "{:<24} breaks {:<26} in {:>2} moves, {:>7} states {:>6.1} s",
        format!("{fault:?}"),
        format!("{broken:?}"),
        path.len(),
        report.states,
        report.took.as_secs_f64(),
    );
}

fn told(path: &[Action]) -> String {
    let lines = (1..).zip(path);
    let lines: Vec<_> = lines
        .map(|(number, action)| format!("{number:>4}. {action:?}"))
        .collect();
    lines.join("\n")
}

/// What a transfer can end in.
const ALL: &[Cause] = &[
    Cause::Delivered,
    Cause::Lapsed,
    Cause::Expired,
    Cause::Burnt,
    Cause::Abandoned,
];

/// What it can end in once it is complete, if nobody burns it.
const CLAIMED: &[Cause] = &[Cause::Delivered, Cause::Lapsed, Cause::Expired];

#[test]
fn uploads() {
    holds(scenarios::UPLOADS, ALL);
    holds_at_length(scenarios::LONG_UPLOADS);
    holds_at_length(scenarios::LONG_WRITERS);
}

#[test]
fn crowded_uploads() {
    holds(scenarios::CROWDED, ALL);
}

#[test]
fn claims() {
    holds(scenarios::CLAIMS, CLAIMED);
}

#[test]
fn two_claims() {
    holds(scenarios::TWO_CLAIMS, CLAIMED);
    holds_at_length(scenarios::LONG_CLAIMS);
}

#[test]
fn bodies() {
    holds(scenarios::BODIES, CLAIMED);
    holds_at_length(scenarios::LONG_BODIES);
}

#[test]
fn once() {
    holds(scenarios::ONCE, CLAIMED);
}

#[test]
fn once_in_parts() {
    holds(scenarios::ONCE_IN_PARTS, CLAIMED);
    holds_at_length(scenarios::LONG_ONCE);
}

/// The same of a larger world, in the long run.
#[track_caller]
#[expect(
    clippy::disallowed_methods,
    reason = "a test is told its size by who runs it"
)]
fn holds_at_length(scenario: Scenario) {
    if std::env::var(LONG).is_ok() {
        holds(scenario, CLAIMED);
    }
}

#[test]
fn every_planted_bug_is_found() {
    for (fault, broken, scenario) in scenarios::FAULTS {
        finds(*fault, *broken, *scenario);
    }
}
