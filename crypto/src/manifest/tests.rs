//! The manifest's rules at their borders, both when sealing and when opening.

use super::*;
use crate::key::LinkKeys;
use crate::link::{Link, LinkKey};

const NFC: Nfc<'_> = &|text| unicode_normalization::UnicodeNormalization::nfc(text).collect();

fn keys(seed: u8) -> RootKeys {
    let link = Link::new(LinkKey::from_random([seed; 32]), false);
    RootKeys::derive(&link, &LinkKeys::derive(&link), None).expect("it takes no passphrase")
}

fn entry(name: &str, size: u64) -> Entry {
    Entry {
        name: name.to_owned(),
        media_type: "t".to_owned(),
        size,
    }
}

fn files(entries: &[Entry]) -> Result<Manifest> {
    Manifest::new(Kind::Files, entries.to_vec(), NFC)
}

fn open(sealed: &[u8], body_len: u64) -> Result<Manifest> {
    Manifest::open(sealed, body_len, &keys(1), NFC)
}

fn sealed() -> Vec<u8> {
    files(&[entry("a", 1)])
        .and_then(|manifest| manifest.seal(&keys(1)))
        .expect("it breaks no rule")
}

fn refused(result: Result<Manifest>, rule: &'static str) {
    assert_eq!(result, Err(Error::ManifestRefused(rule)));
}

#[test]
fn round_trip_keeps_every_entry() {
    for manifest in [
        Manifest::new(Kind::Text, vec![entry("", 5)], NFC),
        Manifest::new(Kind::Text, vec![entry("note.txt", 0)], NFC),
        files(&[
            entry("日本 \"x\".txt", 0),
            entry("a/b", 70_000),
            entry("a/c", 7),
        ]),
    ] {
        let manifest = manifest.expect("it breaks no rule");
        let sealed = manifest.seal(&keys(1)).expect("it is short");
        assert_eq!(sealed.len(), 32 + 256 + 16);
        assert_eq!(open(&sealed, manifest.layout().body_len()), Ok(manifest));
    }
}

#[test]
fn json_is_compact_and_escapes_what_it_must() {
    let odd = Entry {
        name: "\"é".to_owned(),
        media_type: "\\\n\u{1f}".to_owned(),
        size: 1,
    };
    let manifest = files(&[odd, entry("b", 2)]).expect("types are free");
    let json = concat!(
        r#"{"kind":"files","entries":[{"name":"\"é","type":"\\\n\u001f","size":1},"#,
        r#"{"name":"b","type":"t","size":2}]}"#,
    );
    assert_eq!(manifest.to_json(), json);
    assert_eq!(Manifest::parse_json(json.as_bytes(), NFC), Ok(manifest));
}

#[test]
fn unknown_members_are_ignored_whatever_they_hold() {
    let text = br#"{"x":[1.5,-1,null],"kind":"files","entries":[{"name":"a","y":{"name":1},"type":"t","size":1}]}"#;
    assert_eq!(Manifest::parse_json(text, NFC), files(&[entry("a", 1)]));
}

#[test]
fn duplicates_are_refused_even_in_unknown_members() {
    let text =
        br#"{"x":{"y":1,"y":1},"kind":"files","entries":[{"name":"a","type":"t","size":1}]}"#;
    refused(
        Manifest::parse_json(text, NFC),
        "a member stands twice in one object",
    );
}

#[test]
fn sizes_at_the_border() {
    assert!(files(&[entry("a", CONTENT_LEN_MAX), entry("b", 0)]).is_ok());
    refused(
        files(&[entry("a", CONTENT_LEN_MAX + 1)]),
        "a size is more than 2^40 bytes",
    );
    refused(
        files(&[entry("a", u64::MAX), entry("b", u64::MAX)]),
        "a size is more than 2^40 bytes",
    );
    refused(
        files(&[entry("a", CONTENT_LEN_MAX), entry("b", 1)]),
        "the sizes add up to more than 2^40 bytes",
    );
    for size in ["-0", "1.0", "1e0", "\"1\"", "null", "18446744073709551616"] {
        let text =
            format!(r#"{{"kind":"files","entries":[{{"name":"a","type":"t","size":{size}}}]}}"#);
        let rule = "the size of an entry is not a plain decimal integer";
        refused(Manifest::parse_json(text.as_bytes(), NFC), rule);
    }
}

#[test]
fn entry_count_at_the_border() {
    let many: Vec<Entry> = (0..=ENTRY_COUNT_MAX)
        .map(|index| entry(&format!("f{index}"), 1))
        .collect();
    assert!(files(many.get(1..).expect("not empty")).is_ok());
    refused(files(&many), "it has more than 10000 entries");
    refused(files(&[]), "it has no entry");
    refused(
        Manifest::new(Kind::Text, vec![entry("", 1), entry("b", 1)], NFC),
        "a text has exactly one entry",
    );
}

#[test]
fn names_may_not_meet() {
    refused(
        files(&[entry("", 1)]),
        "a component of a name is empty, . or ..",
    );
    refused(
        files(&[entry("a", 1), entry("a", 1)]),
        "two entries have one name",
    );
    refused(
        files(&[entry("\u{e9}", 1), entry("e\u{301}", 1)]),
        "two entries have one name",
    );
    refused(
        files(&[entry("a/b/c", 1), entry("a", 1)]),
        "an entry is a folder of another",
    );
    refused(
        files(&[entry("\u{e9}", 1), entry("e\u{301}/b", 1)]),
        "an entry is a folder of another",
    );
    assert!(
        files(&[
            entry("a/b", 1),
            entry("ab", 1),
            entry("a/bc", 1),
            entry("A", 1)
        ])
        .is_ok()
    );
}

#[test]
fn padding_at_the_borders() {
    for (text_len, expected) in [
        (0, Some(256)),
        (256, Some(256)),
        (257, Some(512)),
        (512, Some(512)),
        (524_289, Some(1 << 20)),
        (1 << 20, Some(1 << 20)),
        ((1 << 20) + 1, None),
    ] {
        assert_eq!(padded_len(text_len), expected, "{text_len}");
    }
    // Sealed at exactly the limit; one byte more in the type is refused before anything is sealed.
    let with_type = |len: usize| Entry {
        media_type: "t".repeat(len),
        ..entry("a", 1)
    };
    let room = (1 << 20)
        - files(&[with_type(0)])
            .expect("it breaks no rule")
            .to_json()
            .len();
    let largest = files(&[with_type(room)])
        .and_then(|manifest| manifest.seal(&keys(1)))
        .expect("it fits");
    assert_eq!(open(&largest, 1056), files(&[with_type(room)]));
    let too_large = files(&[with_type(room + 1)]).and_then(|manifest| manifest.seal(&keys(1)));
    assert_eq!(
        too_large,
        Err(Error::ManifestRefused("it has more than 2^20 bytes"))
    );
}

#[test]
fn body_len_must_follow_from_the_sizes() {
    assert!(open(&sealed(), 1056).is_ok());
    for body_len in [0, 1055, 1057, u64::MAX] {
        refused(
            open(&sealed(), body_len),
            "the body has not the length that follows from the sizes",
        );
    }
}

#[test]
fn every_flipped_bit_fails_to_open() {
    let sealed = sealed();
    for index in 0..sealed.len() * 8 {
        let mut flipped = sealed.clone();
        flipped[index / 8] ^= 1 << (index % 8);
        assert_eq!(
            open(&flipped, 1056),
            Err(Error::ManifestOpen),
            "bit {index}"
        );
    }
}

#[test]
fn every_other_length_is_refused() {
    let sealed = sealed();
    for length in 0..sealed.len() {
        refused(
            open(&sealed[..length], 1056),
            "its sealed length is none of the thirteen",
        );
    }
    refused(
        open(&[&sealed[..], &[0]].concat(), 1056),
        "its sealed length is none of the thirteen",
    );
    assert_eq!(
        open(&[&sealed[..], &[0; 256]].concat(), 1056),
        Err(Error::ManifestOpen)
    );
}

#[test]
fn another_key_fails_at_the_commitment() {
    let sealed = sealed();
    assert_eq!(
        Manifest::open(&sealed, 1056, &keys(2), NFC),
        Err(Error::ManifestOpen)
    );
    // With the other key's commitment in its place it fails at the tag.
    let mut grafted = keys(2).commitment().to_vec();
    grafted.extend_from_slice(&sealed[32..]);
    assert_eq!(
        Manifest::open(&grafted, 1056, &keys(2), NFC),
        Err(Error::ManifestOpen)
    );
}
