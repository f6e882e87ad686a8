//! The licences of what others made, in their own words, for whoever gets the program: they ask for no more than that. It judges
//! none of them; `cargo xtask deny` does.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::place::Place;
use crate::process;

/// How the file is called.
pub(super) const NAME: &str = "THIRD-PARTY.txt";

const HEAD: &str = "onetimeshare is made with the work of others. Each of these texts stands below the names of what it is about.\n";

/// How the names of files with licences begin, without regard to case.
const BEGINNINGS: [&str; 6] = [
    "license",
    "licence",
    "copying",
    "copyright",
    "notice",
    "unlicense",
];

/// What the pages bring along, in folders of `www`.
const VENDORED: [&str; 2] = ["vendor", "fonts"];

/// Writes the notices of `packages`, by name and version, and of what the pages bring along, to `file`.
pub(super) fn write(
    place: &Place,
    packages: &BTreeSet<(String, String)>,
    file: &Path,
) -> Result<()> {
    let mut texts = BTreeMap::new();
    for (package, folder) in sources(place, packages)? {
        let found = licences(&folder, false)?;
        if found.is_empty() {
            bail!(
                "{package} brings no text of its licence: {}",
                folder.display()
            );
        }
        for (_, text) in found {
            add(&mut texts, text, package.clone());
        }
    }
    let www = place.root().join("www");
    for folder in VENDORED {
        for (path, text) in licences(&www.join(folder), true)? {
            let path = path.strip_prefix(place.root()).unwrap_or(&path).to_owned();
            add(&mut texts, text, path.display().to_string());
        }
    }
    fs::write(file, page(&texts)).with_context(|| format!("cannot write {}", file.display()))
}

fn add(texts: &mut BTreeMap<String, BTreeSet<String>>, text: String, about: String) {
    texts.entry(text).or_default().insert(about);
}

/// Where the sources of packages are that others made.
fn sources(place: &Place, packages: &BTreeSet<(String, String)>) -> Result<Vec<(String, PathBuf)>> {
    let told =
        process::output(&mut place.cargo(&["metadata", "--locked", "--format-version", "1"]))?;
    let told: Value = serde_json::from_str(&told).context("cargo prints JSON")?;
    let known = told["packages"].as_array().into_iter().flatten();
    let mut found = Vec::new();
    for package in known.filter(|package| package["source"].is_string()) {
        let word = |member: &str| package[member].as_str().unwrap_or_default().to_owned();
        let named = (word("name"), word("version"));
        if !packages.contains(&named) {
            continue;
        }
        let manifest = PathBuf::from(word("manifest_path"));
        let folder = manifest.parent().context("a manifest is in a folder")?;
        found.push((
            format!("{} {} ({})", named.0, named.1, word("license")),
            folder.to_owned(),
        ));
    }
    Ok(found)
}

/// The files of a folder that hold licences, and their texts; of the folders in it as well where it is `deep`.
fn licences(folder: &Path, deep: bool) -> Result<Vec<(PathBuf, String)>> {
    let mut found = Vec::new();
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let path = entry.path();
        if path.is_dir() {
            if deep || is_licence(&path) {
                found.extend(licences(&path, deep)?);
            }
        } else if is_licence(&path) || folder.file_name().is_some_and(|name| name == "LICENSES") {
            let bytes = fs::read(&path)?;
            found.push((path, String::from_utf8_lossy(&bytes).trim().to_owned()));
        }
    }
    found.sort();
    Ok(found)
}

/// Whether a name is one that licences have: `LICENSE-MIT`, `client-zip.LICENSE.txt`, `OFL.txt`, `ATTRIBUTION.md`.
fn is_licence(path: &Path) -> bool {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    let begins = BEGINNINGS
        .iter()
        .any(|beginning| name.starts_with(beginning));
    begins || name.ends_with(".license.txt") || matches!(&*name, "ofl.txt" | "attribution.md")
}

/// The page: each text once, below all that it is about, in the order of those.
fn page(texts: &BTreeMap<String, BTreeSet<String>>) -> String {
    let mut parts: Vec<_> = texts.iter().map(|(text, about)| (about, text)).collect();
    parts.sort();
    let mut page = HEAD.to_owned();
    for (about, text) in parts {
        page.push_str("\n--------------------------------\n");
        for name in about {
            writeln!(page, "{name}").expect("a String takes everything");
        }
        writeln!(page, "\n{text}").expect("a String takes everything");
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_with_licences_are_known_by_their_names() {
        for name in [
            "LICENSE",
            "license-mit",
            "COPYING",
            "NOTICE.md",
            "a.LICENSE.txt",
            "OFL.txt",
        ] {
            assert!(is_licence(Path::new(name)), "{name}");
        }
        for name in ["Cargo.toml", "relicense.rs", "README.md"] {
            assert!(!is_licence(Path::new(name)), "{name}");
        }
    }

    #[test]
    fn each_text_stands_once_below_all_that_it_is_about() {
        let mut texts = BTreeMap::new();
        for (text, about) in [("second", "c 1"), ("first", "b 1"), ("first", "a 1")] {
            add(&mut texts, text.to_owned(), about.to_owned());
        }
        let page = page(&texts);
        assert_eq!(page.matches("first").count(), 1);
        assert!(
            page.find("a 1\nb 1\n\nfirst\n") < page.find("c 1\n\nsecond\n"),
            "{page}"
        );
        assert!(page.starts_with(HEAD));
    }

    #[test]
    fn folders_are_searched_as_deep_as_asked() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).unwrap();
        fs::write(folder.path().join("LICENSE"), " outer\n").unwrap();
        fs::write(inner.join("LICENSE"), "inner").unwrap();
        let texts = |deep| {
            let found = licences(folder.path(), deep).unwrap().into_iter();
            found.map(|(_, text)| text).collect::<Vec<_>>()
        };
        assert_eq!(texts(false), ["outer"]);
        assert_eq!(texts(true), ["outer", "inner"]);
    }
}
