//! `manifest.json`: what a server of this commit gives to browsers, as the program itself says it, and the programs that were made
//! of it (docs/verify.md). It asks no server.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::archive;
use crate::process;

/// How the file is called.
pub(super) const NAME: &str = "manifest.json";

/// The layout that this reads and writes.
const FORMAT: u32 = 1;

/// Everything in the file, in its order.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(Debug))]
pub(super) struct List {
    format: u32,
    version: String,
    /// Told by git; the program does not know it.
    #[serde(default)]
    commit: String,
    assets: String,
    content_security_policy: String,
    files: Vec<File>,
    unknown: Body,
    only_opens: Body,
    only_creates: Body,
    /// Told by whoever builds them.
    #[serde(default)]
    programs: Vec<Program>,
}

#[derive(Clone, Deserialize, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(Debug))]
struct File {
    path: String,
    content_type: String,
    len: u64,
    sha256: String,
}

#[derive(Clone, Deserialize, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(Debug))]
struct Body {
    content_type: String,
    len: u64,
    sha256: String,
}

/// A program as it lies in its archive.
#[derive(Clone, Deserialize, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(Debug))]
struct Program {
    name: String,
    target: String,
    len: u64,
    sha256: String,
}

impl List {
    /// What `program`, called `name` and made for `target`, says of itself.
    pub(super) fn of(program: &Path, name: &str, target: &str, commit: &str) -> Result<Self> {
        let said = process::output(Command::new(program).env_clear().arg("hashes"))?;
        let mut list = Self::parse(&said).context("the program says what it gives to browsers")?;
        let (sha256, len) = archive::digest(program)?;
        commit.clone_into(&mut list.commit);
        list.programs = vec![Program {
            name: name.to_owned(),
            target: target.to_owned(),
            len,
            sha256,
        }];
        Ok(list)
    }

    fn parse(text: &str) -> Result<Self> {
        let list: Self = serde_json::from_str(text)?;
        if list.format != FORMAT {
            bail!("it has the format {}, and this reads {FORMAT}", list.format);
        }
        let has_wasm = list
            .files
            .iter()
            .any(|file| file.content_type == "application/wasm");
        if !has_wasm {
            bail!("it lists no WebAssembly");
        }
        Ok(list)
    }

    fn read(file: &Path) -> Result<Self> {
        let text =
            fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        Self::parse(&text).with_context(|| format!("{} cannot be used", file.display()))
    }

    /// Writes it into `folder`.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self).context("a list is JSON")?;
        fs::write(folder.join(NAME), text + "\n")
            .with_context(|| format!("cannot write into {}", folder.display()))
    }

    /// Joins the lists of one commit's programs, made for several targets.
    fn join(lists: Vec<Self>) -> Result<Self> {
        let mut lists = lists.into_iter();
        let mut whole = lists.next().context("there is no list to join")?;
        for list in lists {
            if !whole.gives_the_same_as(&list) {
                bail!(
                    "the programs for {} and {} do not give browsers the same, and servers of both could not work as one",
                    whole.targets(),
                    list.targets()
                );
            }
            whole.programs.extend(list.programs);
        }
        whole.programs.sort();
        let targets: BTreeSet<_> = whole
            .programs
            .iter()
            .map(|program| &program.target)
            .collect();
        if targets.len() < whole.programs.len() {
            bail!(
                "there are two programs for one target, of {}",
                whole.targets()
            );
        }
        Ok(whole)
    }

    fn gives_the_same_as(&self, other: &Self) -> bool {
        let Self {
            format,
            version,
            commit,
            assets,
            content_security_policy,
            files,
            unknown,
            only_opens,
            only_creates,
            programs: _,
        } = self;
        (format, version, commit) == (&other.format, &other.version, &other.commit)
            && (assets, content_security_policy) == (&other.assets, &other.content_security_policy)
            && (files, unknown) == (&other.files, &other.unknown)
            && (only_opens, only_creates) == (&other.only_opens, &other.only_creates)
    }

    fn targets(&self) -> String {
        let targets = self.programs.iter().map(|program| &*program.target);
        targets.collect::<Vec<_>>().join(", ")
    }
}

/// Makes one folder of what was made on several machines: each file moves to `into`, and one list and one file of checksums take the
/// place of theirs.
pub(super) fn gather(from: &[PathBuf], into: &Path) -> Result<()> {
    let lists = from.iter().map(|folder| List::read(&folder.join(NAME)));
    let whole = List::join(lists.collect::<Result<_>>()?)?;
    let mut files = Vec::new();
    for folder in from {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            if name != NAME && name != archive::SUMS {
                files.push((entry.path(), into.join(name)));
            }
        }
    }
    for (file, place) in files {
        if place.exists() && fs::read(&file)? != fs::read(&place)? {
            bail!("{} differs from {}", file.display(), place.display());
        }
        fs::copy(&file, &place).with_context(|| format!("cannot copy {}", file.display()))?;
    }
    whole.write(into)?;
    archive::sum(into)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(target: &str, wasm: &str) -> List {
        let text = serde_json::json!({
            "format": 1, "version": "1.2.3", "commit": "c", "assets": "a", "content_security_policy": "p",
            "files": [{ "path": "/a", "content_type": "application/wasm", "len": 1, "sha256": wasm }],
            "unknown": { "content_type": "text/html", "len": 1, "sha256": "u" },
            "only_opens": { "content_type": "text/html", "len": 1, "sha256": "o" },
            "only_creates": { "content_type": "text/html", "len": 1, "sha256": "c" },
            "programs": [{ "name": "server", "target": target, "len": 1, "sha256": target }],
        });
        List::parse(&text.to_string()).unwrap()
    }

    fn folder(list: &List, files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        list.write(folder.path()).unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        archive::sum(folder.path()).unwrap();
        folder
    }

    fn gathered(folders: &[&tempfile::TempDir]) -> Result<tempfile::TempDir> {
        let into = tempfile::tempdir()?;
        let from: Vec<_> = folders
            .iter()
            .map(|folder| folder.path().to_owned())
            .collect();
        gather(&from, into.path()).map(|()| into)
    }

    #[test]
    fn what_two_machines_made_becomes_one_folder() {
        let one = folder(
            &list("x86", "w"),
            &[("x86.tar.gz", "1"), ("wasm.json", "w")],
        );
        let other = folder(
            &list("arm", "w"),
            &[("arm.tar.gz", "2"), ("wasm.json", "w")],
        );
        let whole = gathered(&[&one, &other]).unwrap();
        let read = List::read(&whole.path().join(NAME)).unwrap();
        assert_eq!(read.targets(), "arm, x86");
        let sums = fs::read_to_string(whole.path().join(archive::SUMS)).unwrap();
        let names: Vec<_> = sums
            .lines()
            .filter_map(|line| line.split("  ").nth(1))
            .collect();
        assert_eq!(names, ["arm.tar.gz", NAME, "wasm.json", "x86.tar.gz"]);
    }

    #[test]
    fn programs_that_give_other_pages_are_not_released_together() {
        let one = folder(&list("x86", "w"), &[]);
        let fault = |other: List, files: &[(&str, &str)]| {
            gathered(&[&one, &folder(&other, files)])
                .unwrap_err()
                .to_string()
        };
        assert!(fault(list("arm", "v"), &[]).contains("x86 and arm do not give"));
        assert!(fault(list("x86", "w"), &[]).contains("two programs for one target"));
        let mut other_commit = list("arm", "w");
        other_commit.commit = "d".to_owned();
        assert!(fault(other_commit, &[]).contains("do not give"));
        assert!(gathered(&[]).is_err());
    }

    #[test]
    fn files_of_one_name_are_the_same_file() {
        let one = folder(&list("x86", "w"), &[("wasm.json", "w")]);
        let other = folder(&list("arm", "w"), &[("wasm.json", "v")]);
        let fault = gathered(&[&one, &other]).unwrap_err().to_string();
        assert!(fault.contains("wasm.json differs"), "{fault}");
    }

    #[test]
    fn a_list_of_another_layout_or_without_wasm_is_refused() {
        let mut other = serde_json::to_value(list("x86", "w")).unwrap();
        for (member, value) in [
            ("format", serde_json::json!(2)),
            ("files", serde_json::json!([])),
            ("more", serde_json::json!(1)),
        ] {
            let before = other[member].clone();
            other[member] = value;
            assert!(List::parse(&other.to_string()).is_err(), "{member}");
            other[member] = before;
        }
    }
}
