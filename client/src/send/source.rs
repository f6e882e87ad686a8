//! The content to send: a text, or files that can be read again at any place. Never holds more of a file than a part needs.

use std::io::{Cursor, ErrorKind, Read, Seek, SeekFrom};
use std::ops::Range;

use onetimeshare_crypto::{Entry, Error as CryptoError, Kind, Manifest};
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::nfc;

/// Something that can be read again: a file, or bytes in memory.
pub trait Source: Read + Seek + Send {}

impl<T: Read + Seek + Send> Source for T {}

/// One file to send.
pub struct FileSource<'a> {
    /// Components joined by `/`. One that the format refuses is an error: `onetimeshare_crypto::manifest::clean_name`
    /// makes it one that stands.
    pub name: String,
    /// The media type, shown to the receiver and never trusted.
    pub media_type: String,
    /// Bytes of content. A source of another length is an error as soon as it is read.
    pub size: u64,
    /// Where the content is read from, from its start.
    pub source: Box<dyn Source + 'a>,
}

/// What is sent.
pub enum Content<'a> {
    /// One text, to be shown.
    Text(&'a str),
    /// Files, to be saved.
    Files(Vec<FileSource<'a>>),
}

impl<'a> Content<'a> {
    /// What it is, and where its bytes come from.
    pub(crate) fn split(self) -> Result<(Manifest, Contents<'a>)> {
        let (kind, files) = match self {
            Content::Text(text) => {
                let file = FileSource {
                    name: String::new(),
                    media_type: "text/plain".to_owned(),
                    size: u64::try_from(text.len()).expect("no text is longer than 2^64 bytes"),
                    source: Box::new(Cursor::new(text.as_bytes())),
                };
                (Kind::Text, vec![file])
            }
            Content::Files(files) => (Kind::Files, files),
        };
        let mut entries = Vec::with_capacity(files.len());
        let mut contents = Contents::default();
        for FileSource {
            name,
            media_type,
            size,
            source,
        } in files
        {
            entries.push(Entry {
                name,
                media_type,
                size,
            });
            contents.add(size, source);
        }
        Ok((Manifest::new(kind, entries, &nfc)?, contents))
    }
}

/// The bytes of all entries, one after the other.
#[derive(Default)]
pub(crate) struct Contents<'a> {
    /// Each with the place where it ends.
    sources: Vec<(u64, Box<dyn Source + 'a>)>,
}

impl<'a> Contents<'a> {
    fn add(&mut self, size: u64, source: Box<dyn Source + 'a>) {
        let start = self.sources.last().map_or(0, |(end, _)| *end);
        // A sum beyond all measure is refused with the manifest.
        self.sources.push((start.saturating_add(size), source));
    }

    /// Reads exactly `range`. Fails with [`CryptoError::BodyChanged`] when a source has not the length that was said.
    pub(crate) fn read(&mut self, range: Range<u64>) -> Result<Zeroizing<Vec<u8>>> {
        let len = usize::try_from(range.end - range.start);
        let len = len.map_err(|_| CryptoError::BodyOrder("the part does not fit into memory"))?;
        let mut content = Zeroizing::new(Vec::with_capacity(len));
        let first = self.sources.partition_point(|(end, _)| *end <= range.start);
        let mut start = match first.checked_sub(1) {
            Some(before) => self.sources.get(before).map_or(0, |(end, _)| *end),
            None => 0,
        };
        for (end, source) in self.sources.iter_mut().skip(first) {
            if start >= range.end {
                break;
            }
            let wanted = range.start.max(start) - start..range.end.min(*end) - start;
            read_exactly(source.as_mut(), *end - start, wanted, &mut content)?;
            start = *end;
        }
        Ok(content)
    }
}

/// Appends `range` of a source that must have `size` bytes.
fn read_exactly(
    source: &mut dyn Source,
    size: u64,
    range: Range<u64>,
    content: &mut Vec<u8>,
) -> Result<()> {
    if source.seek(SeekFrom::End(0)).map_err(Error::Source)? != size {
        return Err(CryptoError::BodyChanged.into());
    }
    source
        .seek(SeekFrom::Start(range.start))
        .map_err(Error::Source)?;
    let len = range.end - range.start;
    let start = content.len();
    let end = usize::try_from(len)
        .ok()
        .and_then(|len| start.checked_add(len));
    content.resize(end.ok_or(CryptoError::BodyChanged)?, 0);
    let Some(room) = content.get_mut(start..) else {
        return Err(CryptoError::BodyChanged.into());
    };
    source.read_exact(room).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => CryptoError::BodyChanged.into(),
        _ => Error::Source(error),
    })
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn contents(files: &[(u64, &'static [u8])]) -> Contents<'static> {
        let mut contents = Contents::default();
        for (size, bytes) in files {
            contents.add(*size, Box::new(Cursor::new(*bytes)));
        }
        contents
    }

    #[test]
    fn ranges_cross_entries_and_empty_ones() {
        let mut contents = contents(&[(3, b"abc"), (0, b""), (2, b"de"), (0, b""), (1, b"f")]);
        let mut check = |range: Range<u64>, expected: &[u8]| {
            assert_eq!(
                contents.read(range.clone()).unwrap().as_slice(),
                expected,
                "{range:?}"
            );
        };
        check(0..6, b"abcdef");
        check(0..3, b"abc");
        check(2..4, b"cd");
        check(3..5, b"de");
        check(5..6, b"f");
        check(0..6, b"abcdef");
        check(6..6, b"");
        check(0..0, b"");
    }

    #[test]
    fn a_source_of_another_length_has_changed() {
        for (size, bytes) in [(3, &b"ab"[..]), (1, b"ab"), (0, b"a")] {
            let mut contents = contents(&[(1, b"x"), (size, bytes), (1, b"y")]);
            let outcome = contents.read(0..size + 2);
            assert!(
                matches!(outcome, Err(Error::Crypto(CryptoError::BodyChanged))),
                "{size} said, {} there",
                bytes.len()
            );
        }
    }

    #[test]
    fn a_source_that_cannot_be_read_is_told_apart() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("as planned"))
            }
        }
        impl Seek for Broken {
            fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
                Ok(1)
            }
        }
        let mut contents = Contents::default();
        contents.add(1, Box::new(Broken));
        assert!(matches!(contents.read(0..1), Err(Error::Source(_))));
    }

    #[test]
    fn a_text_is_one_nameless_entry() {
        let (manifest, mut contents) = Content::Text("é").split().unwrap();
        assert_eq!(manifest.kind(), Kind::Text);
        assert_eq!(
            manifest.to_json(),
            r#"{"kind":"text","entries":[{"name":"","type":"text/plain","size":2}]}"#
        );
        assert_eq!(contents.read(0..2).unwrap().as_slice(), "é".as_bytes());
    }
}
