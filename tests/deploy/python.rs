//! The checks of this folder that are written in Python, since the tools that read the files are.

use std::path::Path;
use std::process::Command;

/// Runs a script of this folder, which ends badly when it finds a fault.
#[track_caller]
pub(crate) fn run(script: &str) {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = tests.join("../target/venv/deploy/bin/python");
    assert!(
        python.is_file(),
        "there is no {}: install it with `cargo xtask tools`",
        python.display()
    );
    let output = Command::new(python)
        .arg(tests.join("deploy").join(script))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
