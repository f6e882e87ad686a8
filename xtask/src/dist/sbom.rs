//! What is in a program, as lists in the format CycloneDX, made by `cargo cyclonedx`, freed of this machine's folders, and held
//! against their schema and against the list that is inside of the program.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::program;
use crate::place::Place;
use crate::{env, process, python};

/// The version of the format: the newest that the tool writes.
const SPEC_VERSION: &str = "1.5";

/// How the tool calls its files, each in the folder of its package.
const OUT: &str = "sbom";

/// Something whose packages are listed.
pub(super) struct Subject<'a> {
    /// The folder of its package.
    pub(super) folder: &'a str,
    /// What it is compiled for.
    pub(super) target: &'a str,
}

/// Writes the list for `subject` to `file`. The tool `cyclonedx` writes into the tree, so that `copy` is one that is thrown away.
pub(super) fn write(
    cyclonedx: &Path,
    copy: &Place,
    subject: &Subject<'_>,
    made_at: u64,
    file: &Path,
) -> Result<()> {
    let folder = copy.root().join(subject.folder);
    let mut command = Command::new(cyclonedx);
    command
        .current_dir(copy.root())
        .args(["cyclonedx", "--quiet", "--format", "json"])
        .args(["--spec-version", SPEC_VERSION, "--override-filename", OUT])
        // What only makes it is not in it.
        .args(["--no-build-deps", "--target", subject.target])
        .arg("--manifest-path")
        .arg(folder.join("Cargo.toml"))
        .env("CARGO", env::cargo())
        .env("SOURCE_DATE_EPOCH", made_at.to_string());
    copy.settle(&mut command);
    process::run(&mut command)?;
    let written = folder.join(OUT).with_extension("json");
    let text = fs::read_to_string(&written)
        .with_context(|| format!("cannot read {}", written.display()))?;
    let text = without_folders(&text, copy.root());
    copy.require_absent(text.as_bytes(), "the list of packages")?;
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}

/// The text with names for our own packages that are the same everywhere: no folder of this machine, and no place to fetch them
/// from that is one.
fn without_folders(text: &str, root: &Path) -> String {
    const LOCAL: &str = "?download_url=file://";
    let own = format!("path+file://{}/", root.display());
    let mut out = String::new();
    for line in text.replace(&own, "path+file:///onetimeshare/").lines() {
        match line.split_once(LOCAL) {
            Some((before, rest)) => {
                let end = rest.find(['#', '"']).unwrap_or(rest.len());
                out.push_str(before);
                out.push_str(rest.get(end..).unwrap_or_default());
            }
            None => out.push_str(line),
        }
        out.push('\n');
    }
    out
}

/// Holds lists against the schema of their format, and the first one against what is inside of `program`.
pub(super) fn check(root: &Path, program: &Path, lists: &[&Path]) -> Result<()> {
    let folder = folder(root);
    let python = python::venv(root, &folder.join("requirements.txt"))?;
    let scratch = tempfile::tempdir().context("cannot make a temporary folder")?;
    let packages = scratch.path().join("packages");
    program::copy_packages(program, &packages)?;
    let mut check = Command::new(python);
    check
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .arg(folder.join("check.py"))
        .arg(packages)
        .args(lists);
    process::run(&mut check)
}

/// The names and versions of the packages in a list.
pub(super) fn packages(list: &Path) -> Result<Vec<(String, String)>> {
    let text =
        fs::read_to_string(list).with_context(|| format!("cannot read {}", list.display()))?;
    let list: serde_json::Value = serde_json::from_str(&text).context("a list is JSON")?;
    let components = list["components"].as_array();
    let components = components.context("a list has components")?;
    let packages: Option<Vec<_>> = components
        .iter()
        .map(|component| {
            let name = component["name"].as_str()?.to_owned();
            Some((name, component["version"].as_str()?.to_owned()))
        })
        .collect();
    match packages {
        Some(packages) if !packages.is_empty() => Ok(packages),
        _ => bail!("a list names its packages, and they have versions"),
    }
}

/// The check, in Python, since the schema comes with a package of it.
fn folder(root: &Path) -> std::path::PathBuf {
    root.join("tests").join("sbom")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_packages_have_names_that_are_the_same_everywhere() {
        let check = |line: &str, expected: &str| {
            let text = without_folders(line, Path::new("/home/somebody/clone"));
            assert_eq!(text, format!("{expected}\n"));
        };
        check(
            r#""bom-ref": "path+file:///home/somebody/clone/server#onetimeshare-server@0.1.0","#,
            r#""bom-ref": "path+file:///onetimeshare/server#onetimeshare-server@0.1.0","#,
        );
        check(
            r#""purl": "pkg:cargo/a@0.1.0?download_url=file://.#src/lib.rs""#,
            r#""purl": "pkg:cargo/a@0.1.0#src/lib.rs""#,
        );
        check(
            r#""purl": "pkg:cargo/a@0.1.0?download_url=file://../a","#,
            r#""purl": "pkg:cargo/a@0.1.0","#,
        );
        check(
            r#""purl": "pkg:cargo/sha2@0.11.1""#,
            r#""purl": "pkg:cargo/sha2@0.11.1""#,
        );
    }

    #[test]
    fn a_list_without_packages_is_a_fault() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.json");
        for text in [
            "",
            "{}",
            r#"{"components": []}"#,
            r#"{"components": [{"name": "a"}]}"#,
        ] {
            fs::write(&file, text).unwrap();
            assert!(packages(&file).is_err(), "{text}");
        }
        fs::write(&file, r#"{"components": [{"name": "a", "version": "1"}]}"#).unwrap();
        assert_eq!(packages(&file).unwrap(), [("a".to_owned(), "1".to_owned())]);
    }
}
