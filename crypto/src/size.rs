//! Lengths: content to padded plaintext to sealed body, and which chunk, part or content range lies where. Touches no
//! byte of any of them.

use core::ops::Range;

use crate::error::{Error, Result};

/// Plaintext bytes of a chunk; the last chunk of a body may have fewer.
pub const CHUNK_LEN: u64 = 65_536;
/// Bytes of the authentication tag that ends each sealed chunk.
pub const TAG_LEN: u64 = 16;
/// Bytes of a sealed chunk that is full.
pub const SEALED_CHUNK_LEN: u64 = CHUNK_LEN + TAG_LEN;
/// Bytes of the nonce that starts a body.
pub const NONCE_LEN: u64 = 16;
/// The most chunks a body may have.
pub const CHUNK_COUNT_MAX: u64 = 1 << 24;
/// The most bytes of content in one transfer, 1 TiB.
pub const CONTENT_LEN_MAX: u64 = 1 << 40;
/// The least bytes of plaintext: shorter content is padded to this, so that all short secrets look alike.
pub const PLAINTEXT_LEN_MIN: u64 = 1024;

/// `Padme(L)`: L if L < 2; else, with E = floor(log2 L) and G = floor(log2 E) + 1, L rounded up to a multiple of
/// 2^(E-G). From "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs", section 4.
///
/// `len` must be at most 2^63, or rounding could overflow; then it is given back unchanged.
pub const fn padme(len: u64) -> u64 {
    if len < 2 || len > 1 << 63 {
        return len;
    }
    let exponent = len.ilog2();
    let mask = (1u64 << (exponent - exponent.ilog2() - 1)) - 1;
    (len + mask) & !mask
}

/// `max(1024, Padme(content_len))`: bytes of plaintext that a body of so much content seals.
pub const fn padded_len(content_len: u64) -> u64 {
    let padded = padme(content_len);
    if padded < PLAINTEXT_LEN_MIN {
        PLAINTEXT_LEN_MIN
    } else {
        padded
    }
}

/// `16 + n + 16 · ceil(n / 65536)`: bytes of an age payload of `plaintext_len` bytes; an empty one still has a chunk.
pub const fn payload_len(plaintext_len: u64) -> u64 {
    let chunk_count = plaintext_len.div_ceil(CHUNK_LEN);
    NONCE_LEN + plaintext_len + TAG_LEN * if chunk_count == 0 { 1 } else { chunk_count }
}

/// Bytes of the sealed body of so much content.
pub const fn body_len(content_len: u64) -> u64 {
    payload_len(padded_len(content_len))
}

/// Where everything lies in a body, given only how long its content is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyLayout {
    content_len: u64,
    padded_len: u64,
    chunk_count: u64,
}

impl BodyLayout {
    /// Fails with [`Error::ManifestRefused`] beyond [`CONTENT_LEN_MAX`].
    pub fn new(content_len: u64) -> Result<Self> {
        if content_len > CONTENT_LEN_MAX {
            return Err(Error::ManifestRefused(
                "the sizes add up to more than 2^40 bytes",
            ));
        }
        let padded_len = padded_len(content_len);
        Ok(Self {
            content_len,
            padded_len,
            chunk_count: padded_len.div_ceil(CHUNK_LEN),
        })
    }

    /// Bytes of content.
    pub const fn content_len(&self) -> u64 {
        self.content_len
    }

    /// Bytes of plaintext: the content and its padding.
    pub const fn padded_len(&self) -> u64 {
        self.padded_len
    }

    /// How many chunks (k in the specification), at least 1.
    pub const fn chunk_count(&self) -> u64 {
        self.chunk_count
    }

    /// Bytes of the sealed body.
    pub const fn body_len(&self) -> u64 {
        payload_len(self.padded_len)
    }

    /// Whether chunk `index` is the last, the one whose nonce carries the final flag.
    pub const fn is_last(&self, index: u64) -> bool {
        index + 1 == self.chunk_count
    }

    /// The plaintext bytes of chunk `index`; empty beyond the last.
    pub fn chunk_plaintext(&self, index: u64) -> Range<u64> {
        let start = index.saturating_mul(CHUNK_LEN).min(self.padded_len);
        start..self.padded_len.min(start + CHUNK_LEN)
    }

    /// The body bytes of chunk `index`, `16 + i · 65552` onwards; empty beyond the last.
    pub fn chunk_sealed(&self, index: u64) -> Range<u64> {
        if index >= self.chunk_count {
            return self.body_len()..self.body_len();
        }
        let start = NONCE_LEN + index * SEALED_CHUNK_LEN;
        start..self.body_len().min(start + SEALED_CHUNK_LEN)
    }

    /// The chunks that share a byte with this range of the body; none when it ends within the nonce.
    pub fn chunks_in(&self, body: &Range<u64>) -> Range<u64> {
        let first = body.start.saturating_sub(NONCE_LEN) / SEALED_CHUNK_LEN;
        let end = body
            .end
            .saturating_sub(NONCE_LEN)
            .div_ceil(SEALED_CHUNK_LEN)
            .min(self.chunk_count);
        first.min(end)..end
    }

    /// `ceil(body_len / part_len)`: how many parts of `part_len` bytes carry the body, the last one perhaps shorter.
    pub fn part_count(&self, part_len: u64) -> Result<u64> {
        if part_len == 0 {
            return Err(Error::BodyOrder("a part has at least one byte"));
        }
        Ok(self.body_len().div_ceil(part_len))
    }

    /// The body bytes of part `index`.
    pub fn part_range(&self, index: u64, part_len: u64) -> Result<Range<u64>> {
        if index >= self.part_count(part_len)? {
            return Err(Error::BodyOrder("the body has no such part"));
        }
        let start = index * part_len;
        Ok(start..self.body_len().min(start.saturating_add(part_len)))
    }

    /// The content bytes needed to seal part `index`: of every chunk it touches, whole; empty where all is padding.
    pub fn part_source(&self, index: u64, part_len: u64) -> Result<Range<u64>> {
        let chunks = self.chunks_in(&self.part_range(index, part_len)?);
        let start = (chunks.start * CHUNK_LEN).min(self.content_len);
        let end = (chunks.end * CHUNK_LEN).min(self.content_len);
        Ok(start..end.max(start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padme_rounds_as_the_specification_says() {
        for (len, expected) in [
            (0, 0),
            (1, 1),
            (2, 2),
            (3, 3),
            (8, 8),
            (9, 10),
            (1023, 1024),
            (1024, 1024),
            (1025, 1088),
            (65_535, 65_536),
            (65_536, 65_536),
            (65_537, 67_584),
            (1_000_000, 1_015_808),
            (1 << 40, 1 << 40),
            ((1 << 40) - 1, 1 << 40),
        ] {
            assert_eq!(padme(len), expected, "padme({len})");
        }
    }

    #[test]
    fn padme_costs_at_most_an_eighth() {
        for len in
            (0..5000).chain((10..40).flat_map(|bit| [(1 << bit) - 1, 1 << bit, (1 << bit) + 1]))
        {
            assert!(
                padme(len) >= len && padme(len) - len <= len / 8,
                "padme({len})"
            );
        }
    }

    #[test]
    fn short_content_has_one_length() {
        assert_eq!(
            (body_len(0), body_len(1), body_len(1024), body_len(1025)),
            (1056, 1056, 1056, 1120)
        );
    }

    #[test]
    fn largest_content_has_exactly_the_most_chunks() {
        let layout = BodyLayout::new(CONTENT_LEN_MAX).expect("it is the limit");
        assert_eq!(layout.chunk_count(), CHUNK_COUNT_MAX);
        assert!(BodyLayout::new(CONTENT_LEN_MAX + 1).is_err());
    }

    #[test]
    fn chunks_tile_the_body() {
        for content_len in [0, 1024, 1025, CHUNK_LEN, CHUNK_LEN + 1, 10 * CHUNK_LEN + 5] {
            let layout = BodyLayout::new(content_len).expect("short");
            let (mut plaintext, mut sealed) = (0, NONCE_LEN);
            for index in 0..layout.chunk_count() {
                assert_eq!(layout.chunk_plaintext(index).start, plaintext);
                assert_eq!(layout.chunk_sealed(index).start, sealed);
                plaintext = layout.chunk_plaintext(index).end;
                sealed = layout.chunk_sealed(index).end;
                assert_eq!(
                    layout.chunks_in(&layout.chunk_sealed(index)),
                    index..index + 1
                );
            }
            assert_eq!(
                (plaintext, sealed),
                (layout.padded_len(), layout.body_len())
            );
            assert!(layout.chunk_plaintext(layout.chunk_count()).is_empty());
            assert!(layout.chunk_sealed(u64::MAX).is_empty());
        }
    }

    #[test]
    fn chunks_in_at_the_borders() {
        let layout = BodyLayout::new(3 * CHUNK_LEN).expect("short");
        let border = NONCE_LEN + SEALED_CHUNK_LEN;
        for (range, expected) in [
            (0..16, 0..0),
            (0..17, 0..1),
            (16..border, 0..1),
            (16..border + 1, 0..2),
            (border - 1..border + 1, 0..2),
            (border..border + 1, 1..2),
            (0..layout.body_len(), 0..3),
        ] {
            assert_eq!(layout.chunks_in(&range), expected, "{range:?}");
        }
    }

    #[test]
    fn part_source_is_whole_chunks_clamped_to_the_content() {
        let layout = BodyLayout::new(CHUNK_LEN + 1).expect("short");
        assert_eq!(layout.part_source(0, 16), Ok(0..0));
        assert_eq!(layout.part_source(0, 17), Ok(0..CHUNK_LEN));
        assert_eq!(
            layout.part_source(0, layout.body_len()),
            Ok(0..CHUNK_LEN + 1)
        );
        let last = layout.part_count(1000).expect("not zero") - 1;
        assert_eq!(layout.part_source(last, 1000), Ok(CHUNK_LEN..CHUNK_LEN + 1));
        assert_eq!(
            layout.part_source(last + 1, 1000),
            Err(Error::BodyOrder("the body has no such part"))
        );
        assert!(layout.part_count(0).is_err());
        assert!(layout.part_source(u64::MAX, u64::MAX).is_err());
    }
}
