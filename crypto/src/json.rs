//! JSON read strictly: no duplicate member, no deep nesting, nothing after the value. Knows nothing of manifests.

use core::cell::Cell;
use core::fmt;
use std::collections::BTreeMap;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// How deep values may nest. The outermost value is level 1, and a number or text counts as a level of its own.
pub(crate) const NESTING_MAX: usize = 8;

/// A JSON value, as far as this format looks into it.
#[derive(Debug, PartialEq)]
pub(crate) enum Value {
    Object(BTreeMap<String, Self>),
    Array(Vec<Self>),
    Text(String),
    /// A number written as plain decimal digits that fits 64 bits: not `-1`, `-0`, `1.0` or `1e0`.
    Integer(u64),
    /// Any other number, `true`, `false` or `null`.
    Other,
}

/// Reads one value and nothing besides. -> the value, or the rule (of FORMAT section 3) that the text breaks
pub(crate) fn parse(text: &[u8]) -> Result<Value, &'static str> {
    let text = core::str::from_utf8(text).map_err(|_| "it is not UTF-8")?;
    if text.starts_with('\u{feff}') {
        return Err("it starts with a byte order mark");
    }
    let broken = Cell::new("it is not JSON");
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = At {
        level: 1,
        broken: &broken,
    }
    .deserialize(&mut deserializer)
    .map_err(|_| broken.get())?;
    deserializer
        .end()
        .map_err(|_| "something follows its value")?;
    Ok(value)
}

/// A value that stands at `level`; a rule it breaks is left in `broken`, because serde's errors only carry text.
#[derive(Clone, Copy)]
struct At<'a> {
    level: usize,
    broken: &'a Cell<&'static str>,
}

impl At<'_> {
    fn inner(self) -> Self {
        Self {
            level: self.level + 1,
            ..self
        }
    }

    fn refuse<E: serde::de::Error>(self, rule: &'static str) -> E {
        self.broken.set(rule);
        E::custom(rule)
    }
}

impl<'de> DeserializeSeed<'de> for At<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        if self.level > NESTING_MAX {
            return Err(self.refuse("it nests deeper than 8 levels"));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for At<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = BTreeMap::new();
        while let Some(name) = map.next_key::<String>()? {
            let value = map.next_value_seed(self.inner())?;
            if members.insert(name, value).is_some() {
                return Err(self.refuse("a member stands twice in one object"));
            }
        }
        Ok(Value::Object(members))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(self.inner())? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Integer(number))
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Value, E> {
        Ok(Value::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<Value, &'static str>) {
        assert_eq!(parse(text.as_bytes()), expected, "{text:?}");
    }

    #[test]
    fn only_plain_decimal_digits_are_integers() {
        check("0", Ok(Value::Integer(0)));
        check("18446744073709551615", Ok(Value::Integer(u64::MAX)));
        for other in [
            "18446744073709551616",
            "-1",
            "-0",
            "1.0",
            "1e0",
            "0e0",
            "true",
            "null",
        ] {
            check(other, Ok(Value::Other));
        }
        for broken in [
            "01", "+1", ".5", "NaN", "Infinity", "", " ", "'a'", "[1,]", "\u{a0}1",
        ] {
            check(broken, Err("it is not JSON"));
        }
        check("0x1", Err("something follows its value"));
    }

    #[test]
    fn members_stand_once_at_any_level_however_they_are_escaped() {
        check("{\"a\":1,\"b\":[{\"a\":2}]}", {
            let inner = BTreeMap::from([("a".to_owned(), Value::Integer(2))]);
            let outer = [
                ("a", Value::Integer(1)),
                ("b", Value::Array(vec![Value::Object(inner)])),
            ];
            Ok(Value::Object(
                outer.map(|(name, value)| (name.to_owned(), value)).into(),
            ))
        });
        for twice in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":1}"#,
            r#"{"x":[{"y":{"a":1,"b":2,"a":3}}]}"#,
        ] {
            check(twice, Err("a member stands twice in one object"));
        }
    }

    #[test]
    fn nesting_at_the_border() {
        assert!(parse(b"[[[[[[[[]]]]]]]]").is_ok(), "8 levels");
        assert!(parse(b"[[[[[[[1]]]]]]]").is_ok(), "7 levels and a number");
        check("[[[[[[[[[]]]]]]]]]", Err("it nests deeper than 8 levels"));
        check("[[[[[[[[1]]]]]]]]", Err("it nests deeper than 8 levels"));
        check(&"[".repeat(1 << 20), Err("it nests deeper than 8 levels"));
        check(
            &"{\"a\":".repeat(100_000),
            Err("it nests deeper than 8 levels"),
        );
    }

    #[test]
    fn nothing_stands_before_or_after_but_white_space() {
        check(" \t\r\n1 \t\r\n", Ok(Value::Integer(1)));
        check("1 x", Err("something follows its value"));
        check("1\0", Err("something follows its value"));
        check("\u{feff}1", Err("it starts with a byte order mark"));
    }

    #[test]
    fn texts_are_well_formed_unicode() {
        check(r#""\ud83d\ude00""#, Ok(Value::Text("😀".to_owned())));
        for broken in [
            r#""\ud800""#,
            r#""\udc00\ud800""#,
            "\"a\nb\"",
            "\"a",
            r#""\x""#,
        ] {
            check(broken, Err("it is not JSON"));
        }
        assert_eq!(parse(b"\"\xff\""), Err("it is not UTF-8"));
        assert_eq!(
            parse(b"\"\xed\xa0\x80\""),
            Err("it is not UTF-8"),
            "a surrogate in UTF-8"
        );
    }
}
