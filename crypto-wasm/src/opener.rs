//! The opening side of one transfer. Its keys never leave it; its proofs do, for the server.

use onetimeshare_crypto::base64url::encode_base64url;
use onetimeshare_crypto::{BodyOpener, Error, Link, LinkKeys, Manifest, RootKeys};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::convert::{integer, nfc, number, passphrase, sealed_manifest};
use crate::error::to_js;

/// Opens one transfer: its manifest first, then its body as it arrives. `free` wipes its keys.
#[wasm_bindgen]
pub struct Opener {
    link_keys: LinkKeys,
    keys: RootKeys,
    body: Option<BodyOpener>,
}

#[wasm_bindgen]
impl Opener {
    /// Derives every key of a link. `passphrase`: absent or "" means none; else Argon2id runs.
    ///
    /// Throws `link.damaged`, `link.version`, `passphrase.needed`, `passphrase.unexpected` or `passphrase.too_long`. A
    /// wrong passphrase is found only by `open_manifest`, or by the server.
    #[wasm_bindgen(constructor)]
    pub fn new(fragment: &str, passphrase: Option<String>) -> Result<Self, JsValue> {
        Self::derive(fragment, passphrase).map_err(to_js)
    }

    fn derive(fragment: &str, text: Option<String>) -> onetimeshare_crypto::Result<Self> {
        let link = Link::parse_fragment(fragment)?;
        let passphrase = passphrase(text)?;
        let link_keys = LinkKeys::derive(&link);
        let keys = RootKeys::derive(&link, &link_keys, passphrase.as_ref())?;
        Ok(Self {
            link_keys,
            keys,
            body: None,
        })
    }

    /// The transfer's id, 22 characters.
    #[wasm_bindgen(getter)]
    pub fn transfer_id(&self) -> String {
        encode_base64url(self.link_keys.transfer_id())
    }

    /// Proves to the server that the link is held.
    #[wasm_bindgen(getter)]
    pub fn link_proof(&self) -> String {
        encode_base64url(self.link_keys.link_proof())
    }

    /// Proves to the server that link and passphrase are held.
    #[wasm_bindgen(getter)]
    pub fn access_proof(&self) -> String {
        encode_base64url(self.keys.access_proof())
    }

    /// Opens a sealed manifest and checks it against every rule. -> the JSON text `{"kind","entries":[…]}`
    ///
    /// Starts the body anew, so it throws `body.order` once bytes were pushed; else `manifest.open` or
    /// `manifest.refused`.
    pub fn open_manifest(&mut self, sealed: &str, body_len: f64) -> Result<String, JsValue> {
        if self.body.as_ref().is_some_and(|body| body.position() > 0) {
            return Err(to_js(Error::BodyOrder(
                "the manifest is opened before the body",
            )));
        }
        let sealed = sealed_manifest(sealed).map_err(to_js)?;
        let body_len = integer(body_len).map_err(to_js)?;
        let manifest = Manifest::open(&sealed, body_len, &self.keys, &nfc).map_err(to_js)?;
        self.body = Some(BodyOpener::new(&self.keys, &manifest));
        Ok(manifest.to_json())
    }

    /// Bytes of the body pushed so far: where a resumed request must start.
    #[wasm_bindgen(getter)]
    pub fn position(&self) -> f64 {
        number(self.body.as_ref().map_or(0, BodyOpener::position))
    }

    /// Takes the next bytes of the body, any number of them. -> the content that has verified, perhaps none
    ///
    /// Throws `body.open`, after which nothing more opens; `body.order` before `open_manifest`.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<u8>, JsValue> {
        let mut content = Vec::with_capacity(bytes.len());
        self.opened_body()?
            .push(bytes, &mut content)
            .map_err(to_js)?;
        Ok(content)
    }

    /// Returns only if the whole body verified, nothing followed it, and a text was UTF-8; else throws `body.open`.
    pub fn finish(&mut self) -> Result<(), JsValue> {
        self.opened_body()?.finish().map_err(to_js)
    }

    fn opened_body(&mut self) -> Result<&mut BodyOpener, JsValue> {
        self.body
            .as_mut()
            .ok_or_else(|| to_js(Error::BodyOrder("the manifest is opened before the body")))
    }
}
