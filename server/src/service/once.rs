//! The only fetch that a claimant is allowed: ended when its bytes stop, however that comes.
//! If this process dies instead, the lease lapses by itself.

use onetimeshare_protocol::id::{ClaimVerifier, TransferId};
use tokio::runtime::Handle;
use tracing::warn;

use super::Service;

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
