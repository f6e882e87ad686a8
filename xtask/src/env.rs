//! The only place where these entry points look at their surroundings: arguments, variables and the search path.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the one place that the lint asks for"
)]

use std::ffi::OsString;
use std::path::PathBuf;

/// The words after `cargo xtask`.
pub(crate) fn arguments() -> impl Iterator<Item = OsString> {
    std::env::args_os().skip(1)
}

/// Whether this runs under continuous integration, which sets `CI`.
pub(crate) fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| !value.is_empty() && value != "false")
}

/// The cargo that runs this, so that one toolchain builds everything.
pub(crate) fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The compiler that goes with [`cargo`].
pub(crate) fn rustc() -> PathBuf {
    of_the_toolchain("rustc")
}

/// The compiler that finds fault with what it compiles.
pub(crate) fn clippy_driver() -> PathBuf {
    of_the_toolchain("clippy-driver")
}

/// The program beside [`cargo`], else whatever the search path leads to.
fn of_the_toolchain(name: &str) -> PathBuf {
    let beside =
        PathBuf::from(cargo()).with_file_name(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    if beside.is_file() {
        beside
    } else {
        name.into()
    }
}

/// The program that is running, also after cargo has put a newer one in its place.
pub(crate) fn own_program() -> std::io::Result<PathBuf> {
    let running = PathBuf::from("/proc/self/exe");
    if running.exists() {
        return Ok(running);
    }
    std::env::current_exe()
}

/// Where cargo keeps the sources of dependencies; none where there is no home.
pub(crate) fn cargo_home() -> Option<PathBuf> {
    std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cargo")))
}

/// The first of `names` that the search path leads to.
pub(crate) fn find_program(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .map(|program| program.with_extension(std::env::consts::EXE_EXTENSION))
        .find(|program| program.is_file())
}

/// The folder where the command was typed.
pub(crate) fn current_dir() -> std::io::Result<PathBuf> {
    std::env::current_dir()
}

/// This machine's architecture, as the names of targets begin.
pub(crate) const fn architecture() -> &'static str {
    std::env::consts::ARCH
}
