//! What is refused while the record store has no room: everything new, and what is on its way; nothing else.

use super::*;

#[track_caller]
fn full<T: std::fmt::Debug>(result: Result<T, ServiceError>) {
    assert!(
        matches!(result, Err(ServiceError::Store(StoreError::Full(_)))),
        "{result:?}"
    );
}

#[tokio::test]
async fn without_room_nothing_new_begins_and_all_else_goes_on() {
    let fixture = fixture().await;
    let id = fixture.ready().await;
    fixture.records.set_room(false);
    let mut new = request(1056);
    new.link_verifier = token::link_verifier(&LinkProof::from_bytes([9; 32]));
    new.id = token::transfer_id(&new.link_verifier);
    full(fixture.service.create(new, &Terms::default()).await);
    fixture.claim(&id).await;
    assert_eq!(
        fixture.read(&id, 0, BODY_LEN).await.unwrap(),
        content().to_vec()
    );
    fixture.service.renew(&id, &claimant()).await.unwrap();
    fixture.service.deliver(&id, &claimant()).await.unwrap();
    sweep(&fixture.service).await.unwrap();
    assert_eq!(fixture.blobs.count(), 0, "what frees room goes on");
    fixture.service.burn(&id, &owner()).await.unwrap();
}

#[tokio::test]
async fn an_upload_waits_for_room() {
    let fixture = fixture().await;
    let id = fixture.create().await;
    fixture.write(&id, upload(0), &slice(0)).await.unwrap();
    fixture.records.set_room(false);
    full(fixture.write(&id, upload(1), &slice(1)).await);
    // Repeats of what was done, whose answers were lost.
    let again = fixture
        .service
        .create(request(BODY_LEN), &Terms::default())
        .await
        .unwrap();
    assert!(!again.is_new);
    fixture.write(&id, upload(0), &slice(0)).await.unwrap();

    // Of a part that is on its way, no further piece is taken.
    fixture.records.set_room(true);
    let records = Arc::clone(&fixture.records);
    let pieces = pieces(&slice(1)).inspect(move |_| records.set_room(false));
    let written = fixture
        .service
        .write_part(&id, &owner(), upload(1), pieces.boxed())
        .await;
    full(written);
    assert_eq!(fixture.blobs.count(), 1, "what was begun is given up");

    fixture.records.set_room(true);
    for index in 1..4 {
        fixture
            .write(&id, upload(index), &slice(index))
            .await
            .unwrap();
    }
    fixture.records.set_room(false);
    let completed = fixture.service.complete(&id, &owner()).await.unwrap();
    assert_eq!(completed.state, State::Ready);
}
