//! What a step adds to the counters of the record store: what has happened, and what is held now. It counts; it names no transfer.

use onetimeshare_protocol::transfer::{Cause, StatsAnswer};

use super::{LeaseEnd, Phase, Transfer};

/// What a store holds of transfers that are not gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Held {
    /// How many there are.
    pub count: u64,
    /// What they take up when all their parts have come: the sum of [`Transfer::held_len`], in bytes.
    pub len: u64,
}

impl Held {
    /// One transfer, while it lives.
    pub(crate) const fn of(transfer: &Transfer) -> Self {
        Self {
            count: 1,
            len: transfer.held_len(),
        }
    }

    /// Both together.
    #[must_use]
    pub(crate) const fn and(self, other: Self) -> Self {
        Self {
            count: self.count.saturating_add(other.count),
            len: self.len.saturating_add(other.len),
        }
    }

    /// What is left of it without `other`.
    #[must_use]
    pub(crate) const fn less(self, other: Self) -> Self {
        Self {
            count: self.count.saturating_sub(other.count),
            len: self.len.saturating_sub(other.len),
        }
    }
}

/// The counters of a record store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Totals {
    /// What has happened since the store was made.
    pub stats: StatsAnswer,
    /// What is held now.
    pub held: Held,
}

impl Totals {
    /// What the counters are called wherever they are kept: those of [`StatsAnswer`], and what is held.
    pub const NAMES: [&'static str; 10] = {
        let mut names = ["held_len"; 10];
        let mut place = 0;
        while place < StatsAnswer::NAMES.len() {
            names[place] = StatsAnswer::NAMES[place];
            place += 1;
        }
        names[place] = "held_count";
        names
    };

    /// The counters, in the order of [`Totals::NAMES`].
    pub fn counts(&self) -> [u64; 10] {
        let held = [self.held.count, self.held.len];
        let mut all = [0; 10];
        for (place, count) in all
            .iter_mut()
            .zip(self.stats.counts().into_iter().chain(held))
        {
            *place = count;
        }
        all
    }

    /// The totals with these counters, in the order of [`Totals::NAMES`].
    pub fn of(counts: [u64; 10]) -> Self {
        let [stats @ .., count, len] = counts;
        Self {
            stats: StatsAnswer::of(stats),
            held: Held { count, len },
        }
    }
}

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
    /// Transfers held.
    pub held_count: i64,
    /// Bytes that they take up.
    pub held_len: i64,
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
        let is_held = !transfer.is_gone();
        Self {
            created: 1,
            claimed: count(transfer.leases.len()),
            delivered: count(leases(LeaseEnd::Delivered)),
            lapsed: count(leases(LeaseEnd::Lapsed)),
            burnt: ended(Cause::Burnt),
            expired: ended(Cause::Expired),
            abandoned: ended(Cause::Abandoned),
            locked: i64::from(transfer.attempts_left == 0),
            held_count: i64::from(is_held),
            held_len: if is_held {
                i64::try_from(transfer.held_len()).unwrap_or(i64::MAX)
            } else {
                0
            },
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
            held_count: after.held_count - before.held_count,
            held_len: after.held_len - before.held_len,
        }
    }

    /// Adds it to `totals`, which never fall below 0.
    pub fn add_to(self, totals: &mut Totals) {
        let Totals { stats, held } = totals;
        let pairs = [
            (&mut stats.created, self.created),
            (&mut stats.claimed, self.claimed),
            (&mut stats.delivered, self.delivered),
            (&mut stats.lapsed, self.lapsed),
            (&mut stats.burnt, self.burnt),
            (&mut stats.expired, self.expired),
            (&mut stats.abandoned, self.abandoned),
            (&mut stats.locked, self.locked),
            (&mut held.count, self.held_count),
            (&mut held.len, self.held_len),
        ];
        for (count, change) in pairs {
            *count = count.saturating_add_signed(change);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_made_of_their_counters_in_the_order_of_their_names() {
        let totals = Totals::of([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        assert_eq!(totals.counts(), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        assert_eq!(
            (totals.stats.locked, totals.held.count, totals.held.len),
            (8, 9, 10)
        );
        assert_eq!(Totals::NAMES[..8], StatsAnswer::NAMES);
        assert_eq!(Totals::NAMES[8..], ["held_count", "held_len"]);
    }
}
