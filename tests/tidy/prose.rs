//! The rules of every file whatever its language: nothing unfinished, nothing of one machine, nothing too large; each is
//! a function of a path and a text, so that its own test can plant what it must find.

/// The longest file that belongs into the history of a source tree.
const FILE_LEN_MAX: u64 = 1 << 20;

/// The most lines of the page that everybody should read.
const ARCHITECTURE_LINES_MAX: usize = 250;

/// Marks of what is not finished, in two halves, so that this file passes its own rule.
const UNFINISHED: &[[&str; 2]] = &[
    ["TO", "DO"],
    ["FIX", "ME"],
    ["XX", "X:"],
    ["(being ", "written)"],
];

/// Folders of the machine where somebody worked, in two halves likewise.
const MACHINE: &[[&str; 2]] = &[
    ["/wo", "rk/"],
    ["../sha", "red"],
    ["/home", "/runner"],
    ["/ro", "ot/"],
];

/// Every rule that holds for any file.
pub(crate) fn faults(path: &str, text: &str, len: u64) -> Vec<String> {
    let mut found = Vec::new();
    if len > FILE_LEN_MAX {
        found.push(format!("{path}: {len} bytes, at most {FILE_LEN_MAX}"));
    }
    found.extend(lines(path, text));
    found.extend(lock_file(path, text));
    found.extend(architecture(path, text));
    found
}

fn lines(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for mark in UNFINISHED {
            if line.contains(&mark.concat()) {
                found.push(format!(
                    "{path}:{}: what is not finished has an issue, not a mark",
                    index + 1
                ));
            }
        }
        for folder in MACHINE {
            if line.contains(&folder.concat()) {
                found.push(format!(
                    "{path}:{}: names a folder of one machine",
                    index + 1
                ));
            }
        }
    }
    found
}

/// Lock files name versions and digests; where a package is fetched from is the business of whoever fetches it.
fn lock_file(path: &str, text: &str) -> Vec<String> {
    if !path.ends_with("package-lock.json") {
        return Vec::new();
    }
    let lines = text.lines().enumerate();
    lines
        .filter(|(_, line)| line.contains("\"resolved\": \"http"))
        .map(|(index, _)| format!("{path}:{}: names where a package was downloaded", index + 1))
        .collect()
}

fn architecture(path: &str, text: &str) -> Option<String> {
    let count = text.lines().count();
    let is_long = path == "docs/architecture.md" && count > ARCHITECTURE_LINES_MAX;
    is_long.then(|| format!("{path}: {count} lines, at most {ARCHITECTURE_LINES_MAX}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unfinished_marks_are_found() {
        for mark in UNFINISHED {
            let line = format!("// {} later", mark.concat());
            assert_eq!(faults("a.rs", &line, 1).len(), 1, "{line}");
        }
        assert_eq!(faults("a.rs", "// to do this, do that", 1).len(), 0);
    }

    #[test]
    fn folders_of_a_machine_are_found() {
        for folder in MACHINE {
            let line = format!("see {}x", folder.concat());
            assert_eq!(faults("a.md", &line, 1).len(), 1, "{line}");
        }
        assert_eq!(
            faults("a.md", "see /var/lib/onetimeshare and network/share", 1).len(),
            0
        );
    }

    #[test]
    fn large_files_are_found() {
        assert_eq!(faults("a.png", "", FILE_LEN_MAX + 1).len(), 1);
        assert_eq!(faults("a.png", "", FILE_LEN_MAX).len(), 0);
    }

    #[test]
    fn download_addresses_in_lock_files_are_found() {
        let line = "      \"resolved\": \"https://a.example/b.tgz\",";
        assert_eq!(faults("www/package-lock.json", line, 1).len(), 1);
        assert_eq!(faults("www/package.json", line, 1).len(), 0);
        assert_eq!(
            faults("www/package-lock.json", "\"integrity\": \"sha512-a\"", 1).len(),
            0
        );
    }

    #[test]
    fn a_long_architecture_page_is_found() {
        let long = "line\n".repeat(ARCHITECTURE_LINES_MAX + 1);
        assert_eq!(faults("docs/architecture.md", &long, 1).len(), 1);
        assert_eq!(faults("docs/api.md", &long, 1).len(), 0);
    }
}
