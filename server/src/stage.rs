//! Real stores in a folder, a clock that is stepped, and transfers that live through the service: what tests of the stores'
//! files share. Everything about a parcel follows from its number, so that two folders can hold the same.

use std::fs;
#[cfg(unix)]
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use onetimeshare_protocol::id::{AccessProof, ClaimToken, LinkProof, OwnerToken, TransferId};
use onetimeshare_protocol::transfer::{ClaimRequest, CreateRequest, PeekRequest, State};
use sha2::{Digest as _, Sha256};

use crate::blob::BlobStore;
use crate::blob::folder::{FolderStore, make_private_folder};
use crate::clock::{Clock, MockClock};
use crate::record::RecordStore;
use crate::record::sqlite::SqliteStore;
use crate::service::{Limits, PartUpload, Quota, Service, Terms, match_stores};
use crate::token;
use crate::transfer::{Holder, Periods};

/// When every stage begins.
pub(crate) const START: u64 = 1_800_000_000;

/// How long after [`START`] most parcels are sent: those that time ends have ended by then.
pub(crate) const LATER_S: u64 = 4000;

const PART_LEN: u64 = 3000;

pub(crate) const LIMITS: Limits = Limits {
    transfer_size_max: 1 << 20,
    inline_max: 8224,
    part_len: PART_LEN,
    ttl_max_s: 7 * 86_400,
    ttl_default_s: 86_400,
    ttl_min_s: 60,
    claims_max: 100,
};

pub(crate) const PERIODS: Periods = Periods {
    lease_s: 600,
    lease_max_s: 86_400,
    tombstone_ttl_s: 86_400,
    upload_idle_s: 3600,
    part_deadline_s: 300,
};

/// What becomes of a parcel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It waits, with one wrong passphrase tried.
    Ready,
    /// It is open.
    Claimed,
    /// Two of its parts are there; inline, it waits.
    Uploading,
    Delivered,
    Burnt,
    Expired,
    /// Like [`Fate::Uploading`], and nobody goes on; inline, it expires.
    Abandoned,
}

impl Fate {
    pub(crate) const ALL: [Self; 7] = [
        Self::Ready,
        Self::Claimed,
        Self::Uploading,
        Self::Delivered,
        Self::Burnt,
        Self::Expired,
        Self::Abandoned,
    ];

    /// Whether its ciphertext is to be kept.
    pub(crate) const fn is_live(self) -> bool {
        matches!(self, Self::Ready | Self::Claimed | Self::Uploading)
    }

    const fn is_ended_by_time(self) -> bool {
        matches!(self, Self::Expired | Self::Abandoned)
    }
}

/// One transfer, from both its ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parcel {
    pub(crate) number: u64,
    /// Of the sealed body: 1056 or 8224 for one that comes with the create request, 9248 for one in four parts.
    pub(crate) body_len: u64,
    pub(crate) fate: Fate,
}

/// `len` bytes that nothing else has.
fn derive(label: &str, number: u64, len: u64) -> Vec<u8> {
    let block = |at: u64| {
        Sha256::new()
            .chain_update(label)
            .chain_update(number.to_be_bytes())
            .chain_update(at.to_be_bytes())
            .finalize()
    };
    (0..len.div_ceil(32))
        .flat_map(block)
        .take(usize::try_from(len).unwrap())
        .collect()
}

impl Parcel {
    /// Every fate in every form, from `first` on.
    pub(crate) fn each(first: u64) -> Vec<Self> {
        let forms = Fate::ALL
            .iter()
            .flat_map(|fate| [1056, 8224, 9248].map(|body_len| (*fate, body_len)));
        (first..)
            .zip(forms)
            .map(|(number, (fate, body_len))| Self {
                number,
                body_len,
                fate,
            })
            .collect()
    }

    fn secret(&self, label: &str) -> [u8; 32] {
        derive(label, self.number, 32).try_into().unwrap()
    }

    pub(crate) fn link(&self) -> LinkProof {
        LinkProof::from_bytes(self.secret("link"))
    }

    pub(crate) fn access(&self) -> AccessProof {
        AccessProof::from_bytes(self.secret("access"))
    }

    pub(crate) fn owner(&self) -> OwnerToken {
        OwnerToken::from_bytes(self.secret("owner"))
    }

    pub(crate) fn claimant(&self) -> ClaimToken {
        ClaimToken::from_bytes(self.secret("claimant"))
    }

    pub(crate) fn id(&self) -> TransferId {
        token::transfer_id(&token::link_verifier(&self.link()))
    }

    pub(crate) const fn is_inline(&self) -> bool {
        self.body_len <= LIMITS.inline_max
    }

    pub(crate) fn manifest(&self) -> Vec<u8> {
        derive("manifest", self.number, 304)
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        derive("body", self.number, self.body_len)
    }

    /// Whom it counts for: nobody else's, and bounded far away.
    pub(crate) fn holder(&self) -> Holder {
        let bytes = derive("holder", self.number, 16);
        Holder::from_bytes(bytes.try_into().unwrap())
    }

    fn terms(&self) -> Terms {
        Terms {
            holder: Some(self.holder()),
            quota: Quota {
                count_max: Some(1_000_000),
                len_max: None,
            },
            site_quota: Quota::default(),
        }
    }

    fn request(&self) -> CreateRequest {
        CreateRequest {
            id: self.id(),
            link_verifier: token::link_verifier(&self.link()),
            access_verifier: token::access_verifier(&self.access()),
            owner_verifier: token::owner_verifier(&self.owner()),
            manifest: self.manifest(),
            body_len: self.body_len,
            ttl_s: if self.fate.is_ended_by_time() {
                60
            } else {
                86_400
            },
            claims_max: 1,
            body: self.is_inline().then(|| self.body()),
        }
    }
}

/// A pair of stores in one folder, as the server opens them, and the use cases over them.
pub(crate) struct Stage {
    pub(crate) records: Arc<SqliteStore>,
    pub(crate) clock: Arc<MockClock>,
    pub(crate) service: Arc<Service>,
}

impl Stage {
    /// At the start of a new folder's time.
    pub(crate) async fn new(directory: &Path) -> Self {
        Self::at(directory, START).await
    }

    /// When the parcels of [`Stage::fill`] have come to what they come to.
    pub(crate) async fn later(directory: &Path) -> Self {
        Self::at(directory, START + LATER_S).await
    }

    async fn at(directory: &Path, now: u64) -> Self {
        Self::on(SqliteStore::open(directory).unwrap(), directory, now).await
    }

    /// On records that are opened already.
    pub(crate) async fn on(records: SqliteStore, directory: &Path, now: u64) -> Self {
        let records = Arc::new(records);
        let blobs: Arc<dyn BlobStore> =
            Arc::new(FolderStore::open(&directory.join("blobs")).unwrap());
        match_stores(records.as_ref(), blobs.as_ref())
            .await
            .unwrap();
        let clock = Arc::new(MockClock::new(now));
        let shared_records: Arc<dyn RecordStore> = Arc::<SqliteStore>::clone(&records);
        let shared_clock: Arc<dyn Clock> = Arc::<MockClock>::clone(&clock);
        let service = Service::new(shared_records, blobs, shared_clock, LIMITS, PERIODS);
        Self {
            records,
            clock,
            service: Arc::new(service),
        }
    }

    /// Brings every parcel to its fate, but for what a sweep does. The stage is at its start before, and later after.
    pub(crate) async fn fill(&self, parcels: &[Parcel]) {
        for parcel in parcels
            .iter()
            .filter(|parcel| parcel.fate.is_ended_by_time())
        {
            self.send(parcel).await;
        }
        self.clock.advance(LATER_S);
        for parcel in parcels
            .iter()
            .filter(|parcel| !parcel.fate.is_ended_by_time())
        {
            self.send(parcel).await;
            self.receive(parcel).await;
        }
    }

    async fn send(&self, parcel: &Parcel) {
        let created = self
            .service
            .create(parcel.request(), &parcel.terms())
            .await
            .unwrap();
        assert!(created.is_new);
        if parcel.is_inline() {
            return;
        }
        let is_whole = !matches!(parcel.fate, Fate::Uploading | Fate::Abandoned);
        let body = Bytes::from(parcel.body());
        let chunks = body.chunks(usize::try_from(PART_LEN).unwrap());
        for (index, chunk) in (0..).zip(chunks).take(if is_whole { 4 } else { 2 }) {
            let part = PartUpload {
                index,
                len: u64::try_from(chunk.len()).unwrap(),
                digest: Sha256::digest(chunk).into(),
            };
            let bytes = stream::iter([Ok(Bytes::copy_from_slice(chunk))]).boxed();
            self.service
                .write_part(&parcel.id(), &parcel.owner(), part, bytes)
                .await
                .unwrap();
        }
        if is_whole {
            let completed = self.service.complete(&parcel.id(), &parcel.owner()).await;
            assert_eq!(completed.unwrap().state, State::Ready);
        }
    }

    async fn receive(&self, parcel: &Parcel) {
        let (id, service) = (parcel.id(), &self.service);
        match parcel.fate {
            Fate::Ready => {
                let wrong = PeekRequest {
                    link_proof: parcel.link(),
                    access_proof: Some(AccessProof::from_bytes([0; 32])),
                };
                service.peek(&id, wrong).await.unwrap_err();
            }
            Fate::Claimed => {
                self.claim(parcel).await.unwrap();
            }
            Fate::Delivered => {
                self.claim(parcel).await.unwrap();
                assert_eq!(self.fetch(parcel).await, parcel.body());
                service.deliver(&id, &parcel.claimant()).await.unwrap();
            }
            Fate::Burnt => service.burn(&id, &parcel.owner()).await.unwrap(),
            Fate::Uploading | Fate::Expired | Fate::Abandoned => {}
        }
    }

    async fn claim(&self, parcel: &Parcel) -> Result<String, String> {
        let request = ClaimRequest {
            link_proof: parcel.link(),
            access_proof: parcel.access(),
        };
        let claimed = self
            .service
            .claim(&parcel.id(), &parcel.claimant(), request)
            .await;
        told(claimed)
    }

    /// The body, as its claimant is given it.
    async fn fetch(&self, parcel: &Parcel) -> Vec<u8> {
        let choose = |body_len| Ok(0..body_len);
        let body = self
            .service
            .body(&parcel.id(), &parcel.claimant(), choose)
            .await;
        let bytes = body
            .unwrap()
            .bytes
            .try_fold(BytesMut::new(), async |mut bytes, piece| {
                bytes.extend_from_slice(&piece);
                Ok(bytes)
            });
        bytes.await.unwrap().to_vec()
    }

    /// Everything that sender and claimant are told of a parcel and are given, each as it would be sent.
    pub(crate) async fn portrait(&self, parcel: &Parcel) -> Vec<Result<String, String>> {
        let (id, service) = (parcel.id(), &self.service);
        let look = |access_proof| PeekRequest {
            link_proof: parcel.link(),
            access_proof,
        };
        let parts = service.parts(&id, &parcel.owner()).await;
        let mut portrait = vec![
            told(service.receipt(&id, &parcel.owner()).await),
            told(service.peek(&id, look(None)).await),
            told(service.peek(&id, look(Some(parcel.access()))).await),
            parts
                .map(|parts| format!("{parts:?}"))
                .map_err(|error| format!("{error:?}")),
        ];
        if parcel.fate == Fate::Claimed {
            portrait.push(self.claim(parcel).await);
            assert_eq!(self.fetch(parcel).await, parcel.body());
        }
        portrait
    }
}

fn told<T: serde::Serialize>(result: crate::service::ServiceResult<T>) -> Result<String, String> {
    result
        .map(|answer| serde_json::to_string(&answer).unwrap())
        .map_err(|error| format!("{error:?}"))
}

/// Makes `directory` a copy of the folder that the first version wrote.
pub(crate) fn first_version(directory: &Path) -> Vec<Parcel> {
    written_by(1, directory)
}

/// Makes `directory` a copy of the folder that this version wrote, in `tests/fixtures`. The parcels in it: they have come to their
/// fates, and one sweep of the records has settled them, but nothing has been deleted.
pub(crate) fn written_by(version: i64, directory: &Path) -> Vec<Parcel> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    copy(&fixtures.join(format!("v{version}")), directory);
    Parcel::each(1000)
}

/// Copies a folder, with the rights that the server gives its own.
fn copy(from: &Path, to: &Path) {
    make_private_folder(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).unwrap();
            #[cfg(unix)]
            fs::set_permissions(&target, PermissionsExt::from_mode(0o600)).unwrap();
        }
    }
}
