//! On whose account a transfer is made, and how much of it that account may hold. Who creates decides it; the use cases only keep it.

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
    /// This one, and of `other` what it does not bound itself.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            len_max: self.len_max.or(other.len_max),
            count_max: self.count_max.or(other.count_max),
        }
    }

    /// Whether it bounds anything.
    pub const fn is_bound(&self) -> bool {
        self.len_max.is_some() || self.count_max.is_some()
    }

    /// So many times as much.
    #[must_use]
    pub fn times(self, factor: u32) -> Self {
        let more = |max: u64| max.saturating_mul(factor.into());
        Self {
            len_max: self.len_max.map(more),
            count_max: self.count_max.map(more),
        }
    }
}

/// What whoever creates a transfer has agreed with the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Whom it counts for; none where nobody's share is bounded, and then nothing of who made it is kept.
    pub holder: Option<Holder>,
    /// How much the holder may hold.
    pub quota: Quota,
    /// How much all holders of its site may hold together.
    pub site_quota: Quota,
}

impl Terms {
    /// The holder, where it, or its site, is bounded in anything. Of no other is anything to be kept.
    pub(super) fn bounded_holder(&self) -> Option<Holder> {
        let is_bound = self.quota.is_bound() || self.site_quota.is_bound();
        self.holder.filter(|_| is_bound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_end_has_none_many_times() {
        let quota = |len_max, count_max| Quota { len_max, count_max };
        assert_eq!(quota(Some(5), None).times(8), quota(Some(40), None));
        let most = quota(Some(u64::MAX), Some(1)).times(8);
        assert_eq!(most, quota(Some(u64::MAX), Some(8)));
        assert!(!Quota::default().is_bound() && most.is_bound());
    }
}
