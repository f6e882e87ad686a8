//! The key schedule: every key, proof and verifier of a transfer, out of its link and passphrase. Never prints a key.

use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::error::{Error, Result};
use crate::hazmat::{Prk, sha256};
use crate::link::Link;
use crate::passphrase::Passphrase;

const ID_LABEL: &[u8] = b"onetimeshare/v1 id";
const LINK_SALT: &[u8] = b"onetimeshare/v1 link";
const ROOT_SALT: &[u8] = b"onetimeshare/v1 root";

/// `H(secret)`: what a server keeps of a proof or token, and cannot turn back.
pub fn derive_verifier(secret: &[u8; 32]) -> [u8; 32] {
    sha256(&[secret])
}

/// First 16 bytes of `H("onetimeshare/v1 id" ‖ link_verifier)`: self-certifying, so an id cannot be squatted.
pub fn derive_transfer_id(link_verifier: &[u8; 32]) -> [u8; 16] {
    let [id @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] =
        sha256(&[ID_LABEL, link_verifier]);
    id
}

/// What follows from the link alone, before any passphrase: enough to ask the server what the transfer is.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct LinkKeys {
    link_proof: [u8; 32],
    passphrase_salt: [u8; 16],
    #[zeroize(skip)]
    link_verifier: [u8; 32],
    #[zeroize(skip)]
    transfer_id: [u8; 16],
}

impl LinkKeys {
    /// `prk_link = Extract("onetimeshare/v1 link", V ‖ S)`, expanded under the labels `link proof` and
    /// `passphrase salt`.
    pub fn derive(link: &Link) -> Self {
        let prk = Prk::extract(LINK_SALT, &[&[link.version_byte()], link.key().as_bytes()]);
        let link_proof = prk.expand(b"link proof");
        let link_verifier = derive_verifier(&link_proof);
        Self {
            link_proof: *link_proof,
            passphrase_salt: *prk.expand(b"passphrase salt"),
            link_verifier,
            transfer_id: derive_transfer_id(&link_verifier),
        }
    }

    /// Proves to the server that its sender holds the link.
    pub const fn link_proof(&self) -> &[u8; 32] {
        &self.link_proof
    }

    /// Argon2id's salt.
    pub const fn passphrase_salt(&self) -> &[u8; 16] {
        &self.passphrase_salt
    }

    /// `H(link_proof)`, kept by the server.
    pub const fn link_verifier(&self) -> &[u8; 32] {
        &self.link_verifier
    }

    /// The transfer's id in API paths.
    pub const fn transfer_id(&self) -> &[u8; 16] {
        &self.transfer_id
    }
}

impl fmt::Debug for LinkKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkKeys(..)")
    }
}

/// What follows from the link and its passphrase together: everything that opens something.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct RootKeys {
    access_proof: [u8; 32],
    commitment: [u8; 32],
    manifest_key: [u8; 32],
    file_key: [u8; 16],
}

impl RootKeys {
    /// `prk = Extract("onetimeshare/v1 root", V ‖ S ‖ P)`, expanded under the labels `access proof`, `commitment`,
    /// `manifest key` and `file key`; P is Argon2id of the passphrase, or empty.
    ///
    /// Fails with [`Error::PassphraseNeeded`] or [`Error::PassphraseUnexpected`] when link and passphrase do not go
    /// together. A wrong passphrase is no failure here: it makes keys that open nothing.
    pub fn derive(
        link: &Link,
        link_keys: &LinkKeys,
        passphrase: Option<&Passphrase>,
    ) -> Result<Self> {
        let stretched = match (link.needs_passphrase(), passphrase) {
            (true, Some(passphrase)) => {
                Zeroizing::new(passphrase.stretch(link_keys.passphrase_salt()).to_vec())
            }
            (true, None) => return Err(Error::PassphraseNeeded),
            (false, Some(_)) => return Err(Error::PassphraseUnexpected),
            (false, None) => Zeroizing::default(),
        };
        let prk = Prk::extract(
            ROOT_SALT,
            &[&[link.version_byte()], link.key().as_bytes(), &stretched],
        );
        Ok(Self {
            access_proof: *prk.expand(b"access proof"),
            commitment: *prk.expand(b"commitment"),
            manifest_key: *prk.expand(b"manifest key"),
            file_key: *prk.expand(b"file key"),
        })
    }

    /// Proves to the server that its sender holds the link and the right passphrase.
    pub const fn access_proof(&self) -> &[u8; 32] {
        &self.access_proof
    }

    /// `H(access_proof)`, kept by the server.
    pub fn access_verifier(&self) -> [u8; 32] {
        derive_verifier(&self.access_proof)
    }

    /// Starts a sealed manifest and binds it to this key.
    pub const fn commitment(&self) -> &[u8; 32] {
        &self.commitment
    }

    /// Seals the manifest. **One manifest per key, never rewritten.**
    pub const fn manifest_key(&self) -> &[u8; 32] {
        &self.manifest_key
    }

    /// Seals the body: an age file key.
    pub const fn file_key(&self) -> FileKey {
        FileKey(self.file_key)
    }
}

impl fmt::Debug for RootKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootKeys(..)")
    }
}

/// An age file key, 16 bytes. Wiped on drop, never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct FileKey([u8; 16]);

impl FileKey {
    /// A file key that came from elsewhere, such as an age header.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes, for who wraps them into an age header.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileKey(..)")
    }
}

/// An owner's or claimant's token: 32 random bytes that are unrelated to the link. Wiped on drop, never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Token([u8; 32]);

impl Token {
    /// **The bytes must come from a cryptographic generator.**
    pub const fn from_random(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for the `Authorization` field.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// `H(token)`, kept by the server.
    pub fn verifier(&self) -> [u8; 32] {
        derive_verifier(&self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::LinkKey;

    fn passphrase() -> Passphrase {
        Passphrase::new("x", &str::to_owned).expect("short")
    }

    #[test]
    fn link_and_passphrase_must_go_together() {
        for (needs_passphrase, passphrase, expected) in [
            (false, Some(passphrase()), Error::PassphraseUnexpected),
            (true, None, Error::PassphraseNeeded),
        ] {
            let link = Link::new(LinkKey::from_random([1; 32]), needs_passphrase);
            let refused =
                RootKeys::derive(&link, &LinkKeys::derive(&link), passphrase.as_ref()).err();
            assert_eq!(refused, Some(expected));
        }
    }

    #[test]
    fn the_passphrase_bit_separates_the_keys() {
        let [plain, locked] = [false, true]
            .map(|bit| LinkKeys::derive(&Link::new(LinkKey::from_random([1; 32]), bit)));
        assert_ne!(plain.link_proof(), locked.link_proof());
        assert_ne!(plain.transfer_id(), locked.transfer_id());
    }

    #[test]
    fn debug_prints_nothing_of_any_key() {
        let link = Link::new(LinkKey::from_random([1; 32]), false);
        let link_keys = LinkKeys::derive(&link);
        let keys = RootKeys::derive(&link, &link_keys, None).expect("it takes no passphrase");
        let token = Token::from_random([1; 32]);
        let shown = format!("{link_keys:?} {keys:?} {:?} {token:?}", keys.file_key());
        assert_eq!(shown, "LinkKeys(..) RootKeys(..) FileKey(..) Token(..)");
    }
}
