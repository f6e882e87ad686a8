//! The life of a transfer, explored through every order of what servers and people may do, with crashes, losses and repeats;
//! every rule in it is the server's own code. docs/reliability.md says what that covers, and has the figures.

#![expect(clippy::print_stdout, reason = "the figures are what a reader wants")]

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

use crate::checker::search;
use crate::fault::Fault;
use crate::invariant::Invariant;
use crate::life::{Action, Life};
use crate::scenario::Scenario;

/// Explores everything, and fails with the shortest way to what is broken.
#[track_caller]
fn holds(scenario: Scenario) {
    let mut life = Life::new(scenario, None);
    let report = search(&mut life, |_| true);
    println!(
        "{:<28} {:>9} states {:>10} moves {:>6} records  depth {:>3} {:>6.1} s",
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
}

/// Explores a world with a planted bug until it has broken the promise that it is to break.
#[track_caller]
fn finds(fault: Fault, broken: Invariant, scenario: Scenario) {
    let mut life = Life::new(scenario, Some(fault));
    let report = search(&mut life, |found| *found == broken);
    let Some((_, path)) = report.fault else {
        println!(
            "XXX {fault:?} in {} does not break {broken:?}",
            scenario.name
        );
        return;
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
    let lines = path.iter().enumerate();
    lines
        .map(|(at, action)| format!("{:>4}. {action:?}\n", at + 1))
        .collect()
}

#[test]
fn uploads() {
    holds(scenarios::UPLOADS);
}

#[test]
fn claims() {
    holds(scenarios::CLAIMS);
}

#[test]
fn two_claims() {
    holds(scenarios::TWO_CLAIMS);
}

#[test]
fn bodies() {
    holds(scenarios::BODIES);
}

#[test]
fn once() {
    holds(scenarios::ONCE);
}

#[test]
fn once_in_parts() {
    holds(scenarios::ONCE_IN_PARTS);
}

#[test]
fn every_planted_bug_is_found() {
    for (fault, broken, scenario) in scenarios::FAULTS {
        finds(*fault, *broken, *scenario);
    }
}
