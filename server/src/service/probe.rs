//! Whether both stores answer: found out by one of all who ask at a time, since anybody may ask, and told to the others.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::record::{StoreError, StoreResult};

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

/// What was found last, and when.
#[derive(Debug, Default)]
pub(super) struct Probe(Mutex<Option<(Instant, Result<(), Unready>)>>);

impl Probe {
    /// What `find` finds, or has just found for another.
    pub(super) async fn ask(
        &self,
        find: impl Future<Output = Result<(), Unready>>,
    ) -> Result<(), Unready> {
        let mut last = self.0.lock().await;
        if let Some((at, found)) = &*last
            && at.elapsed() < KEPT
        {
            return found.clone();
        }
        let found = find.await;
        *last = Some((Instant::now(), found.clone()));
        found
    }
}

/// Whether this store answers, in time.
pub(super) async fn probe(
    store: &'static str,
    probing: impl Future<Output = StoreResult<()>>,
) -> Result<(), Unready> {
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
}
