//! The raw primitives, each a thin call of one crate. Chooses no key, nonce or label: the modules above do.

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce, Tag};
use hkdf::{Hkdf, HkdfExtract};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use crate::error::{Error, Result};

/// `H(a ‖ b ‖ …)`, SHA-256 (FIPS 180-4) over the parts joined.
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// A pseudorandom key of HKDF-SHA256, ready to expand.
pub(crate) struct Prk(Hkdf<Sha256>);

impl Prk {
    /// `Extract(salt, ikm_0 ‖ ikm_1 ‖ …)`, RFC 5869 section 2.2.
    pub(crate) fn extract(salt: &[u8], ikm: &[&[u8]]) -> Self {
        let mut extract = HkdfExtract::<Sha256>::new(Some(salt));
        for part in ikm {
            extract.input_ikm(part);
        }
        let (mut prk, hkdf) = extract.finalize();
        prk.as_mut_slice().zeroize();
        Self(hkdf)
    }

    /// `Expand(prk, label, N)`, RFC 5869 section 2.3.
    pub(crate) fn expand<const N: usize>(&self, label: &[u8]) -> Zeroizing<[u8; N]> {
        let mut okm = Zeroizing::new([0; N]);
        self.expand_into(label, okm.as_mut_slice())
            .expect("no key here is longer than 255 hashes");
        okm
    }

    /// The same of any length; fails beyond 255 hashes.
    fn expand_into(
        &self,
        label: &[u8],
        okm: &mut [u8],
    ) -> core::result::Result<(), hkdf::InvalidLength> {
        self.0.expand(label, okm)
    }
}

/// ChaCha20-Poly1305 (RFC 8439) under one key, wiped on drop.
pub(crate) struct Aead(ChaCha20Poly1305);

impl Aead {
    /// **Never seal twice under one (key, nonce).**
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(ChaCha20Poly1305::new(key.into()))
    }

    /// Seals `buffer` where it stands. -> the tag.
    pub(crate) fn seal(&self, nonce: [u8; 12], aad: &[u8], buffer: &mut [u8]) -> [u8; 16] {
        self.0
            .encrypt_inout_detached(&Nonce::from(nonce), aad, buffer.into())
            .expect("nothing here comes near the 256 GiB that one nonce may seal")
            .into()
    }

    /// Verifies, then opens `buffer` where it stands; leaves it as it was, and says nothing but `refusal`, otherwise.
    pub(crate) fn open(
        &self,
        nonce: [u8; 12],
        aad: &[u8],
        buffer: &mut [u8],
        tag: [u8; 16],
        refusal: Error,
    ) -> Result<()> {
        self.0
            .decrypt_inout_detached(&Nonce::from(nonce), aad, buffer.into(), &Tag::from(tag))
            .map_err(|_| refusal)
    }
}

#[cfg(test)]
mod tests;
