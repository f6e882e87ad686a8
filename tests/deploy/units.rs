//! The units in `contrib/systemd`: systemd finds no fault in them and little exposure, and their filter lets through every call that a
//! server makes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use onetimeshare_tests::Server;

use crate::life::{LARGE, pass_on};

/// How much systemd may find exposed, of 100: what is left is the network, which the server is there for.
const EXPOSURE_MAX: &str = "15";

/// What SQLite calls as root alone, as which these tests may run and the unit does not: it gives new files to the database's owner.
const ROOT_ONLY: &str = "fchown";

/// Where the unit expects the program.
const PROGRAM: &str = "/usr/local/bin/onetimeshare-server";

/// Where the units are kept.
fn units() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../contrib/systemd")
}

/// What `systemd-analyze` prints when it is content.
#[track_caller]
fn analyze(arguments: &[&str], files: &[PathBuf]) -> String {
    let output = Command::new("systemd-analyze")
        .args(arguments)
        .args(files)
        .output();
    let output = output.expect("install the package `systemd`");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{complaints}");
    // It ends well for a setting that it does not know.
    let ours = complaints
        .lines()
        .find(|line| line.contains("onetimeshare"));
    assert_eq!(ours, None, "{complaints}");
    text
}

/// A copy of the units, with a program that is there on every machine.
fn staged() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(units()).unwrap() {
        let entry = entry.unwrap();
        let text = fs::read_to_string(entry.path()).unwrap();
        let text = text.replace(PROGRAM, "/bin/sh");
        let name = entry.file_name();
        let name = name.to_str().unwrap();
        if Path::new(name)
            .extension()
            .is_some_and(|kind| kind == "conf")
        {
            let drop_ins = folder.path().join("onetimeshare.service.d");
            fs::create_dir_all(&drop_ins).unwrap();
            fs::write(drop_ins.join(name), text).unwrap();
        } else {
            fs::write(folder.path().join(name), text).unwrap();
        }
    }
    folder
}

#[test]
fn systemd_finds_no_fault_in_the_units() {
    let folder = staged();
    let files =
        ["onetimeshare.service", "onetimeshare.socket"].map(|name| folder.path().join(name));
    analyze(&["verify", "--man=no"], &files);
}

#[test]
fn the_service_is_hardly_exposed() {
    let folder = staged();
    fs::remove_dir_all(folder.path().join("onetimeshare.service.d")).unwrap();
    let files = [folder.path().join("onetimeshare.service")];
    let threshold = format!("--threshold={EXPOSURE_MAX}");
    analyze(
        &["security", "--offline=true", "--no-pager", &threshold],
        &files,
    );
}

/// What is wrong about a command line is for a person to mend; a Redis that is away comes back by itself.
#[test]
fn the_service_is_started_again_for_what_may_pass_alone() {
    let own = std::env::current_exe().unwrap();
    let program = own.ancestors().nth(2).unwrap().join("onetimeshare-server");
    let folder = tempfile::tempdir().unwrap();
    let code = |setting: &str| {
        let mut server = Command::new(&program);
        server.arg(setting).arg("--data-dir").arg(folder.path());
        let output = server.output().unwrap();
        output.status.code().unwrap_or_else(|| panic!("{output:?}"))
    };
    let service = fs::read_to_string(units().join("onetimeshare.service")).unwrap();
    let ends_it = |code: i32| service.contains(&format!("\nRestartPreventExitStatus={code}\n"));
    assert!(ends_it(code("--no-such-setting")));
    assert!(!ends_it(code("--redis-url=redis://127.0.0.1:1/0")));
}

#[test]
fn the_filter_lets_through_every_call_of_a_life() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("calls");
    let trace = trace.to_str().unwrap();
    // It counts the calls of all threads, and is itself not the server's parent, which signals would go to.
    let wrapper = ["strace", "-D", "-f", "-qq", "-c", "-U", "name", "-o", trace];
    let mut server = Server::start_under(&wrapper, &[]);
    pass_on(&server.base(), 1000);
    pass_on(&server.base(), LARGE);
    assert!(server.stop().success(), "{}", server.log());
    let seen = calls(Path::new(trace));
    assert!(
        seen.contains("accept4") && seen.contains("fdatasync"),
        "{seen:?}"
    );
    let allowed = allowed();
    let refused = seen.difference(&allowed).filter(|call| *call != ROOT_ONLY);
    let refused: Vec<_> = refused.collect();
    assert!(refused.is_empty(), "{refused:?}");
}

/// The names in a summary of `strace`, once it is written.
fn calls(summary: &Path) -> BTreeSet<String> {
    for _ in 0..600 {
        let text = fs::read_to_string(summary).unwrap_or_default();
        if !text.is_empty() {
            let names = text.lines().map(str::trim);
            // Below the heading, a line of dashes, and above the sum, another.
            let names = names.skip(2).take_while(|name| !name.starts_with('-'));
            return names.map(str::to_owned).collect();
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("strace wrote nothing");
}

/// What the unit's `SystemCallFilter=` lines leave.
fn allowed() -> BTreeSet<String> {
    let unit = fs::read_to_string(units().join("onetimeshare.service")).unwrap();
    let lines = unit
        .lines()
        .filter_map(|line| line.strip_prefix("SystemCallFilter="));
    let sets = sets();
    let mut allowed = BTreeSet::new();
    for line in lines {
        let (is_taken, names) = match line.strip_prefix('~') {
            Some(names) => (true, names),
            None => (false, line),
        };
        for name in names.split(' ') {
            let mut calls = BTreeSet::new();
            unfold(name, &sets, &mut calls);
            assert!(calls.len() > 1, "{name} is no set");
            if is_taken {
                allowed.retain(|call| !calls.contains(call));
            } else {
                allowed.append(&mut calls);
            }
        }
    }
    allowed
}

/// Adds the calls of a set, and of the sets in it.
fn unfold(name: &str, sets: &BTreeMap<String, Vec<String>>, calls: &mut BTreeSet<String>) {
    match sets.get(name) {
        Some(members) => members
            .iter()
            .for_each(|member| unfold(member, sets, calls)),
        None => drop(calls.insert(name.to_owned())),
    }
}

/// The sets of calls that systemd knows: each has its name on a line of its own, and its members indented below.
fn sets() -> BTreeMap<String, Vec<String>> {
    let text = analyze(&["syscall-filter", "--no-pager"], &[]);
    let mut sets: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut current = None;
    for line in text.lines() {
        let word = line.trim();
        if line.starts_with('@') {
            current = Some(sets.entry(word.to_owned()).or_default());
        } else if let Some(members) = current.as_mut().filter(|_| line.starts_with(' '))
            && !word.starts_with('#')
        {
            members.push(word.to_owned());
        }
    }
    sets
}
