//! Whole transfers by many clients at once, each beginning the next when one is done: how many a second, and how long
//! one takes. The targets take turns, so that a busy moment of the machine does not hit one alone.

pub(crate) mod large;
mod small;
mod uploads;

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::client::Client;
use crate::figures::{Cell, Load, Pass};
use crate::percentile::Sorted;
use crate::stopwatch::Stopwatch;
use crate::target::{Kind, Programs, Running};

/// Clients at once.
const CLIENTS: &[usize] = &[1, 30, 100, 300];
/// The same for a quick look.
const CLIENTS_QUICK: &[usize] = &[1, 100];

/// What every client does, again and again.
#[derive(Clone)]
enum Scenario {
    Small(Arc<small::Pool>),
    Large(Arc<[u8]>),
}

impl Scenario {
    /// Whatever can be made before the clock runs.
    fn prepare(is_large: bool, pass_s: u64, clients: usize) -> Result<Self> {
        if is_large {
            return Ok(Self::Large(large::content().into()));
        }
        Ok(Self::Small(Arc::new(small::Pool::new(pass_s, clients)?)))
    }

    /// One transfer, from its creation until it is erased; false when nothing is left to send.
    async fn transfer(&self, client: &mut Client, kind: Kind) -> Result<bool> {
        match self {
            Self::Small(pool) => pool.transfer(client, kind).await,
            Self::Large(content) => large::transfer(client, kind, content).await.map(|()| true),
        }
    }
}

/// Measures every scenario, number of clients and target.
pub(crate) async fn run(programs: &Programs, folder: &Path, quick: bool) -> Result<Load> {
    let (pass_count, pass_s, numbers) = if quick {
        (1, 1, CLIENTS_QUICK)
    } else {
        (3, 2, CLIENTS)
    };
    let mut cells = Vec::new();
    for is_large in [false, true] {
        for &clients in numbers {
            let mut passes = Kind::ALL.map(|_| Vec::new());
            for _ in 0..pass_count {
                for (kind, passes) in Kind::ALL.into_iter().zip(&mut passes) {
                    let run = Run {
                        scenario: Scenario::prepare(is_large, pass_s, clients)?,
                        kind,
                        clients,
                        length: Duration::from_secs(pass_s),
                    };
                    passes.push(pass(programs, folder, &run).await?);
                }
            }
            let targets = Kind::ALL.into_iter().zip(passes);
            cells.extend(targets.map(|(kind, passes)| Cell {
                scenario: if is_large { "large" } else { "small" }.to_owned(),
                target: kind.name().to_owned(),
                clients,
                passes,
            }));
        }
    }
    Ok(Load {
        pass_s,
        cells,
        uploads: uploads::run(programs, folder, quick).await?,
    })
}

/// One pass: who is asked for what, by how many, for how long.
struct Run {
    scenario: Scenario,
    kind: Kind,
    clients: usize,
    length: Duration,
}

/// Starts the target afresh, so that every pass finds an empty disk and an unused process.
async fn pass(programs: &Programs, folder: &Path, run: &Run) -> Result<Pass> {
    let own = folder.join(run.kind.name());
    let running = Running::start(programs, run.kind, &own).await?;
    let (durations, elapsed) = repeat(running.address, run)
        .await
        .with_context(|| format!("{} with {} clients", run.kind.name(), run.clients))?;
    let peak_kib = running.peak_kib()?;
    running.stop()?;
    fs::remove_dir_all(&own)?;
    let sorted = Sorted::new(durations);
    Ok(Pass {
        rate: f64::from(u32::try_from(sorted.count())?) / elapsed.as_secs_f64(),
        p50_ms: sorted.percentile_ms(50),
        p95_ms: sorted.percentile_ms(95),
        p99_ms: sorted.percentile_ms(99),
        peak_kib,
    })
}

/// How long every transfer took, and all of them together.
async fn repeat(address: SocketAddr, run: &Run) -> Result<(Vec<Duration>, Duration)> {
    let start = Arc::new(Barrier::new(run.clients + 1));
    let mut tasks = JoinSet::new();
    for _ in 0..run.clients {
        let (start, scenario) = (Arc::clone(&start), run.scenario.clone());
        let (kind, length) = (run.kind, run.length);
        tasks.spawn(async move {
            // The first one warms up connection, caches and allocators, and is not counted.
            let warm = async {
                let mut client = Client::connect(address).await?;
                scenario.transfer(&mut client, kind).await?;
                anyhow::Ok(client)
            };
            let warm = warm.await;
            start.wait().await;
            let mut client = warm?;
            let begun = Stopwatch::start();
            let mut durations = Vec::new();
            while begun.elapsed() < length {
                let one = Stopwatch::start();
                if !scenario.transfer(&mut client, kind).await? {
                    break;
                }
                durations.push(one.elapsed());
            }
            anyhow::Ok(durations)
        });
    }
    start.wait().await;
    let begun = Stopwatch::start();
    let mut durations = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        durations.extend(ended.map_err(|error| anyhow!("a client ended: {error}"))??);
    }
    Ok((durations, begun.elapsed()))
}
