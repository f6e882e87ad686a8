//! `cargo xtask bench`: builds what is released, measures it by the generators of `bench/`, and writes the page. It measures
//! nothing itself, and no test waits for it.

mod choice;
mod crypto;
// The one file that generators and reader share.
#[path = "../../bench/src/figures.rs"]
mod figures;
mod hostile;
mod live;
mod load;
mod machine;
mod page;
mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;

use crate::steps::Steps;
use crate::{process, serve, system, wasm, web};

pub(crate) use self::choice::{Choice, Part};
use self::machine::Machine;
use self::page::Page;

/// The package of the generators, and its binary.
const GENERATORS: &str = "onetimeshare-bench";

/// Measures what was chosen and writes the page, unless something failed.
pub(crate) fn run(root: &Path, choice: &Choice) -> Result<ExitCode> {
    system::require(&choice.packages())?;
    let folder = fresh_folder(root)?;
    // Before anything is built, which would make the machine look busy.
    let machine = Machine::look(root, &folder);
    let mut steps = Steps::default();
    let mut built = None;
    steps.run("wasm", || wasm::build(root));
    steps.run("programs", || {
        built = Some(Bench::build(root, folder, choice)?);
        Ok(())
    });
    let Some(bench) = built.filter(|_| steps.all_passed()) else {
        return Ok(steps.finish());
    };
    let mut page = Page::new(choice.command(), machine);
    if choice.has(Part::Crypto) {
        steps.run("crypto", || {
            page.crypto = bench.crypto()?;
            Ok(())
        });
    }
    if choice.has(Part::Load) {
        steps.run("load", || {
            page.load = Some(bench.load()?);
            Ok(())
        });
    }
    if choice.has(Part::Live) {
        steps.run("live", || {
            page.live = bench.live()?;
            Ok(())
        });
    }
    if choice.has(Part::Hostile) {
        steps.run("hostile", || {
            page.hostile = Some(bench.hostile()?);
            Ok(())
        });
    }
    if steps.all_passed() {
        let file = choice.page(root);
        steps.run(&format!("write {}", file.display()), || {
            Ok(fs::write(&file, page.text())?)
        });
    }
    Ok(steps.finish())
}

/// Where targets store: an empty folder on the disk of the build.
fn fresh_folder(root: &Path) -> Result<PathBuf> {
    let folder = root.join("target").join("bench").join("run");
    // What an interrupted run has left.
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Everything that measures.
struct Bench<'a> {
    root: &'a Path,
    server: PathBuf,
    generators: PathBuf,
    folder: PathBuf,
    is_quick: bool,
}

impl<'a> Bench<'a> {
    fn build(root: &'a Path, folder: PathBuf, choice: &Choice) -> Result<Self> {
        let mut build = process::cargo(
            root,
            &[
                "build",
                "--release",
                "--package",
                GENERATORS,
                "--features",
                "rivals",
            ],
        );
        let files = process::build(&mut build, GENERATORS)?;
        Ok(Self {
            root,
            server: serve::build_server(root)?,
            generators: files
                .into_iter()
                .next()
                .with_context(|| format!("cargo built no {GENERATORS}"))?,
            folder,
            is_quick: choice.is_quick,
        })
    }

    /// Natively, under Node.js and in both browsers, each under the name of its place.
    fn crypto(&self) -> Result<Vec<(String, figures::Crypto)>> {
        let script = self.root.join("bench").join("js");
        web::install(&script)?;
        web::install(&self.root.join("tests").join("e2e"))?;
        let native = figures(self.generators().arg("crypto"))?;
        let mut found = vec![("Native".to_owned(), native)];
        for (place, words) in [
            ("WebAssembly in Node.js", &["node.mjs"][..]),
            ("WebAssembly in Chromium", &["browser.mjs", "chromium"]),
            ("WebAssembly in Firefox", &["browser.mjs", "firefox"]),
        ] {
            let mut node = Command::new("node");
            node.current_dir(&script).args(words);
            for (variable, browser) in [
                ("ONETIMESHARE_CHROMIUM", system::chromium()),
                ("ONETIMESHARE_FIREFOX", system::firefox()),
            ] {
                node.env(variable, browser.context("a browser is missing")?);
            }
            found.push((place.to_owned(), figures(self.quickly(&mut node))?));
        }
        Ok(found)
    }

    fn load(&self) -> Result<figures::Load> {
        let nginx = system::nginx().context("there is no nginx")?;
        let mut generators = self.generators();
        generators.arg("load").arg("--nginx").arg(nginx);
        figures(self.on_disk(&mut generators))
    }

    fn live(&self) -> Result<Vec<figures::Live>> {
        figures(self.on_disk(self.generators().arg("live")))
    }

    fn hostile(&self) -> Result<figures::Hostile> {
        figures(self.on_disk(self.generators().arg("hostile")))
    }

    fn generators(&self) -> Command {
        let mut command = Command::new(&self.generators);
        self.quickly(&mut command);
        command
    }

    fn on_disk<'b>(&self, command: &'b mut Command) -> &'b mut Command {
        command.arg("--server").arg(&self.server);
        command.arg("--folder").arg(&self.folder)
    }

    fn quickly<'b>(&self, command: &'b mut Command) -> &'b mut Command {
        command.args(self.is_quick.then_some("--quick"))
    }
}

/// What a generator prints.
fn figures<T: DeserializeOwned>(command: &mut Command) -> Result<T> {
    let text = process::output(command)?;
    serde_json::from_str(&text).context("what was printed are no figures")
}
