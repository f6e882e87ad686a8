//! The real server on a free loopback port, with a folder of its own that is removed afterwards; killed, stopped and started
//! again at will. Never one that runs already.
#![expect(
    clippy::panic,
    reason = "a test without its server cannot go on, and says why"
)]

use std::env::consts::EXE_SUFFIX;
use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tempfile::TempDir;

/// The program, as cargo names it.
const PROGRAM: &str = "onetimeshare-server";
/// Names another program instead of the one that was built with the test.
const PROGRAM_VARIABLE: &str = "ONETIMESHARE_SERVER";
/// Hands over its standard input as a service manager hands over a socket, and becomes the program that it is given.
const HAND_OVER: &str =
    r#"exec 3<&0 0</dev/null; export LISTEN_PID=$$ LISTEN_FDS=1; exec "$0" "$@""#;
/// Tests ask more than anyone, all from one address: nothing is refused for that, unless a test's own flags say so.
const ENDLESS: [(&str, &str); 4] = [
    ("ONETIMESHARE_RATE_CREATE", "off"),
    ("ONETIMESHARE_RATE_UPLOAD", "off"),
    ("ONETIMESHARE_RATE_OPEN", "off"),
    ("ONETIMESHARE_RATE_OWNER", "off"),
];
/// The longest that a start may take, with other tests beside it.
const START_MAX: Duration = Duration::from_mins(2);

/// A server, running or not, and the folder that it keeps everything in. Dropped, both are gone.
///
/// Whatever a test asks of it either works or fails the test: each method panics with what the server printed.
#[derive(Debug)]
pub struct Server {
    folder: TempDir,
    /// What starts the program in its place; empty when nothing does.
    wrapper: Vec<String>,
    settings: Vec<String>,
    variables: Vec<(String, String)>,
    /// What it is handed over by whoever starts it.
    socket: Option<OwnedFd>,
    /// Where it listens: a port of the system's choice at first, and the same ever after.
    address: String,
    /// The same as it says it, once it has: `http://127.0.0.1:PORT`, or https.
    base: String,
    running: Option<Running>,
    log: Log,
}

/// Everything that every run has printed so far.
#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<String>>);

#[derive(Debug)]
struct Running {
    child: Child,
    readers: Vec<JoinHandle<()>>,
}

impl Server {
    /// Starts one with these flags beside address and folder, and waits until it listens.
    #[track_caller]
    pub fn start(settings: &[&str]) -> Self {
        Self::start_under(&[], settings)
    }

    /// The same, by a program that becomes the server: the words of its command line, which the server's follow. It begins in
    /// the folder that holds the data directory.
    #[track_caller]
    pub fn start_under(wrapper: &[&str], settings: &[&str]) -> Self {
        Self::start_in(wrapper, settings, Vec::new())
    }

    /// Starts one with these flags and variables, and waits until it listens.
    #[track_caller]
    pub fn start_with(settings: &[&str], variables: Vec<(String, String)>) -> Self {
        Self::start_in(&[], settings, variables)
    }

    /// Starts one on a socket that is open already, handed over as a service manager does it.
    #[track_caller]
    pub fn start_on(socket: impl Into<OwnedFd>) -> Self {
        let mut server = Self::handed(socket);
        server.restart();
        server
    }

    /// What one says that refuses to begin on a socket that is open already.
    #[track_caller]
    pub fn refused_on(socket: impl Into<OwnedFd>) -> String {
        Self::handed(socket).restart_refused()
    }

    fn handed(socket: impl Into<OwnedFd>) -> Self {
        let mut server = Self::new(&["sh", "-c", HAND_OVER], &[], Vec::new());
        server.socket = Some(socket.into());
        server
    }

    #[track_caller]
    fn start_in(wrapper: &[&str], settings: &[&str], variables: Vec<(String, String)>) -> Self {
        let mut server = Self::new(wrapper, settings, variables);
        server.restart();
        server
    }

    /// What one says that refuses to begin with these flags and variables.
    #[track_caller]
    pub fn refused(settings: &[&str], variables: Vec<(String, String)>) -> String {
        Self::new(&[], settings, variables).restart_refused()
    }

    fn new(wrapper: &[&str], settings: &[&str], variables: Vec<(String, String)>) -> Self {
        Self {
            folder: tempfile::tempdir().expect("the system has a folder for temporary files"),
            wrapper: wrapper.iter().map(|&word| word.to_owned()).collect(),
            settings: settings.iter().map(|&setting| setting.to_owned()).collect(),
            variables,
            socket: None,
            address: "127.0.0.1:0".to_owned(),
            base: String::new(),
            running: None,
            log: Log::default(),
        }
    }

    /// Its address: `http://127.0.0.1:PORT`, or https, the same after a restart.
    pub fn base(&self) -> String {
        self.base.clone()
    }

    /// Where it keeps records and blobs.
    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Its process, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.running.as_ref().map(|running| running.child.id())
    }

    /// Everything that it has printed so far, over all its runs; complete once it does not run.
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// Has its program check what it keeps, every byte of it, whether it runs or not. What it says of it.
    #[track_caller]
    pub fn check(&self) -> String {
        let checked = Command::new(program())
            .env_clear()
            .envs(self.variables.iter().cloned())
            .args(&self.settings)
            .arg("--data-dir")
            .arg(self.data_dir())
            .args(["check", "--deep"])
            .output()
            .expect("the program can be started");
        let said = String::from_utf8_lossy(&checked.stdout);
        let complained = String::from_utf8_lossy(&checked.stderr);
        assert!(
            checked.status.success(),
            "{said}{complained}\n{}",
            self.log()
        );
        said.into_owned()
    }

    /// What its program says that browsers are given (`onetimeshare-server hashes`).
    #[track_caller]
    pub fn hashes() -> String {
        let said = Command::new(program())
            .env_clear()
            .arg("hashes")
            .output()
            .expect("the program can be started");
        let complained = String::from_utf8_lossy(&said.stderr);
        assert!(said.status.success(), "{complained}");
        String::from_utf8_lossy(&said.stdout).into_owned()
    }

    /// What it shows on its listener for metrics (`--metrics-listen 127.0.0.1:0`).
    #[track_caller]
    pub fn metrics(&self) -> String {
        let log = self.log();
        // After a restart it is another port.
        let address = log.rsplit_once(" metrics at http://");
        let address = address.and_then(|(_, rest)| rest.split_once("/metrics"));
        let (address, _) = address.expect("it says where it shows metrics");
        let mut stream = TcpStream::connect(address).expect("it listens");
        let request =
            format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        let mut answer = String::new();
        let asked = stream.write_all(request.as_bytes());
        asked
            .and_then(|()| stream.read_to_string(&mut answer))
            .expect("it answers");
        let (head, text) = answer.split_once("\r\n\r\n").unwrap_or_default();
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        text.to_owned()
    }

    /// Stops it where it is (`kill -STOP`).
    #[track_caller]
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on.
    #[track_caller]
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    #[track_caller]
    fn signal(&self, name: &str) {
        let pid = self.pid().expect("it runs").to_string();
        let told = Command::new("kill").args([name, &pid]).status();
        assert!(told.is_ok_and(|status| status.success()), "kill {name}");
    }

    /// Ends it without a warning, as a crash would (`kill -9`). One that does not run stays so.
    pub fn kill(&mut self) {
        if let Some(mut running) = self.running.take() {
            // It fails for one that has just ended by itself, which is as good.
            let _ = running.child.kill();
            running.end();
        }
    }

    /// Ends it as its operator would (`kill -TERM`) and waits for what is under way. -> how it ended
    #[track_caller]
    pub fn stop(&mut self) -> ExitStatus {
        let Some(running) = self.running.take() else {
            panic!("it does not run");
        };
        let told = Command::new("kill")
            .args(["-TERM", &running.child.id().to_string()])
            .status();
        assert!(
            told.is_ok_and(|status| status.success()),
            "cannot tell the server to stop"
        );
        running.end()
    }

    /// Starts it again, killed first if it runs: same folder, same port, same flags.
    #[track_caller]
    pub fn restart(&mut self) {
        let listens = self.spawn();
        let Ok(base) = listens.recv_timeout(START_MAX) else {
            self.kill();
            panic!("{PROGRAM} does not say where it listens:\n{}", self.log());
        };
        self.listens_at(base);
    }

    /// The same for one that may be killed at any point of its way. Whether it has come to listen.
    #[track_caller]
    pub fn restart_doomed(&mut self) -> bool {
        let listens = self.spawn();
        match listens.recv_timeout(START_MAX) {
            Ok(base) => {
                self.listens_at(base);
                true
            }
            Err(RecvTimeoutError::Disconnected) => false,
            Err(RecvTimeoutError::Timeout) => {
                self.kill();
                panic!("{PROGRAM} neither listens nor ends:\n{}", self.log());
            }
        }
    }

    fn listens_at(&mut self, base: String) {
        let (_, address) = base.split_once("://").unwrap_or_default();
        address.clone_into(&mut self.address);
        self.base = base;
    }

    /// The same with other flags than before.
    #[track_caller]
    pub fn restart_with(&mut self, settings: &[&str]) {
        self.settings = settings.iter().map(|&setting| setting.to_owned()).collect();
        self.restart();
    }

    /// The same for one that refuses to begin. What it says.
    #[track_caller]
    pub fn restart_refused(&mut self) -> String {
        self.kill();
        let before = self.log().len();
        let listens = self.spawn();
        let told = listens.recv_timeout(START_MAX);
        if told != Err(RecvTimeoutError::Disconnected) {
            self.kill();
            panic!("{PROGRAM} begins all the same:\n{}", self.log());
        }
        // It prints no more, and is about to end.
        let running = self.running.take().expect("it was just started");
        assert!(!running.end().success(), "{}", self.log());
        self.log().split_off(before)
    }

    /// Whether it has ended without being told to.
    pub fn has_ended(&mut self) -> bool {
        let running = self.running.as_mut();
        running.is_some_and(|running| !matches!(running.child.try_wait(), Ok(None)))
    }

    #[track_caller]
    fn spawn(&mut self) -> Receiver<String> {
        self.kill();
        let program = program();
        let socket = self.socket.as_ref().map(OwnedFd::try_clone);
        let socket = socket.map(|socket| socket.expect("there is room for another descriptor"));
        let mut words = self
            .wrapper
            .iter()
            .map(OsStr::new)
            .chain([program.as_os_str()]);
        let mut child = Command::new(words.next().unwrap_or_default())
            .args(words)
            .current_dir(self.folder.path())
            .env_clear()
            .envs(ENDLESS)
            .envs(self.variables.iter().cloned())
            .args(["--listen", &self.address, "--data-dir"])
            .arg(self.data_dir())
            .args(&self.settings)
            .stdin(socket.map_or_else(Stdio::null, Stdio::from))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", program.display()));
        let (listens, readers) = self.log.follow(&mut child);
        self.running = Some(Running { child, readers });
        listens
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Running {
    fn end(mut self) -> ExitStatus {
        let status = self.child.wait().expect("a child can be waited for");
        for reader in self.readers {
            reader.join().expect("reading lines does not panic");
        }
        status
    }
}

impl Log {
    fn text(&self) -> String {
        let text = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        text.clone()
    }

    fn add(&self, line: &str) {
        let mut text = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        text.push_str(line);
        text.push('\n');
    }

    /// Writes down what `child` prints, until it ends. The first address that it names can be received.
    fn follow(&self, child: &mut Child) -> (Receiver<String>, Vec<JoinHandle<()>>) {
        let (found, listens) = mpsc::channel();
        let read = |stream: Box<dyn Read + Send>| {
            let (log, found) = (self.clone(), found.clone());
            thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    log.add(&line);
                    // After it was written down, for whoever looks for it then.
                    if let Some(base) = base_in(&line) {
                        // Only the first is waited for.
                        let _ = found.send(base.to_owned());
                    }
                }
            })
        };
        let stdout = child.stdout.take().expect("it was asked for");
        let stderr = child.stderr.take().expect("it was asked for");
        let readers = vec![read(Box::new(stdout)), read(Box::new(stderr))];
        (listens, readers)
    }
}

/// The address in `onetimeshare listens on http://127.0.0.1:1234 and keeps …`.
fn base_in(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once(" listens on ")?;
    rest.split(' ')
        .next()
        .filter(|base| base.starts_with("http"))
}

/// The program: the one that is named, else the one that cargo built beside this test.
fn program() -> PathBuf {
    // Read here and nowhere else: a test is told nothing else by its surroundings.
    if let Some(named) = std::env::var_os(PROGRAM_VARIABLE) {
        return named.into();
    }
    beside_this_test(PROGRAM)
}

/// The program that cargo built beside this test.
pub(crate) fn beside_this_test(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("a process knows its program");
    // target/debug/deps/interop-0123 or, of a benchmark or example, one folder below target/debug as well.
    let built = own.parent().and_then(Path::parent).unwrap_or(&own);
    let program = built.join(format!("{name}{EXE_SUFFIX}"));
    assert!(
        program.is_file(),
        "there is no {}: build it with `cargo test --workspace --no-run`",
        program.display()
    );
    program
}
