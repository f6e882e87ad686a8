//! What it costs when many transfers wait: starting, each call, sweeping, and room on the disk.

mod disk;
mod fill;

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use hyper::Method;
use onetimeshare_protocol::route;
use onetimeshare_protocol::transfer::StatsAnswer;

use self::disk::Disk;
use crate::client::{Call, Client};
use crate::figures::{self, Live};
use crate::percentile::Sorted;
use crate::stopwatch::Stopwatch;
use crate::target::Running;
use crate::transfer::{Identity, Inline, token};

/// Bytes of each text.
const CONTENT_LEN: usize = 1024;

/// How many transfers are due at once.
const DUE: u64 = 10_000;

/// How often the server is started.
const STARTS: usize = 5;

/// How long a sweep may take.
const SWEEP_MAX: Duration = Duration::from_mins(2);

/// Numbers of transfers that are used for one thing only: those that expire, and those made by calls.
const DUE_FROM: u64 = 1 << 40;
const CALLED_FROM: u64 = 1 << 41;

/// Measures at each number of live transfers, with one store that grows.
pub(crate) async fn run(server: &Path, folder: &Path, quick: bool) -> Result<Vec<Live>> {
    let counts: &[u64] = if quick {
        &[1_000, 50_000]
    } else {
        &[1_000, 100_000, 1_000_000]
    };
    let store = Store {
        server,
        folder: folder.join("live"),
        sealed: Inline::seal(CONTENT_LEN)?,
        samples: if quick { 200 } else { 1_000 },
    };
    fs::create_dir_all(&store.folder)?;
    let mut found = Vec::new();
    let mut filled = 0;
    for (level, &count) in (0..).zip(counts) {
        found.push(store.measure(level, filled..count).await?);
        filled = count;
    }
    fs::remove_dir_all(&store.folder)?;
    Ok(found)
}

/// The store that grows, and how it is measured.
struct Store<'a> {
    server: &'a Path,
    folder: PathBuf,
    sealed: Inline,
    samples: u64,
}

impl Store<'_> {
    /// Adds the transfers of these numbers, and measures with all up to the last of them.
    async fn measure(&self, level: u64, added: Range<u64>) -> Result<Live> {
        let count = added.end;
        let rows = f64::from(u32::try_from(count - added.start)?);
        let filling = Stopwatch::start();
        fill::live(&self.folder, &self.sealed, added).await?;
        let fill_rate = rows / filling.elapsed().as_secs_f64();
        let database_len = database_len(&self.folder)?;
        let mut start_ms = Vec::new();
        for _ in 0..STARTS {
            let running = Running::start_server(self.server, &self.folder).await?;
            start_ms.push(running.start_ms);
            running.stop()?;
        }
        // After those starts, each of which would have swept them.
        let due_from = DUE_FROM + level * DUE;
        fill::due(&self.folder, &self.sealed, due_from..due_from + DUE).await?;
        let sweeping = Stopwatch::start();
        let running = Running::start_server(self.server, &self.folder).await?;
        let mut asking = Asking {
            client: Client::connect(running.address).await?,
            disk: Disk::new(&self.folder.with_extension("disk"))?,
            sealed: &self.sealed,
            next: CALLED_FROM + level * (1 << 20),
        };
        asking.until_expired((level + 1) * DUE).await?;
        let sweep_s = sweeping.elapsed().as_secs_f64();
        let calls = asking.calls(count, self.samples).await?;
        let peak_kib = running.peak_kib()?;
        running.stop()?;
        Ok(Live {
            count,
            fill_rate,
            database_len,
            start_ms,
            due: DUE,
            sweep_s,
            peak_kib,
            calls,
        })
    }
}

/// The files of the record store, all together.
fn database_len(folder: &Path) -> Result<u64> {
    let mut len = 0;
    for entry in fs::read_dir(folder)? {
        let found = entry?.metadata()?;
        len += if found.is_file() { found.len() } else { 0 };
    }
    Ok(len)
}

/// One connection to the server, and numbers for transfers of its own.
struct Asking<'a> {
    client: Client,
    disk: Disk,
    sealed: &'a Inline,
    next: u64,
}

impl Asking<'_> {
    /// Waits until `expected` have expired since the store was made.
    async fn until_expired(&mut self, expected: u64) -> Result<()> {
        let waiting = Stopwatch::start();
        loop {
            let stats = Call::new(Method::GET, route::STATS, Bytes::new());
            let stats: StatsAnswer = serde_json::from_slice(&self.client.call(stats).await?)?;
            if stats.expired >= expected {
                return Ok(());
            }
            if waiting.elapsed() > SWEEP_MAX {
                bail!("{} of {expected} transfers have expired", stats.expired);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Each call `samples` times: of new transfers, and of those among `live` that lie far apart. The disk takes its turn
    /// too: after gigabytes were written it may be slower than before, and every call that changes something waits for it.
    async fn calls(&mut self, live: u64, samples: u64) -> Result<Vec<figures::Call>> {
        let old = |sample: u64| Identity::of(sample * 7_919 % live);
        let mut created = Vec::new();
        let mut peeked = Vec::new();
        let mut claimed = Vec::new();
        let mut synced = Vec::new();
        for sample in 0..samples {
            let fresh = self.fresh();
            let begun = Stopwatch::start();
            self.create(&fresh).await?;
            created.push(begun.elapsed());
            let begun = Stopwatch::start();
            self.peek(&old(sample)).await?;
            peeked.push(begun.elapsed());
            let begun = Stopwatch::start();
            self.claim(&old(sample)).await?;
            claimed.push(begun.elapsed());
            let begun = Stopwatch::start();
            self.disk.sync()?;
            synced.push(begun.elapsed());
        }
        let named = [
            ("create", created),
            ("peek", peeked),
            ("claim", claimed),
            ("disk alone", synced),
        ];
        Ok(named.map(|(name, durations)| call(name, durations)).into())
    }

    fn fresh(&mut self) -> Identity {
        self.next += 1;
        Identity::of(self.next)
    }

    async fn create(&mut self, identity: &Identity) -> Result<()> {
        let request = serde_json::to_vec(&identity.create(self.sealed, 1))?;
        let create = Call::new(Method::POST, route::TRANSFERS, request.into());
        self.client.call(create).await?;
        Ok(())
    }

    async fn peek(&mut self, identity: &Identity) -> Result<()> {
        let path = route::PEEK.replace("{id}", &identity.id().to_text());
        let request = serde_json::to_vec(&identity.claim())?;
        let peek = Call::new(Method::POST, &path, request.into());
        self.client.call(peek).await?;
        Ok(())
    }

    /// The claim token.
    async fn claim(&mut self, identity: &Identity) -> Result<String> {
        let token = token()?;
        let path = route::CLAIM.replace("{id}", &identity.id().to_text());
        let request = serde_json::to_vec(&identity.claim())?;
        let claim = Call::new(Method::POST, &path, request.into());
        let claimed = self.client.call(claim.by(&token)).await;
        claimed.context("a waiting transfer cannot be claimed")?;
        Ok(token)
    }
}

fn call(name: &str, durations: Vec<Duration>) -> figures::Call {
    let sorted = Sorted::new(durations);
    figures::Call {
        name: name.to_owned(),
        count: sorted.count(),
        p50_ms: sorted.percentile_ms(50),
        p99_ms: sorted.percentile_ms(99),
    }
}
