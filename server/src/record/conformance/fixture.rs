//! A store at a moment, and transfers to try it with. Every sample is new: no two share an id.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use onetimeshare_protocol::id::{
    AccessVerifier, ClaimVerifier, LinkVerifier, OwnerVerifier, TransferId,
};
use onetimeshare_protocol::transfer::{ReceiptAnswer, State, StatsAnswer};
use sha2::{Digest, Sha256};

use crate::blob::ObjectName;
use crate::record::{Claimed, Created, NewTransfer, PartStart, PartWrite, RecordStore, Taken};
use crate::transfer::{Creation, Held, Holder, Moment, Outcome, Peek, Periods, RECORD_LEN, Totals};

/// The periods that all of it is tried with.
pub const PERIODS: Periods = Periods {
    lease_s: 600,
    lease_max_s: 3600,
    tombstone_ttl_s: 86_400,
    upload_idle_s: 3600,
    part_deadline_s: 300,
};

/// Ten years: longer than anything lives that an earlier function left.
const EPOCH_S: u64 = 315_360_000;

static EPOCHS: AtomicU64 = AtomicU64::new(5);
static SAMPLES: AtomicU64 = AtomicU64::new(0);

/// A store, and the moment that steps are decided at.
#[derive(Clone, Debug)]
pub struct Fixture {
    /// The store under test.
    pub store: Arc<dyn RecordStore>,
    /// Now.
    pub at: Moment,
}

impl Fixture {
    /// A later epoch of `store`, with nothing due.
    pub async fn on(store: Arc<dyn RecordStore>) -> Self {
        let epoch = EPOCHS.fetch_add(1, Ordering::SeqCst);
        let at = Moment {
            now: epoch * EPOCH_S,
            periods: PERIODS,
        };
        let fixture = Self { store, at };
        fixture.sweep().await;
        // Once for what was due, and once more for late writes.
        let mut last = fixture.after(0);
        while !last.delete().await.is_empty() {
            last = last.after(PERIODS.part_deadline_s);
            assert!(last.at.now < at.now + EPOCH_S / 2, "deletions never end");
        }
        Self {
            at: last.at,
            ..last
        }
    }

    /// The same store `seconds` later.
    #[must_use]
    pub fn after(&self, seconds: u64) -> Self {
        let now = self.at.now + seconds;
        Self {
            store: Arc::clone(&self.store),
            at: Moment { now, ..self.at },
        }
    }

    /// The same moment on a server whose lease is 0.
    #[must_use]
    pub fn strict(&self) -> Self {
        let periods = Periods {
            lease_s: 0,
            ..self.at.periods
        };
        Self {
            store: Arc::clone(&self.store),
            at: Moment { periods, ..self.at },
        }
    }

    /// Sweeps until nothing is due. How many transfers that touched.
    pub async fn sweep(&self) -> usize {
        let mut touched = 0;
        loop {
            let swept = self
                .store
                .sweep(7, self.at)
                .await
                .expect("the store answers");
            touched += swept;
            assert!(touched < 100_000, "sweeping gets nowhere");
            if swept < 7 {
                return touched;
            }
        }
    }

    /// Takes everything that is due for deletion. What of it are parts, sorted: a store may keep inline bodies as objects too.
    pub async fn take(&self) -> Vec<ObjectName> {
        parts_among(self.take_all().await.objects)
    }

    async fn take_all(&self) -> Taken {
        let taken = self.store.take_deletions(10_000, self.at).await;
        taken.expect("the store answers")
    }

    /// Takes everything that is due for deletion, and confirms it. What of it are parts, sorted.
    pub async fn delete(&self) -> Vec<ObjectName> {
        let taken = self.take_all().await;
        let confirmed = self.store.confirm_deleted(&taken.objects, taken.at).await;
        confirmed.expect("the store answers");
        parts_among(taken.objects)
    }
}

/// Twenty bytes in parts of eight: two whole ones and a shorter last.
pub(super) const BODY_LEN: u64 = 20;
pub(super) const PART_LEN: u64 = 8;
pub(super) const TTL_S: u64 = 86_400;

/// The last byte of an id whose body comes with the create request, and of no other.
const INLINE: u8 = 0xff;

/// Length of every sample's manifest, in bytes.
pub(super) const MANIFEST_LEN: u64 = 320;

fn parts_among(mut objects: Vec<ObjectName>) -> Vec<ObjectName> {
    objects.retain(|object| object.id.as_bytes().last() != Some(&INLINE));
    objects.sort();
    objects
}

fn derive(label: &str, number: u64) -> [u8; 32] {
    Sha256::new()
        .chain_update(label)
        .chain_update(number.to_be_bytes())
        .finalize()
        .into()
}

/// The claimant of this number.
pub(super) fn claimant(number: u64) -> ClaimVerifier {
    ClaimVerifier::from_bytes(derive("claimant", number))
}

/// A transfer with everything that proves a right to it.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Its create request.
    pub new: NewTransfer,
    number: u64,
}

impl Sample {
    fn draw(claims_max: u32, body: Option<Bytes>) -> Self {
        let number = SAMPLES.fetch_add(1, Ordering::SeqCst);
        let mut id: [u8; 16] = *derive("id", number)
            .first_chunk()
            .expect("32 bytes hold 16");
        let [.., last] = &mut id;
        *last = if body.is_some() { INLINE } else { 0 };
        let creation = Creation {
            id: TransferId::from_bytes(id),
            link_verifier: LinkVerifier::from_bytes(derive("link", number)),
            access_verifier: AccessVerifier::from_bytes(derive("access", number)),
            owner_verifier: OwnerVerifier::from_bytes(derive("owner", number)),
            create_digest: derive("create", number),
            manifest_len: MANIFEST_LEN,
            body_len: BODY_LEN,
            part_len: PART_LEN,
            is_inline: body.is_some(),
            ttl_s: TTL_S,
            claims_max,
            holder: None,
        };
        let manifest = Bytes::from(derive("manifest", number).repeat(10));
        let new = NewTransfer {
            creation,
            manifest,
            body,
            refusal: None,
        };
        Self { new, number }
    }

    /// One whose body comes in three parts.
    pub fn in_parts() -> Self {
        Self::draw(1, None)
    }

    /// One whose body comes in three parts, for several claimants.
    pub(super) fn in_parts_for(claims_max: u32) -> Self {
        Self::draw(claims_max, None)
    }

    /// One whose body comes with the create request.
    pub fn inline(claims_max: u32) -> Self {
        Self::draw(
            claims_max,
            Some(Bytes::from_static(b"twenty sealed bytes!")),
        )
    }

    /// The same of this holder.
    #[must_use]
    pub fn of(mut self, holder: Holder) -> Self {
        self.new.creation.holder = Some(holder);
        self
    }

    /// A site that nobody is of yet.
    pub(super) fn draw_site() -> [u8; 8] {
        let number = SAMPLES.fetch_add(1, Ordering::SeqCst);
        *derive("site", number)
            .first_chunk()
            .expect("32 bytes hold eight")
    }

    /// Its id.
    pub const fn id(&self) -> &TransferId {
        &self.new.creation.id
    }

    pub(super) const fn link(&self) -> &LinkVerifier {
        &self.new.creation.link_verifier
    }

    pub(super) const fn access(&self) -> &AccessVerifier {
        &self.new.creation.access_verifier
    }

    pub(super) const fn owner(&self) -> &OwnerVerifier {
        &self.new.creation.owner_verifier
    }

    pub(super) fn wrong_link(&self) -> LinkVerifier {
        LinkVerifier::from_bytes(derive("wrong link", self.number))
    }

    pub(super) fn wrong_access(&self) -> AccessVerifier {
        AccessVerifier::from_bytes(derive("wrong access", self.number))
    }

    pub(super) fn wrong_owner(&self) -> OwnerVerifier {
        OwnerVerifier::from_bytes(derive("wrong owner", self.number))
    }

    /// A part of this index; equal contents have equal digests, equal randoms are one object.
    pub(crate) fn part(&self, index: u64, content: u64, random: u64) -> PartWrite {
        PartWrite {
            object: ObjectName {
                id: self.id().clone(),
                index,
                random,
            },
            len: PART_LEN.min(BODY_LEN.saturating_sub(index.saturating_mul(PART_LEN))),
            digest: derive("part", content),
        }
    }
}

/// The calls of a transfer's life, on one sample. The store always answers; what it answers is the caller's to judge.
impl Fixture {
    pub(crate) async fn create(&self, sample: &Sample) -> Outcome<Created> {
        let created = self.store.create(sample.new.clone(), self.at).await;
        created.expect("the store answers")
    }

    /// Creates and completes a transfer in parts. The objects of its three parts.
    pub(crate) async fn upload(&self, sample: &Sample) -> Vec<ObjectName> {
        assert!(self.create(sample).await.expect("it is new").is_new);
        let mut objects = Vec::new();
        for index in 0..3 {
            let part = sample.part(index, index, 1 << 63 | index);
            assert!(matches!(
                self.begin(sample, &part).await,
                Ok(PartStart::Write)
            ));
            assert_eq!(self.accept(sample, &part).await, Ok(true));
            objects.push(part.object);
        }
        let expires_at = self.at.now + TTL_S;
        assert_eq!(self.complete(sample).await, Ok((State::Ready, expires_at)));
        objects
    }

    pub(crate) async fn begin(&self, sample: &Sample, part: &PartWrite) -> Outcome<PartStart> {
        let begun = self.store.begin_part(sample.owner(), part, self.at).await;
        begun.expect("the store answers")
    }

    pub(crate) async fn accept(&self, sample: &Sample, part: &PartWrite) -> Outcome<bool> {
        let accepted = self.store.accept_part(sample.owner(), part, self.at).await;
        accepted.expect("the store answers")
    }

    pub(crate) async fn accepted(&self, sample: &Sample) -> Outcome<Vec<u64>> {
        let listed = self.store.parts(sample.id(), sample.owner(), self.at).await;
        let listed = listed.expect("the store answers");
        listed.map(|parts| {
            assert_eq!((parts.part_len, parts.part_count), (PART_LEN, 3));
            parts.accepted
        })
    }

    pub(crate) async fn complete(&self, sample: &Sample) -> Outcome<(State, u64)> {
        let completed = self
            .store
            .complete(sample.id(), sample.owner(), self.at)
            .await;
        completed.expect("the store answers")
    }

    /// Peeks without an access proof.
    pub(crate) async fn peek(&self, sample: &Sample) -> Outcome<Peek> {
        let peeked = self
            .store
            .peek(sample.id(), sample.link(), None, self.at)
            .await;
        peeked.expect("the store answers").map(|(peek, manifest)| {
            assert_eq!(manifest, None, "nothing was proved");
            peek
        })
    }

    pub(crate) async fn peek_with(
        &self,
        sample: &Sample,
        access: &AccessVerifier,
    ) -> Outcome<(Peek, Option<Bytes>)> {
        let peeked = self
            .store
            .peek(sample.id(), sample.link(), Some(access), self.at)
            .await;
        peeked.expect("the store answers")
    }

    pub(crate) async fn claim(&self, sample: &Sample, number: u64) -> Outcome<Claimed> {
        self.claim_with(sample, sample.access(), number).await
    }

    pub(crate) async fn claim_with(
        &self,
        sample: &Sample,
        access: &AccessVerifier,
        number: u64,
    ) -> Outcome<Claimed> {
        let proofs = (sample.link(), access);
        let claimed = self
            .store
            .claim(sample.id(), proofs, &claimant(number), self.at)
            .await;
        claimed.expect("the store answers")
    }

    /// Whether the claimant may fetch.
    pub(crate) async fn fetch(&self, sample: &Sample, number: u64) -> Outcome<()> {
        let fetched = self
            .store
            .fetch(sample.id(), &claimant(number), self.at)
            .await;
        fetched.expect("the store answers").map(|place| {
            assert_eq!((place.body_len, place.part_len), (BODY_LEN, PART_LEN));
            assert_eq!(place.inline, sample.new.body);
            assert_eq!(place.is_whole, self.at.periods.lease_s == 0);
        })
    }

    pub(crate) async fn end_fetch(&self, sample: &Sample, number: u64) -> Outcome<()> {
        let ended = self
            .store
            .end_fetch(sample.id(), &claimant(number), self.at)
            .await;
        ended.expect("the store answers")
    }

    pub(crate) async fn unlock(&self, sample: &Sample) -> Outcome<()> {
        let unlocked = self
            .store
            .unlock(sample.id(), sample.owner(), self.at)
            .await;
        unlocked.expect("the store answers")
    }

    pub(crate) async fn receipt(&self, sample: &Sample) -> Outcome<ReceiptAnswer> {
        let receipt = self
            .store
            .receipt(sample.id(), sample.owner(), self.at)
            .await;
        receipt.expect("the store answers")
    }

    /// What the counters have come to since they stood at `before`.
    pub(crate) async fn stats_since(&self, before: StatsAnswer) -> StatsAnswer {
        let now = self.stats().await;
        StatsAnswer {
            created: now.created - before.created,
            claimed: now.claimed - before.claimed,
            delivered: now.delivered - before.delivered,
            lapsed: now.lapsed - before.lapsed,
            burnt: now.burnt - before.burnt,
            expired: now.expired - before.expired,
            abandoned: now.abandoned - before.abandoned,
            locked: now.locked - before.locked,
        }
    }

    pub(crate) async fn stats(&self) -> StatsAnswer {
        self.totals().await.stats
    }

    pub(crate) async fn held(&self) -> Held {
        self.totals().await.held
    }

    /// How many transfers a holder has, and how many its site. Each takes up as much as every sample.
    pub(crate) async fn held_by(&self, holder: &Holder) -> (u64, u64) {
        let held = self.store.held_by(holder).await.expect("the store answers");
        let count = |held: Held| {
            let len = held.count * (RECORD_LEN + MANIFEST_LEN + BODY_LEN);
            assert_eq!(held.len, len, "{held:?}");
            held.count
        };
        (count(held.client), count(held.site))
    }

    async fn totals(&self) -> Totals {
        self.store.totals().await.expect("the store answers")
    }

    pub(crate) async fn renew(&self, sample: &Sample, number: u64) -> Outcome<u64> {
        let renewed = self
            .store
            .renew(sample.id(), &claimant(number), self.at)
            .await;
        renewed.expect("the store answers")
    }

    pub(crate) async fn deliver(&self, sample: &Sample, number: u64) -> Outcome<()> {
        let delivered = self
            .store
            .deliver(sample.id(), &claimant(number), self.at)
            .await;
        delivered.expect("the store answers")
    }

    pub(crate) async fn burn(&self, sample: &Sample) -> Outcome<()> {
        let burnt = self.store.burn(sample.id(), sample.owner(), self.at).await;
        burnt.expect("the store answers")
    }

    pub(crate) async fn object(&self, sample: &Sample, index: u64) -> Option<ObjectName> {
        let found = self.store.part_object(sample.id(), index).await;
        found.expect("the store answers")
    }

    pub(crate) async fn is_known(&self, sample: &Sample) -> bool {
        self.store
            .is_known(sample.id())
            .await
            .expect("the store answers")
    }
}
