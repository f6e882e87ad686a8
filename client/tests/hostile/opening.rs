//! Opening from a server that breaks off, alters, or answers too late: nothing is released twice, nothing that did not
//! verify is released at all, and `delivered` is never said too early.

use std::io;
use std::sync::Arc;

use onetimeshare_client::{Client, Collected, Error, Opening, Sink, look_without_passphrase};
use onetimeshare_crypto::{
    BodySealer, Entry, Error as CryptoError, Kind, Link, LinkKey, LinkKeys, Manifest, RootKeys,
};
use onetimeshare_protocol::error::ErrorCode;
use onetimeshare_protocol::id::ClaimToken;
use onetimeshare_protocol::transfer::{ClaimAnswer, PeekAnswer, RenewAnswer, State};
use serde_json::json as value;

use crate::scripted::{Asked, Lent, Scripted, answer, done, json, refusal};

const TOKEN: ClaimToken = ClaimToken::from_bytes([3; 32]);
const CONTENT_LEN: usize = 200_000;

/// A sealed transfer of one file, as a server would hold it.
struct Sealed {
    link: Link,
    manifest: Vec<u8>,
    body: Vec<u8>,
}

fn content() -> Vec<u8> {
    (0..=u8::MAX).cycle().take(CONTENT_LEN).collect()
}

impl Sealed {
    fn new() -> Self {
        Self::of(Kind::Files, &content())
    }

    fn of(kind: Kind, content: &[u8]) -> Self {
        let link = Link::new(LinkKey::from_random([7; 32]), false);
        let keys = RootKeys::derive(&link, &LinkKeys::derive(&link), None).unwrap();
        let entry = Entry {
            name: "a".to_owned(),
            media_type: String::new(),
            size: u64::try_from(content.len()).unwrap(),
        };
        let manifest = Manifest::new(kind, vec![entry], &str::to_owned).unwrap();
        let layout = manifest.layout();
        let mut sealer = BodySealer::new(&keys, [9; 16], layout);
        Self {
            manifest: manifest.seal(&keys).unwrap(),
            body: sealer.seal_part(0, layout.body_len(), content).unwrap(),
            link,
        }
    }

    fn body_len(&self) -> u64 {
        u64::try_from(self.body.len()).unwrap()
    }

    fn claimed(&self, inline: bool) -> Vec<u8> {
        json(
            200,
            &ClaimAnswer {
                lease_expires_at: 1_800_000_000,
                body_len: self.body_len(),
                manifest: self.manifest.clone(),
                body: inline.then(|| self.body.clone()),
            },
        )
    }

    fn peeked(&self) -> Vec<u8> {
        json(
            200,
            &PeekAnswer {
                state: State::Ready,
                created_at: 1,
                expires_at: Some(2),
                claimed_at: None,
                claims_left: 1,
                attempts_left: 5,
                body_len: self.body_len(),
                part_len: 65_536,
                manifest: Some(self.manifest.clone()),
            },
        )
    }

    /// What a good server answers to `asked`, the body cut off after `len` bytes.
    fn answer(&self, asked: &Asked, len: usize, lease_s: u64) -> Vec<u8> {
        match asked.line.rsplit('/').next() {
            Some("config") => configured(lease_s),
            Some("claim") => self.claimed(false),
            Some("body") => self.body_answer(asked, len),
            Some("renew") => json(
                200,
                &RenewAnswer {
                    lease_expires_at: 1_800_000_060,
                },
            ),
            _ => done(),
        }
    }

    fn body_answer(&self, asked: &Asked, len: usize) -> Vec<u8> {
        let octets = "application/octet-stream";
        let start = asked.head.lines().find_map(|field| {
            let (start, _) = field.strip_prefix("range: bytes=")?.split_once('-')?;
            start.parse::<usize>().ok()
        });
        let body = &self.body[start.unwrap_or(0)..];
        let mut text = match start {
            None => answer(200, octets, "", body),
            Some(start) => {
                let range = format!(
                    "Content-Range: bytes {start}-{}/{}\r\n",
                    self.body.len() - 1,
                    self.body.len()
                );
                answer(206, octets, &range, body)
            }
        };
        text.truncate(text.len() - body.len().saturating_sub(len));
        text
    }
}

fn configured(lease_s: u64) -> Vec<u8> {
    json(
        200,
        &value!({
            "version": "0", "transfer_size_max": 1, "inline_max": 1, "part_len": 1, "ttl_s_max": 1,
            "ttl_s_default": 1, "ttl_s_min": 1, "claims_max": 1, "lease_s": lease_s, "upload_idle_s": 1,
            "tombstone_ttl_s": 1,
        }),
    )
}

fn opening(client: &Client) -> Opening {
    Opening::new(client, &Sealed::new().link, None).unwrap()
}

/// A server that answers as `script` says, and claims from it.
fn received(
    script: impl FnMut(usize, &Asked) -> Vec<u8> + Send + 'static,
) -> (Scripted, Collected, Result<(), Error>) {
    let server = Scripted::new(script);
    let client = server.client(&Arc::new(Lent::default()));
    let mut sink = Collected::default();
    let mut claimed = opening(&client).claim(&TOKEN).unwrap();
    let outcome = claimed.receive(&mut sink).map(|received| {
        assert!(received.untold.is_none());
    });
    (server, sink, outcome)
}

fn says_delivered(server: &Scripted) -> bool {
    server
        .lines()
        .iter()
        .any(|line| line.ends_with("/delivered"))
}

#[test]
fn a_body_that_breaks_off_goes_on_where_it_was() {
    let sealed = Sealed::new();
    let (server, sink, outcome) = received(move |_, asked| sealed.answer(asked, 70_001, 600));
    outcome.unwrap();
    assert_eq!(sink.entries[0].1, content(), "once, and in order");
    assert!(sink.is_complete && says_delivered(&server));
    let ranges: Vec<_> = server
        .asked()
        .iter()
        .filter(|asked| asked.line.ends_with("/body"))
        .map(|asked| asked.head.lines().any(|field| field.starts_with("range:")))
        .collect();
    assert_eq!(ranges, [false, true, true]);
}

#[test]
fn a_body_that_never_comes_is_given_up_and_can_be_gone_on_with() {
    let sealed = Sealed::new();
    let mut failures = 0;
    let server = Scripted::new(move |_, asked| {
        let is_body = asked.line.ends_with("/body");
        failures += u32::from(is_body);
        // Some bytes, then four times none at all: one more than is borne.
        let len = match failures {
            1 => 100_000,
            2..5 => 0,
            _ => usize::MAX,
        };
        sealed.answer(asked, len, 600)
    });
    let client = server.client(&Arc::new(Lent::default()));
    let mut claimed = opening(&client).claim(&TOKEN).unwrap();
    let mut sink = Collected::default();
    let error = claimed.fetch(&mut sink).unwrap_err();
    assert!(matches!(error, Error::Cut(_)), "{error:?}");
    assert!(!sink.is_complete && !sink.entries[0].1.is_empty());
    while let Err(error) = claimed.fetch(&mut sink) {
        assert!(matches!(error, Error::Cut(_)), "{error:?}");
    }
    assert_eq!(sink.entries.len(), 1, "an entry begins once");
    assert_eq!(sink.entries[0].1, content());
    assert!(sink.is_complete);
}

#[test]
fn a_server_without_ranges_is_listened_to_from_the_start() {
    let sealed = Sealed::new();
    let (_, sink, outcome) = received(move |before, asked| {
        let whole = Asked {
            head: String::new(),
            ..asked.clone()
        };
        let len = if before < 3 { 100_000 } else { usize::MAX };
        sealed.answer(&whole, len, 600)
    });
    outcome.unwrap();
    assert_eq!(sink.entries[0].1, content());
}

#[test]
fn a_lost_claim_is_asked_for_again_with_the_same_token() {
    let sealed = Sealed::new();
    let server = Scripted::new(move |before, _| {
        if before == 0 {
            Vec::new()
        } else {
            sealed.claimed(true)
        }
    });
    let client = server.client(&Arc::new(Lent::default()));
    opening(&client).claim(&TOKEN).unwrap();
    let asked = server.asked();
    assert_eq!(asked.len(), 2);
    let bearer = format!("authorization: Bearer {}\n", TOKEN.to_text());
    assert!(asked.iter().all(|asked| asked.head.contains(&bearer)));
}

#[test]
fn an_altered_body_is_released_up_to_the_chunk_before_and_never_delivered() {
    for inline in [false, true] {
        let mut sealed = Sealed::new();
        // In the third chunk.
        sealed.body[150_000] ^= 1;
        let (server, sink, outcome) = received(move |_, asked| {
            if asked.line.ends_with("/claim") {
                sealed.claimed(inline)
            } else {
                sealed.answer(asked, usize::MAX, 600)
            }
        });
        let error = outcome.unwrap_err();
        assert!(
            matches!(error, Error::Crypto(CryptoError::BodyOpen)),
            "{error:?}"
        );
        assert_eq!(sink.entries[0].1, content()[..2 * 65_536]);
        assert!(!sink.is_complete && !says_delivered(&server));
    }
}

#[test]
fn a_text_that_ends_within_a_character_is_not_whole() {
    let sealed = Sealed::of(Kind::Text, &"é".as_bytes()[..1]);
    let (server, sink, outcome) = received(move |_, _| sealed.claimed(true));
    let error = outcome.unwrap_err();
    assert!(
        matches!(error, Error::Crypto(CryptoError::BodyOpen)),
        "{error:?}"
    );
    assert!(!sink.is_complete && !says_delivered(&server));
}

#[test]
fn an_altered_manifest_opens_nothing() {
    let mut sealed = Sealed::new();
    sealed.manifest[40] ^= 1;
    let server = Scripted::new(move |_, asked| match asked.line.rsplit('/').next() {
        Some("peek") => sealed.peeked(),
        _ => sealed.claimed(true),
    });
    let client = server.client(&Arc::new(Lent::default()));
    let mut opening = opening(&client);
    for error in [opening.look().err(), opening.claim(&TOKEN).err()] {
        assert!(
            matches!(error, Some(Error::Crypto(CryptoError::ManifestOpen))),
            "{error:?}"
        );
    }
}

#[test]
fn a_lease_that_has_ended_is_final() {
    let sealed = Sealed::new();
    let (server, sink, outcome) = received(move |_, asked| {
        if asked.line.ends_with("/body") {
            refusal(410, "lease.ended", "")
        } else {
            sealed.answer(asked, 0, 600)
        }
    });
    assert_eq!(outcome.unwrap_err().code(), Some(ErrorCode::LeaseEnded));
    assert!(!sink.is_complete && !says_delivered(&server));
    assert_eq!(
        server
            .lines()
            .iter()
            .filter(|line| line.ends_with("/body"))
            .count(),
        1
    );
}

#[test]
fn what_arrived_is_kept_also_when_the_server_cannot_be_told() {
    let sealed = Sealed::new();
    let server = Scripted::new(move |_, asked| {
        if asked.line.ends_with("/delivered") {
            refusal(503, "store.unreachable", "")
        } else {
            sealed.answer(asked, usize::MAX, 600)
        }
    });
    let client = server.client(&Arc::new(Lent::default()));
    let mut sink = Collected::default();
    let received = opening(&client)
        .claim(&TOKEN)
        .unwrap()
        .receive(&mut sink)
        .unwrap();
    assert!(matches!(
        received.untold,
        Some(Error::Api { status: 503, .. })
    ));
    assert!(sink.is_complete);
}

/// Has no room once, at its `fails_at`-th call, and then has it again.
struct Full {
    fails_at: u32,
    calls: u32,
}

impl Full {
    fn call(&mut self) -> io::Result<()> {
        self.calls += 1;
        if self.calls == self.fails_at {
            return Err(io::Error::other("no room"));
        }
        Ok(())
    }
}

impl Sink for Full {
    fn begin(&mut self, _: &Entry) -> io::Result<()> {
        self.call()
    }

    fn write(&mut self, _: &[u8]) -> io::Result<()> {
        self.call()
    }

    fn end(&mut self) -> io::Result<()> {
        self.call()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.call()
    }
}

#[test]
fn a_sink_without_room_ends_it_and_delivered_is_not_said() {
    let mut failed = 0;
    for fails_at in 1.. {
        let sealed = Sealed::new();
        let server = Scripted::new(move |_, asked| sealed.answer(asked, usize::MAX, 600));
        let client = server.client(&Arc::new(Lent::default()));
        let mut claimed = opening(&client).claim(&TOKEN).unwrap();
        let mut sink = Full { fails_at, calls: 0 };
        if claimed.receive(&mut sink).is_ok() {
            break;
        }
        failed = fails_at;
        // Room that comes later does not bring back what was refused.
        let error = claimed.receive(&mut sink).err();
        assert!(matches!(error, Some(Error::Sink(_))), "{error:?}");
        assert!(!says_delivered(&server));
    }
    assert!(
        failed >= 5,
        "begin, writes, end and finish each failed once: {failed}"
    );
}

/// Takes nothing more until the lease was renewed.
struct Slow<'a>(&'a Scripted);

impl Sink for Slow<'_> {
    fn begin(&mut self, _: &Entry) -> io::Result<()> {
        Ok(())
    }

    fn write(&mut self, _: &[u8]) -> io::Result<()> {
        self.0.wait_for("/renew");
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_slow_sink_does_not_cost_the_lease() {
    let sealed = Sealed::new();
    let server = Scripted::new(move |_, asked| sealed.answer(asked, usize::MAX, 1));
    let client = server.client(&Arc::new(Lent::default()));
    let mut claimed = opening(&client).claim(&TOKEN).unwrap();
    let received = claimed.receive(&mut Slow(&server)).unwrap();
    assert!(received.untold.is_none());
}

#[test]
fn a_guess_whose_answer_was_lost_is_not_repeated() {
    let link = Link::new(LinkKey::from_random([7; 32]), true);
    let server = Scripted::answering(vec![Vec::new()]);
    let client = server.client(&Arc::new(Lent::default()));
    let mut opening = Opening::new(&client, &link, Some("guess")).unwrap();
    for error in [opening.look().err(), opening.claim(&TOKEN).err()] {
        assert!(matches!(error, Some(Error::Cut(_))), "{error:?}");
    }
    assert_eq!(server.asked().len(), 2, "each may have cost an attempt");
    let asked_without = look_without_passphrase(&client, &link);
    assert!(matches!(asked_without, Err(Error::Cut(_))));
    assert_eq!(
        server.asked().len(),
        5,
        "without a passphrase a look costs nothing"
    );
    let last = server.asked().pop().unwrap();
    assert!(
        !String::from_utf8(last.body)
            .unwrap()
            .contains("access_proof")
    );
}
