//! The manifest: what a transfer holds, under which names. Encoded, checked, padded, sealed, opened; never rewritten.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::hazmat::Aead;
use crate::json::{self, Value};
use crate::key::RootKeys;
use crate::normalise::{Nfc, normalise};
use crate::size::{BodyLayout, CONTENT_LEN_MAX};

mod name;

pub use name::{COMPONENT_LEN_MAX, NAME_LEN_MAX, clean_name};

/// The most entries of a manifest.
pub const ENTRY_COUNT_MAX: usize = 10_000;
/// The least and the most bytes of a padded manifest; the sizes between are the powers of two.
pub const PADDED_LEN_MIN: usize = 256;
/// See [`PADDED_LEN_MIN`].
pub const PADDED_LEN_MAX: usize = 1 << 20;

const COMMITMENT_LEN: usize = 32;
const TAG_LEN: usize = 16;
/// One manifest per key, so the nonce need not differ.
const NONCE: [u8; 12] = [0; 12];

/// What the content of a transfer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One text, valid UTF-8, to be shown.
    Text,
    /// Files, to be saved.
    Files,
}

/// One text or file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Components joined by `/`; empty only for a text.
    pub name: String,
    /// The media type the sender named. Shown, never trusted.
    pub media_type: String,
    /// Bytes of content.
    pub size: u64,
}

/// A manifest that follows every rule of section 3: there is no way to hold another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    kind: Kind,
    entries: Vec<Entry>,
    layout: BodyLayout,
}

impl Manifest {
    /// Checks entries against the rules; fails with [`Error::ManifestRefused`] and the first rule that is broken.
    pub fn new(kind: Kind, entries: Vec<Entry>, nfc: Nfc<'_>) -> Result<Self> {
        check_counts(kind, &entries).map_err(Error::ManifestRefused)?;
        let layout = BodyLayout::new(content_len(&entries).map_err(Error::ManifestRefused)?)?;
        check_names(kind, &entries, nfc).map_err(Error::ManifestRefused)?;
        Ok(Self {
            kind,
            entries,
            layout,
        })
    }

    /// Reads the JSON text of a manifest, without padding; fails with [`Error::ManifestRefused`].
    pub fn parse_json(text: &[u8], nfc: Nfc<'_>) -> Result<Self> {
        let (kind, entries) = read(text).map_err(Error::ManifestRefused)?;
        Self::new(kind, entries, nfc)
    }

    /// The JSON text: `{"kind":…,"entries":[{"name":…,"type":…,"size":…},…]}`, in this order, without white space.
    pub fn to_json(&self) -> String {
        let kind = match self.kind {
            Kind::Text => "text",
            Kind::Files => "files",
        };
        let mut json = format!("{{\"kind\":\"{kind}\",\"entries\":[");
        for (
            index,
            Entry {
                name,
                media_type,
                size,
            },
        ) in self.entries.iter().enumerate()
        {
            let comma = if index == 0 { "" } else { "," };
            let [name, media_type] =
                [name, media_type].map(|text| serde_json::Value::from(text.as_str()));
            write!(
                json,
                "{comma}{{\"name\":{name},\"type\":{media_type},\"size\":{size}}}"
            )
            .expect("writing to a string cannot fail");
        }
        json.push_str("]}");
        json
    }

    /// Text or files.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The entries, in the order of their content.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Where the entries' bytes lie in the body.
    pub const fn layout(&self) -> BodyLayout {
        self.layout
    }

    /// `commitment ‖ ChaCha20-Poly1305(manifest_key, 0, aad = commitment, padded)`.
    ///
    /// **One manifest per key.** Fails with [`Error::ManifestRefused`] when the text has more than 2^20 bytes.
    pub fn seal(&self, keys: &RootKeys) -> Result<Vec<u8>> {
        let mut padded = Zeroizing::new(self.to_json().into_bytes());
        let padded_len = padded_len(padded.len())
            .ok_or(Error::ManifestRefused("it has more than 2^20 bytes"))?;
        padded.resize(padded_len, 0);
        let tag = Aead::new(keys.manifest_key()).seal(NONCE, keys.commitment(), &mut padded);
        Ok([&keys.commitment()[..], &padded, &tag].concat())
    }

    /// Opens a sealed manifest and checks it against every rule, among them that `body_len` (bytes, as the server
    /// states it) is exactly that of the sizes' sum.
    ///
    /// Fails with [`Error::ManifestOpen`] when key and manifest do not belong together, which is all that can be said
    /// of a wrong passphrase or an altered manifest; with [`Error::ManifestRefused`] when a rule is broken.
    pub fn open(sealed: &[u8], body_len: u64, keys: &RootKeys, nfc: Nfc<'_>) -> Result<Self> {
        let padded = open_padded(sealed, keys)?;
        let text_len = padded
            .iter()
            .rposition(|byte| *byte != 0)
            .map_or(0, |last| last + 1);
        if padded_len(text_len) != Some(padded.len()) {
            return Err(Error::ManifestRefused(
                "it is not padded to the smallest length that fits",
            ));
        }
        let manifest = Self::parse_json(padded.get(..text_len).unwrap_or_default(), nfc)?;
        if manifest.layout.body_len() != body_len {
            return Err(Error::ManifestRefused(
                "the body has not the length that follows from the sizes",
            ));
        }
        Ok(manifest)
    }
}

/// The smallest of 256, 512, 1024, … 2^20 that holds `text_len` bytes.
fn padded_len(text_len: usize) -> Option<usize> {
    (text_len <= PADDED_LEN_MAX).then(|| text_len.max(PADDED_LEN_MIN).next_power_of_two())
}

/// Compares the commitment in constant time before anything is decrypted: ChaCha20-Poly1305 alone is not committing.
fn open_padded(sealed: &[u8], keys: &RootKeys) -> Result<Zeroizing<Vec<u8>>> {
    let inner_len = sealed.len().saturating_sub(COMMITMENT_LEN + TAG_LEN);
    if padded_len(inner_len) != Some(inner_len) {
        return Err(Error::ManifestRefused(
            "its sealed length is none of the thirteen",
        ));
    }
    let Some((commitment, rest)) = sealed.split_first_chunk::<COMMITMENT_LEN>() else {
        return Err(Error::ManifestOpen);
    };
    if !bool::from(commitment.ct_eq(keys.commitment())) {
        return Err(Error::ManifestOpen);
    }
    let Some((sealed, tag)) = rest.split_last_chunk::<TAG_LEN>() else {
        return Err(Error::ManifestOpen);
    };
    let mut padded = Zeroizing::new(sealed.to_vec());
    Aead::new(keys.manifest_key()).open(
        NONCE,
        commitment,
        &mut padded,
        *tag,
        Error::ManifestOpen,
    )?;
    Ok(padded)
}

/// Kind and entries of a manifest's text; unknown members are ignored. -> or the rule it breaks
fn read(text: &[u8]) -> core::result::Result<(Kind, Vec<Entry>), &'static str> {
    let Value::Object(mut manifest) = json::parse(text)? else {
        return Err("it is not an object");
    };
    let kind = match manifest.remove("kind") {
        Some(Value::Text(kind)) if kind == "text" => Kind::Text,
        Some(Value::Text(kind)) if kind == "files" => Kind::Files,
        _ => return Err("kind is neither text nor files"),
    };
    let Some(Value::Array(entries)) = manifest.remove("entries") else {
        return Err("entries is not a list");
    };
    let entries = entries
        .into_iter()
        .map(read_entry)
        .collect::<core::result::Result<_, _>>()?;
    Ok((kind, entries))
}

fn read_entry(entry: Value) -> core::result::Result<Entry, &'static str> {
    let Value::Object(mut entry) = entry else {
        return Err("an entry is not an object");
    };
    let Some(Value::Text(name)) = entry.remove("name") else {
        return Err("the name of an entry is not a text");
    };
    let Some(Value::Text(media_type)) = entry.remove("type") else {
        return Err("the type of an entry is not a text");
    };
    let Some(Value::Integer(size)) = entry.remove("size") else {
        return Err("the size of an entry is not a plain decimal integer");
    };
    Ok(Entry {
        name,
        media_type,
        size,
    })
}

fn check_counts(kind: Kind, entries: &[Entry]) -> core::result::Result<(), &'static str> {
    match (kind, entries.len()) {
        (_, 0) => Err("it has no entry"),
        (Kind::Text, 2..) => Err("a text has exactly one entry"),
        (_, count) if count > ENTRY_COUNT_MAX => Err("it has more than 10000 entries"),
        _ => Ok(()),
    }
}

fn content_len(entries: &[Entry]) -> core::result::Result<u64, &'static str> {
    entries.iter().try_fold(0u64, |sum, entry| {
        if entry.size > CONTENT_LEN_MAX {
            return Err("a size is more than 2^40 bytes");
        }
        // Neither can overflow: at most 10 000 entries of at most 2^40.
        sum.checked_add(entry.size)
            .ok_or("the sizes add up to more than 2^40 bytes")
    })
}

/// Each name alone, then that no two are equal after NFC and none is a folder of another.
fn check_names(
    kind: Kind,
    entries: &[Entry],
    nfc: Nfc<'_>,
) -> core::result::Result<(), &'static str> {
    let mut names = BTreeSet::new();
    for Entry { name, .. } in entries {
        if kind == Kind::Files || !name.is_empty() {
            name::check_name(name)?;
        }
        if !names.insert(normalise(name, nfc)) {
            return Err("two entries have one name");
        }
    }
    let folders = |name: &str| {
        name.match_indices('/')
            .map(|(end, _)| end)
            .collect::<Vec<_>>()
    };
    let is_file =
        |name: &str, end: usize| name.get(..end).is_some_and(|folder| names.contains(folder));
    if names
        .iter()
        .any(|name| folders(name).into_iter().any(|end| is_file(name, end)))
    {
        return Err("an entry is a folder of another");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
