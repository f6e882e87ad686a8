//! A text of 1 KiB: create, claim, delivered. Everything that a client computes is made before the clock runs.

use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Result, ensure};
use bytes::Bytes;
use hyper::Method;
use onetimeshare_protocol::route;
use onetimeshare_protocol::transfer::ClaimAnswer;

use crate::client::{Call, Client};
use crate::target::Kind;
use crate::transfer::{Identity, Inline, token};

/// Bytes of the text.
const CONTENT_LEN: usize = 1024;

/// More than any target was seen to do in a second.
const RATE_MAX: usize = 12_000;

/// One transfer, ready to be sent.
struct Prepared {
    file: String,
    create: Bytes,
    claim: Bytes,
    claim_path: String,
    delivered_path: String,
    claim_token: String,
}

impl Prepared {
    fn new(number: usize, sealed: &Inline) -> Result<Self> {
        let identity = Identity::of(u64::try_from(number)?);
        let id = identity.id().to_text();
        Ok(Self {
            create: serde_json::to_vec(&identity.create(sealed, 1))?.into(),
            claim: serde_json::to_vec(&identity.claim())?.into(),
            claim_path: route::CLAIM.replace("{id}", &id),
            delivered_path: route::DELIVERED.replace("{id}", &id),
            claim_token: token()?,
            file: format!("/{id}"),
        })
    }
}

/// Transfers for one pass; each is sent once.
pub(super) struct Pool {
    prepared: Vec<Prepared>,
    next: AtomicUsize,
    sealed: Inline,
    file: Bytes,
}

impl Pool {
    /// Enough for `clients` that send for `pass_s` seconds.
    pub(super) fn new(pass_s: u64, clients: usize) -> Result<Self> {
        let sealed = Inline::seal(CONTENT_LEN)?;
        let count = RATE_MAX * usize::try_from(pass_s)? + clients;
        let prepared = (0..count).map(|number| Prepared::new(number, &sealed));
        Ok(Self {
            prepared: prepared.collect::<Result<_>>()?,
            next: AtomicUsize::new(0),
            file: sealed.joined(),
            sealed,
        })
    }

    /// Sends, opens and erases the next one; false when all are sent.
    pub(super) async fn transfer(&self, client: &mut Client, kind: Kind) -> Result<bool> {
        let index = self.next.fetch_add(1, Ordering::Relaxed);
        let Some(one) = self.prepared.get(index) else {
            return Ok(false);
        };
        if kind == Kind::Onetimeshare {
            self.share(client, one).await?;
        } else {
            self.store(client, one).await?;
        }
        Ok(true)
    }

    async fn share(&self, client: &mut Client, one: &Prepared) -> Result<()> {
        let create = Call::new(Method::POST, route::TRANSFERS, one.create.clone());
        client.call(create).await?;
        let claim = Call::new(Method::POST, &one.claim_path, one.claim.clone());
        let answer = client.call(claim.by(&one.claim_token)).await?;
        let answer: ClaimAnswer = serde_json::from_slice(&answer)?;
        ensure!(answer.body.as_deref() == Some(self.sealed.body.as_ref()));
        let delivered = Call::new(Method::POST, &one.delivered_path, Bytes::new());
        client.call(delivered.by(&one.claim_token)).await?;
        Ok(())
    }

    /// The same bytes as a plain file.
    async fn store(&self, client: &mut Client, one: &Prepared) -> Result<()> {
        let put = Call::new(Method::PUT, &one.file, self.file.clone());
        client.call(put).await?;
        let get = Call::new(Method::GET, &one.file, Bytes::new());
        ensure!(client.call(get).await? == self.file);
        let delete = Call::new(Method::DELETE, &one.file, Bytes::new());
        client.call(delete).await?;
        Ok(())
    }
}
