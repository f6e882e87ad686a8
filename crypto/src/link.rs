//! The link's fragment: made, read, and refused when damaged. Derives no key and knows no host.

use core::fmt;

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::base64url::{decode_base64url, encode_base64url};
use crate::error::{Error, Result};
use crate::hazmat::sha256;

/// Bits 0 to 6 of a fragment's first byte: the version of the format.
pub const VERSION: u8 = 1;
/// Characters of a fragment, in this and every later version.
pub const FRAGMENT_LEN: usize = 48;

/// Bit 7 of a fragment's first byte: a passphrase is needed.
const PASSPHRASE_BIT: u8 = 0x80;
const CHECK_LABEL: &[u8] = b"onetimeshare check";

/// S: the 32 random bytes that are all a link holds. Wiped on drop, never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct LinkKey([u8; 32]);

impl LinkKey {
    /// **The bytes must come from a cryptographic generator and serve one transfer only.**
    pub const fn from_random(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkKey(..)")
    }
}

/// A link: its key, and whether a passphrase is needed besides.
#[derive(Debug, Clone)]
pub struct Link {
    key: LinkKey,
    needs_passphrase: bool,
}

impl Link {
    /// A link of this version around a fresh key.
    pub const fn new(key: LinkKey, needs_passphrase: bool) -> Self {
        Self {
            key,
            needs_passphrase,
        }
    }

    /// Reads `b64(V ‖ S ‖ check)`, without the `#`.
    ///
    /// Refuses in the order that every version keeps: [`Error::LinkDamaged`] for the length or base64, then for the
    /// check; [`Error::LinkVersion`] last, so that a whole link of a later version is never called damaged.
    pub fn parse_fragment(fragment: &str) -> Result<Self> {
        if fragment.len() != FRAGMENT_LEN {
            return Err(Error::LinkDamaged("it has not 48 characters after the #"));
        }
        let bytes = decode_base64url(fragment).map(Zeroizing::new);
        let bytes = bytes.ok_or(Error::LinkDamaged(
            "it has characters that base64url has not",
        ))?;
        let [version, rest @ ..] = bytes.as_slice() else {
            return Err(Error::LinkDamaged("it is empty"));
        };
        let Some((key, sum)) = rest.split_first_chunk::<32>() else {
            return Err(Error::LinkDamaged("it is too short"));
        };
        if !bool::from(sum.ct_eq(&check(*version, key))) {
            return Err(Error::LinkDamaged("its check does not match"));
        }
        if version & !PASSPHRASE_BIT != VERSION {
            return Err(Error::LinkVersion(version & !PASSPHRASE_BIT));
        }
        Ok(Self {
            key: LinkKey(*key),
            needs_passphrase: version & PASSPHRASE_BIT != 0,
        })
    }

    /// `b64(V ‖ S ‖ check)`, always [`FRAGMENT_LEN`] characters. It is the whole secret of a link without passphrase.
    pub fn to_fragment(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(36));
        bytes.push(self.version_byte());
        bytes.extend_from_slice(self.key.as_bytes());
        bytes.extend_from_slice(&check(self.version_byte(), self.key.as_bytes()));
        Zeroizing::new(encode_base64url(&bytes))
    }

    /// Whether the link opens only together with a passphrase (bit 7 of V).
    pub const fn needs_passphrase(&self) -> bool {
        self.needs_passphrase
    }

    /// V.
    pub(crate) const fn version_byte(&self) -> u8 {
        if self.needs_passphrase {
            VERSION | PASSPHRASE_BIT
        } else {
            VERSION
        }
    }

    pub(crate) const fn key(&self) -> &LinkKey {
        &self.key
    }
}

/// First 3 bytes of `H("onetimeshare check" ‖ V ‖ S)`, the same in every version.
fn check(version: u8, key: &[u8; 32]) -> [u8; 3] {
    let [a, b, c, ..] = sha256(&[CHECK_LABEL, &[version], key]);
    [a, b, c]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fragment_of(version: u8, key: &[u8; 32]) -> String {
        encode_base64url(&[&[version], &key[..], &check(version, key)].concat())
    }

    fn refusal(fragment: &str) -> &'static str {
        Link::parse_fragment(fragment)
            .expect_err("it must be refused")
            .code()
    }

    #[test]
    fn fragment_survives_the_round_trip() {
        for needs_passphrase in [false, true] {
            let fragment = Link::new(LinkKey::from_random([7; 32]), needs_passphrase).to_fragment();
            assert_eq!(fragment.len(), FRAGMENT_LEN);
            let link = Link::parse_fragment(&fragment).expect("it was made just now");
            assert_eq!(link.needs_passphrase(), needs_passphrase);
            assert_eq!(link.key().as_bytes(), &[7; 32]);
        }
    }

    #[test]
    fn every_changed_character_is_damage() {
        let fragment = Link::new(LinkKey::from_random([7; 32]), false).to_fragment();
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=. ";
        let mut missed = 0;
        for (index, kept) in fragment.char_indices() {
            for other in alphabet.chars().filter(|other| *other != kept) {
                let mut changed: Vec<char> = fragment.chars().collect();
                changed[index] = other;
                let changed: String = changed.into_iter().collect();
                // 24 bits of check miss one change in 16 million, and none of these 3264.
                missed += usize::from(refusal(&changed) != "link.damaged");
            }
        }
        assert_eq!(missed, 0);
    }

    #[test]
    fn every_other_length_is_damage() {
        let fragment = Link::new(LinkKey::from_random([7; 32]), false).to_fragment();
        for length in 0..FRAGMENT_LEN {
            assert_eq!(
                refusal(fragment.get(..length).expect("ASCII")),
                "link.damaged"
            );
        }
        assert_eq!(refusal(&format!("{}A", *fragment)), "link.damaged");
        assert_eq!(refusal(&format!("#{}", *fragment)), "link.damaged");
        assert_eq!(refusal(&"ä".repeat(24)), "link.damaged");
        assert_eq!(refusal(&fragment.to_lowercase()), "link.damaged");
    }

    #[test]
    fn other_versions_are_told_from_damage() {
        for version in (0..=255).filter(|version| version & !PASSPHRASE_BIT != VERSION) {
            let refused = Link::parse_fragment(&fragment_of(version, &[9; 32])).err();
            assert_eq!(refused, Some(Error::LinkVersion(version & 0x7f)));
        }
    }

    #[test]
    fn debug_prints_nothing_of_the_key() {
        let link = Link::new(LinkKey::from_random([0xab; 32]), false);
        assert_eq!(
            format!("{link:?}"),
            "Link { key: LinkKey(..), needs_passphrase: false }"
        );
    }
}
