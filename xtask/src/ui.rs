//! What these entry points say in the terminal: lower case, no full stop, on standard error; never part of a program's
//! output.
#![expect(
    clippy::print_stderr,
    reason = "this is the one place where the entry points print"
)]

use std::time::Duration;

/// A fault, before the command ends.
pub(crate) fn error(text: &str) {
    eprintln!("error: {text}");
}

/// One line about what is going on.
pub(crate) fn note(text: &str) {
    eprintln!("{text}");
}

/// A step begins.
pub(crate) fn step(name: &str) {
    eprintln!("\n== {name}");
}

/// A step ended after `took`.
pub(crate) fn step_ended(name: &str, took: Duration, passed: bool) {
    let verdict = if passed { "ok" } else { "FAILED" };
    eprintln!("== {name}: {verdict} ({:.1} s)", took.as_secs_f64());
}

/// The commands there are.
pub(crate) fn usage() {
    eprintln!(
        "usage: cargo xtask COMMAND

  serve [-- ARGS]   build everything and start the server; ARGS are the server's own
  test              every test, and every check but that of the documentation
  check             formatting, lints, documentation, the rules of the tree
  wasm              build the browsers' half into www/wasm/
  faults [NAME]…    the long run of the tests of faults: kills, failing writes, cut connections, a full disk, a clock that is set;
                    and of what strangers and operators can learn; or of those of them whose names hold NAME
  fuzz [TARGET]… [--for 10m] [--keep]
                    look for inputs that break what must hold of links, manifests, bodies, requests, headers and settings, with libFuzzer;
                    --for 90s, 10m or 2h is for all together; --keep adds what reached new code to fuzz/corpus/
  otel              lints and tests of the server with spans for a collector (docs/monitoring.md), a feature that no release has
  bench [crypto|load|live|hostile]… [--quick]
                    measure, and write docs/performance.md; parts of it, or --quick, go to target/bench/ instead
  dist              make what people download, into target/dist/: the server as a static program, its lists of hashes and packages,
                    checksums; --twice makes it in two places and compares; --gather DIR… joins what several machines made
  dist --image      build the image of the Dockerfile, start it as it is meant to run, and pass a text through it; as root
  screens [DIR]     take the screenshots, into docs/screens/ unless told otherwise

the steps of test, each alone:
  unit              the Rust tests
  deny [--advisories]
                    what comes from outside, against deny.toml; or what is known against it, which needs more of the network
  reproducible      that two places build the same WebAssembly and the same pages
  tools             only install what they start: S3 servers, and readers of deployment files, below target/
  wasm-vectors      the format's vectors, in WebAssembly
  www               types and unit tests of the pages
  openapi [-- ARGS] the server against its own document; ARGS are schemathesis's
  e2e [--several] [--browser chromium|firefox]…
                    send and open in real browsers"
    );
}
