//! Builds the browsers' half from source: cargo for WebAssembly, then the bindings by wasm-bindgen as a library; no
//! tool to install, nothing downloaded.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use crate::place::Place;
use crate::{process, toolchain};

/// The package that faces the browser.
const PACKAGE: &str = "onetimeshare-crypto-wasm";

/// How the generated files are called, and with them the worker's import.
const OUT_NAME: &str = "onetimeshare_crypto";

/// Builds `www/wasm/`. Files that would not change are left alone, so that cargo does not build the server again.
pub(crate) fn build(root: &Path) -> Result<()> {
    build_at(&Place::own(root))
}

/// The same in any place.
pub(crate) fn build_at(place: &Place) -> Result<()> {
    let module = compile(place, &["--lib"], "onetimeshare_crypto_wasm")?;
    let mut bindings = Bindgen::new();
    bindings
        .web(true)?
        .typescript(true)
        .out_name(OUT_NAME)
        .remove_name_section(true)
        .remove_producers_section(true);
    generate(&mut bindings, &module, &out_folder(place.root()))
}

/// Runs the vectors of the format in WebAssembly under Node.js: those of the crate through a program of its own, the
/// rest through the very files that are served.
pub(crate) fn vectors(root: &Path) -> Result<()> {
    let module = compile(&Place::own(root), &["--example", "vectors"], "vectors")?;
    let folder = root.join("target").join("wasm-vectors");
    let mut bindings = Bindgen::new();
    bindings.nodejs(true)?.out_name("vectors");
    generate(&mut bindings, &module, &folder)?;
    let test = root
        .join("crypto-wasm")
        .join("tests")
        .join("vectors.test.mjs");
    process::run(
        Command::new("node")
            .current_dir(root)
            .args(["--test", "--test-reporter=spec"])
            .arg(test)
            .env("ONETIMESHARE_VECTORS", folder.join("vectors.js"))
            .env("ONETIMESHARE_WASM", out_folder(root)),
    )
}

fn out_folder(root: &Path) -> PathBuf {
    root.join("www").join("wasm")
}

/// Compiles one target of the package and returns the module that cargo made of it.
fn compile(place: &Place, target: &[&str], name: &str) -> Result<PathBuf> {
    toolchain::ensure_wasm_target(place.root())?;
    let mut build = place.cargo(&[
        "build",
        "--package",
        PACKAGE,
        "--profile",
        "wasm",
        "--target",
        toolchain::WASM_TARGET,
    ]);
    build
        .args(target)
        .env("CARGO_ENCODED_RUSTFLAGS", place.rust_flags()?);
    process::build(&mut build, name)?
        .into_iter()
        .find(|file| {
            file.extension()
                .is_some_and(|extension| extension == "wasm")
        })
        .with_context(|| format!("cargo made no WebAssembly module of {PACKAGE}"))
}

/// Writes the bindings of `module` into `folder`, which afterwards holds them and nothing else.
fn generate(bindings: &mut Bindgen, module: &Path, folder: &Path) -> Result<()> {
    let fresh = tempfile::tempdir().context("cannot make a temporary folder")?;
    bindings
        .input_path(module)
        .generate(fresh.path())
        .with_context(|| format!("cannot make the bindings of {}", module.display()))?;
    mirror(fresh.path(), folder)
}

/// Makes the files of `to` those of `from`, touching only what differs.
fn mirror(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    for entry in fs::read_dir(to)? {
        let entry = entry?;
        if !from.join(entry.file_name()).exists() {
            fs::remove_file(entry.path())
                .with_context(|| format!("cannot remove {}", entry.path().display()))?;
        }
    }
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy_if_changed(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

fn copy_if_changed(from: &Path, to: &Path) -> Result<()> {
    let bytes = fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
    match fs::read(to) {
        Ok(present) if present == bytes => return Ok(()),
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", to.display())),
    }
    fs::write(to, bytes).with_context(|| format!("cannot write {}", to.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_writes_what_differs_removes_what_is_gone_and_leaves_the_rest() {
        let from = tempfile::tempdir().unwrap();
        let to = tempfile::tempdir().unwrap();
        for (folder, name, text) in [
            (&from, "same", "1"),
            (&from, "changed", "new"),
            (&from, "added", "3"),
            (&to, "same", "1"),
            (&to, "changed", "old"),
            (&to, "stale", "4"),
        ] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let written_at = |name: &str| {
            fs::metadata(to.path().join(name))
                .unwrap()
                .modified()
                .unwrap()
        };
        // A file of the year 1970 shows for certain whether it was written again.
        fs::File::options()
            .write(true)
            .open(to.path().join("same"))
            .unwrap()
            .set_modified(std::time::UNIX_EPOCH)
            .unwrap();

        mirror(from.path(), to.path()).unwrap();

        assert_eq!(written_at("same"), std::time::UNIX_EPOCH);
        assert_eq!(
            fs::read_to_string(to.path().join("changed")).unwrap(),
            "new"
        );
        assert_eq!(fs::read_to_string(to.path().join("added")).unwrap(), "3");
        assert!(!to.path().join("stale").exists());
    }
}
