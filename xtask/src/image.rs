//! `cargo xtask dist --image`: builds the `Dockerfile` without any registry of images, on a Debian of its own making, and starts the
//! result as it is meant to run. It publishes nothing.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::steps::Steps;
use crate::{env, process, system, toolchain};

use self::trial::Trial;

mod trial;

/// What the build stands on, as `BUILD_IMAGE` of the `Dockerfile`: its public default, made here.
const BASE: &str = "localhost/onetimeshare-build";
/// What comes out.
const IMAGE: &str = "localhost/onetimeshare";
/// The Debian below the toolchain, and what a build needs of it.
const SUITE: &str = "bookworm";
const PACKAGES: &str = "ca-certificates,gcc,libc6-dev,musl-tools";

/// Builds the image and tries it.
pub(crate) fn make(root: &Path, steps: &mut Steps) {
    steps.run("base image", || base(root));
    if steps.all_passed() {
        steps.run("image", || build(root));
    }
    if steps.all_passed() {
        try_out(root, steps);
    }
}

/// The base, with the toolchain's version as its tag.
fn base_name(root: &Path) -> Result<String> {
    let version = process::output(
        Command::new(env::rustc())
            .current_dir(root)
            .arg("--version"),
    )?;
    let version = version.split_whitespace().nth(1);
    Ok(format!(
        "{BASE}:{}",
        version.context("rustc says its version")?
    ))
}

/// Makes the base unless it is there: a Debian, a C compiler for static programs, and this machine's own toolchain.
fn base(root: &Path) -> Result<()> {
    let name = base_name(root)?;
    if process::succeeds(Command::new("podman").args(["image", "exists", &name])) {
        return Ok(());
    }
    let musl = format!("{}-unknown-linux-musl", env::architecture());
    toolchain::ensure_target(root, &musl)?;
    toolchain::ensure_wasm_target(root)?;
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let debian = folder.path().join("root");
    let debootstrap = system::debootstrap().context("debootstrap was looked for")?;
    process::run(
        Command::new(debootstrap)
            .args(["--variant=minbase", "--include", PACKAGES, SUITE])
            .arg(&debian),
    )?;
    let sysroot = process::output(
        Command::new(env::rustc())
            .current_dir(root)
            .args(["--print", "sysroot"]),
    )?;
    // Its documentation, by far the most files, stays behind.
    for part in ["bin", "lib"] {
        copy(&Path::new(&sysroot).join(part), &debian.join("usr/local"))?;
    }
    // Those that this machine trusts, such as a network's own.
    let certificates = Path::new("etc/ssl/certs/ca-certificates.crt");
    let own = Path::new("/").join(certificates);
    if own.is_file() {
        fs::copy(own, debian.join(certificates)).context("cannot copy the certificates")?;
    }
    let archive = folder.path().join("root.tar");
    process::run(
        Command::new("tar")
            .args(["--create", "--file"])
            .arg(&archive)
            .arg("--directory")
            .arg(&debian)
            .arg("."),
    )?;
    process::run(
        Command::new("podman")
            .args(["import", "--quiet"])
            .arg(&archive)
            .arg(&name),
    )
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    process::run(Command::new("cp").arg("--archive").arg(from).arg(to))
}

/// Builds the `Dockerfile` on the base. The commands of the build run in this machine's network and without a container of their own:
/// they are this tree's.
fn build(root: &Path) -> Result<()> {
    let base = format!("BUILD_IMAGE={}", base_name(root)?);
    process::run(
        Command::new("podman")
            .current_dir(root)
            .args(["build", "--isolation", "chroot", "--network", "host"])
            // Checks of health are no part of the other format.
            .args(["--format", "docker", "--build-arg", &base])
            .args(["--tag", IMAGE, "."]),
    )
}

/// Starts the image, passes a text through it, and has it look after itself.
fn try_out(root: &Path, steps: &mut Steps) {
    let mut trial = None;
    steps.run("image: start", || {
        trial = Some(Trial::start(IMAGE)?);
        Ok(())
    });
    let Some(trial) = trial else {
        return;
    };
    steps.run("image: a text", || pass_on(root, &trial));
    steps.run("image: healthcheck", || trial.check());
}

fn pass_on(root: &Path, trial: &Trial) -> Result<()> {
    let arguments = ["run", "--quiet", "--package", "onetimeshare-client"];
    process::run(process::cargo(root, &arguments).args([
        "--example",
        "pass_on",
        "--",
        &trial.base(),
    ]))
}
