//! The control: the same router on the same stores, served by `axum::serve` as its documentation has it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use onetimeshare_server::app::App;
use onetimeshare_server::blob::folder::FolderStore;
use onetimeshare_server::clock::SystemClock;
use onetimeshare_server::record::sqlite::SqliteStore;
use onetimeshare_server::router::router;
use onetimeshare_server::service::{Limits, Service, match_stores};
use onetimeshare_server::transfer::Periods;
use tokio::net::TcpListener;

/// The server's own defaults.
const LIMITS: Limits = Limits {
    transfer_size_max: 2 << 30,
    inline_max: 64 << 10,
    part_len: 8 << 20,
    ttl_max_s: 7 * 86_400,
    ttl_default_s: 86_400,
    ttl_min_s: 60,
    claims_max: 100,
};

/// Likewise.
const PERIODS: Periods = Periods {
    lease_s: 600,
    lease_max_s: 86_400,
    tombstone_ttl_s: 86_400,
    upload_idle_s: 3_600,
    part_deadline_s: 600,
};

/// Serves from `folder` until the process is ended.
pub(crate) async fn serve(listen: SocketAddr, folder: &Path) -> Result<()> {
    let records = SqliteStore::open(folder)?;
    let blobs = FolderStore::open(&folder.join("blobs"))?;
    match_stores(&records, &blobs).await?;
    let clock = Arc::new(SystemClock::start());
    let service = Service::new(Arc::new(records), Arc::new(blobs), clock, LIMITS, PERIODS);
    let listener = TcpListener::bind(listen).await?;
    axum::serve(listener, router(App::new(Arc::new(service)))).await?;
    Ok(())
}
