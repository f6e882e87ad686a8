//! Manifests: sealed ones that nobody sealed, texts that somebody with the key has written, and whole ones on their way there and back.

use std::collections::HashSet;
use std::sync::LazyLock;

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use onetimeshare_crypto::manifest::clean_name;
use onetimeshare_crypto::{Entry, Kind, Link, LinkKey, LinkKeys, Manifest, RootKeys};
use unicode_normalization::UnicodeNormalization as _;

/// The most bytes of a text that are sealed in its place: no rule begins beyond.
const SEALED_LEN_MAX: usize = 1 << 16;

static KEYS: LazyLock<RootKeys> = LazyLock::new(|| {
    let link = Link::new(LinkKey::from_random([7; 32]), false);
    RootKeys::derive(&link, &LinkKeys::derive(&link), None).expect("the link takes no passphrase")
});

/// The bytes as a sealed manifest, as the text of one, as its padded text, and as the name of a file.
pub fn manifest(bytes: &[u8]) {
    for body_len in [0, 1056] {
        let opened = Manifest::open(bytes, body_len, &KEYS, &nfc);
        assert!(opened.is_err(), "nobody has sealed it");
    }
    let parsed = Manifest::parse_json(bytes, &nfc);
    if let Ok(manifest) = &parsed {
        check_rules(manifest);
        check_round_trip(manifest, bytes.len());
    }
    check_padded(bytes);
    check_cleaning(bytes);
}

/// The rules of section 3, said another way.
fn check_rules(manifest: &Manifest) {
    let entries = manifest.entries();
    assert!((1..=10_000).contains(&entries.len()));
    let is_text = manifest.kind() == Kind::Text;
    assert!(!is_text || entries.len() == 1, "a text is one");
    let sum: u128 = entries.iter().map(|entry| u128::from(entry.size)).sum();
    assert!(sum <= 1 << 40 && u128::from(manifest.layout().content_len()) == sum);
    let names: Vec<String> = entries
        .iter()
        .map(|entry| entry.name.nfc().collect())
        .collect();
    let distinct: HashSet<&String> = names.iter().collect();
    assert_eq!(distinct.len(), names.len(), "two entries of one name");
    for Entry { name, .. } in entries {
        assert!(
            is_plain(name) || (is_text && name.is_empty()),
            "a name that may not stand: {name:?}"
        );
    }
    for (name, folder) in names
        .iter()
        .flat_map(|name| names.iter().map(move |folder| (name, folder)))
        .take(100_000)
    {
        assert!(
            !name.starts_with(&format!("{folder}/")),
            "a file that is a folder: {folder:?}"
        );
    }
}

/// Whether nothing in a name leads anywhere, or shows it as what it is not.
fn is_plain(name: &str) -> bool {
    let refused = |letter: char| {
        let code = u32::from(letter);
        code < 0x20
            || (0x7f..0xa0).contains(&code)
            || (0x2028..=0x202e).contains(&code)
            || (0x2066..=0x2069).contains(&code)
            || [0x5c, 0x61c, 0x200e, 0x200f].contains(&code)
    };
    let mut components = name.split('/');
    name.len() <= 1024
        && !name.contains(refused)
        && components
            .all(|component| !["", ".", ".."].contains(&component) && component.len() <= 255)
}

/// Written and read again it is the same; so it is sealed and opened; and nothing else opens.
fn check_round_trip(manifest: &Manifest, seed: usize) {
    let text = manifest.to_json();
    assert_eq!(
        Manifest::parse_json(text.as_bytes(), &nfc).as_ref(),
        Ok(manifest)
    );
    let Ok(sealed) = manifest.seal(&KEYS) else {
        assert!(text.len() > 1 << 20, "only what is too long is not sealed");
        return;
    };
    let body_len = manifest.layout().body_len();
    assert!((sealed.len() - 48).is_power_of_two() && sealed.len() >= 48 + 256);
    assert_eq!(
        Manifest::open(&sealed, body_len, &KEYS, &nfc).as_ref(),
        Ok(manifest)
    );
    assert!(Manifest::open(&sealed, body_len + 1, &KEYS, &nfc).is_err());
    let mut altered = sealed;
    let at = seed * 31 % altered.len();
    if let Some(byte) = altered.get_mut(at) {
        *byte ^= 1 << (seed % 8);
    }
    assert!(Manifest::open(&altered, body_len, &KEYS, &nfc).is_err());
}

/// Whoever has the link can seal any text, with any padding: what is opened must be what reading the text alone gives, and the
/// padding the one that every client makes.
fn check_padded(bytes: &[u8]) {
    if bytes.len() > SEALED_LEN_MAX {
        return;
    }
    let mut padded = bytes.to_vec();
    check_opened(&padded);
    padded.resize(bytes.len().max(256).next_power_of_two(), 0);
    check_opened(&padded);
    padded.resize(padded.len() * 2, 0);
    check_opened(&padded);
}

fn check_opened(padded: &[u8]) {
    let text_len = padded.len() - padded.iter().rev().take_while(|byte| **byte == 0).count();
    let parsed = padded
        .get(..text_len)
        .and_then(|text| Manifest::parse_json(text, &nfc).ok());
    let is_padded_well = [256, 512, 1024].contains(&padded.len())
        || (padded.len().is_power_of_two() && padded.len() > 1024);
    let is_smallest = padded.len() == 256 || text_len > padded.len() / 2;
    let body_len = parsed
        .as_ref()
        .map_or(1056, |manifest| manifest.layout().body_len());
    let opened = Manifest::open(&sealed(padded), body_len, &KEYS, &nfc);
    let expected = parsed.filter(|_| is_padded_well && is_smallest);
    assert_eq!(opened.ok(), expected);
}

/// Sealed by the cipher alone, past every rule.
fn sealed(padded: &[u8]) -> Vec<u8> {
    let key = Key::from(*KEYS.manifest_key());
    let payload = Payload {
        msg: padded,
        aad: KEYS.commitment(),
    };
    let sealed = ChaCha20Poly1305::new(&key)
        .encrypt(&Nonce::default(), payload)
        .expect("it is shorter than the cipher's limit");
    [&KEYS.commitment()[..], &sealed].concat()
}

/// A name of any units is cleaned to one that may stand, and that stays as it is.
fn check_cleaning(bytes: &[u8]) {
    let units = bytes
        .chunks_exact(2)
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    let as_text = String::from_utf8_lossy(bytes);
    for cleaned in [clean_name(units), clean_name(as_text.encode_utf16())] {
        assert!(is_plain(&cleaned), "{cleaned:?}");
        assert_eq!(clean_name(cleaned.encode_utf16()), cleaned);
        let entry = Entry {
            name: cleaned,
            media_type: String::new(),
            size: 0,
        };
        Manifest::new(Kind::Files, vec![entry], &nfc).expect("a cleaned name may stand");
    }
}

fn nfc(text: &str) -> String {
    text.nfc().collect()
}
