//! Names of keys. All that one script touches lies in one shard, and a shard in one slot of a cluster.

use onetimeshare_protocol::id::TransferId;

use crate::blob::ObjectName;

/// Into how many shards transfers are spread, by the first half of their ids' first byte. As many nodes of a cluster can share
/// the work.
pub(super) const SHARD_COUNT: usize = 16;

/// One of the [`SHARD_COUNT`] parts of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shard(u8);

impl Shard {
    /// The one that holds the transfer of this id.
    pub(super) const fn of(id: &TransferId) -> Self {
        let [first, ..] = *id.as_bytes();
        Self(first >> 4)
    }

    /// The one for what the whole store has once.
    pub(super) const fn first() -> Self {
        Self(0)
    }

    /// All of them, beginning with the one that `turn` falls on.
    pub(super) fn all_from(turn: usize) -> impl Iterator<Item = Self> {
        let first = turn % SHARD_COUNT;
        let places = (first..SHARD_COUNT).chain(0..first);
        places.map(|place| Self(u8::try_from(place).unwrap_or(0)))
    }

    /// Which of them it is.
    pub(super) fn index(self) -> usize {
        usize::from(self.0)
    }

    fn key(self, name: &str) -> String {
        format!("onetimeshare:{{{:x}}}:{name}", self.0)
    }

    /// Holds the store's id. A shard without it is not this store's.
    pub(super) fn seal(self) -> String {
        self.key("seal")
    }

    /// Says that a blob store has the store's id, or is about to get it.
    pub(super) fn adoption(self) -> String {
        self.key("adoption")
    }

    /// Ids by the time at which each transfer has to be settled.
    pub(super) fn due(self) -> String {
        self.key("due")
    }

    /// Objects by the time at which each is offered for deletion.
    pub(super) fn queue(self) -> String {
        self.key("queue")
    }

    /// The counters.
    pub(super) fn counters(self) -> String {
        self.key("counters")
    }

    /// What each holder has in it.
    pub(super) fn held(self) -> String {
        self.key("held")
    }

    /// How far the shard has come: the time of the first shard's server when that was last said.
    pub(super) fn mark(self) -> String {
        self.key("mark")
    }

    /// There while a rewrite of the append-only file was asked for not long ago.
    pub(super) fn rewrite(self) -> String {
        self.key("rewrite")
    }

    /// Written to when nothing else is, so that there is something to wait for.
    pub(super) fn pulse(self) -> String {
        self.key("pulse")
    }
}

/// The hash that holds a transfer.
pub(super) fn transfer(id: &TransferId) -> String {
    Shard::of(id).key(&id.to_text())
}

/// An object's name within its transfer.
pub(super) fn object(object: &ObjectName) -> String {
    format!("{}.{:016x}", object.index, object.random)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_spread_by_their_first_bits() {
        let check = |first: u8, expected: &str| {
            let mut bytes = [7; 16];
            bytes[0] = first;
            let id = TransferId::from_bytes(bytes);
            assert_eq!(Shard::of(&id).seal(), expected);
            assert!(transfer(&id).ends_with(&id.to_text()));
        };
        check(0x00, "onetimeshare:{0}:seal");
        check(0x0f, "onetimeshare:{0}:seal");
        check(0x10, "onetimeshare:{1}:seal");
        check(0xff, "onetimeshare:{f}:seal");
    }

    #[test]
    fn every_turn_comes_to_every_shard() {
        for turn in [0, 5, 16, usize::MAX] {
            let mut shards: Vec<u8> = Shard::all_from(turn).map(|shard| shard.0).collect();
            assert_eq!(usize::from(shards[0]), turn % 16);
            shards.sort_unstable();
            assert_eq!(shards, (0..16).collect::<Vec<u8>>());
        }
    }

    #[test]
    fn an_object_is_named_by_its_transfer_and_its_name_within() {
        let name = ObjectName {
            id: TransferId::from_bytes([1; 16]),
            index: 12,
            random: 0xab,
        };
        let whole = format!("{}/{}", name.id.to_text(), object(&name));
        assert_eq!(whole, name.to_string());
    }
}
