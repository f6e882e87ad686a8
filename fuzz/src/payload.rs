//! Bodies: sealed, then cut, turned, mixed with those of others, and fed in pieces of any length. What is released is always the
//! beginning of what was sealed, and called whole only when it is.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use onetimeshare_crypto::stream::{Opener, PayloadKey};
use onetimeshare_crypto::{
    BodyOpener, BodySealer, Entry, Kind, Link, LinkKey, LinkKeys, Manifest, Result, RootKeys,
};

/// Lengths of content on both sides of each border: of padding, of a chunk, of two.
const LENS: [usize; 16] = [
    0, 1, 5, 1000, 1024, 1025, 2000, 5000, 60_000, 65_535, 65_536, 65_537, 70_000, 131_072,
    131_073, 140_000,
];

const CHUNK_LEN: usize = 65_536;
const SEALED_CHUNK_LEN: usize = CHUNK_LEN + 16;
const NONCE_LEN: usize = 16;

/// A transfer's body, and what it was made from.
struct Sample {
    keys: RootKeys,
    manifest: Manifest,
    /// Content and padding.
    plaintext: Vec<u8>,
    sealed: Vec<u8>,
}

/// First which body (4 bits its length, one a text, the rest how it is cut into parts), then how many changes, then these, then the
/// lengths of the pieces.
pub fn payload(bytes: &[u8]) {
    let mut bytes = bytes.iter().copied();
    let mut next = || bytes.next().unwrap_or_default();
    let (choice, count) = (next(), next());
    let sample = sample(choice);
    let mut body = sample.sealed.clone();
    for _ in 0..count % 5 {
        let [change, high, low, argument] = [next(), next(), next(), next()];
        // Close to the beginning of some chunk, where a piece of 64 KiB leaves little to find.
        let at = usize::from(high >> 6) * SEALED_CHUNK_LEN
            + usize::from(high & 0x3f) * 256
            + usize::from(low);
        alter(&mut body, &sample, change, at, usize::from(argument));
    }
    let cuts: Vec<usize> = bytes
        .map(|cut| usize::from(cut) * usize::from(cut) + 1)
        .take(64)
        .collect();
    let is_whole = body == sample.sealed;
    check_body(&sample, &body, &cuts, is_whole);
    check_stream(&sample, &body, &cuts, is_whole);
    check_seeks(&sample, &body);
}

/// Opens it as the body of its manifest.
fn check_body(sample: &Sample, body: &[u8], cuts: &[usize], is_whole: bool) {
    let content_len = usize::try_from(sample.manifest.layout().content_len()).unwrap_or_default();
    let content = sample.plaintext.get(..content_len).unwrap_or_default();
    let mut opener = BodyOpener::new(&sample.keys, &sample.manifest);
    let out = feed(body, cuts, content, |piece, out| opener.push(piece, out));
    let finished = opener.finish();
    assert_eq!(
        finished.is_ok(),
        is_whole,
        "whole, if nothing was changed, and only then"
    );
    if is_whole {
        assert!(out == content, "all of it was released");
    }
}

/// Opens it as age does, without knowing how long it is.
fn check_stream(sample: &Sample, body: &[u8], cuts: &[usize], is_whole: bool) {
    let mut opener = Opener::new(&sample.keys.file_key());
    let plaintext = &sample.plaintext;
    let mut out = feed(body, cuts, plaintext, |piece, out| opener.push(piece, out));
    let finished = opener.finish(&mut out);
    assert!(plaintext.starts_with(&out), "other bytes were released");
    assert_eq!(finished.is_ok(), is_whole);
    if is_whole {
        assert!(out == *plaintext, "all of it was released");
    }
}

/// Opens each chunk alone, from the last to the first.
fn check_seeks(sample: &Sample, body: &[u8]) {
    let Some((nonce, chunks)) = body.split_first_chunk::<NONCE_LEN>() else {
        return;
    };
    let key = PayloadKey::derive(&sample.keys.file_key(), nonce);
    let (_, sealed) = sample.sealed.split_at(NONCE_LEN);
    let count = sample.manifest.layout().chunk_count();
    for (index, chunk) in chunks.chunks(SEALED_CHUNK_LEN).enumerate().rev() {
        let Ok(opened) = key.open_chunk(u64::try_from(index).unwrap_or(u64::MAX), count, chunk)
        else {
            continue;
        };
        let same = sealed.chunks(SEALED_CHUNK_LEN).nth(index);
        assert!(
            same == Some(chunk),
            "a chunk opened that was not sealed here"
        );
        let plaintext = sample.plaintext.chunks(CHUNK_LEN).nth(index);
        assert!(plaintext == Some(&opened[..]), "it opened to other bytes");
    }
}

/// Pushes it piece by piece: what comes out is always the beginning of `expected`, and nothing comes after a failure.
fn feed(
    body: &[u8],
    cuts: &[usize],
    expected: &[u8],
    mut push: impl FnMut(&[u8], &mut Vec<u8>) -> Result<()>,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(expected.len());
    let mut rest = body;
    let mut has_failed = false;
    for cut in cuts.iter().copied().chain([usize::MAX, 0, 1]) {
        let (piece, after) = rest.split_at(cut.min(rest.len()));
        rest = after;
        let before = out.len();
        let fails = push(piece, &mut out).is_err();
        if has_failed {
            assert!(fails, "it went on after it had failed");
            assert!(out.len() == before, "it released more");
        }
        has_failed = fails;
        let released = expected.get(before..out.len());
        assert!(
            released.is_some_and(|released| out.ends_with(released)),
            "other bytes were released"
        );
    }
    out
}

/// One change, as somebody could make it who holds the body.
fn alter(body: &mut Vec<u8>, sample: &Sample, change: u8, at: usize, argument: usize) {
    let at = at.min(body.len());
    let end = (at + argument + 1).min(body.len());
    match change % 10 {
        0 => {
            if let Some(byte) = body.get_mut(at) {
                *byte ^= u8::try_from(argument).unwrap_or(1);
            }
        }
        1 => body.truncate(at),
        2 => drop(body.drain(at..end)),
        3 => drop(body.splice(at..at, vec![0xa5; argument])),
        4 => body.resize(body.len() + argument, 0),
        5 => drop(body.splice(at..at, sample.sealed.iter().copied().take(argument))),
        change => {
            let (nonce, chunks) = body.split_at(NONCE_LEN.min(body.len()));
            let mut chunks: Vec<Vec<u8>> = chunks
                .chunks(SEALED_CHUNK_LEN)
                .map(<[u8]>::to_vec)
                .collect();
            if chunks.is_empty() {
                return;
            }
            let (one, other) = (at % chunks.len(), argument % chunks.len());
            match change {
                6 => chunks.swap(one, other),
                7 => chunks.insert(one, chunks[other].clone()),
                8 => drop(chunks.remove(one)),
                _ => chunks[one] = foreign(sample, one, argument),
            }
            *body = [nonce, &chunks.concat()].concat();
        }
    }
}

/// The same chunk of the same content, under another key or another nonce.
fn foreign(sample: &Sample, index: usize, argument: usize) -> Vec<u8> {
    let other = if argument.is_multiple_of(2) {
        seal(
            &keys(8),
            &sample.manifest,
            &sample.plaintext,
            [9; 16],
            1 << 20,
        )
    } else {
        seal(
            &keys(7),
            &sample.manifest,
            &sample.plaintext,
            [8; 16],
            1 << 20,
        )
    };
    let chunks = other.get(NONCE_LEN..).unwrap_or_default();
    let chunk = chunks.chunks(SEALED_CHUNK_LEN).nth(index);
    chunk.unwrap_or_default().to_vec()
}

/// The body that `choice` stands for; sealed once, since that takes longer than all else.
fn sample(choice: u8) -> Rc<Sample> {
    thread_local! {
        static MADE: RefCell<HashMap<u8, Rc<Sample>>> = RefCell::default();
    }
    MADE.with_borrow_mut(|made| {
        let sample = made
            .entry(choice & 0x7f)
            .or_insert_with_key(|choice| Rc::new(make(*choice)));
        Rc::clone(sample)
    })
}

fn make(choice: u8) -> Sample {
    let content_len = LENS[usize::from(choice % 16)];
    let kind = if choice & 0x10 == 0 {
        Kind::Files
    } else {
        Kind::Text
    };
    let part_len = [1 << 20, 1000, 65_536, 7][usize::from(choice >> 5 & 3)];
    let entry = Entry {
        name: "a".to_owned(),
        media_type: String::new(),
        size: u64::try_from(content_len).unwrap_or_default(),
    };
    let manifest = Manifest::new(kind, vec![entry], &str::to_owned).expect("it breaks no rule");
    let mut plaintext = content(content_len, kind);
    let padded_len = usize::try_from(manifest.layout().padded_len()).unwrap_or_default();
    plaintext.resize(padded_len, 0);
    let keys = keys(7);
    let sealed = seal(
        &keys,
        &manifest,
        &plaintext,
        [9; 16],
        part_len.max(u64::try_from(content_len / 50).unwrap_or(1)),
    );
    Sample {
        keys,
        manifest,
        plaintext,
        sealed,
    }
}

/// A text with characters of every length, or bytes that no text is.
fn content(len: usize, kind: Kind) -> Vec<u8> {
    let pattern: &[u8] = match kind {
        Kind::Text => "aé日😀".as_bytes(),
        Kind::Files => &[0xff, 0, 1, 0xfe, 0x80],
    };
    let mut content = pattern.repeat(len / pattern.len());
    content.resize(len, b'a');
    content
}

fn keys(seed: u8) -> RootKeys {
    let link = Link::new(LinkKey::from_random([seed; 32]), false);
    RootKeys::derive(&link, &LinkKeys::derive(&link), None).expect("the link takes no passphrase")
}

/// Sealed part by part, the last first.
fn seal(
    keys: &RootKeys,
    manifest: &Manifest,
    plaintext: &[u8],
    nonce: [u8; 16],
    part_len: u64,
) -> Vec<u8> {
    let layout = manifest.layout();
    let mut sealer = BodySealer::new(keys, nonce, layout);
    let count = layout.part_count(part_len).expect("a part has a length");
    let mut parts: Vec<Vec<u8>> = Vec::new();
    for index in (0..count).rev() {
        let source = layout
            .part_source(index, part_len)
            .expect("the body has this part");
        let [start, end] =
            [source.start, source.end].map(|at| usize::try_from(at).unwrap_or(usize::MAX));
        let content = plaintext
            .get(start..end)
            .expect("it lies within the content");
        let part = sealer.seal_part(index, part_len, content);
        parts.push(part.expect("the content is the same each time"));
    }
    parts.reverse();
    parts.concat()
}
