//! Every use case tells who holds no proof at a tick, whether there is such a transfer or not.

use onetimeshare_protocol::id::{AccessProof, ClaimToken, LinkProof, OwnerToken, TransferId};
use onetimeshare_protocol::transfer::{ClaimRequest, PeekRequest};
use tokio::time::Instant;

use super::{Fixture, fixture, pieces, slice, upload};
use crate::service::{ServiceError, ServiceResult};
use crate::transfer::Refusal;

/// Fails unless `call` is refused like an unknown id, and at the first tick.
async fn waits<T>(call: impl Future<Output = ServiceResult<T>>) {
    let begun = Instant::now();
    let refused = call.await.err();
    let is_unknown = matches!(refused, Some(ServiceError::Refused(Refusal::Unknown)));
    assert!(is_unknown, "{refused:?}");
    assert_eq!(begun.elapsed().as_millis(), 5);
}

/// Everything that takes a proof, with wrong ones.
async fn guess(Fixture { service, .. }: &Fixture, id: &TransferId) {
    let (owner, claimant) = (
        OwnerToken::from_bytes([9; 32]),
        ClaimToken::from_bytes([9; 32]),
    );
    let link_proof = LinkProof::from_bytes([9; 32]);
    let access_proof = AccessProof::from_bytes([2; 32]);
    let (peek, claim) = (
        PeekRequest {
            link_proof: link_proof.clone(),
            access_proof: None,
        },
        ClaimRequest {
            link_proof,
            access_proof,
        },
    );
    waits(service.peek(id, peek)).await;
    waits(service.claim(id, &claimant, claim)).await;
    waits(service.body(id, &claimant, |body_len| Ok(0..body_len))).await;
    waits(service.renew(id, &claimant)).await;
    waits(service.deliver(id, &claimant)).await;
    waits(service.write_part(id, &owner, upload(0), pieces(&slice(0)))).await;
    waits(service.parts(id, &owner)).await;
    waits(service.complete(id, &owner)).await;
    waits(service.receipt(id, &owner)).await;
    waits(service.unlock(id, &owner)).await;
    waits(service.burn(id, &owner)).await;
}

#[tokio::test(start_paused = true)]
async fn strangers_are_answered_at_a_tick_by_every_use_case() {
    let fixture = fixture().await;
    let id = fixture.ready().await;
    guess(&fixture, &id).await;
    guess(&fixture, &TransferId::from_bytes([9; 16])).await;
}
