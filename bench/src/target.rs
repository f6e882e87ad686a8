//! Who is measured: the server, nginx and the control, each a process of its own with a folder of its own, ended and
//! removed afterwards. It knows nothing of what they are asked.

mod nginx;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::client::Client;
use crate::stopwatch::Stopwatch;

/// How long a target may take to answer.
const START_MAX: Duration = Duration::from_secs(30);

/// One of those that are compared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The server.
    Onetimeshare,
    /// A file server that makes everything durable.
    Control,
    /// nginx, which makes nothing durable.
    Nginx,
}

impl Kind {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Onetimeshare, Self::Control, Self::Nginx];

    /// As the figures name it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Onetimeshare => "onetimeshare",
            Self::Control => "control",
            Self::Nginx => "nginx",
        }
    }
}

/// The programs of the targets.
pub(crate) struct Programs {
    server: PathBuf,
    nginx: PathBuf,
    own: PathBuf,
}

impl Programs {
    /// The control is this very program.
    pub(crate) fn new(server: PathBuf, nginx: PathBuf) -> Result<Self> {
        let own = std::env::current_exe().context("cannot find this program's own file")?;
        Ok(Self { server, nginx, own })
    }

    /// The command that starts `kind` with everything in `folder`.
    fn command(&self, kind: Kind, address: SocketAddr, folder: &Path) -> Result<Command> {
        match kind {
            Kind::Onetimeshare => Ok(server(&self.server, address, folder)),
            Kind::Control => {
                let mut command = Command::new(&self.own);
                command.args(["control", "--listen", &address.to_string(), "--folder"]);
                command.arg(folder);
                Ok(command)
            }
            Kind::Nginx => nginx::prepare(&self.nginx, address, folder),
        }
    }
}

/// The server as it is released, but for its log, since none of the targets writes a line for each request, and its budgets.
fn server(program: &Path, address: SocketAddr, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(["--listen", &address.to_string(), "--log", "warn"]);
    // All of the load comes from one address.
    for rate in ["create", "upload", "open", "owner"] {
        command.args([&format!("--rate-{rate}"), "off"]);
    }
    command.arg("--data-dir").arg(folder);
    command
}

/// A process that answers.
pub(crate) struct Running {
    /// Where.
    pub(crate) address: SocketAddr,
    /// From its start to its first answer, in milliseconds.
    pub(crate) start_ms: f64,
    process: Child,
}

impl Running {
    /// Starts `kind` in the fresh folder `folder`.
    pub(crate) async fn start(programs: &Programs, kind: Kind, folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let address = free_address()?;
        Self::wait(programs.command(kind, address, folder)?, address).await
    }

    /// Starts the server on a folder that may hold transfers already.
    pub(crate) async fn start_server(program: &Path, folder: &Path) -> Result<Self> {
        let address = free_address()?;
        Self::wait(server(program, address, folder), address).await
    }

    /// Starts the control that serves the same router without any deadline of its own, on a fresh folder.
    pub(crate) async fn start_bare(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let address = free_address()?;
        let own = std::env::current_exe().context("cannot find this program's own file")?;
        let mut command = Command::new(own);
        command.args(["bare", "--listen", &address.to_string(), "--folder"]);
        command.arg(folder);
        Self::wait(command, address).await
    }

    async fn wait(mut command: Command, address: SocketAddr) -> Result<Self> {
        let started = Stopwatch::start();
        let process = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        // From here on the process is ended whatever happens.
        let mut running = Self {
            address,
            start_ms: 0.0,
            process,
        };
        while !is_ready(address).await {
            if let Some(status) = running.process.try_wait()? {
                bail!("{} ended with {status}", command.get_program().display());
            }
            if started.elapsed() > START_MAX {
                bail!("{} does not answer", command.get_program().display());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        running.start_ms = started.elapsed_ms();
        Ok(running)
    }

    /// The most memory that the process ever held, in KiB.
    pub(crate) fn peak_kib(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        peak_kib(&status).context("the system does not tell how much memory a process held")
    }

    /// Ends it as its operator would, and waits.
    pub(crate) fn stop(mut self) -> Result<()> {
        terminate(&mut self.process)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // After an error, or a second time: there is nobody left to tell.
        let _ = terminate(&mut self.process);
    }
}

/// nginx would leave its workers behind if it were killed, so all of them are asked.
fn terminate(process: &mut Child) -> Result<()> {
    if process.try_wait()?.is_some() {
        return Ok(());
    }
    let asked = Command::new("kill").arg(process.id().to_string()).status();
    if !asked.is_ok_and(|status| status.success()) {
        process.kill()?;
    }
    process.wait()?;
    Ok(())
}

async fn is_ready(address: SocketAddr) -> bool {
    match Client::connect(address).await {
        Ok(mut client) => client.answers("/readyz").await,
        Err(_) => false,
    }
}

/// An address of this machine at which nobody listens.
fn free_address() -> Result<SocketAddr> {
    let probe = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(probe.local_addr()?)
}

/// `VmHWM` of `/proc/{pid}/status`.
fn peak_kib(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_read_in_kib() {
        let status = "Name:\tx\nVmPeak:\t  9 kB\nVmHWM:\t   12345 kB\nVmRSS:\t 1 kB\n";
        assert_eq!(peak_kib(status), Some(12_345));
        assert_eq!(peak_kib("Name:\tx\n"), None);
        assert_eq!(peak_kib("VmHWM:\tmany\n"), None);
    }
}
