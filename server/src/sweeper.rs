//! Removes what time has ended: expired transfers, lapsed leases, abandoned uploads, queued objects, old tombstones. Each
//! pass is idempotent, many may run at once, and none decides anything: the record store does.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};

use crate::blob::ObjectName;
use crate::metrics::{Metrics, Pass};
use crate::record::{StoreError, Taken};
use crate::service::{MatchError, Service, check_stores, leave_mark};

/// How often a pass begins when nothing was erased in between.
const PERIOD: Duration = Duration::from_secs(15);

/// How often objects are looked for that no record names.
const ORPHAN_PERIOD: Duration = Duration::from_hours(1);

/// How many transfers or objects one step touches, so that no step holds a store for long.
pub(crate) const BATCH: usize = 256;

/// How many old objects one pass asks the records for at once, at most: what is due waits meanwhile.
const ORPHANS_LOOKED_AT: usize = 16 * BATCH;

/// How long a pass may go on once the server is to stop: a store that hangs holds up nobody.
const STOP_MAX: Duration = Duration::from_secs(5);

/// Sweeps until `stop`. What the last pass did not come to is done after the next start.
pub async fn run(service: Arc<Service>, metrics: Arc<Metrics>, stop: CancellationToken) {
    let stopped = async {
        stop.cancelled().await;
        tokio::time::sleep(STOP_MAX).await;
    };
    tokio::select! {
        () = sweep_until(&service, &metrics, &stop) => {}
        () = stopped => warn!("a sweep was cut off: a store does not answer"),
    }
}

async fn sweep_until(service: &Service, metrics: &Metrics, stop: &CancellationToken) {
    let mut orphans = tokio::time::interval(ORPHAN_PERIOD);
    // What ended while nobody swept, or was left by a process that died, does not wait for the first period.
    pass(Pass::Due, service, metrics).await;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = service.erased() => pass(Pass::Due, service, metrics).await,
            () = tokio::time::sleep(PERIOD) => pass(Pass::Due, service, metrics).await,
            _ = orphans.tick() => pass(Pass::Orphans, service, metrics).await,
        }
    }
}

/// One pass, measured and reported.
async fn pass(pass: Pass, service: &Service, metrics: &Metrics) {
    let started = Instant::now();
    let swept = match pass {
        Pass::Due => sweep(service).await,
        Pass::Orphans => sweep_orphans(service).await,
    };
    let removed = swept.as_ref().ok().copied();
    metrics.swept(pass, started.elapsed(), removed, service.moment().now);
    report(swept);
}

fn report(swept: Result<usize, MatchError>) {
    match swept {
        Ok(0) => {}
        Ok(count) => debug!(count, "swept"),
        Err(MatchError::Store(error)) => warn!(%error, "sweep put off: a store does not answer"),
        Err(error) => error!(%error, "nothing is swept"),
    }
}

/// One pass over everything that is due, a batch of transfers and a batch of objects by turns, so that a backlog of the ones does
/// not hold up the others. How many it touched.
///
/// The stores are checked before each turn: a folder that was unmounted under a running server is not an empty store, and a
/// backlog may take long.
pub async fn sweep(service: &Service) -> Result<usize, MatchError> {
    let (records, blobs) = (service.records(), service.blobs());
    let mut touched = 0;
    loop {
        check_stores(records.as_ref(), blobs.as_ref()).await?;
        leave_mark(records.as_ref(), blobs.as_ref()).await?;
        let settled = records.sweep(BATCH, service.moment()).await?;
        let (taken, deleted) = delete_due(service).await?;
        touched += settled + deleted;
        if settled < BATCH && taken < BATCH {
            break;
        }
    }
    if let Err(error) = records.scrub().await {
        // The store tries again by itself; what was swept is swept.
        debug!(%error, "what was erased is not scrubbed yet");
    }
    Ok(touched)
}

/// Deletes a batch of the objects that are due. How many were, and how many are deleted.
async fn delete_due(service: &Service) -> Result<(usize, usize), StoreError> {
    let (records, blobs) = (service.records(), service.blobs());
    let Taken { objects, at } = records.take_deletions(BATCH, service.moment()).await?;
    let mut deleted = Vec::with_capacity(objects.len());
    for (object, result) in objects.iter().zip(blobs.delete_all(&objects).await) {
        match result {
            Ok(()) => deleted.push(object.clone()),
            // It stays queued and is offered again.
            Err(error) => warn!(%error, ?object, "not deleted yet"),
        }
    }
    // As of the taking: however long that took, what was written after a deletion is not taken for deleted.
    records.confirm_deleted(&deleted, at).await?;
    Ok((objects.len(), deleted.len()))
}

/// Deletes objects that no record names and that are older than any transfer could be.
pub async fn sweep_orphans(service: &Service) -> Result<usize, MatchError> {
    let (records, blobs) = (service.records(), service.blobs());
    check_stores(records.as_ref(), blobs.as_ref()).await?;
    let orphans = find_orphans(service).await?;
    let mut deleted = 0;
    for (object, result) in orphans.iter().zip(blobs.delete_all(&orphans).await) {
        match result {
            Ok(()) => deleted += 1,
            // It is as old the next time; the others need not wait for it.
            Err(error) => warn!(%error, ?object, "not deleted yet"),
        }
    }
    Ok(deleted)
}

/// About a batch of them, or more; none when there is none among so many as may be looked at in one pass.
async fn find_orphans(service: &Service) -> Result<Vec<ObjectName>, StoreError> {
    let (records, blobs) = (service.records(), service.blobs());
    let age_s = service.limits().age_max_s(service.periods());
    let mut limit = BATCH;
    loop {
        let old = blobs.list_old(age_s, service.moment().now, limit).await?;
        let is_all = old.len() < limit;
        let mut orphans = Vec::new();
        for object in old {
            if !records.is_known(&object.id).await? {
                orphans.push(object);
            }
        }
        if is_all || !orphans.is_empty() || limit >= ORPHANS_LOOKED_AT {
            return Ok(orphans);
        }
        // Living ones are as old only when an operator has shortened a period since: then the orphans come behind them.
        limit = limit.saturating_mul(2);
    }
}
