//! One transfer as it was read: a page of the tables that all stores' steps are written for.

use std::collections::BTreeMap;

use bytes::Bytes;
use onetimeshare_protocol::id::{ClaimVerifier, LinkVerifier, OwnerVerifier, TransferId};

use crate::blob::ObjectName;
use crate::record::tables::{Entry, Tables};
use crate::record::{Accepted, StoreError, StoreResult};
use crate::redis::encoding;
use crate::redis::keys::{self, Shard};
use crate::redis::script::Call;
use crate::transfer::{Totals, Transfer};

/// What a caller brings to show that a transfer is its business.
#[derive(Clone)]
pub(super) enum Proof {
    /// It is the server itself, or creates it.
    None,
    Link(LinkVerifier),
    Owner(OwnerVerifier),
    Claim(ClaimVerifier),
}

/// What every counter of a page begins with: it is their differences that are kept, and some count down.
const COUNTED: u64 = 1 << 62;

/// How many fields a transfer with its ciphertext has beside its leases, two each, its parts and its objects in the queue.
const OTHER_FIELDS: usize = 6;

/// What of a transfer is asked for.
#[derive(Clone)]
pub(super) struct Ask {
    pub(super) id: TransferId,
    proof: Proof,
    wants_manifest: bool,
    wants_indices: bool,
    part: Option<u64>,
    object: Option<ObjectName>,
    /// Whether a good answer is a promise, which replicas have to know of first even when nothing has changed.
    pub(super) is_promise: bool,
    /// Whether something new may come of it, for which there has to be room.
    pub(super) takes_room: bool,
}

impl Ask {
    /// By the server itself.
    pub(super) fn by_anyone(id: &TransferId) -> Self {
        Self::by(id, Proof::None)
    }

    pub(super) fn by(id: &TransferId, proof: Proof) -> Self {
        Self {
            id: id.clone(),
            proof,
            wants_manifest: false,
            wants_indices: false,
            part: None,
            object: None,
            is_promise: false,
            takes_room: false,
        }
    }

    /// With the part that `object` is meant to be, and whether the object is queued for deletion.
    pub(super) fn for_part(mut self, object: &ObjectName) -> Self {
        self.part = Some(object.index);
        self.object = Some(object.clone());
        self
    }

    /// With the part that an inline body is kept as.
    pub(super) const fn for_part_0(mut self) -> Self {
        self.part = Some(0);
        self
    }

    /// With the indices of all parts.
    pub(super) const fn with_indices(mut self) -> Self {
        self.wants_indices = true;
        self
    }

    pub(super) const fn with_manifest(mut self) -> Self {
        self.wants_manifest = true;
        self
    }

    /// A good answer is a promise.
    pub(super) const fn for_a_promise(mut self) -> Self {
        self.is_promise = true;
        self
    }

    /// Something new may come of it.
    pub(super) const fn for_more(mut self) -> Self {
        self.takes_room = true;
        self
    }

    /// `load`, the call of the script that reads it, with what it is to read.
    pub(super) fn call(&self, load: Call) -> Call {
        let (kind, proof): (&str, &[u8]) = match &self.proof {
            Proof::None => ("", &[]),
            Proof::Link(link) => ("k", link.as_bytes()),
            Proof::Owner(owner) => ("o", owner.as_bytes()),
            Proof::Claim(claimant) => ("c", claimant.as_bytes()),
        };
        let shard = Shard::of(&self.id);
        let wants = match (self.wants_manifest, self.wants_indices) {
            (false, false) => "",
            (true, false) => "m",
            (false, true) => "i",
            (true, true) => "mi",
        };
        let part = self.part.map(|index| index.to_string());
        let object = self.object.as_ref();
        load.key(keys::transfer(&self.id))
            .key(shard.queue())
            .arg(kind)
            .arg(proof)
            .arg(wants)
            .arg(part.unwrap_or_default())
            .arg(object.map(keys::object).unwrap_or_default())
            .arg(object.map(ObjectName::to_string).unwrap_or_default())
    }
}

/// What `load.lua` answers: the time, version, record, leases, manifest, part, queue entry, indices, number of fields.
pub(super) type Loaded = (
    u64,
    String,
    Vec<u8>,
    Vec<Vec<u8>>,
    Vec<u8>,
    Vec<u8>,
    String,
    Vec<u64>,
    u64,
);

/// A transfer at a moment.
#[derive(Clone, Debug)]
pub(super) struct Page {
    /// Redis's time, in Unix seconds.
    pub(super) now: u64,
    /// Which state of the transfer it is; empty when there is none, or not for who asked.
    pub(super) version: String,
    /// The transfer and what was asked for with it. What was not is missing, and no step that was asked for looks there.
    pub(super) tables: Tables,
}

impl Page {
    /// Reads the script's answer to `ask`.
    pub(super) fn parse(ask: &Ask, loaded: Loaded) -> StoreResult<Self> {
        let (now, version, record, leases, manifest, part, queued, indices, fields) = loaded;
        let mut tables = Tables {
            totals: Totals::of([COUNTED; Totals::NAMES.len()]),
            ..Tables::default()
        };
        if !version.is_empty() {
            let transfer = encoding::parse_transfer(&record, &leases)?;
            if transfer.id != ask.id {
                return Err(StoreError::Corrupt(
                    "a record in Redis lies under another's id".to_owned(),
                ));
            }
            let parts = parts(ask, &transfer, &part, indices)?;
            let others =
                OTHER_FIELDS + 2 * leases.len() + parts.len() + usize::from(!queued.is_empty());
            let beyond = fields.saturating_sub(u64::try_from(others).unwrap_or(u64::MAX));
            let entry = Entry {
                transfer,
                manifest: Bytes::from(manifest),
                body: None,
                parts,
                beyond,
            };
            tables.entries.insert(ask.id.clone(), entry);
        }
        if let Some(object) = &ask.object
            && !queued.is_empty()
        {
            let queued = encoding::parse_queued(&queued)?;
            tables.deletions.insert(object.clone(), queued);
        }
        Ok(Self {
            now,
            version,
            tables,
        })
    }

    /// The transfer, when there is one for who asked.
    pub(super) fn transfer(&self) -> Option<&Transfer> {
        let entry = self.tables.entries.values().next();
        entry.map(|entry| &entry.transfer)
    }

    /// The object that an inline body is kept in.
    pub(super) fn inline_object(&self) -> Option<ObjectName> {
        let entry = self.tables.entries.values().next()?;
        let part = entry.parts.get(&0)?;
        entry.transfer.is_inline.then(|| ObjectName {
            id: entry.transfer.id.clone(),
            index: 0,
            random: part.random,
        })
    }
}

fn parts(
    ask: &Ask,
    transfer: &Transfer,
    part: &[u8],
    indices: Vec<u64>,
) -> StoreResult<BTreeMap<u64, Accepted>> {
    let mut parts = BTreeMap::new();
    // An inline body is no part to its owner.
    if ask.wants_indices && !transfer.is_inline {
        // Who asks for the indices asks for nothing else of them.
        let unread = Accepted {
            digest: [0; 32],
            random: 0,
        };
        parts.extend(indices.into_iter().map(|index| (index, unread)));
    }
    if let Some(index) = ask.part
        && !part.is_empty()
    {
        parts.insert(index, encoding::parse_part(part)?);
    }
    Ok(parts)
}
