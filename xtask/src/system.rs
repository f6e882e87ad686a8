//! The system's packages that tests need: looks for them, installs them only as root under CI, and otherwise names the
//! line that would.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use anyhow::{Result, bail};

use crate::{env, process, ui};

/// The oldest Node.js whose test runner has what the tests use.
const NODE_MAJOR_MIN: u32 = 20;

/// Something that Rust's tools do not bring.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(crate) enum Package {
    /// A second implementation of the body's format.
    Age,
    /// A proxy, which the server is run behind.
    Caddy,
    /// A browser.
    Chromium,
    /// Its engine alone, for two thirds of the work. Not every system has it: whoever installs the browser is offered it, and only where
    /// packages are installed without asking, it is missing beside a browser.
    ChromiumShell,
    /// A compiler for C++, which libFuzzer is written in.
    Compiler,
    /// Makes the root of a Debian, which an image is built on.
    Debootstrap,
    /// Another browser, of another family.
    Firefox,
    /// Sets the server's clock, and only that.
    Faketime,
    /// Letters for names that are not Latin.
    Fonts,
    /// A C library that becomes a part of the program, and a compiler for it.
    Musl,
    /// Another proxy; and a plain store of files, which the server is measured beside.
    Nginx,
    /// Runs the pages' tests and drives the browsers, with npm.
    Node,
    /// Builds images of containers.
    Podman,
    /// Runs the reference of the format, which brings its own packages.
    Python,
    /// Holds the records of several servers, alone, as primary and replica, as a cluster, and as their sentinel.
    Redis,
    /// Makes the server's system calls fail.
    Strace,
    /// Reads the units of the server, and hands it a socket.
    Systemd,
    /// Unpacks the archives that pages make.
    Unzip,
    /// The third family of browsers, with its driver and a screen to draw on.
    WebKit,
}

impl Package {
    /// Everything that the whole test command needs.
    pub(crate) const ALL: &[Self] = &[
        Self::Age,
        Self::Caddy,
        Self::Chromium,
        Self::ChromiumShell,
        Self::Firefox,
        Self::Faketime,
        Self::Fonts,
        Self::Nginx,
        Self::Node,
        Self::Python,
        Self::Redis,
        Self::Strace,
        Self::Systemd,
        Self::Unzip,
        Self::WebKit,
    ];

    /// What the Rust tests need.
    pub(crate) const UNIT: &[Self] = &[
        Self::Age,
        Self::Caddy,
        Self::Faketime,
        Self::Nginx,
        Self::Python,
        Self::Redis,
        Self::Strace,
        Self::Systemd,
    ];

    /// What the tests of faults need.
    pub(crate) const FAULTS: &[Self] = &[Self::Faketime, Self::Python, Self::Redis, Self::Strace];

    /// What an image of a container needs to be made and tried.
    pub(crate) const CONTAINERS: &[Self] = &[Self::Debootstrap, Self::Podman];

    /// What a static program is compiled with.
    pub(crate) const PROGRAM: &[Self] = &[Self::Musl];

    /// What people download is made with that, and looked at by programs in Python.
    pub(crate) const DIST: &[Self] = &[Self::Musl, Self::Python];

    /// What the tests in browsers need.
    pub(crate) const BROWSERS: &[Self] = &[
        Self::Chromium,
        Self::ChromiumShell,
        Self::Firefox,
        Self::Fonts,
        Self::Node,
        Self::Python,
        Self::Redis,
        Self::Unzip,
        Self::WebKit,
    ];

    /// What Debian calls it.
    fn debian_names(self) -> &'static [&'static str] {
        match self {
            Self::Age => &["age"],
            Self::Caddy => &["caddy"],
            Self::Chromium => &["chromium"],
            Self::ChromiumShell => &["chromium-headless-shell"],
            Self::Compiler => &["g++"],
            Self::Debootstrap => &["debootstrap"],
            Self::Faketime => &["libfaketime"],
            Self::Firefox => &["firefox-esr"],
            Self::Fonts => &["fonts-noto-cjk"],
            Self::Musl => &["musl-tools"],
            Self::Nginx => &["nginx-light"],
            Self::Node => &["nodejs", "npm"],
            Self::Podman => &["podman"],
            Self::Python => &["python3", "python3-venv"],
            Self::Redis => &["redis-server"],
            Self::Strace => &["strace"],
            Self::Systemd => &["systemd"],
            Self::Unzip => &["unzip"],
            Self::WebKit => &["webkit2gtk-driver", "xvfb", "xauth"],
        }
    }

    fn is_present(self) -> bool {
        match self {
            Self::Age => env::find_program(&["age"]).is_some(),
            Self::Caddy => env::find_program(&["caddy"]).is_some(),
            Self::Chromium => chromium().is_some(),
            Self::ChromiumShell => {
                chromium_shell().is_some() || (chromium().is_some() && !may_install())
            }
            Self::Compiler => env::find_program(&["c++"]).is_some(),
            Self::Debootstrap => debootstrap().is_some(),
            Self::Faketime => has_faketime(),
            Self::Firefox => firefox().is_some(),
            Self::Fonts => has_japanese_font(),
            Self::Musl => env::find_program(&["musl-gcc"]).is_some(),
            Self::Nginx => nginx().is_some(),
            Self::Node => has_node() && env::find_program(&["npm"]).is_some(),
            Self::Podman => env::find_program(&["podman"]).is_some(),
            Self::Python => has_python(),
            Self::Redis => env::find_program(&["redis-server"]).is_some(),
            Self::Strace => env::find_program(&["strace"]).is_some(),
            Self::Systemd => ["systemd-analyze", "systemd-socket-activate"]
                .iter()
                .all(|program| env::find_program(&[program]).is_some()),
            Self::Unzip => env::find_program(&["unzip"]).is_some(),
            Self::WebKit => ["WebKitWebDriver", "xvfb-run", "xauth"]
                .iter()
                .all(|program| env::find_program(&[program]).is_some()),
        }
    }
}

/// The Chromium to drive.
pub(crate) fn chromium() -> Option<PathBuf> {
    env::find_program(&["chromium", "chromium-browser", "google-chrome"])
}

/// Chromium's engine without what is around a page. Not every system has it; the whole of Chromium takes its place.
pub(crate) fn chromium_shell() -> Option<PathBuf> {
    env::find_program(&["chromium-headless-shell"])
}

/// The Firefox to drive.
pub(crate) fn firefox() -> Option<PathBuf> {
    env::find_program(&["firefox-esr", "firefox"])
}

/// Debian keeps the library in a folder of each architecture's own.
fn has_faketime() -> bool {
    let folders = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let mut libraries = folders.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"));
    libraries.any(|library| library.is_file())
}

/// The program that makes the root of a Debian, which an administrator runs.
pub(crate) fn debootstrap() -> Option<PathBuf> {
    let usual = PathBuf::from("/usr/sbin/debootstrap");
    env::find_program(&["debootstrap"]).or_else(|| usual.is_file().then_some(usual))
}

/// The nginx to run behind, and to measure beside. Debian keeps it where only the search path of an administrator leads.
pub(crate) fn nginx() -> Option<PathBuf> {
    let usual = PathBuf::from("/usr/sbin/nginx");
    env::find_program(&["nginx"]).or_else(|| usual.is_file().then_some(usual))
}

fn has_japanese_font() -> bool {
    process::output(Command::new("fc-list").args([":lang=ja", "family"]))
        .is_ok_and(|families| !families.is_empty())
}

fn has_node() -> bool {
    process::output(Command::new("node").arg("--version"))
        .is_ok_and(|version| node_major(&version) >= Some(NODE_MAJOR_MIN))
}

/// Debian splits off what makes a folder of packages.
fn has_python() -> bool {
    process::succeeds(Command::new("python3").args(["-c", "import ensurepip, venv"]))
}

/// 20 of `v20.20.2`.
fn node_major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// Makes sure that `packages` are there: installs what is missing where this is root in CI, stops with the one line to
/// type anywhere else.
pub(crate) fn require(packages: &[Package]) -> Result<()> {
    let missing = missing(packages);
    if missing.is_empty() {
        return Ok(());
    }
    require_right_to_install(&missing)?;
    bring(&missing)
}

/// The same, and then `more`, while `work` is done that needs none of it: what is brought is waited for, and what is built keeps
/// one core at a time. Where packages cannot be installed, that is said before anything is begun.
pub(crate) fn require_meanwhile(
    packages: &[Package],
    more: impl FnOnce() + Send,
    work: impl FnOnce(),
) -> Result<()> {
    let missing = missing(packages);
    if !missing.is_empty() {
        require_right_to_install(&missing)?;
    }
    thread::scope(|scope| {
        let bringing = scope.spawn(|| {
            if !missing.is_empty() {
                bring(&missing)?;
            }
            more();
            Ok::<_, anyhow::Error>(())
        });
        work();
        bringing.join().expect("installing does not panic")
    })
}

/// Whether nobody is to be asked before packages are installed.
fn may_install() -> bool {
    env::is_ci() && is_root()
}

fn require_right_to_install(missing: &[Package]) -> Result<()> {
    if may_install() {
        return Ok(());
    }
    bail!("{}", sentence_for(missing))
}

fn bring(packages: &[Package]) -> Result<()> {
    install(&names_of(packages))?;
    let missing = missing(packages);
    if missing.is_empty() {
        return Ok(());
    }
    bail!(
        "installed, and still not usable (Node.js must be {NODE_MAJOR_MIN} or newer): {}",
        names_of(&missing).join(" ")
    )
}

fn missing(packages: &[Package]) -> Vec<Package> {
    packages
        .iter()
        .copied()
        .filter(|package| !package.is_present())
        .collect()
}

fn names_of(packages: &[Package]) -> Vec<&'static str> {
    packages
        .iter()
        .flat_map(|package| package.debian_names())
        .copied()
        .collect()
}

fn sentence_for(missing: &[Package]) -> String {
    let sudo = if is_root() { "" } else { "sudo " };
    format!(
        "the tests need programs that are not here (Node.js must be {NODE_MAJOR_MIN} or newer); \
         on Debian 13 or newer this line installs them (elsewhere take Node.js from its own packages):\n\n    \
         {sudo}apt-get update && {sudo}apt-get install --no-install-recommends {}\n",
        names_of(missing).join(" ")
    )
}

fn is_root() -> bool {
    process::output(Command::new("id").arg("-u")).is_ok_and(|id| id == "0")
}

fn install(names: &[&str]) -> Result<()> {
    ui::note(&format!("installing {}", names.join(" ")));
    let _no_services = NoServices::begin()?;
    process::run(apt().args(["update", "-qq"]))?;
    process::run(
        apt()
            .args(["install", "-y", "-qq", "--no-install-recommends"])
            // What a loss of power takes is installed again.
            .args(["-o", "Dpkg::Options::=--force-unsafe-io"])
            .args(names),
    )
}

/// While it lives, no service is started that a package brings: tests start their own, on ports of their own, and must not come
/// to depend on another. It is what `invoke-rc.d(8)` asks before it starts one.
struct NoServices {
    /// Somebody may have forbidden it already, for good.
    is_ours: bool,
}

impl NoServices {
    const POLICY: &str = "/usr/sbin/policy-rc.d";

    fn begin() -> Result<Self> {
        let is_ours = !Path::new(Self::POLICY).exists();
        if is_ours {
            fs::write(Self::POLICY, "#!/bin/sh\nexit 101\n")?;
            process::run(Command::new("chmod").args(["755", Self::POLICY]))?;
        }
        Ok(Self { is_ours })
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.is_ours {
            // Left behind, it would only keep services from starting in a container that is about to go.
            let _ = fs::remove_file(Self::POLICY);
        }
    }
}

/// apt that asks nothing; its account of every package is not worth a page of log.
fn apt() -> Command {
    let mut command = Command::new("apt-get");
    command
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdout(std::process::Stdio::null());
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_of_node_is_read_and_compared() {
        assert_eq!(node_major("v20.20.2"), Some(20));
        assert_eq!(node_major("v9.1.0"), Some(9));
        assert_eq!(node_major("20.1.0"), None);
        assert!(node_major("garbage") < Some(NODE_MAJOR_MIN));
    }

    #[test]
    fn the_sentence_holds_one_line_to_type_with_only_what_is_missing() {
        let sentence = sentence_for(&[Package::Age, Package::Node]);
        let lines: Vec<&str> = sentence
            .lines()
            .filter(|line| line.contains("apt-get"))
            .collect();
        let [line] = lines[..] else {
            panic!("{sentence}");
        };
        assert!(line.ends_with("age nodejs npm"), "{line}");
    }

    #[test]
    fn the_whole_needs_what_its_parts_need() {
        assert!(
            [Package::UNIT, Package::FAULTS, Package::BROWSERS]
                .concat()
                .iter()
                .all(|package| Package::ALL.contains(package))
        );
    }
}
