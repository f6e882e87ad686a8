//! Stores that are measured: each call goes on to the store inside, and its duration and failure are counted here, at one place
//! for all. They decide nothing and change nothing.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt as _;
use onetimeshare_protocol::id::{
    AccessVerifier, ClaimVerifier, LinkVerifier, OwnerVerifier, TransferId,
};
use onetimeshare_protocol::transfer::{ReceiptAnswer, State};
use prometheus_client::metrics::counter::Counter;
use tokio::time::Instant;

use super::families::Labels;
use super::{Metrics, Store};
use crate::blob::{BlobStore, ByteStream, ObjectName};
use crate::record::{
    Adoption, BodyPlace, Claimed, Created, HeldBy, NewTransfer, PartStart, PartWrite, Parts,
    RecordStore, StoreId, StoreResult, Taken,
};
use crate::telemetry::spans;
use crate::transfer::{Holder, Moment, Outcome, Peek, Totals};

impl Metrics {
    /// Waits for a call to a store, and counts it.
    async fn watch<T>(
        &self,
        store: Store,
        operation: &'static str,
        call: impl Future<Output = StoreResult<T>>,
    ) -> StoreResult<T> {
        let started = Instant::now();
        let outcome = spans::of_call(store.name(), operation, call).await;
        self.called(store, operation, started.elapsed(), outcome.as_ref().err());
        outcome
    }

    fn blob_bytes(&self, direction: &'static str) -> Counter {
        let labels = Labels([("direction", direction)]);
        self.families.stores.blob_bytes.get_or_create_owned(&labels)
    }
}

/// A record store whose calls are measured.
#[derive(Debug)]
pub struct MeasuredRecords {
    inner: Arc<dyn RecordStore>,
    metrics: Arc<Metrics>,
}

impl MeasuredRecords {
    /// Measures the calls to `inner`.
    pub const fn new(inner: Arc<dyn RecordStore>, metrics: Arc<Metrics>) -> Self {
        Self { inner, metrics }
    }
}

/// Passes each of these calls on and measures it, by the name that it has in the trait.
macro_rules! measured_records {
    ($($operation:ident($($argument:ident: $kind:ty),*) -> $answer:ty;)*) => {
        #[async_trait]
        impl RecordStore for MeasuredRecords {
            $(async fn $operation(&self, $($argument: $kind),*) -> StoreResult<$answer> {
                let call = self.inner.$operation($($argument),*);
                self.metrics.watch(Store::Records, stringify!($operation), call).await
            })*

            fn has_room(&self) -> bool {
                self.inner.has_room()
            }

            fn expect_mark(&self, mark: u64) {
                self.inner.expect_mark(mark);
            }
        }
    };
}

measured_records! {
    create(new: NewTransfer, at: Moment) -> Outcome<Created>;
    begin_part(owner: &OwnerVerifier, part: &PartWrite, at: Moment) -> Outcome<PartStart>;
    accept_part(owner: &OwnerVerifier, part: &PartWrite, at: Moment) -> Outcome<bool>;
    parts(id: &TransferId, owner: &OwnerVerifier, at: Moment) -> Outcome<Parts>;
    complete(id: &TransferId, owner: &OwnerVerifier, at: Moment) -> Outcome<(State, u64)>;
    peek(
        id: &TransferId,
        link: &LinkVerifier,
        access: Option<&AccessVerifier>,
        at: Moment
    ) -> Outcome<(Peek, Option<Bytes>)>;
    claim(
        id: &TransferId,
        proofs: (&LinkVerifier, &AccessVerifier),
        claimant: &ClaimVerifier,
        at: Moment
    ) -> Outcome<Claimed>;
    fetch(id: &TransferId, claimant: &ClaimVerifier, at: Moment) -> Outcome<BodyPlace>;
    end_fetch(id: &TransferId, claimant: &ClaimVerifier, at: Moment) -> Outcome<()>;
    part_object(id: &TransferId, index: u64) -> Option<ObjectName>;
    renew(id: &TransferId, claimant: &ClaimVerifier, at: Moment) -> Outcome<u64>;
    deliver(id: &TransferId, claimant: &ClaimVerifier, at: Moment) -> Outcome<()>;
    burn(id: &TransferId, owner: &OwnerVerifier, at: Moment) -> Outcome<()>;
    unlock(id: &TransferId, owner: &OwnerVerifier, at: Moment) -> Outcome<()>;
    receipt(id: &TransferId, owner: &OwnerVerifier, at: Moment) -> Outcome<ReceiptAnswer>;
    totals() -> Totals;
    held_by(holder: &Holder) -> HeldBy;
    sweep(limit: usize, at: Moment) -> usize;
    take_deletions(limit: usize, at: Moment) -> Taken;
    confirm_deleted(objects: &[ObjectName], at: Moment) -> ();
    is_known(id: &TransferId) -> bool;
    store_id() -> StoreId;
    mark() -> Option<u64>;
    advance_mark() -> Option<u64>;
    has_no_parts() -> bool;
    begin_adoption() -> Adoption;
    end_adoption() -> ();
    probe() -> ();
    scrub() -> ();
}

/// A blob store whose calls are measured.
#[derive(Debug)]
pub struct MeasuredBlobs {
    inner: Arc<dyn BlobStore>,
    metrics: Arc<Metrics>,
}

impl MeasuredBlobs {
    /// Measures the calls to `inner`.
    pub const fn new(inner: Arc<dyn BlobStore>, metrics: Arc<Metrics>) -> Self {
        Self { inner, metrics }
    }

    async fn watch<T>(
        &self,
        operation: &'static str,
        call: impl Future<Output = StoreResult<T>>,
    ) -> StoreResult<T> {
        self.metrics.watch(Store::Blobs, operation, call).await
    }

    /// The same bytes, counted as they pass.
    fn counted(&self, bytes: ByteStream, direction: &'static str) -> ByteStream {
        let counter = self.metrics.blob_bytes(direction);
        let count = move |passed: &StoreResult<Bytes>| {
            let len = passed.as_ref().map_or(0, Bytes::len);
            counter.inc_by(u64::try_from(len).unwrap_or(u64::MAX));
        };
        bytes.inspect(count).boxed()
    }
}

#[async_trait]
impl BlobStore for MeasuredBlobs {
    async fn write(&self, object: &ObjectName, body: ByteStream) -> StoreResult<()> {
        let body = self.counted(body, "written");
        self.watch("write", self.inner.write(object, body)).await
    }

    async fn read(
        &self,
        object: &ObjectName,
        range: Range<u64>,
    ) -> StoreResult<Option<ByteStream>> {
        let bytes = self.watch("read", self.inner.read(object, range)).await?;
        let metrics = Arc::clone(&self.metrics);
        Ok(bytes.map(|bytes| {
            // What breaks off later is a failure of the same call.
            let told = move |passed: &StoreResult<Bytes>| {
                metrics.failed(Store::Blobs, "read", passed.as_ref().err());
            };
            self.counted(bytes, "read").inspect(told).boxed()
        }))
    }

    async fn delete(&self, object: &ObjectName) -> StoreResult<()> {
        self.watch("delete", self.inner.delete(object)).await
    }

    async fn delete_all(&self, objects: &[ObjectName]) -> Vec<StoreResult<()>> {
        let started = Instant::now();
        let results = self.inner.delete_all(objects).await;
        let mut errors = results.iter().filter_map(|result| result.as_ref().err());
        let (took, first) = (started.elapsed(), errors.next());
        let (store, operation) = (Store::Blobs, "delete_all");
        self.metrics.called(store, operation, took, first);
        for error in errors {
            self.metrics.failed(store, operation, Some(error));
        }
        results
    }

    async fn list_old(&self, age_s: u64, now: u64, limit: usize) -> StoreResult<Vec<ObjectName>> {
        let listing = self.inner.list_old(age_s, now, limit);
        self.watch("list_old", listing).await
    }

    async fn store_id(&self) -> StoreResult<Option<StoreId>> {
        self.watch("store_id", self.inner.store_id()).await
    }

    async fn adopt(&self, store_id: &StoreId) -> StoreResult<()> {
        self.watch("adopt", self.inner.adopt(store_id)).await
    }

    async fn mark(&self) -> StoreResult<Option<u64>> {
        self.watch("mark", self.inner.mark()).await
    }

    async fn set_mark(&self, mark: u64) -> StoreResult<()> {
        self.watch("set_mark", self.inner.set_mark(mark)).await
    }
}

#[cfg(test)]
mod tests;
