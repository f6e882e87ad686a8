//! Giving a claimant the body: the range it asks for, part after part, while its lease lives. Where a body is given once, it
//! is given whole.

use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use onetimeshare_protocol::id::{ClaimToken, ClaimVerifier, TransferId};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tracing::error;

use super::even::answer;
use super::once::OnlyFetch;
use super::{Service, ServiceResult};
use crate::blob::ByteStream;
use crate::record::{BodyPlace, StoreError, StoreResult};
use crate::token;

/// How often the lease is looked at while a body is being sent: what is erased is let go of so soon.
const LEASE_CHECK: Duration = Duration::from_secs(5);

/// What a body's reader takes.
type Pieces = mpsc::Receiver<StoreResult<Bytes>>;

/// A body on its way to a claimant.
pub struct Download {
    /// Length of the whole sealed body, in bytes.
    pub body_len: u64,
    /// What of it follows, in bytes.
    pub range: Range<u64>,
    /// Whether this is all that the claimant will ever be given, whatever it asked for.
    pub is_whole: bool,
    /// Exactly the bytes of `range`, or fewer and an error.
    pub bytes: ByteStream,
}

/// What is still to be sent of a body in parts.
struct Remaining {
    service: Service,
    id: TransferId,
    claimant: ClaimVerifier,
    part_len: u64,
    range: Range<u64>,
    /// Ends the lease when all was taken or nobody takes it, where it allowed no other fetch.
    only: Option<OnlyFetch>,
}

impl Service {
    /// The body for a claimant with a live lease. `choose` picks the range when the body's length is known, unless the body is
    /// given once.
    pub async fn body(
        &self,
        id: &TransferId,
        claimant: &ClaimToken,
        choose: impl FnOnce(u64) -> ServiceResult<Range<u64>>,
    ) -> ServiceResult<Download> {
        let claimant = token::claim_verifier(claimant);
        let BodyPlace {
            body_len,
            part_len,
            inline,
            is_whole,
        } = answer(self.records.fetch(id, &claimant, self.moment())).await?;
        let only = is_whole.then(|| OnlyFetch::new(self, id, &claimant));
        let range = if is_whole {
            0..body_len
        } else {
            choose(body_len)?
        };
        let bytes = if let Some(body) = inline {
            let bound = |at: u64| usize::try_from(at).map_or(body.len(), |at| at.min(body.len()));
            stream::iter([Ok(body.slice(bound(range.start)..bound(range.end)))]).boxed()
        } else {
            let (service, id, range) = (self.clone(), id.clone(), range.clone());
            Remaining {
                service,
                id,
                claimant,
                part_len,
                range,
                only,
            }
            .stream()
        };
        Ok(Download {
            body_len,
            range,
            is_whole,
            bytes,
        })
    }
}

impl Remaining {
    /// Reads ahead in a task of its own, by no more than two pieces, so that a reader that stands still holds no file open
    /// after its lease has ended.
    fn stream(self) -> ByteStream {
        let (pieces, taken) = mpsc::channel(1);
        tokio::spawn(self.pump(pieces));
        let next = async |mut taken: Pieces| Some((taken.recv().await?, taken));
        stream::unfold(taken, next).boxed()
    }

    async fn pump(mut self, pieces: mpsc::Sender<StoreResult<Bytes>>) {
        let sent = self.send_all(&pieces).await;
        if let Some(only) = self.only.take() {
            only.end().await;
        }
        if let Err(error) = sent {
            // Its status is long out, so that no answer tells of it. One whose lease has ended, or whose reader has left, is no fault.
            if !matches!(error, StoreError::Interrupted) {
                error!(%error, id = ?self.id, "a store failed, and a body breaks off");
            }
            // Nothing of the store is held any more; why a lease ended is told when somebody asks.
            let _ = pieces.send(Err(error)).await;
        }
    }

    async fn send_all(&mut self, pieces: &mpsc::Sender<StoreResult<Bytes>>) -> StoreResult<()> {
        while !self.range.is_empty() {
            self.renew().await?;
            let mut part = self.next_part().await?;
            let mut renewed = Instant::now();
            while let Some(piece) = part.next().await {
                self.send(piece?, pieces).await?;
                if renewed.elapsed() >= LEASE_CHECK {
                    self.renew().await?;
                    renewed = Instant::now();
                }
            }
        }
        Ok(())
    }

    /// Hands a piece over. While nobody takes it the transfer is looked at, and the lease not renewed: no bytes flow. A fetch that may
    /// not be repeated is renewed all the same: it lives as long as its connection, which has a deadline of its own.
    async fn send(
        &self,
        piece: Bytes,
        pieces: &mpsc::Sender<StoreResult<Bytes>>,
    ) -> StoreResult<()> {
        loop {
            match tokio::time::timeout(LEASE_CHECK, pieces.reserve()).await {
                Ok(Ok(place)) => {
                    place.send(Ok(piece));
                    return Ok(());
                }
                Ok(Err(_)) => return Err(StoreError::Interrupted),
                Err(_) if self.only.is_some() => self.renew().await?,
                Err(_) => self.check().await?,
            }
        }
    }

    /// Renews the lease, because bytes flow. A body whose lease has ended is cut off.
    async fn renew(&self) -> StoreResult<()> {
        let at = self.service.moment();
        let renewed = self
            .service
            .records
            .renew(&self.id, &self.claimant, at)
            .await?;
        renewed.map(|_| ()).map_err(|_| StoreError::Interrupted)
    }

    /// Whether there still is something to hold on to: a transfer that is gone names no parts.
    async fn check(&self) -> StoreResult<()> {
        let begun = self.range.start.saturating_sub(1) / self.part_len;
        let object = self.service.records.part_object(&self.id, begun).await?;
        object.map(|_| ()).ok_or(StoreError::Interrupted)
    }

    /// The bytes of the next part within the range.
    async fn next_part(&mut self) -> StoreResult<ByteStream> {
        let index = self.range.start / self.part_len;
        let part_start = index * self.part_len;
        let end = self.range.end.min(part_start + self.part_len);
        let within = self.range.start - part_start..end - part_start;
        let Service { records, blobs, .. } = &self.service;
        let object = records
            .part_object(&self.id, index)
            .await?
            .ok_or(StoreError::Interrupted)?;
        let bytes = blobs.read(&object, within).await?;
        self.range.start = end;
        bytes.ok_or_else(|| StoreError::Corrupt(format!("{object:?} is recorded, but not stored")))
    }
}
