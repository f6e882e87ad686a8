//! Clients that mean harm beside others that do not: how long the former stay, and what the latter notice of them. The control is a bare
//! `axum::serve` with the same router.

mod flood;
mod normal;
mod slow;

pub(crate) mod bare;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, anyhow};
use tokio::task::spawn_blocking;

use self::flood::{Flood, Outcome};
use self::normal::Normal;
use crate::figures::{self, Hostile};
use crate::target::Running;

/// Connections that flood at once.
const FLOODING: usize = 4;

/// How long one batch of a flood may wait for the server.
const PATIENCE: Duration = Duration::from_secs(30);

/// Measures slow clients against both, then each flood against the server.
pub(crate) async fn run(server: &Path, folder: &Path, quick: bool) -> Result<Hostile> {
    let mut found = Hostile {
        slow: Vec::new(),
        floods: Vec::new(),
    };
    let passes = if quick { 1 } else { 3 };
    for pass in 0..passes {
        for is_bare in [false, true] {
            let own = folder.join(format!("slow-{pass}-{is_bare}"));
            let running = if is_bare {
                Running::start_bare(&own).await?
            } else {
                Running::start_server(server, &own).await?
            };
            found.slow.push(slow::run(&running, is_bare, quick).await?);
            running.stop()?;
        }
    }
    for flood in Flood::ALL {
        let running =
            Running::start_server(server, &folder.join("floods").join(name(flood))).await?;
        found.floods.push(measure(&running, flood, quick).await?);
        running.stop()?;
    }
    Ok(found)
}

/// One flood, beside normal requests.
async fn measure(running: &Running, flood: Flood, quick: bool) -> Result<figures::Flood> {
    let (steps, length) = if quick {
        (10_000, Duration::from_secs(2))
    } else {
        (100_000, Duration::from_secs(10))
    };
    let normal = Normal::new(running.address)?;
    let quiet = normal.measure(length).await?;
    let before_kib = running.peak_kib()?;
    let address = running.address;
    let flooding = async {
        let floods = (0..FLOODING).map(|_| repeat(flood, address, steps));
        futures_util::future::try_join_all(floods).await
    };
    let (outcomes, attacked) = tokio::join!(flooding, normal.measure(length));
    let outcomes = outcomes?.concat();
    Ok(figures::Flood {
        name: name(flood).to_owned(),
        steps: outcomes.iter().map(|outcome| outcome.sent).sum(),
        connections: outcomes.len(),
        ended: outcomes.iter().filter(|outcome| !outcome.is_whole).count(),
        goaway: outcomes.iter().find_map(|outcome| outcome.goaway),
        quiet_p99_ms: quiet.percentile_ms(99),
        attacked_p99_ms: attacked?.percentile_ms(99),
        grown_kib: running.peak_kib()?.saturating_sub(before_kib),
    })
}

/// Floods, on one connection after the other, until so many steps were taken or a hundred connections have been ended.
async fn repeat(flood: Flood, address: SocketAddr, steps: u64) -> Result<Vec<Outcome>> {
    let flooding = spawn_blocking(move || {
        let (mut outcomes, mut left) = (Vec::new(), steps);
        while left > 0 && outcomes.len() < 100 {
            let outcome = flood.run(address, left, PATIENCE)?;
            left = left.saturating_sub(outcome.sent.max(1));
            outcomes.push(outcome);
        }
        Ok(outcomes)
    });
    flooding
        .await
        .map_err(|error| anyhow!("a flood ended: {error}"))?
}

/// As the figures name it.
const fn name(flood: Flood) -> &'static str {
    match flood {
        Flood::RapidReset => "rapid reset",
        Flood::Continuation => "CONTINUATION",
        Flood::EmptyContinuation => "empty CONTINUATION",
        Flood::EmptyBody => "empty DATA",
        Flood::TinyBody => "DATA of one byte",
        Flood::Settings => "SETTINGS",
        Flood::Ping => "PING",
        Flood::WindowUpdate => "WINDOW_UPDATE of one byte",
        Flood::Priority => "PRIORITY",
        Flood::Unopened => "RST_STREAM of streams that are closed",
        Flood::Unknown => "unknown frames",
    }
}
