//! The record of every chunk's tag: two plaintexts can never be sealed as one chunk. Never filled by a server.

use crate::error::{Error, Result};

/// Tags by chunk index, kept from the first time a chunk is sealed.
#[derive(Default)]
pub(super) struct TagRecord(Vec<Option<[u8; 16]>>);

impl TagRecord {
    /// Records the tag of chunk `index`, or compares it with the recorded one: [`Error::BodyChanged`] if they differ.
    pub(super) fn keep(&mut self, index: usize, tag: [u8; 16]) -> Result<()> {
        if self.0.len() <= index {
            self.0.resize(index + 1, None);
        }
        let recorded = self.0.get_mut(index).map(|slot| *slot.get_or_insert(tag));
        if recorded == Some(tag) {
            Ok(())
        } else {
            Err(Error::BodyChanged)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_kept_forever() {
        let mut tags = TagRecord::default();
        assert_eq!(tags.keep(7, [1; 16]), Ok(()));
        assert_eq!(tags.keep(0, [0; 16]), Ok(()));
        assert_eq!(tags.keep(7, [1; 16]), Ok(()));
        assert_eq!(tags.keep(7, [2; 16]), Err(Error::BodyChanged));
        assert_eq!(tags.keep(7, [1; 16]), Ok(()), "a refusal changes nothing");
        assert_eq!(tags.keep(0, [1; 16]), Err(Error::BodyChanged));
    }
}
