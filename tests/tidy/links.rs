//! The links between the pages of this tree: each leads to a file or folder that is there. It knows nothing of other hosts.

use std::collections::HashSet;

/// Every path that a link of the tree may lead to: its files, and the folders that they lie in.
pub(crate) fn targets<'a>(paths: impl Iterator<Item = &'a str>) -> HashSet<String> {
    let mut targets = HashSet::from([String::new()]);
    for path in paths {
        let mut path = path;
        targets.insert(path.to_owned());
        while let Some((folder, _)) = path.rsplit_once('/') {
            targets.insert(folder.to_owned());
            path = folder;
        }
    }
    targets
}

/// The links of the Markdown page `path` that lead nowhere.
pub(crate) fn dead(path: &str, text: &str, targets: &HashSet<String>) -> Vec<String> {
    if path.rsplit('.').next() != Some("md") {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for rest in line.split("](").skip(1) {
            let link = rest.split(')').next().unwrap_or_default();
            if is_within(link) && !targets.contains(&resolved(path, link)) {
                found.push(format!("{path}:{}: {link} leads nowhere", index + 1));
            }
        }
    }
    found
}

/// Whether a link stays in the tree: neither of another host, nor a place on its own page.
fn is_within(link: &str) -> bool {
    !link.is_empty() && !link.contains(':') && !link.starts_with('#')
}

/// The path that `link` on the page `path` leads to, from the top of the tree.
fn resolved(path: &str, link: &str) -> String {
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    let link = link.split('#').next().unwrap_or_default();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, line: &str, expected: usize) {
        let targets = targets(["README.md", "docs/api.md", "docs/screens/a.png"].into_iter());
        assert_eq!(dead(path, line, &targets).len(), expected, "{line}");
    }

    #[test]
    fn links_that_lead_nowhere_are_found() {
        check("README.md", "[a](docs/apt.md) and [b](docs/api.md)", 1);
        check("docs/api.md", "[a](README.md)", 1);
        check("README.md", "![a](docs/screens/b.png), [c](b)", 2);
    }

    #[test]
    fn links_to_files_folders_places_and_other_hosts_are_fine() {
        check(
            "README.md",
            "[a](docs/api.md#codes) [b](docs) [c](docs/)",
            0,
        );
        check("docs/api.md", "[a](../README.md) [b](screens/a.png)", 0);
        check("README.md", "[a](#codes) [b](https://a.example/b.md)", 0);
        check("server/src/a.rs", "[a](nowhere)", 0);
    }
}
