//! Which blob store belongs to the records: said once, beside the seal of the first shard, so that a server that was started
//! without the others' does not take its own empty one for it.

use crate::record::{Adoption, StoreError, StoreResult};
use crate::redis::keys::Shard;
use crate::redis::link::Link;

/// What stands there while a server gives a blob store the id.
const PENDING: &str = "pending";

/// What stands there from then on.
const DONE: &str = "done";

/// How long a server may take for it, in seconds: longer than a bucket lets anybody wait, and what was sent to it late. One
/// that dies over it is waited for as long.
const PENDING_S: u64 = 120;

/// Asks to give a blob store the store's id.
pub(super) async fn begin(link: &Link) -> StoreResult<Adoption> {
    let first = Shard::first();
    let mut get = redis::cmd("GET");
    get.arg(first.adoption());
    // A full Redis takes no word, and needs none that it has.
    match link.ask::<Option<String>>(first, &get).await?.as_deref() {
        Some(DONE) => return Ok(Adoption::Done),
        Some(_) => return Ok(Adoption::Pending),
        None => {}
    }
    let mut set = redis::cmd("SET");
    set.arg(first.adoption())
        .arg(PENDING)
        .arg("NX")
        .arg("EX")
        .arg(PENDING_S);
    let is_first = link.ask::<Option<String>>(first, &set).await?.is_some();
    Ok(if is_first {
        Adoption::Open
    } else {
        Adoption::Pending
    })
}

/// Says that a blob store has it.
pub(super) async fn end(link: &Link) -> StoreResult<()> {
    let first = Shard::first();
    let mut get = redis::cmd("GET");
    get.arg(first.adoption());
    if link.ask::<Option<String>>(first, &get).await?.as_deref() == Some(DONE) {
        return Ok(());
    }
    let mut set = redis::cmd("SET");
    set.arg(first.adoption()).arg(DONE);
    match link.ask::<String>(first, &set).await {
        // The blobs have their id all the same, and the next start says it.
        Ok(_) | Err(StoreError::Full(_)) => Ok(()),
        Err(error) => Err(error),
    }
}
