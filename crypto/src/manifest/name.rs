//! Which names a manifest may hold, and how one that it may not is cleaned. Looks at one name; never at a file system.

/// The most bytes in one component of a name.
pub const COMPONENT_LEN_MAX: usize = 255;
/// The most bytes in a whole name.
pub const NAME_LEN_MAX: usize = 1024;

/// An extension of at most so many bytes survives when a long component is cut.
const EXTENSION_LEN_MAX: usize = 32;

/// Checks a name against every rule of section 3 that concerns it alone. -> the rule it breaks
pub(super) fn check_name(name: &str) -> Result<(), &'static str> {
    if name.len() > NAME_LEN_MAX {
        return Err("a name has more than 1024 bytes");
    }
    if name.chars().any(is_refused) {
        return Err("a name has a backslash, control, separator or bidirectional control");
    }
    for component in name.split('/') {
        if matches!(component, "" | "." | "..") {
            return Err("a component of a name is empty, . or ..");
        }
        if component.len() > COMPONENT_LEN_MAX {
            return Err("a component of a name has more than 255 bytes");
        }
    }
    Ok(())
}

/// Cleans a name, given as UTF-16 so that lone surrogates can be told, until sealing accepts it.
///
/// Each character that may not stand becomes `_`; so does an empty component, `.` and `..`. A long component loses
/// characters before its extension, a long name its outer folders, and `_` marks where. A name that sealing accepts
/// comes back as it was. Two names may be cleaned to the same: the caller compares.
pub fn clean_name(name: impl IntoIterator<Item = u16>) -> String {
    let replaced: String = char::decode_utf16(name)
        .map(|character| {
            character
                .ok()
                .filter(|&character| !is_refused(character))
                .unwrap_or('_')
        })
        .collect();
    let components: Vec<String> = replaced.split('/').map(clean_component).collect();
    let joined = components.join("/");
    if joined.len() <= NAME_LEN_MAX {
        joined
    } else {
        keep_last(&components)
    }
}

fn is_refused(character: char) -> bool {
    // Character::is_control is the category Cc: C0, DEL and C1. Then Zl, Zp, and the bidirectional controls.
    character.is_control()
        || matches!(
            character,
            '\\' | '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
        )
}

fn clean_component(component: &str) -> String {
    if matches!(component, "" | "." | "..") {
        return "_".to_owned();
    }
    if component.len() <= COMPONENT_LEN_MAX {
        return component.to_owned();
    }
    let extension = component.rfind('.').and_then(|dot| component.get(dot..));
    let extension = extension
        .filter(|extension| extension.len() <= EXTENSION_LEN_MAX)
        .unwrap_or("");
    let stem = floor_char_boundary(component, COMPONENT_LEN_MAX - 1 - extension.len());
    format!("{stem}_{extension}")
}

/// As many of the last components as fit behind a `_` that stands for the rest.
fn keep_last(components: &[String]) -> String {
    let mut kept_len = 1;
    let mut kept: Vec<&str> = components
        .iter()
        .rev()
        .map_while(|component| {
            kept_len += 1 + component.len();
            (kept_len <= NAME_LEN_MAX).then_some(component.as_str())
        })
        .collect();
    kept.push("_");
    kept.reverse();
    kept.join("/")
}

/// The longest start of `text` that has at most `len` bytes and cuts no character.
fn floor_char_boundary(text: &str, len: usize) -> &str {
    (0..=len)
        .rev()
        .find_map(|end| text.get(..end))
        .unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(name: &str) -> String {
        let cleaned = clean_name(name.encode_utf16());
        assert_eq!(
            check_name(&cleaned),
            Ok(()),
            "{name:?} cleaned to {cleaned:?}"
        );
        cleaned
    }

    #[test]
    fn names_that_may_stand_are_left_alone() {
        for name in [
            "a",
            "a/b.bin",
            "日本 \"x\".txt",
            ".hidden",
            "...",
            "a..b",
            "a:b",
            "CON",
            " ",
            "😀",
            "a\u{200d}b",
            "~",
        ] {
            assert_eq!(check_name(name), Ok(()), "{name:?}");
            assert_eq!(cleaned(name), name);
        }
    }

    #[test]
    fn what_may_not_stand_becomes_an_underscore() {
        for (name, expected) in [
            ("", "_"),
            (".", "_"),
            ("..", "_"),
            ("/etc/passwd", "_/etc/passwd"),
            ("a//b/", "a/_/b/_"),
            ("a/../b", "a/_/b"),
            ("..\\w", ".._w"),
            ("a\0\n\x1f\x7f\u{80}\u{85}\u{9f}b", "a_______b"),
            ("a\u{2028}\u{2029}b", "a__b"),
            (
                "a\u{200e}\u{200f}\u{61c}\u{202a}\u{202e}\u{2066}\u{2069}b",
                "a_______b",
            ),
        ] {
            assert!(check_name(name).is_err(), "{name:?}");
            assert_eq!(cleaned(name), expected);
        }
    }

    #[test]
    fn lone_surrogates_become_an_underscore() {
        assert_eq!(clean_name([0x61, 0xd800, 0x62]), "a_b");
        assert_eq!(clean_name([0xdc00, 0xd83d, 0xde00, 0xd83d]), "_😀_");
    }

    #[test]
    fn component_length_at_the_border() {
        assert_eq!(check_name(&"a".repeat(255)), Ok(()));
        assert!(check_name(&"a".repeat(256)).is_err());
        assert!(
            check_name(&"é".repeat(128)).is_err(),
            "bytes are counted, not characters"
        );
        assert_eq!(cleaned(&"a".repeat(255)), "a".repeat(255));
        assert_eq!(cleaned(&"a".repeat(256)), format!("{}_", "a".repeat(254)));
        assert_eq!(
            cleaned(&format!("{}.tar", "a".repeat(252))),
            format!("{}_.tar", "a".repeat(250))
        );
        assert_eq!(
            cleaned(&format!("{}.tar", "é".repeat(252))),
            format!("{}_.tar", "é".repeat(125))
        );
        assert_eq!(
            cleaned(&format!("a.{}", "b".repeat(300))),
            format!("a.{}_", "b".repeat(252))
        );
    }

    #[test]
    fn name_length_at_the_border() {
        let folders = [
            "a".repeat(204),
            "a".repeat(204),
            "a".repeat(204),
            "a".repeat(204),
        ]
        .join("/");
        let longest = format!("{folders}/{}", "b".repeat(204));
        assert_eq!((longest.len(), check_name(&longest)), (1024, Ok(())));
        assert_eq!(cleaned(&longest), longest);
        assert!(check_name(&format!("{longest}b")).is_err());
        let kept = format!(
            "_/{}/{}b",
            ["a".repeat(204), "a".repeat(204), "a".repeat(204)].join("/"),
            "b".repeat(204)
        );
        assert_eq!(cleaned(&format!("{longest}b")), kept);
        assert!(cleaned(&"a/".repeat(5000)).ends_with("a/_"));
    }
}
