//! What these tests send, and how the client sends and opens it.

use std::io::Cursor;

use onetimeshare_client::{
    Claimed, Client, Collected, Content, FileSource, LinkUrl, Opening, SendOptions, Sent, send,
};
use onetimeshare_tests::Server;

/// One entry's name and content.
pub(crate) type Named = (String, Vec<u8>);

/// Content that is nowhere like itself.
pub(crate) fn pattern(len: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut draw = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    (0..len).map(|_| draw()).collect()
}

/// A file in memory.
pub(crate) fn file(name: &str, content: &[u8]) -> FileSource<'static> {
    FileSource {
        name: name.to_owned(),
        media_type: "application/octet-stream".to_owned(),
        size: u64::try_from(content.len()).unwrap(),
        source: Box::new(Cursor::new(content.to_owned())),
    }
}

/// Sends files, or a text when the one entry has no name.
pub(crate) fn send_all(server: &Server, entries: &[Named], passphrase: Option<&str>) -> Sent {
    let client = Client::new(&server.base()).unwrap();
    let content = match entries {
        [(name, text)] if name.is_empty() => Content::Text(std::str::from_utf8(text).unwrap()),
        _ => Content::Files(
            entries
                .iter()
                .map(|(name, bytes)| file(name, bytes))
                .collect(),
        ),
    };
    let options = SendOptions {
        passphrase,
        ..SendOptions::default()
    };
    send(&client, &options, content).unwrap()
}

/// Looks and claims.
pub(crate) fn claim(link: &str, passphrase: Option<&str>) -> Claimed {
    let url = LinkUrl::parse(link).unwrap();
    let client = Client::new(url.base()).unwrap();
    let mut opening = Opening::new(&client, url.link(), passphrase).unwrap();
    let look = opening.look().unwrap();
    let token = client.generate_claim_token().unwrap();
    let claimed = opening.claim(&token).unwrap();
    assert_eq!(look.manifest.as_ref(), Some(claimed.manifest()));
    claimed
}

/// Opens a link whole.
pub(crate) fn receive_all(link: &str, passphrase: Option<&str>) -> Vec<Named> {
    let mut sink = Collected::default();
    let received = claim(link, passphrase).receive(&mut sink).unwrap();
    assert!(received.untold.is_none() && sink.is_complete);
    let entries = sink.entries.into_iter();
    entries
        .map(|(entry, content)| (entry.name, content))
        .collect()
}
