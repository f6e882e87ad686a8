//! Steps with a name, a duration and a verdict; a failed one does not hide what the next would say.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;

use crate::beside::Beside;
use crate::browser_tests::Servers;
use crate::deny::{self, Subject};
use crate::{browser_tests, openapi, rust, system, tools, ui, wasm, web};

/// What was run so far.
#[derive(Default)]
pub(crate) struct Steps {
    passed: u32,
    failed: Vec<String>,
}

impl Steps {
    /// Runs one step and remembers how it went.
    #[expect(
        clippy::disallowed_methods,
        reason = "how long a step took is told to a person and decides nothing"
    )]
    pub(crate) fn run(&mut self, name: &str, step: impl FnOnce() -> Result<()>) {
        ui::step(name);
        let started = Instant::now();
        let outcome = step();
        ui::step_ended(name, started.elapsed(), outcome.is_ok());
        match outcome {
            Ok(()) => self.passed += 1,
            Err(error) => {
                ui::error(&format!("{name}: {error:#}"));
                self.failed.push(name.to_owned());
            }
        }
    }

    /// Whether no step has failed so far.
    pub(crate) fn all_passed(&self) -> bool {
        self.failed.is_empty()
    }

    /// The closing line, and the exit code that goes with it.
    pub(crate) fn finish(self) -> ExitCode {
        ui::note(&self.closing_line());
        if self.all_passed() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }

    fn closing_line(&self) -> String {
        let count = format!(
            "\nsteps: {} passed, {} failed",
            self.passed,
            self.failed.len()
        );
        if self.all_passed() {
            return count;
        }
        format!("{count}: {}", self.failed.join(", "))
    }
}

/// Everything that CI runs, quick verdicts first.
pub(crate) fn everything(root: &Path, steps: &mut Steps) -> Result<()> {
    system::require_meanwhile(
        system::Package::ALL,
        || bring_tools(root),
        || {
            steps.run("format", || rust::format(root));
            steps.run("wasm", || wasm::build(root));
            steps.run("build and lints", || rust::build(root));
        },
    )?;
    steps.run("tools", || tools::install(root));
    steps.run("deny", || deny::check(root, Subject::Packages));
    let beside = Beside::start()?;
    rust::unit(root, steps);
    steps.run("beside the Rust tests", || beside.end());
    steps.run("end to end", || browser_tests::run(root, &[], Servers::One));
    Ok(())
}

/// Brings what steps need beside the system's packages. What fails here the step does again, and says why.
fn bring_tools(root: &Path) {
    let _ = tools::install(root);
    let _ = deny::install(root);
    let _ = browser_tests::install(root);
    let _ = web::install(&web::folder(root));
    let _ = openapi::install(root);
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::bail;

    #[test]
    fn a_failed_step_is_counted_named_and_does_not_stop_the_next() {
        let mut steps = Steps::default();
        let mut ran_last = false;
        steps.run("first", || Ok(()));
        steps.run("second", || bail!("as planned"));
        steps.run("third", || {
            ran_last = true;
            Ok(())
        });
        assert!(ran_last);
        assert_eq!(
            steps.closing_line().trim(),
            "steps: 2 passed, 1 failed: second"
        );
        assert_eq!(steps.finish(), ExitCode::FAILURE);
    }

    #[test]
    fn nothing_failed_is_success() {
        let mut steps = Steps::default();
        steps.run("only", || Ok(()));
        assert_eq!(steps.closing_line().trim(), "steps: 1 passed, 0 failed");
        assert_eq!(steps.finish(), ExitCode::SUCCESS);
    }
}
