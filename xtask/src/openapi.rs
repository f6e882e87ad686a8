//! `cargo xtask openapi`: a real server with an empty store, and schemathesis to hold it against its own document.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::{browser_tests, process, python};

/// Tests every call of the API; `arguments` are schemathesis's own.
pub(crate) fn run(root: &Path, arguments: &[OsString]) -> Result<()> {
    let python = install(root)?;
    let server = Server::start(&browser_tests::build_server(root)?)?;
    let mut tests = Command::new(python);
    tests
        .current_dir(folder(root))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .args(["run.py", &server.address])
        .args(arguments);
    process::run(&mut tests)
}

/// Makes sure that schemathesis is there. The Python that finds it.
pub(crate) fn install(root: &Path) -> Result<PathBuf> {
    python::venv(root, &folder(root).join("requirements.txt"))
}

fn folder(root: &Path) -> PathBuf {
    root.join("tests").join("openapi")
}

/// A server on a free port of this machine. It ends, and its store goes, with this value.
struct Server {
    child: Child,
    address: String,
    /// Held open as long as the server may write to it.
    output: BufReader<ChildStdout>,
    _folder: TempDir,
}

impl Server {
    /// Starts `program` with small parts, so that a body of two is quick to send.
    fn start(program: &Path) -> Result<Self> {
        let folder = tempfile::tempdir().context("cannot make a folder for the store")?;
        let mut child = Command::new(program)
            // Its requests all come from one address, and each is to be answered for what it says.
            .args(["create", "upload", "open", "owner"].map(|rate| format!("--rate-{rate}=off")))
            .args(["--listen", "127.0.0.1:0", "--part-size", "64 KiB"])
            .args(["--log", "error", "--data-dir"])
            .arg(folder.path().join("store"))
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the server")?;
        let output = child.stdout.take().context("the server has no output")?;
        let mut server = Self {
            child,
            address: String::new(),
            output: BufReader::new(output),
            _folder: folder,
        };
        let mut line = String::new();
        server.output.read_line(&mut line)?;
        server.address = address_in(&line)
            .with_context(|| format!("the server did not say where it is: {line:?}"))?;
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself, and then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The first address in what the server says at its start.
fn address_in(line: &str) -> Option<String> {
    let start = line.find("http://")?;
    line.get(start..)?
        .split_whitespace()
        .next()
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_found_in_the_first_line() {
        let line = "onetimeshare listens on http://127.0.0.1:8080 and http://[::1]:8080 and keeps its data in ./x\n";
        assert_eq!(address_in(line).as_deref(), Some("http://127.0.0.1:8080"));
        assert_eq!(address_in(""), None);
    }
}
