//! The use cases: what each call of the API means for the two stores. It knows no HTTP, no SQL and no file system, and
//! decides nothing that two servers must agree on: that is the record store's.

mod capacity;
mod download;
mod even;
mod invalid;
mod once;
mod probe;
mod room;
mod stores;
mod terms;
#[cfg(test)]
mod tests;
mod upload;

use std::sync::Arc;

use onetimeshare_protocol::id::{ClaimToken, OwnerToken, TransferId};
use onetimeshare_protocol::transfer::{
    ClaimAnswer, ClaimRequest, CompleteAnswer, PeekAnswer, PeekRequest, ReceiptAnswer,
};
use time::Date;
use tokio::sync::Notify;

pub use self::download::Download;
use self::even::answer;
pub use self::invalid::Invalid;
use self::probe::Probe;
pub use self::probe::Unready;
use self::room::Room;
pub use self::stores::{MatchError, match_stores};
pub(crate) use self::stores::{check_stores, leave_mark};
pub use self::terms::{Quota, Terms};
pub use self::upload::PartUpload;
use crate::blob::BlobStore;
use crate::clock::{Clock, date_of};
pub use crate::record::StoreError;
use crate::record::{Parts, RecordStore};
use crate::token;
use crate::transfer::{Moment, Periods, Refusal, Totals, UPLOAD_MAX_S};

/// What a sender may choose on this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most content of one transfer, in bytes.
    pub transfer_size_max: u64,
    /// Sealed bodies of at most so many bytes come inside the create request.
    pub inline_max: u64,
    /// Length of every part but the last, in bytes, for new transfers.
    pub part_len: u64,
    /// The longest life, in seconds.
    pub ttl_max_s: u64,
    /// The life that pages offer first, in seconds.
    pub ttl_default_s: u64,
    /// The shortest life, in seconds.
    pub ttl_min_s: u64,
    /// The most claims.
    pub claims_max: u32,
}

impl Limits {
    /// The most seconds that anything of a transfer can be of use after it was written: upload, life, leases and tombstone one
    /// after the other.
    pub fn age_max_s(&self, periods: &Periods) -> u64 {
        let stages = [
            UPLOAD_MAX_S,
            self.ttl_max_s,
            periods.lease_max_s,
            periods.tombstone_ttl_s,
        ];
        stages.into_iter().fold(0, u64::saturating_add)
    }
}

/// Why a use case did not come to its end.
#[derive(Debug)]
pub enum ServiceError {
    /// The transfer's state or the caller's proof does not allow it.
    Refused(Refusal),
    /// A value of the request cannot be taken.
    Invalid(Invalid),
    /// A store failed; nothing was consumed.
    Store(StoreError),
}

impl From<Refusal> for ServiceError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Invalid> for ServiceError {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid(invalid)
    }
}

impl From<StoreError> for ServiceError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What a use case comes to.
pub type ServiceResult<T> = Result<T, ServiceError>;

/// The use cases over one pair of stores.
#[derive(Clone)]
pub struct Service {
    records: Arc<dyn RecordStore>,
    blobs: Arc<dyn BlobStore>,
    clock: Arc<dyn Clock>,
    limits: Limits,
    periods: Periods,
    room: Arc<Room>,
    erased: Arc<Notify>,
    probe: Arc<Probe>,
}

impl Service {
    /// Over stores that [`match_stores`] has found to belong together.
    pub fn new(
        records: Arc<dyn RecordStore>,
        blobs: Arc<dyn BlobStore>,
        clock: Arc<dyn Clock>,
        limits: Limits,
        periods: Periods,
    ) -> Self {
        Self {
            records,
            blobs,
            clock,
            limits,
            periods,
            room: Arc::default(),
            erased: Arc::new(Notify::new()),
            probe: Arc::default(),
        }
    }

    /// The same with a bound on what is held in all, in bytes; none for as much as the stores take.
    #[must_use]
    pub fn with_storage_max(self, storage_max: Option<u64>) -> Self {
        Self {
            room: Arc::new(Room::new(storage_max)),
            ..self
        }
    }

    /// The most that may be held in all, in bytes; none for as much as the stores take.
    pub fn storage_max(&self) -> Option<u64> {
        self.room.storage_max()
    }

    /// What a sender may choose.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The periods that steps are decided with.
    pub const fn periods(&self) -> &Periods {
        &self.periods
    }

    /// The day, in UTC, that it will be in so many seconds.
    pub(crate) fn day_in(&self, seconds: u64) -> Date {
        date_of(self.clock.now().saturating_add(seconds))
    }

    /// Now, for one step.
    pub(crate) fn moment(&self) -> Moment {
        Moment {
            now: self.clock.now(),
            periods: self.periods,
        }
    }

    pub(crate) const fn records(&self) -> &Arc<dyn RecordStore> {
        &self.records
    }

    pub(crate) const fn blobs(&self) -> &Arc<dyn BlobStore> {
        &self.blobs
    }

    /// Lets the sweeper delete what a call that succeeded has erased. Calls that were refused wake nobody.
    fn wake_sweeper<T>(&self, result: ServiceResult<T>) -> ServiceResult<T> {
        if result.is_ok() {
            self.erased.notify_one();
        }
        result
    }

    /// Waits until something was erased by a call, so that its objects need not wait for the sweeper's timer.
    pub(crate) async fn erased(&self) {
        self.erased.notified().await;
    }

    /// Which parts of an upload are accepted.
    pub async fn parts(&self, id: &TransferId, owner: &OwnerToken) -> ServiceResult<Parts> {
        let owner = token::owner_verifier(owner);
        answer(self.records.parts(id, &owner, self.moment())).await
    }

    /// Makes a complete upload ready.
    pub async fn complete(
        &self,
        id: &TransferId,
        owner: &OwnerToken,
    ) -> ServiceResult<CompleteAnswer> {
        let owner = token::owner_verifier(owner);
        let (state, expires_at) = answer(self.records.complete(id, &owner, self.moment())).await?;
        Ok(CompleteAnswer { state, expires_at })
    }

    /// Destroys a transfer.
    pub async fn burn(&self, id: &TransferId, owner: &OwnerToken) -> ServiceResult<()> {
        let owner = token::owner_verifier(owner);
        self.wake_sweeper(answer(self.records.burn(id, &owner, self.moment())).await)
    }

    /// Restores the attempts that wrong access proofs have cost.
    pub async fn unlock(&self, id: &TransferId, owner: &OwnerToken) -> ServiceResult<()> {
        let owner = token::owner_verifier(owner);
        answer(self.records.unlock(id, &owner, self.moment())).await
    }

    /// What has become of a transfer.
    pub async fn receipt(
        &self,
        id: &TransferId,
        owner: &OwnerToken,
    ) -> ServiceResult<ReceiptAnswer> {
        let owner = token::owner_verifier(owner);
        answer(self.records.receipt(id, &owner, self.moment())).await
    }

    /// How much went through here since the record store was made, and how much is held.
    pub async fn totals(&self) -> ServiceResult<Totals> {
        Ok(self.records.totals().await?)
    }

    /// Looks without claiming.
    pub async fn peek(&self, id: &TransferId, request: PeekRequest) -> ServiceResult<PeekAnswer> {
        let link = token::link_verifier(&request.link_proof);
        let access = request.access_proof.as_ref().map(token::access_verifier);
        let (peek, manifest) =
            answer(self.records.peek(id, &link, access.as_ref(), self.moment())).await?;
        Ok(PeekAnswer {
            state: peek.state,
            created_at: peek.created_at,
            expires_at: peek.expires_at,
            claimed_at: peek.claimed_at,
            claims_left: peek.claims_left,
            attempts_left: peek.attempts_left,
            body_len: peek.body_len,
            part_len: peek.part_len,
            manifest: manifest.map(Vec::from),
        })
    }

    /// Claims, or repeats the answer to the claim that `claimant` has.
    pub async fn claim(
        &self,
        id: &TransferId,
        claimant: &ClaimToken,
        request: ClaimRequest,
    ) -> ServiceResult<ClaimAnswer> {
        let link = token::link_verifier(&request.link_proof);
        let access = token::access_verifier(&request.access_proof);
        let claimant = token::claim_verifier(claimant);
        let claimed = answer(
            self.records
                .claim(id, (&link, &access), &claimant, self.moment()),
        )
        .await?;
        if self.periods.lease_s == 0 {
            // The claim of an inline body may have been its end.
            self.erased.notify_one();
        }
        Ok(ClaimAnswer {
            lease_expires_at: claimed.grant.lease_expires_at,
            body_len: claimed.grant.body_len,
            manifest: claimed.manifest.into(),
            body: claimed.body.map(Vec::from),
        })
    }

    /// Renews a lease. When it ends now, in Unix seconds.
    pub async fn renew(&self, id: &TransferId, claimant: &ClaimToken) -> ServiceResult<u64> {
        let claimant = token::claim_verifier(claimant);
        answer(self.records.renew(id, &claimant, self.moment())).await
    }

    /// Ends a lease: everything arrived.
    pub async fn deliver(&self, id: &TransferId, claimant: &ClaimToken) -> ServiceResult<()> {
        let claimant = token::claim_verifier(claimant);
        self.wake_sweeper(answer(self.records.deliver(id, &claimant, self.moment())).await)
    }

    /// Answers when both stores can be read and written, belong together and have room; within ten seconds, whatever they do,
    /// and for a second by what it has found.
    pub async fn probe(&self) -> Result<(), Unready> {
        let (records, blobs) = (self.records.as_ref(), self.blobs.as_ref());
        self.probe.ask(self.probe.find(records, blobs)).await
    }
}
