//! Numbers and texts between JavaScript and Rust. Rounds nothing: what does not convert exactly is refused.

use js_sys::JsString;
use onetimeshare_crypto::base64url::decode_base64url;
use onetimeshare_crypto::{Error, Passphrase, Result};
use zeroize::Zeroizing;

/// `Number.MAX_SAFE_INTEGER`.
const SAFE_MAX: f64 = 9_007_199_254_740_991.0;

/// A JavaScript number that is a safe integer and not negative; else [`Error::BodyOrder`].
pub(crate) fn integer(number: f64) -> Result<u64> {
    if !(0.0..=SAFE_MAX).contains(&number) || number.fract() != 0.0 {
        return Err(Error::BodyOrder(
            "a length or index is a whole number from 0 to 2^53-1",
        ));
    }
    #[expect(
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be whole, not negative and exact; f64 has no TryFrom"
    )]
    Ok(number as u64)
}

/// The other way round. Every length of this format is far below 2^53.
pub(crate) fn number(integer: u64) -> f64 {
    let [high, low] = [integer >> 32, integer & 0xffff_ffff]
        .map(|half| u32::try_from(half).expect("32 bits are left"));
    f64::from(high) * 4_294_967_296.0 + f64::from(low)
}

/// NFC by the browser's own tables, `String.prototype.normalize`.
pub(crate) fn nfc(text: &str) -> String {
    JsString::from(text).normalize("NFC").into()
}

/// An absent or empty passphrase is none: a page's empty field.
pub(crate) fn passphrase(text: Option<String>) -> Result<Option<Passphrase>> {
    let text = Zeroizing::new(text.unwrap_or_default());
    if text.is_empty() {
        Ok(None)
    } else {
        Passphrase::new(&text, &nfc).map(Some)
    }
}

/// The bytes of a sealed manifest that came as base64url.
pub(crate) fn sealed_manifest(text: &str) -> Result<Vec<u8>> {
    decode_base64url(text).ok_or(Error::ManifestRefused("it is not base64url"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_convert_exactly_or_not_at_all() {
        for whole in [0, 1, 1 << 31, 1 << 32, (1 << 40) + 1, (1 << 53) - 1] {
            assert_eq!(integer(number(whole)), Ok(whole));
        }
        for other in [
            -1.0,
            0.5,
            f64::NAN,
            f64::INFINITY,
            SAFE_MAX + 1.0,
            -f64::INFINITY,
        ] {
            assert!(integer(other).is_err(), "{other}");
        }
    }
}
