//! What clients have spent at all servers that share a Redis: one script for each request, no key that outlives its use, and no
//! address in the clear.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::link::Link;
use super::script::SPEND;
use crate::alias::Aliases;
use crate::budget::{Budget, Client, Ledger, Network, Rate, WIDER};
use crate::record::StoreResult;

/// A ledger in Redis.
pub struct RedisLedger {
    link: Arc<Link>,
    aliases: Aliases,
}

impl fmt::Debug for RedisLedger {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RedisLedger")
    }
}

impl RedisLedger {
    /// A ledger of the store that these aliases are for.
    pub(super) const fn new(link: Arc<Link>, aliases: Aliases) -> Self {
        Self { link, aliases }
    }

    /// 128 bits of the hash of what a client counts as.
    fn name(&self, network: Network) -> String {
        format!("{:032x}", self.aliases.network(network))
    }

    /// The keys of a client and of its neighbours. The widest of them names the slot.
    fn keys(&self, budget: Budget, client: Client) -> Vec<String> {
        let (own, wider) = (client.network(), client.wider());
        let slot = self.name(wider.unwrap_or(own));
        let key = |name: &str| format!("onetimeshare:spent:{{{slot}}}:{}:{name}", budget.name());
        match wider {
            None => vec![key("own")],
            Some(_) => vec![key(&self.name(own)), key("all")],
        }
    }
}

/// The time in microseconds that `cost` needs to be there again, rounded up, and that all of `rate` needs.
fn times(rate: Rate, cost: NonZeroU32) -> [u64; 2] {
    let (count, cost) = (u64::from(rate.count()), u64::from(cost.get()));
    let all = u64::from(rate.period_s()) * 1_000_000;
    // What costs more than there ever is takes all of it.
    let cost = cost.min(count);
    let taken = u128::from(all) * u128::from(cost);
    [
        u64::try_from(taken.div_ceil(count.into())).unwrap_or(all),
        all,
    ]
}

#[async_trait]
impl Ledger for RedisLedger {
    async fn spend(
        &self,
        (budget, rate): (Budget, Rate),
        client: Client,
        cost: NonZeroU32,
    ) -> StoreResult<Option<Duration>> {
        let mut call = SPEND.prepare_invoke();
        for (key, rate) in self
            .keys(budget, client)
            .into_iter()
            .zip([rate, rate.times(WIDER)])
        {
            call.key(key);
            for time in times(rate, cost) {
                call.arg(time);
            }
        }
        let wait_us: u64 = self.link.run(&call).await?;
        Ok((wait_us > 0).then(|| Duration::from_micros(wait_us)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_exact_or_a_little_longer() {
        let check = |count, period_s, cost, expected| {
            let rate = Rate::new(count, period_s).expect("neither is 0");
            let cost = NonZeroU32::new(cost).expect("nothing is free");
            assert_eq!(times(rate, cost), expected, "{count}/{period_s} {cost}");
        };
        check(600, 3600, 1, [6_000_000, 3_600_000_000]);
        check(3, 1, 1, [333_334, 1_000_000]);
        check(3, 1, 3, [1_000_000, 1_000_000]);
        check(3, 1, 4, [1_000_000, 1_000_000]);
        check(u32::MAX, 86_400, u32::MAX, [86_400_000_000, 86_400_000_000]);
    }
}
