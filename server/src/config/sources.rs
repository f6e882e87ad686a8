//! Where settings come from, and what is wrong with them. It knows no setting's meaning, and never repeats a value
//! but the path of the file that they stand in.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use clap::ArgMatches;

use super::settings::{CONFIG, SETTINGS, Setting};
use super::value;
use super::variables::Variables;

/// A setting's text, and how a person would name where it stands.
#[derive(Debug)]
struct Found {
    texts: Vec<String>,
    origin: String,
}

/// All that was set, and every fault so far.
#[derive(Debug, Default)]
pub(super) struct Sources {
    found: BTreeMap<&'static str, Found>,
    /// What is set to something that cannot be read, which is one of the faults.
    unreadable: BTreeSet<&'static str>,
    faults: Vec<String>,
}

impl Sources {
    /// Reads the file first, then lets variables and flags win.
    pub(super) fn read(matches: &ArgMatches, variables: &Variables) -> Self {
        let mut sources = Self::default();
        for setting in SETTINGS {
            if let Some(value) = variables.value(&setting.variable()) {
                sources.add_variable(setting, value.clone());
            }
            if let Some(path) = setting
                .file_variable()
                .and_then(|name| variables.value(&name))
            {
                sources.add_secret(setting, path);
            }
            if let Some(texts) = matches.get_many::<String>(setting.name) {
                let origin = format!("the flag --{}", setting.name);
                sources.found.insert(
                    setting.name,
                    Found {
                        texts: texts.cloned().collect(),
                        origin,
                    },
                );
            }
        }
        if let Some(path) = sources
            .found
            .remove(CONFIG)
            .and_then(|found| found.texts.into_iter().next())
        {
            sources.add_file(&path);
        }
        sources
    }

    fn add_variable(&mut self, setting: &Setting, value: OsString) {
        let origin = format!("the variable {}", setting.variable());
        if let Ok(text) = value.into_string() {
            self.found.insert(
                setting.name,
                Found {
                    texts: vec![text],
                    origin,
                },
            );
        } else {
            self.unreadable.insert(setting.name);
            self.fault(format!("`{}`, from {origin}, is not UTF-8", setting.name));
        }
    }

    /// A secret's own file holds nothing but the value, and perhaps the end of its line.
    fn add_secret(&mut self, setting: &Setting, path: &OsString) {
        match std::fs::read_to_string(path) {
            Ok(text) => {
                self.found.insert(
                    setting.name,
                    Found {
                        texts: vec![text.trim().to_owned()],
                        origin: format!("the file of the variable {}_FILE", setting.variable()),
                    },
                );
            }
            Err(error) => {
                self.unreadable.insert(setting.name);
                self.fault(format!(
                    "`{}`: the file that {}_FILE names cannot be read ({error}): check its path and rights",
                    setting.name,
                    setting.variable()
                ));
            }
        }
    }

    /// The file's settings, where nothing stronger is set.
    fn add_file(&mut self, path: &str) {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                return self.fault(format!(
                    "`{CONFIG}`: the file {path} cannot be read ({error}): check its path and rights"
                ));
            }
        };
        let table = match text.parse::<toml::Table>() {
            Ok(table) => table,
            Err(error) => {
                let line = value::line_of(&error, &text);
                return self.fault(format!(
                    "`{CONFIG}`: the file {path} is not TOML, at line {line}: write lines such as lease = \"10m\""
                ));
            }
        };
        for (key, value) in table {
            let Some(setting) = SETTINGS
                .iter()
                .find(|setting| setting.name == key && key != CONFIG)
            else {
                self.fault(format!(
                    "`{key}`, in the file, is not a setting: --help lists them"
                ));
                continue;
            };
            let Some(texts) = texts(value, setting.is_list) else {
                self.fault(format!(
                    "`{key}`, in the file, must be a text or a whole number: {}",
                    setting.expected
                ));
                continue;
            };
            self.found.entry(setting.name).or_insert_with(|| Found {
                texts,
                origin: "the file".to_owned(),
            });
        }
    }

    /// Whether `name` is set anywhere, faulty or not.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.found.contains_key(name) || self.unreadable.contains(name)
    }

    /// Notes a fault.
    pub(super) fn fault(&mut self, fault: String) {
        self.faults.push(fault);
    }

    /// Every fault, in the order they were found.
    pub(super) fn into_faults(self) -> Vec<String> {
        self.faults
    }

    /// The one value of `name`. A faulty one is noted, and its default taken.
    pub(super) fn one<T>(&mut self, name: &'static str, parse: impl Fn(&str) -> Option<T>) -> T {
        if let Some(found) = self.found.get(name) {
            if let [text] = &found.texts[..]
                && let Some(value) = parse(text.trim())
            {
                return value;
            }
            let expected = setting(name).expected;
            let fault = format!("`{name}`, from {}, must be {expected}", found.origin);
            self.fault(fault);
        }
        parse(default(name)).expect("a test reads every default")
    }

    /// The one value of `name`; none where it is not set. A faulty one is noted, with the sentence that `parse` ends, and passed over.
    pub(super) fn option<T>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let found = self.found.get(name)?;
        let parsed = match &found.texts[..] {
            [text] => parse(text.trim()),
            _ => Err("must be given once".to_owned()),
        };
        match parsed {
            Ok(value) => Some(value),
            Err(end) => {
                let fault = format!("`{name}`, from {}, {end}", found.origin);
                self.fault(fault);
                None
            }
        }
    }

    /// The one value of `name`; none where it is not set. A faulty one is noted, and passed over.
    pub(super) fn optional<T>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        self.option(name, |text| {
            parse(text).ok_or_else(|| format!("must be {}", setting(name).expected))
        })
    }

    /// The values of `name`; none where it is not set, or set to `none`. A faulty one is noted, and all are passed over.
    pub(super) fn optional_list<T>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Vec<T> {
        let is_set = self.found.get(name).is_some_and(|found| {
            let mut texts = found.texts.iter();
            texts.any(|text| !matches!(text.trim(), "" | "none"))
        });
        if is_set {
            self.values(name, parse).unwrap_or_default()
        } else {
            Vec::new()
        }
    }

    /// The values of `name`, at least one. A faulty one is noted, and the default taken.
    pub(super) fn list<T>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Vec<T> {
        let values = self.values(name, &parse);
        values.unwrap_or_else(|| parse(default(name)).into_iter().collect())
    }

    /// The values of `name`; none where it is not set, or faulty, which is noted.
    fn values<T>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<Vec<T>> {
        let found = self.found.get(name)?;
        let texts = found.texts.iter().flat_map(|text| text.split(','));
        let values: Option<Vec<_>> = texts.map(|text| parse(text.trim())).collect();
        let values = values.filter(|values| !values.is_empty());
        if values.is_none() {
            let expected = setting(name).expected;
            let fault = format!("`{name}`, from {}, must be {expected}", found.origin);
            self.fault(fault);
        }
        values
    }
}

fn setting(name: &str) -> &'static Setting {
    let mut settings = SETTINGS.iter();
    settings
        .find(|setting| setting.name == name)
        .expect("every setting that is asked for stands in the table")
}

fn default(name: &str) -> &'static str {
    let default = setting(name).default;
    default.expect("every setting that is never unset has a default in the table")
}

fn texts(value: toml::Value, is_list: bool) -> Option<Vec<String>> {
    match value {
        toml::Value::String(text) => Some(vec![text]),
        toml::Value::Integer(number) => Some(vec![number.to_string()]),
        toml::Value::Array(values) if is_list => values
            .into_iter()
            .map(|value| value.as_str().map(str::to_owned))
            .collect(),
        _ => None,
    }
}
