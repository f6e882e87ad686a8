//! What others do meanwhile: texts that are created, claimed and delivered, at a steady pace by a few clients.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Result, anyhow};
use bytes::Bytes;
use hyper::Method;
use onetimeshare_protocol::route;
use tokio::task::JoinSet;

use crate::client::{Call, Client};
use crate::percentile::Sorted;
use crate::stopwatch::Stopwatch;
use crate::transfer::{Identity, Inline, token};

/// Bytes of each text.
const CONTENT_LEN: usize = 1024;

/// Clients at once.
const CLIENTS: usize = 4;

/// What each of them rests between two transfers.
const REST: Duration = Duration::from_millis(10);

/// Those who mean no harm.
pub(super) struct Normal {
    address: SocketAddr,
    sealed: Arc<Inline>,
    next: Arc<AtomicU64>,
}

impl Normal {
    /// At `address`.
    pub(super) fn new(address: SocketAddr) -> Result<Self> {
        Ok(Self {
            address,
            sealed: Arc::new(Inline::seal(CONTENT_LEN)?),
            next: Arc::default(),
        })
    }

    /// How long each of their transfers takes, for so long.
    pub(super) async fn measure(&self, length: Duration) -> Result<Sorted> {
        let mut tasks = JoinSet::new();
        for _ in 0..CLIENTS {
            let (sealed, next) = (Arc::clone(&self.sealed), Arc::clone(&self.next));
            let address = self.address;
            tasks.spawn(async move {
                let mut client = Client::connect(address).await?;
                let mut durations = Vec::new();
                let begun = Stopwatch::start();
                while begun.elapsed() < length {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    durations.push(transfer(&mut client, &sealed, number).await?);
                    tokio::time::sleep(REST).await;
                }
                anyhow::Ok(durations)
            });
        }
        let mut durations = Vec::new();
        while let Some(ended) = tasks.join_next().await {
            durations.extend(ended.map_err(|error| anyhow!("a client ended: {error}"))??);
        }
        Ok(Sorted::new(durations))
    }
}

/// One transfer; what is computed for it comes before the clock runs.
async fn transfer(client: &mut Client, sealed: &Inline, number: u64) -> Result<Duration> {
    let identity = Identity::of(number);
    let id = identity.id().to_text();
    let create: Bytes = serde_json::to_vec(&identity.create(sealed, 1))?.into();
    let claim: Bytes = serde_json::to_vec(&identity.claim())?.into();
    let (claim_path, delivered_path) = (
        route::CLAIM.replace("{id}", &id),
        route::DELIVERED.replace("{id}", &id),
    );
    let token = token()?;
    let begun = Stopwatch::start();
    client
        .call(Call::new(Method::POST, route::TRANSFERS, create))
        .await?;
    client
        .call(Call::new(Method::POST, &claim_path, claim).by(&token))
        .await?;
    client
        .call(Call::new(Method::POST, &delivered_path, Bytes::new()).by(&token))
        .await?;
    Ok(begun.elapsed())
}
