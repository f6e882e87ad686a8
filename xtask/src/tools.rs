//! The S3 servers that tests of stores start, in folders below `target/`; nothing of the system is changed.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::{process, python};

/// The server that checks signatures, as its package and its program are called.
const S3S_FS: &str = "s3s-fs";

/// Its newest version that the pinned compiler builds.
const S3S_FS_VERSION: &str = "0.14.1";

/// It is compiled more often than it runs for long: fast where bytes are hashed, and nowhere else.
const PROFILE: [&str; 3] = [
    "profile.release.opt-level=0",
    "profile.release.package.sha2.opt-level=3",
    "profile.release.package.md-5.opt-level=3",
];

/// Makes sure that both servers are there. `tests/src/s3.rs` finds them in these places.
pub(crate) fn install(root: &Path) -> Result<()> {
    python::venv(
        root,
        &root.join("tests").join("stores").join("requirements.txt"),
    )?;
    let tools = root.join("target").join("tools");
    let program = tools.join("bin").join(S3S_FS);
    let version = process::output(Command::new(program).arg("--version"));
    if version.is_ok_and(|version| version == format!("{S3S_FS} {S3S_FS_VERSION}")) {
        return Ok(());
    }
    let mut install = process::cargo(root, &["install", "--quiet", "--locked", "--force"]);
    install
        .args([S3S_FS, "--version", S3S_FS_VERSION])
        .args(["--features", "binary", "--root"])
        .arg(tools)
        .args(PROFILE.iter().flat_map(|setting| ["--config", setting]));
    process::run(&mut install)
}
