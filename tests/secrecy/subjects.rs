//! Transfers that somebody sends, on a server over either store.

use onetimeshare_client::{Client, Content, LinkUrl, SendOptions, send};
use onetimeshare_crypto::{LinkKeys, RootKeys};
use onetimeshare_protocol::id::{AccessProof, LinkProof, OwnerToken, TransferId};
use onetimeshare_protocol::transfer::ClaimRequest;
use onetimeshare_tests::{Redis, Server};

/// What every run of the server has: lives from a second on, and leases that outlast the test.
const SETTINGS: &[&str] = &["--min-ttl", "1s", "--lease", "12h", "--log", "debug"];

/// Where a server keeps its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    Sqlite,
    Redis,
}

/// A server, and the Redis that it may need.
pub(crate) struct Place {
    pub(crate) server: Server,
    redis: Option<Redis>,
}

impl Place {
    /// One that begins with these flags besides.
    pub(crate) fn start(store: Store, settings: &[&str]) -> Self {
        let redis = (store == Store::Redis).then(|| Redis::start(&[]));
        let url = redis.as_ref().map(Redis::url);
        let server = Server::start(&flags(url.as_deref(), settings));
        Self { server, redis }
    }

    /// Starts the server again with these flags besides.
    pub(crate) fn restart_with(&mut self, settings: &[&str]) {
        let url = self.redis.as_ref().map(Redis::url);
        let flags = flags(url.as_deref(), settings);
        self.server.restart_with(&flags);
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(&self.server.base()).unwrap()
    }
}

fn flags<'a>(redis: Option<&'a str>, settings: &[&'a str]) -> Vec<&'a str> {
    let redis = redis.map_or_else(Vec::new, |url| vec!["--redis-url", url]);
    [SETTINGS, &redis, settings].concat()
}

/// What every one of them holds.
pub(crate) const TEXT: &str = "what nobody is to know";

pub(crate) fn random<const N: usize>(rng: &mut fastrand::Rng) -> [u8; N] {
    let mut bytes = [0; N];
    rng.fill(&mut bytes);
    bytes
}

/// A transfer, and everything that proves a right to it.
pub(crate) struct Subject {
    pub(crate) link: String,
    pub(crate) id: TransferId,
    pub(crate) owner: OwnerToken,
    pub(crate) proofs: ClaimRequest,
}

impl Subject {
    /// A ready one that lives for so many seconds.
    pub(crate) fn send(client: &Client, ttl_s: u64) -> Self {
        let options = SendOptions {
            ttl_s: Some(ttl_s),
            ..SendOptions::default()
        };
        let sent = send(client, &options, Content::Text(TEXT)).unwrap();
        let url = LinkUrl::parse(&sent.link).unwrap();
        let link_keys = LinkKeys::derive(url.link());
        let keys = RootKeys::derive(url.link(), &link_keys, None).unwrap();
        Self {
            link: sent.link.to_string(),
            id: sent.receipt.id,
            owner: sent.receipt.owner_token,
            proofs: ClaimRequest {
                link_proof: LinkProof::from_bytes(*link_keys.link_proof()),
                access_proof: AccessProof::from_bytes(*keys.access_proof()),
            },
        }
    }
}
