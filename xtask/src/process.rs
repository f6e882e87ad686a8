//! Starts other programs and says plainly how they ended; never through a shell.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::env;

/// Runs `command` with this terminal as its own; an error unless it ended well.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| cannot_start(command))?;
    if !status.success() {
        bail!("{} ended with {status}", line_of(command));
    }
    Ok(())
}

/// Runs `command` quietly and tells whether it could be started and ended well.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// What `command` prints, trimmed.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| cannot_start(command))?;
    if !output.status.success() {
        bail!("{} ended with {}", line_of(command), output.status);
    }
    let text = String::from_utf8(output.stdout)
        .with_context(|| format!("what {} printed is not text", line_of(command)))?;
    Ok(text.trim().to_owned())
}

/// A cargo command in the workspace. What CI builds once it never builds again, so it keeps nothing for that.
pub(crate) fn cargo(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env::cargo());
    command.current_dir(root).args(arguments);
    if env::is_ci() {
        command.env("CARGO_INCREMENTAL", "0");
    }
    command
}

/// Runs `cargo build …` or `cargo test --no-run …` and returns the files of the artefact that belongs to the target `name`, as cargo names them.
pub(crate) fn build(command: &mut Command, name: &str) -> Result<Vec<PathBuf>> {
    let files = messages(command)?
        .iter()
        .filter(|message| message["reason"] == "compiler-artifact")
        .filter(|message| message["target"]["name"] == name && message["profile"]["test"] == false)
        .filter_map(|message| message["filenames"].as_array().cloned())
        .next_back()
        .unwrap_or_default();
    Ok(files
        .iter()
        .filter_map(Value::as_str)
        .map(PathBuf::from)
        .collect())
}

/// Runs the same, and returns everything that cargo says of it to programs.
pub(crate) fn messages(command: &mut Command) -> Result<Vec<Value>> {
    command.arg("--message-format=json-render-diagnostics");
    let report = output(command)?;
    let lines = report.lines();
    Ok(lines
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect())
}

fn cannot_start(command: &Command) -> String {
    format!("cannot start {}", line_of(command))
}

/// The command as a person would type it, without its folder.
fn line_of(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let program = program.file_name().unwrap_or(program.as_os_str());
    std::iter::once(program)
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}
