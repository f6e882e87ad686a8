//! The onetimeshare v1 format: links, keys, manifests and bodies, as `docs/spec.md` writes it down.
//!
//! Pure: bytes in, bytes out. It never reads a file, socket, clock or environment, and draws no randomness: random
//! bytes and the Unicode normaliser are parameters. It holds no policy of a server or page.
//!
//! ```text
//! fragment = b64(V ‖ S ‖ check)                      link, base64url
//! S ─ LinkKeys   link proof, transfer id             key
//! S ‖ P ─ RootKeys   access proof, manifest key,     key, passphrase
//!                    commitment, file key
//! manifest = commitment ‖ AEAD(manifest key, padded JSON)            manifest
//! body     = nonce ‖ AEAD(payload key, chunk_0) ‖ …                  stream (an age payload), body, size
//! ```
//!
//! To send: [`Link::new`] with a fresh [`LinkKey`], [`LinkKeys::derive`], [`RootKeys::derive`], [`Manifest::new`] and
//! [`Manifest::seal`], then [`BodySealer`], part by part. To open: [`Link::parse_fragment`], the same keys,
//! [`Manifest::open`], then [`BodyOpener`].
#![cfg_attr(not(test), warn(clippy::indexing_slicing))]

pub mod base64url;
pub mod body;
pub mod error;
pub mod key;
pub mod link;
pub mod manifest;
pub mod normalise;
pub mod passphrase;
pub mod size;
pub mod stream;

mod hazmat;
mod json;

pub use body::{BodyOpener, BodySealer};
pub use error::{Error, Result};
pub use key::{FileKey, LinkKeys, RootKeys, Token};
pub use link::{Link, LinkKey};
pub use manifest::{Entry, Kind, Manifest};
pub use normalise::Nfc;
pub use passphrase::Passphrase;
pub use size::BodyLayout;
