//! The server as one static program for this machine's kind of processor, with the list of its packages inside of it. The image is
//! made of the same.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::place::Place;
use crate::serve::SERVER;
use crate::{env, process, toolchain};

/// How what people download is compiled, in the workspace's manifest.
const PROFILE: &str = "program";

/// The section in which `cargo auditable` leaves the list.
const PACKAGES: &str = ".dep-v0";

/// What the program is compiled for: Linux, with a C library of its own.
pub(super) fn target() -> String {
    format!("{}-unknown-linux-musl", env::architecture())
}

/// Makes sure that it can be compiled.
pub(super) fn ensure_target(root: &Path) -> Result<()> {
    toolchain::ensure_target(root, &target())
}

/// Compiles it with the program `auditable`. Where it is.
pub(super) fn build(place: &Place, auditable: &Path) -> Result<PathBuf> {
    ensure_target(place.root())?;
    let mut build = Command::new(auditable);
    build
        .current_dir(place.root())
        .args(["auditable", "build", "--locked", "--profile", PROFILE])
        .args(["--package", SERVER, "--bin", SERVER, "--target", &target()])
        .env("CARGO", env::cargo())
        .env("CARGO_INCREMENTAL", "0")
        .env("CARGO_ENCODED_RUSTFLAGS", place.rust_flags()?)
        .env("TARGET_CC", "musl-gcc")
        .env("TARGET_CFLAGS", place.c_flags()?);
    place.settle(&mut build);
    let files = process::build(&mut build, SERVER)?;
    let program = files.into_iter().next();
    program.with_context(|| format!("cargo built no {SERVER}"))
}

/// Fails unless the program needs nothing else to run, and holds the name of no folder of this machine.
pub(super) fn check(place: &Place, program: &Path) -> Result<()> {
    let headers = process::output(
        Command::new("readelf")
            .args(["--program-headers", "--dynamic", "--wide"])
            .arg(program),
    )?;
    if let Some(fault) = needs(&headers) {
        bail!("{} is not static: {fault}", program.display());
    }
    let bytes = fs::read(program).with_context(|| format!("cannot read {}", program.display()))?;
    place.require_absent(&bytes, "the program")
}

/// The line that asks for a loader or a library.
fn needs(headers: &str) -> Option<&str> {
    let mut lines = headers.lines().map(str::trim);
    lines.find(|line| line.starts_with("INTERP") || line.contains("(NEEDED)"))
}

/// Writes the list of packages that is in the program to `file`, as it is: JSON, compressed by zlib.
pub(super) fn copy_packages(program: &Path, file: &Path) -> Result<()> {
    process::run(
        Command::new("objcopy")
            .arg(format!("--dump-section={PACKAGES}={}", file.display()))
            .arg(program)
            // It insists on another copy of the program.
            .arg(file.with_extension("copy")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_asks_for_others_is_not_static() {
        let check = |headers, expected| assert_eq!(needs(headers).is_some(), expected);
        check(
            "  LOAD 0x0\n  GNU_STACK 0x0\nThere is no dynamic section",
            false,
        );
        check("  PHDR 0x0\n  INTERP 0x0000000000000318", true);
        check(
            " 0x0000000000000001 (NEEDED) Shared library: [libc.so.6]",
            true,
        );
    }
}
