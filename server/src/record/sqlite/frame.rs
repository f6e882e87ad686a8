//! How ciphertext lies in a row of `sealed`, so that deleting the row leaves nothing of it: it never touches a B-tree page.
//!
//! SQLite with `secure_delete` overwrites what is deleted, but when it merges or splits B-tree pages it moves rows, and what
//! they leave in the gap of the old page stays (seen: 2 of 9715 deleted rows). Overflow pages are never moved, and are
//! overwritten whole when they are freed. So a frame is `zeros(489) ‖ manifest ‖ body ‖ zeros`, of a length for which SQLite
//! keeps no more than the first zeros on the B-tree page (its file format, section 1.6: `M = 489`, `X = 4061`).

use std::ops::Range;

use crate::record::{StoreError, StoreResult};

/// The page size that the layout is made for, in bytes.
pub(super) const PAGE_LEN: usize = 4096;

/// Bytes of a row that stay on its B-tree page, when its length is one of those that [`enclose`] makes.
const LOCAL_LEN: usize = 489;

/// Content of one overflow page, less the number of the next.
const OVERFLOW_LEN: usize = PAGE_LEN - 4;

/// Bytes by which the last overflow page is left short, and of which the record's header takes up to 6. With fewer than 519
/// left, SQLite keeps [`LOCAL_LEN`] bytes on the B-tree page and no more.
const SLACK_LEN: usize = 64;

/// The length of the frame around so many bytes of ciphertext.
fn frame_len(content_len: usize) -> usize {
    let kept_len = content_len + SLACK_LEN;
    LOCAL_LEN + kept_len.div_ceil(OVERFLOW_LEN) * OVERFLOW_LEN - SLACK_LEN
}

/// The frame that holds `manifest` and `body`.
pub(super) fn enclose(manifest: &[u8], body: &[u8]) -> Vec<u8> {
    let frame_len = frame_len(manifest.len() + body.len());
    let mut frame = Vec::with_capacity(frame_len);
    frame.resize(LOCAL_LEN, 0);
    frame.extend_from_slice(manifest);
    frame.extend_from_slice(body);
    frame.resize(frame_len, 0);
    frame
}

/// Whether it is a frame around so many bytes of ciphertext: of the right length, with zeros around them.
pub(super) fn is_sound(frame: &[u8], content_len: usize) -> bool {
    let is_zero = |bytes: Option<&[u8]>| bytes.is_some_and(|bytes| bytes.iter().all(|b| *b == 0));
    content_len <= frame.len()
        && frame.len() == frame_len(content_len)
        && is_zero(frame.get(..LOCAL_LEN))
        && is_zero(frame.get(LOCAL_LEN + content_len..))
}

/// The manifest in a frame.
pub(super) fn manifest(frame: &[u8], manifest_len: usize) -> StoreResult<&[u8]> {
    piece(frame, LOCAL_LEN..LOCAL_LEN.saturating_add(manifest_len))
}

/// The body in a frame.
pub(super) fn body(frame: &[u8], manifest_len: usize, body_len: usize) -> StoreResult<&[u8]> {
    let start = LOCAL_LEN.saturating_add(manifest_len);
    piece(frame, start..start.saturating_add(body_len))
}

fn piece(frame: &[u8], range: Range<usize>) -> StoreResult<&[u8]> {
    frame.get(range).ok_or_else(|| {
        StoreError::Corrupt("a sealed row is shorter than its record says".to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SQLite's own rule for how much of a row stays on its B-tree page (file format, section 1.6).
    fn local_len(payload_len: usize) -> usize {
        let (max, min) = (PAGE_LEN - 35, (PAGE_LEN - 12) * 32 / 255 - 23);
        let kept = min + (payload_len - min) % OVERFLOW_LEN;
        match payload_len <= max {
            true => payload_len,
            false if kept <= max => kept,
            false => min,
        }
    }

    #[test]
    fn ciphertext_stays_off_btree_pages() {
        for content_len in (0..3 * OVERFLOW_LEN).chain([1 << 20, (1 << 20) + 65_536]) {
            let frame = enclose(&vec![1; content_len], b"");
            // A header of one byte for its own length, one for the key, and up to four for the blob's length.
            for header_len in 3..=6 {
                let kept = local_len(frame.len() + header_len);
                assert!(kept <= LOCAL_LEN + header_len, "{content_len}: {kept}");
            }
        }
    }

    #[test]
    fn frames_are_told_from_what_is_none() {
        for content_len in [0, 1, OVERFLOW_LEN - SLACK_LEN, OVERFLOW_LEN, 1 << 16] {
            let frame = enclose(&vec![1; content_len], b"");
            assert!(is_sound(&frame, content_len));
            assert!(!is_sound(&frame[1..], content_len));
            assert!(!is_sound(&frame, content_len + OVERFLOW_LEN));
            assert!(!is_sound(&frame, usize::MAX));
            let around = (0..LOCAL_LEN).chain(LOCAL_LEN + content_len..frame.len());
            for place in around {
                let mut broken = frame.clone();
                broken[place] = 1;
                assert!(!is_sound(&broken, content_len), "{content_len}: {place}");
            }
        }
    }

    #[test]
    fn content_comes_back() {
        let frame = enclose(b"manifest", b"body");
        assert_eq!(manifest(&frame, 8).unwrap(), b"manifest");
        assert_eq!(body(&frame, 8, 4).unwrap(), b"body");
        assert!(body(&frame, 8, frame.len()).is_err());
    }
}
