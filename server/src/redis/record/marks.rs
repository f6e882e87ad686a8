//! Moving on the marks by which an old copy of a shard is told.

use futures_util::future::try_join_all;

use super::RedisStore;
use crate::record::StoreResult;
use crate::redis::keys::Shard;
use crate::redis::script::MARK;

/// How often the mark is moved on, in seconds.
const MARK_EVERY_S: u64 = 10;

impl RedisStore {
    /// Moves the marks of all shards on, unless that was done a moment ago. The new one.
    pub(super) async fn move_marks_on(&self) -> StoreResult<Option<u64>> {
        let first = Shard::first();
        let every_s = MARK_EVERY_S.to_string();
        let Some(mark) = self.set_mark(first, &every_s, "").await? else {
            return Ok(None);
        };
        let text = mark.to_string();
        let others = Shard::all_from(0).filter(|shard| *shard != first);
        try_join_all(others.map(|shard| self.set_mark(shard, "0", &text))).await?;
        Ok(Some(mark))
    }

    /// Moves a shard's mark on to `mark` or, where that is empty, to Redis's time. The new one, when it is time for one.
    async fn set_mark(&self, shard: Shard, every_s: &str, mark: &str) -> StoreResult<Option<u64>> {
        let call = self.script(&MARK, shard).arg(every_s).arg(mark);
        let written = self.link.call_and_wait(&call).await?;
        let (stands, is_new): (u64, bool) = written.when_replicated()?;
        self.link.remember_mark(shard, stands);
        Ok(is_new.then_some(stands))
    }
}
