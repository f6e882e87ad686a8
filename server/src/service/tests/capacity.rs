//! How much may be held in all: what does not fit is refused before it is stored, and what ended makes room.

use futures_util::future::join_all;

use super::*;
use crate::transfer::RECORD_LEN;

/// What one of [`numbered`] takes up, in bytes.
const ONE: u64 = RECORD_LEN + 304 + 1056;

async fn bounded(storage_max: u64) -> Fixture {
    let fixture = fixture().await;
    let service = fixture.service.with_storage_max(Some(storage_max));
    Fixture { service, ..fixture }
}

/// A small transfer of its own.
fn numbered(number: u8) -> CreateRequest {
    let link_verifier = token::link_verifier(&LinkProof::from_bytes([number; 32]));
    CreateRequest {
        id: token::transfer_id(&link_verifier),
        link_verifier,
        ..request(1056)
    }
}

async fn is_full(t: &Fixture, request: CreateRequest) -> bool {
    match t.service.create(request).await {
        Ok(_) => false,
        Err(ServiceError::Store(StoreError::Full(_))) => true,
        Err(error) => panic!("{error:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn what_does_not_fit_is_refused_and_what_ended_makes_room() {
    let t = bounded(2 * ONE).await;
    assert!(!is_full(&t, numbered(1)).await);
    assert!(!is_full(&t, numbered(2)).await);
    assert!(is_full(&t, numbered(3)).await, "at once");
    tokio::time::advance(Duration::from_secs(2)).await;
    assert!(is_full(&t, numbered(3)).await, "by a new reading");
    // What was taken is taken, and answered again.
    assert!(!is_full(&t, numbered(1)).await);
    t.service.burn(&numbered(1).id, &owner()).await.unwrap();
    assert!(!is_full(&t, numbered(3)).await, "at once, too");
    assert!(is_full(&t, numbered(4)).await);
}

#[tokio::test]
async fn a_body_that_is_still_to_come_counts() {
    let t = bounded(RECORD_LEN + 304 + BODY_LEN + ONE - 1).await;
    t.service.create(request(BODY_LEN)).await.unwrap();
    assert!(is_full(&t, numbered(9)).await);
    // Nobody goes on with it.
    t.clock.advance(PERIODS.upload_idle_s);
    sweep(&t.service).await.unwrap();
    assert!(!is_full(&t, numbered(9)).await);
}

#[tokio::test]
async fn requests_that_fail_give_back_what_was_reserved() {
    let t = bounded(ONE).await;
    t.records.set_room(false);
    for _ in 0..3 {
        assert!(is_full(&t, numbered(1)).await);
    }
    t.records.set_room(true);
    assert!(!is_full(&t, numbered(1)).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_never_exceed_it() {
    let t = Arc::new(bounded(10 * ONE).await);
    for round in 0..6_u8 {
        let tasks = (0..40).map(|number| {
            let t = Arc::clone(&t);
            tokio::spawn(async move { is_full(&t, numbered(round * 40 + number)).await })
        });
        let full = join_all(tasks).await;
        let taken = full.iter().filter(|full| !*full.as_ref().unwrap()).count();
        let held = t.service.totals().await.unwrap().held;
        assert_eq!(held.len, held.count * ONE);
        assert_eq!(usize::try_from(held.count).unwrap(), taken);
        assert!((5..=10).contains(&taken), "{taken}");
        for number in 0..40 {
            // Those that were refused are unknown.
            let _ = t
                .service
                .burn(&numbered(round * 40 + number).id, &owner())
                .await;
        }
    }
}
