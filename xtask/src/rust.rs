//! The checks and tests of the Rust half, by cargo's own commands.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::process::{cargo, diagnostics, run};
use crate::steps::Steps;
use crate::{env, toolchain, ui, wasm};

/// This program's own package. What this was built of serves its tests, too; in one build with all the others its dependencies would
/// have more features, and be built again.
const OWN: [&str; 2] = ["--package", "onetimeshare-xtask"];
const OTHERS: &[&str] = &["--workspace", "--exclude", OWN[1]];

/// Whether everything is formatted.
pub(crate) fn format(root: &Path) -> Result<()> {
    toolchain::ensure_component(root, "rustfmt")?;
    run(&mut cargo(root, &["fmt", "--all", "--check"]))
}

/// Formatting and lints, where a warning is an error; what is checked is not built.
fn lint(root: &Path, steps: &mut Steps) {
    steps.run("format", || format(root));
    steps.run("clippy", || {
        toolchain::ensure_component(root, "clippy")?;
        let selection = ["--workspace", "--all-targets", "--", "-D", "warnings"];
        run(cargo(root, &["clippy"]).args(selection))
    });
}

/// `cargo test` of every package but this program's, compiled by clippy: it builds what it finds fault with, where `cargo clippy` would
/// check every dependency beside what is built of it. It optimises less, which nothing of this profile notices.
pub(crate) fn tests(root: &Path) -> Result<Command> {
    compiled_by_clippy(root, "test", OTHERS)
}

/// The same of this program's package.
fn own_tests(root: &Path) -> Result<Command> {
    compiled_by_clippy(root, "test", &OWN)
}

fn compiled_by_clippy(root: &Path, what: &str, packages: &[&str]) -> Result<Command> {
    toolchain::ensure_component(root, "clippy")?;
    let mut command = cargo(root, &[what]);
    command
        .args(packages)
        .env("RUSTC_WORKSPACE_WRAPPER", env::clippy_driver());
    Ok(command)
}

/// Builds everything that tests need, and more that could be faulty; a warning is an error, but hinders no test. Only what is denied
/// outright does, as what does not compile.
pub(crate) fn build(root: &Path) -> Result<()> {
    let mut said = BTreeSet::new();
    for packages in [OTHERS, &OWN] {
        let mut build = compiled_by_clippy(root, "build", packages)?;
        said.extend(diagnostics(build.arg("--all-targets"))?);
    }
    for diagnostic in &said {
        ui::note(diagnostic);
    }
    match said.len() {
        0 => Ok(()),
        count => bail!("the compiler has {count} things to say"),
    }
}

/// Everything that needs no test to run but those of the tree itself.
pub(crate) fn check(root: &Path, steps: &mut Steps) {
    steps.run("wasm", || wasm::build(root));
    lint(root, steps);
    steps.run("documentation", || documentation(root));
    steps.run("tidy", || {
        run(&mut cargo(
            root,
            &["test", "--package", "onetimeshare-tests", "--test", "tidy"],
        ))
    });
}

/// `cargo test`, plain: whoever reads the log finds the lines that they know.
pub(crate) fn unit(root: &Path, steps: &mut Steps) {
    steps.run("cargo test", || {
        // The longest of them wait for servers that they have killed, and for what is due.
        let others = run(tests(root)?
            .arg("--no-fail-fast")
            .env("RUST_TEST_THREADS", "4"));
        run(own_tests(root)?.arg("--no-fail-fast")).and(others)
    });
}

/// The tests of faults and of secrecy whose names hold one of `names`, or all, as long as they get; what they print are rows of `docs/reliability.md` and
/// `docs/security.md`.
pub(crate) fn faults(root: &Path, names: &[OsString]) -> Result<()> {
    let selection = ["--test", "faults", "--test", "secrecy", "--", "--nocapture"];
    run(tests(root)?
        .args(selection)
        .args(names)
        .env("ONETIMESHARE_FAULTS_LONG", "1"))
}

/// The tests of stores, with those that need what takes long to install.
pub(crate) fn stores(root: &Path) -> Result<()> {
    let selection = [
        "--test",
        "stores",
        "--features",
        "onetimeshare-tests/garage",
    ];
    run(tests(root)?.args(selection))
}

/// Lints and tests of the server with the feature that no release has.
pub(crate) fn otel(root: &Path, steps: &mut Steps) {
    let package = ["--package", "onetimeshare-server", "--features", "otel"];
    steps.run("clippy", || {
        let rest = ["--all-targets", "--", "-D", "warnings"];
        run(cargo(root, &["clippy"]).args(package).args(rest))
    });
    steps.run("otel", || {
        let rest = ["--test", "api", "otel::"];
        run(cargo(root, &["test"]).args(package).args(rest))
    });
}

/// The documentation of our own crates builds, with every link leading somewhere.
pub(crate) fn documentation(root: &Path) -> Result<()> {
    // There are no examples, but with them dependencies have the features that tests give them, for which clippy has checked them.
    let targets = ["--lib", "--bins", "--examples"];
    let mut doc = cargo(root, &["doc", "--workspace", "--no-deps"]);
    run(doc.args(targets).env("RUSTDOCFLAGS", "-D warnings"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_compiles_the_tests_finds_fault_with_them() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("faulty.rs");
        let text = "pub fn negate(is: bool) -> bool { if is == true { false } else { true } }\n";
        std::fs::write(&file, text).unwrap();
        // As cargo calls it: the compiler that it stands before, then what that is told.
        let compiled = Command::new(env::clippy_driver())
            .arg(env::rustc())
            .args(["--crate-type=lib", "--emit=metadata", "--out-dir"])
            .args([folder.path(), &file])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&compiled.stderr);
        assert!(
            compiled.status.success() && said.contains("clippy::bool_comparison"),
            "{said}"
        );
    }
}
