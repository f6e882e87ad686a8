//! Buckets as the server's settings name them, and the stores on them.

use std::net::SocketAddr;
use std::ops::Range;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use onetimeshare_protocol::id::TransferId;
use onetimeshare_server::blob::object::{Bucket, BucketStore, OpenError};
use onetimeshare_server::blob::{BlobStore, ByteStream, ObjectName};
use onetimeshare_server::config::{BlobPlace, Invocation};
use onetimeshare_server::record::StoreResult;
use onetimeshare_tests::S3;
use tempfile::TempDir;

/// A store, and the folder where its parts wait.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) store: BucketStore,
    pub(crate) spool: TempDir,
}

/// The address of the bucket that every server has, with a prefix.
pub(crate) fn url(prefix: &str) -> String {
    format!("s3://{}/{prefix}", S3::BUCKET)
}

/// What the settings make of an address and variables.
pub(crate) fn bucket(url: &str, variables: Vec<(String, String)>) -> Bucket {
    let arguments = ["onetimeshare-server", "--blob-url", url].map(Into::into);
    let variables = variables
        .into_iter()
        .map(|(name, value)| (name.into(), value.into()));
    let invocation = Invocation::read(arguments, variables).expect("a command line");
    match invocation.config.expect("settings that hold").blobs {
        BlobPlace::Bucket(bucket) => bucket,
        BlobPlace::Folder(_) => panic!("{url} is a folder"),
    }
}

/// Opens a bucket.
pub(crate) async fn try_open(
    url: &str,
    variables: Vec<(String, String)>,
) -> Result<Opened, OpenError> {
    let spool = tempfile::tempdir().unwrap();
    let store = BucketStore::open(bucket(url, variables), spool.path()).await?;
    Ok(Opened { store, spool })
}

/// Opens the bucket of the server at `address`, under a prefix of its own.
pub(crate) async fn open(address: SocketAddr, prefix: &str) -> Opened {
    let opened = try_open(&url(prefix), S3::variables_of(address)).await;
    opened.unwrap_or_else(|error| panic!("{error}"))
}

/// A part of this index, of a transfer of this number.
pub(crate) fn part(number: u8, index: u64) -> ObjectName {
    ObjectName {
        id: TransferId::from_bytes([number; 16]),
        index,
        random: 7,
    }
}

/// `len` bytes that begin again only after long.
pub(crate) fn pattern(len: usize) -> Bytes {
    (0..u64::try_from(len).unwrap())
        .map(|at| (at ^ (at >> 8) ^ (at >> 16)).to_le_bytes()[0])
        .collect()
}

/// A body in pieces such as come from a socket.
pub(crate) fn body(bytes: &Bytes) -> ByteStream {
    let pieces: Vec<_> = (0..bytes.len())
        .step_by(40_000)
        .map(|at| Ok(bytes.slice(at..bytes.len().min(at + 40_000))))
        .collect();
    stream::iter(pieces).boxed()
}

/// A range of an object.
pub(crate) async fn read(
    store: &BucketStore,
    object: &ObjectName,
    range: Range<u64>,
) -> StoreResult<Option<Vec<u8>>> {
    let Some(pieces) = store.read(object, range).await? else {
        return Ok(None);
    };
    let pieces: Vec<Bytes> = pieces.try_collect().await?;
    Ok(Some(pieces.concat()))
}
