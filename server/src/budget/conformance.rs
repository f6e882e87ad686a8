//! What every ledger must do, run against each implementation. Time is stepped by whoever runs it.

use std::num::NonZeroU32;
use std::time::Duration;

use super::client::Client;
use super::{Budget, Ledger, Rate, Rates, WIDER};

/// Each budget at the rate of a test: ten in an hour.
const COUNT: u32 = 10;
const PERIOD_S: u32 = 3600;
/// After how long one of them is there again.
const SHARE: Duration = Duration::from_mins(6);
/// How far a ledger's clock may be from the test's.
const SLACK: Duration = Duration::from_secs(30);

fn rate() -> Rate {
    Rate::new(COUNT, PERIOD_S).expect("neither is 0")
}

fn client(text: &str) -> Client {
    Client::new(text.parse().expect("an address"))
}

fn cost(cost: u32) -> NonZeroU32 {
    NonZeroU32::new(cost).expect("nothing is free")
}

/// A ledger, and how a test sees that it is right.
struct Subject<'a>(&'a dyn Ledger);

impl Subject<'_> {
    async fn wait(&self, budget: Budget, client: Client, cost: NonZeroU32) -> Option<Duration> {
        let spent = self.0.spend((budget, rate()), client, cost).await;
        spent.expect("it can be asked")
    }

    async fn granted(&self, budget: Budget, client: Client, costs: u32) {
        let waits = self.wait(budget, client, cost(costs)).await;
        assert_eq!(waits, None, "{budget:?}");
    }

    /// Fails unless so much is refused for about so long.
    async fn refused(&self, budget: Budget, client: Client, costs: u32, about: Duration) {
        let wait = self.wait(budget, client, cost(costs)).await;
        let wait = wait.expect("there is no room for it");
        assert!(wait <= about && wait + SLACK >= about, "{wait:?} {about:?}");
    }
}

/// The rates that every ledger is run with.
pub fn rates() -> Rates {
    Budget::ALL.iter().fold(Rates::default(), |rates, &budget| {
        rates.with(budget, Some(rate()))
    })
}

/// Runs all of it on a ledger of [`rates`] in which nothing is spent; `pass` lets time pass for it.
pub async fn run_all(ledger: &dyn Ledger, mut pass: impl FnMut(Duration)) {
    let subject = Subject(ledger);
    spent_and_filled(&subject, &mut pass).await;
    apart(&subject).await;
    costly(&subject).await;
    neighbours(&subject).await;
}

async fn spent_and_filled(subject: &Subject<'_>, pass: &mut impl FnMut(Duration)) {
    let client = client("192.0.2.1");
    for _ in 0..COUNT {
        subject.granted(Budget::Create, client, 1).await;
    }
    subject.refused(Budget::Create, client, 1, SHARE).await;
    // A refusal takes nothing.
    subject.refused(Budget::Create, client, 1, SHARE).await;
    subject.refused(Budget::Create, client, 3, 3 * SHARE).await;
    pass(SHARE + SLACK);
    subject.granted(Budget::Create, client, 1).await;
    subject
        .refused(Budget::Create, client, 1, SHARE.saturating_sub(SLACK))
        .await;
    // Never more than all of it, however long nothing was asked.
    pass(100 * SHARE);
    for _ in 0..COUNT {
        subject.granted(Budget::Create, client, 1).await;
    }
    subject.refused(Budget::Create, client, 1, SHARE).await;
}

async fn apart(subject: &Subject<'_>) {
    let (one, other) = (client("192.0.2.2"), client("192.0.2.3"));
    for budget in Budget::ALL {
        subject.granted(budget, one, COUNT).await;
        subject.refused(budget, one, 1, SHARE).await;
        subject.granted(budget, other, 1).await;
    }
}

async fn costly(subject: &Subject<'_>) {
    let client = client("192.0.2.4");
    subject.granted(Budget::Upload, client, 7).await;
    subject.refused(Budget::Upload, client, 4, SHARE).await;
    subject.granted(Budget::Upload, client, 3).await;
    // What costs more than there ever is takes all of it, and is not refused for ever.
    let other = self::client("192.0.2.5");
    subject.granted(Budget::Upload, other, 1_000_000).await;
    let all = SHARE * COUNT;
    subject.refused(Budget::Upload, other, 1_000_000, all).await;
}

async fn neighbours(subject: &Subject<'_>) {
    let of = |site: u32, number: u32| client(&format!("2001:db8:{site:x}:{number:x}::1"));
    subject.granted(Budget::Open, of(1, 0), COUNT).await;
    let same = client("2001:db8:1:0:ffff::9");
    subject.refused(Budget::Open, same, 1, SHARE).await;
    for number in 1..WIDER {
        subject.granted(Budget::Open, of(1, number), COUNT).await;
    }
    let share = SHARE / WIDER;
    subject.refused(Budget::Open, of(1, WIDER), 1, share).await;
    subject.granted(Budget::Open, of(2, 0), COUNT).await;
}
