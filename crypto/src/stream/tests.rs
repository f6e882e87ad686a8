//! The payload at its borders, and every way to tamper with a small one of several chunks.

use super::*;

const NONCE_BYTES: [u8; 16] = [3; 16];

fn file_key() -> FileKey {
    FileKey::from_bytes([5; 16])
}

/// Every byte differs from its neighbours, so that swapped bytes would be seen.
fn plaintext(len: usize) -> Vec<u8> {
    (0..=250).cycle().take(len).collect()
}

fn sealed(len: usize) -> Vec<u8> {
    seal_payload(&file_key(), NONCE_BYTES, &plaintext(len)).expect("it is short")
}

/// What a streaming opener releases of a payload, and whether it then reports success.
fn open_in_pieces(payload: &[u8], piece_len: usize) -> (Vec<u8>, bool) {
    let mut opener = Opener::new(&file_key());
    let mut released = Vec::new();
    let pushed = payload
        .chunks(piece_len)
        .try_for_each(|piece| opener.push(piece, &mut released));
    let opened = pushed.and_then(|()| opener.finish(&mut released));
    (released, opened.is_ok())
}

/// A tampered payload: refused whole, and no byte released in a stream that was not in that place before.
fn check_refused(payload: &[u8], original: &[u8], how: &str) {
    assert_eq!(
        open_payload(&file_key(), payload),
        Err(Error::BodyOpen),
        "{how}"
    );
    for piece_len in [payload.len().max(1), 65_552, 40_000] {
        let (released, success) = open_in_pieces(payload, piece_len);
        assert!(!success, "{how}");
        assert!(
            original.starts_with(&released),
            "{how}: released what was never sealed there"
        );
    }
}

/// The nonce, and each sealed chunk.
fn pieces(payload: &[u8]) -> (Vec<u8>, Vec<Vec<u8>>) {
    (
        payload[..NONCE].to_vec(),
        payload[NONCE..]
            .chunks(SEALED_CHUNK)
            .map(<[u8]>::to_vec)
            .collect(),
    )
}

fn join(nonce: &[u8], chunks: &[Vec<u8>]) -> Vec<u8> {
    [nonce, &chunks.concat()].concat()
}

#[test]
fn round_trip_at_the_borders_of_chunks() {
    for len in [
        0,
        1,
        CHUNK - 1,
        CHUNK,
        CHUNK + 1,
        2 * CHUNK - 1,
        2 * CHUNK,
        2 * CHUNK + 1,
    ] {
        let payload = sealed(len);
        assert_eq!(
            u64::try_from(payload.len()),
            Ok(crate::size::payload_len(u64::try_from(len).expect("short")))
        );
        assert_eq!(
            open_payload(&file_key(), &payload).as_ref(),
            Ok(&plaintext(len))
        );
        for piece_len in [
            1000,
            CHUNK,
            SEALED_CHUNK,
            SEALED_CHUNK + NONCE,
            payload.len(),
        ] {
            assert_eq!(
                open_in_pieces(&payload, piece_len),
                (plaintext(len), true),
                "{len} bytes in {piece_len}"
            );
        }
    }
}

#[test]
fn sealing_in_pieces_gives_the_same_payload() {
    let len = 2 * CHUNK + 5;
    for piece_len in [1, 1000, CHUNK - 1, CHUNK, CHUNK + 1, len] {
        let mut sealer = Sealer::new(&file_key(), NONCE_BYTES);
        let mut payload = Vec::new();
        for piece in plaintext(len).chunks(piece_len) {
            sealer.push(piece, &mut payload).expect("it is short");
        }
        sealer.finish(&mut payload).expect("it is short");
        assert!(payload == sealed(len), "in pieces of {piece_len}");
    }
}

#[test]
fn chunks_open_alone_in_any_order_at_their_place_only() {
    let (_, chunks) = pieces(&sealed(2 * CHUNK + 5));
    let key = PayloadKey::derive(&file_key(), &NONCE_BYTES);
    let plaintext = plaintext(2 * CHUNK + 5);
    for index in [2, 0, 1] {
        let place = u64::try_from(index).expect("small");
        let expected = &plaintext[index * CHUNK..plaintext.len().min((index + 1) * CHUNK)];
        assert_eq!(
            key.open_chunk(place, 3, &chunks[index]).as_deref(),
            Ok(expected)
        );
        for (other, count) in [
            ((place + 1) % 3, 3),
            (place, place + 1 + u64::from(place == 2)),
        ] {
            assert_eq!(
                key.open_chunk(other, count, &chunks[index]),
                Err(Error::BodyOpen),
                "{place} as {other}/{count}"
            );
        }
    }
    assert_eq!(
        key.open_chunk(CHUNK_COUNT_MAX, CHUNK_COUNT_MAX + 1, &chunks[2]),
        Err(Error::BodyOpen)
    );
    assert_eq!(key.open_chunk(0, 1, b""), Err(Error::BodyOpen));
}

#[test]
fn every_cut_is_refused() {
    let len = 2 * CHUNK + 5;
    let payload = sealed(len);
    // All lengths near a border, and a sample of those between.
    let near = |border: usize| border.saturating_sub(20)..(border + 20).min(payload.len());
    let borders = [
        0,
        NONCE + SEALED_CHUNK,
        NONCE + 2 * SEALED_CHUNK,
        payload.len(),
    ];
    for end in borders
        .into_iter()
        .flat_map(near)
        .chain((0..payload.len()).step_by(9973))
    {
        check_refused(&payload[..end], &plaintext(len), &format!("cut to {end}"));
    }
}

#[test]
fn every_append_is_refused() {
    for len in [0, 5, CHUNK, CHUNK + 5, 2 * CHUNK] {
        let payload = sealed(len);
        let (_, chunks) = pieces(&payload);
        let last = chunks.last().expect("there is always one").clone();
        for tail in [
            vec![0],
            vec![0; 16],
            vec![0; 17],
            vec![0; SEALED_CHUNK],
            last,
            payload.clone(),
        ] {
            let longer = [&payload[..], &tail].concat();
            check_refused(
                &longer,
                &plaintext(len),
                &format!("{len} bytes and {} more", tail.len()),
            );
        }
    }
}

#[test]
fn swapped_duplicated_and_missing_chunks_are_refused() {
    let len = 3 * CHUNK + 5;
    let (nonce, chunks) = pieces(&sealed(len));
    for first in 0..chunks.len() {
        for second in 0..chunks.len() {
            let mut changed = chunks.clone();
            changed.swap(first, second);
            if first != second {
                check_refused(
                    &join(&nonce, &changed),
                    &plaintext(len),
                    &format!("{first} and {second} swapped"),
                );
            }
            changed = chunks.clone();
            changed.insert(second, chunks[first].clone());
            check_refused(
                &join(&nonce, &changed),
                &plaintext(len),
                &format!("{first} again at {second}"),
            );
        }
        let mut changed = chunks.clone();
        changed.remove(first);
        check_refused(
            &join(&nonce, &changed),
            &plaintext(len),
            &format!("without {first}"),
        );
    }
}

#[test]
fn splices_with_another_payload_are_refused() {
    let len = 2 * CHUNK + 5;
    let (nonce, chunks) = pieces(&sealed(len));
    let others = [
        seal_payload(&file_key(), [4; 16], &plaintext(len)),
        seal_payload(&FileKey::from_bytes([6; 16]), NONCE_BYTES, &plaintext(len)),
    ];
    for other in others {
        let (other_nonce, other_chunks) = pieces(&other.expect("it is short"));
        for index in 0..chunks.len() {
            let mut changed = chunks.clone();
            changed[index] = other_chunks[index].clone();
            check_refused(
                &join(&nonce, &changed),
                &plaintext(len),
                &format!("chunk {index} of another"),
            );
        }
        if other_nonce != nonce {
            check_refused(
                &join(&other_nonce, &chunks),
                &plaintext(len),
                "the nonce of another",
            );
        }
    }
}

#[test]
fn every_flipped_bit_of_a_short_payload_is_refused() {
    let payload = sealed(40);
    for bit in 0..payload.len() * 8 {
        let mut flipped = payload.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        check_refused(&flipped, b"", &format!("bit {bit}"));
    }
}

#[test]
fn a_flipped_bit_in_any_chunk_keeps_it_and_what_follows_back() {
    let len = 2 * CHUNK + 5;
    let payload = sealed(len);
    for byte in (0..payload.len())
        .step_by(4001)
        .chain(payload.len() - 21..payload.len())
    {
        let mut flipped = payload.clone();
        flipped[byte] ^= 0x10;
        let (released, success) = open_in_pieces(&flipped, 65_552);
        let chunks_before = byte.saturating_sub(NONCE) / SEALED_CHUNK;
        assert!(
            !success && released == plaintext(chunks_before * CHUNK),
            "byte {byte}"
        );
    }
}

#[test]
fn nothing_is_released_after_a_failure() {
    let len = 3 * CHUNK;
    let mut payload = sealed(len);
    payload[NONCE + SEALED_CHUNK] ^= 1;
    let mut opener = Opener::new(&file_key());
    let mut released = Vec::new();
    assert_eq!(opener.push(&payload, &mut released), Err(Error::BodyOpen));
    assert_eq!(
        opener.push(&sealed(len), &mut released),
        Err(Error::BodyOpen)
    );
    assert_eq!(opener.finish(&mut released), Err(Error::BodyOpen));
    assert!(released == plaintext(CHUNK));
}

#[test]
fn the_nonce_counts_in_eleven_bytes_and_flags_the_last() {
    assert_eq!(chunk_nonce(0, false), [0; 12]);
    assert_eq!(chunk_nonce(0, true), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    assert_eq!(
        chunk_nonce(0x0102_0304, false),
        [0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 0]
    );
    assert_eq!(
        chunk_nonce(CHUNK_COUNT_MAX - 1, true),
        [0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 1]
    );
}
