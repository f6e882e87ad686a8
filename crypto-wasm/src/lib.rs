//! The browser's face of the crypto crate, for the crypto worker. It converts, calls and converts: it decides nothing,
//! and hands JavaScript no derived key: only the link's fragment, the proofs and the tokens, which it has to send or show.
//!
//! Every failure is thrown as an `Error` whose `code` is that of [`onetimeshare_crypto::Error::code`]. Lengths, offsets
//! and indices are JavaScript numbers, safe integers. Bytes that cross as text are base64url without padding.

mod convert;
mod error;
mod link;
mod opener;
mod random;
mod sealer;

use wasm_bindgen::prelude::wasm_bindgen;

pub use link::{Link, needs_passphrase};
pub use opener::Opener;
pub use random::generate_claim_token;
pub use sealer::Sealer;

/// Cleans a name so that sealing accepts it: what may not be kept becomes `_`. A name that is accepted comes back as it
/// was; two names may be cleaned to the same.
#[wasm_bindgen]
pub fn clean_name(
    #[wasm_bindgen(unchecked_param_type = "string")] name: &js_sys::JsString,
) -> String {
    onetimeshare_crypto::manifest::clean_name(name.iter())
}

/// The value of a `Content-Digest` field (RFC 9530) for these bytes, `sha-256=:…:`. Works without `crypto.subtle`.
#[wasm_bindgen]
pub fn content_digest(bytes: &[u8]) -> String {
    onetimeshare_crypto::base64url::content_digest(bytes)
}
