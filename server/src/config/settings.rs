//! Every setting as one line of a table: its name, what it is for, its default. Help texts and the documentation come from
//! here; how a value is read does not.

use clap::{Arg, ArgAction, Command};

use super::variables::PREFIX;

/// One thing that an operator can set.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The flag without its dashes, and the key in the file.
    pub name: &'static str,
    /// What stands for the value in the help.
    pub value_name: &'static str,
    /// What holds when it is set nowhere, as it would be written; none for a setting that has no default.
    pub default: Option<&'static str>,
    /// What it does, for a person to read.
    pub doc: &'static str,
    /// What a value must be, with its range: the end of a sentence that begins with "must be".
    pub expected: &'static str,
    /// Whether it may be given more than once.
    pub is_list: bool,
    /// Whether it may hold a password: then it can also be read from a file of its own.
    pub is_secret: bool,
}

impl Setting {
    /// The variable of the same name.
    pub fn variable(&self) -> String {
        format!(
            "{PREFIX}{}",
            self.name.replace('-', "_").to_ascii_uppercase()
        )
    }

    /// The variable that names a file with the value, where there may be one.
    pub fn file_variable(&self) -> Option<String> {
        self.is_secret.then(|| self.variable() + "_FILE")
    }
}

const fn setting(
    name: &'static str,
    value_name: &'static str,
    default: &'static str,
    doc: &'static str,
    expected: &'static str,
) -> Setting {
    Setting {
        name,
        value_name,
        default: Some(default),
        doc,
        expected,
        is_list: false,
        is_secret: false,
    }
}

/// The setting that names the file; it cannot stand in the file.
pub const CONFIG: &str = "config";

/// The setting that names the file of create tokens.
pub const CREATE_TOKEN_FILE: &str = "create-token-file";

/// The setting that says where blobs are kept.
pub const BLOB_URL: &str = "blob-url";

/// What says where blobs are kept.
pub(super) const BLOB_FORM: &str =
    "file:///folder, s3://bucket/prefix, gs://bucket/prefix or az://container/prefix";

/// A duration that people choose.
const LIFE: &str = "a duration from 1s to 365d, such as 90s, 10m, 5h or 7d";

/// How many connections there may be.
const CONNECTIONS: &str = "a number from 1 to 1000000";

/// How many requests a client may make in which time.
const RATE: &str = "off, or a number up to 1000000 and a time from 1s to 1d, such as 600/1h";

/// Every setting there is.
pub const SETTINGS: &[Setting] = &[
    Setting {
        is_list: true,
        ..setting(
            "listen",
            "ADDRESS",
            "127.0.0.1:8080",
            "Address and port to listen on; repeat it, or separate by commas, for several",
            "an address and port, such as 127.0.0.1:8080 or [::]:8080",
        )
    },
    Setting {
        default: None,
        ..setting(
            "tls-cert",
            "FILE",
            "",
            "Speak TLS on every address of listen, with the certificate in this file: PEM, the server's own first, those of its \
             authority behind it. SIGHUP makes the server read it, and the key, again",
            "the path of a file in PEM",
        )
    },
    Setting {
        default: None,
        ..setting(
            "tls-key",
            "FILE",
            "",
            "The certificate's private key: PEM, without a passphrase, readable for the server's user alone",
            "the path of a file in PEM",
        )
    },
    setting(
        "data-dir",
        "FOLDER",
        "./onetimeshare-data",
        "Folder for records and, unless blob-url says otherwise, blobs; the server makes it when it is not there",
        "the path of a folder",
    ),
    Setting {
        default: None,
        ..setting(
            BLOB_URL,
            "URL",
            "",
            "Where blobs are kept if not in the data folder: file:///folder, s3://bucket/prefix, gs://bucket/prefix or \
             az://container/prefix; credentials and endpoint come from the usual variables (AWS_…, GOOGLE_…, AZURE_…)",
            BLOB_FORM,
        )
    },
    Setting {
        default: None,
        is_secret: true,
        ..setting(
            "redis-url",
            "URL",
            "",
            "Keep records in Redis, which several servers may share: redis://host:6379/0, rediss:// for TLS, \
             redis+sentinel://host,host/name, or several servers of a cluster separated by commas",
            "redis://host:port/database, rediss://…, redis+sentinel://host:port/name, or several servers of a cluster separated by \
             commas; special characters of a password as %40",
        )
    },
    Setting {
        default: None,
        ..setting(
            "redis-accept",
            "RISKS",
            "",
            "Use a Redis that may bring back what was opened, or lose what was not: volatile (no append-only file), eviction, \
             restored (an old copy), separated by commas",
            "volatile, eviction or restored, or several of them separated by commas",
        )
    },
    setting(
        "redis-replicas",
        "COUNT",
        "0",
        "How many replicas of Redis must have a change before it is answered, so that a fail-over brings nothing back",
        "a number from 0 to 10",
    ),
    setting(
        "redis-rewrite",
        "DURATION",
        "1h",
        "How often Redis is asked to rewrite its append-only file when something was erased, which removes what was sealed there; \
         0 for never",
        "0, or a duration of at least 1m, such as 1h",
    ),
    Setting {
        default: None,
        ..setting(
            "storage-max",
            "SIZE",
            "",
            "How much all transfers together may take up, counted when they are created; none for as much as there is. Unset it is 80 % of \
             what is free at the start and what parts take already where blobs lie in a folder, and none where they lie in a bucket",
            "none, or a size from 1 MB, such as 50 GiB",
        )
    },
    setting(
        "max-transfer-size",
        "SIZE",
        "2 GiB",
        "The most content of one transfer, up to 1 TiB",
        "a size from 1 kB to 1 TiB, such as 2 GiB",
    ),
    setting(
        "inline-max",
        "SIZE",
        "64 KiB",
        "Sealed bodies up to this size come with the create request, up to 1 MiB",
        "a size from 0 to 1 MiB, such as 64 KiB",
    ),
    setting(
        "part-size",
        "SIZE",
        "8 MiB",
        "Size of the parts that larger bodies are uploaded in",
        "a size from 64 KiB to 64 MiB, such as 8 MiB",
    ),
    setting(
        "max-ttl",
        "DURATION",
        "7d",
        "The longest life that a sender may choose",
        LIFE,
    ),
    setting(
        "default-ttl",
        "DURATION",
        "1d",
        "The life that the pages offer first",
        LIFE,
    ),
    setting(
        "min-ttl",
        "DURATION",
        "1m",
        "The shortest life that a sender may choose",
        LIFE,
    ),
    setting(
        "max-claims",
        "COUNT",
        "100",
        "The most opens that a sender may choose",
        "a number from 1 to 10000",
    ),
    setting(
        "lease",
        "DURATION",
        "10m",
        "How long whoever opened a transfer may fetch it without a sign of life; with 0 it is given once, erased while serving, \
         and what breaks off is lost",
        "0, or a duration of at least 10s, such as 10m",
    ),
    setting(
        "lease-max",
        "DURATION",
        "1d",
        "How long after opening fetching ends at the latest",
        LIFE,
    ),
    setting(
        "tombstone-ttl",
        "DURATION",
        "1d",
        "How long the server remembers that, when and why a transfer ended, counted from the end that its sender chose, or from its \
         real one when that is later",
        LIFE,
    ),
    setting(
        "upload-idle",
        "DURATION",
        "1h",
        "An upload without a new part for so long is given up",
        "a duration from 1m to 24h, such as 1h",
    ),
    Setting {
        default: None,
        is_list: true,
        ..setting(
            "trusted-proxy",
            "NETWORK",
            "",
            "Proxies whose X-Forwarded-For is believed, as addresses or networks; repeat it, or separate by commas, for several. Without it \
             everybody behind a proxy counts as one client",
            "none, or addresses and networks such as 127.0.0.1, 10.0.0.0/8 or ::1 (10.0.0.1/8 could be 10.0.0.1 or 10.0.0.0/8: write which), none wider than a /8 of IPv4 or a /16 of public IPv6: whoever is in \
             one can say to be anybody, so name your proxies alone",
        )
    },
    setting(
        "rate-create",
        "RATE",
        "600/1h",
        "How many transfers one client may create in which time: at most so many at once, then each again after its share of the time; off \
         for no end. A client is an address, of IPv6 a /64; a /48 has eight times as much",
        RATE,
    ),
    setting(
        "rate-upload",
        "RATE",
        "32 GiB/1h",
        "How many bytes of parts one client may upload in which time",
        "off, or a size from 1 MiB to 1 TiB, not below part-size, and a time from 1m to 1d, such as 32 GiB/1h",
    ),
    setting(
        "rate-open",
        "RATE",
        "2400/1m",
        "How many requests one client may make in which time to look at, open and fetch transfers; opening one takes about six",
        RATE,
    ),
    setting(
        "rate-owner",
        "RATE",
        "1200/1m",
        "How many requests one client may make in which time with an owner's token, other than parts",
        RATE,
    ),
    Setting {
        default: None,
        ..setting(
            "client-storage-max",
            "SIZE",
            "",
            "How much the transfers of one client that are not gone may take up, counted when they are created; none, or unset, for no end. A client \
             is counted as for its budgets, and a /48 of IPv6 has eight times as much. With this or client-transfers-max a hash of the client \
             is kept with each transfer as long as it lives, else nothing of who made it",
            "none, or a size from 1 MB, such as 5 GiB",
        )
    },
    Setting {
        default: None,
        ..setting(
            "client-transfers-max",
            "COUNT",
            "",
            "How many transfers of one client there may be that are not gone; none, or unset, for no end",
            "none, or a number from 1 to 1000000",
        )
    },
    setting(
        "max-connections",
        "COUNT",
        "4096",
        "How many connections there may be at once; a further one takes the place of one of whoever has the most, or waits. Each needs a file descriptor, and another for a part or body under way: where the system \
         gives the process too few, fewer are taken, and the log says so",
        CONNECTIONS,
    ),
    setting(
        "max-connections-each",
        "COUNT",
        "512",
        "How many connections there may be from one address, of IPv6 from a /64, and eight times as many from a /48; further ones are closed. Trusted proxies \
         have no such bound, but all of them together 15 of 16 connections",
        CONNECTIONS,
    ),
    setting(
        "max-requests-each",
        "COUNT",
        "512",
        "How many requests of one client may be under way at once, uploads and downloads among them; further ones are refused with 429. \
         A client is counted as for its budgets, behind a trusted proxy too",
        CONNECTIONS,
    ),
    Setting {
        default: None,
        ..setting(
            CREATE_TOKEN_FILE,
            "FILE",
            "",
            "Let only holders of a token create transfers, and everybody open them: TOML with a table for each token, as create-token prints \
             it, beside its own max-transfer-size, max-ttl, max-claims, rate-create, storage-max and transfers-max where it is to have any. \
             SIGHUP makes the server read it again",
            "the path of a file of TOML",
        )
    },
    setting(
        "role",
        "ROLE",
        "both",
        "Which half of the calls and pages this server takes: both, or only those of senders (create), or of links (open). Servers of either role \
         over the same Redis, which has to be set, and the same bucket are an inside and an outside of one service",
        "both, create or open",
    ),
    Setting {
        default: None,
        ..setting(
            "open-url",
            "URL",
            "",
            "Where links lead that are made here, if not to this server: the address of the server that opens them. It must be set where role is \
             create",
            "http:// or https://, a host and perhaps a port, without a path: https://share.example.org",
        )
    },
    setting(
        "stats",
        "SWITCH",
        "on",
        "Whether anyone may read how many transfers were created, claimed and so on: on or off",
        "on or off",
    ),
    Setting {
        default: None,
        ..setting(
            "metrics-listen",
            "ADDRESS",
            "",
            "Address and port of a listener that shows /metrics for Prometheus, and nothing that is for others: 127.0.0.1:9090, \
             say, or an address that only your own network reaches",
            "an address and port, such as 127.0.0.1:9090 or [::1]:9090",
        )
    },
    Setting {
        default: None,
        is_list: true,
        ..setting(
            "security-contact",
            "URI",
            "",
            "Whom to tell of a weakness of this instance, shown at /.well-known/security.txt; repeat it, or separate by commas, for several",
            "an address such as mailto:security@example.org, https://example.org/security or tel:+1-201-555-0123",
        )
    },
    setting(
        "log",
        "FILTER",
        "info",
        "What is logged: error, warn, info, debug or trace, or a filter by module",
        "a level (error, warn, info, debug, trace), or a filter by module",
    ),
    setting(
        "log-format",
        "FORMAT",
        "text",
        "How it is logged: text or json",
        "text or json",
    ),
    Setting {
        default: None,
        ..setting(
            CONFIG,
            "FILE",
            "",
            "TOML file with any of these settings, under the same names",
            "the path of a file",
        )
    },
];

/// The subcommand that looks whether the stores are whole, and its flags.
pub(super) const CHECK: &str = "check";
pub(super) const DEEP: &str = "deep";
pub(super) const REPAIR: &str = "repair";

/// The subcommand that asks a running server whether it is well, and its flags.
pub(super) const HEALTHCHECK: &str = "healthcheck";
pub(super) const URL: &str = "url";
pub(super) const LIVE: &str = "live";

/// The subcommand that says what browsers are given.
pub(super) const HASHES: &str = "hashes";

/// The subcommand that makes a create token, and what it takes.
pub(super) const CREATE_TOKEN: &str = "create-token";
pub(super) const NAME: &str = "NAME";

/// Settings that the subcommands take too. What else is set counts for it as well.
const SHARED: &[&str] = &["data-dir", BLOB_URL, CONFIG];

fn flag(name: &'static str, doc: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .help(doc)
        .action(ArgAction::SetTrue)
}

fn healthcheck_command() -> Command {
    Command::new(HEALTHCHECK)
        .about("Asks a running server whether it is ready, and says so by the exit code")
        .arg(
            Arg::new(URL)
                .long(URL)
                .value_name("URL")
                .help("Ask at http://host:port, or https://, and not at the first address that the settings name"),
        )
        .arg(flag(
            LIVE,
            "Ask only whether the process lives, and not whether its stores answer",
        ))
        .after_help(
            "It asks /readyz (with --live, /healthz) where `listen` says that the server listens, at loopback where that is a \
             wildcard, by TLS where `tls-cert` is set. It takes every certificate there, since it tells nothing and no \
             certificate names loopback. Variables and the file count as for the server; its flags stand before the word `healthcheck`.\n\
             Exit codes: 0 it is well, also while a full store lets it take nothing new, 1 it is not, or does not answer within 5 seconds, 2 the command line or a setting is faulty.",
        )
}

fn hashes_command() -> Command {
    Command::new(HASHES)
        .about("Prints, as JSON, the SHA-256 of every page and file that this program gives to browsers")
        .after_help(
            "It reads no settings and asks no server. A release's manifest.json holds the same list; docs/verify.md describes it.",
        )
}

fn create_token_command() -> Command {
    Command::new(CREATE_TOKEN)
        .about("Makes a token that lets its holder create transfers, and prints the table by which a server knows it")
        .arg(
            Arg::new(NAME)
                .required(true)
                .help("What the operator calls it: 1 to 64 letters, digits, - or _"),
        )
        .after_help(
            "The token goes to standard error and is shown this once; the table goes to standard output: append it to the file that \
             --create-token-file names (… create-token alice >> tokens.toml), and send the server SIGHUP. It reads no settings and asks no \
             server; nobody can get the token back from the table.",
        )
}

fn check_command() -> Command {
    Command::new(CHECK)
        .about("Checks records and blobs against each other, and says what is wrong")
        .long_about(
            "Checks records and blobs against each other, and says in plain sentences what is wrong and what to do. It changes \
             nothing unless told to, and may run beside a server.",
        )
        .arg(flag(
            DEEP,
            "Read every part, and compare its SHA-256: as slow as the disk is",
        ))
        .arg(flag(
            REPAIR,
            "Queue for deletion what is provably dead; the server deletes it. What is alive or merely unknown is never touched",
        ))
        .after_help(
            "Variables and the file count as for the server; give it the same, since they say how old a transfer can be. \
             The server's other flags stand before the word `check`.\n\
             Exit codes: 0 all is well, or was repaired, 1 something is wrong, 2 the command line or a setting is, 3 the stores cannot be read, \
             or are in Redis or a bucket, which it does not look into yet.",
        )
}

/// The command line that follows from the table.
pub(super) fn command() -> Command {
    let arguments = SETTINGS.iter().map(|setting| {
        let default = setting
            .default
            .map(|default| format!(" [default: {default}]"))
            .unwrap_or_default();
        Arg::new(setting.name)
            .long(setting.name)
            .value_name(setting.value_name)
            .help(format!(
                "{}{default} [env: {}{}]",
                setting.doc,
                setting.variable(),
                setting
                    .file_variable()
                    .map(|name| format!(", or {name} for a file that holds it"))
                    .unwrap_or_default()
            ))
            .global(SHARED.contains(&setting.name))
            // So that the setting itself says what it must be.
            .allow_negative_numbers(true)
            .action(if setting.is_list {
                ArgAction::Append
            } else {
                ArgAction::Set
            })
    });
    Command::new("onetimeshare-server")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Passes on text and files that are opened a fixed number of times, and cannot read them")
        .long_about(
            "Passes on text and files that are opened a fixed number of times, and cannot read them. Without a command it serves.",
        )
        .after_help("A flag wins over its variable, a variable over the file, the file over the default.")
        .args(arguments)
        .subcommand(check_command())
        .subcommand(healthcheck_command())
        .subcommand(hashes_command())
        .subcommand(create_token_command())
        .disable_help_subcommand(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        command().debug_assert();
        let help = command().render_help().to_string();
        for setting in SETTINGS {
            let is_told = help.contains(&format!("[env: {}", setting.variable()));
            assert!(is_told, "{}", setting.name);
            // Line breaks depend on the terminal.
            let file = setting.file_variable();
            assert!(
                file.is_none_or(|name| help.contains(&name)),
                "{}",
                setting.name
            );
        }
    }
}
