//! A server whose disk is full: what it refuses, what it does all the same, and that nothing else is needed once there is room.

use std::time::Duration;

use tokio::time::sleep;

use crate::sample::Sample;
use crate::server::TestServer;

#[tokio::test]
async fn new_transfers_wait_while_those_that_are_there_go_on() {
    let server = TestServer::new().await;
    let (opened, burnt, late) = (Sample::small(), Sample::large(), Sample::of(8, 1000));
    opened.upload(&server).await;
    burnt.upload(&server).await;
    server.records.set_room(false);
    late.create(&server).await.refused(507, "store.full");

    opened.peek(&server, &opened.proofs()).await.expect(200);
    opened.claim(&server, 1).await.expect(200);
    let delivered = opened.path("/delivered");
    let claimant = opened.claimant(1);
    server
        .call("POST", &delivered, Some(&claimant))
        .await
        .expect(204);
    let owner = burnt.owner();
    server
        .call("DELETE", &burnt.path(""), Some(&owner))
        .await
        .expect(204);
    server.sweep().await;
    assert_eq!(server.blobs.count(), 0);
    let told = server.call("GET", "/readyz", None).await;
    let told = told.refused(507, "store.full");
    let told = String::from_utf8_lossy(&told.bytes);
    assert!(told.contains("the record store has no room"), "{told}");

    server.records.set_room(true);
    late.create(&server).await.expect(201);
}

#[tokio::test]
async fn a_blob_store_that_was_emptied_is_named() {
    let server = TestServer::new().await;
    server.blobs.lose_all();
    let told = server.call("GET", "/readyz", None).await;
    let told = told.refused(503, "store.unreachable");
    let told = String::from_utf8_lossy(&told.bytes);
    assert!(
        told.contains("the blob store is not what the server began with"),
        "{told}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_is_named_and_nothing_is_used_up() {
    let server = TestServer::new().await;
    let sample = Sample::small();
    sample.upload(&server).await;
    server.records.set_answers(false);
    let unready = server.call("GET", "/readyz", None).await;
    assert_eq!(unready.header("retry-after"), "5");
    let told = unready.refused(503, "store.unreachable");
    let told = String::from_utf8_lossy(&told.bytes);
    assert!(told.contains("record store"), "{told}");
    for answer in [
        sample.claim(&server, 1).await,
        Sample::of(8, 1000).create(&server).await,
    ] {
        assert_eq!(answer.header("retry-after"), "5");
        answer.refused(503, "store.unreachable");
    }

    server.records.set_answers(true);
    // What was found is told for a second.
    server
        .call("GET", "/readyz", None)
        .await
        .refused(503, "store.unreachable");
    sleep(Duration::from_secs(1)).await;
    server.call("GET", "/readyz", None).await.expect(204);
    sample.claim(&server, 2).await.expect(200);
}
