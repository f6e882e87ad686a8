//! `cargo xtask serve`: from a clone and Rust alone to a running service; it decides nothing about how that runs.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::steps::Steps;
use crate::{process, wasm};

/// The server's package and binary.
pub(crate) const SERVER: &str = "onetimeshare-server";

/// Builds the browsers' half and the server as they are released, then becomes the server with `arguments`, in the
/// folder where the command was typed.
pub(crate) fn serve(root: &Path, arguments: &[OsString]) -> Result<ExitCode> {
    let mut steps = Steps::default();
    let mut program = None;
    steps.run("wasm", || wasm::build(root));
    steps.run("server", || {
        program = Some(build_server(root)?);
        Ok(())
    });
    let Some(program) = program.filter(|_| steps.all_passed()) else {
        return Ok(steps.finish());
    };
    become_program(Command::new(program).args(arguments))
}

/// Builds the server as it is released.
pub(crate) fn build_server(root: &Path) -> Result<PathBuf> {
    let mut build = process::cargo(
        root,
        &["build", "--release", "--package", SERVER, "--bin", SERVER],
    );
    let files = process::build(&mut build, SERVER)?;
    files
        .into_iter()
        .next()
        .with_context(|| format!("cargo built no {SERVER}"))
}

/// Replaces this process, so that signals and exit codes are the server's own.
#[cfg(unix)]
fn become_program(command: &mut Command) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    Err(command.exec()).context("cannot start the server")
}

/// Where a process cannot be replaced: waits for the server and ends as it ended.
#[cfg(not(unix))]
fn become_program(command: &mut Command) -> Result<ExitCode> {
    let status = command.status().context("cannot start the server")?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(1)))
}
