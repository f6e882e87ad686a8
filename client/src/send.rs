//! Sending a transfer: sealed, created, cut into parts, completed. Never sends a chunk that does not have the tag it had
//! before; a transfer whose source changed is burnt.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use onetimeshare_crypto::key::derive_verifier;
use onetimeshare_crypto::{BodySealer, Link, LinkKey, LinkKeys, Passphrase, RootKeys};
use onetimeshare_protocol::error::ErrorCode;
use onetimeshare_protocol::id::{
    AccessVerifier, CreateToken, LinkVerifier, OwnerToken, OwnerVerifier, TransferId,
};
use onetimeshare_protocol::limits::PART_COUNT_MAX;
use onetimeshare_protocol::transfer::{
    CompleteAnswer, ConfigAnswer, CreateAnswer, CreateRequest, State,
};
use zeroize::Zeroizing;

use crate::address::{Receipt, link_text, parse_base};
use crate::api::Client;
use crate::error::{Error, Result};
use crate::nfc;
use source::{Content, Contents};

pub(crate) mod source;

/// The longest part that any server takes, in bytes. A server that names a longer one wants this machine's memory.
const PART_LEN_MAX: u64 = 1 << 26;
/// How often the upload begins again when the server says at its end that parts are missing.
const ROUNDS_MAX: u32 = 3;
/// Parts on their way at once: hides the latency of each without holding much in memory.
const IN_FLIGHT: u32 = 3;

/// What the sender chooses.
#[derive(Clone, Copy, Default)]
pub struct SendOptions<'a> {
    /// How long it can be opened, in seconds; the server's own default when none.
    pub ttl_s: Option<u64>,
    /// How many may open it; one when none.
    pub claims_max: Option<u32>,
    /// What the link needs besides. An empty one is a passphrase too.
    pub passphrase: Option<&'a str>,
    /// What lets the sender create transfers, where the server asks for it (401 without).
    pub create_token: Option<&'a CreateToken>,
}

/// A transfer that is ready to be opened. Does not print its link.
pub struct Sent {
    /// `https://HOST/open#FRAGMENT`. **It is the secret.**
    pub link: Zeroizing<String>,
    /// The sender's authority over it.
    pub receipt: Receipt,
    /// When it expires, in Unix seconds.
    pub expires_at: u64,
}

impl fmt::Debug for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            receipt,
            expires_at,
            link: _,
        } = self;
        write!(f, "Sent({receipt:?}, until {expires_at})")
    }
}

/// Sends `content`, patiently. A transfer that could not be completed is burnt, as far as the server can be reached.
///
/// Fails with [`onetimeshare_crypto::Error::BodyChanged`] when the content changed meanwhile: send it again, which makes a
/// new link.
pub fn send(client: &Client, options: &SendOptions<'_>, content: Content<'_>) -> Result<Sent> {
    let config = client.retry(|_| match options.create_token {
        Some(token) => client.config_as(token),
        None => client.config(),
    })?;
    let mut sending = Sending::prepare(client, &config, options, content)?;
    sending.run().inspect_err(|_| {
        // What could not be burnt is abandoned, and the server removes it by itself.
        let _ = sending.burn();
    })
}

/// One transfer on its way, step by step.
pub struct Sending<'a> {
    client: Client,
    create_token: Option<CreateToken>,
    link: Link,
    /// Where it leads: `https://HOST`.
    link_base: String,
    receipt: Receipt,
    request: CreateRequest,
    is_inline: bool,
    body: BodySealer,
    contents: Contents<'a>,
    part_len: Option<u64>,
}

impl<'a> Sending<'a> {
    /// Draws link key, owner token and nonce, derives the keys (with a passphrase, Argon2id: a good part of a second) and
    /// seals the manifest. Sends nothing.
    pub fn prepare(
        client: &Client,
        config: &ConfigAnswer,
        options: &SendOptions<'_>,
        content: Content<'a>,
    ) -> Result<Self> {
        let (manifest, contents) = content.split()?;
        let link_base = match &config.open_url {
            None => client.base().to_owned(),
            Some(url) => parse_base(url).map_err(|_| {
                unexpected("the server names an address for its links that is none")
            })?,
        };
        let passphrase = options.passphrase.map(|text| Passphrase::new(text, &nfc));
        let passphrase = passphrase.transpose()?;
        let key = LinkKey::from_random(client.generate_bytes()?);
        let link = Link::new(key, passphrase.is_some());
        let link_keys = LinkKeys::derive(&link);
        let keys = RootKeys::derive(&link, &link_keys, passphrase.as_ref())?;
        let owner_token = client.generate_bytes()?;
        let id = TransferId::from_bytes(*link_keys.transfer_id());
        let body_len = manifest.layout().body_len();
        Ok(Self {
            client: client.clone(),
            create_token: options.create_token.cloned(),
            link_base,
            request: CreateRequest {
                id: id.clone(),
                link_verifier: LinkVerifier::from_bytes(*link_keys.link_verifier()),
                access_verifier: AccessVerifier::from_bytes(keys.access_verifier()),
                owner_verifier: OwnerVerifier::from_bytes(derive_verifier(&owner_token)),
                manifest: manifest.seal(&keys)?,
                body_len,
                ttl_s: options.ttl_s.unwrap_or(config.ttl_s_default),
                claims_max: options.claims_max.unwrap_or(1),
                body: None,
            },
            link,
            receipt: Receipt {
                id,
                owner_token: OwnerToken::from_bytes(owner_token),
            },
            is_inline: body_len <= config.inline_max,
            body: BodySealer::new(&keys, client.generate_bytes()?, manifest.layout()),
            contents,
            part_len: None,
        })
    }

    /// The link: `https://HOST/open#FRAGMENT`. Opens nothing before the upload is complete.
    pub fn link(&self) -> Zeroizing<String> {
        link_text(&self.link_base, &self.link)
    }

    /// The authority over it.
    pub const fn receipt(&self) -> &Receipt {
        &self.receipt
    }

    /// Bytes of the sealed body.
    pub const fn body_len(&self) -> u64 {
        self.request.body_len
    }

    /// How many parts carry the body; none before [`Self::create`] has succeeded, or when the body went with it.
    pub fn part_count(&self) -> u64 {
        self.part_len
            .map_or(0, |part_len| self.request.body_len.div_ceil(part_len))
    }

    /// Creates it, in one attempt; a small body goes with the request. Said again it changes nothing.
    pub fn create(&mut self) -> Result<CreateAnswer> {
        if self.is_inline && self.request.body.is_none() {
            self.request.body = Some(self.seal_part(0, self.request.body_len)?);
        }
        let answer = match &self.create_token {
            Some(token) => self.client.create_as(token, &self.request)?,
            None => self.client.create(&self.request)?,
        };
        let is_part_len = (1..=PART_LEN_MAX).contains(&answer.part_len)
            && self.request.body_len.div_ceil(answer.part_len) <= PART_COUNT_MAX;
        if !is_part_len {
            return Err(unexpected(
                "the server names a length of parts that is none",
            ));
        }
        self.part_len = (!self.is_inline).then_some(answer.part_len);
        Ok(answer)
    }

    /// Seals and sends part `index`, in one attempt. Said again it sends the same bytes, or fails with
    /// [`onetimeshare_crypto::Error::BodyChanged`].
    pub fn put_part(&mut self, index: u64) -> Result<()> {
        let part = self.seal_part(index, self.part_len.unwrap_or_default())?;
        let Receipt { id, owner_token } = &self.receipt;
        self.client.put_part(id, owner_token, index, &part)
    }

    /// Ends the upload, in one attempt.
    pub fn complete(&self) -> Result<CompleteAnswer> {
        let Receipt { id, owner_token } = &self.receipt;
        self.client.complete(id, owner_token)
    }

    /// Burns it, in one attempt, also when it was never created.
    pub fn burn(&self) -> Result<()> {
        let Receipt { id, owner_token } = &self.receipt;
        match self.client.burn(id, owner_token) {
            Err(error) if error.code() == Some(ErrorCode::TransferUnknown) => Ok(()),
            outcome => outcome,
        }
    }

    /// All steps, patiently. After a failure it can be run again and goes on where it was.
    pub fn run(&mut self) -> Result<Sent> {
        let client = self.client.clone();
        let created = client.retry(|_| self.create())?;
        let expires_at = match created.state {
            State::Uploading => Some(self.run_parts(&client)?),
            _ => created.expires_at,
        };
        Ok(Sent {
            link: self.link(),
            receipt: self.receipt.clone(),
            expires_at: expires_at
                .ok_or_else(|| unexpected("the server does not say when it expires"))?,
        })
    }

    /// Sends the parts that the server does not have, then completes. -> when it expires
    fn run_parts(&mut self, client: &Client) -> Result<u64> {
        let Receipt { id, owner_token } = self.receipt.clone();
        for _ in 0..ROUNDS_MAX {
            let accepted = client.retry(|_| client.parts(&id, &owner_token))?.accepted;
            let is_missing = |index: &u64| accepted.binary_search(index).is_err();
            self.put_parts((0..self.part_count()).filter(is_missing).collect())?;
            match client.retry(|_| self.complete()) {
                // The server may have lost a part that it had accepted.
                Err(error) if error.code() == Some(ErrorCode::PartMissing) => {}
                outcome => return outcome.map(|completed| completed.expires_at),
            }
        }
        Err(unexpected("the server keeps losing parts"))
    }

    /// Seals and sends these parts, several on their way at once, each patiently. The first that fails for good ends all.
    fn put_parts(&mut self, mut missing: VecDeque<u64>) -> Result<()> {
        let (client, receipt) = (self.client.clone(), self.receipt.clone());
        let queue = Mutex::new((&mut missing, self));
        let lane = || -> Result<()> {
            while let Some((index, part)) = next_part(&queue)? {
                let put = client
                    .retry(|_| client.put_part(&receipt.id, &receipt.owner_token, index, &part));
                put.inspect_err(|_| lock(&queue).0.clear())?;
            }
            Ok(())
        };
        thread::scope(|scope| {
            let lanes: Vec<_> = (0..IN_FLIGHT).map(|_| scope.spawn(lane)).collect();
            lanes
                .into_iter()
                .try_for_each(|lane| lane.join().expect("a lane returns its errors"))
        })
    }

    fn seal_part(&mut self, index: u64, part_len: u64) -> Result<Vec<u8>> {
        let source = self.body.layout().part_source(index, part_len)?;
        let content = self.contents.read(source)?;
        Ok(self.body.seal_part(index, part_len, &content)?)
    }
}

/// Takes the next part of the queue and seals it; one at a time does.
fn next_part(
    queue: &Mutex<(&mut VecDeque<u64>, &mut Sending<'_>)>,
) -> Result<Option<(u64, Vec<u8>)>> {
    let (missing, sending) = &mut *lock(queue);
    let Some(index) = missing.pop_front() else {
        return Ok(None);
    };
    let part = sending.seal_part(index, sending.part_len.unwrap_or_default());
    let part = part.inspect_err(|_| missing.clear())?;
    Ok(Some((index, part)))
}

fn lock<T>(queue: &Mutex<T>) -> MutexGuard<'_, T> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An answer of the right form that makes no sense.
fn unexpected(reason: &'static str) -> Error {
    Error::Protocol {
        status: 200,
        reason,
        retry_after_s: None,
    }
}
