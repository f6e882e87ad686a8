//! A passphrase and what it adds to the root key. Never trims or folds it, never keeps or prints it.

use core::fmt;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::normalise::{Nfc, normalise};

/// The most bytes of a passphrase, as UTF-8 after NFC.
pub const PASSPHRASE_LEN_MAX: usize = 1024;

/// Argon2id's memory in KiB (m), its passes (t) and its lanes (p). Version 1 fixes them.
const MEMORY_KIB: u32 = 65_536;
const PASSES: u32 = 3;
const LANES: u32 = 1;
/// Bytes that come out of it.
const STRETCHED_LEN: usize = 32;

/// A passphrase in NFC, wiped on drop. An empty one is a passphrase too: that an empty field means none is for the
/// pages and prompts to decide.
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// Normalises; fails with [`Error::PassphraseTooLong`] beyond [`PASSPHRASE_LEN_MAX`] bytes after that.
    pub fn new(text: &str, nfc: Nfc<'_>) -> Result<Self> {
        let normalised = Zeroizing::new(normalise(text, nfc));
        if normalised.len() > PASSPHRASE_LEN_MAX {
            return Err(Error::PassphraseTooLong);
        }
        Ok(Self(normalised))
    }

    /// `P = Argon2id(password = NFC(passphrase), salt, m = 65536 KiB, t = 3, p = 1)`, 32 bytes; RFC 9106, version 0x13.
    ///
    /// Takes 64 MiB, wiped afterwards, and a good part of a second.
    pub(crate) fn stretch(&self, salt: &[u8; 16]) -> Zeroizing<[u8; STRETCHED_LEN]> {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(STRETCHED_LEN))
            .expect("the constants are in range");
        let mut memory = Zeroizing::new(vec![Block::new(); params.block_count()]);
        let mut stretched = Zeroizing::new([0; STRETCHED_LEN]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(
                self.0.as_bytes(),
                salt,
                stretched.as_mut_slice(),
                memory.as_mut_slice(),
            )
            .expect("password, salt, output and memory have lengths that Argon2 takes");
        stretched
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

#[cfg(test)]
mod tests {
    use argon2::{AssociatedData, ParamsBuilder};
    use hex_literal::hex;

    use super::*;

    #[test]
    fn argon2id_gives_the_vector_of_rfc_9106_section_5_3() {
        let mut params = ParamsBuilder::new();
        params.m_cost(32).t_cost(3).p_cost(4).output_len(32);
        params.data(AssociatedData::new(&[4; 12]).expect("short"));
        let params = params.build().expect("in range");
        let mut tag = [0; 32];
        Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params)
            .expect("a short secret")
            .hash_password_into(&[1; 32], &[2; 16], &mut tag)
            .expect("in range");
        assert_eq!(
            tag,
            hex!("0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659")
        );
    }

    #[test]
    fn length_is_counted_in_bytes_after_nfc() {
        let nfc: Nfc<'_> = &|text| text.replace("e\u{301}", "\u{e9}");
        assert!(Passphrase::new(&"a".repeat(1024), nfc).is_ok());
        assert_eq!(
            Passphrase::new(&"a".repeat(1025), nfc).err(),
            Some(Error::PassphraseTooLong)
        );
        // 1536 bytes as typed, 1024 as normalised; and one more.
        assert!(Passphrase::new(&"e\u{301}".repeat(512), nfc).is_ok());
        assert_eq!(
            Passphrase::new(&"e\u{301}".repeat(513), nfc).err(),
            Some(Error::PassphraseTooLong)
        );
    }

    #[test]
    fn debug_prints_nothing_of_it() {
        let passphrase = Passphrase::new("hunter2", &str::to_owned).expect("short");
        assert_eq!(format!("{passphrase:?}"), "Passphrase(..)");
    }
}
