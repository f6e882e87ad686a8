//! Opening a transfer: look, claim, receive, say so. Takes nothing before the claim, and claims with one token only.

use onetimeshare_crypto::{BodyOpener, Link, LinkKeys, Manifest, Passphrase, RootKeys};
use onetimeshare_protocol::id::{AccessProof, ClaimToken, LinkProof, TransferId};
use onetimeshare_protocol::transfer::{ClaimRequest, PeekAnswer, PeekRequest};

use crate::api::Client;
use crate::error::{Error, Result};
use crate::nfc;

pub use receive::{Claimed, Received};

mod receive;
mod renewal;
pub(crate) mod sink;

/// What the link alone tells, before anybody is asked for a passphrase. Takes nothing, and costs no attempt.
pub fn look_without_passphrase(client: &Client, link: &Link) -> Result<PeekAnswer> {
    let keys = LinkKeys::derive(link);
    let request = PeekRequest {
        link_proof: LinkProof::from_bytes(*keys.link_proof()),
        access_proof: None,
    };
    let id = TransferId::from_bytes(*keys.transfer_id());
    client.retry(|_| client.peek(&id, &request))
}

/// What a look brings.
#[derive(Debug)]
pub struct Look {
    /// What the server says of it.
    pub facts: PeekAnswer,
    /// What it holds; none when it cannot be claimed any more.
    pub manifest: Option<Manifest>,
}

/// A link and its passphrase, with every key derived from them.
pub struct Opening {
    client: Client,
    id: TransferId,
    request: ClaimRequest,
    keys: RootKeys,
    /// Whether the access proof is known to be right, so that a repeat cannot cost an attempt.
    is_proven: bool,
}

impl Opening {
    /// Derives the keys; with a passphrase, Argon2id runs: a good part of a second. Asks the server nothing.
    ///
    /// Fails when link and passphrase do not go together. A wrong passphrase shows only in [`Self::look`] or
    /// [`Self::claim`].
    pub fn new(client: &Client, link: &Link, passphrase: Option<&str>) -> Result<Self> {
        let passphrase = passphrase.map(|text| Passphrase::new(text, &nfc));
        let passphrase = passphrase.transpose()?;
        let link_keys = LinkKeys::derive(link);
        let keys = RootKeys::derive(link, &link_keys, passphrase.as_ref())?;
        Ok(Self {
            client: client.clone(),
            id: TransferId::from_bytes(*link_keys.transfer_id()),
            request: ClaimRequest {
                link_proof: LinkProof::from_bytes(*link_keys.link_proof()),
                access_proof: AccessProof::from_bytes(*keys.access_proof()),
            },
            keys,
            is_proven: passphrase.is_none(),
        })
    }

    /// Names the transfer.
    pub const fn id(&self) -> &TransferId {
        &self.id
    }

    /// Looks, patiently, and takes nothing; a wrong passphrase costs an attempt.
    pub fn look(&mut self) -> Result<Look> {
        let ClaimRequest {
            link_proof,
            access_proof,
        } = self.request.clone();
        let request = PeekRequest {
            link_proof,
            access_proof: Some(access_proof),
        };
        let facts = self.retry(|client| client.peek(&self.id, &request))?;
        self.is_proven = true;
        let manifest = facts.manifest.as_deref();
        let manifest = manifest.map(|sealed| self.open_manifest(sealed, facts.body_len));
        Ok(Look {
            manifest: manifest.transpose()?,
            facts,
        })
    }

    /// Claims, patiently. **From here on an open is used up**, named by `claim_token`: keep the token until
    /// [`Claimed::delivered`]. Said again with the same token it gives the same claim, also after a crash.
    pub fn claim(&self, claim_token: &ClaimToken) -> Result<Claimed> {
        let answer = self.retry(|client| client.claim(&self.id, claim_token, &self.request))?;
        let manifest = self.open_manifest(&answer.manifest, answer.body_len)?;
        let opener = BodyOpener::new(&self.keys, &manifest);
        let (client, id) = (self.client.clone(), self.id.clone());
        Ok(Claimed::new(
            client,
            id,
            claim_token.clone(),
            answer,
            manifest,
            opener,
        ))
    }

    fn open_manifest(&self, sealed: &[u8], body_len: u64) -> Result<Manifest> {
        Ok(Manifest::open(sealed, body_len, &self.keys, &nfc)?)
    }

    /// Tries again what passes; but while the passphrase may be wrong, nothing that may have cost an attempt.
    fn retry<T>(&self, attempt: impl Fn(&Client) -> Result<T>) -> Result<T> {
        let passes = |error: &Error| {
            error.is_transient() && (self.is_proven || !error.may_have_been_carried_out())
        };
        self.client.retry_if(passes, |_| attempt(&self.client))
    }
}
