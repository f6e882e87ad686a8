//! Starts other programs and says plainly how they ended; never through a shell.

use std::collections::BTreeSet;
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
    Ok(values(&output(command)?))
}

/// Runs the same, and returns what the compiler has to say of our own packages, as people read it; everything once.
pub(crate) fn diagnostics(command: &mut Command) -> Result<BTreeSet<String>> {
    let built = command
        .arg("--message-format=json")
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| cannot_start(command))?;
    let said: BTreeSet<_> = values(&String::from_utf8_lossy(&built.stdout))
        .iter()
        .filter_map(|message| message["message"]["rendered"].as_str())
        .map(str::to_owned)
        .collect();
    if said.is_empty() && !built.status.success() {
        bail!("{} ended with {}", line_of(command), built.status);
    }
    Ok(said)
}

/// The values of lines that are JSON.
fn values(lines: &str) -> Vec<Value> {
    lines
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn said_by(script: &str) -> Result<BTreeSet<String>> {
        diagnostics(Command::new("sh").args(["-c", script]))
    }

    #[test]
    fn what_the_compiler_says_is_told_once_however_the_build_ends() {
        let warning = r#"echo '{"reason":"compiler-message","message":{"rendered":"warning: a"}}'"#;
        let other = r#"echo '{"reason":"compiler-artifact","fresh":true}'; echo no JSON"#;
        let expected = BTreeSet::from(["warning: a".to_owned()]);
        for end in ["true", "exit 101"] {
            let script = format!("{warning}; {warning}; {other}; {end}");
            assert_eq!(said_by(&script).unwrap(), expected);
        }
        assert!(said_by(other).unwrap().is_empty());
    }

    #[test]
    fn a_build_that_fails_without_a_word_is_a_fault() {
        let fault = said_by("exit 101").unwrap_err().to_string();
        assert!(fault.contains("101"), "{fault}");
    }
}
