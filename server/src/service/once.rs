//! The only fetch that a claimant is allowed: kept alive while its bytes flow, and ended when they stop, however that comes.
//! If this process dies instead, the lease lapses by itself.

use futures_util::{StreamExt as _, stream};
use onetimeshare_protocol::id::{ClaimVerifier, TransferId};
use tokio::runtime::Handle;
use tracing::warn;

use super::Service;
use crate::blob::ByteStream;
use crate::record::{StoreError, StoreResult};
use crate::transfer::ONCE_RENEW_S;

/// Whose fetch it is.
#[derive(Clone)]
struct Claimant {
    service: Service,
    id: TransferId,
    verifier: ClaimVerifier,
}

impl Claimant {
    async fn end(&self) {
        let Service {
            records, erased, ..
        } = &self.service;
        let ended = records
            .end_fetch(&self.id, &self.verifier, self.service.moment())
            .await;
        if let Err(error) = ended {
            warn!(%error, id = ?self.id, "the end of a fetch is not recorded: it will lapse");
        }
        erased.notify_one();
    }

    /// Shows that the fetch goes on. An error when it must not: burnt, or too late.
    async fn renew(&self) -> StoreResult<()> {
        let (records, now) = (&self.service.records, self.service.moment());
        let renewed = records.renew(&self.id, &self.verifier, now).await?;
        renewed.map(|_| ()).map_err(|_| StoreError::Interrupted)
    }
}

/// A fetch that may not be repeated. It is over when this is dropped.
pub(super) struct OnlyFetch {
    claimant: Claimant,
    is_over: bool,
}

impl OnlyFetch {
    /// Of a fetch that the record store has begun.
    pub(super) fn new(service: &Service, id: &TransferId, verifier: &ClaimVerifier) -> Self {
        let claimant = Claimant {
            service: service.clone(),
            id: id.clone(),
            verifier: verifier.clone(),
        };
        Self {
            claimant,
            is_over: false,
        }
    }

    /// Every byte was taken.
    pub(super) async fn end(mut self) {
        self.claimant.end().await;
        self.is_over = true;
    }

    /// Passes `bytes` on and renews the lease while they flow, so that one that is slow is told from one that stands still.
    pub(super) fn keep_alive(&self, bytes: ByteStream) -> ByteStream {
        let claimant = self.claimant.clone();
        let renewed_at = claimant.service.clock.now();
        let kept = stream::try_unfold(
            (claimant, bytes, renewed_at),
            |(claimant, mut bytes, renewed_at)| async move {
                let Some(piece) = bytes.next().await.transpose()? else {
                    return Ok(None);
                };
                let now = claimant.service.clock.now();
                let is_due = now >= renewed_at.saturating_add(ONCE_RENEW_S);
                if is_due {
                    claimant.renew().await?;
                }
                let renewed_at = if is_due { now } else { renewed_at };
                Ok(Some((piece, (claimant, bytes, renewed_at))))
            },
        );
        kept.boxed()
    }
}

impl Drop for OnlyFetch {
    /// The connection broke, or nobody polled to the end.
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        // Without a runtime the process is ending.
        if let Ok(runtime) = Handle::try_current() {
            let claimant = self.claimant.clone();
            runtime.spawn(async move { claimant.end().await });
        }
    }
}
