//! The checks of `crypto/tests/suite` as WebAssembly, for `crypto-wasm/tests/vectors.test.mjs`. Never served.
//!
//! Each export runs one suite and returns how many cases it checked, or throws what failed first.

use js_sys::JsString;
use wasm_bindgen::JsError;
use wasm_bindgen::prelude::wasm_bindgen;

#[path = "../../crypto/tests/suite/format.rs"]
mod suite;

fn nfc(text: &str) -> String {
    JsString::from(text).normalize("NFC").into()
}

fn checked(outcome: Result<u32, String>) -> Result<u32, JsError> {
    outcome.map_err(|failure| JsError::new(&failure))
}

/// Every case of `vectors.json`, sealed and opened.
#[wasm_bindgen]
pub fn check_vectors() -> Result<u32, JsError> {
    checked(suite::check_vectors(&nfc))
}

/// Every case of `refused.json`.
#[wasm_bindgen]
pub fn check_refused() -> Result<u32, JsError> {
    checked(suite::check_refused(&nfc))
}

/// Every `stream_*` vector of C2SP CCTV.
#[wasm_bindgen]
pub fn check_stream() -> Result<u32, JsError> {
    checked(suite::check_stream())
}
