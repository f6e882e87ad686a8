//! The files of the repository as they lie in the working tree, without what is generated; it changes nothing.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders whose content is made and not written, from the root of the repository; git ignores the same.
const GENERATED: &[&str] = &[
    ".git",
    "target",
    "tests/openapi/.hypothesis",
    "www/wasm",
    "onetimeshare-data",
];

/// One file of the repository.
pub(crate) struct File {
    /// From the root of the repository, with `/` between folders.
    pub(crate) path: String,
    /// Its length in bytes.
    pub(crate) len: u64,
    /// Its text; empty for what is not UTF-8.
    pub(crate) text: String,
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}

/// Every file of the repository, by path.
pub(crate) fn files() -> Vec<File> {
    let mut found = Vec::new();
    walk(&root(), "", &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn walk(folder: &Path, prefix: &str, found: &mut Vec<File>) {
    let entries = fs::read_dir(folder).expect("a folder of the repository can be read");
    for entry in entries {
        let entry = entry.expect("an entry of the repository can be read");
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        let kind = entry.file_type().expect("an entry has a type");
        if kind.is_dir() {
            if !is_generated(&path) {
                walk(&entry.path(), &format!("{path}/"), found);
            }
        } else if kind.is_file() {
            found.push(read(&entry.path(), path));
        }
    }
}

fn is_generated(path: &str) -> bool {
    GENERATED.contains(&path) || path == "node_modules" || path.ends_with("/node_modules")
}

/// Reads one file. One that vanishes meanwhile (an editor's temporary file) counts as empty.
fn read(file: &Path, path: String) -> File {
    let bytes = fs::read(file).unwrap_or_default();
    let len = u64::try_from(bytes.len()).expect("no file is longer than 2^64 bytes");
    let text = String::from_utf8(bytes).unwrap_or_default();
    File { path, len, text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_folders_are_known_wherever_they_lie() {
        for path in [
            "target",
            "www/wasm",
            "www/node_modules",
            "tests/e2e/node_modules",
        ] {
            assert!(is_generated(path), "{path}");
        }
        for path in ["www", "server/target", "www/wasm2", "docs"] {
            assert!(!is_generated(path), "{path}");
        }
    }

    #[test]
    fn the_walk_finds_this_very_file_and_no_compiled_one() {
        let files = files();
        assert!(files.iter().any(|file| file.path == "tests/tidy/tree.rs"));
        assert!(!files.iter().any(|file| file.path.starts_with("target/")));
    }
}
