//! A second reading of requests: any JSON object first, its members one by one after that.

use std::fmt;

use onetimeshare_crypto::base64url::decode_base64url;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

/// The members of an object, in their order, doubled ones too.
pub(crate) struct Members(Vec<(String, Value)>);

impl Members {
    /// Those of a text that is one object, and nothing besides.
    pub(crate) fn read(text: &[u8]) -> Option<Self> {
        serde_json::from_slice(text).ok()
    }

    /// Whether each of `needed` stands there once, each of `possible` at most once, and nothing else.
    pub(crate) fn are(&self, needed: &[&str], possible: &[&str]) -> bool {
        let count = |name: &&&str| self.0.iter().filter(|(other, _)| other == **name).count();
        let known = [needed, possible].concat();
        self.0
            .iter()
            .all(|(name, _)| known.contains(&name.as_str()))
            && needed.iter().all(|name| count(&name) == 1)
            && possible.iter().all(|name| count(&name) <= 1)
    }

    /// The member `name`.
    pub(crate) fn value(&self, name: &str) -> Option<&Value> {
        let mut members = self.0.iter();
        members
            .find(|(other, _)| other == name)
            .map(|(_, value)| value)
    }

    /// The member `name` as bytes.
    pub(crate) fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        decode_base64url(self.value(name)?.as_str()?)
    }

    /// The member `name` as a value of fixed length.
    pub(crate) fn array<const N: usize>(&self, name: &str) -> Option<[u8; N]> {
        self.bytes(name)?.try_into().ok()
    }

    /// The member `name` as a whole number.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.value(name)?.as_u64()
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Members;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(All)
    }
}
