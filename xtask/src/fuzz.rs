//! Looks for inputs that break a target of `fuzz/`, with libFuzzer, for as long as is asked. Stable Rust feeds it: what the compiler
//! adds to count branches are passes of LLVM, which no nightly is needed for. It changes `fuzz/corpus/` only when told to keep what it found.

mod log;

use std::collections::VecDeque;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result, bail};

use self::log::Log;
use crate::process::{cargo, messages, run};
use crate::{env, ui};

/// What to look at, and how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Choice {
    /// Names of targets; all when empty.
    pub(crate) targets: Vec<String>,
    /// Seconds, for all of them together.
    pub(crate) for_s: u64,
    /// Whether new inputs go into the corpus.
    pub(crate) keeps: bool,
}

impl Default for Choice {
    fn default() -> Self {
        Self {
            targets: Vec::new(),
            for_s: 10 * 60,
            keeps: false,
        }
    }
}

/// What makes code count its branches and compare in the open: the passes that `-fsanitize=fuzzer` switches on in clang.
const FLAGS: [&str; 7] = [
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    // Branches that are folded into one count as one.
    "-Cllvm-args=-simplifycfg-branch-fold-threshold=0",
];

/// An input that takes longer hangs, in seconds; a program that takes more is full, in MiB; an input of more bytes finds nothing more.
const LIMITS: [&str; 3] = ["-timeout=20", "-rss_limit_mb=2048", "-max_len=4096"];

/// One run of one program.
struct Lane<'a> {
    target: &'a Target,
    number: usize,
    for_s: u64,
}

/// One target as it was built, and its folders.
struct Target {
    name: String,
    program: PathBuf,
    /// What is in the tree.
    kept: PathBuf,
    /// What was found here, also by earlier runs.
    found: PathBuf,
    /// Words that inputs are made of, for those that have some.
    words: Option<PathBuf>,
}

/// Builds the programs and runs them for their shares of the time, as many at once as there are cores.
pub(crate) fn fuzz(root: &Path, choice: &Choice) -> Result<()> {
    let names = names(root, &choice.targets)?;
    let folder = root.join("target/fuzz");
    let crashes = folder.join("crashes");
    let logs = folder.join("logs");
    for folder in [&crashes, &logs] {
        fs::create_dir_all(folder)?;
    }
    let targets = build(root, &folder, &names)?;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let lanes = lanes(&targets, cores, choice.for_s);
    let outcomes = run_all(lanes, cores, &crashes, &logs)?;
    for target in &targets {
        let logs = outcomes.iter().filter(|(name, _)| *name == target.name);
        ui::note(&Log::sum(logs.map(|(_, log)| log)).line(&target.name));
    }
    let broken: Vec<&Log> = outcomes
        .iter()
        .map(|(_, log)| log)
        .filter(|log| log.has_failed)
        .collect();
    if let [first, ..] = broken[..] {
        ui::note(&first.end);
        bail!(
            "{} of {} runs ended with a fault. The inputs lie in {}: run a program of {} with one to see it again, and keep it in \
             fuzz/corpus under a name that tells what it was",
            broken.len(),
            outcomes.len(),
            crashes.display(),
            folder.display()
        );
    }
    if choice.keeps {
        for target in &targets {
            run(Command::new(&target.program)
                .args(["-merge=1", "-max_len=4096"])
                .args([&target.kept, &target.found]))?;
        }
    }
    Ok(())
}

/// The targets that are asked for, of those that have a corpus.
fn names(root: &Path, asked: &[String]) -> Result<Vec<String>> {
    let mut known = Vec::new();
    for entry in fs::read_dir(root.join("fuzz/corpus"))? {
        known.push(entry?.file_name().to_string_lossy().into_owned());
    }
    known.sort();
    if let Some(unknown) = asked.iter().find(|name| !known.contains(name)) {
        bail!("there is no target {unknown}, but {}", known.join(", "));
    }
    Ok(if asked.is_empty() {
        known
    } else {
        asked.to_vec()
    })
}

/// Everything is compiled anew for this, into a folder of its own.
fn build(root: &Path, folder: &Path, names: &[String]) -> Result<Vec<Target>> {
    let triple = format!("{}-unknown-linux-gnu", env::architecture());
    let arguments = [
        "build",
        "--profile",
        "fuzz",
        "--package",
        "onetimeshare-fuzz",
    ];
    let mut command = cargo(root, &arguments);
    // With a target of its own, build scripts and macros are spared.
    command
        .args([
            "--features",
            "libfuzzer",
            "--target",
            &triple,
            "--target-dir",
        ])
        .arg(folder)
        .args(
            names
                .iter()
                .flat_map(|name| ["--bin".to_owned(), format!("fuzz-{name}")]),
        )
        .env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\u{1f}"));
    let messages = messages(&mut command)?;
    let targets = names.iter().map(|name| {
        let wanted = format!("fuzz-{name}");
        let program = messages
            .iter()
            .filter(|message| message["target"]["name"] == wanted)
            .find_map(|message| message["executable"].as_str())
            .with_context(|| format!("cargo built no {wanted}"))?;
        let found = folder.join("corpus").join(name);
        fs::create_dir_all(&found)?;
        Ok(Target {
            name: name.clone(),
            program: program.into(),
            kept: root.join("fuzz/corpus").join(name),
            found,
            words: Some(root.join(format!("fuzz/words/{name}.dict")))
                .filter(|words| words.is_file()),
        })
    });
    targets.collect()
}

/// Each target at least once, and so often that every core has something to do; the time is shared among them.
fn lanes(targets: &[Target], cores: usize, for_s: u64) -> VecDeque<Lane<'_>> {
    let copies = (cores / targets.len().max(1)).max(1);
    let count = copies * targets.len();
    let at_once = u64::try_from(count.min(cores)).unwrap_or(1);
    let share_s = (for_s * at_once / u64::try_from(count.max(1)).unwrap_or(1)).max(1);
    let copies = (0..copies).flat_map(|number| targets.iter().map(move |target| (number, target)));
    copies
        .map(|(number, target)| Lane {
            target,
            number,
            for_s: share_s,
        })
        .collect()
}

fn run_all(
    lanes: VecDeque<Lane<'_>>,
    cores: usize,
    crashes: &Path,
    logs: &Path,
) -> Result<Vec<(String, Log)>> {
    let waiting = Mutex::new(lanes);
    let next = || {
        waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front()
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..cores)
            .map(|_| {
                scope.spawn(|| {
                    let mut outcomes = Vec::new();
                    while let Some(lane) = next() {
                        outcomes.push((lane.target.name.clone(), lane.run(crashes, logs)?));
                    }
                    Ok(outcomes)
                })
            })
            .collect();
        let mut outcomes = Vec::new();
        for worker in workers {
            let own: Result<Vec<_>> = worker.join().expect("a worker does not panic");
            outcomes.extend(own?);
        }
        Ok(outcomes)
    })
}

impl Lane<'_> {
    /// Runs the program to its end. What it says goes to a file, for it is much.
    fn run(&self, crashes: &Path, logs: &Path) -> Result<Log> {
        let Self {
            target,
            number,
            for_s,
        } = self;
        ui::note(&format!("{}: {for_s} s", target.name));
        let path = logs.join(format!("{}-{number}.txt", target.name));
        let log = File::create(&path)?;
        let prefix = crashes.join(format!("{}-", target.name));
        let words = target
            .words
            .iter()
            .map(|words| format!("-dict={}", words.display()));
        let status = Command::new(&target.program)
            .args([&target.found, &target.kept])
            .args(words)
            .arg(format!("-max_total_time={for_s}"))
            .arg(format!("-artifact_prefix={}", prefix.display()))
            .arg("-print_final_stats=1")
            .args(LIMITS)
            .stdout(log.try_clone()?)
            .stderr(log)
            .status()
            .with_context(|| format!("{} cannot be started", target.program.display()))?;
        let text = String::from_utf8_lossy(&fs::read(&path)?).into_owned();
        Ok(Log::read(&text, status.success()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(name: &str) -> Target {
        Target {
            name: name.to_owned(),
            program: PathBuf::new(),
            kept: PathBuf::new(),
            found: PathBuf::new(),
            words: None,
        }
    }

    #[test]
    fn the_time_is_shared_and_every_core_is_used() {
        let check = |count: usize, cores: usize, expected: (usize, u64)| {
            let targets: Vec<Target> = (0..count).map(|_| target("a")).collect();
            let lanes = lanes(&targets, cores, 600);
            assert_eq!(
                (lanes.len(), lanes[0].for_s),
                expected,
                "{count} on {cores}"
            );
        };
        check(8, 2, (8, 150));
        check(8, 1, (8, 75));
        check(1, 4, (4, 600));
        check(3, 8, (6, 600));
        check(8, 12, (8, 600));
    }

    #[test]
    fn targets_are_those_with_a_corpus() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let all = names(&root, &[]).unwrap();
        assert!(all.len() >= 8 && all.is_sorted());
        assert_eq!(names(&root, &["link".to_owned()]).unwrap(), ["link"]);
        let fault = names(&root, &["sink".to_owned()]).unwrap_err();
        assert!(fault.to_string().contains("link"), "{fault}");
    }
}
