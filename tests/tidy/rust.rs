//! The rules of Rust files: heads, budgets, names, and which module may know what; each is a function of a path and a
//! text, so that its own test can plant what it must find.

use crate::source::{self, Language, Token};

/// The most lines of a Rust file without its tests.
const LINES_MAX: usize = 600;

/// Words that say nothing about what is named.
const BANNED: &[&str] = &[
    "data", "helper", "helpers", "info", "manager", "metadata", "misc", "util", "utils",
];

/// Names that hold a banned word and are fixed from outside: the setting `--data-dir`.
const FIXED_NAMES: &[&str] = &["data_dir", "DataDir"];

/// Which of the server's modules may be known to which, from the inside out. A module that is not named here is part of
/// the edge (routes, settings, start) and may know all of these, except as [`HANDLERS_NEVER`] says.
const KNOWN_TO: &[(&str, &[&str])] = &[
    ("clock", &[]),
    ("token", &[]),
    ("transfer", &["clock", "token"]),
    // The stores share ids, names of objects and errors, and nothing that acts.
    ("record", &["blob", "clock", "token", "transfer"]),
    ("blob", &["clock", "record", "token", "transfer"]),
    ("service", &["blob", "clock", "record", "token", "transfer"]),
    // Knows a store's errors, and no transfer.
    ("budget", &["record"]),
];

/// What handlers reach through the service alone.
const HANDLERS_NEVER: &[&str] = &["blob", "clock", "record"];

/// Words that only some files of a crate may use: the crate's folder, the words, the files' beginnings, and why.
const CONFINED: &[(&str, &[&str], &[&str], &str)] = &[
    (
        "server/src/",
        &[
            "axum",
            "StatusCode",
            "hyper",
            "hyper_util",
            "tower",
            "http_body_util",
        ],
        &[
            "app",
            "assets",
            "error",
            "extract",
            "handlers",
            "healthcheck",
            "http",
            "lib",
            "main",
            "middleware",
            "router",
            "serve",
        ],
        "HTTP is known at the edge only",
    ),
    (
        "server/src/",
        &["rusqlite"],
        &["record/sqlite"],
        "SQL is known to the SQLite record store only",
    ),
    (
        "server/src/",
        &["redis::cmd", "redis::aio", "redis::Client", "redis::Script"],
        &["redis"],
        "Redis is spoken to in one folder only",
    ),
    (
        "server/src/",
        &["object_store"],
        &["blob/object"],
        "the object store's library is known to its store only",
    ),
    (
        "server/src/",
        &["listenfd", "sd_notify"],
        &["supervisor"],
        "the service manager's protocols, which use the environment, are spoken in one module only",
    ),
    (
        "server/src/",
        &["std::env"],
        &["config"],
        "the environment is read by the configuration only",
    ),
    (
        "client/src/",
        &["ureq"],
        &["http"],
        "the HTTP library is known in one module only",
    ),
    (
        "client/src/",
        &["getrandom", "thread::sleep", "std::env"],
        &["machine"],
        "randomness and pauses are lent by the machine only",
    ),
    (
        "xtask/src/",
        &["std::env"],
        &["env"],
        "the environment is read in one module only",
    ),
];

/// Every rule of Rust files.
pub(crate) fn faults(path: &str, text: &str) -> Vec<String> {
    if path.rsplit('.').next() != Some("rs") {
        return Vec::new();
    }
    let code = source::code_of(text, Language::Rust);
    let mut found = Vec::new();
    found.extend(head(path, text));
    found.extend(budget(path, text));
    found.extend(names(path, &code));
    found.extend(switched_off_tests(path, &code));
    if !is_test(path) {
        let code = source::without_tests(&code);
        found.extend(confined(path, code));
        found.extend(layers(path, code));
    }
    found
}

/// A file begins with a sentence on what it is and what it never does.
fn head(path: &str, text: &str) -> Option<String> {
    let sentence = text
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("//! "));
    let missing = sentence.is_none_or(|sentence| sentence.trim().is_empty());
    missing.then(|| format!("{path}:1: the file does not begin with a sentence in //!"))
}

/// A file that outgrew its budget holds more than one thing.
fn budget(path: &str, text: &str) -> Option<String> {
    if is_test(path) {
        return None;
    }
    let count = source::without_tests(text).lines().count();
    (count > LINES_MAX).then(|| format!("{path}: {count} lines without tests, at most {LINES_MAX}"))
}

fn is_test(path: &str) -> bool {
    path.contains("/tests/") || path.ends_with("tests.rs") || path.ends_with("conformance.rs")
}

/// Names that we define hold none of the words that say nothing.
fn names(path: &str, code: &str) -> Vec<String> {
    let tokens = source::tokens(code);
    let mut found = Vec::new();
    if let Some(word) = path.split(['/', '.']).find(|word| BANNED.contains(word)) {
        found.push(format!("{path}: the file's name says nothing: {word}"));
    }
    for (index, token) in tokens.iter().enumerate() {
        let is_function = before(&tokens, index) == Some("fn");
        if !is_function && !is_defined(&tokens, index) {
            continue;
        }
        if is_function && token.text.starts_with("get_") {
            found.push(fault(
                path,
                code,
                token,
                "a getter is named after what it returns",
            ));
        }
        // `http_body::Body` calls its associated type so, and whoever implements it must.
        let is_foreign = token.text == "Data" && before(&tokens, index) == Some("type");
        if let Some(word) = banned_word(token.text).filter(|_| !is_foreign) {
            found.push(fault(
                path,
                code,
                token,
                &format!("a name with {word} in it says nothing"),
            ));
        }
    }
    found
}

/// Whether the word at `index` gets its meaning here: an item, a binding, a field or a parameter.
fn is_defined(tokens: &[Token<'_>], index: usize) -> bool {
    let Some(token) = tokens.get(index).filter(|token| token.is_word()) else {
        return false;
    };
    if token.text == "mut" {
        return false;
    }
    let after_keyword = |at: usize| {
        matches!(
            before(tokens, at),
            Some("struct" | "enum" | "trait" | "mod" | "const" | "static" | "type" | "let" | "for")
        )
    };
    let bound_as_mutable = before(tokens, index) == Some("mut") && after_keyword(index - 1);
    after_keyword(index) || bound_as_mutable || is_field(tokens, index)
}

/// `name: Type`, but neither `name::path` nor `path::name:`.
fn is_field(tokens: &[Token<'_>], index: usize) -> bool {
    let sign = |offset: usize| tokens.get(index + offset).map(|token| token.text);
    sign(1) == Some(":") && sign(2) != Some(":") && before(tokens, index) != Some(":")
}

fn before<'a>(tokens: &'a [Token<'_>], index: usize) -> Option<&'a str> {
    tokens.get(index.checked_sub(1)?).map(|token| token.text)
}

/// The banned word in a name, in `snake_case`, `CamelCase` or capitals.
fn banned_word(name: &str) -> Option<&'static str> {
    if FIXED_NAMES
        .iter()
        .any(|fixed| name.to_lowercase().contains(&fixed.to_lowercase()))
    {
        return None;
    }
    let mut words = Vec::new();
    for part in name.split('_') {
        let is_capitals = !part.chars().any(char::is_lowercase);
        let mut word = String::new();
        for letter in part.chars() {
            if letter.is_uppercase() && !is_capitals && !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            word.extend(letter.to_lowercase());
        }
        words.push(word);
    }
    BANNED
        .iter()
        .copied()
        .find(|banned| words.iter().any(|word| word == banned))
}

/// No test is switched off, and none passes because something else panicked.
fn switched_off_tests(path: &str, code: &str) -> Vec<String> {
    let tokens = source::tokens(code);
    let mut found = Vec::new();
    for window in tokens.windows(3) {
        if let [hash, bracket, word] = window
            && hash.text == "#"
            && bracket.text == "["
            && matches!(word.text, "ignore" | "should_panic")
        {
            found.push(fault(
                path,
                code,
                word,
                "a test is run, and says itself what it expects",
            ));
        }
    }
    found
}

/// Words that only some files may use.
fn confined(path: &str, code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (folder, words, allowed, why) in CONFINED {
        let Some(module) = path.strip_prefix(folder) else {
            continue;
        };
        if allowed.iter().any(|allowed| module.starts_with(allowed)) {
            continue;
        }
        let tokens = source::tokens(code);
        for index in 0..tokens.len() {
            if let Some(word) = words.iter().find(|word| path_begins(&tokens, index, word)) {
                found.extend(
                    tokens
                        .get(index)
                        .map(|token| fault(path, code, token, &format!("{word}: {why}"))),
                );
            }
        }
    }
    found
}

/// Whether the path `a::b` stands at `index`.
fn path_begins(tokens: &[Token<'_>], index: usize, path: &str) -> bool {
    let mut at = index;
    path.split("::").enumerate().all(|(step, word)| {
        if step > 0 {
            let colons = tokens.get(at..at + 2).unwrap_or_default();
            if !colons.iter().all(|token| token.text == ":") {
                return false;
            }
            at += 2;
        }
        at += 1;
        tokens.get(at - 1).is_some_and(|token| token.text == word)
    })
}

/// The server's layers: handlers → service → {record, blob, clock}.
fn layers(path: &str, code: &str) -> Vec<String> {
    let Some(module) = path.strip_prefix("server/src/") else {
        return Vec::new();
    };
    let own = module.split(['/', '.']).next().unwrap_or_default();
    let known = KNOWN_TO
        .iter()
        .find(|(name, _)| *name == own)
        .map(|(_, known)| *known);
    let mut found = Vec::new();
    let tokens = source::tokens(code);
    for token in crate_modules(&tokens) {
        let refused = match known {
            Some(known) => token.text != own && !known.contains(&token.text),
            None => own == "handlers" && HANDLERS_NEVER.contains(&token.text),
        };
        if refused {
            let message = format!("{own} must not know {}", token.text);
            found.push(fault(path, code, token, &message));
        }
    }
    found
}

/// The modules of the own crate that are named: `crate::this`, and each of `crate::{this, that::x}`.
fn crate_modules<'a>(tokens: &'a [Token<'a>]) -> Vec<&'a Token<'a>> {
    let mut found = Vec::new();
    for index in 0..tokens.len() {
        if !path_begins(tokens, index, "crate")
            || tokens.get(index + 1).map(|token| token.text) != Some(":")
        {
            continue;
        }
        let Some(rest) = tokens.get(index + 3..) else {
            continue;
        };
        match rest.first() {
            Some(open) if open.text == "{" => found.extend(group(rest)),
            Some(word) if word.text.starts_with(char::is_lowercase) => found.push(word),
            _ => {}
        }
    }
    found
}

/// The first word of each entry of a braced group that begins `tokens`.
fn group<'a>(tokens: &'a [Token<'a>]) -> Vec<&'a Token<'a>> {
    let mut depth = 0_u32;
    let mut found = Vec::new();
    let mut begins = false;
    for token in tokens {
        match token.text {
            "{" => {
                depth += 1;
                begins = depth == 1;
            }
            "}" => {
                depth -= 1;
                if depth == 0 {
                    break;
                }
            }
            "," => begins = depth == 1,
            word if begins => {
                if word.starts_with(char::is_lowercase) {
                    found.push(token);
                }
                begins = false;
            }
            _ => {}
        }
    }
    found
}

fn fault(path: &str, code: &str, token: &Token<'_>, message: &str) -> String {
    let line = source::line_of(code, token.offset);
    format!("{path}:{line}: {message} ({})", token.text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the rules say about a file that has a head.
    fn found(path: &str, code: &str) -> Vec<String> {
        faults(path, &format!("//! A file.\n{code}"))
    }

    #[track_caller]
    fn refused(path: &str, code: &str, message: &str) {
        let found = found(path, code);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found.iter().all(|fault| fault.contains(message)),
            "{found:?}"
        );
    }

    #[track_caller]
    fn passes(path: &str, code: &str) {
        assert_eq!(found(path, code), Vec::<String>::new());
    }

    #[test]
    fn a_file_without_a_head_is_found() {
        assert_eq!(faults("a/src/b.rs", "use std::fs;\n").len(), 1);
        assert_eq!(faults("a/src/b.rs", "//!\n").len(), 1);
        assert_eq!(faults("a/src/b.rs", "").len(), 1);
        assert_eq!(faults("a/src/b.rs", "//! What it is.\n").len(), 0);
        assert_eq!(faults("a/readme.md", "no head needed").len(), 0);
    }

    #[test]
    fn a_long_file_is_found_and_its_tests_do_not_count() {
        let line = "use a;\n";
        refused("a/src/b.rs", &line.repeat(LINES_MAX), "lines without tests");
        passes("a/src/b.rs", &line.repeat(LINES_MAX - 1));
        let tests = format!(
            "{line}\n#[cfg(test)]\nmod tests {{\n{}}}\n",
            line.repeat(LINES_MAX)
        );
        passes("a/src/b.rs", &tests);
        passes("a/tests/api/main.rs", &line.repeat(LINES_MAX + 1));
    }

    #[test]
    fn banned_words_are_found_in_every_kind_of_name() {
        for code in [
            "fn load_data() {}",
            "struct TransferInfo;",
            "struct A { metadata: u8 }",
            "fn a(data: &[u8]) {}",
            "fn a() { let mut misc = 1; }",
            "fn a() { for info in b {} }",
            "const DATA_MAX: u8 = 1;",
            "mod util;",
            "trait KeyManager {}",
        ] {
            refused("a/src/b.rs", code, "says nothing");
        }
        refused("a/src/helpers.rs", "", "says nothing");
        refused(
            "a/src/b.rs",
            "fn get_name() {}",
            "named after what it returns",
        );
    }

    #[test]
    fn names_of_others_and_the_fixed_one_pass() {
        for code in [
            "fn a() { frame.into_data(); tracing::info!(x); entry.metadata()?; map.get_mut(k); }",
            "struct Config { data_dir: PathBuf }",
            "impl Body for A { type Data = Bytes; }",
            "use http_body::Frame as Data;",
            "fn database(dataset: u8, information: u8) {}",
            "// data and info in a comment\nconst A: &str = \"let data: u8\";",
            "fn a() { let b = tracing::info::c; }",
        ] {
            passes("a/src/b.rs", code);
        }
    }

    #[test]
    fn tests_that_are_switched_off_are_found() {
        refused("a/src/b.rs", "#[ignore]\nfn a() {}", "a test is run");
        refused(
            "a/src/b.rs",
            "#[should_panic(expected = \"x\")]\nfn a() {}",
            "a test is run",
        );
        passes("a/src/b.rs", "#[test]\nfn ignore() {}");
    }

    #[test]
    fn the_client_takes_from_the_machine_in_one_place() {
        refused("client/src/send.rs", "use ureq::Agent;", "one module only");
        refused(
            "client/src/patience.rs",
            "fn a() { std::thread::sleep(b); }",
            "lent by the machine",
        );
        passes("client/src/http.rs", "use ureq::Agent;");
        passes("client/src/open/renewal.rs", "fn a() { thread::spawn(b); }");
        passes("client/tests/hostile.rs", "fn a() { thread::sleep(b); }");
    }

    #[test]
    fn http_stays_at_the_edge() {
        refused("server/src/service.rs", "use axum::Router;", "at the edge");
        refused(
            "server/src/record/memory.rs",
            "fn a() -> StatusCode { b }",
            "at the edge",
        );
        passes("server/src/handlers/claim.rs", "use axum::Json;");
        passes("client/src/lib.rs", "use axum::Router;");
        passes("server/src/service.rs", "// axum knows nothing of this\n");
    }

    #[test]
    fn sql_stays_in_its_store() {
        refused(
            "server/src/record/memory.rs",
            "use rusqlite::Connection;",
            "SQLite",
        );
        passes(
            "server/src/record/sqlite/writer.rs",
            "use rusqlite::Connection;",
        );
        passes("server/src/record/sqlite.rs", "use rusqlite::Connection;");
    }

    #[test]
    fn redis_is_spoken_to_in_one_folder() {
        refused(
            "server/src/service.rs",
            "fn a() { redis::cmd(\"GET\"); }",
            "one folder",
        );
        refused("server/src/main.rs", "use redis::Client;", "one folder");
        passes("server/src/redis/link.rs", "use redis::Client;");
        passes("server/src/config.rs", "use crate::redis::Address;");
    }

    #[test]
    fn the_object_store_library_stays_in_its_store() {
        refused(
            "server/src/config/blobs.rs",
            "use object_store::path::Path;",
            "its store only",
        );
        passes(
            "server/src/blob/object/fault.rs",
            "use object_store::Error;",
        );
        passes("server/src/config/blobs.rs", "use crate::blob::object::A;");
    }

    #[test]
    fn the_environment_stays_in_the_configuration() {
        refused(
            "server/src/telemetry.rs",
            "fn a() { std::env::var(\"B\"); }",
            "environment",
        );
        refused("xtask/src/main.rs", "use std::env;", "environment");
        passes("server/src/config/http.rs", "use std::env;");
        passes("xtask/src/env.rs", "use std::env;");
        passes(
            "server/src/main.rs",
            "const A: &str = env!(\"CARGO_PKG_VERSION\");",
        );
    }

    #[test]
    fn layers_know_only_what_lies_further_in() {
        refused(
            "server/src/service.rs",
            "use crate::handlers::claim;",
            "must not know handlers",
        );
        refused(
            "server/src/record/sqlite.rs",
            "use crate::{token::B, app::A};",
            "must not know app",
        );
        refused(
            "server/src/record.rs",
            "fn a(b: crate::service::B) {}",
            "must not know service",
        );
        refused(
            "server/src/handlers/claim.rs",
            "use crate::record::RecordStore;",
            "must not know record",
        );
        refused(
            "server/src/transfer.rs",
            "use crate::{\n  clock::A,\n  config::{B, c},\n};",
            "must not know config",
        );
        passes(
            "server/src/service/upload.rs",
            "use crate::{record::{A, blob}, blob::B};\nuse crate::service::C;",
        );
        passes(
            "server/src/handlers/claim.rs",
            "use crate::service::Service;",
        );
        passes("server/src/app.rs", "use crate::record::RecordStore;");
        passes("server/src/service/tests.rs", "use crate::sweeper::A;");
        passes(
            "server/src/record.rs",
            "#[cfg(test)]\nmod tests {\n use crate::blob::A;\n}",
        );
    }
}
