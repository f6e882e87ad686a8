//! From what a caller presents to what is stored: SHA-256 of each proof and token, compared in constant time.
//! Stores see verifiers only.

use onetimeshare_protocol::id::{
    AccessProof, AccessVerifier, ClaimToken, ClaimVerifier, CreateToken, LinkProof, LinkVerifier,
    OwnerToken, OwnerVerifier, TransferId,
};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

fn hash(label: &[u8], bytes: &[u8]) -> [u8; 32] {
    Sha256::new()
        .chain_update(label)
        .chain_update(bytes)
        .finalize()
        .into()
}

/// `SHA-256(link_proof)`, specification section 2.
pub fn link_verifier(proof: &LinkProof) -> LinkVerifier {
    LinkVerifier::from_bytes(hash(b"", proof.as_bytes()))
}

/// `SHA-256(access_proof)`, specification section 2.
pub fn access_verifier(proof: &AccessProof) -> AccessVerifier {
    AccessVerifier::from_bytes(hash(b"", proof.as_bytes()))
}

/// `SHA-256(owner_token)`, specification section 2.
pub fn owner_verifier(token: &OwnerToken) -> OwnerVerifier {
    OwnerVerifier::from_bytes(hash(b"", token.as_bytes()))
}

/// `SHA-256(claim_token)`, specification section 2.
pub fn claim_verifier(token: &ClaimToken) -> ClaimVerifier {
    ClaimVerifier::from_bytes(hash(b"", token.as_bytes()))
}

/// `SHA-256` of the token's text, so that its operator can make it with any tool. A plain hash is enough for 256 random bits.
pub(crate) fn create_verifier(token: &CreateToken) -> [u8; 32] {
    hash(b"", token.to_text().as_bytes())
}

/// The one id that follows from `verifier`: the first 16 bytes of `SHA-256("onetimeshare/v1 id" ‖ verifier)`.
pub fn transfer_id(verifier: &LinkVerifier) -> TransferId {
    let digest = hash(b"onetimeshare/v1 id", verifier.as_bytes());
    TransferId::from_bytes(*digest.first_chunk().expect("32 bytes hold 16"))
}

/// Whether two verifiers are the same, in time that does not depend on where they differ.
pub(crate) fn is_same(presented: &[u8; 32], stored: &[u8; 32]) -> bool {
    presented.ct_eq(stored).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> [u8; 32] {
        let byte = |at: usize| {
            u8::from_str_radix(hex.get(at * 2..at * 2 + 2).expect("64 digits"), 16).expect("hex")
        };
        std::array::from_fn(byte)
    }

    /// The first of the specification's vectors.
    #[test]
    fn ids_follow_from_the_proof() {
        let proof = LinkProof::from_bytes(bytes(
            "fd4e1d988160ac1a1b12efce96b99b69465d1b9dc201709b47fe51cc26056cb1",
        ));
        let verifier = link_verifier(&proof);
        assert_eq!(
            verifier.as_bytes(),
            &bytes("d2a4077ec6a2c85edfa949b18c4e7ed249c342239c1f859a5ca6d057419177f5")
        );
        assert_eq!(transfer_id(&verifier).to_text(), "gDAy6PxRJpBTt84IYi-WbA");
    }
}
