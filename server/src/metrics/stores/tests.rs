//! Measured stores do what the stores inside them do, and count it.

use futures_util::TryStreamExt as _;
use prometheus_client::encoding::prometheus_text;

use super::*;
use crate::blob::conformance::{body, object, torn_body};
use crate::blob::memory::MemoryBlobs;
use crate::record::memory::MemoryStore;
use crate::record::{StoreError, conformance};

fn told(metrics: &Metrics) -> String {
    let mut text = String::new();
    prometheus_text::encode(&mut text, &metrics.registry).unwrap();
    text
}

/// The figure that stands behind `series`.
#[track_caller]
fn figure(metrics: &Metrics, series: &str) -> u64 {
    let text = told(metrics);
    let line = text.lines().find_map(|line| line.strip_prefix(series));
    let figure = line.unwrap_or_else(|| panic!("{series} is not in\n{text}"));
    figure.trim().parse().unwrap()
}

fn errors(metrics: &Metrics, store: &str, operation: &str) -> u64 {
    let name = "onetimeshare_store_errors_total";
    figure(
        metrics,
        &format!("{name}{{store=\"{store}\",operation=\"{operation}\"}}"),
    )
}

fn calls(metrics: &Metrics, store: &str, operation: &str) -> u64 {
    let name = "onetimeshare_store_duration_seconds_count";
    figure(
        metrics,
        &format!("{name}{{store=\"{store}\",operation=\"{operation}\"}}"),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn measured_records_conform() {
    let inner = Arc::new(MemoryStore::new().unwrap());
    let store = MeasuredRecords::new(inner, Arc::default());
    conformance::run_all(Arc::new(store)).await;
}

#[tokio::test]
async fn measured_blobs_conform() {
    let store = MeasuredBlobs::new(Arc::new(MemoryBlobs::default()), Arc::default());
    crate::blob::conformance::run_all(Arc::new(store)).await;
}

#[tokio::test]
async fn a_record_store_that_fails_is_counted_by_operation() {
    let (inner, metrics) = (
        Arc::new(MemoryStore::new().unwrap()),
        Arc::<Metrics>::default(),
    );
    let shared: Arc<dyn RecordStore> = Arc::<MemoryStore>::clone(&inner);
    let store = MeasuredRecords::new(shared, Arc::clone(&metrics));
    store.probe().await.unwrap();
    assert_eq!(
        (
            calls(&metrics, "records", "probe"),
            errors(&metrics, "records", "probe")
        ),
        (1, 0)
    );
    inner.set_answers(false);
    store.probe().await.unwrap_err();
    store.totals().await.unwrap_err();
    assert_eq!(
        (
            calls(&metrics, "records", "probe"),
            errors(&metrics, "records", "probe")
        ),
        (2, 1)
    );
    assert_eq!(errors(&metrics, "records", "totals"), 1);
    inner.set_room(false);
    assert!(!store.has_room());
}

#[tokio::test]
async fn what_has_defaults_in_the_trait_is_passed_on_too() {
    /// Tells a mark, unlike the one in memory.
    #[derive(Debug)]
    struct Marked(MemoryBlobs);

    #[async_trait]
    impl BlobStore for Marked {
        async fn write(&self, object: &ObjectName, body: ByteStream) -> StoreResult<()> {
            self.0.write(object, body).await
        }
        async fn read(
            &self,
            object: &ObjectName,
            range: Range<u64>,
        ) -> StoreResult<Option<ByteStream>> {
            self.0.read(object, range).await
        }
        async fn delete(&self, object: &ObjectName) -> StoreResult<()> {
            self.0.delete(object).await
        }
        async fn delete_all(&self, objects: &[ObjectName]) -> Vec<StoreResult<()>> {
            vec![Err(StoreError::Unreachable("as planned".to_owned())); objects.len()]
        }
        async fn list_old(&self, _: u64, _: u64, _: usize) -> StoreResult<Vec<ObjectName>> {
            Ok(Vec::new())
        }
        async fn store_id(&self) -> StoreResult<Option<StoreId>> {
            self.0.store_id().await
        }
        async fn adopt(&self, store_id: &StoreId) -> StoreResult<()> {
            self.0.adopt(store_id).await
        }
        async fn mark(&self) -> StoreResult<Option<u64>> {
            self.0.mark().await
        }
        async fn set_mark(&self, mark: u64) -> StoreResult<()> {
            self.0.set_mark(mark).await
        }
    }

    let metrics = Arc::<Metrics>::default();
    let store = MeasuredBlobs::new(
        Arc::new(Marked(MemoryBlobs::default())),
        Arc::clone(&metrics),
    );
    let results = store.delete_all(&[object(1), object(2)]).await;
    assert!(results.iter().all(Result::is_err));
    assert_eq!(calls(&metrics, "blobs", "delete_all"), 1);
    assert_eq!(errors(&metrics, "blobs", "delete_all"), 2);
}

#[tokio::test]
async fn bytes_are_counted_and_a_client_that_breaks_off_is_no_fault() {
    let metrics = Arc::<Metrics>::default();
    let store = MeasuredBlobs::new(Arc::new(MemoryBlobs::default()), Arc::clone(&metrics));
    store
        .write(&object(1), body(&[b"abc", b"de"]))
        .await
        .unwrap();
    store.write(&object(2), torn_body(b"f")).await.unwrap_err();
    let bytes = store.read(&object(1), 1..3).await.unwrap().unwrap();
    assert_eq!(bytes.try_collect::<Vec<_>>().await.unwrap().concat(), b"bc");
    let passed = |direction| {
        figure(
            &metrics,
            &format!("onetimeshare_blob_bytes_total{{direction=\"{direction}\"}}"),
        )
    };
    assert_eq!((passed("written"), passed("read")), (6, 2));
    assert_eq!(
        (
            calls(&metrics, "blobs", "write"),
            errors(&metrics, "blobs", "write")
        ),
        (2, 0)
    );
}
