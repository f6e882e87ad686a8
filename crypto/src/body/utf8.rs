//! Whether a text that arrives in pieces is UTF-8. Keeps no more of it than an unfinished character.

use zeroize::Zeroizing;

use crate::error::{Error, Result};

/// Holds the at most 3 bytes of a character that the next piece must finish.
#[derive(Default)]
pub(super) struct Utf8Check {
    begun: Zeroizing<Vec<u8>>,
}

impl Utf8Check {
    /// Checks the next piece; [`Error::BodyOpen`] as soon as no continuation could make the text valid.
    pub(super) fn push(&mut self, piece: &[u8]) -> Result<()> {
        let mut joined = core::mem::take(&mut self.begun);
        joined.extend_from_slice(piece);
        match core::str::from_utf8(&joined) {
            Ok(_) => Ok(()),
            Err(error) if error.error_len().is_none() => {
                self.begun = Zeroizing::new(
                    joined
                        .get(error.valid_up_to()..)
                        .unwrap_or_default()
                        .to_vec(),
                );
                Ok(())
            }
            Err(_) => Err(Error::BodyOpen),
        }
    }

    /// Whether the text could end here.
    pub(super) fn is_whole(&self) -> bool {
        self.begun.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_may_be_cut_anywhere() {
        let text = "aé日😀\u{feff}".as_bytes();
        for step in 1..=text.len() {
            let mut check = Utf8Check::default();
            for piece in text.chunks(step) {
                assert_eq!(check.push(piece), Ok(()), "in steps of {step}");
            }
            assert!(check.is_whole());
        }
    }

    #[test]
    fn an_unfinished_character_is_not_whole() {
        let mut check = Utf8Check::default();
        assert_eq!(
            check.push("a😀".as_bytes().get(..4).expect("five bytes")),
            Ok(())
        );
        assert!(!check.is_whole());
        assert_eq!(check.push(b"a"), Err(Error::BodyOpen));
    }

    #[test]
    fn what_is_not_utf8_is_refused_at_once() {
        for piece in [
            &b"a\xff"[..],
            b"\xc0\x80",
            b"\xed\xa0\x80",
            b"\xf5",
            b"\x80",
        ] {
            assert_eq!(
                Utf8Check::default().push(piece),
                Err(Error::BodyOpen),
                "{piece:x?}"
            );
        }
    }
}
