//! The checks and tests of the Rust half, by cargo's own commands.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::process::{cargo, diagnostics, run};
use crate::steps::Steps;
use crate::{env, toolchain, ui, wasm};

/// This program's own package. What this was built of serves its tests, too; in one build with all the others its dependencies would
/// have more features, and be built again.
const OWN: &str = "onetimeshare-xtask";

/// Whether everything is formatted.
pub(crate) fn format(root: &Path) -> Result<()> {
    toolchain::ensure_components(root)?;
    run(&mut cargo(root, &["fmt", "--all", "--check"]))
}

/// Formatting and lints, where a warning is an error; what is checked is not built.
fn lint(root: &Path, steps: &mut Steps) {
    steps.run("format", || format(root));
    steps.run("clippy", || {
        let selection = ["--workspace", "--all-targets", "--", "-D", "warnings"];
        run(cargo(root, &["clippy"]).args(selection))
    });
}

/// `cargo test` of every package but this program's, compiled by clippy: it builds what it finds fault with, where `cargo clippy` would
/// check every dependency beside what is built of it. It optimises less, which nothing of this profile notices.
pub(crate) fn tests(root: &Path) -> Result<Command> {
    compiled_by_clippy(root, &["--workspace", "--exclude", OWN])
}

/// The same of this program's package.
fn own_tests(root: &Path) -> Result<Command> {
    compiled_by_clippy(root, &["--package", OWN])
}

fn compiled_by_clippy(root: &Path, packages: &[&str]) -> Result<Command> {
    toolchain::ensure_components(root)?;
    let mut test = cargo(root, &["test"]);
    test.args(packages)
        .env("RUSTC_WORKSPACE_WRAPPER", env::clippy_driver());
    Ok(test)
}

/// Builds everything that tests need, and more that could be faulty; a warning is an error, but hinders no test.
pub(crate) fn build(root: &Path) -> Result<()> {
    let mut said = BTreeSet::new();
    for mut test in [tests(root)?, own_tests(root)?] {
        said.extend(diagnostics(test.args(["--all-targets", "--no-run"]))?);
    }
    for diagnostic in &said {
        ui::note(diagnostic);
    }
    match said.len() {
        0 => Ok(()),
        count => bail!("the compiler has {count} things to say"),
    }
}

/// Everything that needs nothing to be built but the tests of the tree itself.
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

/// The tests of faults and of secrecy, as long as they get; what they print are rows of `docs/reliability.md` and
/// `docs/security.md`.
pub(crate) fn faults(root: &Path) -> Result<()> {
    let selection = ["--test", "faults", "--test", "secrecy", "--", "--nocapture"];
    run(tests(root)?
        .args(selection)
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
