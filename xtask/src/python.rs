//! The Python packages that tests need, in a folder below `target/` for each list of them; nothing of the system is changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::process::{output, run};

/// Makes sure that exactly the packages of `requirements` are installed, below `target/venv/` under the name of its folder.
/// The Python that finds them.
pub(crate) fn venv(root: &Path, requirements: &Path) -> Result<PathBuf> {
    let uv = uv(root)?;
    let own = output(Command::new("python3").args(["-c", "import sys; print(sys.executable)"]))?;
    make(root, requirements, |folder, python| {
        run(Command::new(&uv)
            .args(["venv", "--quiet", "--clear"])
            .args(["--python", &own])
            .arg(folder))?;
        run(Command::new(&uv)
            .args(["pip", "install", "--quiet", "--no-cache"])
            .args(["--system-certs", "--python"])
            .arg(python)
            .arg("--requirement")
            .arg(requirements))
    })
}

/// The program that installs them, itself installed by pip, which takes ten times as long for the rest. Of an index that is not the
/// public one it learns from its own settings (`UV_DEFAULT_INDEX`), not from pip's.
fn uv(root: &Path) -> Result<PathBuf> {
    let requirements = root.join("tests").join("uv").join("requirements.txt");
    let python = make(root, &requirements, |folder, python| {
        run(Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(folder))?;
        run(Command::new(python)
            .args(["-m", "pip", "install", "--quiet", "--no-input"])
            .arg("--disable-pip-version-check")
            .arg("--requirement")
            .arg(&requirements))
    })?;
    Ok(python.with_file_name("uv"))
}

/// Has `install` fill the folder of a list with its packages, unless it has been. The Python in it.
fn make(
    root: &Path,
    requirements: &Path,
    install: impl FnOnce(&Path, &Path) -> Result<()>,
) -> Result<PathBuf> {
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
    install(&folder, &python)?;
    fs::write(&stamp, asked).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(python)
}
