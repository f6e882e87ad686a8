//! Bodies of transfers: parts of any length, the record of tags, padding, exact lengths, and texts.

use super::*;
use crate::key::LinkKeys;
use crate::link::{Link, LinkKey};
use crate::manifest::Entry;
use crate::stream::{open_payload, seal_payload};

const CHUNK: usize = 65_536;

fn keys() -> RootKeys {
    let link = Link::new(LinkKey::from_random([1; 32]), false);
    RootKeys::derive(&link, &LinkKeys::derive(&link), None).expect("it takes no passphrase")
}

fn content(len: usize) -> Vec<u8> {
    (1..=251).cycle().take(len).collect()
}

fn as_u64(len: usize) -> u64 {
    u64::try_from(len).expect("short")
}

fn layout(content_len: usize) -> BodyLayout {
    BodyLayout::new(as_u64(content_len)).expect("short")
}

fn sealer(content_len: usize) -> BodySealer {
    BodySealer::new(&keys(), [2; 16], layout(content_len))
}

fn opener(kind: Kind, content_len: usize) -> BodyOpener {
    let entry = Entry {
        name: "a".to_owned(),
        media_type: "t".to_owned(),
        size: as_u64(content_len),
    };
    let manifest = Manifest::new(kind, vec![entry], &str::to_owned).expect("it breaks no rule");
    BodyOpener::new(&keys(), &manifest)
}

fn open(kind: Kind, content_len: usize, body: &[u8]) -> Result<Vec<u8>> {
    let mut opener = opener(kind, content_len);
    let mut opened = Vec::new();
    opener.push(body, &mut opened)?;
    opener.finish()?;
    Ok(opened)
}

/// The whole body in one part.
fn body(content: &[u8]) -> Vec<u8> {
    let mut sealer = sealer(content.len());
    let body_len = sealer.layout().body_len();
    sealer
        .seal_part(0, body_len, content)
        .expect("the content is that of the layout")
}

/// Seals part `index` out of the whole content.
fn seal_part(
    sealer: &mut BodySealer,
    index: u64,
    part_len: u64,
    content: &[u8],
) -> Result<Vec<u8>> {
    let source = sealer.layout().part_source(index, part_len)?;
    sealer.seal_part(
        index,
        part_len,
        &content[in_memory(source.start)?..in_memory(source.end)?],
    )
}

#[test]
fn a_body_is_the_payload_of_the_padded_content() {
    for len in [0, 1, 1024, CHUNK, CHUNK + 1, 2 * CHUNK + 5] {
        let mut padded = content(len);
        padded.resize(in_memory(layout(len).padded_len()).expect("short"), 0);
        let payload = seal_payload(&keys().file_key(), [2; 16], &padded);
        assert_eq!(Ok(body(&content(len))), payload);
        assert_eq!(
            open_payload(&keys().file_key(), &body(&content(len))),
            Ok(padded)
        );
    }
}

#[test]
fn parts_of_any_length_and_order_join_to_the_body() {
    let content = content(2 * CHUNK + 5);
    let body = body(&content);
    for part_len in [1000, 65_536, 65_552, 65_568, 131_104, 8 << 20] {
        let mut sealer = sealer(content.len());
        let count = sealer.layout().part_count(part_len).expect("not zero");
        let mut parts: Vec<_> = (0..count)
            .rev()
            .map(|index| seal_part(&mut sealer, index, part_len, &content))
            .collect();
        parts.reverse();
        let joined: Result<Vec<Vec<u8>>> = parts.into_iter().collect();
        assert!(
            joined.expect("the content did not change").concat() == body,
            "parts of {part_len}"
        );
    }
}

#[test]
fn parts_within_the_nonce_need_no_content() {
    let mut sealer = sealer(5);
    assert_eq!(sealer.seal_part(0, 16, b""), Ok(vec![2; 16]));
    assert_eq!(sealer.seal_part(1, 7, b""), Ok(vec![2; 7]));
    assert_eq!(
        sealer.seal_part(2, 7, b"hello").map(|part| part.len()),
        Ok(7)
    );
}

#[test]
fn chunks_seal_alone_as_in_the_body() {
    let content = content(CHUNK + 2000);
    let (body, mut sealer) = (body(&content), sealer(content.len()));
    assert_eq!(
        sealer.seal_chunk(1, &content[CHUNK..]).as_deref(),
        Ok(&body[16 + 65_552..])
    );
    assert_eq!(
        sealer.seal_chunk(0, &content[..CHUNK]).as_deref(),
        Ok(&body[16..16 + 65_552])
    );
    assert_eq!(
        sealer.seal_chunk(2, b""),
        Err(Error::BodyOrder("the body has no such chunk"))
    );
    assert_eq!(
        sealer.seal_chunk(1, &content[CHUNK + 1..]),
        Err(Error::BodyChanged)
    );
}

#[test]
fn a_chunk_sealed_again_gives_the_same_or_nothing() {
    let mut content = content(3 * CHUNK);
    let mut sealer = sealer(content.len());
    let part_len = 100_000;
    let first = seal_part(&mut sealer, 0, part_len, &content).expect("first time");
    assert_eq!(
        seal_part(&mut sealer, 0, part_len, &content).as_ref(),
        Ok(&first)
    );
    // Chunk 1 was sealed with part 0; one changed bit of it stops part 0 and part 1, in every part length.
    content[CHUNK + 9] ^= 1;
    assert_eq!(
        seal_part(&mut sealer, 0, part_len, &content),
        Err(Error::BodyChanged)
    );
    assert_eq!(
        seal_part(&mut sealer, 1, part_len, &content),
        Err(Error::BodyChanged)
    );
    assert_eq!(
        seal_part(&mut sealer, 0, 1 << 30, &content),
        Err(Error::BodyChanged)
    );
    assert_eq!(
        sealer.seal_chunk(1, &content[CHUNK..2 * CHUNK]),
        Err(Error::BodyChanged)
    );
    // What did not change still seals, and the right content does again.
    assert!(sealer.seal_chunk(0, &content[..CHUNK]).is_ok());
    content[CHUNK + 9] ^= 1;
    assert_eq!(seal_part(&mut sealer, 0, part_len, &content), Ok(first));
}

#[test]
fn content_of_another_length_is_a_change() {
    for wrong in [4, 6] {
        let mut sealer = sealer(5);
        assert_eq!(
            sealer.seal_part(0, 1056, &content(wrong)),
            Err(Error::BodyChanged)
        );
        assert_eq!(
            sealer.seal_chunk(0, &content(wrong)),
            Err(Error::BodyChanged)
        );
    }
}

#[test]
fn parts_that_do_not_exist_are_misuse() {
    let mut sealer = sealer(5);
    for (index, part_len) in [(1, 1056), (0, 0), (u64::MAX, u64::MAX), (2, 1055)] {
        assert!(matches!(
            sealer.seal_part(index, part_len, b"hello"),
            Err(Error::BodyOrder(_))
        ));
    }
}

#[test]
fn opening_yields_the_content_alone_in_pieces_of_any_length() {
    for len in [
        0,
        1,
        1023,
        1024,
        1025,
        CHUNK,
        CHUNK + 1,
        2 * CHUNK,
        2 * CHUNK + 5,
    ] {
        let (content, body) = (content(len), body(&content(len)));
        for piece_len in [1009, 65_552, body.len()] {
            let mut opener = opener(Kind::Files, len);
            let mut opened = Vec::new();
            for piece in body.chunks(piece_len) {
                assert!(opener.finish().is_err(), "not before the end");
                opener
                    .push(piece, &mut opened)
                    .expect("it was sealed just now");
            }
            assert_eq!(opener.finish(), Ok(()));
            assert_eq!(opener.position(), as_u64(body.len()));
            assert!(opened == content, "{len} bytes in pieces of {piece_len}");
        }
    }
}

#[test]
fn every_other_length_of_the_body_is_refused() {
    let whole = body(&content(CHUNK + 5));
    for end in (0..whole.len())
        .step_by(997)
        .chain(whole.len() - 20..whole.len())
    {
        assert_eq!(
            open(Kind::Files, CHUNK + 5, &whole[..end]),
            Err(Error::BodyOpen),
            "cut to {end}"
        );
    }
    assert_eq!(
        open(Kind::Files, CHUNK + 5, &[&whole[..], &[0]].concat()),
        Err(Error::BodyOpen)
    );
    // A whole payload, only not of the length that the manifest names.
    for other in [0, 1024, CHUNK, 2 * CHUNK, 3 * CHUNK] {
        assert_eq!(
            open(Kind::Files, CHUNK + 5, &body(&content(other))),
            Err(Error::BodyOpen),
            "{other}"
        );
    }
}

#[test]
fn padding_that_is_not_zero_is_refused_wherever_it_is() {
    // 65537 bytes are padded to 67584, so the padding is in the second chunk; 5 are padded to 1024 in the first.
    for (content_len, places) in [(CHUNK + 1, [CHUNK + 1, 67_583]), (5, [5, 1023])] {
        for place in places {
            let mut padded = content(content_len);
            padded.resize(
                in_memory(layout(content_len).padded_len()).expect("short"),
                0,
            );
            padded[place] = 1;
            let body = seal_payload(&keys().file_key(), [2; 16], &padded).expect("short");
            let mut released = Vec::new();
            assert_eq!(
                opener(Kind::Files, content_len).push(&body, &mut released),
                Err(Error::BodyOpen)
            );
            assert!(
                content(content_len / CHUNK * CHUNK) == released,
                "only whole good chunks are released"
            );
        }
    }
}

#[test]
fn padding_fills_chunks_of_its_own() {
    // 2^22 + 1 bytes round up to a multiple of 2^17, which is two chunks: the last one holds nothing but padding.
    let content = content(64 * CHUNK + 1);
    assert_eq!(layout(content.len()).chunk_count(), 66);
    assert_eq!(
        layout(content.len()).part_source(65, 65_552),
        Ok(as_u64(content.len()) - 1..as_u64(content.len()))
    );
    assert!(open(Kind::Files, content.len(), &body(&content)) == Ok(content));
}

#[test]
fn a_text_must_be_utf8_and_a_file_need_not() {
    for (bytes, valid) in [
        (&b"h\xc3\xa9"[..], true),
        (b"", true),
        (b"h\xc3", false),
        (b"\xff", false),
    ] {
        assert_eq!(
            open(Kind::Text, bytes.len(), &body(bytes)).is_ok(),
            valid,
            "{bytes:x?}"
        );
        assert_eq!(
            open(Kind::Files, bytes.len(), &body(bytes)).as_deref(),
            Ok(bytes)
        );
    }
    // A character across the border of two chunks.
    let text = ["a".repeat(CHUNK - 1), "é".to_owned()].concat();
    assert_eq!(
        open(Kind::Text, text.len(), &body(text.as_bytes())),
        Ok(text.into_bytes())
    );
}

#[test]
fn nothing_opens_after_a_failure() {
    let body = body(&content(5));
    let mut flipped = body.clone();
    flipped[20] ^= 1;
    let mut opener = opener(Kind::Files, 5);
    let mut released = Vec::new();
    assert_eq!(opener.push(&flipped, &mut released), Err(Error::BodyOpen));
    assert_eq!(opener.push(&[], &mut released), Err(Error::BodyOpen));
    assert_eq!(opener.push(&body, &mut released), Err(Error::BodyOpen));
    assert_eq!((opener.finish(), released.len()), (Err(Error::BodyOpen), 0));
}

#[test]
fn a_body_of_the_wrong_link_does_not_open() {
    let link = Link::new(LinkKey::from_random([9; 32]), false);
    let other =
        RootKeys::derive(&link, &LinkKeys::derive(&link), None).expect("it takes no passphrase");
    let body = BodySealer::new(&other, [2; 16], layout(5))
        .seal_part(0, 1056, b"hello")
        .expect("right length");
    assert_eq!(open(Kind::Files, 5, &body), Err(Error::BodyOpen));
}
