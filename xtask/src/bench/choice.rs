//! What of the measurements was asked for, and where their page goes.

use std::path::{Path, PathBuf};

use crate::system::Package;

/// One thing to measure.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(crate) enum Part {
    /// Sealing and opening, natively and in WebAssembly.
    Crypto,
    /// Many clients at once.
    Load,
    /// Many transfers that wait.
    Live,
    /// Clients that mean harm.
    Hostile,
}

/// What was asked for.
#[derive(Default, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(crate) struct Choice {
    /// An empty list means all of them.
    pub(crate) parts: Vec<Part>,
    /// Short passes.
    pub(crate) is_quick: bool,
}

impl Choice {
    /// Whether this is to be measured.
    pub(super) fn has(&self, part: Part) -> bool {
        self.parts.is_empty() || self.parts.contains(&part)
    }

    /// Only a whole run is published: its tables are of one machine on one day.
    pub(super) fn page(&self, root: &Path) -> PathBuf {
        let is_whole = self.parts.is_empty() && !self.is_quick;
        let folder = if is_whole { "docs" } else { "target/bench" };
        root.join(folder).join("performance.md")
    }

    /// The command as it is typed.
    pub(super) fn command(&self) -> String {
        let mut words = vec!["cargo xtask bench"];
        words.extend(self.parts.iter().map(|part| match part {
            Part::Crypto => "crypto",
            Part::Load => "load",
            Part::Live => "live",
            Part::Hostile => "hostile",
        }));
        words.extend(self.is_quick.then_some("--quick"));
        words.join(" ")
    }

    /// What has to be installed for it.
    pub(super) fn packages(&self) -> Vec<Package> {
        let mut packages = Vec::new();
        if self.has(Part::Crypto) {
            packages.extend([Package::Chromium, Package::Firefox, Package::Node]);
        }
        if self.has(Part::Load) {
            packages.push(Package::Nginx);
        }
        packages
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_run_is_published() {
        let whole = Choice::default();
        let quick = Choice {
            is_quick: true,
            ..Choice::default()
        };
        let part = Choice {
            parts: vec![Part::Load],
            is_quick: false,
        };
        let root = Path::new("/r");
        assert_eq!(whole.page(root), root.join("docs/performance.md"));
        assert_eq!(quick.page(root), root.join("target/bench/performance.md"));
        assert_eq!(part.page(root), root.join("target/bench/performance.md"));
        assert_eq!(whole.command(), "cargo xtask bench");
        assert_eq!(quick.command(), "cargo xtask bench --quick");
        assert_eq!(part.command(), "cargo xtask bench load");
        assert!(part.packages() == [Package::Nginx]);
    }
}
