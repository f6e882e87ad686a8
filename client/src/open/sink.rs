//! Where received content goes, entry by entry, and how one stream becomes entries. Touches no file.

use std::io;

use onetimeshare_crypto::Entry;

/// Takes the entries of a transfer, in order.
///
/// What it is given has verified, and yet **may be called complete only when [`Self::finish`] is called**: a body can
/// fail at its last chunk.
pub trait Sink {
    /// An entry begins.
    fn begin(&mut self, entry: &Entry) -> io::Result<()>;

    /// The next bytes of the entry.
    fn write(&mut self, content: &[u8]) -> io::Result<()>;

    /// The entry has all its bytes.
    fn end(&mut self) -> io::Result<()>;

    /// The whole body has verified. Returns when everything is where it is to stay: the server erases it after that.
    fn finish(&mut self) -> io::Result<()>;
}

/// A sink in memory, for content that is known to be small.
#[derive(Default)]
pub struct Collected {
    /// Every entry so far, with its content.
    pub entries: Vec<(Entry, Vec<u8>)>,
    /// Whether it is the whole.
    pub is_complete: bool,
}

impl Sink for Collected {
    fn begin(&mut self, entry: &Entry) -> io::Result<()> {
        self.entries.push((entry.clone(), Vec::new()));
        Ok(())
    }

    fn write(&mut self, content: &[u8]) -> io::Result<()> {
        if let Some((_, collected)) = self.entries.last_mut() {
            collected.extend_from_slice(content);
        }
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.is_complete = true;
        Ok(())
    }
}

/// Cuts one stream of content into entries.
pub(super) struct Splitter {
    /// The entry that is next or under way.
    index: usize,
    /// Bytes that it lacks.
    left: u64,
    has_begun: bool,
}

impl Splitter {
    pub(super) fn new(entries: &[Entry]) -> Self {
        Self {
            index: 0,
            left: entries.first().map_or(0, |entry| entry.size),
            has_begun: false,
        }
    }

    /// Gives the sink the next bytes, and every entry that begins or ends with them. Empty entries need no bytes, so that
    /// an empty `content` delivers those that are next.
    pub(super) fn deliver(
        &mut self,
        entries: &[Entry],
        mut content: &[u8],
        sink: &mut dyn Sink,
    ) -> io::Result<()> {
        while let Some(entry) = entries.get(self.index) {
            if !self.has_begun {
                sink.begin(entry)?;
                self.has_begun = true;
            }
            let len = usize::try_from(self.left)
                .unwrap_or(usize::MAX)
                .min(content.len());
            let (head, rest) = content.split_at(len);
            if !head.is_empty() {
                sink.write(head)?;
            }
            self.left -= u64::try_from(len).expect("it is at most what is left");
            content = rest;
            if self.left > 0 {
                break;
            }
            sink.end()?;
            self.index += 1;
            self.left = entries.get(self.index).map_or(0, |entry| entry.size);
            self.has_begun = false;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    /// Writes down what it is told.
    #[derive(Default)]
    struct Protocol(String);

    impl Sink for Protocol {
        fn begin(&mut self, entry: &Entry) -> io::Result<()> {
            write!(self.0, "{}(", entry.name).map_err(io::Error::other)
        }

        fn write(&mut self, content: &[u8]) -> io::Result<()> {
            self.0.push_str(std::str::from_utf8(content).unwrap());
            Ok(())
        }

        fn end(&mut self) -> io::Result<()> {
            self.0.push(')');
            Ok(())
        }

        fn finish(&mut self) -> io::Result<()> {
            self.0.push('.');
            Ok(())
        }
    }

    fn entries(sizes: &[u64]) -> Vec<Entry> {
        let names = ('a'..).map(String::from);
        let entry = |(name, size): (String, &u64)| Entry {
            name,
            media_type: String::new(),
            size: *size,
        };
        names.zip(sizes).map(entry).collect()
    }

    #[test]
    fn entries_begin_and_end_where_their_sizes_say() {
        let check = |sizes: &[u64], content: &str, expected: &str| {
            for step in 1..=content.len().max(1) {
                let entries = entries(sizes);
                let mut splitter = Splitter::new(&entries);
                let mut sink = Protocol::default();
                splitter.deliver(&entries, &[], &mut sink).unwrap();
                for piece in content.as_bytes().chunks(step) {
                    splitter.deliver(&entries, piece, &mut sink).unwrap();
                }
                assert_eq!(sink.0, expected, "in steps of {step}");
            }
        };
        check(&[3], "xyz", "a(xyz)");
        check(&[0], "", "a()");
        check(&[0, 0], "", "a()b()");
        check(&[2, 0, 3, 0], "xyzuv", "a(xy)b()c(zuv)d()");
        check(&[3], "xy", "a(xy");
    }

    #[test]
    fn an_entry_is_announced_once_however_often_nothing_comes() {
        let entries = entries(&[0, 2]);
        let mut splitter = Splitter::new(&entries);
        let mut sink = Protocol::default();
        for _ in 0..3 {
            splitter.deliver(&entries, &[], &mut sink).unwrap();
        }
        assert_eq!(sink.0, "a()b(");
    }
}
