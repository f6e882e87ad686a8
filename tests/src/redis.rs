//! A real Redis on a free loopback port, with a folder of its own; killed, stopped and started again at will.
#![expect(
    clippy::panic,
    reason = "a test without its Redis cannot go on, and says why"
)]

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

/// How long a start may take, in tenths of a second, with other tests beside it.
const START_TRIES: u32 = 600;

/// The program, in all its roles.
const PROGRAM: &str = "redis-server";

/// How long an answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// One Redis, running or not. Dropped, it is gone with all it kept.
///
/// Whatever a test asks of it either works or fails the test.
#[derive(Debug)]
pub struct Redis {
    folder: TempDir,
    /// Words of its command line.
    settings: Vec<String>,
    port: u16,
    /// By how many seconds its clock is ahead, where that is for a test to say.
    ahead_s: Option<u32>,
    running: Option<Child>,
}

impl Redis {
    /// One that keeps what it is told, as the server asks for, and what else `settings` say: words of `redis.conf`.
    #[track_caller]
    pub fn start(settings: &[&str]) -> Self {
        Self::start_with(
            &[
                &["--appendonly", "yes", "--appendfsync", "always"],
                settings,
            ]
            .concat(),
        )
    }

    /// One with nothing set but where it listens, and these.
    #[track_caller]
    pub fn start_with(settings: &[&str]) -> Self {
        Self::start_in(temporary_folder(), free_port(), settings)
    }

    /// A replica of `primary`, which has all of it, and keeps it as well.
    #[track_caller]
    pub fn start_replica(primary: &Self) -> Self {
        let of = format!("127.0.0.1 {}", primary.port);
        let replica = Self::start(&["--replicaof", &of, "--repl-diskless-sync-delay", "0"]);
        replica.wait_for(&["INFO", "replication"], "master_link_status:up");
        // The primary counts it a moment later.
        let counted = format!("port={},state=online", replica.port);
        primary.wait_for(&["INFO", "replication"], &counted);
        replica
    }

    /// A sentinel that watches `primary` under the name `main`, alone, and promotes a replica after two seconds. It knows those
    /// replicas that there are.
    #[track_caller]
    pub fn start_sentinel(primary: &Self) -> Self {
        let folder = temporary_folder();
        // It writes what it learns into its settings.
        let file = folder.path().join("sentinel.conf");
        let settings = format!(
            "sentinel monitor main 127.0.0.1 {} 1\nsentinel down-after-milliseconds main 2000\nsentinel failover-timeout main 2000\n",
            primary.port
        );
        fs::write(&file, settings).expect("the folder is there");
        let file = file.to_str().expect("a plain path");
        let sentinel = Self::start_in(folder, free_port(), &[file, "--sentinel"]);
        let count = primary.ask(&["INFO", "replication"]);
        let count = count
            .split("connected_slaves:")
            .nth(1)
            .and_then(|rest| rest.lines().next());
        let known = format!("num-slaves\r\n$1\r\n{}", count.unwrap_or_default());
        sentinel.wait_for(&["SENTINEL", "MASTER", "main"], &known);
        sentinel
    }

    /// The nodes of a cluster that share all slots, and know each other.
    #[track_caller]
    pub fn start_cluster(count: u16) -> Vec<Self> {
        let nodes: Vec<_> = (0..count).map(|_| Self::start_node()).collect();
        let bounds = |index: u16| u32::from(index) * SLOT_COUNT / u32::from(count);
        for (index, node) in (0..count).zip(&nodes) {
            let (first, end) = (bounds(index), bounds(index + 1));
            let slots: Vec<_> = (first..end).map(|slot| slot.to_string()).collect();
            let slots = slots.iter().map(String::as_str);
            let command: Vec<_> = ["CLUSTER", "ADDSLOTS"].into_iter().chain(slots).collect();
            node.ask(&command);
            node.ask(&["CLUSTER", "SET-CONFIG-EPOCH", &(index + 1).to_string()]);
        }
        for node in &nodes {
            for other in &nodes {
                node.meet(other);
            }
        }
        for node in &nodes {
            node.wait_for(&["CLUSTER", "INFO"], "cluster_state:ok");
            node.wait_for(
                &["CLUSTER", "INFO"],
                &format!("cluster_known_nodes:{count}"),
            );
        }
        nodes
    }

    /// A replica of each of a cluster's nodes.
    #[track_caller]
    pub fn start_cluster_replicas(nodes: &[Self]) -> Vec<Self> {
        let replica_of = |node: &Self| {
            let replica = Self::start_node();
            replica.meet(node);
            let told = node.ask(&["CLUSTER", "MYID"]);
            let id = told.lines().nth(1).expect("each node has an id");
            replica.wait_for(&["CLUSTER", "NODES"], id);
            node.ask(&["CONFIG", "SET", "repl-diskless-sync-delay", "0"]);
            replica.ask(&["CLUSTER", "REPLICATE", id]);
            replica.wait_for(&["INFO", "replication"], "master_link_status:up");
            replica
        };
        nodes.iter().map(replica_of).collect()
    }

    #[track_caller]
    fn meet(&self, other: &Self) {
        let (port, bus) = (other.port.to_string(), other.bus_port().to_owned());
        self.ask(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus]);
    }

    #[track_caller]
    fn start_node() -> Self {
        let bus = free_port().to_string();
        Self::start(&[
            "--cluster-enabled",
            "yes",
            "--cluster-node-timeout",
            "2000",
            // Far from its own port, by default, and perhaps beyond the last port.
            "--cluster-port",
            &bus,
        ])
    }

    /// Where it talks to the other nodes of its cluster.
    fn bus_port(&self) -> &str {
        let mut words = self
            .settings
            .iter()
            .skip_while(|word| *word != "--cluster-port");
        words.nth(1).expect("it is a node of a cluster")
    }

    /// One like [`Redis::start`]'s whose clock can be set.
    #[track_caller]
    pub fn start_with_clock() -> Self {
        let mut redis = Self::start(&[]);
        redis.ahead_s = Some(0);
        redis.restart();
        redis
    }

    #[track_caller]
    fn start_in(folder: TempDir, port: u16, settings: &[&str]) -> Self {
        let mut redis = Self {
            folder,
            settings: settings.iter().map(|&word| word.to_owned()).collect(),
            port,
            ahead_s: None,
            running: None,
        };
        redis.restart();
        redis
    }

    /// Its port on the loopback.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Its address, as the server is given it.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// Its address, as the server is given it, with another of its 16 databases.
    pub fn url_of_database(&self, number: u8) -> String {
        format!("redis://127.0.0.1:{}/{number}", self.port)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    /// Where it keeps its files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Ends it, and copies its files into a folder that is not there yet.
    #[track_caller]
    pub fn kill_and_copy(&mut self, to: &Path) {
        self.kill();
        copy(self.folder(), to).expect("its files can be copied");
    }

    /// Starts it again with the files in `from` instead of its own.
    #[track_caller]
    pub fn restart_with(&mut self, from: &Path) {
        self.kill();
        let restored = fs::remove_dir_all(self.folder()).and_then(|()| copy(from, self.folder()));
        restored.expect("its files can be replaced");
        self.restart();
    }

    /// Lets so much time pass in a moment, for it and whoever asks it for the time.
    #[track_caller]
    pub fn pass(&mut self, time: Duration) {
        let ahead_s = self.ahead_s.expect("its clock was taken from it");
        let more_s = u32::try_from(time.as_secs()).expect("less than a hundred years");
        self.ahead_s = Some(ahead_s + more_s);
        self.write_clock();
    }

    fn clock(&self) -> PathBuf {
        self.folder().join("clock")
    }

    fn write_clock(&self) {
        if let Some(ahead_s) = self.ahead_s {
            // At once, or it could be read while it is empty.
            let aside = self.folder().join("clock.new");
            let written = fs::write(&aside, format!("+{ahead_s}\n"));
            let written = written.and_then(|()| fs::rename(aside, self.clock()));
            written.expect("the folder is there");
        }
    }

    /// What a process needs that takes the time from this one's clock.
    fn clock_variables(&self) -> Vec<(&str, OsString)> {
        if self.ahead_s.is_none() {
            return Vec::new();
        }
        let mut libraries = faketime().into_os_string();
        // Redis's own allocator asks for the time before anybody can be asked.
        libraries.push(" libc.so.6");
        vec![
            ("LD_PRELOAD", libraries),
            ("FAKETIME_TIMESTAMP_FILE", self.clock().into()),
            ("FAKETIME_NO_CACHE", "1".into()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
            ("DONT_FAKE_MONOTONIC", "1".into()),
        ]
    }

    /// Starts it, killed first if it runs: same folder, same port, same settings.
    #[track_caller]
    pub fn restart(&mut self) {
        self.kill();
        self.write_clock();
        let child = Command::new(PROGRAM)
            // The settings of a sentinel are in a file, which comes first.
            .args(&self.settings)
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--dir"])
            .arg(self.folder.path())
            .env_clear()
            .envs(self.clock_variables())
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let child = child.unwrap_or_else(|error| {
            panic!(
                "cannot start {PROGRAM} ({error}): install it, under Debian with `apt-get install redis-server`"
            )
        });
        self.running = Some(child);
        self.wait_for(&["PING"], "+PONG");
    }

    /// Asks until the answer holds `expected`.
    #[track_caller]
    pub fn wait_for(&self, words: &[&str], expected: &str) {
        let mut told = None;
        for _ in 0..START_TRIES {
            told = self.try_ask(words);
            if told.as_ref().is_some_and(|told| told.contains(expected)) {
                return;
            }
            thread::sleep(Duration::from_millis(100));
        }
        panic!(
            "{PROGRAM} on port {} does not come to {expected:?}: {words:?} is answered with {told:?}",
            self.port
        );
    }

    /// Ends it without a warning (`kill -9`). One that does not run stays so.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.running.take() {
            // It fails for one that has just ended by itself, which is as good.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Stops it where it is (`kill -STOP`): it neither answers nor closes its connections.
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
        let child = self.running.as_ref().expect("it runs");
        let told = Command::new("kill")
            .args([name, &child.id().to_string()])
            .status();
        assert!(told.is_ok_and(|status| status.success()), "kill {name}");
    }

    /// What it answers to a command, as it comes over the wire (RESP), up to 64 KiB.
    #[track_caller]
    pub fn ask(&self, words: &[&str]) -> String {
        self.try_ask(words)
            .unwrap_or_else(|| panic!("{PROGRAM} does not answer {words:?}"))
    }

    fn try_ask(&self, words: &[&str]) -> Option<String> {
        Self::ask_at(self.address(), words)
    }

    /// What the one at `address` answers to a command; none when it does not.
    pub fn ask_at(address: SocketAddr, words: &[&str]) -> Option<String> {
        let mut stream = TcpStream::connect(address).ok()?;
        stream.set_read_timeout(Some(ANSWER_MAX)).ok()?;
        let words = words.iter();
        let lines = words.map(|word| format!("${}\r\n{word}\r\n", word.len()));
        let lines: Vec<_> = lines.collect();
        let command = format!("*{}\r\n{}", lines.len(), lines.concat());
        stream.write_all(command.as_bytes()).ok()?;
        let mut answer = vec![0; 1 << 16];
        let len = stream.read(&mut answer).ok()?;
        Some(String::from_utf8_lossy(answer.get(..len)?).into_owned())
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

/// How many slots the nodes of a cluster share.
const SLOT_COUNT: u32 = 16_384;

/// The library that gives a program another time. Debian keeps it in a folder of each architecture's own.
#[track_caller]
fn faketime() -> PathBuf {
    let folders = Path::new("/usr/lib")
        .read_dir()
        .into_iter()
        .flatten()
        .flatten();
    let mut libraries = folders.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"));
    let library = libraries.find(|library| library.is_file());
    library.expect("install the package `libfaketime`")
}

fn temporary_folder() -> TempDir {
    tempfile::tempdir().expect("the system has a folder for temporary files")
}

/// Copies a folder of files and folders.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in from.read_dir()? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

/// A port that nobody listens on.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback has a free port");
    listener.local_addr().expect("it is bound").port()
}
