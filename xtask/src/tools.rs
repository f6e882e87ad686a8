//! Programs of others: S3 servers that tests of stores start, what reads the files of a deployment, and what `dist` makes its
//! lists with, in folders below `target/`; nothing of the system is changed.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::{process, python};

/// A program of others that cargo builds: never a part of this project, only run by its tests and while it is built.
pub(crate) struct Tool {
    /// Its package and its program.
    pub(crate) name: &'static str,
    /// Its newest version that the pinned compiler builds.
    version: &'static str,
    features: &'static [&'static str],
}

/// The server that passes conditions over.
const GARAGE: Tool = Tool {
    name: "garage",
    version: "2.5.0",
    features: &["--no-default-features", "--features", "bundled-libs,sqlite"],
};

/// Leaves in a program the list of the packages that it is made of.
pub(crate) const AUDITABLE: Tool = Tool {
    name: "cargo-auditable",
    version: "0.7.7",
    features: &[],
};

/// Writes such a list beside it, with licences and checksums, as CycloneDX.
pub(crate) const CYCLONEDX: Tool = Tool {
    name: "cargo-cyclonedx",
    version: "0.5.9",
    features: &[],
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
    Ok(())
}

/// Makes sure that the server is there that only the long run needs: it takes minutes to build.
pub(crate) fn install_more(root: &Path) -> Result<()> {
    GARAGE.install(root)
}

/// Where the tools are.
fn folder(root: &Path) -> PathBuf {
    root.join("target").join("tools")
}

/// Where the tool called `name` is.
pub(crate) fn program(root: &Path, name: &str) -> PathBuf {
    folder(root).join("bin").join(name)
}

impl Tool {
    /// Makes sure that it is there, in this version.
    pub(crate) fn install(&self, root: &Path) -> Result<()> {
        let tools = folder(root);
        let mut list = process::cargo(root, &["install", "--list", "--root"]);
        let listed = process::output(list.arg(&tools))?;
        if self.is_listed(&listed) && program(root, self.name).is_file() {
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

    /// Whether it is in what cargo says of its folder, as a line such as `garage v2.5.0:`.
    fn is_listed(&self, listed: &str) -> bool {
        let own = format!("{} v{}:", self.name, self.version);
        listed.lines().any(|line| line == own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_is_there_in_its_own_version_only() {
        let listed = "garage v2.5.0:\n    garage\ncargo-auditable v0.7.70:\n    cargo-auditable";
        assert!(GARAGE.is_listed(listed));
        assert!(!AUDITABLE.is_listed(listed));
        assert!(!GARAGE.is_listed(""));
    }
}
