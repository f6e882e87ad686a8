//! The page on settings says what the server reads.

use std::path::Path;

use onetimeshare_server::config::reference::reference;
use onetimeshare_server::config::settings::SETTINGS;

fn text_of(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    std::fs::read_to_string(root.join(path)).unwrap()
}

#[test]
fn the_readme_lists_every_setting() {
    let readme = text_of("README.md");
    for setting in SETTINGS {
        let flag = format!("`--{}`", setting.name);
        assert!(readme.contains(&flag), "README.md lacks {flag}");
    }
}

/// Files of variables know no comment behind a value: for systemd and containers it would be part of it.
#[test]
fn variables_in_documents_are_settings_and_end_with_their_values() {
    let mut found = 0;
    for path in ["docs/deploy.md", "docs/operations.md", "README.md"] {
        let text = text_of(path);
        let lines = text
            .lines()
            .filter(|line| line.starts_with("ONETIMESHARE_"));
        for line in lines {
            found += 1;
            assert!(!line.contains('#'), "{path}: {line}");
            let (name, _) = line.split_once('=').unwrap();
            let is_of_compose = name == "ONETIMESHARE_HOST";
            let mut settings = SETTINGS.iter();
            let is_setting = settings.any(|setting| setting.variable() == name);
            assert!(is_setting || is_of_compose, "{path}: {line}");
        }
    }
    assert!(found > 3, "no variable was found");
}

#[test]
fn the_page_on_settings_is_that_of_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md");
    let made = Path::new(env!("CARGO_TARGET_TMPDIR")).join("configuration.md");
    std::fs::write(&made, reference()).unwrap();
    let is_fresh = std::fs::read_to_string(path).is_ok_and(|page| page == reference());
    assert!(
        is_fresh,
        "docs/configuration.md is stale: cp {} docs/configuration.md",
        made.display()
    );
}
