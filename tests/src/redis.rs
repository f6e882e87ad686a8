//! A real Redis on a free loopback port, with a folder of its own; killed, stopped and started again at will.
#![expect(
    clippy::panic,
    reason = "a test without its Redis cannot go on, and says why"
)]

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

/// How long a start may take, in tenths of a second, with other tests beside it.
const START_TRIES: u32 = 600;

/// One Redis, running or not. Dropped, it is gone with all it kept.
///
/// Whatever a test asks of it either works or fails the test.
#[derive(Debug)]
pub struct Redis {
    folder: TempDir,
    program: &'static str,
    settings: Vec<String>,
    port: u16,
    running: Option<Child>,
}

impl Redis {
    /// One that keeps what it is told, as the server asks for, and what else `settings` say: words of `redis.conf`.
    #[track_caller]
    pub fn start(settings: &[&str]) -> Self {
        let kept = ["--appendonly", "yes", "--appendfsync", "always"];
        Self::start_with(&[&kept, settings].concat())
    }

    /// One with nothing set but where it listens, and these.
    #[track_caller]
    pub fn start_with(settings: &[&str]) -> Self {
        Self::start_program("redis-server", settings)
    }

    /// A sentinel that watches `primary` under the name `main`, alone, and promotes a replica after half a second.
    #[track_caller]
    pub fn start_sentinel(primary: &Self) -> Self {
        let monitor = format!("main 127.0.0.1 {} 1", primary.port);
        let (name, folder) = ("redis-sentinel", tempfile::tempdir());
        let folder = folder.expect("the system has a folder for temporary files");
        let settings = format!(
            "sentinel monitor {monitor}\nsentinel down-after-milliseconds main 500\nsentinel failover-timeout main 2000\n"
        );
        // It writes what it learns into its settings.
        let file = folder.path().join("sentinel.conf");
        std::fs::write(&file, settings).expect("the folder is there");
        let file = file.to_str().expect("a plain path").to_owned();
        Self::start_in(folder, name, vec![file])
    }

    fn start_program(program: &'static str, settings: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("the system has a folder for temporary files");
        let settings = settings.iter().map(|&word| word.to_owned()).collect();
        Self::start_in(folder, program, settings)
    }

    fn start_in(folder: TempDir, program: &'static str, settings: Vec<String>) -> Self {
        let mut redis = Self {
            folder,
            program,
            settings,
            port: free_port(),
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

    /// Where it keeps its files.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Starts it, killed first if it runs: same folder, same port, same settings.
    #[track_caller]
    pub fn restart(&mut self) {
        self.kill();
        let mut command = Command::new(self.program);
        let mut settings = self.settings.iter();
        if self.program == "redis-sentinel" {
            command.args(settings.next());
        }
        let child = command
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--dir"])
            .arg(self.folder.path())
            .args(settings)
            .env_clear()
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let child = child.unwrap_or_else(|error| {
            panic!(
                "cannot start {} ({error}): install it, under Debian with `apt install redis-server redis-sentinel`",
                self.program
            )
        });
        self.running = Some(child);
        for _ in 0..START_TRIES {
            if self
                .try_ask(&["PING"])
                .is_some_and(|told| told.starts_with("+PONG"))
            {
                return;
            }
            thread::sleep(Duration::from_millis(100));
        }
        panic!("{} does not answer on port {}", self.program, self.port);
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
            .unwrap_or_else(|| panic!("{} does not answer {words:?}", self.program))
    }

    fn try_ask(&self, words: &[&str]) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .ok()?;
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

/// A port that nobody listens on.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback has a free port");
    listener.local_addr().expect("it is bound").port()
}
