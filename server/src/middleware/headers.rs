//! The headers that every answer carries: what a page may load and do, and that nothing is kept. They never depend on the
//! request.

use std::sync::LazyLock;

use axum::extract::Request;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

use crate::assets;

/// One policy for all pages, and for every other answer too. The import map is the one inline script; Trusted Types leave
/// the pages' own policy as the only way to name a script.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let policy = [
        "default-src 'none'",
        &format!(
            "script-src 'self' 'wasm-unsafe-eval' 'sha256-{}'",
            assets::IMPORT_MAP_HASH
        ),
        "worker-src 'self'",
        "connect-src 'self'",
        "frame-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "font-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types onetimeshare",
    ];
    HeaderValue::try_from(policy.join("; ")).expect("the policy is visible ASCII")
});

/// The policy that every answer carries.
pub(crate) fn policy() -> &'static str {
    POLICY.to_str().expect("the policy is visible ASCII")
}

/// Everything that browsers offer and these pages do not use. What they use (the clipboard, sharing) is on by default for a
/// page itself; features that some browser does not know yet are left out, because it would complain in its console.
const PERMISSIONS: &str = "accelerometer=(), camera=(), clipboard-write=(self), display-capture=(), \
     encrypted-media=(), fullscreen=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), \
     picture-in-picture=(), publickey-credentials-get=(), screen-wake-lock=(), usb=(), xr-spatial-tracking=()";

/// The ones that are the same for all.
const FIXED: [(HeaderName, &str); 7] = [
    (REFERRER_POLICY, "no-referrer"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-embedder-policy"),
        "require-corp",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    // No script without its hash: the import map has those of all modules.
    (
        HeaderName::from_static("integrity-policy"),
        "blocked-destinations=(script)",
    ),
    (HeaderName::from_static("permissions-policy"), PERMISSIONS),
];

/// For a year browsers come back by https alone (RFC 6797). Hosts below this one are not this server's to speak for.
const HTTPS_ALONE: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Adds what only an answer over TLS may carry.
pub(crate) async fn keep_to_https(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(STRICT_TRANSPORT_SECURITY, HTTPS_ALONE);
    response
}

/// Adds them. Answers that say how long they may be kept keep their word; all others are not stored.
pub(crate) async fn add(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, POLICY.clone());
    for (name, value) in FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}
