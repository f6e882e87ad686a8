//! Whom the room that a transfer takes up counts for: sixteen bytes that stand for a client or for a create token. It never holds
//! an address or a name.

use std::fmt;

/// Who holds a living transfer, where somebody may hold only so much. The first eight bytes name the site, all sixteen the client in
/// it; where a client has no neighbours that it is counted with, the site is its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Holder([u8; 16]);

impl Holder {
    /// The holder that these bytes name.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// A client of a site.
    pub fn new(site: [u8; 8], client: [u8; 8]) -> Self {
        let mut bytes = [0; 16];
        let (first, second) = bytes.split_at_mut(8);
        first.copy_from_slice(&site);
        second.copy_from_slice(&client);
        Self(bytes)
    }

    /// All sixteen bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The site's bytes.
    pub fn site(&self) -> [u8; 8] {
        let site = self.0.first_chunk();
        *site.expect("the first eight of sixteen bytes")
    }

    /// As 32 digits of hex; the first 16 name the site.
    pub fn to_text(self) -> String {
        format!("{:032x}", u128::from_be_bytes(self.0))
    }

    /// Reads what [`Holder::to_text`] writes, and nothing else.
    pub fn parse(text: &str) -> Option<Self> {
        let value = u128::from_str_radix(text, 16).ok()?;
        let holder = Self(value.to_be_bytes());
        (holder.to_text() == text).then_some(holder)
    }
}

/// Never the bytes: they tell which transfers are of one sender.
impl fmt::Debug for Holder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Holder")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_is_read_as_it_is_written_and_begins_with_its_site() {
        let holder = Holder::new([0, 1, 2, 3, 4, 5, 6, 7], [0xff; 8]);
        assert_eq!(holder.to_text(), "0001020304050607ffffffffffffffff");
        assert_eq!(Holder::parse(&holder.to_text()), Some(holder));
        assert_eq!(holder.site(), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(format!("{holder:?}"), "Holder");
        for text in ["", "0", &"g".repeat(32), &"A".repeat(32), &"0".repeat(33)] {
            assert_eq!(Holder::parse(text), None);
        }
    }
}
