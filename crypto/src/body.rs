//! A transfer's body: its content padded and sealed part by part, opened byte by byte. Never releases padding, nor a
//! byte of a chunk that did not verify; never lets two plaintexts be sealed as one chunk.

use core::ops::Range;

use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::key::{FileKey, RootKeys};
use crate::manifest::{Kind, Manifest};
use crate::size::{BodyLayout, CHUNK_LEN, NONCE_LEN};
use crate::stream::PayloadKey;
use tags::TagRecord;
use utf8::Utf8Check;

mod tags;
mod utf8;

/// Seals `nonce ‖ chunk_0 ‖ … ‖ chunk_k-1` of content and padding, in any order of parts or chunks, as often as needed.
///
/// It records each chunk's tag before a byte of the chunk leaves. A chunk sealed again must give the recorded tag; if
/// not, [`Error::BodyChanged`]: **the caller must burn the transfer and make a new one, with a new link.** So must one
/// who has lost this value: the tags are never taken from a server.
pub struct BodySealer {
    key: PayloadKey,
    nonce: [u8; 16],
    layout: BodyLayout,
    tags: TagRecord,
}

impl BodySealer {
    /// **`nonce` must be 16 fresh random bytes.**
    pub fn new(keys: &RootKeys, nonce: [u8; 16], layout: BodyLayout) -> Self {
        Self {
            key: PayloadKey::derive(&keys.file_key(), &nonce),
            nonce,
            layout,
            tags: TagRecord::default(),
        }
    }

    /// Where everything lies in this body.
    pub const fn layout(&self) -> BodyLayout {
        self.layout
    }

    /// Seals part `index`: body bytes `[index · part_len, min((index + 1) · part_len, body_len))`.
    ///
    /// `content` is what [`BodyLayout::part_source`] names for this part; of another length it is
    /// [`Error::BodyChanged`]. Chunks at the part's borders are sealed whole, here and again with the neighbour.
    pub fn seal_part(&mut self, index: u64, part_len: u64, content: &[u8]) -> Result<Vec<u8>> {
        let part = self.layout.part_range(index, part_len)?;
        let source = self.layout.part_source(index, part_len)?;
        let chunks = self.layout.chunks_in(&part);
        let nonce_len = if part.start < NONCE_LEN { NONCE_LEN } else { 0 };
        let start = if nonce_len == 0 {
            self.layout.chunk_sealed(chunks.start).start
        } else {
            0
        };
        let whole_len = chunks
            .clone()
            .map(|chunk| len_of(&self.layout.chunk_sealed(chunk)))
            .sum::<u64>()
            + nonce_len;
        let mut sealed = Vec::with_capacity(in_memory(whole_len)?);
        if nonce_len != 0 {
            sealed.extend_from_slice(&self.nonce);
        }
        let mut content = content;
        if in_memory(len_of(&source))? != content.len() {
            return Err(Error::BodyChanged);
        }
        for chunk in chunks {
            let (head, rest) = content.split_at(in_memory(CHUNK_LEN)?.min(content.len()));
            self.seal_onto(chunk, head, &mut sealed)?;
            content = rest;
        }
        sealed.truncate(in_memory(part.end - start)?);
        sealed.drain(..in_memory(part.start - start)?);
        Ok(sealed)
    }

    /// Seals chunk `index` alone. `content` is the content within [`BodyLayout::chunk_plaintext`], without padding.
    pub fn seal_chunk(&mut self, index: u64, content: &[u8]) -> Result<Vec<u8>> {
        if index >= self.layout.chunk_count() {
            return Err(Error::BodyOrder("the body has no such chunk"));
        }
        let plaintext = self.layout.chunk_plaintext(index);
        let content_end = plaintext
            .end
            .min(self.layout.content_len())
            .max(plaintext.start);
        if in_memory(content_end - plaintext.start)? != content.len() {
            return Err(Error::BodyChanged);
        }
        let mut sealed = Vec::with_capacity(in_memory(len_of(&self.layout.chunk_sealed(index)))?);
        self.seal_onto(index, content, &mut sealed)?;
        Ok(sealed)
    }

    /// Pads, seals, compares with the record, and only then lets `sealed` keep the chunk.
    fn seal_onto(&mut self, index: u64, content: &[u8], sealed: &mut Vec<u8>) -> Result<()> {
        let start = sealed.len();
        sealed.extend_from_slice(content);
        sealed.resize(
            start + in_memory(len_of(&self.layout.chunk_plaintext(index)))?,
            0,
        );
        let tag = self
            .key
            .seal_tail(index, self.layout.is_last(index), sealed, start);
        let kept = self.tags.keep(in_memory(index)?, tag);
        if kept.is_err() {
            sealed.truncate(start);
        }
        kept
    }
}

/// Opens a body as it arrives and yields its content: padding is checked and cut off, a text is checked to be UTF-8.
pub struct BodyOpener {
    file_key: FileKey,
    key: Option<PayloadKey>,
    layout: BodyLayout,
    text: Option<Utf8Check>,
    position: u64,
    index: u64,
    pending: Vec<u8>,
    failed: bool,
}

impl BodyOpener {
    /// An opener for the body that an opened manifest describes.
    pub fn new(keys: &RootKeys, manifest: &Manifest) -> Self {
        Self {
            file_key: keys.file_key(),
            key: None,
            layout: manifest.layout(),
            text: (manifest.kind() == Kind::Text).then(Utf8Check::default),
            position: 0,
            index: 0,
            pending: Vec::new(),
            failed: false,
        }
    }

    /// Bytes of the body pushed so far: where the next ones must come from.
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// Takes the next bytes of the body, any number of them, and appends to `out` the content that has verified.
    ///
    /// When it fails, with [`Error::BodyOpen`], `out` holds what verified before and nothing more will ever come.
    /// **What was released may be called complete only after [`Self::finish`].**
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let position = u64::try_from(bytes.len())
            .ok()
            .and_then(|len| self.position.checked_add(len));
        let position = position.filter(|end| *end <= self.layout.body_len() && !self.failed);
        let result = position.ok_or(Error::BodyOpen).and_then(|position| {
            self.position = position;
            self.push_within(bytes, out)
        });
        self.failed = result.is_err();
        result
    }

    /// Succeeds when the last chunk has verified, exactly the whole body was pushed, and a text ended with a whole
    /// character; else [`Error::BodyOpen`].
    pub fn finish(&self) -> Result<()> {
        let whole =
            self.position == self.layout.body_len() && self.index == self.layout.chunk_count();
        let text_ended = self.text.as_ref().is_none_or(Utf8Check::is_whole);
        if whole && text_ended && !self.failed {
            Ok(())
        } else {
            Err(Error::BodyOpen)
        }
    }

    fn push_within(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) -> Result<()> {
        while !bytes.is_empty() {
            let awaited = match self.key {
                None => NONCE_LEN,
                Some(_) => len_of(&self.layout.chunk_sealed(self.index)),
            };
            let missing = in_memory(awaited)? - self.pending.len();
            let Some((head, rest)) = bytes.split_at_checked(missing) else {
                self.pending.extend_from_slice(bytes);
                return Ok(());
            };
            self.take(head, out)?;
            bytes = rest;
        }
        Ok(())
    }

    /// `pending ‖ head` is the whole nonce, or the whole next chunk.
    fn take(&mut self, head: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let Some(key) = &self.key else {
            self.pending.extend_from_slice(head);
            let nonce = self
                .pending
                .as_slice()
                .try_into()
                .map_err(|_| Error::BodyOpen)?;
            self.key = Some(PayloadKey::derive(&self.file_key, nonce));
            self.pending.clear();
            return Ok(());
        };
        let start = out.len();
        out.extend_from_slice(&self.pending);
        out.extend_from_slice(head);
        self.pending.clear();
        let opened = key.open_tail(self.index, self.layout.is_last(self.index), out, start);
        let checked = opened.and_then(|()| self.keep_content(out, start));
        if checked.is_err() {
            // Plaintext that verified but breaks a rule is wiped, not only cut off.
            Zeroizing::new(out.split_off(start));
        }
        self.index += 1;
        checked
    }

    /// Cuts the padding off the chunk that starts at `start` of `out`, after checking that it is all zero.
    fn keep_content(&mut self, out: &mut Vec<u8>, start: usize) -> Result<()> {
        let plaintext = self.layout.chunk_plaintext(self.index);
        let content_len = self
            .layout
            .content_len()
            .saturating_sub(plaintext.start)
            .min(len_of(&plaintext));
        let content_end = start + in_memory(content_len)?;
        let padding = out.get(content_end..).ok_or(Error::BodyOpen)?;
        if padding.iter().any(|byte| *byte != 0) {
            return Err(Error::BodyOpen);
        }
        out.truncate(content_end);
        let content = out.get(start..).ok_or(Error::BodyOpen)?;
        self.text.as_mut().map_or(Ok(()), |text| text.push(content))
    }
}

const fn len_of(range: &Range<u64>) -> u64 {
    range.end - range.start
}

/// A length that is to be held in memory.
fn in_memory(len: u64) -> Result<usize> {
    usize::try_from(len)
        .map_err(|_| Error::BodyOrder("the part does not fit into this machine's memory"))
}

#[cfg(test)]
mod tests;
