//! The web pages and what they load, carried inside the binary. Files are served as they were written and never change
//! under one address: their folder's name is its hash.

use axum::body::Body;
use axum::http::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response};
use bytes::Bytes;

/// One file as the build wrote it down.
#[derive(Debug)]
pub struct Asset {
    /// Path below `www`.
    name: &'static str,
    content_type: &'static str,
    plain: &'static [u8],
    /// Compressed, where that is smaller.
    br: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
}

static FILES: &[Asset] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// The folder's hash: 16 hexadecimal digits.
pub const HASH: &str = include_str!(concat!(env!("OUT_DIR"), "/hash.txt"));

/// SHA-256 of the one import map, as base64: the only inline script that the pages' policy allows.
pub const IMPORT_MAP_HASH: &str = include_str!(concat!(env!("OUT_DIR"), "/import_map_hash.txt"));

/// For files whose address names their content.
const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// For what has a fixed address of its own: asked for anew each time, so that browsers see a new version.
const REVALIDATED: HeaderValue = HeaderValue::from_static("no-cache");
const NOT_STORED: HeaderValue = HeaderValue::from_static("no-store");

/// The addresses of their own that files have, beside the folder: which browsers know of, or people type.
pub(crate) const ADDRESSES: [(&str, &str); 6] = [
    ("/", "index.html"),
    ("/favicon.ico", "favicon.ico"),
    ("/manage", "manage.html"),
    ("/manifest.webmanifest", "manifest.webmanifest"),
    ("/open", "open.html"),
    ("/sw.js", SERVICE_WORKER),
];

/// The page at every other address.
pub(crate) const UNKNOWN: &str = "unknown.html";

/// What a server that only opens gives instead of the pages of senders.
pub(crate) const ONLY_OPENS: &str = "only-opens.html";

/// What a server that only creates gives instead of the page that opens.
pub(crate) const ONLY_CREATES: &str = "only-creates.html";

const SERVICE_WORKER: &str = "sw.js";

impl Asset {
    /// The bytes as they are without a content coding.
    pub(crate) fn plain(&self) -> &'static [u8] {
        self.plain
    }

    /// As its answers name it.
    pub(crate) fn content_type(&self) -> &'static str {
        self.content_type
    }

    /// Whether it is served below the folder's hash: pages and the service worker have their own addresses, with their own
    /// caching.
    fn is_in_folder(&self) -> bool {
        !self.content_type.starts_with("text/html") && self.name != SERVICE_WORKER
    }
}

/// The files of the folder, with their paths.
pub(crate) fn in_folder() -> impl Iterator<Item = (String, &'static Asset)> {
    FILES
        .iter()
        .filter(|file| file.is_in_folder())
        .map(|file| (format!("/assets/{HASH}/{}", file.name), file))
}

/// Whether the pages and the wasm were there when the server was built.
pub fn is_complete() -> bool {
    ADDRESSES.iter().all(|(_, name)| find(name).is_some())
        && [UNKNOWN, ONLY_OPENS, ONLY_CREATES]
            .iter()
            .all(|name| find(name).is_some())
        && FILES
            .iter()
            .any(|file| file.content_type == "application/wasm")
}

/// The page called `name`, such as `index.html`.
pub fn page(name: &str, request: &HeaderMap) -> Option<Response<Body>> {
    find(name).map(|file| answer(file, request, NOT_STORED))
}

/// A file at a fixed address: the service worker's script, the web manifest, the icon that is asked for unasked.
pub fn revalidated(name: &str, request: &HeaderMap) -> Option<Response<Body>> {
    find(name).map(|file| answer(file, request, REVALIDATED))
}

/// A file of the folder `hash`; none when that is another build's.
pub fn file(hash: &str, name: &str, request: &HeaderMap) -> Option<Response<Body>> {
    let file = find(name).filter(|file| hash == HASH && file.is_in_folder())?;
    Some(answer(file, request, IMMUTABLE))
}

/// The file at this path below `www`.
pub(crate) fn find(name: &str) -> Option<&'static Asset> {
    // The build sorts by name.
    FILES
        .binary_search_by(|file| file.name.cmp(name))
        .ok()
        .and_then(|at| FILES.get(at))
}

fn answer(file: &'static Asset, request: &HeaderMap, caching: HeaderValue) -> Response<Body> {
    let candidates = [("br", file.br), ("gzip", file.gzip)];
    let encoded = candidates
        .into_iter()
        .find_map(|(coding, bytes)| Some((coding, bytes.filter(|_| accepts(request, coding))?)));
    let bytes = encoded.map_or(file.plain, |(_, bytes)| bytes);
    let mut response = Response::new(Body::from(Bytes::from_static(bytes)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(file.content_type));
    headers.insert(CACHE_CONTROL, caching);
    if file.br.is_some() || file.gzip.is_some() {
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    }
    if let Some((coding, _)) = encoded {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    response
}

/// Whether a person's browser asks for a page to look at; other clients name no such type, or take any.
pub fn wants_page(request: &HeaderMap) -> bool {
    names(request, &ACCEPT, "text/html")
}

/// Whether the request's Accept-Encoding names `coding` with a weight above 0 (RFC 9110, section 12.5.3).
fn accepts(request: &HeaderMap, coding: &str) -> bool {
    names(request, &ACCEPT_ENCODING, coding)
}

/// Whether a field that ranks what a client takes names `wanted` with a weight above 0 (RFC 9110, section 12.4.2).
fn names(request: &HeaderMap, field: &HeaderName, wanted: &str) -> bool {
    let values = request
        .get_all(field)
        .iter()
        .filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|item| {
        let mut parts = item.split(';').map(str::trim);
        let is_named = parts
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case(wanted));
        let weight =
            parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        is_named
            && weight.is_none_or(|weight| weight.parse::<f32>().is_ok_and(|weight| weight > 0.0))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codings_are_taken_as_the_browser_ranks_them() {
        let check = |value: &'static str, coding, expected| {
            let headers =
                HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(value))]);
            assert_eq!(accepts(&headers, coding), expected, "{value}");
        };
        check("gzip, deflate, br", "br", true);
        check("gzip;q=1.0, br;q=0", "br", false);
        check("BR;q=0.5", "br", true);
        check("brotli", "br", false);
        check("", "gzip", false);
        assert!(!accepts(&HeaderMap::new(), "br"));
    }

    #[test]
    fn a_page_is_for_who_names_it() {
        let check = |value: &'static str, expected| {
            let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(value))]);
            assert_eq!(wants_page(&headers), expected, "{value}");
        };
        check(
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            true,
        );
        check("*/*", false);
        check("application/json, text/html;q=0", false);
        check("image/avif,image/webp,*/*;q=0.8", false);
        assert!(!wants_page(&HeaderMap::new()));
    }
}
