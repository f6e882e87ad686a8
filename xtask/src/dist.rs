//! `cargo xtask dist`: what people download, made so that anybody makes the same bytes of the same commit, and looked at before it is
//! called done. It publishes nothing.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::place::Place;
use crate::serve::SERVER;
use crate::steps::Steps;
use crate::system::Package;
use crate::tools::{self, AUDITABLE, CYCLONEDX};
use crate::twin::{self, Twin};
use crate::{env, process, toolchain, wasm};

use self::commit::Commit;
use self::list::List;
use self::sbom::Subject;

mod archive;
mod commit;
mod list;
mod notices;
mod program;
mod sbom;

/// The version of everything here, this program too.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The folder of the package that becomes WebAssembly.
const WASM: &str = "crypto-wasm";

/// What was typed after `dist`, but for the image.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(crate) enum Part {
    /// Everything.
    Whole,
    /// Everything, in two places, and compared.
    Twice,
    /// Bring what the program is built of and with, so that it can be built without a network.
    Fetch,
    /// The program alone.
    Program,
    /// Make one of several machines' folders, from the folder where the command was typed.
    Gather(Vec<PathBuf>),
}

impl Part {
    /// The system's packages that it needs.
    pub(crate) const fn packages(&self) -> &'static [Package] {
        match self {
            Self::Whole | Self::Twice => Package::DIST,
            Self::Program => Package::PROGRAM,
            Self::Fetch | Self::Gather(_) => &[],
        }
    }
}

/// Does it.
pub(crate) fn run(root: &Path, part: &Part, steps: &mut Steps) -> Result<()> {
    match part {
        Part::Whole => {
            let commit = Commit::of(root)?;
            let tools = Tools::bring(root, steps);
            Maker::new(Place::own(root), tools, &commit).make(steps);
        }
        Part::Twice => twice(root, steps)?,
        Part::Fetch => {
            steps.run("packages", || {
                process::run(&mut process::cargo(root, &["fetch", "--locked"]))
            });
            steps.run("targets", || {
                toolchain::ensure_wasm_target(root)?;
                program::ensure_target(root)
            });
            steps.run("tools", || AUDITABLE.install(root));
        }
        Part::Program => program_alone(root, steps)?,
        Part::Gather(folders) => {
            let out = out(&Place::own(root));
            steps.run("gather", || {
                let here = env::current_dir()?;
                let folders: Vec<_> = folders.iter().map(|folder| here.join(folder)).collect();
                if folders.iter().any(|folder| folder.starts_with(&out)) {
                    bail!("{} is made anew: gather from another folder", out.display());
                }
                make_empty(&out)?;
                list::gather(&folders, &out)
            });
        }
    }
    Ok(())
}

/// Makes everything here and in a second place, and compares all of it.
fn twice(root: &Path, steps: &mut Steps) -> Result<()> {
    let commit = Commit::of(root)?;
    let tools = Tools::bring(root, steps);
    Maker::new(Place::own(root), tools.clone(), &commit).make(steps);
    if !steps.all_passed() {
        return Ok(());
    }
    let twin = Twin::of(root)?;
    let place = twin.place();
    Maker::new(place.clone(), tools, &commit).make(steps);
    if steps.all_passed() {
        steps.run("both the same", || {
            twin::same(&out(&Place::own(root)), &out(place))
        });
    }
    Ok(())
}

/// Makes the program as it is in the archive, and nothing else: for an image.
fn program_alone(root: &Path, steps: &mut Steps) -> Result<()> {
    let place = Place::own(root);
    let out = out(&place);
    make_empty(&out)?;
    steps.run("wasm", || wasm::build_at(&place));
    if steps.all_passed() {
        steps.run("program", || {
            AUDITABLE.install(root)?;
            let built = program::build(&place, &tools::program(root, AUDITABLE.name))?;
            program::check(&place, &built)?;
            copy(&built, &out.join(SERVER))
        });
    }
    Ok(())
}

/// Where it all goes.
fn out(place: &Place) -> PathBuf {
    place.target().join("dist")
}

/// Makes a folder, without anything that was in it.
fn make_empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)
            .with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).with_context(|| format!("cannot copy {}", from.display()))?;
    Ok(())
}

/// The programs of others that it is made with.
#[derive(Clone)]
struct Tools {
    auditable: PathBuf,
    cyclonedx: PathBuf,
}

impl Tools {
    fn bring(root: &Path, steps: &mut Steps) -> Self {
        steps.run("tools", || {
            AUDITABLE.install(root)?;
            CYCLONEDX.install(root)
        });
        Self {
            auditable: tools::program(root, AUDITABLE.name),
            cyclonedx: tools::program(root, CYCLONEDX.name),
        }
    }
}

/// One step, of which there are some.
type Step<'a> = fn(&Maker<'a>) -> Result<()>;

/// Makes everything in one place.
struct Maker<'a> {
    place: Place,
    tools: Tools,
    commit: &'a Commit,
    target: String,
    /// How the program's files begin, and the folder in its archive is called.
    stem: String,
    out: PathBuf,
}

impl<'a> Maker<'a> {
    fn new(place: Place, tools: Tools, commit: &'a Commit) -> Self {
        let target = program::target();
        Self {
            stem: format!("{SERVER}-{VERSION}-{target}"),
            out: out(&place),
            place,
            tools,
            commit,
            target,
        }
    }

    /// Runs the steps, until one fails.
    fn make(&self, steps: &mut Steps) {
        let all: [(&str, Step<'a>); 6] = [
            ("wasm", |maker| wasm::build_at(&maker.place)),
            ("program", Self::program),
            ("list of hashes", Self::list),
            ("lists of packages", Self::sboms),
            ("archive", Self::archive),
            ("checksums", |maker| archive::sum(&maker.out)),
        ];
        for (name, step) in all {
            if steps.all_passed() {
                steps.run(name, || step(self));
            }
        }
    }

    /// Where the program is put, as it is in its archive.
    fn folder(&self) -> PathBuf {
        self.place.target().join("dist-content").join(&self.stem)
    }

    fn program(&self) -> Result<()> {
        make_empty(&self.out)?;
        make_empty(&self.folder())?;
        let built = program::build(&self.place, &self.tools.auditable)?;
        program::check(&self.place, &built)?;
        copy(&built, &self.folder().join(SERVER))
    }

    fn list(&self) -> Result<()> {
        let program = self.folder().join(SERVER);
        List::of(&program, SERVER, &self.target, &self.commit.name)?.write(&self.out)
    }

    /// The lists of packages: of the program, and of the WebAssembly in it.
    fn lists(&self) -> [(Subject<'_>, PathBuf); 2] {
        let of = |folder, target, stem: &str| {
            let file = self.out.join(format!("{stem}.cdx.json"));
            (Subject { folder, target }, file)
        };
        let wasm = format!("onetimeshare-{WASM}-{VERSION}");
        [
            of("server", &self.target, &self.stem),
            of(WASM, toolchain::WASM_TARGET, &wasm),
        ]
    }

    fn sboms(&self) -> Result<()> {
        let copy = Twin::of(self.place.root())?;
        let lists = self.lists();
        for (subject, file) in &lists {
            let made_at = self.commit.made_at;
            sbom::write(&self.tools.cyclonedx, copy.place(), subject, made_at, file)?;
        }
        let files = lists.each_ref().map(|(_, file)| &**file);
        sbom::check(self.place.root(), &self.folder().join(SERVER), &files)
    }

    fn archive(&self) -> Result<()> {
        let folder = self.folder();
        for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
            copy(&self.place.root().join(licence), &folder.join(licence))?;
        }
        let mut packages = BTreeSet::new();
        for (_, list) in self.lists() {
            packages.extend(sbom::packages(&list)?);
        }
        notices::write(&self.place, &packages, &folder.join(notices::NAME))?;
        let parent = folder.parent().context("a folder is in another")?;
        let archive = self.out.join(format!("{}.tar.gz", self.stem));
        archive::pack(parent, &self.stem, &archive, self.commit.made_at)
    }
}
