//! Objects of the blob store by number, and sets of them that fit into a byte, so that a state stays small.

use std::fmt;

use onetimeshare_server::blob::ObjectName;

/// How many objects can be written for one part.
pub(crate) const TRIES_MAX: u8 = 4;

/// How many parts a body can have.
pub(crate) const PARTS_MAX: usize = 2;

/// An object: which part it is meant to be, and at which try.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Object(u8);

impl Object {
    /// The object of a part's try.
    pub(crate) const fn new(part: u8, attempt: u8) -> Self {
        assert!(part < 2 && attempt < TRIES_MAX, "it fits into a set");
        Self(part * TRIES_MAX + attempt)
    }

    /// The object of this name.
    pub(crate) fn of(name: &ObjectName) -> Self {
        Self::drawn(name.random)
    }

    /// The object whose name was drawn so.
    pub(crate) fn drawn(random: u64) -> Self {
        Self(u8::try_from(random).expect("the model draws small numbers"))
    }

    /// Which part.
    pub(crate) const fn part(self) -> u8 {
        self.0 / TRIES_MAX
    }

    /// Its number among all.
    pub(crate) const fn number(self) -> u8 {
        self.0
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.part(), self.0 % TRIES_MAX)
    }
}

/// A set of objects.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Objects(u8);

impl Objects {
    /// Whether there is none.
    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether `object` is among them.
    pub(crate) const fn has(self, object: Object) -> bool {
        self.0 & (1 << object.0) != 0
    }

    /// Whether all of `others` are among them.
    pub(crate) const fn has_all(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }

    /// With `object`.
    pub(crate) const fn insert(&mut self, object: Object) {
        self.0 |= 1 << object.0;
    }

    /// Without `object`.
    pub(crate) const fn remove(&mut self, object: Object) {
        self.0 &= !(1 << object.0);
    }

    /// One after the other.
    pub(crate) fn iter(self) -> impl Iterator<Item = Object> {
        (0..8).map(Object).filter(move |object| self.has(*object))
    }
}

impl FromIterator<Object> for Objects {
    fn from_iter<I: IntoIterator<Item = Object>>(objects: I) -> Self {
        let mut set = Self::default();
        objects.into_iter().for_each(|object| set.insert(object));
        set
    }
}

impl fmt::Debug for Objects {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.iter()).finish()
    }
}
