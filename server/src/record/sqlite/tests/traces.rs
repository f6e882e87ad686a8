//! Looks for many secrets in many files at once, in every form in which they could have been written. It needs nothing of the
//! server, so that a test of the whole program can include it.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Bytes of a needle that are looked up before the rest of it is compared.
const HEAD_LEN: usize = 16;

/// Bytes of a long secret that are looked for, and how far from one such piece it is to the next. A multiple of three, so that
/// a piece looks the same in base64 wherever it lies.
const PIECE_LEN: usize = 48;
const PIECE_STEP: usize = 240;

/// What is looked for.
#[derive(Default)]
pub(crate) struct Traces {
    by_head: HashMap<[u8; HEAD_LEN], Vec<Needle>>,
    /// How those begin: most places of a file are passed over by two bytes.
    beginnings: HashSet<[u8; 2]>,
}

struct Needle {
    bytes: Vec<u8>,
    name: String,
}

impl Traces {
    /// Looks for a proof, a token or ciphertext, at least 32 bytes: as it is, in base64url and in hexadecimal. Of a long one,
    /// any piece counts.
    pub(crate) fn add(&mut self, name: &str, secret: &[u8]) {
        assert!(secret.len() >= 32, "too short to be told from chance");
        for start in (0..secret.len()).step_by(PIECE_STEP) {
            let piece = &secret[start..secret.len().min(start + PIECE_LEN)];
            if piece.len() < 32 {
                continue;
            }
            self.add_needle(name, piece.to_owned());
            self.add_needle(name, URL_SAFE_NO_PAD.encode(piece).into_bytes());
            self.add_needle(name, hex(piece).into_bytes());
        }
    }

    /// Looks for 16 bytes as they are.
    pub(crate) fn add_short(&mut self, name: &str, bytes: &[u8; HEAD_LEN]) {
        self.add_needle(name, bytes.to_vec());
    }

    fn add_needle(&mut self, name: &str, bytes: Vec<u8>) {
        self.beginnings.insert(*bytes.first_chunk().unwrap());
        let head = *bytes.first_chunk().unwrap();
        let name = name.to_owned();
        let needles = self.by_head.entry(head).or_default();
        needles.push(Needle { bytes, name });
    }

    /// Names of those that lie in `bytes`.
    pub(crate) fn in_bytes(&self, bytes: &[u8]) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        let mut is_beginning = vec![false; 1 << 16];
        for [first, second] in &self.beginnings {
            is_beginning[usize::from(*first) << 8 | usize::from(*second)] = true;
        }
        for (start, head) in bytes.windows(HEAD_LEN).enumerate() {
            if !is_beginning[usize::from(head[0]) << 8 | usize::from(head[1])] {
                continue;
            }
            let needles = self.by_head.get(head).into_iter().flatten();
            let here = needles.filter(|needle| bytes[start..].starts_with(&needle.bytes));
            found.extend(here.map(|needle| needle.name.as_str()));
        }
        found
    }

    /// Names of those that lie in any file of a folder, or in a name there.
    pub(crate) fn in_folder(&self, folder: &Path) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            found.extend(self.in_bytes(entry.file_name().as_encoded_bytes()));
            if entry.file_type().unwrap().is_dir() {
                found.extend(self.in_folder(&entry.path()));
            } else {
                found.extend(self.in_bytes(&fs::read(entry.path()).unwrap()));
            }
        }
        found
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

#[test]
fn every_form_of_a_secret_is_found() {
    let secret: Vec<u8> = (0..=255).collect();
    let mut traces = Traces::default();
    traces.add("secret", &secret);
    let is_found = |bytes: &[u8]| !traces.in_bytes(bytes).is_empty();
    assert!(is_found(&[&[7; 9], &secret[..50]].concat()));
    assert!(is_found(hex(&secret).as_bytes()));
    assert!(is_found(URL_SAFE_NO_PAD.encode(&secret).as_bytes()));
    assert!(!is_found(&secret[1..50]));
    assert!(!is_found(b"short"));
}
