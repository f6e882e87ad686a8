//! The client alone: every call of the API, whole transfers, and what survives a server that is killed.

use std::io::Cursor;

use onetimeshare_client::{
    Claimed, Client, Collected, Content, FileSource, LinkUrl, Opening, SendOptions, Sending, Sent,
    send,
};
use onetimeshare_protocol::error::ErrorCode;
use onetimeshare_protocol::transfer::{Cause, ClaimState, State};
use onetimeshare_tests::Server;

/// Content that is nowhere like itself.
fn pattern(len: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut draw = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    (0..len).map(|_| draw()).collect()
}

fn file(name: &str, content: Vec<u8>) -> FileSource<'static> {
    FileSource {
        name: name.to_owned(),
        media_type: "application/octet-stream".to_owned(),
        size: u64::try_from(content.len()).unwrap(),
        source: Box::new(Cursor::new(content)),
    }
}

/// Looks and claims.
fn claim(sent: &Sent, passphrase: Option<&str>) -> Claimed {
    let url = LinkUrl::parse(&sent.link).unwrap();
    let client = Client::new(url.base()).unwrap();
    let mut opening = Opening::new(&client, url.link(), passphrase).unwrap();
    let look = opening.look().unwrap();
    let claimed = opening
        .claim(&client.generate_claim_token().unwrap())
        .unwrap();
    assert_eq!(look.manifest.as_ref(), Some(claimed.manifest()));
    claimed
}

/// Opens it whole.
fn receive(sent: &Sent, passphrase: Option<&str>) -> Vec<(String, Vec<u8>)> {
    let mut sink = Collected::default();
    let received = claim(sent, passphrase).receive(&mut sink).unwrap();
    assert!(received.untold.is_none() && sink.is_complete);
    let entries = sink.entries.into_iter();
    entries
        .map(|(entry, content)| (entry.name, content))
        .collect()
}

#[test]
fn a_text_is_given_once() {
    let server = Server::start(&[]);
    let client = Client::new(&server.base()).unwrap();
    let sent = send(&client, &SendOptions::default(), Content::Text("swordfish")).unwrap();
    assert_eq!(
        receive(&sent, None),
        [(String::new(), b"swordfish".to_vec())]
    );

    let receipt = client
        .receipt(&sent.receipt.id, &sent.receipt.owner_token)
        .unwrap();
    assert_eq!(
        (receipt.state, receipt.cause),
        (State::Gone, Some(Cause::Delivered))
    );
    assert_eq!(receipt.claims[0].state, ClaimState::Delivered);
    let url = LinkUrl::parse(&sent.link).unwrap();
    let opening = Opening::new(&client, url.link(), None).unwrap();
    let refused = opening
        .claim(&client.generate_claim_token().unwrap())
        .err()
        .unwrap();
    assert_eq!(refused.code(), Some(ErrorCode::TransferGone));
}

#[test]
fn files_come_back_as_they_were() {
    let server = Server::start(&["--part-size", "64 KiB"]);
    let client = Client::new(&server.base()).unwrap();
    let contents = [
        ("a/b.bin", pattern(300_000)),
        ("empty", Vec::new()),
        ("日本/é.txt", pattern(17)),
        ("last", pattern(70_001)),
    ];
    let files = contents
        .iter()
        .map(|(name, content)| file(name, content.clone()));
    let options = SendOptions {
        passphrase: Some("Ame\u{301}lie"),
        ..SendOptions::default()
    };
    let sent = send(&client, &options, Content::Files(files.collect())).unwrap();
    let received = receive(&sent, Some("Am\u{e9}lie"));
    let expected = contents.map(|(name, content)| (name.to_owned(), content));
    assert_eq!(received, expected);
}

#[test]
fn an_upload_and_a_download_survive_a_server_that_is_killed() {
    let mut server = Server::start(&["--part-size", "64 KiB"]);
    let client = Client::new(&server.base()).unwrap();
    let content = pattern(500_000);
    let config = client.config().unwrap();
    let files = Content::Files(vec![file("a", content.clone())]);
    let mut sending = Sending::prepare(&client, &config, &SendOptions::default(), files).unwrap();
    sending.create().unwrap();
    sending.put_part(3).unwrap();
    server.restart();
    sending.put_part(3).unwrap();
    let sent = sending.run().unwrap();
    server.restart();
    let mut claimed = claim(&sent, None);
    server.restart();
    let mut sink = Collected::default();
    claimed.fetch(&mut sink).unwrap();
    server.restart();
    claimed.delivered().unwrap();
    assert_eq!(sink.entries[0].1, content);
    assert!(server.stop().success());
    assert!(server.log().contains("started"), "{}", server.log());
}
