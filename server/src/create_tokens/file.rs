//! The file of create tokens: one table of TOML for each, read whole, all faults at once. No fault repeats a value.

use std::fmt::Write as _;

use onetimeshare_protocol::id::CreateToken;

use super::{Allowance, Grant, OwnRate};
use crate::config::value;
use crate::service::{Limits, Quota};

/// The longest name of a token, in characters.
const NAME_LEN_MAX: usize = 64;

/// What a table may hold beside the hash: settings, which hold for its token alone.
const KEYS: [&str; 7] = [
    "sha256",
    "max-transfer-size",
    "max-ttl",
    "max-claims",
    "rate-create",
    "storage-max",
    "transfers-max",
];

/// Reads all tables. The faults are ends of sentences that begin with the file's name.
pub(super) fn parse(text: &str, limits: &Limits) -> Result<Vec<Grant>, Vec<String>> {
    let tables = text.parse::<toml::Table>().map_err(|error| {
        let line = value::line_of(&error, text);
        vec![format!(
            "is not TOML, or has a name twice, at line {line}: put there what `create-token` prints, as it is"
        )]
    })?;
    let mut faults = Vec::new();
    let mut grants: Vec<Grant> = Vec::new();
    for (name, value) in tables {
        let (toml::Value::Table(table), true) = (value, is_name(&name)) else {
            // What stands there may be a token that was put in the wrong place.
            faults.push(
                "has a table or key that is none of a token: write tables such as [alice], whose name is 1 to 64 letters, digits, - or \
                 _, and does not begin with ots_"
                    .to_owned(),
            );
            continue;
        };
        let mut entry = Entry {
            name: &name,
            table,
            faults: &mut faults,
        };
        let Some(grant) = entry.grant(limits) else {
            continue;
        };
        match grants.iter().find(|other| other.verifier == grant.verifier) {
            Some(other) => faults.push(format!(
                "has the same `sha256` in `[{}]` and `[{name}]`: make a token for each",
                other.name
            )),
            None => grants.push(grant),
        }
    }
    if grants.is_empty() && faults.is_empty() {
        faults.push(
            "holds no token: make one with `onetimeshare-server create-token NAME`, and put there the table that it prints"
                .to_owned(),
        );
    }
    if faults.is_empty() {
        Ok(grants)
    } else {
        Err(faults)
    }
}

/// One table, whose keys are taken out one by one.
struct Entry<'a> {
    name: &'a str,
    table: toml::Table,
    faults: &'a mut Vec<String>,
}

impl Entry<'_> {
    /// What it says; none when its hash is missing or faulty, which is noted as everything else that is.
    fn grant(&mut self, limits: &Limits) -> Option<Grant> {
        let unknown = self.table.keys().any(|key| !KEYS.contains(&&**key));
        if unknown {
            self.fault(&format!(
                "has a key that is none: it takes {}",
                KEYS.join(", ")
            ));
        }
        if !self.table.contains_key("sha256") {
            self.fault("has no `sha256`: put there what `create-token` prints");
        }
        let verifier = self.take(
            "sha256",
            unhex,
            "the SHA-256 of its token in 64 hexadecimal digits, as `create-token` prints it, and never the token itself",
        );
        let allowance = self.allowance(limits);
        Some(Grant::new(self.name.to_owned(), verifier?, allowance))
    }

    fn allowance(&mut self, limits: &Limits) -> Allowance {
        Allowance {
            transfer_size_max: self.take(
                "max-transfer-size",
                |text| {
                    value::size(text)
                        .filter(|size| (1000..=limits.transfer_size_max).contains(size))
                },
                "a size from 1 kB to the server's own `max-transfer-size`, such as 100 MB",
            ),
            ttl_max_s: self.take(
                "max-ttl",
                |text| {
                    let range = limits.ttl_min_s..=limits.ttl_max_s;
                    value::duration_s(text).filter(|life_s| range.contains(life_s))
                },
                "a duration from the server's `min-ttl` to its `max-ttl`, such as 1d",
            ),
            claims_max: self.take(
                "max-claims",
                |text| value::parse(text).filter(|count| (1..=limits.claims_max).contains(count)),
                "a number from 1 to the server's own `max-claims`",
            ),
            rate: self.take(
                "rate-create",
                |text| match text {
                    "off" => Some(OwnRate::Off),
                    _ => value::requests(text).map(OwnRate::Of),
                },
                "off, or a number up to 1000000 and a time from 1s to 1d, such as 600/1h",
            ),
            quota: Quota {
                len_max: self.take(
                    "storage-max",
                    value::storage_len,
                    "a size from 1 MB, such as 5 GiB",
                ),
                count_max: self.take(
                    "transfers-max",
                    value::transfer_count,
                    "a number from 1 to 1000000",
                ),
            },
        }
    }

    /// The value of `key`; none where it is not there. A faulty one is noted.
    fn take<T>(
        &mut self,
        key: &str,
        parse: impl Fn(&str) -> Option<T>,
        expected: &str,
    ) -> Option<T> {
        let text = match self.table.remove(key)? {
            toml::Value::String(text) => Some(text),
            toml::Value::Integer(number) => Some(number.to_string()),
            _ => None,
        };
        let value = text.and_then(|text| parse(text.trim()));
        if value.is_none() {
            self.fault(&format!("has a `{key}` that must be {expected}"));
        }
        value
    }

    /// Notes a fault: the end of a sentence that begins with the table.
    fn fault(&mut self, wrong: &str) {
        self.faults
            .push(format!("is faulty: `[{}]` {wrong}", self.name));
    }
}

/// Whether a token can be called so: a key of TOML that needs no quotes, and no token.
pub(super) fn is_name(name: &str) -> bool {
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    (1..=NAME_LEN_MAX).contains(&name.len())
        && name.chars().all(is_word)
        && !name.starts_with(CreateToken::PREFIX)
}

/// 64 hexadecimal digits.
pub(super) fn hex(bytes: &[u8; 32]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes everything");
        text
    })
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    let digits: Option<Vec<_>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() == 64)?;
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair.iter().fold(0, |byte, &digit| {
            byte << 4 | u8::try_from(digit).unwrap_or(0)
        });
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Rate;
    use crate::create_tokens::tests::LIMITS;

    fn sha256(digit: char) -> String {
        format!("sha256 = \"{}\"\n", digit.to_string().repeat(64))
    }

    #[test]
    fn a_table_is_a_token_with_its_limits() {
        let text = format!(
            "[all]\n{}max-transfer-size = \"5 MB\"\nmax-ttl = \"1h\"\nmax-claims = 3\nrate-create = \"20/1m\"\n\
             storage-max = \"1 GB\"\ntransfers-max = 7\n\n[bare]\n{}\n[endless]\n{}rate-create = \"off\"\n",
            sha256('a'),
            sha256('B'),
            sha256('0')
        );
        let grants = parse(&text, &LIMITS).expect("all hold");
        let names: Vec<_> = grants.iter().map(|grant| &*grant.name).collect();
        assert_eq!(names, ["all", "bare", "endless"]);
        let verifiers: Vec<_> = grants.iter().map(|grant| grant.verifier).collect();
        assert_eq!(verifiers, [[0xaa; 32], [0xbb; 32], [0; 32]]);
        let all = Allowance {
            transfer_size_max: Some(5_000_000),
            ttl_max_s: Some(3600),
            claims_max: Some(3),
            rate: Rate::new(20, 60).map(OwnRate::Of),
            quota: Quota {
                len_max: Some(1_000_000_000),
                count_max: Some(7),
            },
        };
        let endless = Allowance {
            rate: Some(OwnRate::Off),
            ..Allowance::default()
        };
        let found: Vec<_> = grants.iter().map(|grant| grant.allowance).collect();
        assert_eq!(found, [all, Allowance::default(), endless]);
    }

    #[test]
    fn all_faults_are_told_at_once_without_the_values() {
        let text = format!(
            "loose = \"hunter2\"\n[a]\nsha256 = \"hunter2\"\nmax-ttl = \"hunter2\"\n[b]\n{}max-claims = 101\nhunter3 = 1\n\
             [c]\n[d]\n{}[e]\n{}rate-create = \"hunter2\"\n[ots_hunter4]\n{}[f]\nsha256 = 5\n",
            sha256('1'),
            sha256('2'),
            sha256('2'),
            sha256('3'),
        );
        let faults = parse(&text, &LIMITS).expect_err("ten faults");
        let expected = [
            "`[a]` has a `sha256`",
            "`[a]` has a `max-ttl`",
            "`[b]` has a key that is none",
            "`[b]` has a `max-claims`",
            "`[c]` has no `sha256`",
            "`[e]` has a `rate-create`",
            "in `[d]` and `[e]`",
            "`[f]` has a `sha256`",
            "none of a token",
            "none of a token",
        ];
        assert_eq!(faults.len(), expected.len(), "{faults:#?}");
        for (fault, expected) in faults.iter().zip(expected) {
            assert!(fault.contains(expected), "{expected}: {fault}");
            assert!(!fault.contains("hunter"), "{fault}");
        }
    }

    #[test]
    fn what_is_no_toml_is_told_by_its_line() {
        for (text, line) in [
            ("[a\n", 1),
            ("[a]\nsha256 = hunter2\n", 2),
            ("[a]\n[b]\n[a]\n", 3),
        ] {
            let faults = parse(text, &LIMITS).expect_err(text).join("\n");
            assert!(faults.contains(&format!("line {line}:")), "{faults}");
            assert!(!faults.contains("hunter"), "{faults}");
        }
    }

    #[test]
    fn no_token_allows_more_than_the_server() {
        for line in [
            "max-transfer-size = \"2 GiB\"",
            "max-transfer-size = 999",
            "max-ttl = \"8d\"",
            "max-ttl = \"59s\"",
            "max-claims = 0",
            "rate-create = \"0/1h\"",
            "rate-create = \"1/2d\"",
            "storage-max = \"none\"",
            "storage-max = \"999 kB\"",
            "transfers-max = 0",
            "transfers-max = [1]",
        ] {
            let text = format!("[a]\n{}{line}\n", sha256('1'));
            let faults = parse(&text, &LIMITS).expect_err(line);
            let (key, _) = line.split_once(' ').expect("a key");
            assert!(faults.concat().contains(key), "{faults:?}");
        }
    }
}
