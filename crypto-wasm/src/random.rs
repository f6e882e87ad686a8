//! Random bytes from the browser's CSPRNG, `crypto.getRandomValues`. No other module draws any.

use onetimeshare_crypto::Token;
use onetimeshare_crypto::base64url::encode_base64url;
use wasm_bindgen::prelude::wasm_bindgen;

/// `N` fresh random bytes.
pub(crate) fn generate_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .expect("every browser that runs workers has crypto.getRandomValues");
    bytes
}

/// A claim token: base64url of 32 random bytes, 43 characters, made by the claimant.
#[wasm_bindgen]
pub fn generate_claim_token() -> String {
    encode_base64url(Token::from_random(generate_bytes()).as_bytes())
}
