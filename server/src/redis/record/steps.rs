//! Running a step on a page, and keeping it, however often that has to be begun anew.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use onetimeshare_protocol::id::TransferId;
use onetimeshare_protocol::transfer::Cause;
use sha2::{Digest as _, Sha256};
use std::sync::PoisonError;
use tokio::time::{Instant, sleep};

use super::RedisStore;
use super::page::{Ask, Page};
use crate::blob::ObjectName;
use crate::record::tables::Tables;
use crate::record::{Accepted, Created, NewTransfer, Queued, StoreError, StoreResult};
use crate::redis::changes::Changes;
use crate::redis::encoding;
use crate::redis::keys::{self, Shard};
use crate::redis::link::Failure;
use crate::redis::script::{COMMIT, LOAD};
use crate::transfer::{Moment, Outcome, Refusal, Transfer};

/// What is decided is kept at most so many seconds later by Redis's time, or decided anew.
const DECISION_S: u64 = 2;

/// A step is given up after so long: whoever waits is told to come back.
const STEP_TIMEOUT: Duration = Duration::from_secs(8);

/// How long a call that failed waits before it is made again, at first and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(200));

/// Why a step is given up that is decided anew too often.
const CROWDED: &str = "too many servers work on one transfer";

/// A version that no transfer had before.
pub(super) fn draw_version() -> StoreResult<String> {
    let drawn = getrandom::u64()
        .map_err(|error| StoreError::Unreachable(format!("no randomness: {error}")))?;
    Ok(format!("{drawn:016x}"))
}

/// What became of changes that were to be kept.
enum Kept {
    /// They are; whether replicas have them, too.
    Done(StoreResult<()>),
    /// They are not: another was quicker, or too much time has passed.
    Stale,
    /// They are not, or were until another came: an answer was lost. None that is still on its way keeps them.
    Unclear,
}

/// Pauses of random length that double, until the time is over.
struct Patience {
    until: Instant,
    pause: Duration,
}

impl Patience {
    fn new() -> Self {
        Self {
            until: Instant::now() + STEP_TIMEOUT,
            pause: PAUSE.0,
        }
    }

    /// Waits, or says that it was enough.
    async fn wait(&mut self, reason: &str) -> StoreResult<()> {
        if Instant::now() >= self.until {
            return Err(StoreError::Unreachable(reason.to_owned()));
        }
        let share = getrandom::u32().unwrap_or(u32::MAX / 2);
        sleep(self.pause.mul_f64(f64::from(share) / f64::from(u32::MAX))).await;
        self.pause = (2 * self.pause).min(PAUSE.1);
        Ok(())
    }
}

impl RedisStore {
    pub(super) fn full_since(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.full_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    async fn load(&self, ask: &Ask, patience: &mut Patience) -> StoreResult<Page> {
        let shard = Shard::of(&ask.id);
        loop {
            match self.link.call(&ask.call(self.script(&LOAD, shard))).await {
                Ok(loaded) => return Page::parse(ask, loaded),
                // Reading twice is no harm: a connection that was cut is made anew.
                Err(Failure::Unclear(reason)) => patience.wait(&reason).await?,
                Err(failure) => return Err(failure.into()),
            }
        }
    }

    /// The moment at which a page is decided on.
    const fn moment(&self, page: &Page, at: Moment) -> Moment {
        if self.is_callers_time {
            at
        } else {
            Moment {
                now: page.now,
                ..at
            }
        }
    }

    /// Runs `run` on the transfer in what comes to one atomic section, for who brought a fitting proof.
    pub(super) async fn step<T: Send>(
        &self,
        ask: &Ask,
        at: Moment,
        run: impl Fn(&mut Tables, Moment) -> Outcome<T> + Send + Sync,
    ) -> StoreResult<Outcome<T>> {
        let mut patience = Patience::new();
        let page = self.load(ask, &mut patience).await?;
        self.step_from(page, ask, at, (run, &mut patience)).await
    }

    async fn step_from<T: Send>(
        &self,
        mut page: Page,
        ask: &Ask,
        at: Moment,
        (run, patience): (
            impl Fn(&mut Tables, Moment) -> Outcome<T> + Send + Sync,
            &mut Patience,
        ),
    ) -> StoreResult<Outcome<T>> {
        let mut is_unclear = false;
        loop {
            let moment = self.moment(&page, at);
            let mut tables = page.tables.clone();
            let outcome = run(&mut tables, moment);
            if is_unclear && !is_repeatable(&outcome) {
                return Err(StoreError::Unreachable(
                    "an answer of Redis was lost, and what it was cannot be known".to_owned(),
                ));
            }
            let changes = Changes::between(&page.tables, &tables, &ask.id, moment, false);
            let is_promise = ask.is_promise && outcome.is_ok();
            if changes.is_empty() && !(is_promise && self.link.terms().replicas > 0) {
                return Ok(outcome);
            }
            let kept = self.keep(&page, ask, (changes, None), patience).await?;
            if let Kept::Done(replicated) = kept {
                // A refusal promises nothing. Told as a failure it would be asked for again, and a wrong passphrase cost twice.
                return match outcome {
                    Ok(_) => replicated.map(|()| outcome),
                    Err(_) => Ok(outcome),
                };
            }
            patience.wait(CROWDED).await?;
            let before = page.version;
            page = self.load(ask, patience).await?;
            // No version comes twice: where it still stands, nothing was kept.
            is_unclear |= matches!(kept, Kept::Unclear) && page.version != before;
        }
    }

    /// Keeps `changes` of the transfer on `page`, unless it is another by now. `expected` is a field with the value that it
    /// must have. While no answer comes it is sent again: it does not happen twice.
    async fn keep(
        &self,
        page: &Page,
        ask: &Ask,
        (changes, expected): (Changes, Option<(String, String)>),
        patience: &mut Patience,
    ) -> StoreResult<Kept> {
        let version = draw_version()?;
        let erases = changes.erases();
        let shard = Shard::of(&ask.id);
        let (field, value) = expected.unwrap_or_default();
        let mut call = self
            .script(&COMMIT, shard)
            .key(keys::transfer(&ask.id))
            .key(shard.due())
            .key(shard.queue())
            .key(shard.counters())
            .key(shard.held())
            .arg(&page.version)
            .arg((page.now + DECISION_S).to_string())
            .arg(field)
            .arg(value)
            .arg(if ask.takes_room { "" } else { "1" })
            .arg(&version);
        for argument in changes.into_arguments(&version) {
            call = call.arg(argument);
        }
        let mut was_lost = false;
        loop {
            let written = self.link.call_and_wait::<String>(&call).await;
            if erases {
                self.has_erased
                    .store(true, std::sync::atomic::Ordering::Relaxed);
            }
            match written {
                Ok(written) if written.told == "done" => {
                    return Ok(Kept::Done(written.replicated));
                }
                Ok(_) if was_lost => return Ok(Kept::Unclear),
                Ok(_) => return Ok(Kept::Stale),
                Err(Failure::Unclear(reason)) => {
                    was_lost = true;
                    patience.wait(&reason).await?;
                }
                Err(Failure::Refused(error)) => {
                    if matches!(error, StoreError::Full(_)) {
                        *self.full_since() = Some(Instant::now());
                    }
                    return Err(error);
                }
            }
        }
    }

    /// Like [`RedisStore::step`], for what may be answered with an inline body: it is read before anything is kept, so that
    /// nothing is used up when it cannot be.
    pub(super) async fn with_body<T: Send>(
        &self,
        ask: &Ask,
        is_allowed: impl Fn(&Transfer) -> bool + Send + Sync,
        at: Moment,
        run: impl Fn(&mut Tables, Moment, Option<Bytes>) -> Outcome<T> + Send + Sync,
    ) -> StoreResult<Outcome<T>> {
        let mut patience = Patience::new();
        let mut page = self.load(ask, &mut patience).await?;
        let is_allowed = page.transfer().is_some_and(is_allowed);
        let mut body = None;
        if let Some(object) = page.inline_object().filter(|_| is_allowed) {
            body = self.read_body(&object, page.transfer()).await?;
            if body.is_none() {
                // Whoever has ended the transfer since it was loaded had its body erased: then that end is told.
                page = self.load(ask, &mut patience).await?;
                if page.inline_object().is_some() {
                    // Brought back by a fail-over or an old copy, after its body was erased.
                    tracing::error!(?object, "a record has lost its body, and is not given");
                    return Ok(Err(Refusal::Gone {
                        cause: Cause::Lapsed,
                        at: self.moment(&page, at).now,
                        claimed_at: None,
                    }));
                }
            }
        }
        let run = |tables: &mut Tables, at: Moment| run(tables, at, body.clone());
        self.step_from(page, ask, at, (run, &mut patience)).await
    }

    async fn read_body(
        &self,
        object: &ObjectName,
        transfer: Option<&Transfer>,
    ) -> StoreResult<Option<Bytes>> {
        let body_len = transfer.map_or(0, |transfer| transfer.body_len);
        let Some(pieces) = self.blobs.read(object, 0..body_len).await? else {
            return Ok(None);
        };
        let bytes = pieces.try_fold(BytesMut::new(), async |mut bytes, piece| {
            bytes.extend_from_slice(&piece);
            Ok(bytes)
        });
        Ok(Some(bytes.await?.freeze()))
    }

    /// Creates a transfer whose body is written as an object first, which is queued for deletion until it belongs to a record.
    pub(super) async fn create_inline(
        &self,
        new: &NewTransfer,
        body: &Bytes,
        at: Moment,
    ) -> StoreResult<Outcome<Created>> {
        let mut patience = Patience::new();
        let page = self.load(&Self::ask_to_create(new), &mut patience).await?;
        let mut tables = page.tables.clone();
        let outcome = tables.create(new.clone(), self.moment(&page, at));
        if !is_new(&outcome) {
            return self.stand(new, page, at, &mut patience).await;
        }
        let object = ObjectName {
            id: new.creation.id.clone(),
            index: 0,
            random: getrandom::u64()
                .map_err(|error| StoreError::Unreachable(format!("no randomness: {error}")))?,
        };
        let queued = Queued::unwritten(self.moment(&page, at));
        self.queue(&object, queued).await?;
        let whole = stream::iter([Ok(body.clone())]).boxed();
        self.blobs.write(&object, whole).await?;
        let created = self.adopt_body(new, (&object, queued, body), at).await;
        if matches!(&created, Ok(outcome) if !is_new(outcome)) {
            // It belongs to nothing. What is unclear stays queued for the part deadline: it may be adopted yet.
            let doomed = Queued::doomed(self.moment(&page, at));
            self.queue(&object, doomed).await?;
        }
        created
    }

    fn ask_to_create(new: &NewTransfer) -> Ask {
        Ask::by_anyone(&new.creation.id)
            .for_part_0()
            .for_more()
            .for_a_promise()
    }

    /// What a create request comes to where a transfer of its id stands on `page`.
    async fn stand(
        &self,
        new: &NewTransfer,
        page: Page,
        at: Moment,
        patience: &mut Patience,
    ) -> StoreResult<Outcome<Created>> {
        let run = |tables: &mut Tables, at| {
            let mut tried = tables.clone();
            let outcome = tried.create(new.clone(), at);
            if is_new(&outcome) {
                // Its tombstone's time was over in between. Without its body it is not created.
                return Err(Refusal::NotReady);
            }
            *tables = tried;
            outcome
        };
        let ask = Self::ask_to_create(new);
        let standing = self.step_from(page, &ask, at, (run, patience)).await?;
        if standing == Err(Refusal::NotReady) {
            let reason = "a tombstone went while it was looked at".to_owned();
            return Err(StoreError::Unreachable(reason));
        }
        Ok(standing)
    }

    /// Queues an object for deletion, whether there is a transfer or not, unless it is the body of one.
    async fn queue(&self, object: &ObjectName, queued: Queued) -> StoreResult<()> {
        let mut patience = Patience::new();
        let ask = Ask::by_anyone(&object.id).for_part_0().for_more();
        loop {
            let page = self.load(&ask, &mut patience).await?;
            if page.inline_object().as_ref() == Some(object) {
                return Ok(());
            }
            let changes = Changes::queue(object, queued, !page.version.is_empty());
            let kept = self.keep(&page, &ask, (changes, None), &mut patience);
            match kept.await? {
                Kept::Done(replicated) => return replicated,
                Kept::Stale | Kept::Unclear => patience.wait(CROWDED).await?,
            }
        }
    }

    /// Creates the record of an inline body that was written, while its object is still what it was when it was queued.
    async fn adopt_body(
        &self,
        new: &NewTransfer,
        (object, queued, body): (&ObjectName, Queued, &Bytes),
        at: Moment,
    ) -> StoreResult<Outcome<Created>> {
        let ask = Self::ask_to_create(new);
        let accepted = Accepted {
            digest: Sha256::digest(body).into(),
            random: object.random,
        };
        let expected = (
            format!("q{}", keys::object(object)),
            encoding::queued(queued),
        );
        let mut patience = Patience::new();
        loop {
            let page = self.load(&ask, &mut patience).await?;
            let has_adopted = page.inline_object().as_ref() == Some(object);
            let moment = self.moment(&page, at);
            let mut before = page.tables.clone();
            before.deletions.insert(object.clone(), queued);
            let mut after = before.clone();
            let outcome = after.create(new.clone(), moment);
            if !is_new(&outcome) {
                let standing = self.stand(new, page, at, &mut patience).await?;
                // An answer was lost, and it is this request's own.
                let is_new = has_adopted;
                return Ok(standing.map(|created| Created { is_new, ..created }));
            }
            after.deletions.remove(object);
            if let Some(entry) = after.entries.get_mut(&new.creation.id) {
                entry.parts.insert(0, accepted);
            }
            let changes = Changes::between(&before, &after, &new.creation.id, moment, false);
            let guarded = (changes, Some(expected.clone()));
            let kept = self.keep(&page, &ask, guarded, &mut patience);
            match kept.await? {
                Kept::Done(replicated) => return replicated.map(|()| outcome),
                Kept::Stale | Kept::Unclear => patience.wait(CROWDED).await?,
            }
        }
    }

    /// Settles or forgets one transfer that is due.
    pub(super) async fn sweep_one(&self, id: &TransferId, at: Moment) -> StoreResult<()> {
        let ask = Ask::by_anyone(id);
        let mut patience = Patience::new();
        loop {
            let page = self.load(&ask, &mut patience).await?;
            let moment = self.moment(&page, at);
            let mut tables = page.tables.clone();
            tables.settle(id, moment);
            // Kept even when nothing changed: it is due at another time when an operator has changed a period.
            let changes = Changes::between(&page.tables, &tables, id, moment, true);
            let kept = self.keep(&page, &ask, (changes, None), &mut patience);
            match kept.await? {
                Kept::Done(replicated) => return replicated,
                Kept::Stale | Kept::Unclear => patience.wait(CROWDED).await?,
            }
        }
    }
}

fn is_new(outcome: &Outcome<Created>) -> bool {
    matches!(outcome, Ok(created) if created.is_new)
}

/// Whether the step, said once more after it may have been kept already, comes to what it came to then. A wrong guess would
/// be counted twice, and of the only fetch that a claimant has nobody knows who has it.
const fn is_repeatable<T>(outcome: &Outcome<T>) -> bool {
    !matches!(
        outcome,
        Err(Refusal::Denied { .. } | Refusal::Locked | Refusal::LeaseEnded { .. })
    )
}
