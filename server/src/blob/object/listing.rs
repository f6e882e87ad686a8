//! Going through all parts of a bucket, a stretch at a time. It holds one page of names in memory, and passes over what is not
//! named as the server names parts.

use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::StreamExt as _;
use object_store::path::Path;
use tokio::time::timeout;

use super::bucket::Bucket;
use super::fault::Fault;
use super::patience;
use crate::blob::ObjectName;
use crate::record::{StoreError, StoreResult};

/// How many objects one call looks at: a hundred requests to S3.
const SEEN_MAX: usize = 100_000;

/// Where the next call goes on.
#[derive(Debug, Default)]
pub(super) struct Cursor(Mutex<Option<Path>>);

impl Cursor {
    /// The next parts last written at `until` or before, in Unix seconds; at most `limit`.
    pub(super) async fn advance(
        &self,
        bucket: &Bucket,
        until: u64,
        limit: usize,
    ) -> StoreResult<Vec<ObjectName>> {
        let parts = bucket.parts();
        let mut last = self.lock().clone();
        let mut listed = match &last {
            Some(offset) => bucket.client.list_with_offset(Some(&parts), offset),
            None => bucket.client.list(Some(&parts)),
        };
        let (mut old, mut seen) = (Vec::new(), 0);
        while old.len() < limit && seen < SEEN_MAX {
            let next = timeout(patience::step(0), listed.next()).await;
            let Some(object) = next.map_err(|_| unanswered())? else {
                last = None;
                break;
            };
            let object = object.map_err(|error| failed(&error))?;
            // A time before 1970 is as old as can be.
            let written_at = u64::try_from(object.last_modified.timestamp()).unwrap_or(0);
            if written_at <= until {
                old.extend(name_in(&parts, &object.location));
            }
            seen += 1;
            last = Some(object.location);
        }
        *self.lock() = last;
        Ok(old)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Path>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The part that lies here; none of what somebody else has put here.
fn name_in(parts: &Path, location: &Path) -> Option<ObjectName> {
    let name = location.as_ref().strip_prefix(parts.as_ref())?;
    name.strip_prefix('/')?.parse().ok()
}

fn failed(error: &object_store::Error) -> StoreError {
    if matches!(error, object_store::Error::InvalidPath { .. }) {
        // The library gives up the whole page for it.
        return StoreError::Corrupt(
            "an object that is none of the server's, with an empty or dotted part in its name, lies among its parts: move it"
                .to_owned(),
        );
    }
    Fault::of(error).into_store_error("listing parts")
}

fn unanswered() -> StoreError {
    Fault::silent("no answer in time").into_store_error("listing parts")
}
