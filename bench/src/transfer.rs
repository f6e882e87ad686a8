//! Transfers to measure with: the proofs and requests of many small ones made beforehand, and whole ones that are sealed
//! and opened as they go.

use anyhow::{Context, Result, anyhow};
use bytes::Bytes;
use onetimeshare_crypto::base64url::encode_base64url;
use onetimeshare_crypto::key::{derive_transfer_id, derive_verifier};
use onetimeshare_crypto::{
    BodyOpener, BodySealer, Entry, Kind, Link, LinkKey, LinkKeys, Manifest, RootKeys,
};
use onetimeshare_protocol::id::{
    AccessProof, AccessVerifier, LinkProof, LinkVerifier, OwnerVerifier, TransferId,
};
use onetimeshare_protocol::transfer::{ClaimRequest, CreateRequest};

/// How long a transfer waits that nobody opens.
pub(crate) const TTL_S: u64 = 86_400;

/// The proofs and tokens of one transfer, made from its number: whoever knows the number can open it.
pub(crate) struct Identity {
    link_proof: [u8; 32],
    access_proof: [u8; 32],
    owner_token: [u8; 32],
}

impl Identity {
    /// Of transfer `number`. A server cannot tell it from one that was drawn.
    pub(crate) fn of(number: u64) -> Self {
        let secret = |place: u8| {
            let mut seed = [place; 32];
            for (byte, of_number) in seed.iter_mut().zip(number.to_be_bytes()) {
                *byte = of_number;
            }
            derive_verifier(&seed)
        };
        Self {
            link_proof: secret(1),
            access_proof: secret(2),
            owner_token: secret(3),
        }
    }

    /// Its name.
    pub(crate) fn id(&self) -> TransferId {
        TransferId::from_bytes(derive_transfer_id(&derive_verifier(&self.link_proof)))
    }

    /// The request that creates it around sealed bytes that were made for another: the server cannot tell.
    pub(crate) fn create(&self, sealed: &Inline, claims_max: u32) -> CreateRequest {
        CreateRequest {
            id: self.id(),
            link_verifier: LinkVerifier::from_bytes(derive_verifier(&self.link_proof)),
            access_verifier: AccessVerifier::from_bytes(derive_verifier(&self.access_proof)),
            owner_verifier: OwnerVerifier::from_bytes(derive_verifier(&self.owner_token)),
            manifest: sealed.manifest.to_vec(),
            body_len: len_of(&sealed.body),
            ttl_s: TTL_S,
            claims_max,
            body: Some(sealed.body.to_vec()),
        }
    }

    /// The request that claims it, and looks at it whole.
    pub(crate) fn claim(&self) -> ClaimRequest {
        ClaimRequest {
            link_proof: LinkProof::from_bytes(self.link_proof),
            access_proof: AccessProof::from_bytes(self.access_proof),
        }
    }
}

/// A manifest and a body that are small enough to travel inside the requests.
pub(crate) struct Inline {
    /// Sealed.
    pub(crate) manifest: Bytes,
    /// Sealed.
    pub(crate) body: Bytes,
}

impl Inline {
    /// Seals `content_len` bytes.
    pub(crate) fn seal(content_len: usize) -> Result<Self> {
        let content = vec![7; content_len];
        let mut sealing = Sealing::begin(len_of(&content))?;
        Ok(Self {
            manifest: sealing.manifest.clone().into(),
            body: sealing.part(0, sealing.body_len(), &content)?.into(),
        })
    }

    /// All of it, as a plain file would hold it.
    pub(crate) fn joined(&self) -> Bytes {
        [self.manifest.as_ref(), self.body.as_ref()].concat().into()
    }
}

/// A transfer of one file that is being sent.
pub(crate) struct Sealing {
    keys: LinkKeys,
    root: RootKeys,
    owner_token: [u8; 32],
    manifest: Vec<u8>,
    entries: Manifest,
    body: BodySealer,
}

impl Sealing {
    /// Draws its keys and seals its manifest.
    pub(crate) fn begin(content_len: u64) -> Result<Self> {
        let link = Link::new(LinkKey::from_random(random()?), false);
        let keys = LinkKeys::derive(&link);
        let root = RootKeys::derive(&link, &keys, None)?;
        let entry = Entry {
            name: "file.bin".to_owned(),
            media_type: "application/octet-stream".to_owned(),
            size: content_len,
        };
        let entries = Manifest::new(Kind::Files, vec![entry], &str::to_owned)?;
        Ok(Self {
            manifest: entries.seal(&root)?,
            body: BodySealer::new(&root, random()?, entries.layout()),
            owner_token: random()?,
            keys,
            root,
            entries,
        })
    }

    /// Of the sealed body.
    pub(crate) const fn body_len(&self) -> u64 {
        self.body.layout().body_len()
    }

    /// Its name, as it stands in paths.
    pub(crate) fn id(&self) -> String {
        encode_base64url(self.keys.transfer_id())
    }

    /// The owner's token, as it stands in headers.
    pub(crate) fn owner_token(&self) -> String {
        encode_base64url(&self.owner_token)
    }

    /// The request that creates it, without a body.
    pub(crate) fn create(&self) -> CreateRequest {
        CreateRequest {
            id: TransferId::from_bytes(*self.keys.transfer_id()),
            link_verifier: LinkVerifier::from_bytes(*self.keys.link_verifier()),
            access_verifier: AccessVerifier::from_bytes(self.root.access_verifier()),
            owner_verifier: OwnerVerifier::from_bytes(derive_verifier(&self.owner_token)),
            manifest: self.manifest.clone(),
            body_len: self.body_len(),
            ttl_s: TTL_S,
            claims_max: 1,
            body: None,
        }
    }

    /// The request that claims it.
    pub(crate) fn claim(&self) -> ClaimRequest {
        ClaimRequest {
            link_proof: LinkProof::from_bytes(*self.keys.link_proof()),
            access_proof: AccessProof::from_bytes(*self.root.access_proof()),
        }
    }

    /// How many parts carry the body.
    pub(crate) fn part_count(&self, part_len: u64) -> Result<u64> {
        Ok(self.body.layout().part_count(part_len)?)
    }

    /// Seals one part. `content` begins with as many bytes as any part needs, and is the same wherever it is cut: all
    /// bytes are equal.
    pub(crate) fn part(&mut self, index: u64, part_len: u64, content: &[u8]) -> Result<Vec<u8>> {
        let source = self.body.layout().part_source(index, part_len)?;
        let len = usize::try_from(source.end - source.start)?;
        let content = content.get(..len).context("the content is too short")?;
        Ok(self.body.seal_part(index, part_len, content)?)
    }

    /// Opens the sealed manifest and body that came back, and compares the content.
    pub(crate) fn open(&self, manifest: &[u8], body: &[u8], content: &[u8]) -> Result<()> {
        let opened = Manifest::open(manifest, len_of(body), &self.root, &str::to_owned)?;
        let mut opener = BodyOpener::new(&self.root, &opened);
        let mut found = Vec::with_capacity(body.len());
        opener.push(body, &mut found)?;
        opener.finish()?;
        if opened == self.entries && found == content {
            Ok(())
        } else {
            Err(anyhow!("what was opened is not what was sealed"))
        }
    }

    /// The sealed manifest.
    pub(crate) fn manifest(&self) -> &[u8] {
        &self.manifest
    }
}

/// A length as the wire counts it.
pub(crate) fn len_of(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).expect("no memory holds 2^64 bytes")
}

/// 32 fresh random bytes as text: a claim token.
pub(crate) fn token() -> Result<String> {
    Ok(encode_base64url(&random::<32>()?))
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| anyhow!("no randomness: {error}"))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_in_parts_opens_and_only_as_it_was() {
        let content = vec![7; 200_000];
        let mut sealing = Sealing::begin(len_of(&content)).unwrap();
        let mut body = Vec::new();
        for index in 0..sealing.part_count(65_536).unwrap() {
            body.extend(sealing.part(index, 65_536, &content).unwrap());
        }
        let manifest = sealing.manifest().to_vec();
        assert_eq!(len_of(&body), sealing.body_len());
        assert!(sealing.open(&manifest, &body, &content).is_ok());
        assert!(sealing.open(&manifest, &body, b"other").is_err());
        body.reverse();
        assert!(sealing.open(&manifest, &body, &content).is_err());
    }

    #[test]
    fn identities_differ_by_their_number() {
        assert_eq!(Identity::of(1).id(), Identity::of(1).id());
        assert_ne!(Identity::of(1).id(), Identity::of(256).id());
    }
}
