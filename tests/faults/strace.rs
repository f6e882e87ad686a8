//! `strace` on some threads of a running server: it makes the n-th call of a kind fail, or the last thing that is done.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use tempfile::NamedTempFile;

use crate::failing::{Point, Series};

/// How often it is looked whether `strace` has ended, and after how long each time: five seconds in all.
const DETACH_TRIES: u32 = 500;
const DETACH_PAUSE: Duration = Duration::from_millis(10);

/// The name of the thread that writes records.
const WRITER: &str = "record-writer";

/// What happens at the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// `kill -9`, before the call has done anything.
    Kill,
    /// The call does nothing and gives this error.
    Error(&'static str),
}

/// Whose calls are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Threads {
    /// The thread that writes records.
    Records,
    /// One of those that write blobs, by chance.
    Blobs,
}

impl Threads {
    /// The thread of the process `pid`.
    fn choose(self, pid: u32, rng: &mut fastrand::Rng) -> u32 {
        let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("the server runs");
        let named = tasks.flatten().filter_map(|task| {
            let name = fs::read_to_string(task.path().join("comm")).ok()?;
            let id = task.file_name().to_str()?.parse().ok()?;
            Some((id, name.trim() == WRITER))
        });
        let (writers, mut others): (Vec<_>, Vec<_>) = named.partition(|(_, is_writer)| *is_writer);
        others.sort_unstable();
        // The first is the process's own, then come those that run the server; what blocks has threads of its own.
        let running = 1 + thread::available_parallelism().map_or(1, usize::from);
        let chosen = match self {
            Self::Records => writers.first().copied(),
            Self::Blobs => rng.choice(others.into_iter().skip(running)),
        };
        chosen.expect("it has such a thread once it was used").0
    }
}

/// A running `strace`.
pub(crate) struct Strace {
    child: Child,
    log: NamedTempFile,
    server: u32,
}

impl Strace {
    /// Attaches to a thread of the process `pid`, and returns once it sees the thread's calls.
    pub(crate) fn attach(pid: u32, series: Series, nth: u32, rng: &mut fastrand::Rng) -> Self {
        let Series {
            threads,
            change,
            fault,
            ..
        } = series;
        let log = NamedTempFile::new().expect("the system has a folder for temporary files");
        let fault = match fault {
            Fault::Kill => "signal=SIGKILL".to_owned(),
            Fault::Error(error) => format!("error={error}"),
        };
        // Without -f: with it, strace takes every thread of the process for one.
        let mut child = Command::new("strace")
            .args(["-y", "-s", "0", "-e", "signal=none", "-e"])
            .arg(format!("inject={change}:{fault}:when={nth}"))
            .args(["-e", &format!("trace={change}"), "-o"])
            .arg(log.path())
            .args(["-p", &threads.choose(pid, rng).to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the tests of faults need strace: install the package `strace`");
        let said = BufReader::new(child.stderr.take().expect("it was asked for"));
        let mut said = said.lines().map_while(Result::ok);
        assert!(
            said.any(|line| line.ends_with(" attached")),
            "strace cannot attach: this user may not trace its own processes"
        );
        // Read to its end, so that strace never waits for a reader.
        thread::spawn(move || said.for_each(drop));
        Self {
            child,
            log,
            server: pid,
        }
    }

    /// Whether the server has died.
    pub(crate) fn is_over(&self) -> bool {
        let status = fs::read_to_string(format!("/proc/{}/stat", self.server)).unwrap_or_default();
        let state = status
            .rsplit(") ")
            .next()
            .and_then(|rest| rest.chars().next());
        matches!(state, None | Some('Z' | 'X'))
    }

    /// Detaches. Where the fault was made, if it was.
    pub(crate) fn end(mut self, data_dir: &Path) -> Point {
        let is_over = self.is_over();
        if !is_over {
            // It detaches on SIGTERM, and leaves the server as it is.
            let id = self.child.id().to_string();
            let _ = Command::new("kill").arg(id).stderr(Stdio::null()).status();
        }
        for _ in 0..DETACH_TRIES {
            if self.child.try_wait().is_ok_and(|status| status.is_some()) {
                break;
            }
            thread::sleep(DETACH_PAUSE);
        }
        // It may wait for ever for a thread whose process ends just then. What it has seen is written.
        let _ = self.child.kill();
        self.child.wait().expect("a child can be waited for");
        let log = fs::read_to_string(self.log.path()).expect("strace has written it");
        let mut lines = log.lines();
        // Of a kill, it is the call that did not return.
        let made = lines.clone().find(|line| line.contains("(INJECTED)"));
        match made.or_else(|| lines.rfind(|line| line.ends_with(" = ?"))) {
            Some(line) => step(line, data_dir).map_or(Point::Elsewhere, Point::Made),
            None if is_over => Point::Elsewhere,
            None => Point::Beyond,
        }
    }
}

impl Drop for Strace {
    /// Of a test that failed half way; otherwise it has ended.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `fsync records.sqlite-wal` of `fsync(9</tmp/x/data/records.sqlite-wal>) = ?`; none of a call on anything that does not
/// lie in the data directory.
fn step(line: &str, data_dir: &Path) -> Option<String> {
    let (name, arguments) = line.split_once('(')?;
    let (_, path) = arguments.split_once(data_dir.to_str()?)?;
    let path = path.trim_start_matches('/');
    let path = path.split(['>', '"']).next()?;
    // An object's folder and name are random: what kind of file it is counts.
    let kind = match path.strip_prefix("blobs") {
        Some("") => "blobs",
        Some(object) if object.split('.').next_back() == Some("aside") => {
            "blobs/{id}/{object}.aside"
        }
        Some(object) if object.matches('/').count() == 2 => "blobs/{id}/{object}",
        Some(_) => "blobs/{id}",
        None => path,
    };
    Some(format!("{name} {kind}"))
}

#[test]
fn steps_are_read_from_a_log() {
    let folder = Path::new("/tmp/x/data");
    let check = |line: &str, expected: Option<&str>| {
        assert_eq!(step(line, folder).as_deref(), expected, "{line}");
    };
    check(
        "fsync(9</tmp/x/data/records.sqlite-wal>) = -1 EIO (Input/output error) (INJECTED)",
        Some("fsync records.sqlite-wal"),
    );
    check(
        r#"rename("/tmp/x/data/blobs/AA/0.01.aside", "/tmp/x/data/blobs/AA/0.01") = ?"#,
        Some("rename blobs/{id}/{object}.aside"),
    );
    check(
        r#"unlink("/tmp/x/data/blobs/AA/0.01") = ?"#,
        Some("unlink blobs/{id}/{object}"),
    );
    check(
        r#"rmdir("/tmp/x/data/blobs/AA") = 0"#,
        Some("rmdir blobs/{id}"),
    );
    check("write(5<anon_inode:[eventfd]>, \"\"..., 8) = ?", None);
}
