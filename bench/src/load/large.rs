//! A file of 1 MiB: sealed, sent as a part, claimed, fetched, opened, delivered. The same bytes are sealed and opened for
//! the plain stores too, so that only the service differs.

use anyhow::{Result, ensure};
use bytes::Bytes;
use hyper::Method;
use onetimeshare_crypto::base64url::content_digest;
use onetimeshare_protocol::route;
use onetimeshare_protocol::transfer::{ClaimAnswer, CreateAnswer};

use crate::client::{Call, Client};
use crate::target::Kind;
use crate::transfer::{Sealing, len_of, token};

/// Bytes of the file.
const CONTENT_LEN: usize = 1 << 20;

/// What every client sends.
pub(super) fn content() -> Vec<u8> {
    vec![7; CONTENT_LEN]
}

/// Seals, sends, fetches, opens and erases one.
pub(super) async fn transfer(client: &mut Client, kind: Kind, content: &[u8]) -> Result<()> {
    let mut sealing = Sealing::begin(len_of(content))?;
    if kind != Kind::Onetimeshare {
        return store(client, sealing, content).await;
    }
    send(client, &mut sealing, content).await?;
    let (id, token) = (sealing.id(), token()?);
    let claim = Bytes::from(serde_json::to_vec(&sealing.claim())?);
    let path = route::CLAIM.replace("{id}", &id);
    let claim = Call::new(Method::POST, &path, claim).by(&token);
    let answer: ClaimAnswer = serde_json::from_slice(&client.call(claim).await?)?;
    let path = route::BODY.replace("{id}", &id);
    let fetch = Call::new(Method::GET, &path, Bytes::new()).by(&token);
    let body = client.call(fetch).await?;
    sealing.open(&answer.manifest, &body, content)?;
    let path = route::DELIVERED.replace("{id}", &id);
    let delivered = Call::new(Method::POST, &path, Bytes::new()).by(&token);
    client.call(delivered).await?;
    Ok(())
}

/// Creates a transfer and sends its parts, one after the other, until it is ready.
pub(crate) async fn send(client: &mut Client, sealing: &mut Sealing, content: &[u8]) -> Result<()> {
    let (id, owner) = (sealing.id(), sealing.owner_token());
    let create = Bytes::from(serde_json::to_vec(&sealing.create())?);
    let create = Call::new(Method::POST, route::TRANSFERS, create);
    let created: CreateAnswer = serde_json::from_slice(&client.call(create).await?)?;
    for index in 0..sealing.part_count(created.part_len)? {
        let part = sealing.part(index, created.part_len, content)?;
        let digest = content_digest(&part);
        let path = route::PART
            .replace("{id}", &id)
            .replace("{index}", &index.to_string());
        let put = Call::new(Method::PUT, &path, part.into());
        client.call(put.by(&owner).with_digest(&digest)).await?;
    }
    let path = route::COMPLETE.replace("{id}", &id);
    let complete = Call::new(Method::POST, &path, Bytes::new()).by(&owner);
    client.call(complete).await?;
    Ok(())
}

/// The same bytes as a plain file.
async fn store(client: &mut Client, mut sealing: Sealing, content: &[u8]) -> Result<()> {
    let body = sealing.part(0, sealing.body_len(), content)?;
    let path = format!("/{}", sealing.id());
    let put = Call::new(Method::PUT, &path, body.into());
    client.call(put).await?;
    let get = Call::new(Method::GET, &path, Bytes::new());
    let body = client.call(get).await?;
    ensure!(len_of(&body) == sealing.body_len());
    sealing.open(sealing.manifest(), &body, content)?;
    let delete = Call::new(Method::DELETE, &path, Bytes::new());
    client.call(delete).await?;
    Ok(())
}
