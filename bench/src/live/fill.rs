//! Fills a record store through its own trait, many steps at once; no server runs meanwhile.

use std::ops::Range;
use std::path::Path;

use anyhow::{Result, anyhow};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use onetimeshare_server::blob::folder::FolderStore;
use onetimeshare_server::clock::{Clock as _, SystemClock};
use onetimeshare_server::record::sqlite::SqliteStore;
use onetimeshare_server::record::{NewTransfer, RecordStore as _};
use onetimeshare_server::service::match_stores;
use onetimeshare_server::transfer::{Creation, Moment, Periods};

use crate::transfer::{Identity, Inline, TTL_S};

/// Steps under way at once: more than the writer takes into one commit.
const AT_ONCE: usize = 1_024;

/// Opens that each live transfer has: more than any measurement takes.
const CLAIMS_MAX: u32 = 100;

/// Periods that a step asks for; none of them ends within a measurement.
const PERIODS: Periods = Periods {
    lease_s: 600,
    lease_max_s: 86_400,
    tombstone_ttl_s: 86_400,
    upload_idle_s: 3_600,
    part_deadline_s: 3_600,
};

/// Adds transfers that wait to be opened.
pub(super) async fn live(folder: &Path, sealed: &Inline, numbers: Range<u64>) -> Result<()> {
    fill(folder, sealed, numbers, SystemClock::start().now()).await
}

/// Adds transfers whose time is over.
pub(super) async fn due(folder: &Path, sealed: &Inline, numbers: Range<u64>) -> Result<()> {
    fill(
        folder,
        sealed,
        numbers,
        SystemClock::start().now() - TTL_S - 1,
    )
    .await
}

async fn fill(folder: &Path, sealed: &Inline, numbers: Range<u64>, now: u64) -> Result<()> {
    let records = SqliteStore::open(folder)?;
    let blobs = FolderStore::open(&folder.join("blobs"))?;
    match_stores(&records, &blobs).await?;
    let at = Moment {
        now,
        periods: PERIODS,
    };
    let steps = stream::iter(numbers).map(|number| records.create(new(number, sealed), at));
    let outcomes = steps.buffer_unordered(AT_ONCE).map_err(anyhow::Error::from);
    outcomes
        .try_for_each(async |outcome| {
            outcome
                .map(|_| ())
                .map_err(|_| anyhow!("a new transfer is refused by the store"))
        })
        .await
}

fn new(number: u64, sealed: &Inline) -> NewTransfer {
    let request = Identity::of(number).create(sealed, CLAIMS_MAX);
    NewTransfer {
        creation: Creation {
            id: request.id,
            link_verifier: request.link_verifier,
            access_verifier: request.access_verifier,
            owner_verifier: request.owner_verifier,
            // The digest serves repeats of the request, of which there is none here.
            create_digest: [0; 32],
            manifest_len: sealed.manifest.len().try_into().unwrap_or(u64::MAX),
            body_len: request.body_len,
            part_len: 8 << 20,
            is_inline: true,
            ttl_s: request.ttl_s,
            claims_max: request.claims_max,
            holder: None,
        },
        manifest: sealed.manifest.clone(),
        body: Some(sealed.body.clone()),
        refusal: None,
    }
}
