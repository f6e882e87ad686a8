//! What is put into one file for people to fetch, and the checksums of all that is there; nothing in it depends on who made it, or
//! when.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use sha2::{Digest as _, Sha256};

use crate::process;

/// The checksums, as `sha256sum --check` reads them.
pub(super) const SUMS: &str = "SHA256SUMS";

/// Packs the folder `name` in `parent` into `archive`, a tar compressed by gzip: sorted, everything root's, of the time `made_at`.
pub(super) fn pack(parent: &Path, name: &str, archive: &Path, made_at: u64) -> Result<()> {
    let plain = archive.with_extension("");
    process::run(
        Command::new("tar")
            .args(["--create", "--format=ustar", "--sort=name"])
            .args(["--owner=root:0", "--group=root:0", "--numeric-owner"])
            .args(["--mode=u=rwX,go=rX", &format!("--mtime=@{made_at}")])
            .arg("--file")
            .arg(&plain)
            .arg("--directory")
            .arg(parent)
            .arg(name),
    )?;
    // Its own name and time are left out.
    process::run(
        Command::new("gzip")
            .args(["--force", "--best", "--no-name"])
            .arg(&plain),
    )
}

/// The SHA-256 of a file in hexadecimal, and its length in bytes.
pub(super) fn digest(file: &Path) -> Result<(String, u64)> {
    let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let len = u64::try_from(bytes.len()).context("a file has a length")?;
    Ok((hex::encode(Sha256::digest(&bytes)), len))
}

/// Writes the checksums of every file in `folder` beside them.
pub(super) fn sum(folder: &Path) -> Result<()> {
    let mut sums = BTreeMap::new();
    for entry in
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?
    {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name != SUMS {
            sums.insert(name, digest(&entry.path())?.0);
        }
    }
    if sums.is_empty() {
        bail!("there is nothing in {}", folder.display());
    }
    let lines = sums.iter().map(|(name, sum)| format!("{sum}  {name}\n"));
    fs::write(folder.join(SUMS), lines.collect::<String>())
        .with_context(|| format!("cannot write into {}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(order: [&str; 2]) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let content = folder.path().join("a-1");
        fs::create_dir(&content).unwrap();
        for name in order {
            fs::write(content.join(name), name).unwrap();
        }
        let archive = folder.path().join("a-1.tar.gz");
        pack(folder.path(), "a-1", &archive, 1_700_000_000).unwrap();
        fs::read(archive).unwrap()
    }

    #[test]
    fn an_archive_does_not_tell_who_made_it_when() {
        let one = packed(["program", "LICENSE"]);
        assert!(one == packed(["LICENSE", "program"]));
        let (folder, file) = (tempfile::tempdir().unwrap(), "a.tar.gz");
        fs::write(folder.path().join(file), one).unwrap();
        let mut tar = Command::new("tar");
        tar.current_dir(folder.path()).env("TZ", "UTC");
        let listed = process::output(tar.args(["--list", "--verbose", "--file", file])).unwrap();
        let lines: Vec<_> = listed.lines().collect();
        assert_eq!(lines.len(), 3, "{listed}");
        for line in lines {
            assert!(
                line.contains(" 0/0 ") && line.contains(" 2023-11-14 22:13 "),
                "{line}"
            );
        }
    }

    #[test]
    fn the_checksums_are_those_that_the_usual_program_finds() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("b"), "b").unwrap();
        fs::write(folder.path().join("a"), "a").unwrap();
        sum(folder.path()).unwrap();
        // A second time they do not count themselves.
        sum(folder.path()).unwrap();
        let mut check = Command::new("sha256sum");
        check
            .current_dir(folder.path())
            .args(["--check", "--strict", SUMS]);
        assert_eq!(process::output(&mut check).unwrap(), "a: OK\nb: OK");
        assert!(sum(&folder.path().join("c")).is_err());
    }
}
