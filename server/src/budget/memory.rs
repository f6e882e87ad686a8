//! The ledger of one server, in its memory: governor's arithmetic over tables that are bounded. It knows nothing of requests.

use std::num::NonZeroU32;
use std::time::Duration;

use async_trait::async_trait;
use governor::RateLimiter;
use governor::clock::{Clock, MonotonicClock};
use governor::middleware::NoOpMiddleware;

use super::client::{Client, Network};
use super::table::Table;
use super::tokens::quota;
use super::{Budget, Ledger, Rate, Rates, WIDER};
use crate::record::StoreResult;

/// What clients have spent at this server.
#[derive(Debug)]
pub struct MemoryLedger<C: Clock = MonotonicClock> {
    budgets: [Option<Pair<C>>; Budget::ALL.len()],
}

impl MemoryLedger {
    /// Nothing is spent yet; a budget without a rate has no end.
    pub fn new(rates: &Rates) -> Self {
        Self::with_clock(rates, MonotonicClock)
    }
}

impl<C: Clock + Clone> MemoryLedger<C> {
    /// The same by another clock, for tests that step it.
    pub fn with_clock(rates: &Rates, clock: C) -> Self {
        let pair = |budget| Some(Pair::new(rates.of(budget)?, &clock));
        Self {
            budgets: Budget::ALL.map(pair),
        }
    }

    /// Takes `cost` from what `client` has of `budget`. None when it was there, else after how long it will be; then nothing
    /// is taken.
    pub fn take(&self, budget: Budget, client: Client, cost: NonZeroU32) -> Option<Duration> {
        self.budgets[budget.index()].as_ref()?.spend(client, cost)
    }

    /// Forgets whose budgets are whole again.
    pub fn sweep(&self) {
        for limiter in self.limiters() {
            limiter.inner.retain_recent();
        }
    }

    /// How many entries there are, of all budgets.
    pub fn len(&self) -> usize {
        self.limiters().map(|limiter| limiter.inner.len()).sum()
    }

    /// Whether nobody has spent anything.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn limiters(&self) -> impl Iterator<Item = &Limiter<C>> {
        let pairs = self.budgets.iter().flatten();
        pairs.flat_map(|pair| [&pair.narrow, &pair.wide])
    }
}

#[async_trait]
impl<C> Ledger for MemoryLedger<C>
where
    C: Clock<Instant: Send + Sync> + Clone + Send + Sync,
{
    async fn spend(
        &self,
        (budget, _): (Budget, Rate),
        client: Client,
        cost: NonZeroU32,
    ) -> StoreResult<Option<Duration>> {
        Ok(self.take(budget, client, cost))
    }
}

/// What a client has for itself, and what it shares with its neighbours.
#[derive(Debug)]
struct Pair<C: Clock> {
    narrow: Limiter<C>,
    wide: Limiter<C>,
}

impl<C: Clock + Clone> Pair<C> {
    fn new(rate: Rate, clock: &C) -> Self {
        Self {
            narrow: Limiter::new(rate, clock),
            wide: Limiter::new(rate.times(WIDER), clock),
        }
    }

    /// Whoever is refused for itself costs its neighbours nothing. A newcomer is held against the neighbours first, since one who is
    /// refused for them is not to take an entry: a /48 has 65 536 newcomers.
    fn spend(&self, client: Client, cost: NonZeroU32) -> Option<Duration> {
        let network = client.network();
        let Some(wider) = client.wider() else {
            return self.narrow.spend(network, cost);
        };
        let (first, second) = if self.narrow.table.has(&network) {
            ((&self.narrow, network), (&self.wide, wider))
        } else {
            ((&self.wide, wider), (&self.narrow, network))
        };
        let spend = |(limiter, network): (&Limiter<C>, Network)| limiter.spend(network, cost);
        spend(first).or_else(|| spend(second))
    }
}

/// One rate, and what each network has spent of it.
#[derive(Debug)]
struct Limiter<C: Clock> {
    inner: RateLimiter<Network, Table, C, NoOpMiddleware<C::Instant>>,
    table: Table,
    rate: Rate,
}

impl<C: Clock + Clone> Limiter<C> {
    fn new(rate: Rate, clock: &C) -> Self {
        let table = Table::new();
        Self {
            inner: RateLimiter::new(quota(rate), table.clone(), clock.clone()),
            table,
            rate,
        }
    }

    fn spend(&self, network: Network, cost: NonZeroU32) -> Option<Duration> {
        // What costs more than there ever is takes all of it.
        let cost = cost.min(self.rate.count);
        let spent = self.inner.check_key_n(&network, cost);
        let spent = spent.expect("nothing costs more than all of it");
        let refused = spent.err()?;
        Some(refused.wait_time_from(self.inner.clock().now()))
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv6Addr};

    use governor::clock::FakeRelativeClock;

    use super::super::conformance;
    use super::super::table::ENTRIES_MAX;
    use super::*;

    const ONE: NonZeroU32 = NonZeroU32::MIN;

    fn ledger(count: u32) -> (MemoryLedger<FakeRelativeClock>, FakeRelativeClock) {
        let rates = Rates::default().with(Budget::Create, Rate::new(count, 3600));
        let clock = FakeRelativeClock::default();
        (MemoryLedger::with_clock(&rates, clock.clone()), clock)
    }

    /// The client of the `number`-th /64, each in a /48 of its own.
    fn stranger(number: u32) -> Client {
        let bits = (0x2001_u128 << 112) | (u128::from(number) << 80);
        Client::new(IpAddr::V6(Ipv6Addr::from_bits(bits)))
    }

    #[tokio::test]
    async fn it_conforms() {
        let clock = FakeRelativeClock::default();
        let ledger = MemoryLedger::with_clock(&conformance::rates(), clock.clone());
        conformance::run_all(&ledger, |time| clock.advance(time)).await;
    }

    #[test]
    fn whose_budget_is_whole_again_is_forgotten() {
        let (ledger, clock) = ledger(3600);
        let granted = ledger.take(Budget::Create, stranger(1), ONE);
        assert_eq!((granted, ledger.len()), (None, 2));
        // One of 3600 in an hour is back after a second, of eight times as many after an eighth of one; it is kept as long again.
        for (millis, expected) in [(200, 2), (300, 1), (1000, 1), (500, 0)] {
            clock.advance(Duration::from_millis(millis));
            ledger.sweep();
            assert_eq!(ledger.len(), expected, "{millis}");
        }
    }

    #[test]
    fn a_budget_without_a_rate_has_no_end_and_no_entries() {
        let (ledger, _) = ledger(1);
        for _ in 0..3 {
            assert_eq!(ledger.take(Budget::Open, stranger(1), ONE), None);
        }
        assert!(ledger.is_empty());
    }

    #[test]
    fn neighbours_that_are_refused_take_no_entries() {
        let (ledger, _) = ledger(1);
        let neighbour = |number: u128| {
            let bits = (0x2001_u128 << 112) | (number << 64);
            Client::new(IpAddr::V6(Ipv6Addr::from_bits(bits)))
        };
        let granted = (0..1000).filter(|&number| {
            let spent = ledger.take(Budget::Create, neighbour(number), ONE);
            spent.is_none()
        });
        assert_eq!(granted.count(), 8, "as many as a /48 has");
        assert_eq!(ledger.len(), 8 + 1);
    }

    #[test]
    fn one_that_is_refused_for_itself_costs_its_neighbours_nothing() {
        let (ledger, _) = ledger(1);
        let [one, other] = ["2001:db8::1", "2001:db8:0:1::1"]
            .map(|text| Client::new(text.parse().expect("an address")));
        for refused in 0..100 {
            let spent = ledger.take(Budget::Create, one, ONE);
            assert_eq!(spent.is_some(), refused > 0);
        }
        assert_eq!(ledger.take(Budget::Create, other, ONE), None);
    }

    #[test]
    fn a_full_table_lets_strangers_of_a_region_share_one_budget() {
        let (ledger, clock) = ledger(10);
        let known = stranger(0);
        let count = u32::try_from(ENTRIES_MAX).expect("it is small");
        let granted = (0..count + 100)
            .filter(|&number| ledger.take(Budget::Create, stranger(number), ONE).is_none());
        assert_eq!(granted.count(), ENTRIES_MAX + 10);
        assert_eq!(ledger.len(), 2 * (ENTRIES_MAX + 1));
        // Nobody else is locked out by that.
        for address in ["192.0.2.1", "2001:db8::1"] {
            let other = Client::new(address.parse().expect("an address"));
            assert_eq!(ledger.take(Budget::Create, other, ONE), None, "{address}");
        }
        assert_eq!(
            ledger.take(Budget::Create, known, ONE),
            None,
            "who is in it has its own"
        );
        assert!(
            ledger
                .take(Budget::Create, stranger(count + 500), ONE)
                .is_some()
        );
        // Once there is room again, everybody has.
        clock.advance(Duration::from_mins(70));
        ledger.sweep();
        assert!(ledger.is_empty());
        assert_eq!(
            ledger.take(Budget::Create, stranger(count + 500), ONE),
            None
        );
    }
}
