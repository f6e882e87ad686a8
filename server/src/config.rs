//! The server's settings: flags, variables, a file and defaults, in this order, checked all together before anything starts.
//! The environment is read nowhere else, and no fault repeats a value.

mod blobs;
pub mod reference;
pub mod settings;
mod sources;
pub(crate) mod value;
mod variables;

use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::ArgMatches;
use onetimeshare_protocol::limits::{
    BODY_LEN_MIN, CLAIMS_MAX, CONTENT_LEN_MAX, PART_COUNT_MAX, body_len,
};
use onetimeshare_protocol::transfer::Role;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

pub use self::blobs::BlobPlace;
use self::sources::Sources;
use self::variables::Variables;
use crate::budget::client::parse_network;
use crate::budget::{Budget, Proxies, Rate, Rates};
use crate::http::Bounds;
use crate::redis::{Address, Risk, Terms};
use crate::service::{Limits, Quota};
use crate::tls;
use crate::transfer::{Periods, UPLOAD_MAX_S};

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: one object for each line.
    Json,
}

/// How much may be held in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StorageMax {
    /// A share of the disk where blobs lie in a folder; as much as there is where they lie in a bucket.
    Unset,
    /// As much as there is.
    None,
    /// So many bytes.
    Len(u64),
}

impl StorageMax {
    fn parse(text: &str) -> Option<Self> {
        if text == "none" {
            return Some(Self::None);
        }
        value::storage_len(text).map(Self::Len)
    }
}

/// How many may ask, and for how much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Whose `X-Forwarded-For` is believed.
    pub proxies: Proxies,
    /// How much one client may ask for.
    pub rates: Rates,
    /// How many connections there may be.
    pub bounds: Bounds,
    /// How many requests one client may have under way.
    pub requests_max: usize,
    /// How much one client may hold.
    pub quota: Quota,
}

/// Who may create transfers, which half of the calls is taken, and where the other one is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Creation {
    /// The file of tokens without which nobody may create; none where everybody may.
    pub token_file: Option<PathBuf>,
    /// Which half of the calls is taken.
    pub role: Role,
    /// The origin that links lead to; none for the server's own.
    pub open_url: Option<String>,
}

/// Everything an operator can set, checked.
#[derive(Debug)]
pub struct Config {
    /// Where to listen; at least one.
    pub listen: Vec<SocketAddr>,
    /// What is needed to speak TLS; none for plain HTTP.
    pub tls: Option<tls::Files>,
    /// Where records are kept.
    pub data_dir: PathBuf,
    /// The Redis that holds the records, and what is asked of it; none for a database in the data folder.
    pub redis: Option<(Address, Terms)>,
    /// Where blobs are kept.
    pub blobs: BlobPlace,
    /// How much may be held in all.
    pub storage_max: StorageMax,
    /// What senders may choose.
    pub limits: Limits,
    /// How long things last.
    pub periods: Periods,
    /// How many may ask, and for how much.
    pub access: Access,
    /// Who may create, and what is taken.
    pub creation: Creation,
    /// Whether anyone may read the counters.
    pub shows_stats: bool,
    /// Whom to tell of a weakness, as URIs.
    pub contacts: Vec<String>,
    /// Where what is measured can be read; nowhere when none.
    pub metrics_listen: Option<SocketAddr>,
    /// What is logged.
    pub log: EnvFilter,
    /// How it is logged.
    pub log_format: LogFormat,
    /// Whether OpenTelemetry's own variables name a collector of spans; only builds with the feature `otel` send it any.
    pub names_collector: bool,
    /// Variables that look like settings and name none.
    pub unknown_variables: Vec<String>,
}

/// Every fault that was found, one sentence each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(Vec<String>);

impl fmt::Display for Faults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for Faults {}

/// What the program is asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// To serve, until it is told to stop.
    Serve,
    /// To look whether the stores are whole and belong together.
    Check(CheckOptions),
    /// To ask a running server whether it is well.
    Healthcheck(HealthcheckOptions),
    /// To say what it gives to browsers.
    Hashes,
    /// To make a create token of this name.
    CreateToken(String),
}

/// How the stores are checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckOptions {
    /// Whether every part is read, and its digest compared.
    pub is_deep: bool,
    /// Whether what is provably dead is removed.
    pub repairs: bool,
}

/// How a running server is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HealthcheckOptions {
    /// Where, as it was typed; none for the first address that the settings name.
    pub url: Option<String>,
    /// Whether it is asked of its process alone, and not of its stores.
    pub is_live: bool,
}

/// One start of the program: what it is to do, and with which settings.
#[derive(Debug)]
pub struct Invocation {
    /// What it is to do.
    pub action: Action,
    /// The settings, or all that is wrong with them.
    pub config: Result<Config, Faults>,
}

impl Invocation {
    /// From the process's own arguments and environment. An error is a command line that cannot be read, or that asked for
    /// help or the version: clap's own answer.
    pub fn from_process() -> Result<Self, clap::Error> {
        Self::read(std::env::args_os(), std::env::vars_os())
    }

    /// From `arguments`, the program's name first, and `variables`.
    pub fn read(
        arguments: impl IntoIterator<Item = OsString>,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, clap::Error> {
        let matches = settings::command().try_get_matches_from(arguments)?;
        let action = match matches.subcommand() {
            Some((settings::CHECK, check)) => Action::Check(CheckOptions {
                is_deep: check.get_flag(settings::DEEP),
                repairs: check.get_flag(settings::REPAIR),
            }),
            Some((settings::HEALTHCHECK, healthcheck)) => Action::Healthcheck(HealthcheckOptions {
                url: healthcheck.get_one::<String>(settings::URL).cloned(),
                is_live: healthcheck.get_flag(settings::LIVE),
            }),
            Some((settings::HASHES, _)) => Action::Hashes,
            Some((settings::CREATE_TOKEN, made)) => {
                let name = made.get_one::<String>(settings::NAME);
                Action::CreateToken(name.cloned().unwrap_or_default())
            }
            _ => Action::Serve,
        };
        let config = Config::load(&matches, &Variables::of(variables));
        Ok(Self { action, config })
    }
}

impl Config {
    fn load(matches: &ArgMatches, variables: &Variables) -> Result<Self, Faults> {
        let mut sources = Sources::read(matches, variables);
        let mut config = Self::take(&mut sources, variables);
        config.unknown_variables = variables.unknown();
        let faults = sources.into_faults();
        if faults.is_empty() {
            Ok(config)
        } else {
            Err(Faults(faults))
        }
    }

    /// Reads and checks every setting. A faulty one stands as its default from then on, so that one fault is told once.
    fn take(sources: &mut Sources, variables: &Variables) -> Self {
        let data_dir: PathBuf =
            sources.one("data-dir", |text| (!text.is_empty()).then(|| text.into()));
        let config = Self {
            listen: sources.list("listen", value::parse),
            tls: take_tls(sources),
            blobs: blobs::take(sources, variables, &data_dir),
            data_dir,
            redis: take_redis(sources),
            storage_max: sources
                .optional("storage-max", StorageMax::parse)
                .unwrap_or(StorageMax::Unset),
            limits: Limits {
                transfer_size_max: sources.one("max-transfer-size", |text| {
                    value::size(text).filter(|size| (1000..=CONTENT_LEN_MAX).contains(size))
                }),
                inline_max: sources.one("inline-max", |text| {
                    value::size(text).filter(|&size| size <= 1 << 20)
                }),
                part_len: sources.one("part-size", |text| {
                    value::size(text).filter(|size| (1 << 16..=1 << 26).contains(size))
                }),
                ttl_max_s: life(sources, "max-ttl"),
                ttl_default_s: life(sources, "default-ttl"),
                ttl_min_s: life(sources, "min-ttl"),
                claims_max: sources.one("max-claims", |text| {
                    value::parse(text).filter(|count| (1..=CLAIMS_MAX).contains(count))
                }),
            },
            periods: take_periods(sources),
            access: Access {
                proxies: Proxies::new(sources.optional_list("trusted-proxy", parse_network)),
                rates: take_rates(sources),
                bounds: Bounds {
                    all: connections(sources, "max-connections"),
                    each: connections(sources, "max-connections-each"),
                },
                requests_max: connections(sources, "max-requests-each"),
                quota: take_quota(sources),
            },
            creation: take_creation(sources),
            shows_stats: sources.one("stats", |text| match text {
                "on" => Some(true),
                "off" => Some(false),
                _ => None,
            }),
            contacts: sources.optional_list("security-contact", value::contact),
            metrics_listen: sources.optional("metrics-listen", value::parse),
            log: sources.one("log", log_filter),
            log_format: sources.one("log-format", |text| match text {
                "text" => Some(LogFormat::Text),
                "json" => Some(LogFormat::Json),
                _ => None,
            }),
            names_collector: variables.name_collector(),
            unknown_variables: Vec::new(),
        };
        config.cross_check(sources);
        config.with_part_deadline()
    }

    /// What no setting can break alone.
    fn cross_check(&self, sources: &mut Sources) {
        let Self {
            limits,
            periods,
            redis,
            creation,
            ..
        } = self;
        // One that is faulty is told as that.
        let (has_open_url, has_redis) = (sources.is_set("open-url"), sources.is_set("redis-url"));
        let mut require = |holds: bool, fault: &str| {
            if !holds {
                sources.fault(fault.to_owned());
            }
        };
        require(
            limits.ttl_min_s <= limits.ttl_default_s,
            "`min-ttl` (1m unless set) must not be longer than `default-ttl`",
        );
        require(
            limits.ttl_default_s <= limits.ttl_max_s,
            "`default-ttl` (1d unless set) must not be longer than `max-ttl`",
        );
        require(
            periods.lease_s <= periods.lease_max_s,
            "`lease` must not be longer than `lease-max`",
        );
        let waits = redis.as_ref().is_some_and(|(_, terms)| terms.replicas > 0);
        require(
            periods.lease_s > 0 || !waits,
            "`redis-replicas` must be 0 where `lease` is 0: what was given once could not be given again when too few replicas \
             answer",
        );
        require(
            creation.role != Role::Create || has_open_url,
            "`open-url` must be set where `role` is create: links have to lead to a server that opens them",
        );
        require(
            creation.role == Role::Both || has_redis,
            "`redis-url` must be set where `role` is create or open: the server of the other half needs the same records, and those \
             in a data folder belong to one server alone",
        );
        let part_count = body_len(limits.transfer_size_max)
            .unwrap_or(BODY_LEN_MIN)
            .div_ceil(limits.part_len);
        let upload = self.access.rates.of(Budget::Upload);
        require(
            upload.is_none_or(|rate| u64::from(rate.count()) * 1024 >= limits.part_len),
            "`rate-upload` must not be less than `part-size`: no part would be taken before all of it is there again",
        );
        require(
            part_count <= PART_COUNT_MAX,
            "`part-size` is too small for `max-transfer-size`: a transfer has at most 2097152 parts",
        );
    }

    /// A part may take ten minutes, or as long as it takes at 16 KiB a second.
    fn with_part_deadline(mut self) -> Self {
        self.periods.part_deadline_s = (self.limits.part_len / (16 * 1024)).max(600);
        self
    }
}

/// Two files, or none.
fn take_tls(sources: &mut Sources) -> Option<tls::Files> {
    let path = |text: &str| (!text.is_empty()).then(|| PathBuf::from(text));
    let certificate = sources.optional("tls-cert", path);
    let key = sources.optional("tls-key", path);
    match (sources.is_set("tls-cert"), sources.is_set("tls-key")) {
        (true, false) => sources.fault(
            "`tls-key` must be set where `tls-cert` is: it names the file of the certificate's private key".to_owned(),
        ),
        (false, true) => sources.fault(
            "`tls-cert` must be set where `tls-key` is: it names the file of the key's certificate"
                .to_owned(),
        ),
        _ => {}
    }
    let (certificate, key) = certificate.zip(key)?;
    Some(tls::Files { certificate, key })
}

fn take_redis(sources: &mut Sources) -> Option<(Address, Terms)> {
    if !sources.is_set("redis-url") {
        for name in ["redis-accept", "redis-replicas", "redis-rewrite"] {
            if sources.is_set(name) {
                sources.fault(format!(
                    "`redis-url` must be set where `{name}` is: without it no record is in Redis"
                ));
            }
        }
    }
    let address = sources.optional("redis-url", Address::parse);
    let accepted = sources.optional("redis-accept", |text| {
        text.split(',')
            .map(|name| Risk::parse(name.trim()))
            .collect()
    });
    let terms = Terms {
        accepted: accepted.unwrap_or_default(),
        replicas: sources.one("redis-replicas", |text| {
            value::parse(text).filter(|count| (0..=10).contains(count))
        }),
        rewrite_s: sources.one("redis-rewrite", |text| {
            value::duration_s(text).filter(|&every_s| every_s == 0 || every_s >= 60)
        }),
    };
    address.map(|address| (address, terms))
}

fn connections(sources: &mut Sources, name: &'static str) -> usize {
    sources.one(name, |text| {
        value::parse(text).filter(|count| (1..=1_000_000).contains(count))
    })
}

fn take_creation(sources: &mut Sources) -> Creation {
    Creation {
        token_file: sources.optional("create-token-file", |text| {
            (!text.is_empty()).then(|| text.into())
        }),
        role: sources.one("role", |text| match text {
            "both" => Some(Role::Both),
            "create" => Some(Role::Create),
            "open" => Some(Role::Open),
            _ => None,
        }),
        open_url: sources.optional("open-url", value::origin),
    }
}

fn take_quota(sources: &mut Sources) -> Quota {
    let mut bound = |name, parse: &dyn Fn(&str) -> Option<u64>| {
        let taken = sources.optional(name, |text| match text {
            "none" => Some(None),
            _ => parse(text).map(Some),
        });
        taken.flatten()
    };
    Quota {
        len_max: bound("client-storage-max", &value::storage_len),
        count_max: bound("client-transfers-max", &value::transfer_count),
    }
}

fn take_rates(sources: &mut Sources) -> Rates {
    const DAY_S: u32 = 24 * 3600;
    let mut rates = Rates::default();
    let mut take = |budget, name, parse: &dyn Fn(&str) -> Option<Rate>| {
        let rate = sources.one(name, |text| match text {
            "off" => Some(None),
            _ => parse(text).map(Some),
        });
        rates = rates.with(budget, rate);
    };
    take(Budget::Create, "rate-create", &value::requests);
    take(Budget::Open, "rate-open", &value::requests);
    take(Budget::Owner, "rate-owner", &value::requests);
    let kibibytes = |text: &str| {
        let size = value::size(text).filter(|size| (1 << 20..=1 << 40).contains(size))?;
        Some(size / 1024)
    };
    let bytes = |text: &str| {
        let rate = value::rate(text, kibibytes)?;
        (60..=DAY_S).contains(&rate.period_s()).then_some(rate)
    };
    take(Budget::Upload, "rate-upload", &bytes);
    rates
}

fn life(sources: &mut Sources, name: &'static str) -> u64 {
    const YEAR_S: u64 = 365 * 24 * 3600;
    sources.one(name, |text| {
        value::duration_s(text).filter(|life_s| (1..=YEAR_S).contains(life_s))
    })
}

/// A filter by level and module. The library would take a misspelt level for the name of a module, and log nothing else.
fn log_filter(text: &str) -> Option<EnvFilter> {
    // The library takes nothing for a level, too: the one that hides most.
    let is_level = |part: &str| !part.is_empty() && part.parse::<LevelFilter>().is_ok();
    let is_plain = |part: &str| part.contains('=') || is_level(part.trim());
    // The object store's library tells of every attempt; what came of them is told anyway. HTTP/2's tells of every connection that
    // floods, with which whoever floods could fill the log. Who wants more names them.
    EnvFilter::try_new(format!("object_store=warn,h2=error,{text}"))
        .ok()
        .filter(|_| text.split(',').all(is_plain))
}

fn take_periods(sources: &mut Sources) -> Periods {
    Periods {
        lease_s: sources.one("lease", |text| {
            value::duration_s(text).filter(|&lease_s| lease_s == 0 || lease_s >= 10)
        }),
        lease_max_s: life(sources, "lease-max"),
        tombstone_ttl_s: life(sources, "tombstone-ttl"),
        upload_idle_s: sources.one("upload-idle", |text| {
            value::duration_s(text).filter(|idle_s| (60..=UPLOAD_MAX_S).contains(idle_s))
        }),
        part_deadline_s: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invoke(arguments: &[&str], variables: &[(&str, &str)]) -> Result<Invocation, clap::Error> {
        let arguments = ["onetimeshare-server"].iter().chain(arguments);
        let variables = variables
            .iter()
            .map(|(name, value)| (name.into(), value.into()));
        Invocation::read(arguments.map(OsString::from), variables)
    }

    fn load(arguments: &[&str], variables: &[(&str, &str)]) -> Result<Config, String> {
        let invocation = invoke(arguments, variables).map_err(|error| error.to_string())?;
        invocation.config.map_err(|faults| faults.to_string())
    }

    #[test]
    fn checking_takes_the_settings_of_serving() {
        let check =
            |arguments: &[&str], variables: &[(&str, &str)], expected: (bool, bool, &str)| {
                let invocation = invoke(arguments, variables).expect("it can be read");
                let Action::Check(options) = invocation.action else {
                    panic!("{:?}", invocation.action);
                };
                let data_dir = invocation.config.expect("settings that hold").data_dir;
                let found = (options.is_deep, options.repairs, data_dir.to_str());
                assert_eq!(
                    found,
                    (expected.0, expected.1, Some(expected.2)),
                    "{arguments:?}"
                );
            };
        check(&["check"], &[], (false, false, "./onetimeshare-data"));
        check(
            &["check", "--data-dir", "/a", "--deep"],
            &[],
            (true, false, "/a"),
        );
        check(
            &["--data-dir", "/a", "check", "--repair"],
            &[],
            (false, true, "/a"),
        );
        check(
            &["--max-ttl", "2d", "check"],
            &[("ONETIMESHARE_DATA_DIR", "/b")],
            (false, false, "/b"),
        );
        let serving = invoke(&["--data-dir", "/a"], &[]).expect("it can be read");
        assert_eq!(serving.action, Action::Serve);
        invoke(&["--deep"], &[]).expect_err("a flag of checking alone");
        invoke(&["check", "--listen", "[::]:1"], &[]).expect_err("a flag of serving alone");
    }

    #[test]
    fn a_running_server_is_asked_where_the_settings_say() {
        let check = |arguments: &[&str], url: Option<&str>, is_live: bool| {
            let variables = [("ONETIMESHARE_LISTEN", "127.0.0.1:1")];
            let invocation = invoke(arguments, &variables).expect("it can be read");
            let url = url.map(str::to_owned);
            let expected = Action::Healthcheck(HealthcheckOptions { url, is_live });
            assert_eq!(invocation.action, expected, "{arguments:?}");
            let listen = invocation.config.expect("settings that hold").listen;
            assert_eq!(listen[0].port(), 1);
        };
        check(&["healthcheck"], None, false);
        check(&["healthcheck", "--live"], None, true);
        let url = "http://a:1";
        check(&["healthcheck", "--url", url], Some(url), false);
        invoke(&["--live"], &[]).expect_err("a flag of asking alone");
    }

    #[test]
    fn the_hashes_need_no_settings() {
        let variables = [("ONETIMESHARE_LISTEN", "nowhere")];
        let invocation = invoke(&["hashes"], &variables).expect("it can be read");
        assert_eq!(invocation.action, Action::Hashes);
        invoke(&["hashes", "--url", "http://a:1"], &[]).expect_err("a flag of asking alone");
    }

    #[test]
    fn defaults_are_those_of_the_design() {
        let config = load(&[], &[]).expect("defaults hold");
        assert_eq!(
            config.listen,
            ["127.0.0.1:8080".parse().expect("an address")]
        );
        assert_eq!(config.data_dir, PathBuf::from("./onetimeshare-data"));
        assert!(
            matches!(&config.blobs, BlobPlace::Folder(folder) if *folder == config.data_dir.join("blobs"))
        );
        let Limits {
            transfer_size_max,
            inline_max,
            part_len,
            ttl_max_s,
            ttl_default_s,
            ttl_min_s,
            claims_max,
        } = config.limits;
        assert_eq!(
            (transfer_size_max, inline_max, part_len),
            (2 << 30, 64 << 10, 8 << 20)
        );
        assert_eq!(
            (ttl_max_s, ttl_default_s, ttl_min_s, claims_max),
            (604_800, 86_400, 60, 100)
        );
        let Periods {
            lease_s,
            lease_max_s,
            tombstone_ttl_s,
            upload_idle_s,
            part_deadline_s,
        } = config.periods;
        assert_eq!(
            (lease_s, lease_max_s, tombstone_ttl_s),
            (600, 86_400, 86_400)
        );
        assert_eq!((upload_idle_s, part_deadline_s), (3600, 600));
    }

    #[test]
    fn flags_win_over_variables_over_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("server.toml");
        std::fs::write(
            &file,
            "max-claims = 3\nlease = \"20s\"\ninline-max = \"1 KiB\"\n",
        )
        .expect("written");
        let file = file.to_str().expect("a plain path");
        let variables = [
            ("ONETIMESHARE_LEASE", "30s"),
            ("ONETIMESHARE_INLINE_MAX", "2KiB"),
            ("ONETIMESHARE_CONFIG", file),
        ];
        let config = load(&["--inline-max", "4096"], &variables).expect("all hold");
        assert_eq!(
            (
                config.limits.claims_max,
                config.periods.lease_s,
                config.limits.inline_max
            ),
            (3, 30, 4096)
        );
    }

    #[test]
    fn all_faults_are_told_at_once_without_the_values() {
        let variables = [
            ("ONETIMESHARE_MAX_CLAIMS", "hunter2"),
            ("ONETIMESHARE_LEASE", "9s"),
        ];
        let arguments = [
            ["--part-size", "1"],
            ["--listen", "hunter2"],
            ["--blob-url", "s3://a:hunter2@b"],
        ];
        let faults = load(arguments.as_flattened(), &variables).expect_err("five faults");
        for name in [
            "`blob-url`",
            "`max-claims`",
            "`lease`",
            "`part-size`",
            "`listen`",
            "ONETIMESHARE_LEASE",
        ] {
            assert!(faults.contains(name), "{name}: {faults}");
        }
        assert_eq!(
            (faults.lines().count(), faults.contains("hunter2")),
            (5, false),
            "{faults}"
        );
    }

    #[test]
    fn a_lease_of_0_and_silent_counters_are_choices() {
        let usual = load(&[], &[]).expect("defaults hold");
        assert!(usual.shows_stats);
        let strict = load(&["--lease", "0", "--stats", "off"], &[]).expect("both hold");
        assert_eq!((strict.periods.lease_s, strict.shows_stats), (0, false));
    }

    #[test]
    fn what_is_held_has_a_bound_unless_none_is_wanted() {
        let check = |arguments: &[&str], expected| {
            let found = load(arguments, &[]).expect("it holds").storage_max;
            assert_eq!(found, expected, "{arguments:?}");
        };
        check(&[], StorageMax::Unset);
        check(&["--storage-max", "none"], StorageMax::None);
        check(&["--storage-max", "50 GiB"], StorageMax::Len(50 << 30));
        for text in ["", "999 kB", "80%", "None"] {
            let faults = load(&["--storage-max", text], &[]).expect_err(text);
            assert!(faults.contains("`storage-max`"), "{faults}");
        }
    }

    #[test]
    fn everybody_creates_and_opens_unless_told_otherwise() {
        let creation =
            |arguments: &[&str]| load(arguments, &[]).expect("settings that hold").creation;
        let usual = Creation {
            token_file: None,
            role: Role::Both,
            open_url: None,
        };
        assert_eq!(creation(&[]), usual);
        let inside = [
            "--role=create",
            "--redis-url=redis://a",
            "--open-url=https://share.example.org/",
            "--create-token-file=tokens.toml",
        ];
        let expected = Creation {
            token_file: Some("tokens.toml".into()),
            role: Role::Create,
            open_url: Some("https://share.example.org".to_owned()),
        };
        assert_eq!(creation(&inside), expected);
        let outside = ["--role", "open", "--redis-url", "redis://a"];
        assert_eq!(creation(&outside).role, Role::Open);
        for (arguments, name) in [
            (
                &["--role", "create", "--redis-url", "redis://a"][..],
                "`open-url`",
            ),
            (&["--role", "open"], "`redis-url` must be set where `role`"),
            (
                &["--role", "open", "--redis-url", "hunter2"],
                "`redis-url`, from",
            ),
            (&["--role", "Open"], "`role`"),
            (&["--open-url", "https://a.example/open"], "`open-url`"),
            (&["--create-token-file", ""], "`create-token-file`"),
        ] {
            let faults = load(arguments, &[]).expect_err(name);
            assert!(
                faults.contains(name) && faults.lines().count() == 1,
                "{faults}"
            );
        }
    }

    #[test]
    fn a_client_has_a_quota_only_where_one_is_set() {
        let check = |arguments: &[&str], len_max, count_max| {
            let config = load(arguments, &[]).expect("settings that hold");
            let quota = Quota { len_max, count_max };
            assert_eq!(config.access.quota, quota, "{arguments:?}");
        };
        check(&[], None, None);
        check(&["--client-storage-max", "5 GiB"], Some(5 << 30), None);
        check(&["--client-transfers-max", "300"], None, Some(300));
        let none = ["--client-storage-max=none", "--client-transfers-max=none"];
        check(&none, None, None);
        for (name, text) in [
            ("client-storage-max", "999 kB"),
            ("client-storage-max", "-1"),
            ("client-transfers-max", "0"),
            ("client-transfers-max", "1000001"),
            ("client-transfers-max", "3 GiB"),
        ] {
            let flag = format!("--{name}={text}");
            let faults = load(&[&flag], &[]).expect_err(text);
            assert!(faults.contains(&format!("`{name}`")), "{faults}");
        }
    }

    #[test]
    fn what_is_measured_is_shown_at_an_address_or_nowhere() {
        assert_eq!(load(&[], &[]).expect("defaults hold").metrics_listen, None);
        let variables = [("ONETIMESHARE_METRICS_LISTEN", "[::1]:9090")];
        let shown = load(&[], &variables).expect("an address");
        assert_eq!(shown.metrics_listen, "[::1]:9090".parse().ok());
        let faults = load(&["--metrics-listen", "9090"], &[]).expect_err("a port alone");
        assert!(faults.contains("`metrics-listen`"), "{faults}");
    }

    #[test]
    fn settings_that_contradict_each_other_are_refused() {
        let check = |arguments: &[&str], expected: &str| {
            let faults = load(arguments, &[]).expect_err(expected);
            assert!(faults.contains(expected), "{faults}");
        };
        check(
            &["--min-ttl", "2d"],
            "`min-ttl` (1m unless set) must not be longer",
        );
        check(
            &["--max-ttl", "1h"],
            "`default-ttl` (1d unless set) must not be longer",
        );
        check(&["--lease", "2d"], "`lease` must not be longer");
        check(
            &["--max-transfer-size", "1TiB", "--part-size", "64KiB"],
            "`part-size` is too small",
        );
        check(&["--lease", "9s"], "`lease`");
        check(&["--stats", "yes"], "`stats`");
        check(&["--max-transfer-size", "2TiB"], "from 1 kB to 1 TiB");
        check(&["--log", "inof"], "`log`");
        check(&["--log", ""], "`log`");
        check(&["--log", "info,"], "`log`");
        check(&["--log", "info,hyper=loud"], "`log`");
    }

    #[test]
    fn clients_have_budgets_and_proxies_are_named() {
        let usual = load(&[], &[]).expect("defaults hold");
        assert_eq!(usual.access.proxies, Proxies::default());
        let rate = |config: &Config, budget| {
            let rate = config.access.rates.of(budget);
            rate.map(|rate| (rate.count(), rate.period_s()))
        };
        assert_eq!(rate(&usual, Budget::Create), Some((600, 3600)));
        assert_eq!(rate(&usual, Budget::Upload), Some((32 << 20, 3600)));
        assert_eq!(rate(&usual, Budget::Open), Some((2400, 60)));
        assert_eq!(rate(&usual, Budget::Owner), Some((1200, 60)));
        assert_eq!(
            usual.access.bounds,
            Bounds {
                all: 4096,
                each: 512
            }
        );
        let arguments = [
            ["--max-connections-each", "1"],
            ["--max-connections", "1000000"],
            ["--trusted-proxy", "10.0.0.0/8, ::1"],
            ["--trusted-proxy", "192.0.2.1"],
            ["--rate-create", "off"],
            ["--rate-upload", "8 MiB/1m"],
        ];
        let chosen = load(arguments.as_flattened(), &[]).expect("all hold");
        for (address, is_trusted) in [
            ("10.255.0.1", true),
            ("::1", true),
            ("192.0.2.1", true),
            ("192.0.2.2", false),
        ] {
            let address = address.parse().expect("an address");
            assert_eq!(
                chosen.access.proxies.trust(address),
                is_trusted,
                "{address}"
            );
        }
        assert_eq!(
            chosen.access.bounds,
            Bounds {
                all: 1_000_000,
                each: 1
            }
        );
        assert_eq!(rate(&chosen, Budget::Create), None);
        assert_eq!(rate(&chosen, Budget::Upload), Some((8 << 10, 60)));
        for none in ["none", "", " "] {
            let none = load(&[], &[("ONETIMESHARE_TRUSTED_PROXY", none)]).expect("none of them");
            assert_eq!(none.access.proxies, Proxies::default());
        }
    }

    #[test]
    fn budgets_and_proxies_that_are_none_are_refused() {
        let check = |name: &str, value: &str| {
            let faults = load(&[&format!("--{name}"), value], &[]).expect_err(value);
            assert!(faults.contains(&format!("`{name}`")), "{faults}");
        };
        for value in [
            "10.0.0.0/33",
            "proxy.example",
            "10.0.0.1,none",
            "10.0.0.1:80",
            "10.0.0.1/8",
            "10.0.0.1,,",
            "0.0.0.0/0",
            "::1, ::/0",
        ] {
            check("trusted-proxy", value);
        }
        for name in ["rate-create", "rate-open", "rate-owner"] {
            for value in ["", "600", "0/1h", "1/2d", "1000001/1s", "1 kB/1s", "on"] {
                check(name, value);
            }
        }
        for name in [
            "max-connections",
            "max-connections-each",
            "max-requests-each",
        ] {
            for value in ["", "0", "-1", "1000001", "off"] {
                check(name, value);
            }
        }
        for value in ["600/1h", "1 MiB/1s", "2 TiB/1h", "7 MiB/1h", "off/1h"] {
            check("rate-upload", value);
        }
    }

    #[test]
    fn redis_is_named_with_its_terms() {
        assert_eq!(load(&[], &[]).expect("defaults hold").redis, None);
        let redis = |arguments: &[&str]| {
            let arguments = [&["--redis-url", "redis://a"], arguments].concat();
            let config = load(&arguments, &[]).expect("all hold");
            config.redis.expect("it was set").1
        };
        let usual = Terms {
            accepted: Vec::new(),
            replicas: 0,
            rewrite_s: 3600,
        };
        assert_eq!(redis(&[]), usual);
        let arguments = [
            "--redis-accept",
            "volatile, restored",
            "--redis-replicas",
            "2",
        ];
        let chosen = Terms {
            accepted: vec![Risk::Volatile, Risk::Restored],
            replicas: 2,
            rewrite_s: 0,
        };
        assert_eq!(
            redis(&[&arguments[..], &["--redis-rewrite", "0"]].concat()),
            chosen
        );
    }

    #[test]
    fn what_redis_cannot_be_is_told_without_the_password() {
        let check = |arguments: &[&str], expected: &str| {
            let faults = load(arguments, &[]).expect_err(expected);
            assert!(
                faults.contains(expected) && !faults.contains("hunter2"),
                "{faults}"
            );
        };
        check(&["--redis-url", "http://:hunter2@a"], "`redis-url`");
        check(
            &["--redis-url", "redis://a", "--redis-accept", "all"],
            "`redis-accept`",
        );
        check(&["--redis-replicas", "11"], "`redis-replicas`");
        check(&["--redis-rewrite", "59s"], "`redis-rewrite`");
        for setting in [
            "--redis-accept=volatile",
            "--redis-replicas=1",
            "--redis-rewrite=0",
        ] {
            check(&[setting], "`redis-url` must be set where `redis-");
        }
        check(
            &[
                "--redis-url",
                "redis://a",
                "--redis-replicas",
                "1",
                "--lease",
                "0",
            ],
            "`redis-replicas` must be 0",
        );
    }

    #[test]
    fn a_secret_may_lie_in_a_file_of_its_own() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("redis-url");
        std::fs::write(&file, "redis://:hunter2@a\n").expect("written");
        let file = file.to_str().expect("a plain path");
        let variables = [("ONETIMESHARE_REDIS_URL_FILE", file)];
        let config = load(&[], &variables).expect("it holds");
        assert_eq!(config.unknown_variables, [""; 0]);
        let address = config.redis.map(|(address, _)| address);
        assert_eq!(address, Address::parse("redis://:hunter2@a"));
        let both = [variables[0], ("ONETIMESHARE_REDIS_URL", "redis://b")];
        let config = load(&[], &both).expect("the file wins");
        let address = config.redis.map(|(address, _)| address);
        assert_eq!(address, Address::parse("redis://:hunter2@a"));
        let faults =
            load(&[], &[("ONETIMESHARE_REDIS_URL_FILE", "/nowhere")]).expect_err("no file");
        assert!(
            faults.contains("ONETIMESHARE_REDIS_URL_FILE names"),
            "{faults}"
        );
        // It is set, whatever it is to.
        let variables = [
            ("ONETIMESHARE_REDIS_URL_FILE", "/nowhere"),
            ("ONETIMESHARE_REDIS_REPLICAS", "1"),
            ("ONETIMESHARE_ROLE", "open"),
        ];
        let faults = load(&[], &variables).expect_err("no file");
        assert_eq!(faults.lines().count(), 1, "{faults}");
    }

    #[test]
    fn files_with_unknown_keys_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let check = |text: &str, expected: &str| {
            let file = folder.path().join("server.toml");
            std::fs::write(&file, text).expect("written");
            let faults =
                load(&["--config", file.to_str().expect("a plain path")], &[]).expect_err(text);
            assert!(faults.contains(expected), "{faults}");
        };
        check("max-claim = 3", "`max-claim`");
        check("config = \"other.toml\"", "`config`");
        check("max-claims = 1.5", "`max-claims`");
        check("max-claims = [1, 2]", "`max-claims`");
        check("stats = \"on\"\nmax-claims = ", "not TOML, at line 2");
        check("stats = false", "on or off");
        let faults = load(&["--config", "/nowhere/server.toml"], &[]).expect_err("no file");
        assert!(
            faults.contains("/nowhere/server.toml cannot be read (No such file"),
            "{faults}"
        );
    }

    #[test]
    fn several_addresses_come_from_every_source() {
        let both =
            ["127.0.0.1:1", "[::1]:2"].map(|text| text.parse::<SocketAddr>().expect("an address"));
        let flags = load(&["--listen", "127.0.0.1:1", "--listen", "[::1]:2"], &[]).expect("flags");
        let variable =
            load(&[], &[("ONETIMESHARE_LISTEN", "127.0.0.1:1, [::1]:2")]).expect("a variable");
        assert_eq!(
            (&flags.listen[..], &variable.listen[..]),
            (&both[..], &both[..])
        );
    }
}
