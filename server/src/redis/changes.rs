//! What a step has changed of one transfer, as the arguments of `commit.lua`. It decides nothing: it compares.

use onetimeshare_protocol::id::TransferId;

use super::{encoding, keys};
use crate::blob::ObjectName;
use crate::record::tables::{Entry, Tables};
use crate::record::{Accepted, Queued};
use crate::transfer::{Held, Moment, Totals, Transfer};

/// Changes in the order in which they are made.
#[derive(Debug)]
pub(super) struct Changes {
    arguments: Vec<Vec<u8>>,
    /// Whether there is a transfer after them.
    has_record: bool,
    erases: bool,
}

impl Changes {
    /// From one page of the store to the next. A step that only moved a time for `at`'s periods is told by `is_swept`.
    pub(super) fn between(
        before: &Tables,
        after: &Tables,
        id: &TransferId,
        at: Moment,
        is_swept: bool,
    ) -> Self {
        let mut changes = Self::leaving(after.entries.contains_key(id));
        let (old, new) = (before.entries.get(id), after.entries.get(id));
        changes.requeue(before, after);
        // What stood there before, if anything, was a tombstone whose time is over, or is one by now.
        let is_another =
            |new: &Entry| old.is_none_or(|old| old.transfer.created_at != new.transfer.created_at);
        let ends = new.is_none_or(|new| new.transfer.is_gone() || is_another(new));
        if ends && old.is_some_and(|old| !old.transfer.is_gone()) {
            changes.erase(id, at);
        }
        match (old, new) {
            (None, None) if !is_swept => {}
            (_, None) => changes.forget(id),
            (Some(old), Some(new)) if !is_another(new) => changes.step(old, new, at, is_swept),
            (old, Some(new)) => {
                if old.is_some() {
                    changes.forget(id);
                }
                changes.create(new, at);
            }
        }
        changes.hold(old, new);
        changes.count(&before.totals, &after.totals);
        changes
    }

    /// Only that this object is queued, of a transfer that there is or is not.
    pub(super) fn queue(object: &ObjectName, queued: Queued, has_record: bool) -> Self {
        let mut changes = Self::leaving(has_record);
        changes.add_queued(object, queued);
        changes
    }

    const fn leaving(has_record: bool) -> Self {
        Self {
            arguments: Vec::new(),
            has_record,
            erases: false,
        }
    }

    /// Whether there is nothing to keep.
    pub(super) const fn is_empty(&self) -> bool {
        self.arguments.is_empty()
    }

    /// Whether ciphertext goes with them.
    pub(super) const fn erases(&self) -> bool {
        self.erases
    }

    /// The arguments, with the version that the transfer has after them when there is one.
    pub(super) fn into_arguments(mut self, version: &str) -> Vec<Vec<u8>> {
        if self.has_record {
            self.set(b"v", version.as_bytes());
        }
        self.arguments
    }

    fn add<'a>(&mut self, words: impl IntoIterator<Item = &'a [u8]>) {
        let words = words.into_iter().map(<[u8]>::to_vec);
        self.arguments.extend(words);
    }

    fn set(&mut self, field: &[u8], value: &[u8]) {
        self.add([&b"set"[..], field, value]);
    }

    fn create(&mut self, entry: &Entry, at: Moment) {
        let transfer = &entry.transfer;
        self.set(b"k", transfer.link_verifier.as_bytes());
        self.set(b"o", transfer.owner_verifier.as_bytes());
        self.set(b"n", b"0");
        self.set(b"m", &entry.manifest);
        for (index, accepted) in &entry.parts {
            self.add_part(*index, *accepted);
        }
        self.keep_record(transfer, at);
    }

    fn step(&mut self, old: &Entry, new: &Entry, at: Moment, is_swept: bool) {
        let transfer = &new.transfer;
        if old.transfer != *transfer || is_swept {
            self.keep_record(transfer, at);
        }
        for (place, lease) in transfer.leases.iter().enumerate() {
            let stood = old.transfer.leases.get(place);
            if stood != Some(lease) {
                self.set(format!("l{place}").as_bytes(), &encoding::lease(lease));
            }
            if stood.is_none() {
                let field = [b"c", &lease.claim_verifier.as_bytes()[..]].concat();
                self.set(&field, b"");
                self.set(b"n", (place + 1).to_string().as_bytes());
            }
        }
        // Those that an end has taken away are erased by name of their transfer alone.
        for (index, accepted) in &new.parts {
            if old.parts.get(index) != Some(accepted) {
                self.add_part(*index, *accepted);
            }
        }
    }

    fn add_part(&mut self, index: u64, accepted: Accepted) {
        let field = format!("p{index}");
        self.add([&b"part"[..], field.as_bytes(), &encoding::part(accepted)]);
    }

    fn keep_record(&mut self, transfer: &Transfer, at: Moment) {
        self.set(b"r", &encoding::record(transfer));
        let due_at = encoding::time(transfer.due_at(at.periods));
        self.add([
            &b"due"[..],
            due_at.as_bytes(),
            transfer.id.to_text().as_bytes(),
        ]);
    }

    fn requeue(&mut self, before: &Tables, after: &Tables) {
        // Parts go with their transfer alone, which erases all of them by itself. On a page of indices they have no names.
        let was_part = |object: &ObjectName| {
            let entry = before.entries.get(&object.id);
            let part = entry.and_then(|entry| entry.parts.get(&object.index));
            part.is_some_and(|part| part.random == object.random)
        };
        for (object, queued) in &after.deletions {
            if before.deletions.get(object) != Some(queued) && !was_part(object) {
                self.add_queued(object, *queued);
            }
        }
        for object in before.deletions.keys() {
            if !after.deletions.contains_key(object) {
                let id = object.id.to_text();
                self.add([
                    &b"unqueue"[..],
                    id.as_bytes(),
                    keys::object(object).as_bytes(),
                ]);
            }
        }
    }

    fn add_queued(&mut self, object: &ObjectName, queued: Queued) {
        self.add([
            &b"queue"[..],
            object.id.to_text().as_bytes(),
            keys::object(object).as_bytes(),
            encoding::time(queued.due_at).as_bytes(),
            encoding::queued(queued).as_bytes(),
        ]);
    }

    fn erase(&mut self, id: &TransferId, at: Moment) {
        self.erases = true;
        let Queued {
            due_at, final_at, ..
        } = Queued::doomed(at);
        self.add([
            &b"erase"[..],
            id.to_text().as_bytes(),
            encoding::time(due_at).as_bytes(),
            encoding::time(final_at).as_bytes(),
        ]);
    }

    fn forget(&mut self, id: &TransferId) {
        self.add([&b"forget"[..], id.to_text().as_bytes()]);
    }

    /// What a holder has more or less of; nobody's where a transfer has none.
    fn hold(&mut self, old: Option<&Entry>, new: Option<&Entry>) {
        let share = |entry: &Entry| {
            let holder = entry.transfer.holder?;
            Some((holder, Held::of(&entry.transfer)))
        };
        let (old, new) = (old.and_then(share), new.and_then(share));
        if old == new {
            return;
        }
        for (share, sign) in [(old, "-"), (new, "")] {
            if let Some((holder, Held { count, len })) = share {
                self.add([
                    &b"hold"[..],
                    holder.to_text().as_bytes(),
                    format!("{sign}{count}").as_bytes(),
                    format!("{sign}{len}").as_bytes(),
                ]);
            }
        }
    }

    fn count(&mut self, before: &Totals, after: &Totals) {
        let pairs = before.counts().into_iter().zip(after.counts());
        for (name, (before, after)) in Totals::NAMES.iter().zip(pairs) {
            if before != after {
                let change = i128::from(after) - i128::from(before);
                self.add([
                    &b"count"[..],
                    name.as_bytes(),
                    change.to_string().as_bytes(),
                ]);
            }
        }
    }
}
