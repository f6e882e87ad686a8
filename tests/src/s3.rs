//! S3 servers of others, each as a process on a free loopback port, with a folder and a bucket of its own that are gone
//! afterwards; never one that runs already. `cargo xtask tools` installs those that cargo does not build with the tests.
#![expect(
    clippy::panic,
    reason = "a test without its server cannot go on, and says why"
)]

use std::fs;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use crate::server::beside_this_test;

/// The longest that a start may take, with other tests beside it.
const START_MAX: Duration = Duration::from_mins(2);

/// Where they all say that they are.
const REGION: &str = "us-east-1";

/// A server, and what it keeps. Dropped, both are gone.
///
/// Whatever a test asks of it either works or fails the test.
#[derive(Debug)]
pub struct S3 {
    child: Child,
    address: SocketAddr,
    folder: TempDir,
}

impl S3 {
    /// The bucket that is there from the start.
    pub const BUCKET: &str = "bucket";
    /// Who may use it.
    pub const ACCESS_KEY: &str = "test-access";
    /// How they prove it.
    pub const SECRET_KEY: &str = "swordfish-swordfish";

    /// One that checks every signature, and keeps each object in a file below [`S3::folder`]: `s3s-fs`, which cargo builds with the
    /// tests.
    #[track_caller]
    pub fn s3s_fs() -> Self {
        let folder = tempfile::tempdir().expect("the system has a folder for temporary files");
        fs::create_dir(folder.path().join(Self::BUCKET)).expect("the folder is new");
        let mut program = Command::new(beside_this_test("s3-server"));
        program
            .arg("127.0.0.1:0")
            .arg(folder.path())
            .args([Self::ACCESS_KEY, Self::SECRET_KEY]);
        Self::start(program, folder)
    }

    /// One that knows versions and checks no signature: `moto`.
    #[track_caller]
    pub fn moto() -> Self {
        let folder = tempfile::tempdir().expect("the system has a folder for temporary files");
        let mut program = program("ONETIMESHARE_MOTO", "target/venv/stores/bin/moto_server");
        program.args(["-H", "127.0.0.1", "-p", "0"]);
        let server = Self::start(program, folder);
        server.ask("PUT", &format!("/{}", Self::BUCKET), "");
        server
    }

    /// One that writes whatever the condition, and knows no versions: `garage`, which `cargo xtask faults` installs.
    #[track_caller]
    pub fn garage() -> Self {
        let folder = tempfile::tempdir().expect("the system has a folder for temporary files");
        let [api, rpc] = free_ports();
        let settings = format!(
            "metadata_dir = \"metadata\"\ndata_dir = \"objects\"\ndb_engine = \"sqlite\"\nreplication_factor = 1\n\
             rpc_bind_addr = \"127.0.0.1:{rpc}\"\nrpc_public_addr = \"127.0.0.1:{rpc}\"\nrpc_secret = \"{}\"\n\
             [s3_api]\ns3_region = \"{REGION}\"\napi_bind_addr = \"127.0.0.1:{api}\"\n",
            "5e".repeat(32)
        );
        fs::write(folder.path().join("garage.toml"), settings).expect("the folder is new");
        let mut program = program("ONETIMESHARE_GARAGE", "target/tools/bin/garage");
        program
            .args([
                "-c",
                "garage.toml",
                "server",
                "--single-node",
                "--default-bucket",
            ])
            .env("GARAGE_DEFAULT_ACCESS_KEY", Self::ACCESS_KEY)
            .env("GARAGE_DEFAULT_SECRET_KEY", Self::SECRET_KEY)
            .env("GARAGE_DEFAULT_BUCKET", Self::BUCKET);
        Self::start(program, folder)
    }

    #[track_caller]
    fn start(mut program: Command, folder: TempDir) -> Self {
        let mut child = program
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {program:?}: {error}"));
        let listens = follow(&mut child);
        let Ok(address) = listens.recv_timeout(START_MAX) else {
            // It is of no use, whatever it does.
            let _ = child.kill();
            let _ = child.wait();
            panic!("{program:?} does not say where it listens");
        };
        Self {
            child,
            address,
            folder,
        }
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where `s3s-fs` keeps its buckets.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The variables that lead a program to it.
    pub fn variables(&self) -> Vec<(String, String)> {
        Self::variables_of(self.address)
    }

    /// The variables that lead a program to one at `address`, such as a proxy's.
    pub fn variables_of(address: SocketAddr) -> Vec<(String, String)> {
        [
            ("AWS_ACCESS_KEY_ID", Self::ACCESS_KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", Self::SECRET_KEY.to_owned()),
            ("AWS_ENDPOINT_URL", format!("http://{address}")),
            ("AWS_REGION", REGION.to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// Has `moto` keep versions from here on, or keep no more.
    #[track_caller]
    pub fn keep_versions(&self, keeps: bool) {
        let status = if keeps { "Enabled" } else { "Suspended" };
        let body = format!(
            "<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Status>{status}</Status></VersioningConfiguration>"
        );
        self.ask("PUT", &format!("/{}?versioning", Self::BUCKET), &body);
    }

    /// Makes one request without a signature, which `moto` takes, and fails unless it is answered with 200. What the answer holds.
    #[track_caller]
    pub fn ask(&self, method: &str, target: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(self.address).expect("it listens");
        write!(
            stream,
            "{method} {target} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.address,
            body.len(),
        )
        .expect("it takes requests");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        assert_eq!(
            head.split(' ').nth(1),
            Some("200"),
            "{method} {target}: {answer}"
        );
        body.to_owned()
    }

    /// Ends it: nobody listens at its address any more.
    pub fn kill(&mut self) {
        // It fails for one that has ended, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Two ports that nobody listens on.
fn free_ports() -> [u16; 2] {
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    listeners.map(|listener| listener.local_addr().expect("it is bound").port())
}

/// The program that `variable` names, else the one that is installed at `path` below the root of the repository.
#[track_caller]
fn program(variable: &str, path: &str) -> Command {
    // Read here and nowhere else: a test is told nothing else by its surroundings.
    let installed = || Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    let program = std::env::var_os(variable).map_or_else(installed, PathBuf::from);
    assert!(
        program.is_file(),
        "there is no {}: install it with `cargo xtask tools`, or name one in {variable}",
        program.display()
    );
    Command::new(program)
}

/// Reads what `child` prints, until it ends. The first address that it names can be received.
fn follow(child: &mut Child) -> Receiver<SocketAddr> {
    let (found, listens) = mpsc::channel();
    let stdout = child.stdout.take().expect("it was asked for");
    let stderr = child.stderr.take().expect("it was asked for");
    let streams: [Box<dyn Read + Send>; 2] = [Box::new(stdout), Box::new(stderr)];
    for stream in streams {
        let found = found.clone();
        thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                if let Some(address) = address_in(&line) {
                    // Only the first is waited for.
                    let _ = found.send(address);
                }
            }
        });
    }
    listens
}

/// The address in `… http://127.0.0.1:1234 …`.
fn address_in(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("http://")?;
    let is_part = |letter: char| letter.is_ascii_digit() || ".:".contains(letter);
    let end = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
    rest.get(..end)?.parse().ok()
}
