//! What a step adds to the counters of the record store. It counts; it names no transfer.

use onetimeshare_protocol::transfer::{Cause, StatsAnswer};

use super::{LeaseEnd, Phase, Transfer};

/// Changes of the counters, named as in [`StatsAnswer`]. A lapse that turns out to be a delivery takes one back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Transfers created.
    pub created: i64,
    /// Claims granted.
    pub claimed: i64,
    /// Claims delivered.
    pub delivered: i64,
    /// Claims lapsed.
    pub lapsed: i64,
    /// Transfers burnt.
    pub burnt: i64,
    /// Transfers expired.
    pub expired: i64,
    /// Uploads abandoned.
    pub abandoned: i64,
    /// Transfers locked.
    pub locked: i64,
}

impl Tally {
    /// What one transfer has come to so far.
    fn of(transfer: &Transfer) -> Self {
        let ended = |cause| {
            i64::from(matches!(transfer.phase, Phase::Gone { cause: told, .. } if told == cause))
        };
        let leases = |end| {
            transfer
                .leases
                .iter()
                .filter(|lease| lease.end.is_some_and(|(told, _)| told == end))
                .count()
        };
        let count = |number| i64::try_from(number).unwrap_or(i64::MAX);
        Self {
            created: 1,
            claimed: count(transfer.leases.len()),
            delivered: count(leases(LeaseEnd::Delivered)),
            lapsed: count(leases(LeaseEnd::Lapsed)),
            burnt: ended(Cause::Burnt),
            expired: ended(Cause::Expired),
            abandoned: ended(Cause::Abandoned),
            locked: i64::from(transfer.attempts_left == 0),
        }
    }

    /// What a step adds that made `after` of `before`, or created it.
    pub fn between(before: Option<&Transfer>, after: &Transfer) -> Self {
        let (before, after) = (before.map(Self::of).unwrap_or_default(), Self::of(after));
        Self {
            created: after.created - before.created,
            claimed: after.claimed - before.claimed,
            delivered: after.delivered - before.delivered,
            lapsed: after.lapsed - before.lapsed,
            burnt: after.burnt - before.burnt,
            expired: after.expired - before.expired,
            abandoned: after.abandoned - before.abandoned,
            // Unlocking does not undo that it was locked.
            locked: (after.locked - before.locked).max(0),
        }
    }

    /// Adds it to `stats`, which never fall below 0.
    pub fn add_to(self, stats: &mut StatsAnswer) {
        let pairs = [
            (&mut stats.created, self.created),
            (&mut stats.claimed, self.claimed),
            (&mut stats.delivered, self.delivered),
            (&mut stats.lapsed, self.lapsed),
            (&mut stats.burnt, self.burnt),
            (&mut stats.expired, self.expired),
            (&mut stats.abandoned, self.abandoned),
            (&mut stats.locked, self.locked),
        ];
        for (count, change) in pairs {
            *count = count.saturating_add_signed(change);
        }
    }
}
