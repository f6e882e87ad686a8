//! What Redis says of itself, and whether that can keep the promises: a Redis that forgets what it was told brings back what
//! was claimed.

use std::collections::BTreeMap;

use super::link::Terms;
use crate::record::StoreError;

/// A danger that an operator may accept by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Risk {
    /// No append-only file: after a restart, what was claimed since the last snapshot can be claimed again.
    Volatile,
    /// Keys may be evicted: transfers and tombstones disappear when memory is short.
    Eviction,
    /// An old copy of the records was restored on purpose: what was opened since then can be opened again.
    Restored,
}

impl Risk {
    /// The risk of this name: `volatile`, `eviction` or `restored`.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "volatile" => Some(Self::Volatile),
            "eviction" => Some(Self::Eviction),
            "restored" => Some(Self::Restored),
            _ => None,
        }
    }
}

/// The oldest version that has everything the scripts call, major and minor.
const VERSION_MIN: (u32, u32) = (6, 2);

/// The oldest version whose scripts heed `min-replicas-to-write`.
const VERSION_HEEDING: (u32, u32) = (7, 0);

/// What one server of Redis says of itself.
#[derive(Debug)]
pub(super) struct Inspection(BTreeMap<String, String>);

impl Inspection {
    /// Reads the answer to `INFO`, and `appendfsync` where the server tells it.
    pub(super) fn new(told: &str, appendfsync: Option<String>) -> Self {
        let lines = told.lines().filter_map(|line| line.split_once(':'));
        let mut fields: BTreeMap<String, String> = lines
            .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
            .collect();
        if let Some(value) = appendfsync {
            fields.insert("appendfsync".to_owned(), value);
        }
        Self(fields)
    }

    fn field(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn version(&self) -> Option<(u32, u32)> {
        let mut numbers = self.field("redis_version")?.split('.');
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    }

    fn replicas(&self) -> u32 {
        let count = self.field("connected_slaves");
        count.and_then(|count| count.parse().ok()).unwrap_or(0)
    }

    /// Warnings, or why it cannot be used: each a sentence that says what to do.
    pub(super) fn judge(&self, terms: &Terms) -> Result<Vec<String>, StoreError> {
        let accepted = &terms.accepted;
        let mut warnings = Vec::new();
        let refuse = |sentence: &str| Err(StoreError::Unfit(sentence.to_owned()));
        if self.version().is_none_or(|version| version < VERSION_MIN) {
            return refuse("this Redis is older than 6.2: bring it up to date");
        }
        if self.field("role") != Some("master") {
            return refuse(
                "this Redis is a replica, which cannot be written to: name the primary, or the sentinels that know it",
            );
        }
        if self.field("aof_enabled") != Some("1") {
            const SENTENCE: &str = "this Redis keeps no append-only file, so that a restart brings back what was claimed: set \
                                    `appendonly yes`, or accept that with --redis-accept volatile";
            if !accepted.contains(&Risk::Volatile) {
                return refuse(SENTENCE);
            }
            warnings.push(SENTENCE.to_owned());
        } else if self.field("appendfsync") == Some("no") {
            warnings.push(
                "Redis leaves it to the system when its append-only file reaches the disk: set `appendfsync everysec` or `always`"
                    .to_owned(),
            );
        } else if self.field("appendfsync") != Some("always") {
            warnings.push(
                "Redis syncs its append-only file once a second, so that a power loss may bring back what was claimed in the last \
                 second: set `appendfsync always` to rule that out"
                    .to_owned(),
            );
        }
        if self.field("aof_last_write_status") == Some("err") {
            return refuse(
                "this Redis cannot write its append-only file: look at its log and its disk",
            );
        }
        // Keys of transfers never have a time to live of their own, so that only these policies touch them.
        let evicts = self
            .field("maxmemory_policy")
            .is_some_and(|policy| policy.starts_with("allkeys"));
        if evicts {
            const SENTENCE: &str = "this Redis evicts keys when memory is short, so that transfers get lost: set \
                                    `maxmemory-policy noeviction`, or accept that with --redis-accept eviction";
            if !accepted.contains(&Risk::Eviction) {
                return refuse(SENTENCE);
            }
            warnings.push(SENTENCE.to_owned());
        }
        warnings.extend(self.warn_of_replicas(terms.replicas));
        Ok(warnings)
    }

    fn warn_of_replicas(&self, expected: u32) -> Vec<String> {
        let (mut warnings, found) = (Vec::new(), self.replicas());
        if found < expected {
            warnings.push(format!(
                "this Redis has {found} of the {expected} replicas that --redis-replicas waits for: until they are connected, nothing \
                 is created, claimed or acknowledged (503)"
            ));
        }
        let heeds = |version| version >= VERSION_HEEDING;
        if found > 0 && !self.version().is_some_and(heeds) {
            warnings.push(
                "this Redis has replicas and is older than 7.0, where `min-replicas-to-write` stops no script: a primary that was \
                 cut off gives what is given again after the fail-over. Bring it up to date, or wait for replicas with --redis-replicas"
                    .to_owned(),
            );
        }
        warnings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = "# Server\r\nredis_version:7.0.15\r\n# Persistence\r\naof_enabled:1\r\naof_last_write_status:ok\r\n\
                         # Replication\r\nrole:master\r\nmaxmemory_policy:noeviction\r\n";

    fn terms(accepted: &[Risk], replicas: u32) -> Terms {
        Terms {
            accepted: accepted.to_vec(),
            replicas,
            ..Terms::default()
        }
    }

    fn judge(told: &str, fsync: &str, accepted: &[Risk]) -> Result<Vec<String>, String> {
        let inspection = Inspection::new(told, Some(fsync.to_owned()));
        inspection
            .judge(&terms(accepted, 0))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_sound_server_passes_without_a_word() {
        assert_eq!(judge(SOUND, "always", &[]), Ok(Vec::new()));
        let volatile = SOUND.replace("noeviction", "volatile-lru");
        assert_eq!(judge(&volatile, "always", &[]), Ok(Vec::new()));
    }

    #[test]
    fn what_may_be_lost_in_a_power_loss_is_warned_about() {
        for fsync in ["everysec", "no"] {
            let warnings = judge(SOUND, fsync, &[]).unwrap();
            assert!(warnings[0].contains("appendfsync"), "{warnings:?}");
        }
        let untold = Inspection::new(SOUND, None)
            .judge(&Terms::default())
            .unwrap();
        assert_eq!(untold.len(), 1);
    }

    #[test]
    fn replicas_that_are_waited_for_and_not_there_are_warned_about() {
        let check = |found: u32, expected: u32, is_warned: bool| {
            let told = format!("{SOUND}connected_slaves:{found}\r\n");
            let inspection = Inspection::new(&told, Some("always".to_owned()));
            let warnings = inspection.judge(&terms(&[], expected)).unwrap();
            let sentence = format!("{found} of the {expected} replicas");
            let is_said = warnings.iter().any(|warning| warning.contains(&sentence));
            assert_eq!(is_said, is_warned, "{warnings:?}");
        };
        check(0, 1, true);
        check(1, 2, true);
        check(1, 1, false);
        check(2, 1, false);
        check(0, 0, false);
    }

    #[test]
    fn a_cut_off_primary_that_would_go_on_is_warned_about() {
        let check = |version: &str, count: u32, is_warned: bool| {
            let told = SOUND.replace("7.0.15", version).replace(
                "role:master",
                &format!("role:master\r\nconnected_slaves:{count}"),
            );
            let warnings = judge(&told, "always", &[]).unwrap();
            let is_said = warnings
                .iter()
                .any(|warning| warning.contains("older than 7.0"));
            assert_eq!(is_said, is_warned, "{version}, {count}: {warnings:?}");
        };
        check("6.2.14", 1, true);
        check("6.2.14", 0, false);
        check("7.0.15", 2, false);
    }

    #[test]
    fn what_would_bring_back_the_claimed_is_refused_unless_accepted() {
        let check = |from: &str, to: &str, risk: Risk, sentence: &str| {
            let told = SOUND.replace(from, to);
            let refused = judge(&told, "always", &[]).unwrap_err();
            assert!(refused.contains(sentence), "{refused}");
            let warnings = judge(&told, "always", &[risk]).unwrap();
            assert!(warnings[0].contains(sentence), "{warnings:?}");
        };
        check(
            "aof_enabled:1",
            "aof_enabled:0",
            Risk::Volatile,
            "appendonly yes",
        );
        check("noeviction", "allkeys-lru", Risk::Eviction, "noeviction");
    }

    #[test]
    fn a_server_that_cannot_be_used_says_why() {
        let check = |from: &str, to: &str, sentence: &str| {
            let refused = judge(&SOUND.replace(from, to), "always", &[]).unwrap_err();
            assert!(refused.contains(sentence), "{refused}");
            assert!(
                refused.starts_with("this Redis"),
                "it was reached: {refused}"
            );
        };
        check("7.0.15", "6.0.16", "older than 6.2");
        check("redis_version", "other", "older than 6.2");
        check("role:master", "role:slave", "a replica");
        check(
            "status:ok",
            "status:err",
            "cannot write its append-only file",
        );
    }

    #[test]
    fn risks_are_accepted_by_name() {
        for (name, risk) in [
            ("volatile", Some(Risk::Volatile)),
            ("eviction", Some(Risk::Eviction)),
            ("restored", Some(Risk::Restored)),
            ("all", None),
        ] {
            assert_eq!(Risk::parse(name), risk);
        }
    }
}
