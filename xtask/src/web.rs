//! The checks and tests of the pages, by the scripts that their own package names.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::process::run;
use crate::steps::Steps;

/// Installs the development tools of the pages, then checks types and runs the unit tests.
pub(crate) fn check(root: &Path, steps: &mut Steps) {
    let folder = root.join("www");
    steps.run("www: tools", || install(&folder));
    steps.run("www: types", || run(npm(&folder).args(["run", "check"])));
    steps.run("www: tests", || run(npm(&folder).arg("test")));
}

/// Installs exactly what the lock file of `folder` names.
pub(crate) fn install(folder: &Path) -> Result<()> {
    run(npm(folder).args(["ci", "--no-fund", "--no-audit"]))
}

fn npm(folder: &Path) -> Command {
    let mut command = Command::new("npm");
    command.current_dir(folder);
    command
}
