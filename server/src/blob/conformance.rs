//! What every blob store must do, as functions that each store's tests call.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends at the first surprise"
)]

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use onetimeshare_protocol::id::TransferId;

use super::{BlobStore, ByteStream, ObjectName};
use crate::record::{StoreError, StoreId};

/// A name that depends on `random` alone.
pub fn object(random: u64) -> ObjectName {
    ObjectName {
        id: TransferId::from_bytes([9; 16]),
        index: 3,
        random,
    }
}

/// A body that arrives in these pieces.
pub fn body(pieces: &[&'static [u8]]) -> ByteStream {
    let pieces: Vec<_> = pieces
        .iter()
        .map(|piece| Ok(Bytes::from_static(piece)))
        .collect();
    stream::iter(pieces).boxed()
}

/// A body that breaks off after `piece`.
pub fn torn_body(piece: &'static [u8]) -> ByteStream {
    stream::iter([Ok(Bytes::from_static(piece)), Err(StoreError::Interrupted)]).boxed()
}

async fn read(
    store: &dyn BlobStore,
    object: &ObjectName,
    range: std::ops::Range<u64>,
) -> Option<Vec<u8>> {
    let bytes = store.read(object, range).await.unwrap()?;
    let bytes = bytes.try_fold(BytesMut::new(), async |mut bytes, piece| {
        bytes.extend_from_slice(&piece);
        Ok(bytes)
    });
    Some(bytes.await.unwrap().to_vec())
}

/// All of it. The store must be new.
pub async fn run_all(store: Arc<dyn BlobStore>) {
    ids_are_given_once(store.as_ref()).await;
    the_last_mark_is_kept(store.as_ref()).await;
    objects_are_read_as_written(store.as_ref()).await;
    torn_writes_are_never_seen(store.as_ref()).await;
    deleting_is_idempotent(store.as_ref()).await;
    many_are_deleted_at_once(store.as_ref()).await;
    writers_of_one_part_never_meet(store.as_ref()).await;
    old_objects_are_listed(store.as_ref()).await;
    large_objects_stream(store.as_ref()).await;
}

/// A store has no id until it adopts one, and keeps the first.
pub async fn ids_are_given_once(store: &dyn BlobStore) {
    let id = StoreId([7; 16]);
    assert_eq!(store.store_id().await.unwrap(), None);
    store.adopt(&id).await.unwrap();
    assert!(store.adopt(&StoreId([8; 16])).await.is_err());
    assert_eq!(store.store_id().await.unwrap(), Some(id));
}

/// A store has no mark until one is left, and keeps the last.
pub async fn the_last_mark_is_kept(store: &dyn BlobStore) {
    assert_eq!(store.mark().await.unwrap(), None);
    for mark in [1_800_000_000, 5, u64::MAX] {
        store.set_mark(mark).await.unwrap();
        assert_eq!(store.mark().await.unwrap(), Some(mark));
    }
}

/// Whole, in ranges, empty; and none for what is not there.
pub async fn objects_are_read_as_written(store: &dyn BlobStore) {
    let object = object(10);
    assert_eq!(read(store, &object, 0..1).await, None);
    store
        .write(&object, body(&[b"abc", b"", b"defg"]))
        .await
        .unwrap();
    assert_eq!(read(store, &object, 0..7).await.unwrap(), b"abcdefg");
    assert_eq!(read(store, &object, 2..4).await.unwrap(), b"cd");
    assert_eq!(read(store, &object, 7..7).await.unwrap(), b"");
    assert!(
        store.read(&object, 0..8).await.is_err(),
        "a range beyond the end is a fault of the store's"
    );
    store.delete(&object).await.unwrap();
    assert_eq!(read(store, &object, 0..1).await, None);
}

/// A body that ends in an error leaves nothing to be read.
pub async fn torn_writes_are_never_seen(store: &dyn BlobStore) {
    let object = object(20);
    assert!(store.write(&object, torn_body(b"abc")).await.is_err());
    assert_eq!(read(store, &object, 0..3).await, None);
}

/// Deleting what is not there succeeds.
pub async fn deleting_is_idempotent(store: &dyn BlobStore) {
    let object = object(30);
    store.delete(&object).await.unwrap();
    store.write(&object, body(&[b"abc"])).await.unwrap();
    store.delete(&object).await.unwrap();
    store.delete(&object).await.unwrap();
}

/// What is there and what is not, together; nothing else goes with them.
pub async fn many_are_deleted_at_once(store: &dyn BlobStore) {
    assert_eq!(store.delete_all(&[]).await.len(), 0);
    let kept = object(399);
    store.write(&kept, body(&[b"kept"])).await.unwrap();
    let objects: Vec<_> = (100..398).map(object).collect();
    for object in objects.iter().step_by(97) {
        store.write(object, body(&[b"abc"])).await.unwrap();
    }
    for _ in 0..2 {
        let results = store.delete_all(&objects).await;
        assert_eq!(results.len(), objects.len());
        results.into_iter().for_each(Result::unwrap);
        for object in objects.iter().step_by(97) {
            assert_eq!(read(store, object, 0..3).await, None);
        }
    }
    assert_eq!(read(store, &kept, 0..4).await.unwrap(), b"kept");
    store.delete(&kept).await.unwrap();
}

/// Several writers of the same part leave several whole objects, while others are being deleted.
pub async fn writers_of_one_part_never_meet(store: &dyn BlobStore) {
    let writes = (40..60).map(|random| async move {
        store
            .write(&object(random), body(&[b"abc", b"def"]))
            .await
            .unwrap();
        if random % 2 == 0 {
            store.delete(&object(random)).await.unwrap();
        }
    });
    futures_util::future::join_all(writes).await;
    for random in 40..60 {
        let expected = (random % 2 == 1).then(|| b"abcdef".to_vec());
        assert_eq!(read(store, &object(random), 0..6).await, expected);
        store.delete(&object(random)).await.unwrap();
    }
}

/// What was written just now is not old; with no age asked for, everything is.
pub async fn old_objects_are_listed(store: &dyn BlobStore) {
    let object = object(70);
    store.write(&object, body(&[b"abc"])).await.unwrap();
    let far_future = 1 << 40;
    assert_eq!(
        store.list_old(0, far_future, 10).await.unwrap(),
        std::slice::from_ref(&object)
    );
    assert_eq!(
        store.list_old(far_future, far_future, 10).await.unwrap(),
        []
    );
    assert_eq!(store.list_old(0, far_future, 0).await.unwrap(), []);
    store.delete(&object).await.unwrap();
}

/// Several megabytes in odd pieces, read from an odd place.
pub async fn large_objects_stream(store: &dyn BlobStore) {
    let object = object(80);
    let piece = (0..100_003_u32)
        .map(|at| at.to_be_bytes()[3])
        .collect::<Bytes>();
    let pieces = (0..50).map(|_| Ok(piece.clone())).collect::<Vec<_>>();
    store
        .write(&object, stream::iter(pieces).boxed())
        .await
        .unwrap();
    let found = read(store, &object, 100_003 * 7 + 1..100_003 * 50)
        .await
        .unwrap();
    assert_eq!(found.len(), 100_003 * 43 - 1);
    let expected = piece.iter().copied().cycle().skip(1);
    if found
        .into_iter()
        .zip(expected)
        .any(|(found, expected)| found != expected)
    {
        panic!("bytes differ");
    }
    store.delete(&object).await.unwrap();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blob::memory::MemoryBlobs;

    #[tokio::test]
    async fn memory_conforms() {
        run_all(Arc::new(MemoryBlobs::default())).await;
    }

    #[test]
    fn object_names_are_canonical() {
        let name = object(255);
        assert_eq!(
            name.to_string(),
            "CQkJCQkJCQkJCQkJCQkJCQ/3.00000000000000ff"
        );
        assert_eq!(name.to_string().parse::<ObjectName>().unwrap(), name);
        for text in [
            "",
            "x",
            "../3.00000000000000ff",
            "CQkJCQkJCQkJCQkJCQkJCQ/03.00000000000000ff",
            "CQkJCQkJCQkJCQkJCQkJCQ/3.ff",
            "CQkJCQkJCQkJCQkJCQkJCQ/18446744073709551615.00000000000000ff",
        ] {
            assert!(text.parse::<ObjectName>().is_err(), "{text}");
        }
    }
}
