//! Starts the end-to-end tests and the screenshots: real server, real browsers, from `tests/e2e`.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::serve::SERVER;
use crate::{env, process, rust, system, ui, web};

/// A browser that the tests drive.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(crate) enum Browser {
    /// Chromium, or a browser built on it.
    Chromium,
    /// Firefox.
    Firefox,
}

impl Browser {
    /// As the test files call it.
    const fn name(self) -> &'static str {
        match self {
            Self::Chromium => "chromium",
            Self::Firefox => "firefox",
        }
    }
}

/// What the pages speak to.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(crate) enum Servers {
    /// One, with its stores in a folder.
    One,
    /// Two that share a Redis and an S3 server, behind a balancer.
    Several,
}

/// The file that is on several servers by itself: the main job, to send in one browser and to open in another.
const SEVERAL: &str = "several.test.mjs";

/// Those that take longest begin first, so that none of them is left to run alone in the end.
const LONGEST: [&str; 9] = [
    "axe.test.mjs",
    "lighthouse.test.mjs",
    "open-states.test.mjs",
    "manage.test.mjs",
    "open-more.test.mjs",
    "refusal.test.mjs",
    "create-token.test.mjs",
    "lost.test.mjs",
    "send-more.test.mjs",
];

/// So many test files may fail and be run once more: a browser on a busy machine misses a moment now and then. More is a fault.
const AGAIN_MAX: usize = 2;

/// Runs every end-to-end test, in all browsers when `browsers` is empty. Files that fail are run once more, by themselves, and said
/// to be flaky when they pass then.
pub(crate) fn run(root: &Path, browsers: &[Browser], servers: Servers) -> Result<()> {
    let names: Vec<&str> = browsers.iter().map(|browser| browser.name()).collect();
    let mut files = test_files(&folder(root))?;
    if servers == Servers::Several {
        files.retain(|name| name != SEVERAL);
    }
    let node = || {
        let mut node = prepare(root)?;
        if !names.is_empty() {
            node.env("ONETIMESHARE_BROWSERS", names.join(","));
        }
        if servers == Servers::Several {
            node.env("ONETIMESHARE_SERVERS", "several");
        }
        Ok::<_, anyhow::Error>(node)
    };
    let aside = tempfile::tempdir()?;
    let failed = aside.path().join("failed");
    // Each drives one browser at a time, and waits for it more than half of the time.
    let first = process::run(
        tests(&mut node()?)
            .args(["--test-reporter-destination=stdout", "--test-concurrency=4"])
            .arg("--test-reporter=./lib/failed.mjs")
            .arg(destination(&failed))
            .args(files),
    );
    let Err(error) = first else { return Ok(()) };
    let failed = fs::read_to_string(failed).unwrap_or_default();
    let again = files_to_run_again(&failed);
    if again.is_empty() {
        return Err(error);
    }
    let names = again.join(", ");
    ui::note(&format!("once more, by themselves: {names}"));
    process::run(tests(&mut node()?).arg("--test-concurrency=1").args(again))?;
    ui::note(&format!(
        "flaky, they failed above and pass by themselves: {names}"
    ));
    Ok(())
}

/// Where Node.js has its last reporter write.
fn destination(file: &Path) -> OsString {
    let mut argument = OsString::from("--test-reporter-destination=");
    argument.push(file);
    argument
}

/// Of the files that failed, a line each: none when they are too many to be chance.
fn files_to_run_again(failed: &str) -> Vec<&str> {
    let files: Vec<&str> = failed.lines().collect();
    if files.len() > AGAIN_MAX {
        return Vec::new();
    }
    files
}

/// Makes sure that the packages of the tests are there.
pub(crate) fn install(root: &Path) -> Result<()> {
    web::install(&folder(root))
}

fn tests(node: &mut Command) -> &mut Command {
    node.args(["--test", "--test-reporter=spec"])
}

/// Takes the screenshots again, into `into` or `docs/screens/`.
pub(crate) fn screens(root: &Path, into: Option<&Path>) -> Result<()> {
    let into = match into {
        Some(into) => env::current_dir()?.join(into),
        None => root.join("docs").join("screens"),
    };
    fs::create_dir_all(&into).with_context(|| format!("cannot make {}", into.display()))?;
    process::run(prepare(root)?.arg("screens.mjs").arg(into))
}

fn folder(root: &Path) -> PathBuf {
    root.join("tests").join("e2e")
}

/// Node.js in the folder of the tests, told where server and browsers are.
fn prepare(root: &Path) -> Result<Command> {
    install(root)?;
    let mut node = Command::new("node");
    node.current_dir(folder(root))
        .env("ONETIMESHARE_SERVER", build_server(root)?)
        .env(
            "ONETIMESHARE_CHROMIUM",
            path_of("chromium", system::chromium())?,
        )
        .env(
            "ONETIMESHARE_FIREFOX",
            path_of("firefox", system::firefox())?,
        );
    if let Some(shell) = system::chromium_shell() {
        node.env("ONETIMESHARE_CHROMIUM_SHELL", shell);
    }
    Ok(node)
}

fn path_of(name: &str, found: Option<PathBuf>) -> Result<OsString> {
    found
        .map(PathBuf::into_os_string)
        .with_context(|| format!("there is no {name}"))
}

/// The server as `cargo test` builds it: the same features, so nothing is compiled twice.
pub(crate) fn build_server(root: &Path) -> Result<PathBuf> {
    let files = process::build(&mut server_build(root)?, SERVER)?;
    files
        .into_iter()
        .next()
        .with_context(|| format!("cargo built no {SERVER}"))
}

/// What builds it.
pub(crate) fn server_build(root: &Path) -> Result<Command> {
    let mut tests = rust::tests(root)?;
    tests.arg("--no-run");
    Ok(tests)
}

/// The test files, in the order in which they begin. Node.js 20 takes files but no patterns.
fn test_files(folder: &Path) -> Result<Vec<OsString>> {
    let mut names = Vec::new();
    for entry in
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?
    {
        let name = entry?.file_name();
        if name.to_string_lossy().ends_with(".test.mjs") {
            names.push(name);
        }
    }
    if names.is_empty() {
        bail!("there is no test in {}", folder.display());
    }
    let place = |name: &OsString| LONGEST.iter().position(|longest| name == longest);
    names.sort_by_key(|name| (place(name).unwrap_or(LONGEST.len()), name.clone()));
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_files_are_those_that_end_as_tests_the_longest_first() {
        let folder = tempfile::tempdir().unwrap();
        let [longest, next, ..] = LONGEST;
        for name in [next, "b.test.mjs", longest, "a.test.mjs", "screens.mjs"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let expected = [longest, next, "a.test.mjs", "b.test.mjs"];
        assert_eq!(test_files(folder.path()).unwrap(), expected);
    }

    #[test]
    fn the_longest_test_files_are_there() {
        let files = test_files(&folder(&crate::root())).unwrap();
        assert_eq!(&files[..LONGEST.len()], LONGEST.map(OsString::from));
    }

    #[test]
    fn a_few_files_that_failed_are_run_again_and_many_are_not() {
        let check = |failed, expected: &[&str]| assert_eq!(files_to_run_again(failed), expected);
        check("", &[]);
        check("a.test.mjs\n", &["a.test.mjs"]);
        check("a.test.mjs\nb.test.mjs\n", &["a.test.mjs", "b.test.mjs"]);
        check("a.test.mjs\nb.test.mjs\nc.test.mjs\n", &[]);
    }

    #[test]
    fn a_folder_without_tests_is_a_fault_and_no_success() {
        let folder = tempfile::tempdir().unwrap();
        assert!(test_files(folder.path()).is_err());
    }
}
