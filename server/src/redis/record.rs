//! Records in Redis, for several servers. Each step reads one transfer as a page of [`crate::record::tables`], runs there what every store
//! runs, and keeps what that changed, unless another server was quicker: then it is decided anew.
//!
//! Bodies that come with the create request are not kept here but as objects like any other part: so a record that a fail-over
//! or an old copy brings back finds no body.

mod adoption;
mod counting;
mod ledger;
mod marks;
mod page;
mod seals;
mod steps;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::try_join_all;
use onetimeshare_protocol::id::{
    AccessVerifier, ClaimVerifier, LinkVerifier, OwnerVerifier, TransferId,
};
use onetimeshare_protocol::transfer::{ReceiptAnswer, State};
use redis::{FromRedisValue, Script};
use tokio::time::Instant;
use tracing::error;

use self::page::{Ask, Proof};
use self::seals::{adopt, seals};
use super::address::Address;
use super::encoding;
use super::inspect::Risk;
use super::keys::{self, Shard};
use super::link::{Link, Terms};
use super::script::{ASK, CONFIRM, Call, DEFER, DUE, PULSE, TAKE};
use crate::blob::{BlobStore, ObjectName};
use crate::record::{
    Adoption, BodyPlace, Claimed, Created, HeldBy, NewTransfer, PartStart, PartWrite, Parts,
    RETRY_S, RecordStore, StoreError, StoreId, StoreResult, Taken,
};
use crate::transfer::{Holder, Moment, Outcome, Peek, Totals, Transfer};

/// After Redis was found full, so long passes until it is tried with something new again.
const FULL_FOR: Duration = Duration::from_secs(5);

/// For how long a transfer is put off whose record cannot be read, in seconds: by then an operator may have mended it.
const DEFERRED_S: u64 = 3600;

/// When a rewrite of the append-only file that could not be begun is asked for again, in seconds.
const REWRITE_AGAIN_S: u64 = 60;

/// Records in Redis.
pub struct RedisStore {
    link: Arc<Link>,
    blobs: Arc<dyn BlobStore>,
    store_id: StoreId,
    /// The value of every shard's seal.
    seal: String,
    /// Whether steps are decided at the caller's time, which tests step.
    is_callers_time: bool,
    turn: AtomicUsize,
    has_erased: AtomicBool,
    full_since: std::sync::Mutex<Option<Instant>>,
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RedisStore({:?})", self.store_id)
    }
}

impl RedisStore {
    /// Opens the records in the Redis at `address`, or makes them where there are none. Inline bodies are kept in `blobs`.
    pub async fn open(
        address: &Address,
        terms: Terms,
        blobs: Arc<dyn BlobStore>,
    ) -> StoreResult<Self> {
        let link = Link::new(address, terms, Arc::clone(&blobs))?;
        let store_id = adopt(&link, blobs.as_ref()).await?;
        let seal = format!("{store_id:?}");
        link.begin_with(&seal);
        Ok(Self {
            link: Arc::new(link),
            blobs,
            seal,
            store_id,
            is_callers_time: false,
            turn: AtomicUsize::new(0),
            // What another process has erased before it ended may not be rewritten yet.
            has_erased: AtomicBool::new(true),
            full_since: std::sync::Mutex::default(),
        })
    }

    /// Decides steps at the time that callers pass, instead of Redis's: for tests that step it.
    #[cfg(feature = "conformance")]
    #[must_use]
    pub fn at_callers_time(self) -> Self {
        Self {
            is_callers_time: true,
            ..self
        }
    }

    /// The time for a script that lists or takes what is due; Redis's own where it is empty.
    fn time(&self, at: Moment) -> String {
        if self.is_callers_time {
            encoding::time(at.now)
        } else {
            String::new()
        }
    }

    /// A call of `script` on `shard`, which has to be this store's, and no old copy.
    fn script(&self, script: &'static Script, shard: Shard) -> Call {
        Call::new(script, shard, (&self.seal, self.link.floor(shard)))
    }

    /// What `command` answers about a key of `shard`.
    async fn ask<T: FromRedisValue + Send>(
        &self,
        (shard, key): (Shard, String),
        (command, arguments): (&str, &[&str]),
    ) -> StoreResult<T> {
        let mut call = self.script(&ASK, shard).key(key).arg(command);
        for argument in arguments {
            call = call.arg(argument);
        }
        Ok(self.link.call(&call).await?)
    }

    /// What is due in one index of `shard`, and the time that this was found at.
    async fn due(
        &self,
        shard: Shard,
        index: String,
        limit: usize,
        at: Moment,
    ) -> StoreResult<(u64, Vec<String>)> {
        let call = self
            .script(&DUE, shard)
            .key(index)
            .arg(self.time(at))
            .arg(limit.to_string());
        Ok(self.link.call(&call).await?)
    }

    fn next_turn(&self) -> usize {
        self.turn.fetch_add(1, Ordering::Relaxed)
    }

    /// Takes these objects of one shard, which were due at `now`.
    async fn take(&self, shard: Shard, due: &[ObjectName], now: u64) -> StoreResult<Vec<String>> {
        let mut call = self
            .script(&TAKE, shard)
            .key(shard.queue())
            .arg(encoding::time(now))
            .arg(encoding::time(now.saturating_add(RETRY_S)))
            .arg(steps::draw_version()?);
        for object in due {
            call = call
                .key(keys::transfer(&object.id))
                .arg(object.to_string())
                .arg(keys::object(object));
        }
        // Objects are deleted on its word: a fail-over must not forget it.
        let written = self.link.call_and_wait(&call).await?;
        let (taken, struck): (Vec<String>, u64) = written.when_replicated()?;
        if struck > 0 {
            error!(
                struck,
                "the deletion queue named objects that no transfer has queued"
            );
        }
        Ok(taken)
    }

    /// Strikes out what no index can name. Offered again and again it would keep the rest from being swept.
    async fn strike_out(&self, shard: Shard, index: String, member: &str) -> StoreResult<()> {
        error!(index, "an index names what is no name");
        let _: u64 = self.ask((shard, index), ("ZREM", &[member])).await?;
        Ok(())
    }

    /// Puts off a transfer of this id whose record cannot be read.
    async fn defer(&self, shard: Shard, id: &TransferId, now: u64) -> StoreResult<()> {
        let call = self
            .script(&DEFER, shard)
            .key(shard.due())
            .arg(encoding::time(now.saturating_add(DEFERRED_S)))
            .arg(id.to_text());
        let _: String = self.link.call(&call).await?;
        Ok(())
    }
}

#[async_trait]
impl RecordStore for RedisStore {
    async fn create(&self, new: NewTransfer, at: Moment) -> StoreResult<Outcome<Created>> {
        match &new.body {
            None => {
                let ask = Ask::by_anyone(&new.creation.id).for_more().for_a_promise();
                self.step(&ask, at, |tables, at| tables.create(new.clone(), at))
                    .await
            }
            Some(body) => self.create_inline(&new, body, at).await,
        }
    }

    async fn begin_part(
        &self,
        owner: &OwnerVerifier,
        part: &PartWrite,
        at: Moment,
    ) -> StoreResult<Outcome<PartStart>> {
        let ask = Ask::by(&part.object.id, Proof::Owner(owner.clone()))
            .for_part(&part.object)
            .for_more();
        self.step(&ask, at, |tables, at| tables.begin_part(owner, part, at))
            .await
    }

    async fn accept_part(
        &self,
        owner: &OwnerVerifier,
        part: &PartWrite,
        at: Moment,
    ) -> StoreResult<Outcome<bool>> {
        let ask = Ask::by(&part.object.id, Proof::Owner(owner.clone()))
            .for_part(&part.object)
            .for_a_promise();
        self.step(&ask, at, |tables, at| tables.accept_part(owner, part, at))
            .await
    }

    async fn parts(
        &self,
        id: &TransferId,
        owner: &OwnerVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<Parts>> {
        let ask = Ask::by(id, Proof::Owner(owner.clone())).with_indices();
        self.step(&ask, at, |tables, at| tables.parts(id, owner, at))
            .await
    }

    async fn complete(
        &self,
        id: &TransferId,
        owner: &OwnerVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<(State, u64)>> {
        let ask = Ask::by(id, Proof::Owner(owner.clone()))
            .with_indices()
            .for_a_promise();
        self.step(&ask, at, |tables, at| tables.complete(id, owner, at))
            .await
    }

    async fn peek(
        &self,
        id: &TransferId,
        link: &LinkVerifier,
        access: Option<&AccessVerifier>,
        at: Moment,
    ) -> StoreResult<Outcome<(Peek, Option<Bytes>)>> {
        let mut ask = Ask::by(id, Proof::Link(link.clone()));
        if access.is_some() {
            ask = ask.with_manifest();
        }
        self.step(&ask, at, |tables, at| tables.peek(id, link, access, at))
            .await
    }

    async fn claim(
        &self,
        id: &TransferId,
        (link, access): (&LinkVerifier, &AccessVerifier),
        claimant: &ClaimVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<Claimed>> {
        let ask = Ask::by(id, Proof::Link(link.clone()))
            .with_manifest()
            .for_part_0()
            .for_a_promise();
        let is_allowed = |transfer: &Transfer| transfer.is_access(access);
        self.with_body(&ask, is_allowed, at, |tables, at, body| {
            let claimed = tables.claim(id, (link, access), claimant, at)?;
            Ok(Claimed { body, ..claimed })
        })
        .await
    }

    async fn fetch(
        &self,
        id: &TransferId,
        claimant: &ClaimVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<BodyPlace>> {
        let ask = Ask::by(id, Proof::Claim(claimant.clone()))
            .for_part_0()
            .for_a_promise();
        self.with_body(
            &ask,
            |_| true,
            at,
            |tables, at, body| {
                let place = tables.fetch(id, claimant, at)?;
                Ok(BodyPlace {
                    inline: body,
                    ..place
                })
            },
        )
        .await
    }

    async fn end_fetch(
        &self,
        id: &TransferId,
        claimant: &ClaimVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<()>> {
        let ask = Ask::by(id, Proof::Claim(claimant.clone()));
        self.step(&ask, at, |tables, at| tables.end_fetch(id, claimant, at))
            .await
    }

    async fn part_object(&self, id: &TransferId, index: u64) -> StoreResult<Option<ObjectName>> {
        let place = (Shard::of(id), keys::transfer(id));
        let field = format!("p{index}");
        let found: Option<Vec<u8>> = self.ask(place, ("HGET", &[&field])).await?;
        let part = found.map(|text| encoding::parse_part(&text)).transpose()?;
        Ok(part.map(|part| ObjectName {
            id: id.clone(),
            index,
            random: part.random,
        }))
    }

    async fn renew(
        &self,
        id: &TransferId,
        claimant: &ClaimVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<u64>> {
        let ask = Ask::by(id, Proof::Claim(claimant.clone()));
        self.step(&ask, at, |tables, at| tables.renew(id, claimant, at))
            .await
    }

    async fn deliver(
        &self,
        id: &TransferId,
        claimant: &ClaimVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<()>> {
        let ask = Ask::by(id, Proof::Claim(claimant.clone())).for_a_promise();
        self.step(&ask, at, |tables, at| tables.deliver(id, claimant, at))
            .await
    }

    async fn burn(
        &self,
        id: &TransferId,
        owner: &OwnerVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<()>> {
        let ask = Ask::by(id, Proof::Owner(owner.clone())).for_a_promise();
        self.step(&ask, at, |tables, at| tables.burn(id, owner, at))
            .await
    }

    async fn unlock(
        &self,
        id: &TransferId,
        owner: &OwnerVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<()>> {
        let ask = Ask::by(id, Proof::Owner(owner.clone())).for_a_promise();
        self.step(&ask, at, |tables, at| tables.unlock(id, owner, at))
            .await
    }

    async fn receipt(
        &self,
        id: &TransferId,
        owner: &OwnerVerifier,
        at: Moment,
    ) -> StoreResult<Outcome<ReceiptAnswer>> {
        let ask = Ask::by(id, Proof::Owner(owner.clone()));
        self.step(&ask, at, |tables, at| tables.receipt(id, owner, at))
            .await
    }

    async fn totals(&self) -> StoreResult<Totals> {
        self.sum_totals().await
    }

    async fn held_by(&self, holder: &Holder) -> StoreResult<HeldBy> {
        self.sum_held_by(holder).await
    }

    async fn sweep(&self, limit: usize, at: Moment) -> StoreResult<usize> {
        let mut swept = 0;
        for shard in Shard::all_from(self.next_turn()) {
            let (now, ids) = self.due(shard, shard.due(), limit - swept, at).await?;
            for text in ids {
                swept += 1;
                let Ok(id) = text.parse() else {
                    self.strike_out(shard, shard.due(), &text).await?;
                    continue;
                };
                match self.sweep_one(&id, at).await {
                    Err(error @ StoreError::Corrupt(_)) => {
                        error!(%error, ?id, "a record cannot be swept");
                        self.defer(shard, &id, now).await?;
                    }
                    swept => swept?,
                }
            }
            if swept >= limit {
                break;
            }
        }
        Ok(swept)
    }

    async fn take_deletions(&self, limit: usize, at: Moment) -> StoreResult<Taken> {
        let mut objects = Vec::new();
        let mut earliest = u64::MAX;
        for shard in Shard::all_from(self.next_turn()) {
            let left = limit - objects.len();
            let (now, due) = self.due(shard, shard.queue(), left, at).await?;
            earliest = earliest.min(now);
            let mut names = Vec::new();
            for text in due {
                match text.parse::<ObjectName>() {
                    Ok(name) => names.push(name),
                    Err(_) => self.strike_out(shard, shard.queue(), &text).await?,
                }
            }
            if !names.is_empty() {
                let names = self.take(shard, &names, now).await?;
                objects.extend(names.iter().filter_map(|name| name.parse().ok()));
            }
            if objects.len() >= limit {
                break;
            }
        }
        let now = earliest;
        Ok(Taken {
            objects,
            at: Moment { now, ..at },
        })
    }

    async fn confirm_deleted(&self, objects: &[ObjectName], at: Moment) -> StoreResult<()> {
        for shard in Shard::all_from(0) {
            let mut call = self
                .script(&CONFIRM, shard)
                .key(shard.queue())
                .arg(encoding::time(at.now));
            let mut is_empty = true;
            for object in objects
                .iter()
                .filter(|object| Shard::of(&object.id) == shard)
            {
                is_empty = false;
                call = call
                    .key(keys::transfer(&object.id))
                    .arg(object.to_string())
                    .arg(keys::object(object));
            }
            if !is_empty {
                let _: String = self.link.call(&call).await?;
            }
        }
        Ok(())
    }

    async fn is_known(&self, id: &TransferId) -> StoreResult<bool> {
        let place = (Shard::of(id), keys::transfer(id));
        self.ask(place, ("HEXISTS", &["v"])).await
    }

    fn has_room(&self) -> bool {
        self.full_since()
            .is_none_or(|since| since.elapsed() > FULL_FOR)
    }

    /// The id, when Redis still is the store that the server began with, and still keeps the terms.
    async fn store_id(&self) -> StoreResult<StoreId> {
        self.link.inspect_again().await?;
        let is_ours = |seal: &Option<String>| seal.as_ref() == Some(&self.seal);
        if seals(&self.link).await?.iter().all(is_ours) {
            Ok(self.store_id.clone())
        } else {
            Err(StoreError::Corrupt(
                "Redis is not the store that this server began with: it was emptied, or is another database".to_owned(),
            ))
        }
    }

    async fn mark(&self) -> StoreResult<Option<u64>> {
        if self.link.terms().accepted.contains(&Risk::Restored) {
            return Ok(None);
        }
        // One node of a cluster may be an old copy of itself, and the others not.
        self.link.mark().await.map(Some)
    }

    fn expect_mark(&self, mark: u64) {
        for shard in Shard::all_from(0) {
            self.link.remember_mark(shard, mark);
        }
    }

    async fn advance_mark(&self) -> StoreResult<Option<u64>> {
        self.move_marks_on().await
    }

    async fn has_no_parts(&self) -> StoreResult<bool> {
        for shard in Shard::all_from(0) {
            let parts = ("HGET", &["parts"][..]);
            let parts: Option<i64> = self.ask((shard, shard.counters()), parts).await?;
            let queued: u64 = self.ask((shard, shard.queue()), ("ZCARD", &[])).await?;
            if parts.unwrap_or(0) != 0 || queued > 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn begin_adoption(&self) -> StoreResult<Adoption> {
        adoption::begin(&self.link).await
    }

    async fn end_adoption(&self) -> StoreResult<()> {
        adoption::end(&self.link).await
    }

    /// Writes to every shard, and has as many replicas hear of it as are waited for. It finds out whether there is room, too.
    async fn probe(&self) -> StoreResult<()> {
        let pulses = Shard::all_from(0).map(|shard| async move {
            let call = self.script(&PULSE, shard).key(shard.pulse());
            let written = self.link.repeat_and_wait::<String>(&call).await?;
            written.when_replicated()
        });
        let is_full = try_join_all(pulses)
            .await?
            .iter()
            .any(|told| told == "full");
        *self.full_since() = is_full.then(Instant::now);
        Ok(())
    }

    /// Asks Redis to rewrite its append-only file when something was erased since it was last asked, by whichever server.
    async fn scrub(&self) -> StoreResult<()> {
        let every_s = self.link.terms().rewrite_s;
        if every_s == 0 || !self.has_erased.load(Ordering::Relaxed) {
            return Ok(());
        }
        let shard = Shard::first();
        let mut asked = redis::cmd("SET");
        asked
            .arg(shard.rewrite())
            .arg("asked")
            .arg("NX")
            .arg("EX")
            .arg(every_s);
        let is_first: Option<String> = self.link.ask(shard, &asked).await?;
        if is_first.is_none() {
            return Ok(());
        }
        // Before it is asked: what is erased meanwhile is for the next time.
        self.has_erased.store(false, Ordering::Relaxed);
        let rewritten = self.link.tell_all(&redis::cmd("BGREWRITEAOF")).await;
        if rewritten.is_err() {
            // Another is still under way, say, which began before.
            self.has_erased.store(true, Ordering::Relaxed);
            let mut again = redis::cmd("EXPIRE");
            again.arg(shard.rewrite()).arg(every_s.min(REWRITE_AGAIN_S));
            let _: u64 = self.link.ask(shard, &again).await?;
        }
        rewritten
    }
}
