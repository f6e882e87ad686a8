//! What was typed after `cargo xtask`, as a type; it starts nothing and looks at nothing else.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::bench::{Choice, Part};
use crate::browser_tests::{Browser, Servers};
use crate::deny::Subject;
use crate::dist::Part as DistPart;
use crate::{beside, fuzz};

/// One command of the entry points.
#[derive(PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(crate) enum Task {
    /// Say what there is.
    Help,
    /// Build everything and run the server with these arguments.
    Serve(Vec<OsString>),
    /// Build the browsers' half into `www/wasm/`.
    Wasm,
    /// Every test, and every check but that of the documentation.
    Test,
    /// Those of them that run beside the Rust tests.
    Beside,
    /// Formatting, lints, documentation and the rules of the tree.
    Check,
    /// The Rust tests.
    Unit,
    /// The servers of others that Rust tests start.
    Tools,
    /// The vectors of the format, in WebAssembly.
    WasmVectors,
    /// Types and unit tests of the pages.
    Www,
    /// The server against its OpenAPI document, with these arguments for the tester.
    OpenApi(Vec<OsString>),
    /// The main job in real browsers, on one server or on several that share their stores; an empty list means all browsers.
    EndToEnd(Vec<Browser>, Servers),
    /// The long tests of faults, or those whose names hold one of these words.
    Faults(Vec<OsString>),
    /// The search for inputs that break what must hold.
    Fuzz(fuzz::Choice),
    /// Lints and tests of the server with its spans for a collector.
    Otel,
    /// What comes from outside, against `deny.toml`.
    Deny(Subject),
    /// That two places build the same, of what browsers are given.
    Reproducible,
    /// What people download.
    Dist(DistPart),
    /// The image of a container, made and tried.
    Image,
    /// The measurements of `docs/performance.md`.
    Bench(Choice),
    /// The screenshots of `docs/screens/`, or of another folder.
    Screens {
        /// Where the pictures go, from the folder where the command was typed.
        folder: Option<PathBuf>,
    },
}

/// Reads the words after `cargo xtask`. The error is a sentence for the person who typed them.
pub(crate) fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Task, String> {
    let mut words = words.into_iter();
    let Some(first) = words.next() else {
        return Ok(Task::Help);
    };
    let name = first.to_string_lossy().into_owned();
    let rest: Vec<OsString> = words.collect();
    let bare = |task: Task| match rest.first() {
        None => Ok(task),
        Some(word) => Err(format!(
            "{name} takes no argument, but there is {}",
            word.to_string_lossy()
        )),
    };
    match name.as_str() {
        "help" | "-h" | "--help" => Ok(Task::Help),
        "serve" => Ok(Task::Serve(after_dashes(rest))),
        "wasm" => bare(Task::Wasm),
        "test" => bare(Task::Test),
        beside::COMMAND => bare(Task::Beside),
        "check" => bare(Task::Check),
        "unit" => bare(Task::Unit),
        "tools" => bare(Task::Tools),
        "wasm-vectors" => bare(Task::WasmVectors),
        "www" => bare(Task::Www),
        "openapi" => Ok(Task::OpenApi(after_dashes(rest))),
        "faults" => faults(rest),
        "fuzz" => fuzz(&rest),
        "otel" => bare(Task::Otel),
        "deny" => deny(&rest),
        "reproducible" => bare(Task::Reproducible),
        "dist" => dist(&rest),
        "bench" => bench(rest),
        "e2e" => end_to_end(rest),
        "screens" => screens(rest),
        _ => Err(format!("there is no command {name}")),
    }
}

/// `faults [NAME]…`.
fn faults(names: Vec<OsString>) -> Result<Task, String> {
    let flag = names
        .iter()
        .find(|word| word.to_string_lossy().starts_with('-'));
    match flag {
        Some(flag) => Err(format!("faults knows no {}", flag.to_string_lossy())),
        None => Ok(Task::Faults(names)),
    }
}

/// The arguments of another program: `serve -- ARGS`, where the dashes may be left out.
fn after_dashes(mut words: Vec<OsString>) -> Vec<OsString> {
    if words.first().is_some_and(|word| word == "--") {
        words.remove(0);
    }
    words
}

/// `fuzz [TARGET]… [--for 10m] [--keep]`.
fn fuzz(words: &[OsString]) -> Result<Task, String> {
    let mut choice = fuzz::Choice::default();
    let mut words = words.iter().map(|word| word.to_string_lossy());
    while let Some(word) = words.next() {
        match &*word {
            "--keep" => choice.keeps = true,
            "--for" => {
                let time = words.next().ok_or("--for needs a value")?;
                choice.for_s =
                    seconds(&time).ok_or_else(|| format!("--for is 90s, 10m or 2h, not {time}"))?;
            }
            flag if flag.starts_with('-') => return Err(format!("fuzz knows no {flag}")),
            target => choice.targets.push(target.to_owned()),
        }
    }
    Ok(Task::Fuzz(choice))
}

/// 600 of `10m`; at least one second.
fn seconds(time: &str) -> Option<u64> {
    let unit = time.chars().next_back()?;
    let factor = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        _ => return None,
    };
    let count: u64 = time.strip_suffix(unit)?.parse().ok()?;
    count.checked_mul(factor).filter(|for_s| *for_s > 0)
}

/// `deny [--advisories]`.
fn deny(words: &[OsString]) -> Result<Task, String> {
    match words {
        [] => Ok(Task::Deny(Subject::Packages)),
        [word] if word == "--advisories" => Ok(Task::Deny(Subject::Advisories)),
        [word, ..] => Err(format!("deny knows no {}", word.to_string_lossy())),
    }
}

/// `dist [--twice|--fetch|--program|--image]`, or `dist --gather DIR…`.
fn dist(words: &[OsString]) -> Result<Task, String> {
    let Some((first, rest)) = words.split_first() else {
        return Ok(Task::Dist(DistPart::Whole));
    };
    let task = match first.to_str() {
        Some("--gather") if rest.is_empty() => {
            return Err("--gather needs the folders to gather from".to_owned());
        }
        Some("--gather") => {
            let folders = rest.iter().map(PathBuf::from).collect();
            return Ok(Task::Dist(DistPart::Gather(folders)));
        }
        Some("--image") => Task::Image,
        Some("--twice") => Task::Dist(DistPart::Twice),
        Some("--fetch") => Task::Dist(DistPart::Fetch),
        Some("--program") => Task::Dist(DistPart::Program),
        _ => return Err(format!("dist knows no {}", first.to_string_lossy())),
    };
    match rest.first() {
        None => Ok(task),
        Some(word) => Err(format!(
            "dist takes one of its flags, but there is also {}",
            word.to_string_lossy()
        )),
    }
}

/// `e2e [--several] [--browser chromium|firefox]…`.
fn end_to_end(words: Vec<OsString>) -> Result<Task, String> {
    let mut browsers = Vec::new();
    let mut servers = Servers::One;
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        match word.to_str() {
            Some("--several") => servers = Servers::Several,
            Some("--browser") => {
                let name = words.next().ok_or("--browser needs a value")?;
                browsers.push(browser(&name)?);
            }
            _ => return Err(format!("e2e knows no {}", word.to_string_lossy())),
        }
    }
    Ok(Task::EndToEnd(browsers, servers))
}

/// `bench [crypto|load|live|hostile]… [--quick]`
fn bench(words: Vec<OsString>) -> Result<Task, String> {
    let mut choice = Choice::default();
    for word in words {
        match word.to_str() {
            Some("crypto") => choice.parts.push(Part::Crypto),
            Some("load") => choice.parts.push(Part::Load),
            Some("live") => choice.parts.push(Part::Live),
            Some("hostile") => choice.parts.push(Part::Hostile),
            Some("--quick") => choice.is_quick = true,
            _ => return Err(format!("bench knows no {}", word.to_string_lossy())),
        }
    }
    Ok(Task::Bench(choice))
}

fn browser(name: &OsString) -> Result<Browser, String> {
    match name.to_str() {
        Some("chromium") => Ok(Browser::Chromium),
        Some("firefox") => Ok(Browser::Firefox),
        _ => Err(format!(
            "--browser is chromium or firefox, not {}",
            name.to_string_lossy()
        )),
    }
}

/// `screens [DIR]`.
fn screens(words: Vec<OsString>) -> Result<Task, String> {
    let mut words = words.into_iter();
    let folder = words.next().map(PathBuf::from);
    match words.next() {
        None => Ok(Task::Screens { folder }),
        Some(word) => Err(format!(
            "screens takes one folder, but there is also {}",
            word.to_string_lossy()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Task, String> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn serve_passes_on_what_follows_with_and_without_dashes() {
        let expected = Task::Serve(vec!["--listen".into(), "127.0.0.1:0".into()]);
        assert_eq!(parsed("serve -- --listen 127.0.0.1:0"), Ok(expected));
        let expected = Task::Serve(vec!["--help".into()]);
        assert_eq!(parsed("serve --help"), Ok(expected));
        assert_eq!(parsed("serve"), Ok(Task::Serve(Vec::new())));
    }

    #[test]
    fn only_the_first_dashes_are_ours() {
        assert_eq!(
            parsed("serve -- -- x"),
            Ok(Task::Serve(vec!["--".into(), "x".into()]))
        );
    }

    #[test]
    fn faults_are_chosen_by_their_names() {
        assert_eq!(parsed("faults"), Ok(Task::Faults(Vec::new())));
        let names = vec!["failing::".into(), "starts::".into()];
        assert_eq!(parsed("faults failing:: starts::"), Ok(Task::Faults(names)));
        let refused = parsed("faults --long").unwrap_err();
        assert_eq!(refused, "faults knows no --long");
    }

    #[test]
    fn openapi_passes_on_what_follows() {
        let expected = Task::OpenApi(vec!["--max-examples".into(), "5".into()]);
        assert_eq!(parsed("openapi -- --max-examples 5"), Ok(expected));
        assert_eq!(parsed("openapi"), Ok(Task::OpenApi(Vec::new())));
    }

    #[test]
    fn end_to_end_takes_browsers_and_screens_a_folder() {
        assert_eq!(parsed("e2e"), Ok(Task::EndToEnd(Vec::new(), Servers::One)));
        assert_eq!(
            parsed("e2e --several"),
            Ok(Task::EndToEnd(Vec::new(), Servers::Several))
        );
        assert_eq!(
            parsed("e2e --browser firefox"),
            Ok(Task::EndToEnd(vec![Browser::Firefox], Servers::One))
        );
        assert_eq!(
            parsed("screens out"),
            Ok(Task::Screens {
                folder: Some("out".into())
            })
        );
        assert_eq!(parsed("screens"), Ok(Task::Screens { folder: None }));
    }

    #[test]
    fn dist_makes_all_or_one_part() {
        let part = |part| Ok(Task::Dist(part));
        assert_eq!(parsed("dist"), part(DistPart::Whole));
        assert_eq!(parsed("dist --twice"), part(DistPart::Twice));
        assert_eq!(parsed("dist --fetch"), part(DistPart::Fetch));
        assert_eq!(parsed("dist --program"), part(DistPart::Program));
        assert_eq!(parsed("dist --image"), Ok(Task::Image));
        let folders = vec!["a".into(), "b".into()];
        assert_eq!(parsed("dist --gather a b"), part(DistPart::Gather(folders)));
    }

    #[test]
    fn fuzz_takes_targets_a_time_and_keep() {
        assert_eq!(parsed("fuzz"), Ok(Task::Fuzz(fuzz::Choice::default())));
        let choice = fuzz::Choice {
            targets: vec!["link".into(), "api".into()],
            for_s: 7200,
            keeps: true,
        };
        assert_eq!(
            parsed("fuzz link --for 2h api --keep"),
            Ok(Task::Fuzz(choice))
        );
        for (time, expected) in [
            ("90s", Some(90)),
            ("10m", Some(600)),
            ("0m", None),
            ("m", None),
            ("10", None),
            ("+", None),
        ] {
            assert_eq!(seconds(time), expected, "{time}");
        }
    }

    #[test]
    fn otel_is_a_command_of_its_own() {
        assert_eq!(parsed("otel"), Ok(Task::Otel));
    }

    #[test]
    fn deny_asks_for_advisories_only_when_told() {
        assert_eq!(parsed("deny"), Ok(Task::Deny(Subject::Packages)));
        let advisories = Task::Deny(Subject::Advisories);
        assert_eq!(parsed("deny --advisories"), Ok(advisories));
    }

    #[test]
    fn bench_takes_parts_in_any_order_and_quick() {
        assert_eq!(parsed("bench"), Ok(Task::Bench(Choice::default())));
        let parts = vec![Part::Live, Part::Crypto];
        let choice = Choice {
            parts,
            is_quick: true,
        };
        assert_eq!(parsed("bench live --quick crypto"), Ok(Task::Bench(choice)));
    }

    #[test]
    fn what_nobody_knows_is_refused_with_its_name() {
        for (line, word) in [
            ("sing", "sing"),
            ("test --fast", "--fast"),
            ("e2e --browser lynx", "lynx"),
            ("e2e --browser", "--browser"),
            ("e2e --several --browser", "--browser"),
            ("e2e --loud x", "--loud"),
            ("screens a b", "b"),
            ("bench all", "all"),
            ("dist --tarball", "--tarball"),
            ("dist --image --twice", "--twice"),
            ("dist --gather", "--gather"),
            ("deny --all", "--all"),
            ("reproducible x", "x"),
            ("otel x", "x"),
            ("fuzz --for", "--for"),
            ("fuzz --for long", "long"),
            ("fuzz --jobs", "--jobs"),
        ] {
            let fault = parsed(line).unwrap_err();
            assert!(fault.contains(word), "{line}: {fault}");
        }
    }
}
