//! The commit that something is built of, by git; it changes nothing.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;

/// A commit of the tree, with nothing beside it.
pub(super) struct Commit {
    /// Its name: 40 hexadecimal digits.
    pub(super) name: String,
    /// When it was made: Unix seconds, as `SOURCE_DATE_EPOCH` wants them. The only time in what is built.
    pub(super) made_at: u64,
}

impl Commit {
    /// The one that is checked out at `root`. An error where there are changes that nobody else has.
    pub(super) fn of(root: &Path) -> Result<Self> {
        let changed = git(root, &["status", "--porcelain"])?;
        if let Some(change) = changed.lines().next() {
            bail!(
                "the tree is not that of its commit, so nobody else could make the same of it: commit or remove what has changed ({})",
                change.trim()
            );
        }
        let told = git(root, &["log", "-1", "--format=%H %ct"])?;
        let told = told.split_once(' ');
        let (name, made_at) = told.context("git says what is checked out")?;
        Ok(Self {
            name: name.to_owned(),
            made_at: made_at.parse().context("git says when it was made")?,
        })
    }
}

/// What git says. The tree may belong to somebody else, as in a container.
fn git(root: &Path, arguments: &[&str]) -> Result<String> {
    let safe = format!("safe.directory={}", root.display());
    let mut command = Command::new("git");
    command
        .current_dir(root)
        .args(["-c", &safe])
        .args(arguments);
    process::output(&mut command).with_context(|| {
        format!(
            "{} has to be a clone with its history, and git installed",
            root.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn tree() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for arguments in [
            &["init", "--quiet"][..],
            &["config", "user.name", "a"],
            &["config", "user.email", "a@b.example"],
            &["config", "commit.gpgsign", "false"],
            &[
                "commit",
                "--quiet",
                "--allow-empty",
                "--message=a",
                "--date=@5",
            ],
        ] {
            let mut git = Command::new("git");
            git.current_dir(folder.path()).args(arguments);
            git.env("GIT_COMMITTER_DATE", "@1700000000 +1400");
            process::run(&mut git).unwrap();
        }
        folder
    }

    #[test]
    fn a_commit_has_a_name_and_a_time() {
        let commit = Commit::of(tree().path()).unwrap();
        assert_eq!(commit.made_at, 1_700_000_000);
        assert_eq!(commit.name.len(), 40);
    }

    #[test]
    fn changes_that_nobody_else_has_are_refused() {
        let tree = tree();
        fs::write(tree.path().join("new"), "").unwrap();
        let fault = Commit::of(tree.path()).err().unwrap().to_string();
        assert!(
            fault.contains("commit or remove") && fault.contains("?? new"),
            "{fault}"
        );
    }

    #[test]
    fn what_is_no_clone_is_refused_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let fault = Commit::of(folder.path()).err().unwrap().to_string();
        assert!(fault.contains("has to be a clone"), "{fault}");
    }
}
