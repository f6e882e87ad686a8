//! A transfer as its two ends know it: sealed for real, and opened for real. It never talks to a server.

use onetimeshare_crypto::body::{BodyOpener, BodySealer};
use onetimeshare_crypto::key::{LinkKeys, RootKeys, derive_verifier};
use onetimeshare_crypto::link::{Link, LinkKey};
use onetimeshare_crypto::manifest::{Entry, Kind, Manifest};
use onetimeshare_protocol::id::{
    AccessProof, AccessVerifier, ClaimToken, LinkProof, LinkVerifier, OwnerToken, OwnerVerifier,
    TransferId,
};
use onetimeshare_protocol::transfer::{ClaimRequest, CreateRequest, PeekRequest};
use sha2::{Digest as _, Sha256};

/// Length of the parts that a body is cut into, in bytes: the shortest that a server can be set to.
pub(crate) const PART_LEN: usize = 64 * 1024;

/// The longest body that goes with its create request, in bytes: most of the transfers of these tests are smaller, some larger.
pub(crate) const INLINE_MAX: usize = 4096;

/// How long each transfer may wait, in seconds: longer than any test, so that nothing ends by itself.
const TTL_S: u64 = 3600;

/// A transfer, its keys, and everything that proves a right to it.
pub(crate) struct Secret {
    pub(crate) create: CreateRequest,
    pub(crate) owner: OwnerToken,
    /// The sealed body, whether it goes with the create request or in parts.
    pub(crate) body: Vec<u8>,
    keys: RootKeys,
    link_proof: LinkProof,
    access_proof: AccessProof,
    content_digest: [u8; 32],
}

/// Whether two ends agree on the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// It opened, and has the digest of what was sealed.
    Same,
    /// It did not open, or is another.
    Wrong,
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

pub(crate) fn random<const N: usize>(rng: &mut fastrand::Rng) -> [u8; N] {
    let mut bytes = [0; N];
    rng.fill(&mut bytes);
    bytes
}

impl Secret {
    /// Seals `content_len` random bytes under a fresh link.
    pub(crate) fn seal(rng: &mut fastrand::Rng, content_len: usize, claims_max: u32) -> Self {
        let mut content = vec![0; content_len];
        rng.fill(&mut content);
        let link = Link::new(LinkKey::from_random(random(rng)), false);
        let link_keys = LinkKeys::derive(&link);
        let keys = RootKeys::derive(&link, &link_keys, None).expect("it has no passphrase");
        let entry = Entry {
            name: "a".to_owned(),
            media_type: String::new(),
            size: content_len.try_into().expect("a small number"),
        };
        let manifest =
            Manifest::new(Kind::Files, vec![entry], &str::to_owned).expect("it is sound");
        let layout = manifest.layout();
        let whole = layout.body_len();
        let body = BodySealer::new(&keys, random(rng), layout)
            .seal_part(0, whole, &content)
            .expect("the content fits the layout");
        let owner = OwnerToken::from_bytes(random(rng));
        let create = CreateRequest {
            id: TransferId::from_bytes(*link_keys.transfer_id()),
            link_verifier: LinkVerifier::from_bytes(*link_keys.link_verifier()),
            access_verifier: AccessVerifier::from_bytes(keys.access_verifier()),
            owner_verifier: OwnerVerifier::from_bytes(derive_verifier(owner.as_bytes())),
            manifest: manifest.seal(&keys).expect("one small entry"),
            body_len: whole,
            ttl_s: TTL_S,
            claims_max,
            body: (body.len() <= INLINE_MAX).then(|| body.clone()),
        };
        Self {
            create,
            owner,
            body,
            link_proof: LinkProof::from_bytes(*link_keys.link_proof()),
            access_proof: AccessProof::from_bytes(*keys.access_proof()),
            keys,
            content_digest: sha256(&content),
        }
    }

    /// The same transfer with another life, in seconds.
    pub(crate) fn with_ttl(mut self, ttl_s: u64) -> Self {
        self.create.ttl_s = ttl_s;
        self
    }

    pub(crate) const fn id(&self) -> &TransferId {
        &self.create.id
    }

    pub(crate) const fn is_inline(&self) -> bool {
        self.create.body.is_some()
    }

    /// How many parts carry the body; none of a body that goes with its create request.
    pub(crate) fn part_count(&self) -> u64 {
        if self.is_inline() {
            return 0;
        }
        let parts = self.body.len().div_ceil(PART_LEN);
        parts.try_into().expect("a small number")
    }

    /// The bytes of a part.
    pub(crate) fn part(&self, index: u64) -> &[u8] {
        let index = usize::try_from(index).expect("a small number");
        self.body
            .chunks(PART_LEN)
            .nth(index)
            .expect("there is such a part")
    }

    pub(crate) fn peek(&self, with_access: bool) -> PeekRequest {
        PeekRequest {
            link_proof: self.link_proof.clone(),
            access_proof: with_access.then(|| self.access_proof.clone()),
        }
    }

    pub(crate) fn claim(&self) -> ClaimRequest {
        ClaimRequest {
            link_proof: self.link_proof.clone(),
            access_proof: self.access_proof.clone(),
        }
    }

    /// A claim with the right link and a wrong passphrase.
    pub(crate) fn wrong_claim(&self) -> ClaimRequest {
        ClaimRequest {
            access_proof: AccessProof::from_bytes([0; 32]),
            ..self.claim()
        }
    }

    /// Opens what a claimant was given, as a claimant does.
    pub(crate) fn open(&self, manifest: &[u8], body: &[u8]) -> Content {
        let opened = || {
            let body_len = body.len().try_into().ok()?;
            let manifest = Manifest::open(manifest, body_len, &self.keys, &str::to_owned).ok()?;
            let mut opener = BodyOpener::new(&self.keys, &manifest);
            let mut content = Vec::new();
            opener.push(body, &mut content).ok()?;
            opener.finish().ok()?;
            Some(sha256(&content))
        };
        if opened() == Some(self.content_digest) {
            Content::Same
        } else {
            Content::Wrong
        }
    }

    /// Slices of the ciphertext and of the sealed manifest: found nowhere once the transfer has ended.
    pub(crate) fn ciphertext(&self) -> Vec<Vec<u8>> {
        let sealed = [&self.body, &self.create.manifest];
        let slices = sealed
            .into_iter()
            .flat_map(|bytes| bytes.chunks_exact(32).step_by(16));
        slices.map(<[u8]>::to_vec).collect()
    }

    /// The proofs, and the tokens of the owner and of one claimant: found nowhere at any time.
    pub(crate) fn proofs(&self, claimant: &ClaimToken) -> Vec<Vec<u8>> {
        let proofs = [
            self.link_proof.as_bytes(),
            self.access_proof.as_bytes(),
            self.owner.as_bytes(),
            claimant.as_bytes(),
        ];
        proofs.map(|proof| proof.to_vec()).to_vec()
    }
}
