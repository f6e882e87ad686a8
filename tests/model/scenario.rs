//! What one search explores: a transfer, the periods of its servers, and who does how much. Small on purpose: every order of
//! what is here is tried.

use bytes::Bytes;
use onetimeshare_protocol::id::{
    AccessVerifier, ClaimVerifier, LinkVerifier, OwnerVerifier, TransferId,
};
use onetimeshare_server::blob::ObjectName;
use onetimeshare_server::record::{NewTransfer, PartWrite};
use onetimeshare_server::transfer::{Creation, Holder, Moment, Periods};

use crate::object::Object;

/// The length of a tick, in seconds: a lease is renewed once a minute at most, and so can be in every tick.
pub(crate) const TICK_S: u64 = 60;

/// When the clock stands at tick 0, in Unix seconds.
const EPOCH_S: u64 = 1_000_000;

/// Length of a part, in bytes. The bytes themselves are the blob store's; the model only knows whether they are there.
const PART_LEN: u64 = 8;

/// A transfer and its world.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scenario {
    /// What it is called in the report.
    pub(crate) name: &'static str,
    /// How many parts the body has; 0 is a body that comes with the create request.
    pub(crate) parts: u8,
    /// How many claims it is made for.
    pub(crate) claims_max: u32,
    /// How long it can be opened, in ticks.
    pub(crate) ttl: u8,
    /// The servers' periods, in ticks.
    pub(crate) ticks: Ticks,
    /// How many claimants there are.
    pub(crate) claimants: u8,
    /// Whether somebody guesses the passphrase and the owner unlocks.
    pub(crate) has_guesser: bool,
    /// Whether the owner burns it.
    pub(crate) is_burnt: bool,
    /// Whether it begins with a transfer that was made ready without any trouble.
    pub(crate) begins_ready: bool,
    /// How often the writing of a part is begun at most.
    pub(crate) tries: u8,
    /// How many tries came to nothing before, and stay in the queue.
    pub(crate) stuck: u64,
    /// How many requests write parts at the same time.
    pub(crate) writers: usize,
    /// How many requests read the body at the same time.
    pub(crate) readers: usize,
    /// How many sweepers run at the same time.
    pub(crate) sweepers: usize,
    /// How many sweeps die half way, or find that an object cannot be deleted.
    pub(crate) failures: u8,
}

/// [`Periods`], in ticks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticks {
    /// A lease; 0 is a body that is given once.
    pub(crate) lease: u8,
    /// A lease with all its renewals.
    pub(crate) lease_max: u8,
    /// A tombstone.
    pub(crate) tombstone: u8,
    /// An upload that nobody goes on with.
    pub(crate) idle: u8,
    /// The writing of a part.
    pub(crate) part_deadline: u8,
}

impl Scenario {
    /// Whether the body comes with the create request.
    pub(crate) const fn is_inline(&self) -> bool {
        self.parts == 0
    }

    /// Whether a body is given once.
    pub(crate) const fn is_once(&self) -> bool {
        self.ticks.lease == 0
    }

    /// The moment of a tick.
    pub(crate) fn moment(&self, tick: u8) -> Moment {
        let seconds = |ticks: u8| u64::from(ticks) * TICK_S;
        Moment {
            now: EPOCH_S + seconds(tick),
            periods: Periods {
                lease_s: seconds(self.ticks.lease),
                lease_max_s: seconds(self.ticks.lease_max),
                tombstone_ttl_s: seconds(self.ticks.tombstone),
                upload_idle_s: seconds(self.ticks.idle),
                part_deadline_s: seconds(self.ticks.part_deadline),
            },
        }
    }

    /// The create request.
    pub(crate) fn create(&self) -> NewTransfer {
        let body = self.is_inline().then(|| Bytes::from_static(b"sealed body"));
        let creation = Creation {
            id: id(),
            link_verifier: LINK,
            access_verifier: ACCESS,
            owner_verifier: OWNER,
            create_digest: [1; 32],
            manifest_len: 15,
            body_len: u64::from(self.parts.max(1)) * PART_LEN,
            part_len: PART_LEN,
            is_inline: self.is_inline(),
            ttl_s: u64::from(self.ttl) * TICK_S,
            claims_max: self.claims_max,
            holder: Some(HOLDER),
        };
        NewTransfer {
            creation,
            manifest: Bytes::from_static(b"sealed manifest"),
            body,
            refusal: None,
        }
    }
}

/// The tick of a moment in Unix seconds.
pub(crate) fn tick_of(at: u64) -> u8 {
    u8::try_from((at - EPOCH_S) / TICK_S).expect("a life is shorter than 256 ticks")
}

/// Whose link it is.
pub(crate) const LINK: LinkVerifier = LinkVerifier::from_bytes([2; 32]);
/// Who has the passphrase too.
pub(crate) const ACCESS: AccessVerifier = AccessVerifier::from_bytes([3; 32]);
/// The sender.
pub(crate) const OWNER: OwnerVerifier = OwnerVerifier::from_bytes([4; 32]);
/// Whom it counts for.
pub(crate) const HOLDER: Holder = Holder::from_bytes([7; 16]);
/// Somebody else's link.
pub(crate) const WRONG_LINK: LinkVerifier = LinkVerifier::from_bytes([5; 32]);
/// A passphrase that was guessed wrong.
pub(crate) const WRONG_ACCESS: AccessVerifier = AccessVerifier::from_bytes([6; 32]);
/// Somebody who is not the sender.
pub(crate) const WRONG_OWNER: OwnerVerifier = OwnerVerifier::from_bytes([7; 32]);

/// The transfer.
pub(crate) fn id() -> TransferId {
    TransferId::from_bytes([1; 16])
}

/// The claimant of this number.
pub(crate) fn claimant(number: u8) -> ClaimVerifier {
    ClaimVerifier::from_bytes([100 + number; 32])
}

/// What is written as this object: equal contents for equal parts, as an honest sender sends them.
pub(crate) fn part(object: Object) -> PartWrite {
    PartWrite {
        object: ObjectName {
            id: id(),
            index: u64::from(object.part()),
            random: u64::from(object.number()),
        },
        len: PART_LEN,
        digest: [object.part(); 32],
    }
}
