//! A link before its passphrase is known: what it is called, and its proof. Opens nothing.

use onetimeshare_crypto::base64url::encode_base64url;
use onetimeshare_crypto::{self as crypto, LinkKeys};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::to_js;

/// Whether a fragment needs a passphrase. Throws `link.damaged` or `link.version`.
#[wasm_bindgen]
pub fn needs_passphrase(fragment: &str) -> Result<bool, JsValue> {
    crypto::Link::parse_fragment(fragment)
        .map(|link| link.needs_passphrase())
        .map_err(to_js)
}

/// Id and proof of a link, which do not wait for its passphrase.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Link {
    keys: LinkKeys,
    needs_passphrase: bool,
}

#[wasm_bindgen]
impl Link {
    /// Reads a fragment, without the `#`. Throws `link.damaged` or `link.version`.
    #[wasm_bindgen(constructor)]
    pub fn new(fragment: &str) -> Result<Self, JsValue> {
        let link = crypto::Link::parse_fragment(fragment).map_err(to_js)?;
        Ok(Self {
            keys: LinkKeys::derive(&link),
            needs_passphrase: link.needs_passphrase(),
        })
    }

    /// The transfer's id, 22 characters.
    #[wasm_bindgen(getter)]
    pub fn transfer_id(&self) -> String {
        encode_base64url(self.keys.transfer_id())
    }

    /// Proves to the server that the link is held.
    #[wasm_bindgen(getter)]
    pub fn link_proof(&self) -> String {
        encode_base64url(self.keys.link_proof())
    }

    /// Whether the link opens only together with a passphrase.
    #[wasm_bindgen(getter)]
    pub fn needs_passphrase(&self) -> bool {
        self.needs_passphrase
    }
}
