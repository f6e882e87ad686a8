//! What the shards have counted, put together: each read at its own moment, all of them at once.

use futures_util::future::try_join_all;

use super::RedisStore;
use crate::record::{HeldBy, StoreResult};
use crate::redis::keys::Shard;
use crate::transfer::{Held, Holder, Totals};

impl RedisStore {
    /// The counters of all shards together.
    pub(super) async fn sum_totals(&self) -> StoreResult<Totals> {
        let sums = self.sums(Shard::counters, Totals::NAMES).await?;
        Ok(Totals::of(sums))
    }

    /// The same of what a holder has, and its site.
    pub(super) async fn sum_held_by(&self, holder: &Holder) -> StoreResult<HeldBy> {
        let client = holder.to_text();
        let (site, _) = client.split_at(client.len() / 2);
        let names = [
            format!("cn{client}"),
            format!("cl{client}"),
            format!("sn{site}"),
            format!("sl{site}"),
        ];
        let names = names.each_ref().map(String::as_str);
        let [client_count, client_len, site_count, site_len] =
            self.sums(Shard::held, names).await?;
        let held = |count, len| Held { count, len };
        Ok(HeldBy {
            client: held(client_count, client_len),
            site: held(site_count, site_len),
        })
    }

    /// The sums over all shards of these fields of one hash in each. Never below zero, but by a fault of this program: and that
    /// must not keep everything new away.
    async fn sums<const N: usize>(
        &self,
        key: fn(Shard) -> String,
        names: [&str; N],
    ) -> StoreResult<[u64; N]> {
        let shards = Shard::all_from(0).map(|shard| async move {
            let read = ("HMGET", &names[..]);
            self.ask::<Vec<Option<i64>>>((shard, key(shard)), read)
                .await
        });
        let mut sums = [0_i64; N];
        for shard in try_join_all(shards).await? {
            for (sum, count) in sums.iter_mut().zip(shard) {
                *sum = sum.saturating_add(count.unwrap_or(0));
            }
        }
        Ok(sums.map(|sum| u64::try_from(sum).unwrap_or(0)))
    }
}
