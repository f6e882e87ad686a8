//! Every target over every input that is kept, and over thousands made from these: on stable Rust, without libFuzzer, the same each
//! time. What once failed lies in `corpus/` under a name that tells what it was.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say where"
)]

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use fastrand::Rng;
use onetimeshare_fuzz::{TARGETS, Target};

/// The most bytes of one input, and of all.
const INPUT_LEN_MAX: u64 = 8 * 1024;
const CORPUS_LEN_MAX: u64 = 500 * 1000;

/// The inputs that are kept for a target, by name.
fn inputs(target: &Target) -> Vec<(String, Vec<u8>)> {
    let folder = corpus().join(target.name);
    let files = fs::read_dir(&folder).expect(target.name);
    let mut inputs: Vec<_> = files
        .map(|file| {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read(path).unwrap())
        })
        .collect();
    inputs.sort();
    inputs
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// Runs one input; a failure says which it was, so that it can be kept.
#[track_caller]
fn run(target: &Target, name: &str, bytes: &[u8]) {
    let outcome = catch_unwind(AssertUnwindSafe(|| (target.run)(bytes)));
    assert!(
        outcome.is_ok(),
        "{} fails on {name}: b\"{}\"",
        target.name,
        bytes.escape_ascii()
    );
}

/// The kept inputs, then `count` that come from them by a few changes each.
#[track_caller]
fn hold(name: &str, count: usize) {
    let target = TARGETS.iter().find(|target| target.name == name).unwrap();
    let inputs = inputs(target);
    for (name, bytes) in &inputs {
        run(target, name, bytes);
    }
    let mut rng = Rng::with_seed(7);
    for round in 0..count {
        let mut bytes = rng.choice(&inputs).unwrap().1.clone();
        let other = &rng.choice(&inputs).unwrap().1;
        for _ in 0..rng.usize(..4) {
            change(&mut bytes, other, &mut rng);
        }
        run(target, &format!("round {round}"), &bytes);
    }
}

/// One change of those that libFuzzer makes.
fn change(bytes: &mut Vec<u8>, other: &[u8], rng: &mut Rng) {
    let at = rng.usize(..=bytes.len());
    let end = (at + rng.usize(..16)).min(bytes.len());
    let piece = || {
        let start = at.min(other.len());
        other[start..(start + 16).min(other.len())].to_vec()
    };
    match rng.u8(..7) {
        0 => bytes.truncate(at),
        1 => drop(bytes.drain(at..end)),
        2 => bytes.insert(at, rng.u8(..)),
        3 => drop(bytes.splice(at..end, piece())),
        4 => {
            let again = bytes[at..end].to_vec();
            drop(bytes.splice(at..at, again));
        }
        5 => drop(bytes.splice(at..at, rng.u64(..).to_string().into_bytes())),
        _ => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << rng.u8(..8);
            }
        }
    }
}

#[test]
fn api_holds() {
    hold("api", 2000);
}

#[test]
fn config_holds() {
    hold("config", 500);
}

#[test]
fn digest_holds() {
    hold("digest", 1000);
}

#[test]
fn forwarded_holds() {
    hold("forwarded", 20_000);
}

#[test]
fn link_holds() {
    hold("link", 20_000);
}

#[test]
fn manifest_holds() {
    hold("manifest", 2000);
}

#[test]
fn payload_holds() {
    hold("payload", 500);
}

#[test]
fn range_holds() {
    hold("range", 2000);
}

#[test]
fn the_corpus_is_of_these_targets_and_small() {
    let names: BTreeSet<String> = TARGETS
        .iter()
        .map(|target| target.name.to_owned())
        .collect();
    let folders: BTreeSet<String> = fs::read_dir(corpus())
        .unwrap()
        .map(|folder| folder.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(folders, names);
    let mut sum = 0;
    for target in &TARGETS {
        let inputs = inputs(target);
        assert!(inputs.len() >= 5, "{} has too few", target.name);
        for (name, bytes) in inputs {
            let len = u64::try_from(bytes.len()).unwrap();
            assert!(len <= INPUT_LEN_MAX, "{}/{name}: {len} bytes", target.name);
            sum += len;
        }
    }
    assert!(sum <= CORPUS_LEN_MAX, "{sum} bytes in all");
}
