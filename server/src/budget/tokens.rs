//! What create tokens with rates of their own have spent at this server, in its memory. There are as many as their file has had names
//! and rates, so that nobody who asks makes it larger.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use super::client::Network;
use super::{Client, Rate};

type Limiter<C> = RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// What each has spent.
#[derive(Debug)]
pub(super) struct TokenLedger<C: Clock = MonotonicClock> {
    clock: C,
    of: Mutex<HashMap<(Network, Rate), Limiter<C>>>,
}

impl<C: Clock + Clone> TokenLedger<C> {
    /// Nothing is spent yet.
    pub(super) fn new(clock: C) -> Self {
        Self {
            clock,
            of: Mutex::default(),
        }
    }

    /// Takes `cost` from what `token` has at `rate`. None when it was there, else after how long it will be; then nothing is taken.
    /// At another rate than before it begins anew, once: a request that was let in at the old one still spends what that had.
    pub(super) fn take(&self, token: Client, rate: Rate, cost: NonZeroU32) -> Option<Duration> {
        // Every change is a single insertion, so a panic elsewhere spoils nothing.
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || limiter(rate, self.clock.clone());
        let limiter = of.entry((token.network(), rate)).or_insert_with(new);
        // What costs more than there ever is takes all of it.
        let spent = limiter.check_n(cost.min(rate.count));
        let refused = spent.expect("nothing costs more than all of it").err()?;
        Some(refused.wait_time_from(self.clock.now()))
    }
}

fn limiter<C: Clock>(rate: Rate, clock: C) -> Limiter<C> {
    RateLimiter::direct_with_clock(quota(rate), clock)
}

/// The same as governor writes it.
pub(super) fn quota(rate: Rate) -> Quota {
    Quota::with_period(rate.period() / rate.count())
        .expect("no rate is above one in a nanosecond")
        .allow_burst(rate.count)
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    #[test]
    fn each_token_has_its_own() {
        let clock = FakeRelativeClock::default();
        let ledger = TokenLedger::new(clock.clone());
        let [one, other] = ["one", "other"].map(Client::of_token);
        let rate = Rate::new(2, 60).expect("neither is 0");
        let take = |token, rate, cost| {
            let cost = NonZeroU32::new(cost).expect("nothing is free");
            ledger.take(token, rate, cost)
        };
        assert_eq!(take(one, rate, 1), None);
        assert_eq!(take(one, rate, 1), None);
        assert_eq!(take(one, rate, 1), Some(Duration::from_secs(30)));
        assert_eq!(take(other, rate, 9), None, "all there is");
        assert!(take(other, rate, 1).is_some());
        clock.advance(Duration::from_secs(30));
        assert_eq!(take(one, rate, 1), None);
        assert!(take(one, rate, 1).is_some());
        // Its operator gives it another.
        let more = Rate::new(3, 60).expect("neither is 0");
        assert_eq!(take(one, more, 3), None);
        assert!(take(one, more, 1).is_some());
        // What was let in before pays as before, and changes nothing for what follows.
        assert!(take(one, rate, 1).is_some());
        assert!(take(one, more, 1).is_some());
    }
}
