//! How long the tests take, where their randomness begins, and where results go: the one place that looks at the environment.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "this is the one place that is told how to run, and tells what came of it"
)]

use std::env;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// Set by `cargo xtask faults`.
const LONG: &str = "ONETIMESHARE_FAULTS_LONG";
/// A seed to run again.
const SEED: &str = "ONETIMESHARE_FAULTS_SEED";

/// The first of two numbers in `cargo test`, the second in the long run.
pub fn short_or_long<T>(short: T, long: T) -> T {
    if is_long() { long } else { short }
}

fn is_long() -> bool {
    env::var_os(LONG).is_some()
}

/// A generator whose seed is printed, so that what failed can be run again.
pub fn seeded(test: &str) -> fastrand::Rng {
    let seed = env::var(SEED).ok().map_or_else(
        || fastrand::u64(..),
        |seed| seed.parse().expect("a seed is a number"),
    );
    println!("{test}: {SEED}={seed}");
    fastrand::Rng::with_seed(seed)
}

/// Tells a result as a row of the table in docs/reliability.md.
pub fn row(fault: &str, how_often: &str, result: &str) {
    println!("| {fault} | {how_often} | {result} |");
}

/// What `work` comes to, and how long that took.
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let began = Instant::now();
    let outcome = work();
    (outcome, began.elapsed())
}

/// Waits until `holds`, for what takes its time on another thread or process.
///
/// # Panics
/// When it takes longer than `patience`, with what was waited for.
#[track_caller]
pub fn until(what: &str, patience: Duration, mut holds: impl FnMut() -> bool) {
    const PAUSE: Duration = Duration::from_millis(20);
    let mut left = patience;
    while !holds() {
        assert!(
            left > Duration::ZERO,
            "waited {patience:?} in vain for {what}"
        );
        thread::sleep(PAUSE);
        left = left.saturating_sub(PAUSE);
    }
}

/// Every file below `folder`, as far as it still stands when it is looked at.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = folder.read_dir().into_iter().flatten().flatten();
        for path in entries.map(|entry| entry.path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found
}
