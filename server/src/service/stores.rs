//! Two stores are used together only if they carry the same random id: an empty, strange or restored store never costs a
//! transfer, because the server does not start on it and nothing is swept.

use std::time::Duration;

use tokio::time::sleep;
use tracing::info;

use crate::blob::BlobStore;
use crate::record::{Adoption, BEHIND_MAX_S, RecordStore, StoreError, StoreId};

/// How often a server looks whether another has given the blob store its id.
const ADOPTION_PERIOD: Duration = Duration::from_millis(100);

/// Why two stores may not be used together.
#[derive(Debug, thiserror::Error)]
pub enum MatchError {
    /// The blob store belongs to other records.
    #[error(
        "the blob store belongs to another record store: point the server at the two that belong together, or at an empty pair"
    )]
    Strangers,
    /// The blob store is empty, but the records name parts in it.
    #[error(
        "the blob store is empty, but the record store names parts in it: is its folder mounted, or its bucket the right one? Bring it back, or begin with an empty pair"
    )]
    BlobsLost,
    /// The blob store is empty, and the records' blobs were kept in another.
    #[error(
        "this blob store is empty, and the record store has another: give this server the same --blob-url as the others that use \
         these records, or bring the folder or bucket back; if it is lost, begin with an empty pair"
    )]
    Elsewhere,
    /// The records are older than what the blob store was told of them.
    #[error(
        "the record store is an old copy of itself, and what was opened since could be opened again: bring the present one back, \
         begin with an empty pair, or accept that with --redis-accept restored"
    )]
    Restored,
    /// A store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Checks, at the start, that the stores belong together. A blob store that was never used is taken for a record store that
/// names no object in it, and whose blobs are nowhere else.
pub async fn match_stores(
    records: &dyn RecordStore,
    blobs: &dyn BlobStore,
) -> Result<(), MatchError> {
    let expected = records.store_id().await?;
    if blobs.store_id().await?.is_none() {
        adopt(records, blobs, &expected).await?;
    }
    match blobs.store_id().await? {
        Some(found) if found == expected => {
            records.end_adoption().await?;
            check_marks(records, blobs).await
        }
        Some(_) => Err(MatchError::Strangers),
        None => Err(MatchError::BlobsLost),
    }
}

/// Sees to it that a blob store without an id gets one: from this server, or from another that began at once with it.
async fn adopt(
    records: &dyn RecordStore,
    blobs: &dyn BlobStore,
    expected: &StoreId,
) -> Result<(), MatchError> {
    if !records.has_no_parts().await? {
        return Err(MatchError::BlobsLost);
    }
    let mut is_waiting = false;
    loop {
        let adoption = records.begin_adoption().await?;
        if adoption == Adoption::Open {
            return give_id(blobs, expected).await;
        }
        // By now the other may have done it, where both have the same blob store.
        if blobs.store_id().await?.is_some() {
            return Ok(());
        }
        if adoption == Adoption::Done {
            return Err(MatchError::Elsewhere);
        }
        if !is_waiting {
            info!("another server is giving the blob store its id: waiting for up to two minutes");
            is_waiting = true;
        }
        sleep(ADOPTION_PERIOD).await;
    }
}

/// Gives the blob store its id. Of servers that do so at once, one does, and the others find it done.
async fn give_id(blobs: &dyn BlobStore, expected: &StoreId) -> Result<(), MatchError> {
    let Err(error) = blobs.adopt(expected).await else {
        return Ok(());
    };
    match blobs.store_id().await? {
        Some(_) => Ok(()),
        None => Err(error.into()),
    }
}

/// Checks, while they are used, that the stores still belong together. A blob store without an id was not there when the
/// server started: a folder that was unmounted, most likely.
pub(crate) async fn check_stores(
    records: &dyn RecordStore,
    blobs: &dyn BlobStore,
) -> Result<(), MatchError> {
    let expected = records.store_id().await?;
    match blobs.store_id().await? {
        Some(found) if found == expected => check_marks(records, blobs).await,
        Some(_) => Err(MatchError::Strangers),
        None => Err(MatchError::BlobsLost),
    }
}

/// Every mark is kept with the records before it is left with the blobs. Where it is found there and is gone here, the records
/// were restored from an earlier day.
async fn check_marks(records: &dyn RecordStore, blobs: &dyn BlobStore) -> Result<(), MatchError> {
    let Some(kept) = records.mark().await? else {
        return Ok(());
    };
    let left = blobs.mark().await?.unwrap_or(0);
    // Another server may have left it, and this one know of none so new.
    records.expect_mark(left);
    let is_behind = |kept: u64| left > kept.saturating_add(BEHIND_MAX_S);
    // Between the two readings another server may have moved it on, and after a long stop by more than that.
    if is_behind(kept) && records.mark().await?.is_some_and(is_behind) {
        return Err(MatchError::Restored);
    }
    Ok(())
}

/// Moves the mark on, from time to time.
pub(crate) async fn leave_mark(
    records: &dyn RecordStore,
    blobs: &dyn BlobStore,
) -> Result<(), StoreError> {
    match records.advance_mark().await? {
        Some(mark) => blobs.set_mark(mark).await,
        None => Ok(()),
    }
}
