//! Transfers whose every secret is known, in every state, and then a search for these secrets in all that an operator can get hold
//! of: files, stores, log, metrics, the memory of the server. Nothing of them may be anywhere; what does belong there is found,
//! so that the search is known to see.

use std::collections::BTreeSet;
use std::io::Cursor;
use std::time::Duration;

use onetimeshare_client::{
    Client, Collected, Content, Error, FileSource, LinkUrl, Opening, SendOptions, Sending,
};
use onetimeshare_crypto::{LinkKeys, Passphrase, RootKeys, base64url::decode_base64url};
use onetimeshare_protocol::id::{AccessProof, ClaimToken, LinkProof};
use onetimeshare_protocol::transfer::{ClaimRequest, ConfigAnswer};

use crate::memory;
use crate::scale::{row, seeded, short_or_long, until};
use crate::search::{Needle, Search};
use crate::site::{Kept, Site};
use crate::subjects::{Store, random};
use crate::wire::{Wire, request};

/// One in so many has a passphrase, which takes its time.
const PASSPHRASE_EACH: usize = 15;

/// What is logged unless an operator says otherwise, and everything that can be.
const DEFAULT: &str = "info";
const EVERYTHING: &str = "trace,object_store=trace";

/// An address that a proxy might tell; nobody's (RFC 5737).
const ADDRESS: &str = "203.0.113.207";

/// What becomes of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Unopened,
    Leased,
    Opened,
    HalfUploaded,
    Burnt,
}

const FATES: [Fate; 5] = [
    Fate::Unopened,
    Fate::Leased,
    Fate::Opened,
    Fate::HalfUploaded,
    Fate::Burnt,
];

/// What is known of the transfers.
#[derive(Default)]
struct Known {
    /// What no server is ever told.
    secrets: Vec<Needle>,
    /// What it is told and keeps nowhere.
    proofs: Vec<Needle>,
    /// What it keeps and does not speak of.
    ids: Vec<Needle>,
    /// What it keeps of those that nobody has opened: manifests, and bodies.
    manifests: Vec<Needle>,
    bodies: Vec<Needle>,
}

/// Calls until it is answered: on a busy machine a store may be late once.
fn patiently<T>(mut call: impl FnMut() -> Result<T, Error>) -> T {
    let mut answer = None;
    until("an answer of the store", Duration::from_mins(1), || {
        answer = Some(call());
        !matches!(&answer, Some(Err(error)) if error.is_transient())
    });
    answer.unwrap().unwrap()
}

/// So many letters and digits.
fn word(len: usize, rng: &mut fastrand::Rng) -> String {
    (0..len).map(|_| rng.alphanumeric()).collect()
}

/// Sends transfers to one site, and knows them.
struct Sender<'a> {
    client: Client,
    config: ConfigAnswer,
    rng: &'a mut fastrand::Rng,
    known: Known,
}

impl Sender<'_> {
    /// One word over and over, so that any 63 bytes of it hold the word: a text, or two files in one part or in several.
    fn content(&mut self, at: usize) -> (Vec<(String, String)>, usize) {
        let len = [500, 3000, 200_000][at % 3];
        let (first, second) = (word(32, self.rng), word(32, self.rng));
        let repeated = |word: &str| word.repeat(len / word.len() + 1);
        let named = |name: String| format!("{name}.pdf");
        self.known
            .secrets
            .extend([&first, &second].map(|word| Needle::new("content", word.as_str())));
        if len == 500 {
            return (vec![(String::new(), repeated(&first))], len);
        }
        let names = [word(24, self.rng), word(24, self.rng)];
        self.known
            .secrets
            .extend(names.iter().map(|name| Needle::new("name", name.as_str())));
        let [one, two] = names;
        let entries = vec![
            (named(one), repeated(&first)),
            (named(two), repeated(&second)),
        ];
        (entries, len)
    }

    /// Makes the transfer number `at`, and lives it up to its fate.
    fn send(&mut self, at: usize) {
        let fate = FATES[at % FATES.len()];
        let passphrase = (at % PASSPHRASE_EACH == 1).then(|| word(24, self.rng));
        let (entries, _) = self.content(at);
        let options = SendOptions {
            ttl_s: Some(3600),
            claims_max: Some(1),
            passphrase: passphrase.as_deref(),
            create_token: None,
        };
        let content = match entries.as_slice() {
            [(name, text)] if name.is_empty() => Content::Text(text),
            _ => Content::Files(entries.iter().map(file).collect()),
        };
        let client = self.client.clone();
        let mut sending = Sending::prepare(&client, &self.config, &options, content).unwrap();
        let claimant = ClaimToken::from_bytes(random(self.rng));
        let proofs = self.learn(&sending, passphrase.as_deref(), &claimant);
        if fate == Fate::HalfUploaded {
            patiently(|| sending.create());
            if sending.part_count() > 0 {
                patiently(|| sending.put_part(0));
            }
            return;
        }
        let link = sending.run().unwrap().link;
        match fate {
            Fate::HalfUploaded | Fate::Unopened => {}
            Fate::Burnt => patiently(|| sending.burn()),
            Fate::Leased => self.lease(&sending, &claimant, &proofs),
            Fate::Opened => {
                let url = LinkUrl::parse(&link).unwrap();
                let mut opening = Opening::new(&client, url.link(), passphrase.as_deref()).unwrap();
                opening.look().unwrap();
                let mut claimed = opening.claim(&claimant).unwrap();
                assert!(
                    claimed
                        .receive(&mut Collected::default())
                        .unwrap()
                        .untold
                        .is_none()
                );
            }
        }
    }

    /// Claims it, and keeps what that brings: the ciphertext that the server holds.
    fn lease(&mut self, sending: &Sending<'_>, claimant: &ClaimToken, proofs: &ClaimRequest) {
        let id = &sending.receipt().id;
        let claimed = patiently(|| self.client.claim(id, claimant, proofs));
        let mut body = claimed.body.unwrap_or_default();
        if body.is_empty() {
            let mut reader = patiently(|| self.client.body(id, claimant, None));
            std::io::Read::read_to_end(&mut reader, &mut body).unwrap();
        }
        let middle = &body[body.len() / 2..];
        self.known
            .manifests
            .push(Needle::new("manifest", &claimed.manifest[..32]));
        self.known.bodies.push(Needle::new("body", &middle[..32]));
    }

    /// Takes note of everything that follows from the link.
    fn learn(
        &mut self,
        sending: &Sending<'_>,
        passphrase: Option<&str>,
        claimant: &ClaimToken,
    ) -> ClaimRequest {
        let text = sending.link();
        let url = LinkUrl::parse(&text).unwrap();
        let (_, fragment) = text.split_once('#').unwrap();
        let bytes = decode_base64url(fragment).unwrap();
        let link_keys = LinkKeys::derive(url.link());
        let stretched = passphrase.map(|text| Passphrase::new(text, &str::to_owned).unwrap());
        let keys = RootKeys::derive(url.link(), &link_keys, stretched.as_ref()).unwrap();
        let receipt = sending.receipt();
        let known = &mut self.known;
        known.secrets.extend([
            // The version stands before it, and a check behind it.
            Needle::new("link key", &bytes[1..33]),
            Needle::new("manifest key", *keys.manifest_key()),
            Needle::new("file key", *keys.file_key().as_bytes()),
        ]);
        known
            .secrets
            .extend(passphrase.map(|text| Needle::new("passphrase", text)));
        known.proofs.extend([
            Needle::new("link proof", *link_keys.link_proof()),
            Needle::new("access proof", *keys.access_proof()),
            Needle::new("owner token", *receipt.owner_token.as_bytes()),
            Needle::new("claim token", *claimant.as_bytes()),
        ]);
        known.ids.push(Needle::new("id", *receipt.id.as_bytes()));
        ClaimRequest {
            link_proof: LinkProof::from_bytes(*link_keys.link_proof()),
            access_proof: AccessProof::from_bytes(*keys.access_proof()),
        }
    }
}

fn file((name, content): &(String, String)) -> FileSource<'_> {
    FileSource {
        name: name.clone(),
        media_type: "application/pdf".to_owned(),
        size: u64::try_from(content.len()).unwrap(),
        source: Box::new(Cursor::new(content.as_bytes())),
    }
}

/// What of the needles is found where.
fn places(search: &Search, kept: &[Kept]) -> BTreeSet<String> {
    let found = kept.iter().flat_map(|kept| {
        let names = search.found_in(&kept.bytes).into_iter();
        names.map(|name| format!("{name} in {}", kept.place))
    });
    found.collect()
}

/// What of the needles, and of `planted`, is in the memory of the server, which stands still for it. How much that is, in bytes.
fn search_memory(site: &Site, search: &Search) -> (BTreeSet<&'static str>, usize) {
    let mut found = BTreeSet::new();
    site.server.freeze();
    until("the server to stand still", Duration::from_mins(1), || {
        memory::stands_still(site.pid())
    });
    let len = memory::visit(site.pid(), |bytes| found.extend(search.found_in(bytes)));
    site.server.thaw();
    (found, len)
}

/// A request that is not whole, which the server therefore has to hold, with a word that it holds in it.
fn hold(site: &Site, rng: &mut fastrand::Rng) -> (Wire, Needle) {
    let word = word(32, rng);
    let mut wire = Wire::connect(&site.server.base());
    // Behind one that is answered, so that it is known to have arrived.
    let whole = "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    let begun = format!("GET /healthz HTTP/1.1\r\nX-Planted: {word}\r\n");
    wire.ask([whole, &begun].concat().as_bytes());
    (wire, Needle::new("planted", word))
}

/// Calls that name where they come from. How that may not be written anywhere.
fn call_from_known_addresses(site: &Site, rng: &mut fastrand::Rng) -> Vec<Needle> {
    let mut wire = Wire::connect(&site.server.base());
    let id = onetimeshare_protocol::id::TransferId::from_bytes(random(rng));
    let mut call = request(("GET", &id, ""), Some("nothing"), None);
    call.truncate(call.len() - 2);
    call.extend_from_slice(format!("X-Forwarded-For: {ADDRESS}\r\n\r\n").as_bytes());
    wire.ask(&call);
    vec![
        Needle::new("address", wire.address().to_string()),
        Needle::new("forwarded address", ADDRESS),
    ]
}

/// Transfers of every kind and fate, and after each third of them the memory of the server searched. What is known of them, what of
/// proofs and tokens is in the memory, and how much that is, in bytes.
fn live(
    site: &Site,
    count: usize,
    rng: &mut fastrand::Rng,
) -> (Known, BTreeSet<&'static str>, usize) {
    let client = site.client();
    let config = client.config().unwrap();
    let mut sender = Sender {
        client,
        config,
        rng,
        known: Known::default(),
    };
    let (mut told, mut memory_len) = (BTreeSet::new(), 0);
    for third in 0..3 {
        for at in (0..count).filter(|at| at * 3 / count == third) {
            sender.send(at);
        }
        let (held, planted) = hold(site, sender.rng);
        let search = Search::new(sender.known.secrets.iter().chain([&planted]));
        let (found, len) = search_memory(site, &search);
        assert_eq!(found, BTreeSet::from(["planted"]), "in the memory");
        told.extend(search_memory(site, &Search::new(&sender.known.proofs)).0);
        memory_len = len;
        drop(held);
    }
    (sender.known, told, memory_len)
}

/// What has to be there is found: the search sees.
fn assert_sealed(store: Store, known: &Known, kept: &[Kept]) {
    for (needles, at_sqlite, at_redis) in [
        (
            &known.manifests,
            "manifest in data folder, records.sqlite",
            "manifest in Redis",
        ),
        (&known.bodies, "body in data folder, ", "body in bucket"),
        (&known.ids, "id in data folder, ", "id in Redis"),
    ] {
        let place = if store == Store::Sqlite {
            at_sqlite
        } else {
            at_redis
        };
        let found = places(&Search::new(needles), kept);
        assert!(
            found.iter().any(|found| found.starts_with(place)),
            "{place}: {found:?}"
        );
    }
}

fn search_everything(store: Store, level: &str) {
    let count = short_or_long(30, 500);
    let mut rng = seeded(&format!("canary, {store:?}, {level}"));
    let site = Site::start(store, level);
    let addresses = call_from_known_addresses(&site, &mut rng);
    let (known, told, memory_len) = live(&site, count, &mut rng);

    let kept = site.kept();
    let unkept = known.secrets.iter().chain(&known.proofs).chain(&addresses);
    let search = Search::new(unkept.clone());
    assert_eq!(places(&search, &kept), BTreeSet::new(), "at rest");
    let unspoken = Search::new(unkept.chain(&known.ids));
    let (log, metrics) = (site.server.log(), site.server.metrics());
    for (text, name) in [(&log, "log"), (&metrics, "metrics")] {
        let found = unspoken.found_in(text.as_bytes());
        assert_eq!(found, BTreeSet::new(), "in the {name}");
    }
    assert_sealed(store, &known, &kept);
    let mark = if level == DEFAULT { " INFO " } else { "DEBUG " };
    assert!(log.contains("/claim") && log.contains(mark), "{log}");
    assert!(metrics.contains("onetimeshare_"), "{metrics}");
    let kept_len: usize = kept.iter().map(|kept| kept.bytes.len()).sum();
    row(
        &format!("{store:?}, log at `{level}`: secrets of {count} transfers"),
        &format!(
            "{} pieces in {} KiB of files and stores, {} KiB of log, {} MiB of memory",
            search.piece_count(),
            kept_len >> 10,
            log.len() >> 10,
            memory_len >> 20
        ),
        &format!(
            "0 found; of proofs and tokens 0 but in memory ({told:?}); ciphertext where it belongs"
        ),
    );
}

#[test]
fn nothing_is_found_with_sqlite() {
    search_everything(Store::Sqlite, DEFAULT);
}

#[test]
fn nothing_is_found_with_sqlite_that_logs_everything() {
    search_everything(Store::Sqlite, EVERYTHING);
}

#[test]
fn nothing_is_found_with_redis_and_a_bucket() {
    search_everything(Store::Redis, DEFAULT);
}

#[test]
fn nothing_is_found_with_redis_and_a_bucket_that_log_everything() {
    search_everything(Store::Redis, EVERYTHING);
}
