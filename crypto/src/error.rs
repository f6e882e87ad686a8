//! Why a link, a manifest or a body was refused. Carries no bytes of what it speaks about, so it may be logged.

use core::fmt;

/// Every way in which this crate refuses.
///
/// A failed opening says nothing about why: a wrong key, a flipped bit and a cut are the same [`Error::ManifestOpen`]
/// or [`Error::BodyOpen`]. The texts inside name a rule of the specification, never something received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The fragment was cut short, mistyped or re-cased: its length, base64 or check is wrong (section 1).
    LinkDamaged(&'static str),
    /// The fragment is whole, and of another version of the format (bits 0 to 6 of its first byte).
    LinkVersion(u8),
    /// The link was made with a passphrase and none was given.
    PassphraseNeeded,
    /// A passphrase was given and the link takes none.
    PassphraseUnexpected,
    /// The passphrase has more than [`crate::passphrase::PASSPHRASE_LEN_MAX`] bytes after NFC.
    PassphraseTooLong,
    /// The commitment or the tag did not match: another passphrase, another link, or an altered manifest.
    ManifestOpen,
    /// The manifest breaks the rule that the text names (section 3).
    ManifestRefused(&'static str),
    /// A chunk did not verify, or the body is cut, too long, wrongly padded, or a text that is not UTF-8 (section 4).
    BodyOpen,
    /// A chunk sealed again gave another tag, or the content had another length: the source changed. Burn the transfer.
    BodyChanged,
    /// The caller asked for something in an order, or of a part, that does not exist.
    BodyOrder(&'static str),
}

/// What an operation of this crate gives back.
pub type Result<T> = core::result::Result<T, Error>;

impl Error {
    /// The stable name of this refusal, `noun.reason`, by which pages and programs look up their sentences.
    pub const fn code(self) -> &'static str {
        match self {
            Self::LinkDamaged(_) => "link.damaged",
            Self::LinkVersion(_) => "link.version",
            Self::PassphraseNeeded => "passphrase.needed",
            Self::PassphraseUnexpected => "passphrase.unexpected",
            Self::PassphraseTooLong => "passphrase.too_long",
            Self::ManifestOpen => "manifest.open",
            Self::ManifestRefused(_) => "manifest.refused",
            Self::BodyOpen => "body.open",
            Self::BodyChanged => "body.changed",
            Self::BodyOrder(_) => "body.order",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LinkDamaged(rule) => write!(f, "The link is damaged: {rule}."),
            Self::LinkVersion(version) => {
                write!(f, "The link is of version {version} of the format.")
            }
            Self::PassphraseNeeded => f.write_str("The link needs a passphrase."),
            Self::PassphraseUnexpected => f.write_str("The link takes no passphrase."),
            Self::PassphraseTooLong => f.write_str("The passphrase is longer than 1024 bytes."),
            Self::ManifestOpen => {
                f.write_str("The manifest did not open: wrong passphrase, or altered.")
            }
            Self::ManifestRefused(rule) => write!(f, "The manifest is refused: {rule}."),
            Self::BodyOpen => f.write_str("The body did not verify."),
            Self::BodyChanged => f.write_str("The content changed while it was being sealed."),
            Self::BodyOrder(rule) => write!(f, "Misuse: {rule}."),
        }
    }
}

impl core::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_a_noun_and_a_reason() {
        for (error, code) in [
            (Error::LinkDamaged("x"), "link.damaged"),
            (Error::LinkVersion(2), "link.version"),
            (Error::PassphraseNeeded, "passphrase.needed"),
            (Error::PassphraseUnexpected, "passphrase.unexpected"),
            (Error::PassphraseTooLong, "passphrase.too_long"),
            (Error::ManifestOpen, "manifest.open"),
            (Error::ManifestRefused("x"), "manifest.refused"),
            (Error::BodyOpen, "body.open"),
            (Error::BodyChanged, "body.changed"),
            (Error::BodyOrder("x"), "body.order"),
        ] {
            assert_eq!(error.code(), code);
            assert!(error.to_string().ends_with('.'), "{error} is a sentence");
        }
    }
}
