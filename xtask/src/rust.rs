//! The checks and tests of the Rust half, by cargo's own commands.

use std::path::Path;

use anyhow::Result;

use crate::process::{cargo, run};
use crate::steps::Steps;
use crate::toolchain;

/// Formatting and lints, where a warning is an error.
pub(crate) fn lint(root: &Path, steps: &mut Steps) -> Result<()> {
    toolchain::ensure_components(root)?;
    steps.run("format", || {
        run(&mut cargo(root, &["fmt", "--all", "--check"]))
    });
    steps.run("clippy", || {
        run(&mut cargo(
            root,
            &[
                "clippy",
                "--workspace",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ],
        ))
    });
    Ok(())
}

/// Everything that needs no test to run but those of the tree itself.
pub(crate) fn check(root: &Path, steps: &mut Steps) -> Result<()> {
    lint(root, steps)?;
    steps.run("documentation", || documentation(root));
    steps.run("tidy", || {
        run(&mut cargo(
            root,
            &["test", "--package", "onetimeshare-tests", "--test", "tidy"],
        ))
    });
    Ok(())
}

/// `cargo test`, plain: whoever reads the log finds the lines that they know.
pub(crate) fn unit(root: &Path, steps: &mut Steps) {
    steps.run("cargo test", || {
        let mut test = cargo(root, &["test", "--workspace", "--no-fail-fast"]);
        // The longest of them wait for servers that they have killed, and for what is due.
        run(test.env("RUST_TEST_THREADS", "4"))
    });
}

/// The tests of faults and of secrecy, as long as they get; what they print are rows of `docs/reliability.md` and
/// `docs/security.md`.
pub(crate) fn faults(root: &Path) -> Result<()> {
    let arguments = [
        "test",
        "--workspace",
        "--test",
        "faults",
        "--test",
        "secrecy",
        "--",
        "--nocapture",
    ];
    run(cargo(root, &arguments).env("ONETIMESHARE_FAULTS_LONG", "1"))
}

/// The tests of stores, with those that need what takes long to install.
pub(crate) fn stores(root: &Path) -> Result<()> {
    let mut arguments = vec!["test", "--workspace", "--test", "stores"];
    arguments.extend(["--features", "onetimeshare-tests/garage"]);
    run(&mut cargo(root, &arguments))
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
