//! What a running server shows of itself on its listener for metrics: figures that move by exactly what happened, nothing of a
//! transfer, and the same names as docs/monitoring.md and the dashboard have.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod figures;
mod names;

use std::io::Cursor;

use onetimeshare_client::{
    Claimed, Client, Collected, Content, FileSource, LinkUrl, Opening, SendOptions, Sent, send,
};
use onetimeshare_tests::Server;

/// A server that shows what it measures.
fn start() -> Server {
    Server::start(&["--metrics-listen", "127.0.0.1:0", "--part-size", "64 KiB"])
}

/// Sends a text that needs no part, or a file that needs some.
fn send_one(server: &Server, content_len: usize, passphrase: &str) -> Sent {
    let client = Client::new(&server.base()).unwrap();
    let content = "x".repeat(content_len);
    let content = if content_len < 1000 {
        Content::Text(&content)
    } else {
        Content::Files(vec![FileSource {
            name: "a".to_owned(),
            media_type: "text/plain".to_owned(),
            size: u64::try_from(content_len).unwrap(),
            source: Box::new(Cursor::new(content.into_bytes())),
        }])
    };
    let options = SendOptions {
        passphrase: Some(passphrase),
        ..SendOptions::default()
    };
    send(&client, &options, content).unwrap()
}

/// Guesses once, and wrong.
fn guess(sent: &Sent) {
    let url = LinkUrl::parse(&sent.link).unwrap();
    let client = Client::new(url.base()).unwrap();
    let mut opening = Opening::new(&client, url.link(), Some("wrong")).unwrap();
    opening.look().unwrap_err();
}

/// Claims it with the right passphrase. The claim token comes with it.
fn claim(sent: &Sent, passphrase: &str) -> (Claimed, [u8; 32]) {
    let url = LinkUrl::parse(&sent.link).unwrap();
    let client = Client::new(url.base()).unwrap();
    let opening = Opening::new(&client, url.link(), Some(passphrase)).unwrap();
    let token = client.generate_claim_token().unwrap();
    let claimed = opening.claim(&token).unwrap();
    (claimed, *token.as_bytes())
}

/// Opens it with the right passphrase, to the end.
fn open(sent: &Sent, passphrase: &str) -> [u8; 32] {
    let (mut claimed, token) = claim(sent, passphrase);
    drop(claimed.receive(&mut Collected::default()).unwrap());
    token
}

fn burn(server: &Server, sent: &Sent) {
    let client = Client::new(&server.base()).unwrap();
    let receipt = &sent.receipt;
    client.burn(&receipt.id, &receipt.owner_token).unwrap();
}
