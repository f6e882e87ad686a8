//! Many large uploads at once: whether the server's memory stays bounded. They are sealed part by part, as a page does.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use tokio::task::JoinSet;

use super::large::send;
use crate::client::Client;
use crate::figures::Uploads;
use crate::stopwatch::Stopwatch;
use crate::target::{Kind, Programs, Running};
use crate::transfer::Sealing;

/// As much as sealing any one part needs: 8 MiB and the chunks at its borders.
const CONTENT_LEN: usize = 9 << 20;

/// Sends all of them and looks at the server's memory.
pub(super) async fn run(programs: &Programs, folder: &Path, quick: bool) -> Result<Uploads> {
    let (count, content_len) = if quick {
        (10, 20 << 20)
    } else {
        (50, 100 << 20)
    };
    let own = folder.join("uploads");
    let running = Running::start(programs, Kind::Onetimeshare, &own).await?;
    let idle_kib = running.peak_kib()?;
    let content: Arc<[u8]> = vec![7; CONTENT_LEN].into();
    let begun = Stopwatch::start();
    let mut tasks = JoinSet::new();
    for _ in 0..count {
        let (content, address) = (Arc::clone(&content), running.address);
        tasks.spawn(async move {
            let mut client = Client::connect(address).await?;
            send(&mut client, &mut Sealing::begin(content_len)?, &content).await
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.map_err(|error| anyhow!("an upload ended: {error}"))??;
    }
    let seconds = begun.elapsed().as_secs_f64();
    let peak_kib = running.peak_kib()?;
    running.stop()?;
    fs::remove_dir_all(&own)?;
    Ok(Uploads {
        count,
        content_len,
        seconds,
        idle_kib,
        peak_kib,
    })
}
