//! The sending side of one transfer. The link key stays within it, but for the fragment that is the link.

use js_sys::{Object, Reflect};
use onetimeshare_crypto::base64url::encode_base64url;
use onetimeshare_crypto::{BodySealer, Link, LinkKey, LinkKeys, Manifest, RootKeys, Token};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::convert::{integer, nfc, number, passphrase};
use crate::error::to_js;
use crate::random::generate_bytes;

/// Seals one transfer under a fresh link. `free` wipes its keys.
#[wasm_bindgen]
pub struct Sealer {
    link: Link,
    link_keys: LinkKeys,
    access_verifier: [u8; 32],
    owner_token: Token,
    sealed_manifest: Vec<u8>,
    body: BodySealer,
}

#[wasm_bindgen]
impl Sealer {
    /// Draws link key, body nonce and owner token from the browser's CSPRNG, and seals `manifest`, the JSON text
    /// `{"kind","entries":[{name,type,size}]}`.
    ///
    /// `passphrase`: absent or "" means none; else Argon2id runs, 64 MiB and a good part of a second. Throws
    /// `manifest.refused` or `passphrase.too_long`.
    #[wasm_bindgen(constructor)]
    pub fn new(manifest: &str, passphrase: Option<String>) -> Result<Self, JsValue> {
        Self::seal(manifest, passphrase).map_err(to_js)
    }

    fn seal(manifest: &str, text: Option<String>) -> onetimeshare_crypto::Result<Self> {
        let manifest = Manifest::parse_json(manifest.as_bytes(), &nfc)?;
        let passphrase = passphrase(text)?;
        let link = Link::new(LinkKey::from_random(generate_bytes()), passphrase.is_some());
        let link_keys = LinkKeys::derive(&link);
        let keys = RootKeys::derive(&link, &link_keys, passphrase.as_ref())?;
        Ok(Self {
            access_verifier: keys.access_verifier(),
            owner_token: Token::from_random(generate_bytes()),
            sealed_manifest: manifest.seal(&keys)?,
            body: BodySealer::new(&keys, generate_bytes(), manifest.layout()),
            link,
            link_keys,
        })
    }

    /// The link's fragment, without the `#`: 48 characters.
    #[wasm_bindgen(getter)]
    pub fn fragment(&self) -> String {
        self.link.to_fragment().to_string()
    }

    /// The transfer's id, 22 characters.
    #[wasm_bindgen(getter)]
    pub fn transfer_id(&self) -> String {
        encode_base64url(self.link_keys.transfer_id())
    }

    /// What the server checks link proofs against.
    #[wasm_bindgen(getter)]
    pub fn link_verifier(&self) -> String {
        encode_base64url(self.link_keys.link_verifier())
    }

    /// What the server checks access proofs against.
    #[wasm_bindgen(getter)]
    pub fn access_verifier(&self) -> String {
        encode_base64url(&self.access_verifier)
    }

    /// What the server checks the owner token against.
    #[wasm_bindgen(getter)]
    pub fn owner_verifier(&self) -> String {
        encode_base64url(&self.owner_token.verifier())
    }

    /// The sender's authority over the transfer, 43 characters, for `Authorization: Bearer`.
    #[wasm_bindgen(getter)]
    pub fn owner_token(&self) -> String {
        encode_base64url(self.owner_token.as_bytes())
    }

    /// The sealed manifest.
    #[wasm_bindgen(getter)]
    pub fn sealed_manifest(&self) -> String {
        encode_base64url(&self.sealed_manifest)
    }

    /// Bytes of content: the sum of the sizes.
    #[wasm_bindgen(getter)]
    pub fn content_len(&self) -> f64 {
        number(self.body.layout().content_len())
    }

    /// Bytes of the sealed body.
    #[wasm_bindgen(getter)]
    pub fn body_len(&self) -> f64 {
        number(self.body.layout().body_len())
    }

    /// How many parts of `part_len` bytes carry the body. Throws `body.order`.
    pub fn part_count(&self, part_len: f64) -> Result<f64, JsValue> {
        integer(part_len)
            .and_then(|len| self.body.layout().part_count(len))
            .map(number)
            .map_err(to_js)
    }

    /// Which content bytes part `index` is sealed from; `len` is 0 where all is padding. Throws `body.order`.
    #[wasm_bindgen(unchecked_return_type = "{ offset: number, len: number }")]
    pub fn part_source(&self, index: f64, part_len: f64) -> Result<Object, JsValue> {
        let [index, part_len] = part(index, part_len)?;
        let source = self
            .body
            .layout()
            .part_source(index, part_len)
            .map_err(to_js)?;
        let answer = Object::new();
        Reflect::set(&answer, &"offset".into(), &number(source.start).into())?;
        Reflect::set(
            &answer,
            &"len".into(),
            &number(source.end - source.start).into(),
        )?;
        Ok(answer)
    }

    /// Seals part `index` from exactly the bytes that `part_source` named. A part may be sealed again, from the same
    /// content. Throws `body.changed` when the content's length or a recorded tag differs (burn the transfer),
    /// `body.order` for a part that does not exist.
    pub fn seal_part(
        &mut self,
        index: f64,
        part_len: f64,
        content: &[u8],
    ) -> Result<Vec<u8>, JsValue> {
        let [index, part_len] = part(index, part_len)?;
        self.body.seal_part(index, part_len, content).map_err(to_js)
    }
}

fn part(index: f64, part_len: f64) -> Result<[u64; 2], JsValue> {
    Ok([
        integer(index).map_err(to_js)?,
        integer(part_len).map_err(to_js)?,
    ])
}
