//! How much each client may ask of the server, by what it asks for: budgets that are spent by requests or bytes and fill up
//! again as time passes. They decide before a body is read or a store is asked, and know nothing of transfers.
//!
//! Each server counts in its own memory; servers that share Redis count there as well, so that all of them together give what one
//! would. A request that this server refuses is not asked about there: a flood costs Redis no more than it may.

pub mod client;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub(crate) mod counts;
pub mod memory;
mod table;
mod tokens;
mod under_way;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use governor::clock::MonotonicClock;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

pub use self::client::{Client, Network, Peer, Proxies};
use self::memory::MemoryLedger;
use self::tokens::TokenLedger;
pub(crate) use self::under_way::Pending;
use self::under_way::UnderWay;
use crate::record::{StoreError, StoreResult};

/// How much more than a client by itself all clients of its /48 have together.
pub const WIDER: u32 = 8;

/// How often what is whole again is forgotten.
const SWEEP_EVERY: Duration = Duration::from_secs(5);

/// How long other servers' word is waited for. It stands before every request.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(500);

/// What a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Budget {
    /// Transfers to be made, by requests.
    Create,
    /// Parts of uploads, by KiB.
    Upload,
    /// All that who holds a link asks for, by requests.
    Open,
    /// All that only the sender may ask for, by requests.
    Owner,
}

impl Budget {
    /// Each of them.
    pub const ALL: [Self; 4] = [Self::Create, Self::Upload, Self::Open, Self::Owner];

    /// A word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Upload => "upload",
            Self::Open => "open",
            Self::Owner => "owner",
        }
    }

    const fn index(self) -> usize {
        match self {
            Self::Create => 0,
            Self::Upload => 1,
            Self::Open => 2,
            Self::Owner => 3,
        }
    }
}

/// So many in each period: at most all of them at once, and then each again after its share of the period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    count: NonZeroU32,
    period_s: NonZeroU32,
}

impl Rate {
    /// `count` in `period_s` seconds; none when either is 0.
    pub fn new(count: u32, period_s: u32) -> Option<Self> {
        let (count, period_s) = (NonZeroU32::new(count)?, NonZeroU32::new(period_s)?);
        Some(Self { count, period_s })
    }

    /// How many.
    pub const fn count(self) -> u32 {
        self.count.get()
    }

    /// In how many seconds.
    pub const fn period_s(self) -> u32 {
        self.period_s.get()
    }

    fn period(self) -> Duration {
        Duration::from_secs(self.period_s.get().into())
    }

    /// So many times as much.
    #[must_use]
    pub(crate) const fn times(self, factor: u32) -> Self {
        let Some(factor) = NonZeroU32::new(factor) else {
            return self;
        };
        Self {
            count: self.count.saturating_mul(factor),
            ..self
        }
    }
}

/// The rate of each budget; one without has no end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates([Option<Rate>; Budget::ALL.len()]);

impl Rates {
    /// The rate of `budget`.
    pub const fn of(&self, budget: Budget) -> Option<Rate> {
        self.0[budget.index()]
    }

    /// With this one for `budget`.
    #[must_use]
    pub const fn with(mut self, budget: Budget, rate: Option<Rate>) -> Self {
        self.0[budget.index()] = rate;
        self
    }
}

/// Whose budget a request is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spender {
    /// A client's, at the rate that all have.
    Client(Client),
    /// A create token's, at a rate of its own; without one it has no end.
    Token(Client, Option<Rate>),
}

/// Keeps what clients have spent.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Takes `cost` from what `client` has of a budget at this rate, and from what its neighbours have. None when it was there,
    /// else after how long it will be: what its neighbours lack may have been taken from its own then. An error is a ledger that
    /// cannot be asked.
    async fn spend(
        &self,
        of: (Budget, Rate),
        client: Client,
        cost: NonZeroU32,
    ) -> StoreResult<Option<Duration>>;
}

/// Why a request goes no further.
#[derive(Debug)]
pub enum Stopped {
    /// The client has spent what it has.
    Spent(Spent),
    /// What it has spent elsewhere cannot be known, and it wants something new.
    Unknown(StoreError),
}

/// A budget that has no room for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent {
    /// Which.
    pub budget: Budget,
    /// What there is of it.
    pub rate: Rate,
    /// When there will be room.
    pub wait: Duration,
    /// Whether it is a create token's, and not the client's.
    pub is_of_token: bool,
}

impl Spent {
    /// The same until there is room for one more, too.
    #[must_use]
    pub(crate) fn and_one(self) -> Self {
        let share = self.rate.period() / self.rate.count();
        Self {
            wait: self.wait.saturating_add(share),
            ..self
        }
    }

    /// The same in whole seconds, rounded up: at least one.
    pub fn wait_s(&self) -> u64 {
        let has_rest = self.wait.subsec_nanos() > 0;
        (self.wait.as_secs() + u64::from(has_rest)).max(1)
    }
}

/// All budgets of all clients.
pub struct Budgets {
    proxies: Proxies,
    rates: Rates,
    own: MemoryLedger,
    of_tokens: TokenLedger,
    shared: Option<Arc<dyn Ledger>>,
    under_way: UnderWay,
    /// Whether it was told that a proxy is missing in the settings.
    has_told: AtomicBool,
    /// Whether the shared ledger was away when it was last asked.
    is_away: AtomicBool,
}

impl std::fmt::Debug for Budgets {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Budgets({:?})", self.rates)
    }
}

impl Budgets {
    /// At these rates, for clients behind `proxies`; kept in `shared` as well, where several servers have one.
    pub fn new(rates: Rates, proxies: Proxies, shared: Option<Arc<dyn Ledger>>) -> Self {
        Self {
            proxies,
            rates,
            own: MemoryLedger::new(&rates),
            of_tokens: TokenLedger::new(MonotonicClock),
            shared,
            under_way: UnderWay::new(usize::MAX),
            has_told: AtomicBool::new(false),
            is_away: AtomicBool::new(false),
        }
    }

    /// The same with at most so many requests of one client at once.
    #[must_use]
    pub fn with_requests_max(self, max: usize) -> Self {
        Self {
            under_way: UnderWay::new(max),
            ..self
        }
    }

    /// Counts one more request of `client` that is under way; none when it has as many as it may.
    pub(crate) fn begin(&self, client: Client) -> Option<Pending> {
        self.under_way.begin(client)
    }

    /// None has an end.
    pub fn endless() -> Self {
        Self::new(Rates::default(), Proxies::default(), None)
    }

    /// Who is behind `peer`, by the lines of its `X-Forwarded-For`.
    pub(crate) fn client<'a>(
        &self,
        peer: Peer,
        lines: impl DoubleEndedIterator<Item = &'a [u8]> + Clone,
    ) -> Client {
        let looks_like_a_proxy = peer.is_near() && lines.clone().next().is_some();
        if looks_like_a_proxy
            && !self.proxies.trust(peer.0)
            && !self.has_told.swap(true, Ordering::Relaxed)
        {
            warn!(
                "requests come from a proxy on this machine or in a private network that is not in `trusted-proxy`: everybody behind \
                 it counts as one client; name its address there"
            );
        }
        self.proxies.client(peer, lines)
    }

    /// At which rate `spender` has `budget`; none where that has no end.
    fn rate(&self, budget: Budget, spender: Spender) -> Option<Rate> {
        match spender {
            Spender::Client(_) => self.rates.of(budget),
            Spender::Token(_, rate) => rate,
        }
    }

    /// The most that one request can cost of `budget`, beside the request itself: what is larger takes all that there is.
    pub(crate) fn cost_max(&self, budget: Budget, spender: Spender) -> u32 {
        let rate = self.rate(budget, spender);
        rate.map_or(u32::MAX, |rate| rate.count() - 1)
    }

    /// Takes `cost` from what `spender` has of `budget`.
    pub(crate) async fn spend(
        &self,
        budget: Budget,
        spender: Spender,
        cost: NonZeroU32,
    ) -> Result<(), Stopped> {
        let Some(rate) = self.rate(budget, spender) else {
            return Ok(());
        };
        let (client, own) = match spender {
            Spender::Client(client) => (client, self.own.take(budget, client, cost)),
            Spender::Token(token, _) => (token, self.of_tokens.take(token, rate, cost)),
        };
        let stopped = |wait| {
            Stopped::Spent(Spent {
                budget,
                rate,
                wait,
                is_of_token: matches!(spender, Spender::Token(..)),
            })
        };
        if let Some(wait) = own {
            return Err(stopped(wait));
        }
        match self.spend_shared((budget, rate), client, cost).await {
            Ok(None) => Ok(()),
            Ok(Some(wait)) => Err(stopped(wait)),
            // What is new can wait. Who opens something is let through to the store, which decides.
            Err(error) if budget == Budget::Create => Err(Stopped::Unknown(error)),
            Err(_) => Ok(()),
        }
    }

    async fn spend_shared(
        &self,
        of: (Budget, Rate),
        client: Client,
        cost: NonZeroU32,
    ) -> StoreResult<Option<Duration>> {
        let Some(shared) = &self.shared else {
            return Ok(None);
        };
        let spent = timeout(ANSWER_TIMEOUT, shared.spend(of, client, cost)).await;
        let spent = spent.unwrap_or_else(|_| {
            let reason = "the shared budgets do not answer within half a second";
            Err(StoreError::Unreachable(reason.to_owned()))
        });
        match &spent {
            Err(error) if !self.is_away.swap(true, Ordering::Relaxed) => {
                warn!(%error, "the shared budgets cannot be asked: until they can, each server counts for itself");
            }
            Ok(_) if self.is_away.swap(false, Ordering::Relaxed) => {
                info!("the shared budgets can be asked again");
            }
            _ => {}
        }
        spent
    }

    /// Forgets whose budgets are whole again, every few seconds until `stop`.
    pub async fn run_sweeps(&self, stop: CancellationToken) {
        let rest = || tokio::time::sleep(SWEEP_EVERY);
        while stop.run_until_cancelled(rest()).await.is_some() {
            self.own.sweep();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_rounded_up_and_never_zero() {
        let rate = Rate::new(1, 1).expect("neither is 0");
        let check = |millis, expected| {
            let wait = Duration::from_millis(millis);
            let budget = Budget::Open;
            let spent = Spent {
                budget,
                rate,
                wait,
                is_of_token: false,
            };
            assert_eq!(spent.wait_s(), expected, "{millis}");
        };
        check(0, 1);
        check(1, 1);
        check(1000, 1);
        check(1001, 2);
        check(59_999, 60);
    }

    /// One that does as it was told.
    struct Told(StoreResult<Option<Duration>>);

    #[async_trait]
    impl Ledger for Told {
        async fn spend(
            &self,
            _: (Budget, Rate),
            _: Client,
            _: NonZeroU32,
        ) -> StoreResult<Option<Duration>> {
            self.0.clone()
        }
    }

    /// One that never answers.
    struct Silent;

    #[async_trait]
    impl Ledger for Silent {
        async fn spend(
            &self,
            _: (Budget, Rate),
            _: Client,
            _: NonZeroU32,
        ) -> StoreResult<Option<Duration>> {
            std::future::pending().await
        }
    }

    fn budgets(shared: impl Ledger + 'static) -> Budgets {
        let rate = Rate::new(1000, 60);
        let rates = Budget::ALL
            .iter()
            .fold(Rates::default(), |rates, &budget| rates.with(budget, rate));
        Budgets::new(rates, Proxies::default(), Some(Arc::new(shared)))
    }

    async fn spend(budgets: &Budgets, budget: Budget) -> Result<(), Stopped> {
        let client = Client::new(Peer::UNKNOWN.0);
        let spender = Spender::Client(client);
        budgets.spend(budget, spender, NonZeroU32::MIN).await
    }

    #[tokio::test]
    async fn what_was_spent_elsewhere_counts() {
        let wait = Duration::from_secs(7);
        let budgets = budgets(Told(Ok(Some(wait))));
        for budget in Budget::ALL {
            let stopped = spend(&budgets, budget).await;
            assert!(
                matches!(stopped, Err(Stopped::Spent(Spent { wait: told, .. })) if told == wait),
                "{stopped:?}"
            );
        }
    }

    #[tokio::test]
    async fn a_token_with_its_own_rate_spends_nothing_of_its_client() {
        let rates = Rates::default().with(Budget::Create, Rate::new(1, 60));
        let budgets = Budgets::new(rates, Proxies::default(), None);
        let token = Client::of_token("one");
        let spend = |spender| budgets.spend(Budget::Create, spender, NonZeroU32::MIN);
        for _ in 0..3 {
            spend(Spender::Token(token, None)).await.expect("no end");
        }
        let own = Spender::Token(token, Rate::new(2, 60));
        assert_eq!(budgets.cost_max(Budget::Create, own), 1);
        spend(own).await.expect("the first");
        spend(own).await.expect("the second");
        let stopped = spend(own).await;
        assert!(
            matches!(
                stopped,
                Err(Stopped::Spent(Spent {
                    is_of_token: true,
                    ..
                }))
            ),
            "{stopped:?}"
        );
        let client = Spender::Client(Client::new(Peer::UNKNOWN.0));
        spend(client).await.expect("nobody has spent it");
        let stopped = spend(client).await;
        assert!(
            matches!(
                stopped,
                Err(Stopped::Spent(Spent {
                    is_of_token: false,
                    ..
                }))
            ),
            "{stopped:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn without_word_from_elsewhere_only_what_is_new_is_stopped() {
        let away = StoreError::Unreachable("as planned".to_owned());
        for budgets in [budgets(Told(Err(away))), budgets(Silent)] {
            for budget in Budget::ALL {
                let stopped = spend(&budgets, budget).await;
                let is_stopped = matches!(stopped, Err(Stopped::Unknown(_)));
                assert_eq!(is_stopped, budget == Budget::Create, "{budget:?}");
                assert_eq!(stopped.is_err(), is_stopped, "{budget:?}");
            }
        }
    }
}
