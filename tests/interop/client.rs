//! The client alone: a transfer is given once, and survives a server that is killed at any step.

use onetimeshare_client::{Client, Collected, Content, LinkUrl, Opening, SendOptions, Sending};
use onetimeshare_protocol::error::ErrorCode;
use onetimeshare_protocol::transfer::{Cause, ClaimState, State};
use onetimeshare_tests::Server;

use crate::content::{claim, file, pattern, receive_all, send_all};

#[test]
fn a_text_is_given_once() {
    let server = Server::start(&[]);
    let client = Client::new(&server.base()).unwrap();
    client.healthz().unwrap();
    client.readyz().unwrap();
    let text = [(String::new(), b"swordfish".to_vec())];
    let sent = send_all(&server, &text, None);
    assert_eq!(receive_all(&sent.link, None), text);

    let receipt = client
        .receipt(&sent.receipt.id, &sent.receipt.owner_token)
        .unwrap();
    assert_eq!(
        (receipt.state, receipt.cause),
        (State::Gone, Some(Cause::Delivered))
    );
    assert_eq!(receipt.claims[0].state, ClaimState::Delivered);
    let stats = client.stats().unwrap();
    assert_eq!((stats.created, stats.delivered), (1, 1));
    let url = LinkUrl::parse(&sent.link).unwrap();
    let opening = Opening::new(&client, url.link(), None).unwrap();
    let refused = opening
        .claim(&client.generate_claim_token().unwrap())
        .err()
        .unwrap();
    assert_eq!(refused.code(), Some(ErrorCode::TransferGone));
}

#[test]
fn a_wrong_passphrase_costs_an_attempt_and_the_owner_gives_it_back() {
    let server = Server::start(&[]);
    let client = Client::new(&server.base()).unwrap();
    let sent = send_all(&server, &[(String::new(), b"x".to_vec())], Some("right"));
    let url = LinkUrl::parse(&sent.link).unwrap();
    let mut guess = Opening::new(&client, url.link(), Some("wrong")).unwrap();
    for _ in 0..5 {
        assert_eq!(
            guess.look().unwrap_err().code(),
            Some(ErrorCode::AccessDenied)
        );
    }
    let mut opening = Opening::new(&client, url.link(), Some("right")).unwrap();
    assert_eq!(
        opening.look().unwrap_err().code(),
        Some(ErrorCode::TransferLocked)
    );
    client
        .unlock(&sent.receipt.id, &sent.receipt.owner_token)
        .unwrap();
    assert_eq!(opening.look().unwrap().facts.attempts_left, 5);
    client
        .burn(&sent.receipt.id, &sent.receipt.owner_token)
        .unwrap();
    assert_eq!(
        opening.look().unwrap_err().code(),
        Some(ErrorCode::TransferGone)
    );
}

#[test]
fn an_upload_and_a_download_survive_a_server_that_is_killed() {
    let mut server = Server::start(&["--part-size", "64 KiB"]);
    let client = Client::new(&server.base()).unwrap();
    let content = pattern(500_000);
    let config = client.config().unwrap();
    let files = Content::Files(vec![file("a", &content)]);
    let mut sending = Sending::prepare(&client, &config, &SendOptions::default(), files).unwrap();
    sending.create().unwrap();
    sending.put_part(3).unwrap();
    server.restart();
    sending.put_part(3).unwrap();
    let sent = sending.run().unwrap();
    server.restart();
    let mut claimed = claim(&sent.link, None);
    server.restart();
    claimed.renew().unwrap();
    let mut sink = Collected::default();
    claimed.fetch(&mut sink).unwrap();
    server.restart();
    claimed.delivered().unwrap();
    claimed.delivered().unwrap();
    assert_eq!(sink.entries[0].1, content);
    assert!(server.stop().success());
    assert!(server.log().contains("started"), "{}", server.log());
}
