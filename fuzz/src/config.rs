//! Settings by flags, variables and a file: reading them never panics; each fault names what it is about and repeats no value; what is
//! taken keeps to the ranges that docs/configuration.md promises.

use std::cell::RefCell;
use std::ffi::OsString;
use std::fs;
use std::io::Write as _;

use onetimeshare_server::config::{Config, Invocation};
use tempfile::NamedTempFile;

use crate::SECRET;

/// Line by line: `NAME=value` for a variable, `--flag`, `--flag value` or a word for arguments; behind a line `---`, the file.
///
/// What names another file is left out: reading it would depend on the machine, and some never end.
pub fn config(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if ["/dev", "/proc", "/sys"]
        .iter()
        .any(|folder| text.contains(folder))
    {
        return;
    }
    let (lines, file) = match text.split_once("---\n") {
        Some((lines, file)) => (lines, Some(file)),
        None => (text.as_ref(), None),
    };
    let mut arguments = vec![OsString::from("onetimeshare-server")];
    let mut variables = Vec::new();
    for line in lines.lines().filter(|line| !names_file(line)).take(64) {
        match line.split_once('=') {
            Some((name, value)) if !name.starts_with('-') => {
                variables.push((name.into(), value.into()));
            }
            _ => arguments.extend(line.splitn(2, ' ').map(OsString::from)),
        }
    }
    let Some(file) = file else {
        return check(arguments, variables, lines, "");
    };
    thread_local!(static FILE: RefCell<Option<NamedTempFile>> = RefCell::default());
    FILE.with_borrow_mut(|kept| {
        let kept = kept.get_or_insert_with(|| NamedTempFile::new().expect("a file can be made"));
        fs::write(kept.path(), file).expect("it can be written");
        kept.flush().expect("it is written");
        arguments.extend([OsString::from("--config"), kept.path().into()]);
        check(arguments, variables, lines, file);
    });
}

fn names_file(line: &str) -> bool {
    let name = line.split(['=', ' ']).next().unwrap_or_default();
    let name = name.to_ascii_uppercase();
    name.starts_with("--C")
        || [
            "_FILE",
            "_CONFIG",
            "_PATH",
            "CREDENTIALS",
            "SERVICE_ACCOUNT",
        ]
        .iter()
        .any(|end| name.ends_with(end))
}

fn check(arguments: Vec<OsString>, variables: Vec<(OsString, OsString)>, lines: &str, file: &str) {
    // What cannot be read as a command line is told by the library, to who typed it.
    let Ok(invocation) = Invocation::read(arguments, variables) else {
        return;
    };
    match invocation.config {
        Ok(config) => {
            check_ranges(&config);
            check_silence(&config);
        }
        Err(faults) => {
            let faults = faults.to_string();
            assert!(!faults.is_empty(), "who refuses says why");
            // Escapes can put the end of a line into a key.
            for fault in faults.lines().filter(|_| !file.contains('\\')) {
                check_fault(fault, lines);
            }
        }
    }
}

/// A fault names a setting, and holds no value. Names are repeated: the key of a line in the file, and that of a variable.
fn check_fault(fault: &str, lines: &str) {
    assert!(fault.matches('`').count() >= 2, "it names nothing: {fault}");
    let is_unknown_key = fault.ends_with("is not a setting: --help lists them");
    let mut names = lines.lines().filter_map(|line| line.split('=').next());
    assert!(
        !fault.contains(SECRET) || is_unknown_key || names.any(|name| name.contains(SECRET)),
        "it repeats a value: {fault}"
    );
}

/// A password is never shown.
fn check_silence(config: &Config) {
    if let Some((address, _)) = &config.redis {
        assert!(
            !format!("{address:?}").contains(SECRET),
            "a password is shown"
        );
    }
    if let Some(tls) = &config.tls {
        assert!(!tls.key.as_os_str().is_empty() && !tls.certificate.as_os_str().is_empty());
    }
}

fn check_ranges(config: &Config) {
    const YEAR_S: u64 = 365 * 24 * 3600;
    let limits = &config.limits;
    assert!(!config.listen.is_empty());
    assert!((1000..=1 << 40).contains(&limits.transfer_size_max));
    assert!(limits.inline_max <= 1 << 20);
    assert!((1 << 16..=1 << 26).contains(&limits.part_len));
    assert!(limits.transfer_size_max / limits.part_len <= 1 << 21);
    assert!((1..=10_000).contains(&limits.claims_max));
    let lives = [limits.ttl_min_s, limits.ttl_default_s, limits.ttl_max_s];
    assert!(lives.is_sorted() && lives.iter().all(|life| (1..=YEAR_S).contains(life)));
    let periods = &config.periods;
    assert!(periods.lease_s == 0 || (10..=periods.lease_max_s).contains(&periods.lease_s));
    assert!((1..=YEAR_S).contains(&periods.lease_max_s));
    assert!((1..=YEAR_S).contains(&periods.tombstone_ttl_s));
    assert!(periods.upload_idle_s >= 60 && periods.part_deadline_s >= 600);
    let bounds = &config.access.bounds;
    for count in [bounds.all, bounds.each, config.access.requests_max] {
        assert!((1..=1_000_000).contains(&count));
    }
}
