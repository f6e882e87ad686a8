//! The checks and tests of the pages, by the scripts that their own package names.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::process::run;
use crate::steps::Steps;

/// What is to be installed, as npm writes it down.
const LOCK: &str = "package-lock.json";

/// A copy of that, of what is installed. It goes with the folder that npm installs into.
const INSTALLED: &str = "node_modules/.installed-lock.json";

/// Installs the development tools of the pages, then checks types and runs the unit tests.
pub(crate) fn check(root: &Path, steps: &mut Steps) {
    let folder = folder(root);
    steps.run("www: tools", || install(&folder));
    steps.run("www: types", || run(npm(&folder).args(["run", "check"])));
    steps.run("www: tests", || run(npm(&folder).arg("test")));
}

/// Where the pages are.
pub(crate) fn folder(root: &Path) -> PathBuf {
    root.join("www")
}

/// Makes sure that exactly what the lock file of `folder` names is installed.
pub(crate) fn install(folder: &Path) -> Result<()> {
    if is_installed(folder) {
        return Ok(());
    }
    run(npm(folder).args(["ci", "--no-fund", "--no-audit"]))?;
    // Written last, so that what broke off is made again.
    fs::copy(folder.join(LOCK), folder.join(INSTALLED))
        .with_context(|| format!("cannot write into {}", folder.display()))?;
    Ok(())
}

/// Whether the last whole installation was of the lock file as it is.
fn is_installed(folder: &Path) -> bool {
    let read = |name| fs::read(folder.join(name)).ok();
    let installed = read(INSTALLED);
    installed.is_some() && installed == read(LOCK)
}

fn npm(folder: &Path) -> Command {
    let mut command = Command::new("npm");
    command.current_dir(folder);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_installed_is_what_the_lock_file_names_now() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!is_installed(folder.path()));
        fs::create_dir(folder.path().join("node_modules")).unwrap();
        fs::write(folder.path().join(LOCK), "one").unwrap();
        assert!(!is_installed(folder.path()));
        fs::write(folder.path().join(INSTALLED), "one").unwrap();
        assert!(is_installed(folder.path()));
        fs::write(folder.path().join(LOCK), "another").unwrap();
        assert!(!is_installed(folder.path()));
    }
}
