//! The steps of `test` that take no times, beside the Rust tests, which wait for more than a third of theirs. They run in a process of
//! their own, at the lowest priority, and what they print is kept until those have ended.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::Path;
use std::process::{self, Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::process::succeeds;
use crate::steps::Steps;
use crate::{env, openapi, twin, ui, wasm, web};

/// The command that the process is started with.
pub(crate) const COMMAND: &str = "beside";

/// The process. It ends with this value.
#[cfg_attr(test, derive(Debug))]
pub(crate) struct Beside {
    child: Child,
    output: File,
}

impl Beside {
    /// Starts it.
    pub(crate) fn start() -> Result<Self> {
        Self::run(Command::new(env::own_program()?).arg(COMMAND))
    }

    fn run(command: &mut Command) -> Result<Self> {
        let output = tempfile::tempfile().context("cannot make a temporary file")?;
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output.try_clone()?)
            .spawn()
            .context("cannot start this program once more")?;
        Ok(Self { child, output })
    }

    /// Waits for its end, and prints what it has printed.
    pub(crate) fn end(mut self) -> Result<()> {
        let status = self.child.wait()?;
        let mut printed = Vec::new();
        self.output.rewind()?;
        self.output.read_to_end(&mut printed)?;
        ui::note(&String::from_utf8_lossy(&printed));
        if !status.success() {
            bail!("it ended with {status}");
        }
        Ok(())
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // It may have ended by itself, and then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The steps themselves. What needs cargo's lock on what is built comes last: until then the Rust tests have begun.
pub(crate) fn steps(root: &Path, steps: &mut Steps) {
    // Where it may not, or there is no such program, all the rest takes longer.
    let own = process::id().to_string();
    succeeds(Command::new("renice").args(["-n", "19", "-p", &own]));
    steps.run("reproducible", || twin::assets(root));
    steps.run("wasm vectors", || wasm::vectors(root));
    web::check(root, steps);
    steps.run("openapi", || openapi::run(root, &[]));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_it_ends_is_how_the_step_ends() {
        Beside::run(&mut Command::new("true"))
            .unwrap()
            .end()
            .unwrap();
        let failed = Beside::run(&mut Command::new("false")).unwrap().end();
        assert!(failed.unwrap_err().to_string().contains("ended with"));
        Beside::run(&mut Command::new("there is no such program")).unwrap_err();
    }

    #[test]
    fn it_does_not_outlive_who_started_it() {
        let beside = Beside::run(Command::new("sleep").arg("600")).unwrap();
        let folder = format!("/proc/{}", beside.child.id());
        assert!(Path::new(&folder).exists());
        drop(beside);
        assert!(!Path::new(&folder).exists());
    }
}
