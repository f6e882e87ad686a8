//! Connections that break at any byte, of requests and of answers: uploads complete, downloads end with the same content, and
//! however often a claim is asked for again, one open is used up.

use std::io::Cursor;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use onetimeshare_client::{
    Client, Collected, Content, FileSource, LinkUrl, Opening, Patience, SendOptions, Settings, send,
};
use onetimeshare_protocol::error::ErrorCode;
use onetimeshare_protocol::transfer::{Cause, ClaimState, State};
use onetimeshare_tests::Server;

use crate::kills::{SETTINGS, wait_for_no_blob};
use crate::proxy::Proxy;
use crate::scale::{row, seeded, short_or_long};
use crate::secret::sha256;

/// Senders and receivers at one moment.
const LANES: usize = 4;
/// The longest content, in bytes: a dozen parts.
const CONTENT_LEN_MAX: usize = 800_000;

/// Tries again at once, and hardly ever gives up: every byte brings it further.
fn stubborn() -> Settings {
    let patience = Patience {
        tries: 1000,
        first: Duration::ZERO,
        longest: Duration::ZERO,
        ..Patience::NONE
    };
    Settings {
        patience,
        ..Settings::default()
    }
}

/// One transfer from its sender to its receiver, both behind the proxy; `straight` is not.
fn pass_on(cut: &Client, straight: &Client, rng: &mut fastrand::Rng) {
    let mut content = vec![0; rng.usize(0..CONTENT_LEN_MAX)];
    rng.fill(&mut content);
    let file = FileSource {
        name: "a".to_owned(),
        media_type: String::new(),
        size: content.len().try_into().expect("a small number"),
        source: Box::new(Cursor::new(content.clone())),
    };
    let sent = send(cut, &SendOptions::default(), Content::Files(vec![file]))
        .expect("an upload goes on where it broke");

    let url = LinkUrl::parse(&sent.link).expect("a link that was just made");
    let mut opening = Opening::new(cut, url.link(), None).expect("it has no passphrase");
    opening.look().expect("a look is asked for again");
    let token = cut
        .generate_claim_token()
        .expect("the system has randomness");
    let mut claimed = opening
        .claim(&token)
        .expect("a claim whose answer was lost is repeated");

    // Nobody else is given it meanwhile, whoever asks.
    let other = straight
        .generate_claim_token()
        .expect("the system has randomness");
    let refused = Opening::new(straight, url.link(), None)
        .and_then(|opening| opening.claim(&other))
        .err();
    assert_eq!(
        refused.and_then(|error| error.code()),
        Some(ErrorCode::TransferClaimed)
    );

    let mut received = Collected::default();
    claimed
        .fetch(&mut received)
        .expect("a download goes on where it broke");
    let [(_, bytes)] = &received.entries[..] else {
        panic!("one file was sent, {} arrived", received.entries.len());
    };
    assert!(
        received.is_complete && sha256(bytes) == sha256(&content),
        "other content arrived"
    );
    claimed
        .delivered()
        .expect("it is said again until it is heard");

    let (id, owner) = (&sent.receipt.id, &sent.receipt.owner_token);
    let receipt = straight.receipt(id, owner).expect("its tombstone stands");
    assert_eq!(
        (receipt.state, receipt.cause),
        (State::Gone, Some(Cause::Delivered))
    );
    assert_eq!(
        (receipt.claims.len(), receipt.claims[0].state),
        (1, ClaimState::Delivered)
    );
}

#[test]
fn connections_cut_at_any_byte_lose_nothing_and_use_up_one_open() {
    let transfers: u64 = short_or_long(40, 1000);
    let mut rng = seeded("cuts");
    let server = Server::start(SETTINGS);
    let address = server.base().replace("http://", "");
    let proxy = Proxy::start(address.parse().expect("an address"), rng.fork());
    let left = AtomicU64::new(transfers);
    thread::scope(|scope| {
        for _ in 0..LANES {
            let mut rng = rng.fork();
            let (left, server, proxy) = (&left, &server, &proxy);
            scope.spawn(move || {
                let cut = Client::with(&proxy.base(), stubborn()).expect("an address");
                let straight = Client::with(&server.base(), stubborn()).expect("an address");
                let next = || {
                    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                        left.checked_sub(1)
                    })
                };
                while next().is_ok() {
                    pass_on(&cut, &straight, &mut rng);
                }
            });
        }
    });
    wait_for_no_blob(&server);
    let cuts = proxy.cuts();
    assert!(cuts > 2 * transfers, "only {cuts} connections were cut");
    row(
        "connections cut at random bytes of requests and answers",
        &format!("{cuts} cuts over {transfers} transfers"),
        "every upload completed, every download has the same SHA-256, one claim each",
    );
}
