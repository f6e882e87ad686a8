//! The format's and the protocol's fixed limits. What an operator may set is in the server's configuration, never here.

/// The smallest sealed manifest, in bytes: commitment, tag and 256 bytes of padded text (specification, section 3).
pub const MANIFEST_LEN_MIN: usize = 48 + (1 << 8);

/// The largest sealed manifest, in bytes: commitment, tag and 2^20 bytes of padded text.
pub const MANIFEST_LEN_MAX: usize = 48 + (1 << 20);

/// Bytes that a manifest carries beyond its padded text.
pub const MANIFEST_OVERHEAD_LEN: usize = 48;

/// The most content of one transfer, in bytes: 1 TiB.
pub const CONTENT_LEN_MAX: u64 = 1 << 40;

/// The shortest body, in bytes: a nonce, 1024 bytes of padded content and one tag.
pub const BODY_LEN_MIN: u64 = 16 + 1024 + 16;

/// Plaintext bytes of one chunk.
pub const CHUNK_LEN: u64 = 65_536;

/// Bytes that a chunk's tag adds.
pub const TAG_LEN: u64 = 16;

/// Bytes of the nonce that a body begins with.
pub const NONCE_LEN: u64 = 16;

/// Wrong access proofs that a transfer bears before it locks.
pub const ATTEMPTS_MAX: u32 = 5;

/// The most claims that any server may allow one transfer.
pub const CLAIMS_MAX: u32 = 10_000;

/// The most parts that a transfer may have.
pub const PART_COUNT_MAX: u64 = 1 << 21;

/// The padded length of `content_len` bytes (Padmé, specification section 4), or `None` beyond [`CONTENT_LEN_MAX`].
pub const fn padded_len(content_len: u64) -> Option<u64> {
    if content_len > CONTENT_LEN_MAX {
        return None;
    }
    if content_len < 1024 {
        return Some(1024);
    }
    let exponent = content_len.ilog2();
    let mask = (1_u64 << (exponent - (exponent.ilog2() + 1))) - 1;
    Some((content_len + mask) & !mask)
}

/// The length of a body that seals `content_len` bytes of content, or `None` beyond [`CONTENT_LEN_MAX`].
pub const fn body_len(content_len: u64) -> Option<u64> {
    match padded_len(content_len) {
        Some(padded) => Some(NONCE_LEN + padded + TAG_LEN * padded.div_ceil(CHUNK_LEN)),
        None => None,
    }
}

/// Whether `len` is the length of some sealed body: of one whose plaintext is a padded length.
pub const fn is_body_len(len: u64) -> bool {
    if len < BODY_LEN_MIN {
        return false;
    }
    // Every chunk but the last is full, so the number of chunks, and with it the plaintext, follows from the length.
    let sealed = len - NONCE_LEN;
    let padded = sealed.saturating_sub(TAG_LEN * sealed.div_ceil(CHUNK_LEN + TAG_LEN));
    match (padded_len(padded), body_len(padded)) {
        (Some(again), Some(body_len)) => again == padded && body_len == len,
        _ => false,
    }
}

/// Whether `len` is the length of some sealed manifest: 48 bytes beyond a power of two from 2^8 to 2^20.
pub const fn is_manifest_len(len: usize) -> bool {
    len >= MANIFEST_LEN_MIN
        && len <= MANIFEST_LEN_MAX
        && (len - MANIFEST_OVERHEAD_LEN).is_power_of_two()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_padded() {
        // From the specification's vectors.
        let check = |content, expected| assert_eq!(body_len(content), expected, "{content}");
        check(0, Some(1056));
        check(1024, Some(1056));
        check(1025, Some(1120));
        check(65_536, Some(65_568));
        check(CONTENT_LEN_MAX, Some(16 + (1 << 40) + 16 * (1 << 24)));
        check(CONTENT_LEN_MAX + 1, None);
    }

    #[test]
    fn only_padded_bodies_have_a_body_len() {
        let mut content = 0;
        while content <= CONTENT_LEN_MAX {
            let len = body_len(content).expect("content within the limit");
            assert!(
                is_body_len(len) && !is_body_len(len + 1) && !is_body_len(len - 1),
                "{content}"
            );
            content = content * 2 + 977;
        }
        for len in [
            0,
            16,
            1055,
            1057,
            1056 + 16,
            u64::MAX,
            body_len(CONTENT_LEN_MAX).expect("the limit") + 16,
        ] {
            assert!(!is_body_len(len), "{len}");
        }
    }

    #[test]
    fn manifests_have_thirteen_lengths() {
        assert_eq!(
            (0..=MANIFEST_LEN_MAX + 1)
                .filter(|&len| is_manifest_len(len))
                .count(),
            13
        );
        assert!(is_manifest_len(MANIFEST_LEN_MIN) && is_manifest_len(MANIFEST_LEN_MAX));
    }
}
