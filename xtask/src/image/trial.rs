//! An image as it is meant to run: by its own user, program and variables, on a root that cannot be written. It needs no runtime of
//! containers, whose wishes not every machine grants, and limits nothing.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tempfile::TempDir;

use crate::process;

/// How long a start may take, in tenths of a second.
const START_TRIES: u32 = 300;
/// The folder that is kept, and written.
const VOLUME: &str = "data";

/// What an image says of itself.
struct Wishes {
    user: String,
    entry: Vec<String>,
    variables: Vec<String>,
    health: Vec<String>,
}

impl Wishes {
    fn read(image: &str) -> Result<Self> {
        let told = process::output(
            Command::new("podman").args(["image", "inspect", "--format", "json", image]),
        )?;
        let told: Value = serde_json::from_str(&told).context("podman prints JSON")?;
        Self::of(&told[0])
    }

    fn of(told: &Value) -> Result<Self> {
        let words = |value: &Value| -> Vec<String> {
            let words = value.as_array().into_iter().flatten();
            words.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let config = &told["Config"];
        let user = config["User"].as_str().unwrap_or_default().to_owned();
        let health = words(&told["Healthcheck"]["Test"]);
        let Some(("CMD", health)) = health
            .split_first()
            .map(|(kind, words)| (kind.as_str(), words.to_vec()))
        else {
            bail!("the image has no check of its health");
        };
        let mut ids = user.split(':').map(str::parse::<u32>);
        if !ids.all(|id| id.is_ok_and(|id| id > 0)) {
            bail!("the image runs as {user:?}: it needs numbers, and none of them root's");
        }
        Ok(Self {
            user,
            entry: words(&config["Entrypoint"]),
            variables: words(&config["Env"]),
            health,
        })
    }
}

/// A place in the tree that shows another, until it is dropped.
struct Mount(PathBuf);

impl Mount {
    fn bind(options: &str, from: &Path, to: &Path) -> Result<Self> {
        process::run(
            Command::new("mount")
                .args(["-o", options])
                .arg(from)
                .arg(to),
        )?;
        Ok(Self(to.to_owned()))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // What stays mounted is told by umount itself.
        let _ = process::run(Command::new("umount").arg(&self.0));
    }
}

/// A running image; ended, and gone with what it kept, when it is dropped.
pub(super) struct Trial {
    child: Child,
    wishes: Wishes,
    address: String,
    image: String,
    // In the order in which they must go.
    _volume: Mount,
    _root: Mount,
    folder: TempDir,
}

impl Trial {
    /// Starts `image` on a free port of the loopback, and waits until it listens.
    pub(super) fn start(image: &str) -> Result<Self> {
        let wishes = Wishes::read(image)?;
        let listener = TcpListener::bind("127.0.0.1:0").context("the loopback has no free port")?;
        let address = listener.local_addr()?.to_string();
        drop(listener);
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let root = folder.path().join("root");
        std::fs::create_dir(&root)?;
        let content = process::output(Command::new("podman").args(["image", "mount", image]))?;
        let content = Path::new(&content);
        // With its owner and its rights, as a volume begins.
        let volume = folder.path().join(VOLUME);
        process::run(
            Command::new("cp")
                .arg("--archive")
                .arg(content.join(VOLUME))
                .arg(&volume),
        )?;
        let own_root = Mount::bind("bind,ro", content, &root)?;
        let own_volume = Mount::bind("bind", &volume, &root.join(VOLUME))?;
        let child = inside(&root, &wishes, &wishes.entry, &address)
            .spawn()
            .context("cannot start chroot")?;
        let mut trial = Self {
            child,
            wishes,
            address,
            image: image.to_owned(),
            _volume: own_volume,
            _root: own_root,
            folder,
        };
        trial.wait()?;
        Ok(trial)
    }

    /// Where it answers.
    pub(super) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    fn wait(&mut self) -> Result<()> {
        for _ in 0..START_TRIES {
            if TcpStream::connect(&self.address).is_ok() {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended with {status}");
            }
            thread::sleep(Duration::from_millis(100));
        }
        bail!("the server does not listen on {}", self.address)
    }

    /// Has the image look after itself, by its own command.
    pub(super) fn check(&self) -> Result<()> {
        let root = self.folder.path().join("root");
        process::run(&mut inside(
            &root,
            &self.wishes,
            &self.wishes.health,
            &self.address,
        ))
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        // Each of these fails only for what is gone already.
        let _ = process::run(Command::new("kill").arg(self.child.id().to_string()));
        let _ = self.child.wait();
        let _ = process::output(Command::new("podman").args(["image", "unmount", &self.image]));
    }
}

/// A command of the image below `root`, with nothing but its own variables, and no way to more rights.
fn inside(root: &Path, wishes: &Wishes, words: &[String], address: &str) -> Command {
    let mut command = Command::new("setpriv");
    command
        .args(["--no-new-privs", "chroot", "--groups=", "--userspec"])
        .arg(&wishes.user)
        .arg(root)
        .args(words)
        .env_clear()
        .envs(
            wishes
                .variables
                .iter()
                .filter_map(|pair| pair.split_once('=')),
        )
        .env("ONETIMESHARE_LISTEN", address)
        .stdin(Stdio::null());
    command
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(user: &str, health: &Value) -> Value {
        json!({
            "Config": { "User": user, "Entrypoint": ["/server"], "Env": ["A=b=c"] },
            "Healthcheck": { "Test": health },
        })
    }

    #[test]
    fn an_image_says_how_it_is_run() {
        let wishes = Wishes::of(&told("65532:65532", &json!(["CMD", "/server", "check"]))).unwrap();
        assert_eq!(wishes.user, "65532:65532");
        assert_eq!(wishes.entry, ["/server"]);
        assert_eq!(wishes.health, ["/server", "check"]);
        assert_eq!(wishes.variables, ["A=b=c"]);
    }

    #[test]
    fn an_image_of_root_or_without_a_check_is_refused() {
        let check = json!(["CMD", "/server", "check"]);
        for (user, health) in [
            ("", &check),
            ("0:0", &check),
            ("0:65532", &check),
            ("somebody", &check),
            ("65532", &json!(["CMD-SHELL", "/server check"])),
            ("65532", &json!([])),
        ] {
            assert!(Wishes::of(&told(user, health)).is_err(), "{user} {health}");
        }
    }
}
