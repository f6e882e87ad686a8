//! What this program gives to browsers, as a list of hashes, for whoever wants to know whether a server gives these very bytes
//! (docs/verify.md). It answers no request and reads no settings.

use std::fmt::Write as _;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::assets::{self, Asset};
use crate::middleware::headers;

/// The version of the list's own layout.
const FORMAT: u32 = 1;

/// Everything that browsers are given by this program, in the order of its paths.
#[derive(Debug, Serialize)]
pub struct Hashes {
    format: u32,
    /// The program's own version.
    version: &'static str,
    /// The name of the folder of assets: a hash over all of it, of 16 hexadecimal digits.
    assets: &'static str,
    /// The policy that every answer carries.
    content_security_policy: &'static str,
    files: Vec<File>,
    /// What is given at every other address to who takes pages, with the status 404.
    unknown: Option<Body>,
    /// What a server that only opens gives at `/`, and, with 404, at `/manage`.
    only_opens: Option<Body>,
    /// What a server that only creates gives at `/open`, with 404.
    only_creates: Option<Body>,
}

/// What is answered at one path.
#[derive(Debug, Serialize)]
struct File {
    path: String,
    #[serde(flatten)]
    body: Body,
}

/// A body, before any content coding.
#[derive(Debug, Serialize)]
struct Body {
    content_type: &'static str,
    /// In bytes.
    len: usize,
    /// Hexadecimal.
    sha256: String,
}

/// The list of this very program.
pub fn hashes() -> Hashes {
    let fixed = assets::ADDRESSES
        .iter()
        .filter_map(|(path, name)| Some(((*path).to_owned(), assets::find(name)?)));
    let mut files: Vec<_> = fixed
        .chain(assets::in_folder())
        .map(|(path, asset)| File {
            path,
            body: body(asset),
        })
        .collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Hashes {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION"),
        assets: assets::HASH,
        content_security_policy: headers::policy(),
        files,
        unknown: assets::find(assets::UNKNOWN).map(body),
        only_opens: assets::find(assets::ONLY_OPENS).map(body),
        only_creates: assets::find(assets::ONLY_CREATES).map(body),
    }
}

fn body(asset: &'static Asset) -> Body {
    let mut sha256 = String::new();
    for byte in Sha256::digest(asset.plain()) {
        write!(sha256, "{byte:02x}").expect("a String takes everything");
    }
    Body {
        content_type: asset.content_type(),
        len: asset.plain().len(),
        sha256,
    }
}
