//! How far each shard has come, as this process knows it: what an old copy of a shard is told by, whether it came back before a
//! connection or under one.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::try_join_all;
use redis::{Cmd, RedisError, from_redis_value};

use super::fault::{not_written_by_us, unconnected};
use super::{Connection, Link};
use crate::record::{BEHIND_MAX_S, StoreError, StoreResult};
use crate::redis::inspect::Risk;
use crate::redis::keys::{SHARD_COUNT, Shard};

/// What is known of the shards.
#[derive(Default)]
pub(super) struct Marks {
    /// The value of every shard's seal, once this process knows it.
    seal: OnceLock<String>,
    /// The newest mark that each shard is known to have had. Of each its own: while one is moved on the others are not yet, and a
    /// shard that is held to another's could be refused for good.
    known: [AtomicU64; SHARD_COUNT],
}

impl Marks {
    fn of(&self, shard: Shard) -> u64 {
        self.known[shard.index()].load(Ordering::Relaxed)
    }
}

/// What a shard says of itself at one moment: its seal and its mark.
type Told = (Option<String>, Option<u64>);

fn both_of(shard: Shard) -> Cmd {
    let mut both = redis::cmd("MGET");
    both.arg(shard.seal()).arg(shard.mark());
    both
}

/// What is said of a Redis that has fallen behind.
pub(super) fn behind() -> StoreError {
    StoreError::Corrupt(
        "Redis was restarted on an old copy of itself, and what was opened since could be opened again"
            .to_owned(),
    )
}

impl Link {
    /// From now on a shard counts whose seal is this.
    pub(in crate::redis) fn begin_with(&self, seal: &str) {
        self.marks.seal.get_or_init(|| seal.to_owned());
    }

    /// From now on a shard that has fallen behind this mark is not used.
    pub(in crate::redis) fn remember_mark(&self, shard: Shard, mark: u64) {
        self.marks.known[shard.index()].fetch_max(mark, Ordering::Relaxed);
    }

    /// The mark that a shard must have to be used. A fail-over may lose the last moments; what was never told is not asked for.
    pub(in crate::redis) fn floor(&self, shard: Shard) -> u64 {
        if self.terms.accepted.contains(&Risk::Restored) {
            return 0;
        }
        self.marks.of(shard).saturating_sub(BEHIND_MAX_S)
    }

    /// The oldest mark of all shards, 0 where one has none. What each has is remembered.
    pub(in crate::redis) async fn mark(&self) -> StoreResult<u64> {
        let marks = Shard::all_from(0).map(|shard| async move {
            let told = self.ask(shard, &both_of(shard)).await?;
            self.learn(shard, &told);
            StoreResult::Ok(told.1.unwrap_or(0))
        });
        Ok(try_join_all(marks).await?.into_iter().min().unwrap_or(0))
    }

    /// Remembers what a shard says of itself. A stranger's mark says nothing of ours, which may be older.
    fn learn(&self, shard: Shard, (seal, mark): &Told) {
        if let (Some(seal), Some(mark)) = (seal, mark)
            && self.marks.seal.get() == Some(seal)
        {
            self.remember_mark(shard, *mark);
        }
    }

    /// Refuses a Redis that was restarted on an old copy while this server ran, before anything is asked of it: one that has
    /// fallen behind what this server knows, or what any has left with the blobs.
    pub(super) async fn check_marks(&self, connection: &mut Connection) -> StoreResult<()> {
        if self.terms.accepted.contains(&Risk::Restored) {
            return Ok(());
        }
        let unreachable = |error: RedisError| unconnected(&error, &self.place);
        let mut marked = Vec::new();
        for shard in Shard::all_from(0) {
            let told = connection.ask_one(both_of(shard), shard).await;
            let told: Told =
                from_redis_value(told.map_err(unreachable)?).map_err(|_| not_written_by_us())?;
            // Where there is none it is a new shard, or an emptied one, which its seal tells.
            if told.1.is_some() {
                marked.push((shard, told));
            }
        }
        if marked.is_empty() {
            // A new store.
            return Ok(());
        }
        let left = self.blobs.mark().await?.unwrap_or(0);
        for (shard, told) in &marked {
            let kept = told.1.unwrap_or(0);
            if left.max(self.marks.of(*shard)) > kept.saturating_add(BEHIND_MAX_S) {
                return Err(behind());
            }
        }
        for (shard, told) in &marked {
            self.learn(*shard, told);
        }
        Ok(())
    }
}
