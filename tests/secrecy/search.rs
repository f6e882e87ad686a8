//! Looks for thousands of secrets at once, each in every form that a program could have given it. A piece is enough: what is sought
//! are the first and the last 16 bytes of each form (all of a shorter one), so that half of a freed buffer is found as well.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// How many bytes of each end of a form are sought. By chance none of them stands anywhere.
const PIECE_LEN: usize = 16;

/// Something that must not be found.
#[derive(Clone, Debug)]
pub(crate) struct Needle {
    /// What it is, which may be printed.
    pub(crate) name: &'static str,
    pub(crate) bytes: Vec<u8>,
}

impl Needle {
    pub(crate) fn new(name: &'static str, bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        assert!(
            bytes.len() >= 12,
            "{name} is too short to be told from chance"
        );
        Self { name, bytes }
    }
}

/// Looks for all of some needles.
pub(crate) struct Search {
    automaton: AhoCorasick,
    names: Vec<&'static str>,
}

impl Search {
    pub(crate) fn new<'a>(needles: impl IntoIterator<Item = &'a Needle>) -> Self {
        let mut pieces = BTreeSet::new();
        for needle in needles {
            for form in forms(&needle.bytes) {
                let len = PIECE_LEN.min(form.len());
                let ends = [&form[..len], &form[form.len() - len..]];
                pieces.extend(ends.map(|piece| (piece.to_owned(), needle.name)));
            }
        }
        let (pieces, names): (Vec<_>, _) = pieces.into_iter().unzip();
        let automaton = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(pieces);
        Self {
            automaton: automaton.unwrap(),
            names,
        }
    }

    /// How many pieces are sought.
    pub(crate) fn piece_count(&self) -> usize {
        self.names.len()
    }

    /// What of it stands in `bytes`.
    pub(crate) fn found_in(&self, bytes: &[u8]) -> BTreeSet<&'static str> {
        let found = self.automaton.find_iter(bytes);
        found
            .map(|found| self.names[found.pattern().as_usize()])
            .collect()
    }
}

/// Bytes as they are, as hex of both cases, as base64 of both alphabets at any place of a longer text, as numbers in a list, as
/// a program escapes them, and as UTF-16.
fn forms(bytes: &[u8]) -> Vec<Vec<u8>> {
    let numbers: Vec<_> = bytes.iter().map(u8::to_string).collect();
    let mut forms = vec![
        bytes.to_owned(),
        hex::encode(bytes).into_bytes(),
        hex::encode_upper(bytes).into_bytes(),
        numbers.join(", ").into_bytes(),
        numbers.join(",").into_bytes(),
        bytes.escape_ascii().to_string().into_bytes(),
    ];
    for before in 0..3 {
        forms.extend(base64_behind(before, bytes));
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let mut wide: Vec<_> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        // Without its last byte it is the same whichever byte comes first.
        wide.pop();
        forms.push(wide);
    }
    forms
}

/// The characters that `bytes` alone decide, where so many others stand before it in what is encoded.
fn base64_behind(before: usize, bytes: &[u8]) -> [Vec<u8>; 2] {
    let whole = [&vec![0; before], bytes].concat();
    let first = (before * 8).div_ceil(6);
    let end = whole.len() * 8 / 6;
    [
        STANDARD_NO_PAD.encode(&whole),
        URL_SAFE_NO_PAD.encode(&whole),
    ]
    .map(|text| text.as_bytes()[first..end].to_owned())
}

#[test]
fn every_form_is_found_in_whatever_stands_around_it() {
    let secret: Vec<u8> = (200..232).collect();
    let name = b"a name of some length".to_vec();
    let search = Search::new(&[
        Needle::new("secret", secret.clone()),
        Needle::new("name", name.clone()),
    ]);
    let check = |text: &[u8], expected: &str| {
        let found = search.found_in(text);
        assert!(
            found.contains(expected),
            "{expected}: {}",
            text.escape_ascii()
        );
    };
    for (bytes, expected) in [(&secret, "secret"), (&name, "name")] {
        for before in 0..7 {
            for after in 0..4 {
                let whole = [&vec![1; before], &bytes[..], &vec![2; after]].concat();
                check(&whole, expected);
                check(hex::encode(&whole).as_bytes(), expected);
                check(hex::encode_upper(&whole).as_bytes(), expected);
                check(STANDARD_NO_PAD.encode(&whole).as_bytes(), expected);
                check(URL_SAFE_NO_PAD.encode(&whole).as_bytes(), expected);
                check(format!("{whole:?}").as_bytes(), expected);
                check(whole.escape_ascii().to_string().as_bytes(), expected);
            }
        }
        check(&bytes[..16], expected);
        check(&bytes[bytes.len() - 16..], expected);
    }
    let wide = |swap: fn(u16) -> [u8; 2]| -> Vec<u8> {
        let units = "xa name of some length.".encode_utf16();
        units.flat_map(swap).collect()
    };
    check(&wide(u16::to_le_bytes), "name");
    check(&wide(u16::to_be_bytes), "name");
    assert!(search.found_in(&[200; 1000]).is_empty());
    let short = Search::new(&[Needle::new("short", "203.0.113.207")]);
    assert!(short.found_in(b"from 203.0.113.207:80").contains("short"));
    assert!(short.found_in(b"from 203.0.113.20").is_empty());
}
