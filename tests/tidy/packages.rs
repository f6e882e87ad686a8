//! The rules of the packages: who depends on whom, and that the lints reach everyone; cargo itself is asked, nothing is
//! downloaded.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// What begins the name of each of our packages.
const PREFIX: &str = "onetimeshare-";

/// Which of our packages each may depend on, for building and for its tests alike. That the server cannot read what it
/// keeps is a fact of this table.
const MAY_DEPEND_ON: &[(&str, &[&str])] = &[
    ("crypto", &[]),
    ("protocol", &[]),
    ("crypto-wasm", &["crypto"]),
    ("server", &["protocol"]),
    ("client", &["crypto", "protocol"]),
    ("cli", &["client", "crypto", "protocol"]),
    ("xtask", &["client", "crypto", "protocol"]),
    ("bench", &["client", "crypto", "protocol", "server"]),
    ("fuzz", &["crypto", "protocol", "server"]),
    ("tests", &["client", "crypto", "protocol", "server"]),
];

/// One package and those of ours that it depends on, without the prefix.
#[derive(Debug)]
pub(crate) struct Package {
    /// Its name.
    pub(crate) name: String,
    /// Whom it depends on.
    pub(crate) depends_on: Vec<String>,
}

/// The packages of the workspace, as cargo sees them.
pub(crate) fn packages(root: &Path) -> Vec<Package> {
    let output = Command::new(env!("CARGO"))
        .current_dir(root)
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .output()
        .expect("cargo can be started by its own test");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let workspace: Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    let packages = workspace["packages"]
        .as_array()
        .expect("a workspace has packages");
    packages.iter().map(package).collect()
}

fn package(package: &Value) -> Package {
    let own = |name: &Value| {
        name.as_str()
            .and_then(|name| name.strip_prefix(PREFIX))
            .map(str::to_owned)
    };
    let dependencies = package["dependencies"].as_array().into_iter().flatten();
    Package {
        name: own(&package["name"]).expect("each of our packages has the prefix"),
        depends_on: dependencies
            .filter_map(|dependency| own(&dependency["name"]))
            .collect(),
    }
}

/// Edges that are not in the table, and packages that are not in it.
pub(crate) fn edges(packages: &[Package]) -> Vec<String> {
    let mut found = Vec::new();
    for package in packages {
        let row = MAY_DEPEND_ON.iter().find(|(name, _)| *name == package.name);
        let Some((_, allowed)) = row else {
            found.push(format!(
                "{}: nobody has said what it may depend on",
                package.name
            ));
            continue;
        };
        for other in &package.depends_on {
            if !allowed.contains(&other.as_str()) {
                found.push(format!("{} must not depend on {other}", package.name));
            }
        }
    }
    found
}

/// Manifests that the workspace's lints do not reach, and a workspace that allows unsafe code.
pub(crate) fn lints(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    if path == "Cargo.toml" {
        if value_of(text, "workspace.lints.rust", "unsafe_code") != Some("\"forbid\"") {
            found.push(format!("{path}: the workspace must forbid unsafe code"));
        }
    } else if path.ends_with("/Cargo.toml") && value_of(text, "lints", "workspace") != Some("true")
    {
        found.push(format!(
            "{path}: the lints of the workspace do not reach this package"
        ));
    }
    found
}

/// The value of `key` in `[table]`, without what a comment adds.
fn value_of<'a>(text: &'a str, table: &str, key: &str) -> Option<&'a str> {
    let heading = format!("[{table}]");
    let lines = text
        .lines()
        .skip_while(|line| line.trim() != heading)
        .skip(1);
    lines
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split('#').next()?.split_once('='))
        .find(|(name, _)| name.trim() == key)
        .map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: &str, depends_on: &[&str]) -> Vec<String> {
        edges(&[Package {
            name: name.to_owned(),
            depends_on: depends_on.iter().map(|name| (*name).to_owned()).collect(),
        }])
    }

    #[test]
    fn edges_outside_of_the_table_are_found() {
        assert_eq!(
            one("server", &["protocol", "crypto"]),
            ["server must not depend on crypto"]
        );
        assert_eq!(one("crypto", &["protocol"]).len(), 1);
        assert_eq!(one("protocol", &["crypto"]).len(), 1);
        assert_eq!(one("crypto-wasm", &["crypto", "protocol"]).len(), 1);
        assert_eq!(one("client", &["server"]).len(), 1);
        assert_eq!(one("cli", &["server"]).len(), 1);
        assert_eq!(one("server", &["client"]).len(), 1);
        assert_eq!(one("xtask", &["server"]).len(), 1);
        assert_eq!(one("newcomer", &[]).len(), 1);
    }

    #[test]
    fn edges_of_the_table_pass() {
        assert_eq!(one("server", &["protocol"]), Vec::<String>::new());
        assert_eq!(one("client", &["crypto", "protocol"]), Vec::<String>::new());
        assert_eq!(one("tests", &["server", "crypto"]), Vec::<String>::new());
    }

    #[test]
    fn a_package_outside_of_the_lints_is_found() {
        assert_eq!(lints("a/Cargo.toml", "[package]\nname = \"a\"\n").len(), 1);
        assert_eq!(
            lints("a/Cargo.toml", "[lints]\n[package]\nworkspace = true\n").len(),
            1
        );
        assert_eq!(
            lints("a/Cargo.toml", "[lints]\nworkspace = true # all\n").len(),
            0
        );
    }

    #[test]
    fn a_workspace_that_allows_unsafe_code_is_found() {
        assert_eq!(
            lints(
                "Cargo.toml",
                "[workspace.lints.rust]\nunsafe_code = \"warn\"\n"
            )
            .len(),
            1
        );
        assert_eq!(
            lints(
                "Cargo.toml",
                "[workspace.lints.rust]\nunsafe_code = \"forbid\"\n"
            )
            .len(),
            0
        );
    }
}
