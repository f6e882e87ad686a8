//! Memory that clients' budgets take, in a process of its own, so that nothing else is measured: as many networks as an
//! attacker may have take no more of it than the tables' bound.
#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say where"
)]

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;

use onetimeshare_server::budget::memory::MemoryLedger;
use onetimeshare_server::budget::{Budget, Client, Rate, Rates};

/// Distinct /64 of IPv6, each in a /48 of its own.
const SOURCES: u64 = 2_000_000;
/// What docs/security.md promises, in KiB.
const MEMORY_KIB_MAX: u64 = 16 * 1024;

/// What this process has in memory, in KiB.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.unwrap().trim().trim_end_matches(" kB");
    kib.parse().unwrap()
}

#[test]
fn two_million_sources_stay_within_the_bound() {
    let rates = Budget::ALL.iter().fold(Rates::default(), |rates, &budget| {
        rates.with(budget, Rate::new(600, 3600))
    });
    let ledger = MemoryLedger::new(&rates);
    let before = resident_kib();
    let mut most = before;
    let mut granted = 0_u64;
    for number in 0..SOURCES {
        // Spread over the whole of the address space, so that no two are neighbours.
        let half = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let address = Ipv6Addr::from_bits((u128::from(half.rotate_left(17)) << 64) | 1);
        let client = Client::new(IpAddr::V6(address));
        for budget in Budget::ALL {
            let spent = ledger.take(budget, client, NonZeroU32::MIN);
            granted += u64::from(spent.is_none());
        }
        if number % 50_000 == 0 {
            most = most.max(resident_kib());
        }
    }
    most = most.max(resident_kib());
    let entries = ledger.len();
    eprintln!(
        "{SOURCES} sources: {entries} entries, {granted} requests granted, {} KiB more than before",
        most - before
    );
    assert!(entries <= 8 * (28_670 + 1_791), "{entries}");
    assert!(most - before <= MEMORY_KIB_MAX, "{} KiB", most - before);
    ledger.sweep();
}
