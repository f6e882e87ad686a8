//! Links: what somebody pastes, cut short, re-cased or made up, against a second reading of the format (specification, section 1).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use onetimeshare_crypto::{Error, Link, LinkKey};
use sha2::{Digest as _, Sha256};

/// What a fragment is.
#[derive(Debug, PartialEq, Eq)]
enum Reading {
    /// A link of this version.
    Sound { needs_passphrase: bool },
    /// A whole link of another version.
    Other(u8),
    /// Anything else.
    Damaged,
}

/// The bytes as a fragment; and as what stands in one, which would never pass its check by itself, with changes to its characters.
pub fn link(bytes: &[u8]) {
    if let Ok(text) = str::from_utf8(bytes) {
        check(text);
    }
    let (content, changes) = bytes.split_at_checked(33).unwrap_or((bytes, &[]));
    let mut whole = [0; 33];
    for (place, byte) in whole.iter_mut().zip(content) {
        *place = *byte;
    }
    let mut fragment: Vec<char> = fragment_of(&whole).chars().collect();
    check(&fragment.iter().collect::<String>());
    for change in changes.chunks_exact(2).take(4) {
        if let [at, to] = *change {
            let at = usize::from(at) % fragment.len();
            fragment.splice(at..=at, [char::from(to)]);
            check(&fragment.iter().collect::<String>());
        }
    }
}

fn check(text: &str) {
    let (expected, key) = read(text);
    let found = match Link::parse_fragment(text) {
        Ok(link) => {
            assert_eq!(*link.to_fragment(), text, "a link has one form");
            let key = LinkKey::from_random(key.expect("a second reading that finds a link, too"));
            let made = Link::new(key, link.needs_passphrase());
            assert_eq!(*made.to_fragment(), text, "the key is the one that came");
            Reading::Sound {
                needs_passphrase: link.needs_passphrase(),
            }
        }
        Err(Error::LinkVersion(version)) => Reading::Other(version),
        Err(Error::LinkDamaged(_)) => Reading::Damaged,
        Err(other) => unreachable!("a link is damaged or of another version: {other}"),
    };
    assert_eq!(found, expected, "{text:?}");
}

/// The second reading, and the key that it finds.
fn read(text: &str) -> (Reading, Option<[u8; 32]>) {
    let bytes = URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
    let Ok(whole) = <[u8; 36]>::try_from(bytes) else {
        return (Reading::Damaged, None);
    };
    let [version, rest @ .., _, _, _] = whole;
    let mut content = [version; 33];
    for (place, byte) in content.iter_mut().skip(1).zip(rest) {
        *place = byte;
    }
    let reading = match version {
        _ if fragment_of(&content) != text => Reading::Damaged,
        0x01 => Reading::Sound {
            needs_passphrase: false,
        },
        0x81 => Reading::Sound {
            needs_passphrase: true,
        },
        _ => Reading::Other(version & 0x7f),
    };
    (reading, Some(rest))
}

/// The fragment of version and key, with its check.
fn fragment_of(content: &[u8; 33]) -> String {
    let sum = Sha256::new()
        .chain_update(b"onetimeshare check")
        .chain_update(content)
        .finalize();
    let bytes: Vec<u8> = content.iter().chain(sum.iter().take(3)).copied().collect();
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_reading_tells_links_apart() {
        let of = |version: u8| fragment_of(&[version; 33]);
        let sound = |needs_passphrase| Reading::Sound { needs_passphrase };
        assert_eq!(read(&of(1)).0, sound(false));
        assert_eq!(read(&of(0x81)).0, sound(true));
        assert_eq!(read(&of(2)).0, Reading::Other(2));
        assert_eq!(read(&of(1).to_lowercase()).0, Reading::Damaged);
        assert_eq!(read("").0, Reading::Damaged);
    }
}
