//! One transfer from its sending to its erasure, through whatever stands before the server.

use std::io::Cursor;

use onetimeshare_client::{
    Client, Collected, Content, FileSource, LinkUrl, Opening, SendOptions, send,
};

/// The largest that these tests send: some parts, and a rest.
pub(crate) const LARGE: usize = 20_000_000;

/// Sends a file of `len` bytes to `base`, opens it there, and compares.
#[track_caller]
pub(crate) fn pass_on(base: &str, len: usize) {
    let content = pattern(len);
    let client = Client::new(base).unwrap();
    let sent = send(&client, &SendOptions::default(), file(&content)).unwrap();
    let url = LinkUrl::parse(&sent.link).unwrap();
    assert_eq!(url.base(), base);
    let opening = Opening::new(&client, url.link(), None).unwrap();
    let token = client.generate_claim_token().unwrap();
    let mut sink = Collected::default();
    let mut claimed = opening.claim(&token).unwrap();
    let received = claimed.receive(&mut sink).unwrap();
    assert!(received.untold.is_none() && sink.is_complete);
    assert!(sink.entries[0].1 == content, "other bytes came back");
}

/// A file with this content.
pub(crate) fn file(content: &[u8]) -> Content<'static> {
    Content::Files(vec![FileSource {
        name: "file".to_owned(),
        media_type: "application/octet-stream".to_owned(),
        size: u64::try_from(content.len()).unwrap(),
        source: Box::new(Cursor::new(content.to_owned())),
    }])
}

/// Content that is nowhere like itself.
pub(crate) fn pattern(len: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(1);
    (0..len).map(|_| random.u8(..)).collect()
}
