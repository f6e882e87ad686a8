//! What the figures were measured on: machine, system and versions, so that another run can be compared. It asks and reads;
//! what does not answer is left out.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::table::size;
use crate::{env, system};

/// Crates of the lock file whose versions matter to the figures.
const CRATES: &[&str] = &[
    "argon2",
    "axum",
    "chacha20poly1305",
    "hyper",
    "libsqlite3-sys",
    "ring",
    "tokio",
];

/// Each fact as its name and what was found.
pub(super) struct Machine(Vec<(&'static str, String)>);

impl Machine {
    /// Looks at everything, before anything is measured. `folder` is where targets store.
    pub(super) fn look(root: &Path, folder: &Path) -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let mut git = Command::new("git");
        git.current_dir(root)
            .args(["rev-parse", "--short=12", "HEAD"]);
        let facts = [
            ("processor", processor(&read("/proc/cpuinfo"))),
            ("memory", memory(&read("/proc/meminfo"))),
            ("disk", file_system(&read("/proc/mounts"), folder)),
            ("kernel", said(Command::new("uname").arg("-sr"))),
            (
                "load before it began",
                read("/proc/loadavg").split(' ').next().map(str::to_owned),
            ),
            ("day", said(Command::new("date").args(["-u", "+%F"]))),
            ("commit", said(&mut git)),
            ("programs", Some(programs().join(", "))),
            (
                "crates",
                Some(crates(
                    &fs::read_to_string(root.join("Cargo.lock")).unwrap_or_default(),
                )),
            ),
            (
                "npm",
                fs::read_to_string(root.join("bench/js/package.json"))
                    .ok()
                    .and_then(|text| npm(&text)),
            ),
        ];
        let known = facts
            .into_iter()
            .filter_map(|(name, found)| Some((name, found?)));
        Self(known.collect())
    }

    /// Name and finding of each.
    pub(super) fn facts(&self) -> impl Iterator<Item = [&str; 2]> {
        self.0.iter().map(|(name, found)| [*name, found.as_str()])
    }
}

#[cfg(test)]
impl Machine {
    /// With one fact, for tests of what shows it.
    pub(super) fn with(name: &'static str, found: &str) -> Self {
        Self(vec![(name, found.to_owned())])
    }
}

/// Model and number of processors, of `/proc/cpuinfo`.
fn processor(text: &str) -> Option<String> {
    let field = |line: &str| {
        line.split_once(':')
            .map(|(_, value)| value.trim().to_owned())
    };
    let mut models = text.lines().filter(|line| line.starts_with("model name"));
    let model = models.next().and_then(field)?;
    let cores = text
        .lines()
        .filter(|line| line.starts_with("processor"))
        .count();
    Some(format!("{model}, {cores} cores"))
}

/// All of it, of `/proc/meminfo`.
fn memory(text: &str) -> Option<String> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(size(kib * 1024))
}

/// The type of the file system that holds `folder`, of `/proc/mounts`: the last of the longest mount points above it.
fn file_system(mounts: &str, folder: &Path) -> Option<String> {
    let mounts = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let (_, point, kind) = (words.next()?, words.next()?, words.next()?);
        folder.starts_with(point).then_some((point.len(), kind))
    });
    let (_, kind) = mounts.max_by_key(|(len, _)| *len)?;
    Some(kind.to_owned())
}

fn programs() -> Vec<String> {
    let commands = [
        Some(Command::new(env::rustc())),
        Some(Command::new("node")),
        system::chromium().map(Command::new),
        system::firefox().map(Command::new),
    ];
    let mut found: Vec<String> = commands
        .into_iter()
        .flatten()
        .filter_map(|mut command| {
            let name = command.get_program().to_string_lossy().into_owned();
            let version = said(command.arg("--version"))?;
            Some(if name == "node" {
                format!("Node.js {version}")
            } else {
                version
            })
        })
        .collect();
    found.extend(system::nginx().and_then(|nginx| said(Command::new(nginx).arg("-v"))));
    found
}

/// The first line of what a program says, on either stream.
fn said(command: &mut Command) -> Option<String> {
    let output = command
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().find(|line| !line.trim().is_empty())?;
    Some(line.trim().to_owned())
}

/// Names and versions, of `Cargo.lock`.
fn crates(lock: &str) -> String {
    let lines: Vec<&str> = lock.lines().collect();
    let quoted = |line: &str, key: &str| {
        let value = line.strip_prefix(key)?.strip_prefix(" = ")?;
        Some(value.trim_matches('"').to_owned())
    };
    let found = lines.windows(2).filter_map(|pair| {
        let [name, version] = pair else { return None };
        let name = quoted(name, "name").filter(|name| CRATES.contains(&name.as_str()))?;
        Some(format!("{name} {}", quoted(version, "version")?))
    });
    found.collect::<Vec<_>>().join(", ")
}

/// The pinned packages, of `package.json`.
fn npm(text: &str) -> Option<String> {
    let package: Value = serde_json::from_str(text).ok()?;
    let pinned = package["dependencies"].as_object()?.iter();
    let pinned = pinned.filter_map(|(name, version)| Some(format!("{name} {}", version.as_str()?)));
    Some(pinned.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_and_memory_are_read() {
        let text =
            "processor\t: 0\nmodel name\t: AMD EPYC\n\nprocessor\t: 1\nmodel name\t: AMD EPYC\n";
        assert_eq!(processor(text).as_deref(), Some("AMD EPYC, 2 cores"));
        assert_eq!(processor(""), None);
        assert_eq!(
            memory("MemTotal:   2097152 kB\nMemFree: 1 kB\n").as_deref(),
            Some("2 GiB")
        );
        assert_eq!(memory("MemTotal: much\n"), None);
    }

    #[test]
    fn the_nearest_mount_point_above_a_folder_tells_its_file_system() {
        let mounts = "proc /proc proc rw 0 0\n/dev/a / ext4 rw 0 0\n/dev/b /home xfs rw 0 0\n/dev/c /home2 tmpfs rw 0 0\n";
        let check = |folder: &str, expected| {
            assert_eq!(
                file_system(mounts, Path::new(folder)).as_deref(),
                expected,
                "{folder}"
            );
        };
        check("/home/somebody", Some("xfs"));
        check("/srv", Some("ext4"));
        check("/home2", Some("tmpfs"));
        assert_eq!(file_system("", Path::new("/")), None);
    }

    #[test]
    fn versions_are_read_from_the_lock_files() {
        let lock = "[[package]]\nname = \"ring\"\nversion = \"0.17.14\"\n\n[[package]]\nname = \"other\"\nversion = \"1.0.0\"\n";
        assert_eq!(crates(lock), "ring 0.17.14");
        let package = r#"{"dependencies":{"a":"1.0.0","b":"2.0.0"}}"#;
        assert_eq!(npm(package).as_deref(), Some("a 1.0.0, b 2.0.0"));
        assert_eq!(npm("{}"), None);
    }
}
