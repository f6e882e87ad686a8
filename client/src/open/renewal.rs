//! Keeps a lease alive while its body is fetched, also when nothing is read because the sink is slow. Decides nothing: a
//! lease that has ended shows in the body.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use onetimeshare_protocol::id::{ClaimToken, TransferId};

use crate::api::Client;

/// The longest that a lease goes without being renewed; servers take note once a minute.
const PERIOD_MAX: Duration = Duration::from_mins(1);

/// Renews until it is dropped.
pub(super) struct Renewing {
    _stop: Sender<()>,
}

/// Begins to renew a lease of `lease_s` seconds; one of 0 cannot be renewed.
pub(super) fn start(
    client: &Client,
    id: &TransferId,
    claim_token: &ClaimToken,
    lease_s: u64,
) -> Option<Renewing> {
    let period = period(lease_s)?;
    let (client, id, claim_token) = (client.clone(), id.clone(), claim_token.clone());
    let (stop, stopped) = mpsc::channel::<()>();
    // Nobody waits for its end: a renewal on its way may take long to fail.
    thread::spawn(move || {
        while stopped.recv_timeout(period) == Err(RecvTimeoutError::Timeout) {
            // One that fails is followed by another before the lease is over.
            let _ = client.renew(&id, &claim_token);
        }
    });
    Some(Renewing { _stop: stop })
}

/// A renewal or two that fail must not end the lease.
fn period(lease_s: u64) -> Option<Duration> {
    (lease_s > 0).then(|| PERIOD_MAX.min(Duration::from_secs(lease_s) / 3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_renewed_twice_before_it_ends() {
        let check = |lease_s, expected_ms: Option<u64>| {
            assert_eq!(
                period(lease_s),
                expected_ms.map(Duration::from_millis),
                "{lease_s}"
            );
        };
        check(0, None);
        check(3, Some(1000));
        check(30, Some(10_000));
        check(600, Some(60_000));
        check(u64::MAX, Some(60_000));
    }
}
