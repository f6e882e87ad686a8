//! The licences of what others made, in their own words, for whoever gets the program: they ask for no more than that. It judges
//! none of them; `cargo xtask deny` does.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
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
    for Source {
        name,
        folder,
        licence,
        authors,
    } in sources(place, packages)?
    {
        let found = licences(&folder, false)?;
        if found.is_empty() {
            let text = usual_text(place.root(), &licence, &authors)?;
            let folder = folder.display();
            let text =
                text.with_context(|| format!("{name} brings no text of its licence: {folder}"))?;
            add(&mut texts, text, name.clone());
        }
        for (_, text) in found {
            add(&mut texts, text, name.clone());
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

/// The text of a licence that its package names and does not bring; none where there is more than one way to write it.
fn usual_text(root: &Path, licence: &str, authors: &str) -> Result<Option<String>> {
    if licence != "MIT" || authors.is_empty() {
        return Ok(None);
    }
    // Ours is the same below its first lines, which name us.
    let own = fs::read_to_string(root.join("LICENSE-MIT")).context("cannot read LICENSE-MIT")?;
    let from = own.find("Permission is hereby granted");
    let words = from.and_then(|from| own.get(from..));
    Ok(words.map(|words| format!("Copyright (c) {authors}\n\n{}", words.trim())))
}

/// A package that others made.
struct Source {
    /// Its name, version and licence, for a person to read.
    name: String,
    folder: PathBuf,
    licence: String,
    authors: String,
}

/// The packages that others made, and where their sources are.
fn sources(place: &Place, packages: &BTreeSet<(String, String)>) -> Result<Vec<Source>> {
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
        let authors = package["authors"].as_array().into_iter().flatten();
        let authors: Vec<_> = authors.filter_map(Value::as_str).collect();
        found.push(Source {
            name: format!("{} {} ({})", named.0, named.1, word("license")),
            folder: folder.to_owned(),
            licence: word("license"),
            authors: authors.join(", "),
        });
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

    #[test]
    fn a_text_is_made_up_for_one_licence_alone() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let text = usual_text(&root, "MIT", "A <a@b>, C").unwrap().unwrap();
        assert!(text.starts_with("Copyright (c) A <a@b>, C\n\nPermission is hereby granted"));
        assert!(!text.contains("onetimeshare"), "{text}");
        for (licence, authors) in [("MIT", ""), ("MIT OR Apache-2.0", "A"), ("ISC", "A")] {
            assert_eq!(
                usual_text(&root, licence, authors).unwrap(),
                None,
                "{licence}"
            );
        }
    }
}
