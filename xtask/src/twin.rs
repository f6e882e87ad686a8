//! A second place for the same tree, to show that what is built does not depend on the place: another folder, another home of
//! cargo, another zone of time. It never touches the first.

use std::collections::BTreeSet;
use std::fs;
#[cfg(not(unix))]
use std::io;
#[cfg(unix)]
use std::os::unix::fs::symlink as link;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::place::Place;
use crate::{browser_tests, env, process, wasm};

/// What is made and not written, wherever it lies, or is no part of the tree.
const LEFT_OUT: [&str; 4] = [".git", "node_modules", "onetimeshare-data", "target"];

/// The server's package, whose build script embeds the pages.
const SERVER: &str = "server";

/// The second place; it goes with this value.
pub(crate) struct Twin {
    place: Place,
    _folder: TempDir,
}

impl Twin {
    /// A copy of the tree at `root`, without anything that was made of it.
    pub(crate) fn of(root: &Path) -> Result<Self> {
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let tree = folder.path().join("another").join("folder");
        copy(root, &tree)?;
        let home = folder.path().join("home-of-cargo");
        fs::create_dir(&home)?;
        if let Some(own) = env::cargo_home().filter(|own| own.is_dir()) {
            for entry in fs::read_dir(own)? {
                let entry = entry?;
                if is_shared(&entry.file_name().to_string_lossy()) {
                    link(entry.path(), home.join(entry.file_name()))?;
                }
            }
        }
        Ok(Self {
            place: Place::strange(tree, home),
            _folder: folder,
        })
    }

    /// Where it is.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }
}

/// What two homes of cargo share: what was downloaded, and the settings that say from where.
fn is_shared(name: &str) -> bool {
    matches!(name, "registry" | "config" | "config.toml")
}

/// Where there are no links that anybody may make.
#[cfg(not(unix))]
fn link(_: PathBuf, _: PathBuf) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Copies the files of a tree, without what is made of them.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    let entries = fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))?;
    for entry in entries {
        let entry = entry?;
        let (name, source) = (entry.file_name(), entry.path());
        let is_made = LEFT_OUT.iter().any(|made| name == *made) || source.ends_with("www/wasm");
        if is_made {
            continue;
        }
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy(&source, &to.join(name))?;
        } else if kind.is_file() {
            fs::copy(&source, to.join(name))
                .with_context(|| format!("cannot copy {}", source.display()))?;
        }
    }
    Ok(())
}

/// Builds what browsers are given a second time, in another place, and compares: the WebAssembly by its compiler, and what the
/// server embeds by its build script.
pub(crate) fn assets(root: &Path) -> Result<()> {
    let twin = Twin::of(root)?;
    wasm::build_at(twin.place())?;
    let folder = |root: &Path| root.join("www").join("wasm");
    same(&folder(root), &folder(twin.place().root()))?;
    let Embedding { script, out } = Embedding::of(root)?;
    let again = twin.place().target().join("embedded");
    fs::create_dir_all(&again)?;
    let mut command = Command::new(script);
    command
        .current_dir(twin.place().root().join(SERVER))
        .env("OUT_DIR", &again);
    process::output(&mut command)?;
    same(&out, &again)
}

/// The build script of the server that the tests use, and what it wrote.
struct Embedding {
    script: PathBuf,
    out: PathBuf,
}

impl Embedding {
    fn of(root: &Path) -> Result<Self> {
        let messages = process::messages(&mut browser_tests::server_build(root)?)?;
        let manifest = root.join(SERVER).join("Cargo.toml");
        let id = messages
            .iter()
            .filter(|message| message["target"]["kind"][0] == "custom-build")
            .find(|message| message["manifest_path"].as_str().map(Path::new) == Some(&manifest));
        let compiled = id.context("cargo did not say where the server's build script is")?;
        let run = messages.iter().find(|message| {
            message["reason"] == "build-script-executed"
                && message["package_id"] == compiled["package_id"]
        });
        let run = run.context("cargo did not say where the server's build script wrote to")?;
        let path = |value: &serde_json::Value| value.as_str().map(PathBuf::from);
        Ok(Self {
            script: path(&compiled["filenames"][0]).context("a program has a file")?,
            out: path(&run["out_dir"]).context("a build script has a folder")?,
        })
    }
}

/// Fails unless both folders hold the same files with the same bytes, and some.
pub(crate) fn same(one: &Path, other: &Path) -> Result<()> {
    let (mut files, mut others) = (BTreeSet::new(), BTreeSet::new());
    walk(one, Path::new(""), &mut files)?;
    walk(other, Path::new(""), &mut others)?;
    if files.is_empty() {
        bail!("there is nothing in {}", one.display());
    }
    let mut faults: Vec<_> = files
        .symmetric_difference(&others)
        .map(|name| format!("{} is there once only", name.display()))
        .collect();
    for name in files.intersection(&others) {
        let (bytes, again) = (fs::read(one.join(name))?, fs::read(other.join(name))?);
        if bytes != again {
            let at = bytes.iter().zip(&again).take_while(|(a, b)| a == b).count();
            faults.push(format!("{} differs from byte {at} on", name.display()));
        }
    }
    if faults.is_empty() {
        return Ok(());
    }
    bail!(
        "two builds in two places are not the same: {}",
        faults.join(", ")
    )
}

fn walk(folder: &Path, below: &Path, found: &mut BTreeSet<PathBuf>) -> Result<()> {
    let whole = folder.join(below);
    let entries =
        fs::read_dir(&whole).with_context(|| format!("cannot read {}", whole.display()))?;
    for entry in entries {
        let entry = entry?;
        let path = below.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            walk(folder, &path, found)?;
        } else {
            found.insert(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let file = folder.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        folder
    }

    #[test]
    fn a_copy_has_the_tree_and_nothing_that_was_made_of_it() {
        let tree = folder(&[
            ("Cargo.toml", "1"),
            (".cargo/config.toml", "2"),
            ("www/js/wasm.js", "3"),
            ("www/wasm/a.wasm", "-"),
            ("www/node_modules/a", "-"),
            ("target/debug/a", "-"),
            (".git/HEAD", "-"),
        ]);
        let twin = Twin::of(tree.path()).unwrap();
        let mut found = BTreeSet::new();
        walk(twin.place().root(), Path::new(""), &mut found).unwrap();
        let expected = [".cargo/config.toml", "Cargo.toml", "www/js/wasm.js"];
        assert_eq!(found, expected.map(PathBuf::from).into());
    }

    #[test]
    fn folders_that_differ_are_told_apart_with_every_difference() {
        let one = folder(&[("a", "same"), ("b/c", "other"), ("d", "")]);
        let same_again = folder(&[("a", "same"), ("b/c", "other"), ("d", "")]);
        same(one.path(), same_again.path()).unwrap();
        let other = folder(&[("a", "same"), ("b/c", "otter"), ("e", "")]);
        let fault = same(one.path(), other.path()).unwrap_err().to_string();
        for word in [
            "b/c differs from byte 2 on",
            "d is there once",
            "e is there once",
        ] {
            assert!(fault.contains(word), "{fault}");
        }
        assert!(!fault.contains("a differs"), "{fault}");
    }

    #[test]
    fn nothing_is_not_the_same_as_nothing() {
        let (one, other) = (folder(&[]), folder(&[]));
        assert!(same(one.path(), other.path()).is_err());
    }
}
