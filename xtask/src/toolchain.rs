//! Completes the pinned Rust toolchain where it can: the wasm target, clippy and rustfmt; never another toolchain.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{env, process, ui};

/// The target of the browsers' half.
pub(crate) const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// Makes sure that the pinned toolchain can build for [`WASM_TARGET`].
pub(crate) fn ensure_wasm_target(root: &Path) -> Result<()> {
    ensure_target(root, WASM_TARGET)
}

/// Makes sure that the pinned toolchain can build for `target`.
pub(crate) fn ensure_target(root: &Path, target: &str) -> Result<()> {
    if has_target(root, target) {
        return Ok(());
    }
    if env::find_program(&["rustup"]).is_none() {
        bail!(
            "the Rust target {target} is missing and there is no rustup to add it: install your system's \
             package of it (Debian: libstd-rust-dev-wasm32), or Rust by rustup, and run this again"
        );
    }
    ui::note(&format!("adding the Rust target {target}"));
    process::run(rustup(root).args(["target", "add", target]))
        .with_context(|| format!("cannot add the Rust target {target}"))
}

/// A toolchain without rustup may still carry the target, so the folder of its standard library decides.
fn has_target(root: &Path, target: &str) -> bool {
    let mut rustc = Command::new(env::rustc());
    rustc
        .current_dir(root)
        .args(["--print", "target-libdir", "--target", target]);
    process::output(&mut rustc).is_ok_and(|folder| Path::new(&folder).is_dir())
}

/// Makes sure that `clippy` or `rustfmt` is there.
pub(crate) fn ensure_component(root: &Path, component: &str) -> Result<()> {
    let command = if component == "rustfmt" {
        "fmt"
    } else {
        component
    };
    if process::succeeds(&mut process::cargo(root, &[command, "--version"])) {
        return Ok(());
    }
    if env::find_program(&["rustup"]).is_none() {
        bail!(
            "{component} is missing and there is no rustup to add it: install it and run this again"
        );
    }
    ui::note(&format!("adding the Rust component {component}"));
    process::run(rustup(root).args(["component", "add", component]))
        .with_context(|| format!("cannot add the Rust component {component}"))
}

/// rustup in the workspace, where it works on the pinned toolchain.
fn rustup(root: &Path) -> Command {
    let mut command = Command::new("rustup");
    command.current_dir(root);
    command
}
