//! Bodies that are given once: served whole, gone when the stream is, however it ends.

use onetimeshare_protocol::transfer::ClaimState;

use super::*;
use crate::service::Download;
use crate::transfer::ONCE_S;

const STRICT: Periods = Periods {
    lease_s: 0,
    ..PERIODS
};

impl Fixture {
    async fn download(&self, id: &TransferId) -> Result<Download, ServiceError> {
        // A range that is asked for is not what is given.
        let choose = |body_len| Ok(1..body_len - 1);
        self.service.body(id, &claimant(), choose).await
    }

    async fn state(&self, id: &TransferId) -> (State, ClaimState) {
        let receipt = self.service.receipt(id, &owner()).await.unwrap();
        (receipt.state, receipt.claims[0].state)
    }

    /// Lets what a dropped stream has left to do be done, and sweeps. How many objects are left.
    async fn swept(&self, id: &TransferId) -> usize {
        for _ in 0..100 {
            if self.state(id).await.0 == State::Gone {
                break;
            }
            tokio::task::yield_now().await;
        }
        sweep(&self.service).await.unwrap();
        self.blobs.count()
    }
}

async fn begun() -> (Fixture, TransferId, Download) {
    let fixture = fixture_with(STRICT).await;
    let id = fixture.ready().await;
    fixture.claim(&id).await;
    let download = fixture.download(&id).await.unwrap();
    assert_eq!(
        (download.range.clone(), download.is_whole),
        (0..BODY_LEN, true)
    );
    (fixture, id, download)
}

fn assert_spent(result: Result<Download, ServiceError>) {
    assert!(matches!(
        result.map(|_| ()),
        Err(ServiceError::Refused(Refusal::LeaseEnded {
            cause: Cause::Lapsed,
            ..
        }))
    ));
}

#[tokio::test]
async fn a_body_is_served_whole_and_is_gone_with_that() {
    let (fixture, id, download) = begun().await;
    assert_spent(fixture.download(&id).await);
    assert_eq!(fixture.state(&id).await, (State::Claimed, ClaimState::Live));
    let bytes: Vec<Bytes> = download.bytes.try_collect().await.unwrap();
    assert_eq!(bytes.concat(), content());
    assert_eq!(fixture.state(&id).await, (State::Gone, ClaimState::Lapsed));
    assert_eq!(fixture.swept(&id).await, 0);
    assert_spent(fixture.download(&id).await);
    fixture.service.deliver(&id, &claimant()).await.unwrap();
    assert_eq!(
        fixture.state(&id).await,
        (State::Gone, ClaimState::Delivered)
    );
}

#[tokio::test]
async fn a_body_that_breaks_off_is_lost() {
    for pieces in [0, 1, 3] {
        let (fixture, id, mut download) = begun().await;
        for _ in 0..pieces {
            download.bytes.next().await.unwrap().unwrap();
        }
        drop(download);
        assert_eq!(fixture.swept(&id).await, 0, "after {pieces} pieces");
        assert_eq!(fixture.state(&id).await, (State::Gone, ClaimState::Lapsed));
        assert_spent(fixture.download(&id).await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_fetch_goes_on_and_one_that_stands_still_does_not() {
    let (fixture, id, mut download) = begun().await;
    let mut len = 0;
    while let Some(piece) = download.bytes.next().await {
        len += piece.unwrap().len();
        fixture.clock.advance(ONCE_S / 3);
        tokio::time::sleep(Duration::from_secs(6)).await;
        sweep(&fixture.service).await.unwrap();
    }
    assert_eq!(u64::try_from(len), Ok(BODY_LEN));
    assert_eq!(fixture.swept(&id).await, 0);

    let (fixture, id, mut download) = begun().await;
    download.bytes.next().await.unwrap().unwrap();
    fixture.clock.advance(ONCE_S);
    assert_eq!(fixture.swept(&id).await, 0);
    let rest: Result<Vec<Bytes>, StoreError> = download.bytes.try_collect().await;
    assert!(matches!(rest, Err(StoreError::Interrupted)), "{rest:?}");
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_waits_for_its_reader_goes_on() {
    let (fixture, id, mut download) = begun().await;
    let mut len = download.bytes.next().await.unwrap().unwrap().len();
    for _ in 0..6 {
        fixture.clock.advance(ONCE_S / 3);
        tokio::time::sleep(Duration::from_secs(6)).await;
        sweep(&fixture.service).await.unwrap();
    }
    while let Some(piece) = download.bytes.next().await {
        len += piece.unwrap().len();
    }
    assert_eq!(u64::try_from(len), Ok(BODY_LEN));
    assert_eq!(fixture.swept(&id).await, 0);
}

#[tokio::test]
async fn burning_stops_a_fetch() {
    let (fixture, id, mut download) = begun().await;
    download.bytes.next().await.unwrap().unwrap();
    fixture.service.burn(&id, &owner()).await.unwrap();
    let rest: Result<Vec<Bytes>, StoreError> = download.bytes.try_collect().await;
    assert!(matches!(rest, Err(StoreError::Interrupted)), "{rest:?}");
    assert_eq!(fixture.state(&id).await, (State::Gone, ClaimState::Burnt));
}
