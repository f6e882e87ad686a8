//! Whether both stores answer, belong together and have room: found out by one of all who ask at a time, since anybody may ask, and told to the others.

use std::time::Duration;

use tokio::sync::{Mutex, OnceCell};
use tokio::time::{Instant, timeout};

use crate::blob::BlobStore;
use crate::record::{RecordStore, StoreError, StoreId, StoreResult, require_room};

/// A store that has not answered after so long is not ready.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// For so long what was found is told again.
const KEPT: Duration = Duration::from_secs(1);

/// A store that cannot be used.
#[derive(Clone, Debug)]
pub struct Unready {
    /// Which one, for a person to read.
    pub store: &'static str,
    /// Why.
    pub error: StoreError,
}

/// What was found, and when.
type Found = (Instant, Result<(), Unready>);

/// What was found last.
#[derive(Debug, Default)]
pub(super) struct Probe {
    last: Mutex<Option<Found>>,
    /// The id that both stores have: asked for once, since a record store has more to look at for it than for a probe.
    store_id: OnceCell<StoreId>,
}

impl Probe {
    /// What `find` finds, or has just found for another.
    pub(super) async fn ask(
        &self,
        find: impl Future<Output = Result<(), Unready>>,
    ) -> Result<(), Unready> {
        let mut last = self.last.lock().await;
        if let Some((at, found)) = &*last
            && at.elapsed() < KEPT
        {
            return found.clone();
        }
        let found = find.await;
        *last = Some((Instant::now(), found.clone()));
        found
    }

    /// Looks at both stores.
    pub(super) async fn find(
        &self,
        records: &dyn RecordStore,
        blobs: &dyn BlobStore,
    ) -> Result<(), Unready> {
        let looked_at = async {
            records.probe().await?;
            require_room(records.has_room())?;
            self.store_id.get_or_try_init(|| records.store_id()).await
        };
        let store_id = probe("record store", looked_at).await?;
        probe("blob store", match_blobs(blobs, store_id)).await
    }
}

/// Whether the blobs still have the records' id: a bucket that was emptied answers like any other.
async fn match_blobs(blobs: &dyn BlobStore, expected: &StoreId) -> StoreResult<()> {
    if blobs.store_id().await?.as_ref() == Some(expected) {
        return Ok(());
    }
    Err(StoreError::Corrupt(
        "the blob store was emptied, or is another than the server began with: bring it back"
            .to_owned(),
    ))
}

/// What this store answers, in time.
async fn probe<T>(
    store: &'static str,
    probing: impl Future<Output = StoreResult<T>>,
) -> Result<T, Unready> {
    let probed = timeout(PROBE_TIMEOUT, probing).await.unwrap_or_else(|_| {
        let reason = "it does not answer".to_owned();
        Err(StoreError::Unreachable(reason))
    });
    probed.map_err(|error| Unready { store, error })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures_util::future::join_all;
    use tokio::time::sleep;

    use super::*;
    use crate::blob::memory::MemoryBlobs;
    use crate::record::memory::MemoryStore;
    use crate::service::match_stores;

    /// Counts how often it is found out, which takes three seconds.
    async fn find(count: &AtomicU32, found: Result<(), Unready>) -> Result<(), Unready> {
        sleep(Duration::from_secs(3)).await;
        count.fetch_add(1, Ordering::SeqCst);
        found
    }

    fn full() -> Unready {
        Unready {
            store: "record store",
            error: StoreError::Full("so full".to_owned()),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn many_who_ask_are_told_what_one_has_found() {
        let (probe, count) = (Probe::default(), AtomicU32::new(0));
        for (round, found) in [(1, Ok(())), (2, Err(full())), (3, Ok(()))] {
            let asking = (0..50).map(|_| probe.ask(find(&count, found.clone())));
            for told in join_all(asking).await {
                assert_eq!(told.is_ok(), found.is_ok(), "{told:?}");
            }
            assert_eq!(count.load(Ordering::SeqCst), round);
            sleep(KEPT).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_leaves_while_it_is_found_out_takes_no_answer_along() {
        let (probe, count) = (Probe::default(), AtomicU32::new(0));
        let leaving = probe.ask(find(&count, Ok(())));
        timeout(Duration::from_secs(1), leaving).await.unwrap_err();
        probe.ask(find(&count, Err(full()))).await.unwrap_err();
        assert_eq!(count.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_store_has_lost_or_has_no_room_for_is_told_with_its_name() {
        let (records, blobs) = (MemoryStore::new().unwrap(), MemoryBlobs::default());
        match_stores(&records, &blobs).await.unwrap();
        let probe = Probe::default();
        probe.find(&records, &blobs).await.unwrap();

        records.set_room(false);
        let unready = probe.find(&records, &blobs).await.unwrap_err();
        assert_eq!(unready.store, "record store");
        assert!(matches!(unready.error, StoreError::Full(_)), "{unready:?}");
        records.set_room(true);
        probe.find(&records, &blobs).await.unwrap();

        blobs.lose_all();
        let unready = probe.find(&records, &blobs).await.unwrap_err();
        assert_eq!(unready.store, "blob store");
        assert!(
            matches!(unready.error, StoreError::Corrupt(_)),
            "{unready:?}"
        );
        blobs.adopt(&StoreId([1; 16])).await.unwrap();
        let unready = probe.find(&records, &blobs).await.unwrap_err();
        assert_eq!(unready.store, "blob store", "a stranger's");
    }
}
