//! Where something is built: a tree, and the home that cargo has there. It keeps both out of what is built, so that two machines
//! make the same bytes, and no one's folders are published.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{env, process};

/// A tree to build in.
#[derive(Clone)]
pub(crate) struct Place {
    root: PathBuf,
    /// Where cargo keeps the sources of dependencies; none where there is no home.
    cargo_home: Option<PathBuf>,
    /// Whether cargo has to be told of its home, and that it builds in the tree.
    is_strange: bool,
}

impl Place {
    /// This tree, as it is built every day.
    pub(crate) fn own(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            cargo_home: env::cargo_home(),
            is_strange: false,
        }
    }

    /// Another tree, with another home for cargo.
    pub(crate) fn strange(root: PathBuf, cargo_home: PathBuf) -> Self {
        Self {
            root,
            cargo_home: Some(cargo_home),
            is_strange: true,
        }
    }

    /// The folder of the tree.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Where it is built to.
    pub(crate) fn target(&self) -> PathBuf {
        self.root.join("target")
    }

    /// A cargo command in the tree.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = process::cargo(&self.root, arguments);
        self.settle(&mut command);
        command
    }

    /// Tells a command that starts cargo where it is.
    pub(crate) fn settle(&self, command: &mut Command) {
        if let Some(home) = self.cargo_home.as_ref().filter(|_| self.is_strange) {
            command
                .env("CARGO_HOME", home)
                .env("CARGO_TARGET_DIR", self.target())
                .env("TZ", "Pacific/Kiritimati");
        }
    }

    /// Flags for rustc, as `CARGO_ENCODED_RUSTFLAGS` takes them: separated by 0x1f.
    pub(crate) fn rust_flags(&self) -> Result<String> {
        let sources = sources_of_std(&self.root)?;
        let flags = self
            .folders()
            .chain(sources)
            .map(|(folder, name)| format!("--remap-path-prefix={}={name}", folder.display()));
        Ok(flags.collect::<Vec<_>>().join("\u{1f}"))
    }

    /// Flags for a compiler of C, separated by spaces.
    pub(crate) fn c_flags(&self) -> Result<String> {
        let mut flags = Vec::new();
        for (folder, name) in self.folders() {
            let folder = folder.display().to_string();
            if folder.contains(char::is_whitespace) {
                bail!(
                    "{folder}: whoever builds C cannot be told of a folder with a space in its name: use another"
                );
            }
            flags.push(format!("-ffile-prefix-map={folder}={name}"));
        }
        Ok(flags.join(" "))
    }

    /// The folders of this machine, and what stands for them.
    fn folders(&self) -> impl Iterator<Item = (PathBuf, String)> {
        let home = self
            .cargo_home
            .clone()
            .map(|home| (home, "/cargo".to_owned()));
        let tree = (self.root.clone(), "/onetimeshare".to_owned());
        home.into_iter().chain([tree])
    }

    /// Fails when `bytes` hold the name of one of these folders.
    pub(crate) fn require_absent(&self, bytes: &[u8], what: &str) -> Result<()> {
        for (folder, name) in self.folders() {
            let own = format!("{}/", folder.display());
            // In a container they may be called what stands for them.
            if own != format!("{name}/") && holds(bytes, own.as_bytes()) {
                bail!("{what} holds the name of a folder of this machine: {own}");
            }
        }
        Ok(())
    }
}

/// Whether a path that begins with `folder` is in `bytes`, and not in the middle of another path: `/src/` is in many.
fn holds(bytes: &[u8], folder: &[u8]) -> bool {
    let is_within = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    let mut windows = bytes.windows(folder.len()).enumerate();
    windows.any(|(at, window)| {
        let before = at.checked_sub(1).and_then(|at| bytes.get(at).copied());
        window == folder && !before.is_some_and(is_within)
    })
}

/// The sources of the standard library, where they are installed: rustc then names them by that folder, and else by this name.
fn sources_of_std(root: &Path) -> Result<Option<(PathBuf, String)>> {
    let said = |arguments: &[&str]| {
        process::output(Command::new(env::rustc()).current_dir(root).args(arguments))
    };
    let folder = Path::new(&said(&["--print", "sysroot"])?).join("lib/rustlib/src/rust");
    if !folder.is_dir() {
        return Ok(None);
    }
    let version = said(&["--version", "--verbose"])?;
    let mut lines = version.lines();
    let commit = lines.find_map(|line| line.strip_prefix("commit-hash: "));
    let commit = commit.context("rustc says which commit it was made of")?;
    Ok(Some((folder, format!("/rustc/{commit}"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn somewhere() -> Place {
        Place::strange(
            "/home/somebody/clone".into(),
            "/home/somebody/.cargo".into(),
        )
    }

    #[test]
    fn compilers_are_told_of_every_folder_of_this_machine() {
        let flags = somewhere().c_flags().unwrap();
        assert_eq!(
            flags,
            "-ffile-prefix-map=/home/somebody/.cargo=/cargo -ffile-prefix-map=/home/somebody/clone=/onetimeshare"
        );
        // This one asks the compiler that is here.
        let own = Place::own(Path::new(env!("CARGO_MANIFEST_DIR")));
        let flags = own.rust_flags().unwrap();
        let tree = format!(
            "--remap-path-prefix={}=/onetimeshare",
            env!("CARGO_MANIFEST_DIR")
        );
        assert!(flags.split('\u{1f}').any(|flag| flag == tree), "{flags}");
    }

    #[test]
    fn a_folder_that_cannot_be_told_of_is_refused() {
        let place = Place::strange("/home/some body".into(), "/cargo".into());
        let fault = place.c_flags().unwrap_err().to_string();
        assert!(fault.starts_with("/home/some body: "), "{fault}");
    }

    #[test]
    fn the_name_of_a_folder_is_found_in_what_was_built() {
        let check = |bytes: &[u8]| somewhere().require_absent(bytes, "it").is_ok();
        assert!(check(
            b"panicked at /cargo/registry and /home/somebody/other"
        ));
        assert!(!check(b"\0/home/somebody/clone/server/src/main.rs\0"));
        assert!(!check(b"/home/somebody/.cargo/registry"));
        let container = Place::strange("/src".into(), "/cargo".into());
        let check = |bytes: &[u8]| container.require_absent(bytes, "it").is_ok();
        assert!(check(
            b"/cargo/registry/src/a and /onetimeshare/server/src/main.rs"
        ));
        assert!(!check(b"at /src/server/src/main.rs"));
    }
}
