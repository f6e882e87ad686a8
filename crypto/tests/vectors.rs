//! The shared checks, natively. `crypto-wasm/tests/vectors.test.mjs` runs the same ones as WebAssembly.

use unicode_normalization::UnicodeNormalization as _;

#[path = "suite/format.rs"]
mod suite;

fn nfc(text: &str) -> String {
    text.nfc().collect()
}

#[test]
fn vectors_json_seals_and_opens() {
    assert_eq!(suite::check_vectors(&nfc), Ok(16));
}

#[test]
fn refused_json_is_refused() {
    assert_eq!(suite::check_refused(&nfc), Ok(48));
}

#[test]
fn cctv_stream_vectors_release_what_they_should() {
    assert_eq!(suite::check_stream(), Ok(28));
}
