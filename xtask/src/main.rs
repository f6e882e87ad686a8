//! The entry points of this repository: `cargo xtask serve`, `cargo xtask test` and each step of it; never part of what
//! is served.

mod args;
mod bench;
mod beside;
mod browser_tests;
mod deny;
mod dist;
mod env;
mod fuzz;
mod image;
mod openapi;
mod place;
mod process;
mod python;
mod rust;
mod serve;
mod steps;
mod system;
mod toolchain;
mod tools;
mod twin;
mod ui;
mod wasm;
mod web;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;

use crate::args::Task;
use crate::browser_tests::{Browser, Servers};
use crate::steps::Steps;

fn main() -> ExitCode {
    let task = match args::parse(env::arguments()) {
        Ok(task) => task,
        Err(fault) => {
            ui::error(&fault);
            ui::usage();
            return ExitCode::from(2);
        }
    };
    match run(task, &root()) {
        Ok(code) => code,
        Err(error) => {
            ui::error(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// The folder of the workspace, wherever the command was typed.
fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}

fn run(task: Task, root: &Path) -> Result<ExitCode> {
    let mut steps = Steps::default();
    match task {
        Task::Help => {
            ui::usage();
            return Ok(ExitCode::SUCCESS);
        }
        Task::Serve(arguments) => return serve::serve(root, &arguments),
        Task::Wasm => steps.run("wasm", || wasm::build(root)),
        Task::Test => steps::everything(root, &mut steps)?,
        Task::Beside => beside::steps(root, &mut steps),
        Task::Check => rust::check(root, &mut steps),
        Task::Unit => {
            system::require(system::Package::UNIT)?;
            steps.run("tools", || tools::install(root));
            steps.run("wasm", || wasm::build(root));
            rust::unit(root, &mut steps);
        }
        Task::Tools => {
            system::require(&[system::Package::Python])?;
            steps.run("tools", || tools::install(root));
        }
        Task::WasmVectors => {
            system::require(&[system::Package::Node])?;
            steps.run("wasm", || wasm::build(root));
            steps.run("wasm vectors", || wasm::vectors(root));
        }
        Task::Www => {
            system::require(&[system::Package::Node])?;
            web::check(root, &mut steps);
        }
        Task::OpenApi(arguments) => {
            system::require(&[system::Package::Python])?;
            steps.run("wasm", || wasm::build(root));
            steps.run("openapi", || openapi::run(root, &arguments));
        }
        Task::EndToEnd(browsers, servers) => end_to_end(root, &browsers, servers, &mut steps)?,
        Task::Faults(names) => faults(root, &names, &mut steps)?,
        Task::Fuzz(choice) => look_for_inputs(root, &choice, &mut steps)?,
        Task::Otel => {
            toolchain::ensure_component(root, "clippy")?;
            steps.run("wasm", || wasm::build(root));
            rust::otel(root, &mut steps);
        }
        Task::Deny(subject) => {
            system::require(&[system::Package::Python])?;
            steps.run("deny", || deny::check(root, subject));
        }
        Task::Reproducible => {
            steps.run("wasm", || wasm::build(root));
            steps.run("reproducible", || twin::assets(root));
        }
        Task::Dist(part) => {
            system::require(part.packages())?;
            dist::run(root, &part, &mut steps)?;
        }
        Task::Image => {
            system::require(system::Package::CONTAINERS)?;
            image::make(root, &mut steps);
        }
        Task::Bench(choice) => return bench::run(root, &choice),
        Task::Screens { folder } => {
            system::require(system::Package::BROWSERS)?;
            steps.run("wasm", || wasm::build(root));
            steps.run("screens", || {
                browser_tests::screens(root, folder.as_deref())
            });
        }
    }
    Ok(steps.finish())
}

fn end_to_end(
    root: &Path,
    browsers: &[Browser],
    servers: Servers,
    steps: &mut Steps,
) -> Result<()> {
    system::require(system::Package::BROWSERS)?;
    steps.run("tools", || tools::install(root));
    steps.run("wasm", || wasm::build(root));
    steps.run("end to end", || browser_tests::run(root, browsers, servers));
    Ok(())
}

fn look_for_inputs(root: &Path, choice: &fuzz::Choice, steps: &mut Steps) -> Result<()> {
    system::require(&[system::Package::Compiler])?;
    steps.run("wasm", || wasm::build(root));
    steps.run("fuzz", || fuzz::fuzz(root, choice));
    Ok(())
}

/// All of them, with those of stores, or a few by their names.
fn faults(root: &Path, names: &[OsString], steps: &mut Steps) -> Result<()> {
    system::require(system::Package::FAULTS)?;
    let is_all = names.is_empty();
    steps.run("tools", || {
        tools::install(root)?;
        if is_all {
            tools::install_more(root)
        } else {
            Ok(())
        }
    });
    steps.run("wasm", || wasm::build(root));
    steps.run("server", || browser_tests::build_server(root).map(drop));
    if is_all {
        steps.run("stores", || rust::stores(root));
    }
    steps.run("faults", || rust::faults(root, names));
    Ok(())
}
