//! Unicode normalisation as a parameter. Holds no tables: the caller brings the browser's, or those of a crate.

/// Normalisation Form C (UAX #15) of a text, as the caller's platform computes it.
pub type Nfc<'a> = &'a dyn Fn(&str) -> String;

/// NFC of `text`. ASCII is its own normal form, so most names never reach the caller's function.
pub(crate) fn normalise(text: &str, nfc: Nfc<'_>) -> String {
    if text.is_ascii() {
        text.to_owned()
    } else {
        nfc(text)
    }
}
