//! The scripts, each atomic and each on one shard, and what they are called with. What all of them refuse stands in one place,
//! `guard.lua`, before each but one that has nothing to do with transfers.

use std::sync::LazyLock;

use redis::{Script, ScriptInvocation};

use super::keys::Shard;

macro_rules! scripts {
    ($($(#[doc = $doc:literal])* $name:ident = $file:literal;)*) => {
        $($(#[doc = $doc])* pub(super) static $name: LazyLock<Script> =
            LazyLock::new(|| Script::new(concat!(include_str!("guard.lua"), include_str!($file))));)*
    };
}

scripts! {
    /// Reads a transfer.
    LOAD = "load.lua";
    /// Keeps what a step has changed.
    COMMIT = "commit.lua";
    /// Lists what is due.
    DUE = "due.lua";
    /// Puts off what cannot be settled.
    DEFER = "defer.lua";
    /// Takes objects for deletion.
    TAKE = "take.lua";
    /// Takes deleted objects from the queue.
    CONFIRM = "confirm.lua";
    /// Moves the store's mark on.
    MARK = "mark.lua";
    /// Writes something to wait for.
    PULSE = "pulse.lua";
    /// Runs one command.
    ASK = "ask.lua";
}

/// Takes from budgets. It touches no shard, decides nothing of transfers, and has no guard.
pub(super) static SPEND: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("spend.lua")));

/// A call of one script on one shard.
pub(super) struct Call {
    shard: Shard,
    invocation: ScriptInvocation<'static>,
}

impl Call {
    /// Of `script`, on a shard whose seal has to be `store_id`, and whose mark at least `floor`.
    pub(super) fn new(
        script: &'static Script,
        shard: Shard,
        (store_id, floor): (&str, u64),
    ) -> Self {
        let mut invocation = script.prepare_invoke();
        invocation.key(shard.seal()).key(shard.mark());
        invocation.arg(store_id).arg(floor);
        Self { shard, invocation }
    }

    /// With another key.
    pub(super) fn key(mut self, key: String) -> Self {
        self.invocation.key(key);
        self
    }

    /// With another argument.
    pub(super) fn arg(mut self, argument: impl AsRef<[u8]>) -> Self {
        self.invocation.arg(argument.as_ref());
        self
    }

    /// The shard that it touches.
    pub(super) const fn shard(&self) -> Shard {
        self.shard
    }

    /// What to send.
    pub(super) const fn invocation(&self) -> &ScriptInvocation<'static> {
        &self.invocation
    }
}
