//! On whose account a transfer is made, and how much of it that account may hold. Who creates decides it; the use cases only keep it.

use crate::budget::WIDER;
use crate::transfer::Holder;

/// How much may be held at once, by all transfers that live; none for no end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// What they take up at most, as it is counted ([`crate::transfer::Transfer::held_len`]), in bytes.
    pub len_max: Option<u64>,
    /// How many there are at most.
    pub count_max: Option<u64>,
}

impl Quota {
    /// Whether it bounds anything.
    pub const fn is_bound(&self) -> bool {
        self.len_max.is_some() || self.count_max.is_some()
    }

    /// What all clients of a site have together.
    pub(super) fn of_site(self) -> Self {
        let wider = |max: u64| max.saturating_mul(WIDER.into());
        Self {
            len_max: self.len_max.map(wider),
            count_max: self.count_max.map(wider),
        }
    }
}

/// What whoever creates a transfer has agreed with the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Whom it counts for; none where nobody's share is bounded, and then nothing of who made it is kept.
    pub holder: Option<Holder>,
    /// How much the holder may hold; all holders of its site have eight times as much.
    pub quota: Quota,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_has_eight_times_as_much() {
        let quota = |len_max, count_max| Quota { len_max, count_max };
        assert_eq!(quota(Some(5), None).of_site(), quota(Some(40), None));
        let (most, wider) = (
            quota(Some(u64::MAX), Some(1)),
            quota(Some(u64::MAX), Some(8)),
        );
        assert_eq!(most.of_site(), wider);
        assert!(!Quota::default().is_bound() && most.is_bound());
    }
}
