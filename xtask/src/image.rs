//! `cargo xtask dist --image`: builds the `Dockerfile` without any registry of images, on a Debian of its own making, and starts the
//! result as it is meant to run. It publishes nothing.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::serve::SERVER;
use crate::steps::Steps;
use crate::{env, process, system, toolchain, ui};

/// What the build stands on, as `BUILD_IMAGE` of the `Dockerfile`: its public default, made here.
const BASE: &str = "localhost/onetimeshare-build";
/// What comes out.
const IMAGE: &str = "localhost/onetimeshare";
/// The Debian below the toolchain, and what a build needs of it.
const SUITE: &str = "bookworm";
const PACKAGES: &str = "ca-certificates,gcc,libc6-dev,musl-tools";
/// The name of the container that is tried.
const TRIED: &str = "onetimeshare-tried";
/// How long a start may take, in tenths of a second.
const START_TRIES: u32 = 300;

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

/// Starts the image with a root that cannot be written and no rights, passes a text through it, and has it look after itself.
fn try_out(root: &Path, steps: &mut Steps) {
    let mut container = None;
    steps.run("image: start", || {
        container = Some(Container::start()?);
        Ok(())
    });
    let Some(container) = container else {
        return;
    };
    steps.run("image: a text", || container.pass_on(root));
    steps.run("image: healthcheck", || container.check());
}

/// A running container, which is removed at the end.
struct Container {
    address: String,
}

impl Container {
    fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("the loopback has no free port")?;
        let address = listener.local_addr()?.to_string();
        drop(listener);
        process::run(
            Command::new("podman")
                .args(["run", "--detach", "--rm", "--replace", "--name", TRIED])
                .args([
                    "--read-only",
                    "--read-only-tmpfs=false",
                    "--cap-drop",
                    "all",
                ])
                .args(["--security-opt", "no-new-privileges", "--network", "host"])
                // Needed by limits alone, and not to be had inside of another container.
                .args(["--cgroups", "disabled", "--env"])
                .arg(format!("ONETIMESHARE_LISTEN={address}"))
                .arg(IMAGE),
        )?;
        let container = Self { address };
        for _ in 0..START_TRIES {
            if std::net::TcpStream::connect(&container.address).is_ok() {
                return Ok(container);
            }
            thread::sleep(Duration::from_millis(100));
        }
        // It says on the terminal why.
        let _ = process::run(Command::new("podman").args(["logs", TRIED]));
        bail!("{SERVER} does not listen on {}", container.address);
    }

    fn pass_on(&self, root: &Path) -> Result<()> {
        let base = format!("http://{}", self.address);
        let arguments = ["run", "--quiet", "--package", "onetimeshare-client"];
        process::run(process::cargo(root, &arguments).args(["--example", "pass_on", "--", &base]))
    }

    /// By the image's own words, as whoever runs it would.
    #[expect(clippy::unused_self, reason = "it can be checked only while it runs")]
    fn check(&self) -> Result<()> {
        process::run(Command::new("podman").args(["healthcheck", "run", TRIED]))
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let stopped = Command::new("podman")
            .args(["stop", "--time", "25", TRIED])
            .stdout(std::process::Stdio::null())
            .status();
        if !stopped.is_ok_and(|status| status.success()) {
            ui::note(&format!("the container {TRIED} is left behind"));
        }
    }
}
