//! The face of `spans.rs` in a build without the feature `otel`: nothing is begun, kept or sent.

use super::CannotExport;

/// Nothing goes anywhere.
#[derive(Debug)]
pub struct Exporting;

/// Does nothing, whatever the environment names.
#[expect(clippy::unnecessary_wraps, reason = "the other face can fail")]
pub(super) const fn start(_names_collector: bool) -> Result<Exporting, CannotExport> {
    Ok(Exporting)
}

/// The answer itself.
pub(crate) const fn of_request<T, F: Future<Output = T>>(
    _asked: (&'static str, &str, &str),
    answer: F,
    _status_of: fn(&T) -> u16,
) -> F {
    answer
}

/// The call itself.
pub(crate) const fn of_call<F>(_store: &'static str, _operation: &'static str, call: F) -> F {
    call
}
