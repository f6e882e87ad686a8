//! The program with a certificate in files: what it says of faulty ones, how it takes new ones while it serves, and how it is asked
//! whether it is well.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read};
use std::mem;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use axum::http::Version;
use onetimeshare_server::clock::MockClock;
use onetimeshare_server::config::LogFormat;
use onetimeshare_server::renewal::{HangUps, renew};
use onetimeshare_server::telemetry;
use onetimeshare_server::tls::{Files, Tls};
use tempfile::TempDir;
use tracing_subscriber::EnvFilter;

use crate::authority::{Authority, Issued, Talk, VALID, VERSIONS, set_mode, shown};
use crate::logs;
use crate::start::{end, one_line_of};

/// Longer than anything here takes, with other tests beside it.
const PATIENCE: Duration = Duration::from_mins(1);

/// What tells browsers to come back by https alone.
const HSTS: &str = "strict-transport-security";

fn program(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onetimeshare-server"));
    command
        .current_dir(folder)
        .env_clear()
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// A server that runs on a free port, and everything that it says.
pub(crate) struct Serving {
    child: Child,
    pub(crate) address: SocketAddr,
    told: Lines,
    log: Lines,
}

/// Lines that come in, and those that came.
struct Lines {
    coming: Receiver<String>,
    heard: Vec<String>,
}

impl Lines {
    fn of(stream: impl Read + Send + 'static) -> Self {
        let (sender, coming) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let heard = Vec::new();
        Self { coming, heard }
    }

    /// Waits for a line with that in it, from here on.
    #[track_caller]
    fn hear(&mut self, part: &str) -> String {
        loop {
            let line = self.coming.recv_timeout(PATIENCE);
            let so_far = self.heard.join("\n");
            assert!(line.is_ok(), "not said: {part}\n{so_far}");
            let line = line.unwrap();
            self.heard.push(line.clone());
            if line.contains(part) {
                return line;
            }
        }
    }

    /// All there were, once no more can come.
    fn text(mut self) -> String {
        self.heard.extend(self.coming.iter());
        self.heard.join("\n")
    }
}

impl Serving {
    /// With the files in `folder`, if it has any.
    pub(crate) fn start(folder: &TempDir, arguments: &[&str]) -> Self {
        let mut command = program(folder.path(), &["--listen", "127.0.0.1:0"]);
        if folder.path().join("key.pem").exists() {
            command.args(["--tls-cert", "certificate.pem", "--tls-key", "key.pem"]);
        }
        let mut child = command.args(arguments).spawn().unwrap();
        let mut told = Lines::of(child.stdout.take().unwrap());
        let log = Lines::of(child.stderr.take().unwrap());
        let line = told.hear("listens on http");
        let (_, rest) = line.split_once("://").unwrap();
        let address = rest.split(' ').next().unwrap().parse().unwrap();
        Self {
            child,
            address,
            told,
            log,
        }
    }

    /// Waits for a line of the log with that in it, from here on.
    #[track_caller]
    pub(crate) fn hear(&mut self, part: &str) -> String {
        self.log.hear(part)
    }

    pub(crate) fn signal(&self, name: &str) {
        let told = Command::new("kill")
            .args([name, &self.child.id().to_string()])
            .status();
        assert!(told.unwrap().success());
    }

    /// Ends it as an operator would. Everything that it said.
    pub(crate) fn end(mut self) -> String {
        self.signal("-TERM");
        assert!(self.child.wait().unwrap().success());
        let none = || Lines::of(io::empty());
        let told = mem::replace(&mut self.told, none()).text();
        let log = mem::replace(&mut self.log, none()).text();
        format!("{told}\n{log}")
    }
}

/// A connection by HTTP/2.
async fn talk(address: SocketAddr, authority: &Authority) -> Talk {
    let stream = authority.connect(address, &["h2"], VERSIONS).await;
    Talk::begin(stream.unwrap()).await
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Of a test that failed half way; of one that passed it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder with a certificate and its key.
fn folder_with(issued: &Issued) -> (TempDir, Files) {
    let folder = tempfile::tempdir().unwrap();
    let files = issued.write(folder.path());
    (folder, files)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_over_tls_keeps_browsers_to_it() {
    let authority = Authority::new();
    let (folder, _) = folder_with(&authority.issue());
    let mut serving = Serving::start(&folder, &[]);
    let line = serving.hear("connections begin with the certificate");
    assert!(
        line.contains("until=2100-01-01") && line.contains("days_left="),
        "{line}"
    );
    for (protocol, version) in [("h2", Version::HTTP_2), ("http/1.1", Version::HTTP_11)] {
        let stream = authority
            .connect(serving.address, &[protocol], VERSIONS)
            .await;
        let mut talk = Talk::begin(stream.unwrap()).await;
        for (path, status) in [
            ("/", 200),
            ("/readyz", 204),
            ("/nowhere", 404),
            ("/api/v1/config", 200),
            ("/api/v1/stats/x", 404),
        ] {
            let told = talk.ask(path, None).await;
            assert_eq!(
                (told.version, told.status.as_u16()),
                (version, status),
                "{path}"
            );
            let header = told.headers.get(HSTS).map(|value| value.to_str().unwrap());
            assert_eq!(header, Some("max-age=31536000"), "{path}");
        }
    }
    let said = serving.end();
    assert!(said.contains("listens on https://127.0.0.1:"), "{said}");
    assert!(!said.contains("WARN") && !said.contains("ERROR"), "{said}");
}

#[test]
fn without_tls_nothing_is_promised_and_a_hang_up_ends_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut serving = Serving::start(&folder, &["--listen", "0.0.0.0:0"]);
    serving.told.hear("Without https in front");
    serving.signal("-HUP");
    serving.hear("SIGHUP changes nothing");
    let answer = plainly(serving.address);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(!answer.to_lowercase().contains(HSTS), "{answer}");
    serving.end();
}

/// What is answered to a request without TLS.
fn plainly(address: SocketAddr) -> String {
    exchange(
        address,
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    )
}

/// What is answered to these bytes until the connection ends.
pub(crate) fn exchange(address: SocketAddr, request: &str) -> String {
    use std::io::Write as _;
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn with_tls_nobody_is_told_to_put_it_in_front_and_metrics_stay_plain() {
    let authority = Authority::new();
    let (folder, _) = folder_with(&authority.issue());
    let arguments = ["--listen", "0.0.0.0:0", "--metrics-listen", "127.0.0.1:0"];
    let serving = Serving::start(&folder, &arguments);
    let shown = serving.told.heard.iter().find_map(|line| {
        let (_, rest) = line.split_once("metrics at http://")?;
        rest.split_once('/').map(|(address, _)| address.to_owned())
    });
    let shown: SocketAddr = shown.unwrap().parse().unwrap();
    let status = talk(serving.address, &authority)
        .await
        .ask("/healthz", None)
        .await
        .status;
    assert_eq!(status, 204);
    let (sender, receiver) = tokio::sync::oneshot::channel();
    thread::spawn(move || sender.send(scrape(shown)));
    let told = receiver.await.unwrap();
    // The first of January 2100.
    let figure = "\nonetimeshare_tls_certificate_expiry_timestamp_seconds 4102444800\n";
    assert!(told.contains(figure), "{told}");
    assert!(!told.to_lowercase().contains(HSTS), "{told}");
    let said = serving.end();
    assert!(!said.contains("Without https"), "{said}");
    assert_eq!(said.matches("https://").count(), 4, "{said}");
}

fn scrape(address: SocketAddr) -> String {
    use std::io::Write as _;
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let request = b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    stream.write_all(request).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn new_connections_use_the_new_certificate_and_running_ones_go_on() {
    let authority = Authority::new();
    let (first, second) = (authority.issue(), authority.issue_for([2021, 2090]));
    let (folder, files) = folder_with(&first);
    let mut serving = Serving::start(&folder, &[]);
    serving.hear("until=2100-01-01");
    let mut running = talk(serving.address, &authority).await;
    assert_eq!(running.ask("/healthz", None).await.status, 204);

    second.write(folder.path());
    serving.signal("-HUP");
    serving.hear("until=2090-01-01");
    let stream = authority.connect(serving.address, &["h2"], VERSIONS).await;
    assert_eq!(shown(&stream.unwrap()), second.der);
    assert_eq!(
        running.ask("/healthz", None).await.status,
        204,
        "the one from before"
    );

    // Half a renewal: the new certificate with the old key.
    fs::write(&files.certificate, &first.certificate).unwrap();
    serving.signal("-HUP");
    let line = serving.hear("is not renewed");
    assert!(
        line.contains("ERROR") && line.contains("`tls-key`"),
        "{line}"
    );
    fs::remove_file(&files.certificate).unwrap();
    fs::write(&files.key, "").unwrap();
    serving.signal("-HUP");
    let line = serving.hear("is not renewed");
    assert!(
        line.contains("`tls-cert`") && line.contains("; `tls-key`"),
        "{line}"
    );
    let stream = authority.connect(serving.address, &["h2"], VERSIONS).await;
    assert_eq!(shown(&stream.unwrap()), second.der, "it stays in use");
    assert_eq!(running.ask("/readyz", None).await.status, 204);

    first.write(folder.path());
    serving.signal("-HUP");
    serving.hear("until=2100-01-01");
    let stream = authority.connect(serving.address, &["h2"], VERSIONS).await;
    assert_eq!(shown(&stream.unwrap()), first.der);
    serving.end();
}

/// What a start is refused with, a line for each fault, as for every setting by 2: no start of the same is any better.
#[track_caller]
fn refused(folder: &TempDir, arguments: &[&str]) -> Vec<String> {
    let child = program(folder.path(), &["--listen", "127.0.0.1:0"])
        .args(arguments)
        .spawn()
        .unwrap();
    let output = end(child);
    let said = String::from_utf8(output.stderr).unwrap();
    // No code: it started, and was ended.
    assert_eq!(output.status.code(), Some(2), "{said}");
    let made = folder.path().join("onetimeshare-data");
    assert!(!made.exists(), "a folder was made all the same");
    said.lines().map(str::to_owned).collect()
}

const BOTH: [&str; 4] = ["--tls-cert", "certificate.pem", "--tls-key", "key.pem"];

#[test]
fn one_file_needs_the_other() {
    let folder = tempfile::tempdir().unwrap();
    for (given, missing) in [("tls-cert", "tls-key"), ("tls-key", "tls-cert")] {
        let flag = format!("--{given}");
        let faults = refused(&folder, &[&flag, "a.pem"]);
        let expected = format!("`{missing}` must be set where `{given}` is");
        assert!(
            matches!(&faults[..], [fault] if fault.starts_with(&expected)),
            "{faults:?}"
        );
    }
    let faults = refused(&folder, &["--tls-cert", "", "--tls-key", "a.pem"]);
    assert!(
        matches!(&faults[..], [fault] if fault.contains("`tls-cert`")),
        "{faults:?}"
    );
}

/// Fails unless a start with these files is refused with one sentence for each of `expected`: the setting's name, and a part.
#[track_caller]
fn assert_refused(certificate: &str, key: &str, expected: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("certificate.pem"), certificate).unwrap();
    fs::write(folder.path().join("key.pem"), key).unwrap();
    let faults = refused(&folder, &BOTH);
    assert_eq!(faults.len(), expected.len(), "{faults:?}");
    for (fault, expected) in faults.iter().zip(expected) {
        let (setting, part) = expected.split_once(": ").unwrap();
        let begins = format!("`{setting}`: the file ");
        assert!(
            fault.starts_with(&begins) && fault.contains(part),
            "{fault}"
        );
        // Nothing of what a file holds is repeated.
        assert!(
            !fault.contains("hunter2") && !fault.contains("MIG"),
            "{fault}"
        );
    }
}

/// A section of PEM that holds no more than some empty sequences.
fn nonsense(label: &str) -> String {
    format!("-----BEGIN {label}-----\nMAAwADAA\n-----END {label}-----\n")
}

#[test]
fn every_fault_of_the_certificate_is_told_with_what_to_do() {
    let authority = Authority::new();
    let (issued, other) = (authority.issue(), authority.issue());
    let (certificate, key) = (&*issued.certificate, &*issued.key);
    let check = |certificate: &str, expected| assert_refused(certificate, key, &[expected]);
    let none = "tls-cert: holds no certificate in PEM";
    check("", none);
    check("hunter2", none);
    check(key, none);
    let damaged = "tls-cert: damaged, or breaks off";
    check(certificate.get(..200).unwrap(), damaged);
    check(&certificate.replace('M', "!"), damaged);
    check(
        &nonsense("CERTIFICATE"),
        "tls-cert: a certificate that cannot be used",
    );
    check(&"\n".repeat(1 << 21), "tls-cert: longer than 1 MiB");
    // The authority's before the server's own.
    let turned = format!("{}{certificate}", other.certificate);
    check(&turned, "tls-key: the first in its file");
}

#[test]
fn every_fault_of_the_key_is_told_with_what_to_do() {
    let authority = Authority::new();
    let (issued, other) = (authority.issue(), authority.issue());
    let (certificate, key) = (&*issued.certificate, &*issued.key);
    let check = |key: &str, expected| assert_refused(certificate, key, &[expected]);
    let none = "tls-key: holds no private key in PEM";
    check("", none);
    check(certificate, none);
    check(key.get(..100).unwrap(), "tls-key: damaged, or breaks off");
    check(&other.key, "tls-key: another private key");
    check(
        &nonsense("PRIVATE KEY"),
        "tls-key: a private key that cannot be used",
    );
    let locked = "tls-key: under a passphrase";
    check(&nonsense("ENCRYPTED PRIVATE KEY"), locked);
    let head = "KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nM";
    let of_old = nonsense("RSA PRIVATE KEY").replacen("KEY-----\nM", head, 1);
    check(&of_old, locked);
}

#[test]
fn faults_of_all_files_are_told_at_once() {
    let expected = [
        "tls-cert: no certificate in PEM",
        "tls-key: no private key in PEM",
    ];
    assert_refused("", "hunter2", &expected);
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("certificate.pem")).unwrap();
    let faults = refused(&folder, &BOTH);
    assert!(
        matches!(&faults[..], [one, two] if one.contains("`tls-cert`: the file certificate.pem cannot be read (")
            && two.contains("`tls-key`: the file key.pem cannot be read (No such file")),
        "{faults:?}"
    );
    let with_tokens = [&BOTH[..], &["--create-token-file", "tokens.toml"]].concat();
    let faults = refused(&folder, &with_tokens);
    assert!(
        matches!(&faults[..], [_, _, last] if last.contains("`create-token-file`: the file tokens.toml cannot be read (No such file")),
        "{faults:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_out_of_its_time_is_served_and_told() {
    let authority = Authority::new();
    for (years, level, part) in [
        ([2020, 2021], "ERROR", "until=2021-01-01"),
        ([2098, 2100], "WARN", "from=2098-01-01"),
    ] {
        let (folder, _) = folder_with(&authority.issue_for(years));
        let mut serving = Serving::start(&folder, &[]);
        let line = serving.hear("the certificate of `tls-cert`");
        assert!(line.contains(level) && line.contains(part), "{line}");
        let connected = authority.connect(serving.address, &[], VERSIONS).await;
        let error = connected.expect_err("a client sees it").to_string();
        assert!(error.contains("invalid peer certificate"), "{error}");
        serving.end();
    }
}

#[tokio::test(start_paused = true)]
async fn an_end_that_comes_near_is_told_every_day() {
    // A second one, so that tests without any on other threads do not switch the first off: as in logs.rs.
    let subscriber = |lines: logs::Lines| {
        let filter = EnvFilter::new("info");
        telemetry::subscriber(filter, LogFormat::Text, false, move || lines.clone())
    };
    let _other = tracing::Dispatch::new(subscriber(logs::Lines::default()));
    let lines = logs::Lines::default();
    let _guard = tracing::subscriber::set_default(subscriber(lines.clone()));
    let (_folder, files) = folder_with(&Authority::new().issue());
    let tls = Tls::open(files).unwrap();
    let day = Duration::from_hours(24);
    let clock = Arc::new(MockClock::new(tls.validity().ends_at - 16 * day.as_secs()));
    let hang_ups = HangUps::watch().unwrap();
    let seen = Arc::<MockClock>::clone(&clock);
    let renewing = tokio::spawn(renew((Some(tls), None), hang_ups, seen, Arc::default()));
    tokio::time::sleep(day / 2).await;
    for _ in 0..18 {
        clock.advance(day.as_secs());
        tokio::time::sleep(day).await;
    }
    renewing.abort();
    let log = lines.text();
    let count = |part: &str| log.lines().filter(|line| line.contains(part)).count();
    assert_eq!(count("connections begin with"), 1, "{log}");
    assert_eq!(count("ends soon"), 14, "{log}");
    assert_eq!(count("is over"), 2, "{log}");
    assert_eq!((count(" WARN "), count(" ERROR ")), (14, 2), "{log}");
}

#[cfg(unix)]
#[test]
fn a_key_that_everybody_may_read_is_warned_of() {
    let (folder, files) = folder_with(&Authority::new().issue());
    set_mode(&files.key, 0o644);
    let mut serving = Serving::start(&folder, &[]);
    let line = serving.hear("may read the file of `tls-key`");
    assert!(line.contains("WARN") && line.contains("chmod"), "{line}");
    set_mode(&files.key, 0o640);
    serving.signal("-HUP");
    serving.hear("until=2100");
    serving.hear("until=2100");
    let said = serving.end();
    assert_eq!(said.matches("may read the file").count(), 1, "{said}");
}

/// Has openssl make something, in `folder`.
fn openssl(folder: &TempDir, line: &str) {
    let made = Command::new("openssl")
        .current_dir(folder.path())
        .args(line.split(' '))
        .output()
        .expect("install openssl");
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
}

#[test]
fn keys_of_every_kind_and_form_are_taken() {
    let folder = tempfile::tempdir().unwrap();
    let request = "req -x509 -new -key key.pem -days 1 -subj /CN=localhost -out certificate.pem";
    for (make, begins) in [
        (
            "genrsa -traditional -out key.pem 2048",
            "-----BEGIN RSA PRIVATE KEY-----",
        ),
        (
            "genpkey -algorithm RSA -out key.pem",
            "-----BEGIN PRIVATE KEY-----",
        ),
        (
            "ecparam -name secp384r1 -genkey -noout -out key.pem",
            "-----BEGIN EC PRIVATE KEY-----",
        ),
        (
            "genpkey -algorithm ED25519 -out key.pem",
            "-----BEGIN PRIVATE KEY-----",
        ),
    ] {
        openssl(&folder, make);
        openssl(&folder, request);
        let key = fs::read_to_string(folder.path().join("key.pem")).unwrap();
        assert!(key.starts_with(begins), "{make}");
        let mut serving = Serving::start(&folder, &[]);
        // A day of a day is no end that comes near.
        serving.hear("connections begin with the certificate");
        let (code, said) = healthcheck(&folder, serving.address, &[]);
        assert_eq!(code, Some(0), "{make}: {said}");
        serving.end();
    }
    openssl(&folder, "genpkey -algorithm ED448 -out key.pem");
    openssl(&folder, request);
    let faults = refused_beside(&folder);
    assert!(
        faults.contains("a private key that cannot be used"),
        "{faults}"
    );
}

/// What a start is refused with in a folder in which servers ran.
fn refused_beside(folder: &TempDir) -> String {
    let output = program(folder.path(), &BOTH).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    String::from_utf8(output.stderr).unwrap()
}

/// What a healthcheck of the server there says, and its exit code.
fn healthcheck(folder: &TempDir, address: SocketAddr, more: &[&str]) -> (Option<i32>, String) {
    let listen = address.to_string();
    let mut command = program(folder.path(), &["--listen", &listen]);
    one_line_of(command.args(BOTH).arg("healthcheck").args(more))
}

#[test]
fn a_server_by_tls_is_asked_whether_it_is_well() {
    let authority = Authority::new();
    let (folder, files) = folder_with(&authority.issue_for(VALID));
    let serving = Serving::start(&folder, &[]);
    let address = serving.address;
    let check = |more: &[&str], expected: Option<i32>, part: &str| {
        let (code, said) = healthcheck(&folder, address, more);
        assert_eq!(code, expected, "{said}");
        assert!(said.contains(part), "{said}");
        said
    };
    let ready = format!("the server is ready, says https://{address}/readyz\n");
    check(&[], Some(0), &ready);
    check(
        &["--live"],
        Some(0),
        &format!("lives, says https://{address}/healthz\n"),
    );
    check(&["--url", &format!("https://{address}")], Some(0), &ready);
    check(
        &["--url", &format!("https://localhost:{}", address.port())],
        Some(0),
        "the server is ready",
    );
    check(
        &["--url", &format!("http://{address}")],
        Some(1),
        "answers 400",
    );
    // Renewed, and not read yet; or gone: well all the same.
    authority.issue().write(folder.path());
    let said = check(&[], Some(0), "the server is ready");
    assert!(
        said.contains("shows another certificate") && said.contains("SIGHUP"),
        "{said}"
    );
    fs::remove_file(&files.certificate).unwrap();
    check(&[], Some(0), &ready);
    serving.end();
    check(&[], Some(1), "is the server started");
    // A server that speaks without TLS, where TLS is looked for.
    let plain = tempfile::tempdir().unwrap();
    let serving = Serving::start(&plain, &[]);
    let (code, said) = healthcheck(&folder, serving.address, &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.starts_with(&format!(
            "https://{}/readyz takes connections",
            serving.address
        )),
        "{said}"
    );
    serving.end();
}
