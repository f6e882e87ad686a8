//! Guesses at a transfer whose id is known, by many at once: wrong link proofs, owner tokens and claim tokens. They are all
//! answered like an unknown id, count nothing, lock nothing and take nothing.

use std::thread;
use std::time::Duration;

use onetimeshare_client::{Client, Collected, LinkUrl, Opening};
use onetimeshare_protocol::id::{ClaimToken, LinkProof, TransferId};

use crate::scale::{row, seeded, short_or_long, until};
use crate::subjects::{Place, Store, Subject, TEXT, random};
use crate::wire::{Wire, essence, request};

/// The longest that a store may be late.
const PATIENCE: Duration = Duration::from_mins(1);

/// How many guess at once.
const LANES: usize = 10;

/// What takes an owner token, and what takes a claim token.
const BY_TOKEN: [(&str, &str); 9] = [
    ("GET", ""),
    ("GET", "/parts"),
    ("PUT", "/parts/0"),
    ("POST", "/complete"),
    ("POST", "/unlock"),
    ("DELETE", ""),
    ("GET", "/body"),
    ("POST", "/renew"),
    ("POST", "/delivered"),
];

fn peek(id: &TransferId, rng: &mut fastrand::Rng) -> Vec<u8> {
    let link = LinkProof::from_bytes(random(rng)).to_text();
    let json = format!(r#"{{"link_proof":"{link}"}}"#);
    request(("POST", id, "/peek"), None, Some(&json))
}

/// With the access proof that fits, which alone is worth nothing.
fn claim(subject: &Subject, id: &TransferId, rng: &mut fastrand::Rng) -> Vec<u8> {
    let link = LinkProof::from_bytes(random(rng)).to_text();
    let access = subject.proofs.access_proof.to_text();
    let json = format!(r#"{{"link_proof":"{link}","access_proof":"{access}"}}"#);
    let token = ClaimToken::from_bytes(random(rng)).to_text();
    request(("POST", id, "/claim"), Some(&token), Some(&json))
}

fn by_token(at: usize, id: &TransferId, rng: &mut fastrand::Rng) -> Vec<u8> {
    let (method, call) = BY_TOKEN[at % BY_TOKEN.len()];
    let token = ClaimToken::from_bytes(random(rng)).to_text();
    let mut request = request((method, id, call), Some(&token), None);
    if method == "PUT" {
        // An empty part, with its digest.
        request.truncate(request.len() - 2);
        let rest = "Content-Length: 0\r\nContent-Digest: sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:\r\n\r\n";
        request.extend_from_slice(rest.as_bytes());
    }
    request
}

/// What one lane asks of the server, and that every answer is that of an unknown id.
fn guess(base: &str, subjects: &[&Subject; 2], rounds: usize, mut rng: fastrand::Rng) {
    let mut wire = Wire::connect(base);
    let nobody = TransferId::from_bytes(random(&mut rng));
    let mut ask = |request: &[u8]| {
        let mut answer = String::new();
        // On a busy machine a store may be late once: then nothing was answered.
        until("an answer of the store", PATIENCE, || {
            answer = essence(wire.ask(request).0);
            !answer.starts_with("HTTP/1.1 503 ")
        });
        answer
    };
    let unknown = ask(&peek(&nobody, &mut rng));
    assert!(
        unknown.starts_with("HTTP/1.1 404 ") && unknown.contains("transfer.unknown"),
        "{unknown}"
    );
    for round in 0..rounds {
        let subject = subjects[round % subjects.len()];
        let requests = [
            peek(&subject.id, &mut rng),
            claim(subject, &subject.id, &mut rng),
            by_token(round / subjects.len(), &subject.id, &mut rng),
        ];
        for request in requests {
            assert_eq!(
                ask(&request),
                unknown,
                "{}",
                String::from_utf8_lossy(&request)
            );
        }
    }
}

/// Opens it with its link, as if nothing had been.
fn open(client: &Client, subject: &Subject, claimant: &ClaimToken) {
    let url = LinkUrl::parse(&subject.link).unwrap();
    let opening = Opening::new(client, url.link(), None).unwrap();
    let mut content = Collected::default();
    let received = opening.claim(claimant).unwrap().receive(&mut content);
    assert!(received.unwrap().untold.is_none());
    assert_eq!(content.entries[0].1, TEXT.as_bytes());
}

fn guesses_count_nothing(store: Store) {
    let rounds = short_or_long(2_500, 50_000) / LANES;
    let mut rng = seeded(&format!("guesses, {store:?}"));
    let place = Place::start(store, &[]);
    let client = place.client();
    let [ready, claimed] = [(); 2].map(|()| Subject::send(&client, 3600));
    let [early, late] = [(); 2].map(|()| ClaimToken::from_bytes(random(&mut rng)));
    client.claim(&claimed.id, &early, &claimed.proofs).unwrap();
    let subjects = [&ready, &claimed];
    let facts = || {
        let receipts = subjects.map(|subject| client.receipt(&subject.id, &subject.owner).unwrap());
        (receipts, client.stats().unwrap())
    };
    let before = facts();
    thread::scope(|scope| {
        for _ in 0..LANES {
            let rng = rng.fork();
            scope.spawn(|| guess(&place.server.base(), &subjects, rounds, rng));
        }
    });
    assert_eq!(facts(), before);
    assert_eq!(
        (
            before.0[0].attempts_left,
            before.0[0].claims_left,
            before.1.locked
        ),
        (5, 1, 0)
    );
    // The one is still to be claimed, the other still leased to who has claimed it.
    open(&client, &ready, &late);
    open(&client, &claimed, &early);
    let guesses = rounds * LANES;
    row(
        &format!("{store:?}: guesses at known ids from {LANES} connections at once"),
        &format!(
            "{} link proofs, {guesses} owner and claim tokens",
            2 * guesses
        ),
        "all answered like an unknown id; receipts and counters as before, both open as if nothing had been",
    );
}

#[test]
fn guesses_count_nothing_over_sqlite() {
    guesses_count_nothing(Store::Sqlite);
}

#[test]
fn guesses_count_nothing_over_redis() {
    guesses_count_nothing(Store::Redis);
}
