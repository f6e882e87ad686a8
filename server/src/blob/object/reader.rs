//! A range of an object, piece by piece. A connection that breaks off is made again where it broke: a claimant may take longer
//! over a part than a store keeps a connection, and where a body is given once, it has no second try.

use std::ops::Range;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path;
use object_store::{GetOptions, GetRange};
use tokio::time::timeout;

use super::bucket::Bucket;
use super::fault::{Fault, Kind};
use super::patience::PIECE_MAX;
use crate::blob::ByteStream;
use crate::record::{StoreError, StoreResult};

/// Connections in a row that may break without a byte.
const FRUITLESS_MAX: u32 = 2;

/// What is left to be read.
pub(super) struct Reader {
    bucket: Bucket,
    path: Path,
    range: Range<u64>,
    pieces: Pieces,
    fruitless: u32,
}

type Pieces = BoxStream<'static, Result<Bytes, Fault>>;

impl Reader {
    /// Begins to read; none if there is no such object.
    pub(super) async fn open(
        bucket: Bucket,
        path: Path,
        range: Range<u64>,
    ) -> StoreResult<Option<Self>> {
        let pieces = request(&bucket, &path, &range).await?;
        Ok(pieces.map(|pieces| Self {
            bucket,
            path,
            range,
            pieces,
            fruitless: 0,
        }))
    }

    /// All the bytes of the range, or fewer and an error.
    pub(super) fn stream(self) -> ByteStream {
        let next = async |mut reader: Self| {
            let piece = reader.next().await?;
            Ok(piece.map(|piece| (piece, reader)))
        };
        stream::try_unfold(self, next).boxed()
    }

    async fn next(&mut self) -> StoreResult<Option<Bytes>> {
        loop {
            let fault = match timeout(PIECE_MAX, self.pieces.next()).await {
                Ok(Some(Ok(piece))) => {
                    self.range.start += u64::try_from(piece.len()).unwrap_or(u64::MAX);
                    if self.range.start > self.range.end {
                        return Err(unreachable("more bytes came than were asked for"));
                    }
                    self.fruitless = 0;
                    return Ok(Some(piece));
                }
                Ok(None) if self.range.is_empty() => return Ok(None),
                Ok(None) => Fault::silent("fewer bytes came than were asked for"),
                Ok(Some(Err(fault))) => fault,
                Err(_) => Fault::silent("no bytes in time"),
            };
            if self.range.is_empty() {
                // All of it has come; how the connection ends is nobody's matter.
                return Ok(None);
            }
            if self.fruitless == FRUITLESS_MAX {
                return Err(fault.into_store_error("reading a part"));
            }
            self.fruitless += 1;
            self.pieces = request(&self.bucket, &self.path, &self.range)
                .await?
                .ok_or_else(|| unreachable("it vanished while it was read"))?;
        }
    }
}

/// Asks for a range; none if there is no such object.
async fn request(bucket: &Bucket, path: &Path, range: &Range<u64>) -> StoreResult<Option<Pieces>> {
    let options = GetOptions {
        // No request can ask for no bytes.
        head: range.is_empty(),
        range: (!range.is_empty()).then(|| GetRange::Bounded(range.clone())),
        ..GetOptions::default()
    };
    let found = match bucket.get(path, options).await {
        Ok(found) => found,
        Err(fault) => {
            return match fault.kind() {
                Kind::Absent => Ok(None),
                Kind::Beyond => Err(too_short()),
                _ => Err(fault.into_store_error("reading a part")),
            };
        }
    };
    if range.is_empty() {
        if found.meta.size < range.end {
            return Err(too_short());
        }
        return Ok(Some(stream::empty().boxed()));
    }
    if found.range != *range {
        return Err(too_short());
    }
    let pieces = found.into_stream().map_err(|error| Fault::of(&error));
    Ok(Some(pieces.boxed()))
}

fn too_short() -> StoreError {
    StoreError::Corrupt("an object is shorter than its part".to_owned())
}

fn unreachable(reason: &str) -> StoreError {
    Fault::silent(reason).into_store_error("reading a part")
}
