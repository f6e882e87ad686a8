//! The Python packages that tests need, in a folder below `target/` for each list of them; nothing of the system is changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::process::{output, run};

/// Makes sure that exactly the packages of `requirements` are installed, below `target/venv/` under the name of its folder.
/// The Python that finds them.
pub(crate) fn venv(root: &Path, requirements: &Path) -> Result<PathBuf> {
    let list = fs::read_to_string(requirements)
        .with_context(|| format!("cannot read {}", requirements.display()))?;
    let version = output(Command::new("python3").arg("--version"))?;
    let asked = format!("# {version}\n{list}");
    let name = requirements.parent().and_then(Path::file_name);
    let folder = root
        .join("target")
        .join("venv")
        .join(name.unwrap_or_default());
    let python = folder.join("bin").join("python");
    // Written last, so that what broke off is made again.
    let stamp = folder.join("requirements.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == asked) {
        return Ok(python);
    }
    run(Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(&folder))?;
    run(Command::new(&python)
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-input",
        ])
        .arg("--requirement")
        .arg(requirements))?;
    fs::write(&stamp, asked).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(python)
}
