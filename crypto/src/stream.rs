//! The age v1 payload (C2SP age.md): chunks sealed in order, the last one flagged. Never releases a byte of a chunk
//! that did not verify. It pads nothing and records no tags: [`crate::body`] does both.

use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::hazmat::{Aead, Prk};
use crate::key::FileKey;
use crate::size::{CHUNK_COUNT_MAX, CHUNK_LEN, NONCE_LEN, SEALED_CHUNK_LEN, TAG_LEN};

const CHUNK: usize = in_memory(CHUNK_LEN);
const TAG: usize = in_memory(TAG_LEN);
const SEALED_CHUNK: usize = in_memory(SEALED_CHUNK_LEN);
const NONCE: usize = in_memory(NONCE_LEN);

/// A length of this format as an index into memory.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "constants below 2^17; TryFrom is not const"
)]
const fn in_memory(len: u64) -> usize {
    assert!(len < 1 << 17, "only the lengths of one chunk are converted");
    len as usize
}

/// `pkey = HKDF-SHA256(ikm = file_key, salt = nonce, info = "payload")`: opens any chunk, by its index and their count.
pub struct PayloadKey(Aead);

impl PayloadKey {
    /// **When sealing, the nonce must be 16 fresh random bytes.**
    pub fn derive(file_key: &FileKey, nonce: &[u8; NONCE]) -> Self {
        Self(Aead::new(
            &Prk::extract(nonce, &[file_key.as_bytes()]).expand(b"payload"),
        ))
    }

    /// Opens chunk `index` of `chunk_count`, 17 to 65552 bytes (16 for the only chunk of an empty payload).
    ///
    /// Chunks open in any order. **Success may be reported only when the last one has opened and nothing follows.**
    pub fn open_chunk(&self, index: u64, chunk_count: u64, sealed: &[u8]) -> Result<Vec<u8>> {
        let mut chunk = sealed.to_vec();
        self.open_tail(index, index + 1 == chunk_count, &mut chunk, 0)?;
        Ok(chunk)
    }

    /// Seals the bytes of `buffer` from `start` on as chunk `index` and appends the tag. -> the tag
    ///
    /// **The same (key, index) must never seal two different plaintexts.**
    pub(crate) fn seal_tail(
        &self,
        index: u64,
        last: bool,
        buffer: &mut Vec<u8>,
        start: usize,
    ) -> [u8; TAG] {
        let plaintext = buffer.get_mut(start..).unwrap_or_default();
        let tag = self.0.seal(chunk_nonce(index, last), b"", plaintext);
        buffer.extend_from_slice(&tag);
        tag
    }

    /// Opens the bytes of `buffer` from `start` on, tag included, and cuts the tag off; leaves them when it fails.
    pub(crate) fn open_tail(
        &self,
        index: u64,
        last: bool,
        buffer: &mut Vec<u8>,
        start: usize,
    ) -> Result<()> {
        let sealed = buffer.get_mut(start..).unwrap_or_default();
        let (plaintext, tag) = sealed
            .split_last_chunk_mut::<TAG>()
            .ok_or(Error::BodyOpen)?;
        let well_sized = match plaintext.len() {
            0 => last && index == 0,
            len => len == CHUNK || last && len < CHUNK,
        };
        if !well_sized || index >= CHUNK_COUNT_MAX {
            return Err(Error::BodyOpen);
        }
        self.0.open(
            chunk_nonce(index, last),
            b"",
            plaintext,
            *tag,
            Error::BodyOpen,
        )?;
        buffer.truncate(buffer.len() - TAG);
        Ok(())
    }
}

/// The chunk's index as 11 bytes, then 01 for the last chunk and 00 for any other.
fn chunk_nonce(index: u64, last: bool) -> [u8; 12] {
    let mut nonce = [0; 12];
    for (byte, of_index) in nonce.iter_mut().skip(3).zip(index.to_be_bytes()) {
        *byte = of_index;
    }
    let [.., flag] = &mut nonce;
    *flag = u8::from(last);
    nonce
}

/// Seals a whole payload: `nonce ‖ chunk_0 ‖ … ‖ chunk_k-1`. **The nonce must be 16 fresh random bytes.**
pub fn seal_payload(file_key: &FileKey, nonce: [u8; NONCE], plaintext: &[u8]) -> Result<Vec<u8>> {
    let mut sealer = Sealer::new(file_key, nonce);
    let mut payload =
        Vec::with_capacity(NONCE + plaintext.len() + TAG * (plaintext.len() / CHUNK + 1));
    sealer.push(plaintext, &mut payload)?;
    sealer.finish(&mut payload)?;
    Ok(payload)
}

/// Opens a whole payload, or nothing of it.
pub fn open_payload(file_key: &FileKey, payload: &[u8]) -> Result<Vec<u8>> {
    let mut opener = Opener::new(file_key);
    let mut plaintext = Vec::with_capacity(payload.len());
    opener.push(payload, &mut plaintext)?;
    opener.finish(&mut plaintext)?;
    Ok(plaintext)
}

/// Seals a payload of unknown length, bytes in, bytes out.
pub struct Sealer {
    key: PayloadKey,
    nonce: Option<[u8; NONCE]>,
    index: u64,
    pending: Zeroizing<Vec<u8>>,
}

impl Sealer {
    /// **The nonce must be 16 fresh random bytes.**
    pub fn new(file_key: &FileKey, nonce: [u8; NONCE]) -> Self {
        let pending = Zeroizing::new(Vec::with_capacity(SEALED_CHUNK));
        Self {
            key: PayloadKey::derive(file_key, &nonce),
            nonce: Some(nonce),
            index: 0,
            pending,
        }
    }

    /// Takes the next plaintext, of any length, and appends to `out` what can be sealed of it: a full chunk waits until
    /// it is known not to be the last. Fails with [`Error::BodyOrder`] beyond 2^24 chunks.
    pub fn push(&mut self, mut plaintext: &[u8], out: &mut Vec<u8>) -> Result<()> {
        out.extend(self.nonce.take().into_iter().flatten());
        while !plaintext.is_empty() {
            if self.pending.len() == CHUNK {
                self.seal_pending(false, out)?;
            }
            let room = (CHUNK - self.pending.len()).min(plaintext.len());
            let (head, rest) = plaintext.split_at(room);
            self.pending.extend_from_slice(head);
            plaintext = rest;
        }
        Ok(())
    }

    /// Appends the last chunk, which is empty only when nothing at all was pushed.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<()> {
        out.extend(self.nonce.take().into_iter().flatten());
        self.seal_pending(true, out)
    }

    fn seal_pending(&mut self, last: bool, out: &mut Vec<u8>) -> Result<()> {
        if self.index >= CHUNK_COUNT_MAX {
            return Err(Error::BodyOrder("a payload has at most 2^24 chunks"));
        }
        self.key.seal_tail(self.index, last, &mut self.pending, 0);
        out.extend_from_slice(&self.pending);
        self.pending.clear();
        self.index += 1;
        Ok(())
    }
}

/// Opens a payload of unknown length, bytes in, verified bytes out.
pub struct Opener {
    file_key: FileKey,
    key: Option<PayloadKey>,
    index: u64,
    pending: Vec<u8>,
    failed: bool,
}

impl Opener {
    /// Waits for the nonce, the first 16 bytes pushed.
    pub fn new(file_key: &FileKey) -> Self {
        let pending = Vec::with_capacity(SEALED_CHUNK);
        Self {
            file_key: file_key.clone(),
            key: None,
            index: 0,
            pending,
            failed: false,
        }
    }

    /// Takes the next sealed bytes, of any length, and appends to `out` what has verified.
    ///
    /// When it fails, with [`Error::BodyOpen`], `out` holds what verified before; nothing more will come. **Nothing
    /// that was released is known to be complete until [`Self::finish`] has succeeded.**
    pub fn push(&mut self, mut sealed: &[u8], out: &mut Vec<u8>) -> Result<()> {
        while !sealed.is_empty() && !self.failed {
            let full = if self.key.is_none() {
                NONCE
            } else {
                SEALED_CHUNK
            };
            if self.pending.len() == full {
                self.take_pending(false, out)?;
                continue;
            }
            let (head, rest) = sealed.split_at((full - self.pending.len()).min(sealed.len()));
            self.pending.extend_from_slice(head);
            sealed = rest;
        }
        if self.failed {
            Err(Error::BodyOpen)
        } else {
            Ok(())
        }
    }

    /// Opens what is left as the last chunk. Only now, and only if this succeeds, is the payload whole.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<()> {
        if self.key.is_none() && self.pending.len() == NONCE && !self.failed {
            self.take_pending(false, out)?;
        }
        if self.failed || self.key.is_none() {
            return Err(Error::BodyOpen);
        }
        self.take_pending(true, out)
    }

    fn take_pending(&mut self, last: bool, out: &mut Vec<u8>) -> Result<()> {
        let Some(key) = &self.key else {
            let nonce = self
                .pending
                .as_slice()
                .try_into()
                .map_err(|_| Error::BodyOpen)?;
            self.key = Some(PayloadKey::derive(&self.file_key, nonce));
            self.pending.clear();
            return Ok(());
        };
        let mut opened = key.open_tail(self.index, last, &mut self.pending, 0);
        self.failed = opened.is_err();
        // A full chunk of the other flag is authentic, only not followed as it should be. Like age: release, then fail.
        if self.failed && self.pending.len() == SEALED_CHUNK {
            opened = key.open_tail(self.index, !last, &mut self.pending, 0);
        }
        if opened.is_ok() {
            out.extend_from_slice(&self.pending);
        }
        self.pending.clear();
        self.index += 1;
        if self.failed {
            Err(Error::BodyOpen)
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests;
