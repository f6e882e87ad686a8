//! The S3 servers that tests of stores start, and what reads the files of a deployment, in folders below `target/`; nothing of the
//! system is changed.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::{process, python};

/// A program of others that cargo builds: never a part of this project, only run by its tests.
struct Tool {
    /// Its package and its program.
    name: &'static str,
    /// Its newest version that the pinned compiler builds.
    version: &'static str,
    features: &'static [&'static str],
}

/// The server that checks signatures.
const S3S_FS: Tool = Tool {
    name: "s3s-fs",
    version: "0.14.1",
    features: &["--features", "binary"],
};

/// The server that passes conditions over.
const GARAGE: Tool = Tool {
    name: "garage",
    version: "2.5.0",
    features: &["--no-default-features", "--features", "bundled-libs,sqlite"],
};

/// They are compiled more often than they run for long: fast where bytes are hashed, and nowhere else.
const PROFILE: [&str; 3] = [
    "profile.release.opt-level=0",
    "profile.release.package.sha2.opt-level=3",
    "profile.release.package.md-5.opt-level=3",
];

/// Makes sure that the tools are there that every run needs. `tests/src/s3.rs` and `tests/deploy` find them in these places.
pub(crate) fn install(root: &Path) -> Result<()> {
    for folder in ["stores", "deploy"] {
        let requirements = root.join("tests").join(folder).join("requirements.txt");
        python::venv(root, &requirements)?;
    }
    S3S_FS.install(root)
}

/// Makes sure that the server is there that only the long run needs: it takes minutes to build.
pub(crate) fn install_more(root: &Path) -> Result<()> {
    GARAGE.install(root)
}

impl Tool {
    fn install(&self, root: &Path) -> Result<()> {
        let tools = root.join("target").join("tools");
        let program = tools.join("bin").join(self.name);
        let version = process::output(Command::new(program).arg("--version"));
        if version.is_ok_and(|version| self.is_version(&version)) {
            return Ok(());
        }
        let mut install = process::cargo(root, &["install", "--quiet", "--locked", "--force"]);
        install
            .args([self.name, "--version", self.version])
            .args(self.features)
            .arg("--root")
            .arg(tools)
            .args(PROFILE.iter().flat_map(|setting| ["--config", setting]));
        process::run(&mut install)
    }

    /// Whether it says of itself that it is this version, such as `s3s-fs 0.14.1` or `garage cargo:2.5.0 [features: …]`.
    fn is_version(&self, said: &str) -> bool {
        let mut words = said.split_whitespace();
        let name = words.next();
        let version = words.next().map(|word| word.trim_start_matches("cargo:"));
        name == Some(self.name) && version == Some(self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_second_word() {
        assert!(GARAGE.is_version("garage cargo:2.5.0 [features: bundled-libs, sqlite]"));
        assert!(S3S_FS.is_version("s3s-fs 0.14.1"));
        assert!(!S3S_FS.is_version("s3s-fs 0.14.10"));
        assert!(!S3S_FS.is_version("s3s 0.14.1"));
        assert!(!S3S_FS.is_version(""));
    }
}
