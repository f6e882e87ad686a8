//! Giving a claimant the body: the range it asks for, part after part, while its lease lives. Where a body is given once, it
//! is given whole.

use std::ops::Range;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use onetimeshare_protocol::id::{ClaimToken, ClaimVerifier, TransferId};

use super::once::OnlyFetch;
use super::{Service, ServiceResult, flatten};
use crate::blob::ByteStream;
use crate::record::{BodyPlace, StoreError, StoreResult};
use crate::token;

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
    /// Ends the lease when the stream is over or dropped, where it allowed no other fetch.
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
        } = flatten(self.records.fetch(id, &claimant, self.moment()).await)?;
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
    fn stream(self) -> ByteStream {
        stream::try_unfold(self, Self::next_part)
            .try_flatten()
            .boxed()
    }

    /// The bytes of the next part within the range. The lease is renewed as bytes flow; a body whose last lease has ended is
    /// cut off here, at the latest.
    async fn next_part(mut self) -> StoreResult<Option<(ByteStream, Self)>> {
        if self.range.is_empty() {
            if let Some(only) = self.only {
                only.end().await;
            }
            return Ok(None);
        }
        let index = self.range.start / self.part_len;
        let part_start = index * self.part_len;
        let end = self.range.end.min(part_start + self.part_len);
        let within = self.range.start - part_start..end - part_start;
        let Service { records, blobs, .. } = &self.service;
        if records
            .renew(&self.id, &self.claimant, self.service.moment())
            .await?
            .is_err()
        {
            return Err(StoreError::Interrupted);
        }
        let object = records
            .part_object(&self.id, index)
            .await?
            .ok_or(StoreError::Interrupted)?;
        let bytes = blobs.read(&object, within).await?;
        let bytes = bytes.ok_or_else(|| {
            StoreError::Corrupt(format!("{object:?} is recorded, but not stored"))
        })?;
        self.range.start = end;
        let bytes = match &self.only {
            Some(only) => only.keep_alive(bytes),
            None => bytes,
        };
        Ok(Some((bytes, self)))
    }
}
