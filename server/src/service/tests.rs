//! The use cases over the in-memory twins, with a clock that is stepped: what faulty uploads leave, ranges across parts, and
//! what a sweep removes.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use onetimeshare_protocol::id::{AccessProof, ClaimToken, LinkProof, OwnerToken, TransferId};
use onetimeshare_protocol::transfer::{Cause, ClaimRequest, CreateRequest, State};
use sha2::{Digest, Sha256};

use super::{Invalid, Limits, MatchError, PartUpload, Service, ServiceError, Terms, match_stores};
use crate::blob::memory::MemoryBlobs;
use crate::blob::{BlobStore, ByteStream, ObjectName};
use crate::clock::{Clock, MockClock};
use crate::record::memory::MemoryStore;
use crate::record::{RecordStore, StoreError, StoreId};
use crate::sweeper::{sweep, sweep_orphans};
use crate::token;
use crate::transfer::{Periods, Refusal};

mod backlog;
mod capacity;
mod ended;
mod even;
mod late;
mod once;
mod quota;
mod room;

const NOW: u64 = 1_800_000_000;
const PART_LEN: u64 = 1000;
/// The body of 3000 bytes of content: padded to 3072, so three parts and a shorter one.
const BODY_LEN: u64 = 16 + 3072 + 16;
const LIMITS: Limits = Limits {
    transfer_size_max: 1 << 30,
    inline_max: 1056,
    part_len: PART_LEN,
    ttl_max_s: 7 * 86_400,
    ttl_default_s: 86_400,
    ttl_min_s: 60,
    claims_max: 100,
};
const PERIODS: Periods = Periods {
    lease_s: 600,
    lease_max_s: 86_400,
    tombstone_ttl_s: 86_400,
    upload_idle_s: 3600,
    part_deadline_s: 300,
};

struct Fixture {
    service: Service,
    records: Arc<MemoryStore>,
    blobs: Arc<MemoryBlobs>,
    clock: Arc<MockClock>,
}

async fn fixture() -> Fixture {
    fixture_with(PERIODS).await
}

async fn fixture_with(periods: Periods) -> Fixture {
    let (blobs, clock) = (
        Arc::new(MemoryBlobs::default()),
        Arc::new(MockClock::new(NOW)),
    );
    let records = Arc::new(MemoryStore::new().unwrap());
    match_stores(records.as_ref(), blobs.as_ref())
        .await
        .unwrap();
    let shared_records: Arc<dyn RecordStore> = Arc::<MemoryStore>::clone(&records);
    let shared_blobs: Arc<dyn BlobStore> = Arc::<MemoryBlobs>::clone(&blobs);
    let shared_clock: Arc<dyn Clock> = Arc::<MockClock>::clone(&clock);
    Fixture {
        service: Service::new(shared_records, shared_blobs, shared_clock, LIMITS, periods),
        records,
        blobs,
        clock,
    }
}

fn owner() -> OwnerToken {
    OwnerToken::from_bytes([3; 32])
}

fn claimant() -> ClaimToken {
    ClaimToken::from_bytes([4; 32])
}

fn request(body_len: u64) -> CreateRequest {
    let link_verifier = token::link_verifier(&LinkProof::from_bytes([1; 32]));
    CreateRequest {
        id: token::transfer_id(&link_verifier),
        link_verifier,
        access_verifier: token::access_verifier(&AccessProof::from_bytes([2; 32])),
        owner_verifier: token::owner_verifier(&owner()),
        manifest: vec![5; 304],
        body_len,
        ttl_s: 3600,
        claims_max: 1,
        body: (body_len == 1056).then(|| vec![6; 1056]),
    }
}

fn content() -> Bytes {
    (0..BODY_LEN)
        .map(|at| at.to_le_bytes()[0] ^ at.to_le_bytes()[1])
        .collect()
}

fn slice(index: u64) -> Bytes {
    let from = usize::try_from(index * PART_LEN).unwrap();
    let body = content();
    body.slice(from..body.len().min(from + 1000))
}

fn upload(index: u64) -> PartUpload {
    let bytes = slice(index);
    PartUpload {
        index,
        len: u64::try_from(bytes.len()).unwrap(),
        digest: Sha256::digest(&bytes).into(),
    }
}

/// The part in pieces of 300 bytes.
fn pieces(bytes: &Bytes) -> ByteStream {
    let pieces: Vec<_> = bytes
        .chunks(300)
        .map(|piece| Ok(Bytes::copy_from_slice(piece)))
        .collect();
    stream::iter(pieces).boxed()
}

impl Fixture {
    async fn create(&self) -> TransferId {
        let request = request(BODY_LEN);
        let id = request.id.clone();
        assert_eq!(
            self.service
                .create(request, &Terms::default())
                .await
                .unwrap()
                .state,
            State::Uploading
        );
        id
    }

    async fn write(
        &self,
        id: &TransferId,
        part: PartUpload,
        bytes: &Bytes,
    ) -> Result<(), ServiceError> {
        self.service
            .write_part(id, &owner(), part, pieces(bytes))
            .await
    }

    async fn ready(&self) -> TransferId {
        let id = self.create().await;
        for index in [2, 0, 3, 1] {
            self.write(&id, upload(index), &slice(index)).await.unwrap();
        }
        self.service.complete(&id, &owner()).await.unwrap();
        id
    }

    async fn claim(&self, id: &TransferId) {
        let (link_proof, access_proof) = (
            LinkProof::from_bytes([1; 32]),
            AccessProof::from_bytes([2; 32]),
        );
        self.service
            .claim(
                id,
                &claimant(),
                ClaimRequest {
                    link_proof,
                    access_proof,
                },
            )
            .await
            .unwrap();
    }

    async fn read(&self, id: &TransferId, from: u64, to: u64) -> Result<Vec<u8>, ServiceError> {
        let download = self
            .service
            .body(id, &claimant(), |body_len| Ok(from..to.min(body_len)))
            .await?;
        assert_eq!(download.body_len, BODY_LEN);
        let bytes = download
            .bytes
            .try_fold(BytesMut::new(), async |mut bytes, piece| {
                bytes.extend_from_slice(&piece);
                Ok(bytes)
            });
        Ok(bytes.await?.to_vec())
    }
}

fn invalid(result: Result<(), ServiceError>) -> Invalid {
    match result {
        Err(ServiceError::Invalid(invalid)) => invalid,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn create_refuses_what_it_cannot_keep() {
    let Fixture { service, .. } = fixture().await;
    let check = async |change: fn(&mut CreateRequest), expected: Invalid| {
        for body_len in [1056, BODY_LEN] {
            let mut request = request(body_len);
            change(&mut request);
            let refused = service.create(request, &Terms::default()).await.map(|_| ());
            assert_eq!(invalid(refused), expected, "{body_len}");
        }
    };
    check(
        |request| request.id = TransferId::from_bytes([0; 16]),
        Invalid::Id,
    )
    .await;
    check(|request| request.manifest.push(0), Invalid::ManifestLen).await;
    check(|request| request.manifest.clear(), Invalid::ManifestLen).await;
    check(|request| request.body_len += 1, Invalid::BodyLen).await;
    check(|request| request.body_len = u64::MAX, Invalid::BodyLen).await;
    let too_large = Invalid::TooLarge {
        transfer_size_max: 1 << 30,
    };
    check(
        |request| request.body_len = 16 + (1 << 31) + 16 * (1 << 15),
        too_large,
    )
    .await;
    let ttl = Invalid::Ttl {
        min_s: 60,
        max_s: 7 * 86_400,
    };
    check(|request| request.ttl_s = 59, ttl.clone()).await;
    check(|request| request.ttl_s = 7 * 86_400 + 1, ttl).await;
    check(
        |request| request.claims_max = 0,
        Invalid::Claims { max: 100 },
    )
    .await;
    check(
        |request| request.claims_max = 101,
        Invalid::Claims { max: 100 },
    )
    .await;

    let bodies = [
        (1056, None, Invalid::BodyMissing { inline_max: 1056 }),
        (
            BODY_LEN,
            Some(BODY_LEN),
            Invalid::BodyNotInline { inline_max: 1056 },
        ),
        (1056, Some(1055), Invalid::InlineLen),
    ];
    for (body_len, sent_len, expected) in bodies {
        let mut request = request(body_len);
        request.body = sent_len.map(|len| vec![0; usize::try_from(len).unwrap()]);
        assert_eq!(
            invalid(service.create(request, &Terms::default()).await.map(|_| ())),
            expected
        );
    }
    // After all that the id is still free.
    assert!(
        service
            .create(request(1056), &Terms::default())
            .await
            .unwrap()
            .is_new
    );
}

#[tokio::test]
async fn a_repeat_is_known_whatever_it_says() {
    let Fixture { service, .. } = fixture().await;
    assert!(
        service
            .create(request(1056), &Terms::default())
            .await
            .unwrap()
            .is_new
    );
    assert!(
        !service
            .create(request(1056), &Terms::default())
            .await
            .unwrap()
            .is_new
    );
    let changes: [fn(&mut CreateRequest); 6] = [
        |request| request.ttl_s += 1,
        |request| request.claims_max += 1,
        |request| request.manifest[0] ^= 1,
        |request| request.body.as_mut().unwrap()[1055] ^= 1,
        |request| request.owner_verifier = token::owner_verifier(&OwnerToken::from_bytes([9; 32])),
        |request| {
            request.access_verifier = token::access_verifier(&AccessProof::from_bytes([9; 32]));
        },
    ];
    for change in changes {
        let mut other = request(1056);
        change(&mut other);
        assert!(matches!(
            service.create(other, &Terms::default()).await,
            Err(ServiceError::Refused(Refusal::Conflict))
        ));
    }
}

#[tokio::test]
async fn faulty_parts_leave_the_upload_as_it_was() {
    let fixture = fixture().await;
    let id = fixture.create().await;
    fixture.write(&id, upload(0), &slice(0)).await.unwrap();

    let (part, bytes) = (upload(1), slice(1));
    let expected = Invalid::PartLen { expected: PART_LEN };
    let short = PartUpload { len: 999, ..part };
    assert_eq!(invalid(fixture.write(&id, short, &bytes).await), expected);
    assert_eq!(
        invalid(fixture.write(&id, part, &bytes.slice(1..)).await),
        expected
    );
    assert_eq!(
        invalid(
            fixture
                .write(&id, part, &[&bytes[..], b"x"].concat().into())
                .await
        ),
        expected
    );
    assert_eq!(
        invalid(fixture.write(&id, part, &slice(2)).await),
        Invalid::PartDigest
    );
    let torn = stream::iter([Ok(bytes.slice(..500)), Err(StoreError::Interrupted)]).boxed();
    let torn = fixture.service.write_part(&id, &owner(), part, torn).await;
    assert!(matches!(
        torn,
        Err(ServiceError::Store(StoreError::Interrupted))
    ));
    let stranger = OwnerToken::from_bytes([9; 32]);
    let refused = fixture
        .service
        .write_part(&id, &stranger, part, pieces(&bytes))
        .await;
    assert!(matches!(
        refused,
        Err(ServiceError::Refused(Refusal::Unknown))
    ));
    let beyond = fixture
        .write(&id, PartUpload { index: 4, ..part }, &bytes)
        .await;
    assert!(matches!(
        beyond,
        Err(ServiceError::Refused(Refusal::PartUnknown))
    ));
    let other = fixture
        .write(&id, PartUpload { index: 0, ..part }, &bytes)
        .await;
    assert!(matches!(
        other,
        Err(ServiceError::Refused(Refusal::PartConflict))
    ));

    assert_eq!(
        fixture.service.parts(&id, &owner()).await.unwrap().accepted,
        [0]
    );
    let missing = fixture.service.complete(&id, &owner()).await;
    let Err(ServiceError::Refused(Refusal::PartsMissing(missing))) = missing else {
        panic!("{missing:?}")
    };
    assert_eq!(missing, [1, 2, 3]);
    assert_eq!(fixture.blobs.count(), 1);
    for index in 0..4 {
        fixture
            .write(&id, upload(index), &slice(index))
            .await
            .unwrap();
    }
    fixture.service.complete(&id, &owner()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_part_that_drips_is_cut_off() {
    let fixture = fixture().await;
    let id = fixture.create().await;
    let drip = stream::pending().boxed();
    let late = fixture
        .service
        .write_part(&id, &owner(), upload(0), drip)
        .await;
    assert_eq!(invalid(late), Invalid::PartTimeout);
    let parts = fixture.service.parts(&id, &owner()).await.unwrap();
    assert!(parts.accepted.is_empty());
}

#[tokio::test]
async fn writers_of_one_part_leave_one_object() {
    let fixture = fixture().await;
    let id = fixture.create().await;
    let bytes = slice(0);
    let writes = (0..8).map(|_| fixture.write(&id, upload(0), &bytes));
    for written in futures_util::future::join_all(writes).await {
        written.unwrap();
    }
    sweep(&fixture.service).await.unwrap();
    assert_eq!(fixture.blobs.count(), 1);
}

#[tokio::test]
async fn ranges_reach_across_parts() {
    let fixture = fixture().await;
    let id = fixture.ready().await;
    let refused = fixture.read(&id, 0, 1).await;
    assert!(
        matches!(refused, Err(ServiceError::Refused(Refusal::Unknown))),
        "no claim, no body"
    );
    fixture.claim(&id).await;
    let body = content();
    for (from, to) in [
        (0, BODY_LEN),
        (0, 1),
        (999, 1001),
        (1000, 2000),
        (500, 3050),
        (BODY_LEN - 1, BODY_LEN),
        (5, 5),
    ] {
        let bounds = usize::try_from(from).unwrap()..usize::try_from(to).unwrap();
        assert_eq!(
            fixture.read(&id, from, to).await.unwrap(),
            body[bounds],
            "{from}..{to}"
        );
    }
}

#[tokio::test]
async fn an_inline_body_is_fetched_like_any_other() {
    let fixture = fixture().await;
    let id = request(1056).id;
    fixture
        .service
        .create(request(1056), &Terms::default())
        .await
        .unwrap();
    fixture.claim(&id).await;
    let download = fixture
        .service
        .body(&id, &claimant(), |_| Ok(1050..1056))
        .await
        .unwrap();
    let bytes: Vec<Bytes> = download.bytes.try_collect().await.unwrap();
    assert_eq!(bytes.concat(), [6; 6]);
    assert_eq!(fixture.blobs.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn bytes_that_flow_within_a_part_renew_the_lease() {
    let fixture = fixture().await;
    let id = fixture.ready().await;
    fixture.claim(&id).await;
    let mut download = fixture
        .service
        .body(&id, &claimant(), |body_len| Ok(0..body_len))
        .await
        .unwrap();
    let mut len = 0;
    while let Some(piece) = download.bytes.next().await {
        len += piece.unwrap().len();
        // The pieces of one part outlast the lease together.
        fixture.clock.advance(PERIODS.lease_s / 3);
        tokio::time::sleep(Duration::from_secs(6)).await;
        sweep(&fixture.service).await.unwrap();
    }
    assert_eq!(u64::try_from(len), Ok(BODY_LEN));
}

#[tokio::test(start_paused = true)]
async fn a_download_ends_with_its_lease() {
    for is_burnt in [false, true] {
        let fixture = fixture().await;
        let id = fixture.ready().await;
        fixture.claim(&id).await;
        let mut download = fixture
            .service
            .body(&id, &claimant(), |body_len| Ok(0..body_len))
            .await
            .unwrap();
        download.bytes.next().await.unwrap().unwrap();
        if is_burnt {
            fixture.service.burn(&id, &owner()).await.unwrap();
        } else {
            fixture.service.deliver(&id, &claimant()).await.unwrap();
        }
        // The reader stands still; the one who reads ahead looks after the lease.
        tokio::time::sleep(Duration::from_secs(20)).await;
        let rest: Vec<_> = download.bytes.collect().await;
        assert!(
            rest.len() < 3 && rest.last().unwrap().is_err(),
            "{is_burnt}: {}",
            rest.len()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_stands_still_does_not_keep_its_lease() {
    let fixture = fixture().await;
    let id = fixture.ready().await;
    fixture.claim(&id).await;
    let download = fixture
        .service
        .body(&id, &claimant(), |body_len| Ok(0..body_len))
        .await
        .unwrap();
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_mins(1)).await;
        fixture.clock.advance(60);
    }
    let refused = fixture.service.renew(&id, &claimant()).await;
    assert!(matches!(
        refused,
        Err(ServiceError::Refused(Refusal::LeaseEnded { .. }))
    ));
    drop(download);
}

#[tokio::test]
async fn a_sweep_removes_what_is_gone_and_nothing_else() {
    let fixture = fixture().await;
    let id = fixture.ready().await;
    sweep(&fixture.service).await.unwrap();
    assert_eq!(fixture.blobs.count(), 4);
    fixture.claim(&id).await;
    fixture.service.deliver(&id, &claimant()).await.unwrap();
    sweep(&fixture.service).await.unwrap();
    assert_eq!(fixture.blobs.count(), 0);

    // A late write of an object that lost appears after its deletion; the second pass takes it too.
    let late = ObjectName {
        id: id.clone(),
        index: 0,
        random: 1,
    };
    fixture.blobs.write(&late, pieces(&slice(0))).await.unwrap();
    assert_eq!(
        sweep_orphans(&fixture.service).await.unwrap(),
        0,
        "it is known, and too young"
    );
}

#[tokio::test]
async fn an_abandoned_upload_is_swept() {
    let fixture = fixture().await;
    let id = fixture.create().await;
    fixture.write(&id, upload(0), &slice(0)).await.unwrap();
    fixture.clock.advance(PERIODS.upload_idle_s - 1);
    sweep(&fixture.service).await.unwrap();
    assert_eq!(fixture.blobs.count(), 1);
    fixture.clock.advance(1);
    sweep(&fixture.service).await.unwrap();
    assert_eq!(fixture.blobs.count(), 0);
    let gone = fixture.service.parts(&id, &owner()).await;
    assert!(matches!(
        gone,
        Err(ServiceError::Refused(Refusal::Gone {
            cause: Cause::Abandoned,
            ..
        }))
    ));
}

#[tokio::test]
async fn strangers_are_not_matched_and_nothing_is_swept() {
    let fixture = fixture().await;
    let id = fixture.ready().await;
    let records = fixture.service.records().as_ref();
    let empty = MemoryBlobs::default();
    assert!(matches!(
        match_stores(records, &empty).await,
        Err(MatchError::BlobsLost)
    ));
    empty.adopt(&StoreId([1; 16])).await.unwrap();
    assert!(matches!(
        match_stores(records, &empty).await,
        Err(MatchError::Strangers)
    ));
    assert!(matches!(
        match_stores(&MemoryStore::new().unwrap(), fixture.blobs.as_ref()).await,
        Err(MatchError::Strangers)
    ));

    // An empty folder in the place of the real one, under a running server, is never adopted.
    let unmounted: Arc<dyn BlobStore> = Arc::new(MemoryBlobs::default());
    let fresh: Arc<dyn RecordStore> = Arc::new(MemoryStore::new().unwrap());
    let clock: Arc<dyn Clock> = Arc::new(MockClock::new(NOW));
    let service = Service::new(fresh, Arc::clone(&unmounted), clock, LIMITS, PERIODS);
    assert!(matches!(sweep(&service).await, Err(MatchError::BlobsLost)));
    assert_eq!(unmounted.store_id().await.unwrap(), None);

    // The same records over an empty blob store: expiry is not carried out on it.
    let lost: Arc<dyn BlobStore> = Arc::new(MemoryBlobs::default());
    let clock: Arc<dyn Clock> = Arc::new(MockClock::new(NOW + 10 * 86_400));
    let service = Service::new(
        Arc::clone(fixture.service.records()),
        lost,
        clock,
        LIMITS,
        PERIODS,
    );
    assert!(matches!(sweep(&service).await, Err(MatchError::BlobsLost)));
    assert!(matches!(
        sweep_orphans(&service).await,
        Err(MatchError::BlobsLost)
    ));
    fixture.claim(&id).await;
    assert_eq!(
        fixture.read(&id, 0, BODY_LEN).await.unwrap().len(),
        content().len()
    );
}
