//! The program itself: how it starts, how it ends, and what it says when it cannot.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

pub(crate) fn server(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onetimeshare-server"));
    command
        .current_dir(folder)
        .env_clear()
        .args(["--listen", "127.0.0.1:0"]);
    command
}

/// Where nobody listens as long as the second is kept: the other end of a connection, whose port nobody else gets.
pub(crate) fn nobody() -> (SocketAddr, (TcpListener, TcpStream)) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let other_end = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (other_end.local_addr().unwrap(), (listener, other_end))
}

/// Fails unless the program refuses to start, with one sentence for each of `sentences` and code 1.
#[track_caller]
pub(crate) fn refused(command: &mut Command, sentences: &[&str]) {
    ended(command, 1, sentences);
}

/// The same for faults in settings, which have a code of their own: no start of the same is any better.
#[track_caller]
pub(crate) fn misset(command: &mut Command, sentences: &[&str]) {
    ended(command, 2, sentences);
}

#[track_caller]
fn ended(command: &mut Command, code: i32, sentences: &[&str]) {
    let Output {
        status,
        stderr,
        stdout,
    } = end(command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap());
    let stderr = String::from_utf8(stderr).unwrap();
    // No code: it started, and was ended.
    assert_eq!(status.code(), Some(code), "{stderr}");
    assert_eq!(stderr.lines().count(), sentences.len(), "{stderr}");
    for (line, sentence) in stderr.lines().zip(sentences) {
        assert!(line.contains(sentence), "{line}");
    }
    assert_eq!(stdout, b"");
}

/// Waits for a program that ought to end by itself, and ends it when it does not.
#[track_caller]
pub(crate) fn end(mut child: Child) -> Output {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    while child.try_wait().unwrap().is_none() {
        if tokio::time::Instant::now() > deadline {
            child.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.wait_with_output().unwrap()
}

/// A server that runs, and where.
pub(crate) struct Started {
    child: Child,
    pub(crate) address: String,
}

impl Started {
    fn new(folder: &Path) -> Self {
        Self::of(&mut server(folder))
    }

    pub(crate) fn of(command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            address: address(&mut child),
            child,
        }
    }

    pub(crate) fn ask(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Ends it as an operator would. Its exit code.
    pub(crate) fn terminate(&mut self) -> Option<i32> {
        let killed = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(killed.success());
        self.child.wait().unwrap().code()
    }

    /// What it has warned of, line by line, once it has ended.
    #[cfg(target_os = "linux")]
    fn warnings(&mut self) -> Vec<String> {
        let said = self.complaints();
        let warnings = said.lines().filter(|line| line.contains("WARN"));
        warnings.map(str::to_owned).collect()
    }

    /// What it has said on stderr, once it has ended.
    pub(crate) fn complaints(&mut self) -> String {
        let mut said = String::new();
        let stderr = self.child.stderr.as_mut().unwrap();
        stderr.read_to_string(&mut said).unwrap();
        said
    }
}

/// The program under bounds of open files, as `ulimit` of a shell takes them.
#[cfg(target_os = "linux")]
fn bounded(folder: &Path, bounds: &str) -> Command {
    let mut command = Command::new("sh");
    command
        .current_dir(folder)
        .env_clear()
        .args(["-c", &format!("{bounds} && exec \"$0\" \"$@\"")])
        .arg(env!("CARGO_BIN_EXE_onetimeshare-server"))
        .args(["--listen", "127.0.0.1:0"]);
    command
}

/// Where a server says that it listens.
fn address(child: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert!(
        line.contains("onetimeshare-data"),
        "where it keeps things: {line}"
    );
    let rest = line.split("http://").nth(1).unwrap_or_default();
    rest.split(' ').next().unwrap_or_default().to_owned()
}

impl Drop for Started {
    fn drop(&mut self) {
        // Of a test that failed half way; of one that passed it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn it_serves_ends_and_starts_again_on_what_it_kept() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let mut started = Started::new(folder.path());
        assert!(started.ask("/readyz").starts_with("HTTP/1.1 204"));
        assert!(started.ask("/").contains("<!doctype html>"));
        assert_eq!(started.terminate(), Some(0));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(folder.path().join("onetimeshare-data"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_log_that_cannot_be_written_is_lost_alone() {
    let folder = tempfile::tempdir().unwrap();
    let full = std::fs::File::options().write(true).open("/dev/full");
    let mut child = server(folder.path())
        .stdout(Stdio::piped())
        .stderr(full.unwrap())
        .spawn()
        .unwrap();
    let mut started = Started {
        address: address(&mut child),
        child,
    };
    assert!(started.ask("/readyz").starts_with("HTTP/1.1 204"));
    assert_eq!(started.terminate(), Some(0));
}

#[cfg(target_os = "linux")]
#[test]
fn as_many_files_may_be_open_as_the_system_allows() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = bounded(folder.path(), "ulimit -Sn 64 && ulimit -Hn 1000");
    let mut started = Started::of(command.args(["--max-connections", "100"]));
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", started.child.id())).unwrap();
    let of_files = limits.lines().find(|line| line.contains("open files"));
    assert_eq!(of_files.unwrap().matches(" 1000 ").count(), 2, "{limits}");
    assert_eq!(started.terminate(), Some(0));
    assert_eq!(started.warnings(), [""; 0]);
}

#[cfg(target_os = "linux")]
#[test]
fn no_more_connections_are_taken_than_files_allow() {
    let folder = tempfile::tempdir().unwrap();
    let mut started = Started::of(&mut bounded(folder.path(), "ulimit -n 300"));
    // More of them than files, all from one address, which has room for 512.
    let held: Vec<_> = (0..320)
        .map(|_| TcpStream::connect(&started.address).unwrap())
        .collect();
    assert!(started.ask("/readyz").starts_with("HTTP/1.1 204"));
    drop(held);
    assert_eq!(started.terminate(), Some(0));
    let told = started.warnings().join("\n");
    for part in ["75 connections", "only 300 files", "LimitNOFILE=8448"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert_eq!(told.lines().count(), 1, "{told}");
}

#[test]
fn a_folder_that_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    refused(
        server(folder.path()).args(["--data-dir", "file/below"]),
        &["cannot keep transfers in file/below"],
    );
}

#[test]
fn blobs_in_a_folder_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("file://{}", folder.path().join("else/where").display());
    let mut started = Started::of(server(folder.path()).args(["--blob-url", &url]));
    assert!(started.ask("/readyz").starts_with("HTTP/1.1 204"));
    assert_eq!(started.terminate(), Some(0));
    assert!(folder.path().join("else/where/store-id").is_file());
    assert!(!folder.path().join("onetimeshare-data/blobs").exists());
    let (code, said) = check(folder.path(), &["--blob-url", &url]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = check(folder.path(), &[]);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("its folder of blobs is missing"), "{said}");
    refused(
        server(folder.path()).args(["--blob-url", "file:///dev/null/below"]),
        &["cannot keep blobs in /dev/null/below"],
    );
}

#[test]
fn a_bucket_that_cannot_be_reached_or_checked() {
    let folder = tempfile::tempdir().unwrap();
    let (nobody, _kept) = nobody();
    let mut command = server(folder.path());
    command
        .args(["--blob-url", "s3://hunter2/a"])
        .env("AWS_ENDPOINT_URL", format!("http://{nobody}"))
        .env("AWS_ACCESS_KEY_ID", "hunter2")
        .env("AWS_SECRET_ACCESS_KEY", "hunter2");
    refused(
        &mut command,
        &["the bucket of `blob-url` cannot be reached"],
    );
    command
        .env("AWS_ENDPOINT_URL", "hunter2")
        .args(["--lease", "9s"]);
    misset(&mut command, &["the variable AWS_ENDPOINT_URL", "`lease`"]);
    let (code, said) = check(folder.path(), &["--blob-url", "s3://bucket/a"]);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("into folders alone"), "{said}");
    let output = server(folder.path())
        .args(["--redis-url", "redis://:hunter2@a", "check"])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("into data folders alone"), "{said}");
}

#[test]
fn a_port_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    refused(
        server(folder.path()).args(["--listen", &address]),
        &[&format!("cannot listen on {address}")],
    );
}

#[test]
fn a_database_from_a_newer_version() {
    let folder = tempfile::tempdir().unwrap();
    Started::new(folder.path()).terminate();
    let path = folder.path().join("onetimeshare-data/records.sqlite");
    let database = rusqlite::Connection::open(path).unwrap();
    database
        .pragma_update(None, "user_version", 1_000_000)
        .unwrap();
    drop(database);
    refused(&mut server(folder.path()), &["newer"]);
}

#[test]
fn stores_that_are_strangers() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for folder in [&one, &other] {
        Started::new(folder.path()).terminate();
    }
    let blobs = "onetimeshare-data/blobs";
    std::fs::remove_dir_all(one.path().join(blobs)).unwrap();
    std::fs::rename(other.path().join(blobs), one.path().join(blobs)).unwrap();
    refused(
        &mut server(one.path()),
        &["belongs to another record store"],
    );
}

#[test]
fn every_fault_of_the_settings_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = server(folder.path());
    command
        .args(["--max-ttl", "1h", "--inline-max", "hunter2"])
        .env("ONETIMESHARE_LEASE", "9s");
    misset(&mut command, &["`inline-max`", "`lease`", "`default-ttl`"]);
    assert!(
        !folder.path().join("onetimeshare-data").exists(),
        "nothing was made"
    );
}

#[test]
fn a_command_line_that_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let output = server(folder.path()).arg("--hunter").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let output = server(folder.path()).arg("--help").output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .contains("ONETIMESHARE_MAX_TRANSFER_SIZE")
    );
}

/// What a check in this folder says, and its exit code.
fn check(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_onetimeshare-server"))
        .current_dir(folder)
        .env_clear()
        .arg("check")
        .args(arguments)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

#[test]
fn checking_beside_a_server_and_without_one() {
    let folder = tempfile::tempdir().unwrap();
    let (code, said) = check(folder.path(), &[]);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("no records.sqlite is in it"), "{said}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);

    let mut started = Started::new(folder.path());
    for arguments in [&["--deep"][..], &["--repair"]] {
        let (code, said) = check(folder.path(), arguments);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.ends_with("all is well\n"), "{said}");
    }
    assert!(started.ask("/readyz").starts_with("HTTP/1.1 204"));
    assert_eq!(started.terminate(), Some(0));

    let id = folder.path().join("onetimeshare-data/blobs/store-id");
    std::fs::write(id, "0123").unwrap();
    let (code, said) = check(folder.path(), &["--data-dir", "onetimeshare-data"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("belongs to other records"), "{said}");
    assert!(said.ends_with("1 thing is wrong\n"), "{said}");
    assert!(!said.contains("looked at"), "{said}");
    let (code, said) = check(folder.path(), &["--data-dir", ""]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("`data-dir`"), "{said}");
    let (code, said) = check(folder.path(), &["--hunter"]);
    assert_eq!(code, Some(2), "{said}");
    let (code, said) = check(folder.path(), &["--help"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("--repair") && said.contains("Exit codes"));
    assert!(said.contains("before the word `check`"), "{said}");
}

/// What a healthcheck says in this folder, and its exit code.
fn healthcheck(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onetimeshare-server"));
    one_line_of(command.current_dir(folder).env_clear().args(arguments))
}

/// The one line that a program says, and its exit code.
pub(crate) fn one_line_of(command: &mut Command) -> (Option<i32>, String) {
    let output = command.output().unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
    (output.status.code(), said)
}

#[test]
fn a_healthcheck_asks_the_server_that_the_settings_name() {
    let folder = tempfile::tempdir().unwrap();
    let mut started = Started::of(server(folder.path()).args(["--listen", "[::1]:0"]));
    let port = started.address.rsplit(':').next().unwrap().to_owned();
    let (wildcard, url) = (
        format!("0.0.0.0:{port}"),
        format!("http://{}", started.address),
    );
    for (arguments, path) in [
        (&["--listen", &wildcard, "healthcheck"][..], "/readyz"),
        (
            &["--listen", &wildcard, "healthcheck", "--live"],
            "/healthz",
        ),
        (&["--lease", "9s", "healthcheck", "--url", &url], "/readyz"),
    ] {
        let (code, said) = healthcheck(folder.path(), arguments);
        assert_eq!(code, Some(0), "{said}");
        assert!(
            said.contains(&format!("http://{}{path}", started.address)),
            "{said}"
        );
    }
    assert_eq!(started.terminate(), Some(0));
    let arguments = ["healthcheck", "--url", &url];
    let (code, said) = healthcheck(folder.path(), &arguments);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("is the server started"), "{said}");
}

#[test]
fn a_healthcheck_that_cannot_ask_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let check = |arguments: &[&str], expected: &str| {
        let (code, said) = healthcheck(folder.path(), arguments);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(expected), "{said}");
    };
    for url in ["https://a/b", "127.0.0.1:8080"] {
        check(
            &["healthcheck", "--url", url],
            "`--url` must be http://host:port or https://host:port",
        );
    }
    check(
        &["--listen", "127.0.0.1:0", "healthcheck"],
        "leaves the port to the system",
    );
    check(&["--lease", "9s", "healthcheck"], "`lease`");
}

#[cfg(target_os = "linux")]
#[test]
fn a_check_that_nobody_reads_has_its_exit_code_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let unread = || {
        let full = || std::fs::File::options().write(true).open("/dev/full");
        let status = Command::new(env!("CARGO_BIN_EXE_onetimeshare-server"))
            .current_dir(folder.path())
            .env_clear()
            .arg("check")
            .stdout(full().unwrap())
            .stderr(full().unwrap())
            .status();
        status.unwrap().code()
    };
    assert_eq!(unread(), Some(3));
    Started::new(folder.path()).terminate();
    assert_eq!(unread(), Some(0));
}

#[test]
fn a_check_notes_variables_that_name_no_setting() {
    let folder = tempfile::tempdir().unwrap();
    Started::new(folder.path()).terminate();
    let output = Command::new(env!("CARGO_BIN_EXE_onetimeshare-server"))
        .current_dir(folder.path())
        .env_clear()
        .env("ONETIMESHARE_LEASES", "hunter2")
        .arg("check")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.starts_with("note: variables"), "{said}");
    assert!(said.contains("ONETIMESHARE_LEASES") && !said.contains("hunter2"));
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn variables_that_name_no_setting_are_warned_of_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = server(folder.path());
    command
        .env("ONETIMESHARE_MAX_TLL", "hunter2")
        .env("ONETIMESHARE_LEASES", "hunter2")
        .env("ONETIMESHARE_SERVICE_HOST", "10.0.0.1")
        .env("ONETIMESHARE_PORT", "tcp://10.0.0.1:80");
    let mut started = Started::of(&mut command);
    assert_eq!(started.terminate(), Some(0));
    let log = started.complaints();
    let warnings: Vec<_> = log.lines().filter(|line| line.contains("WARN")).collect();
    assert!(
        matches!(&warnings[..], [line] if line.contains("ONETIMESHARE_LEASES ONETIMESHARE_MAX_TLL")),
        "{log}"
    );
    for silent in ["hunter2", "SERVICE_HOST", "ONETIMESHARE_PORT"] {
        assert!(!log.contains(silent), "{silent}: {log}");
    }
}

#[test]
fn a_list_of_hashes_that_cannot_be_written_whole_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let full = std::fs::File::options().write(true).open("/dev/full");
    let mut command = Command::new(env!("CARGO_BIN_EXE_onetimeshare-server"));
    command.current_dir(folder.path()).env_clear().arg("hashes");
    let said = command.stdout(full.unwrap()).output().unwrap();
    assert_eq!(said.status.code(), Some(1));
    let told = String::from_utf8(said.stderr).unwrap();
    assert!(told.starts_with("the list cannot be written: "), "{told}");
}
