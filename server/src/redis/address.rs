//! Where Redis is: one server, the servers of a cluster, or the sentinels that know which server it is. An address may hold a
//! password, and is never shown.

use std::fmt;

use redis::{Client, ConnectionAddr};

/// Where Redis is.
#[derive(Clone, PartialEq, Eq)]
pub enum Address {
    /// One server.
    Server(String),
    /// Some servers of a cluster, which know the others.
    Cluster(Vec<String>),
    /// Sentinels, which know the server of a name.
    Sentinel {
        /// Host and port of each.
        sentinels: Vec<(String, u16)>,
        /// The server's name among them.
        name: String,
        /// User and password of the server, where it asks for them.
        user: Option<String>,
        /// See `user`.
        password: Option<String>,
        /// The number of its database.
        database: i64,
        /// Whether the connections are encrypted.
        has_tls: bool,
    },
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Server(_) => "Server",
            Self::Cluster(_) => "Cluster",
            Self::Sentinel { .. } => "Sentinel",
        })
    }
}

/// Hosts, ports and the database, or the name that sentinels know: never a user or a password.
impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(url) => formatter.write_str(&place_of(url, true)),
            Self::Cluster(urls) => {
                let places: Vec<_> = urls.iter().map(|url| place_of(url, false)).collect();
                formatter.write_str(&places.join(", "))
            }
            Self::Sentinel {
                sentinels,
                name,
                database,
                ..
            } => {
                let places = sentinels.iter().map(|(host, port)| join(host, *port));
                let places: Vec<_> = places.collect();
                write!(
                    formatter,
                    "{name}/{database} (by the sentinels at {})",
                    places.join(", ")
                )
            }
        }
    }
}

/// Host and port of a URL, and its database where that is asked for.
fn place_of(url: &str, has_database: bool) -> String {
    // The library writes what it connects to without who connects.
    let Ok(client) = Client::open(url) else {
        return "an address that is none".to_owned();
    };
    let known = client.get_connection_info();
    match known.addr() {
        ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
            let place = join(host, *port);
            if has_database {
                format!("{place}/{}", known.redis_settings().db())
            } else {
                place
            }
        }
        _ => "an address of another kind".to_owned(),
    }
}

/// Host and port, as they stand in a URL.
fn join(host: &str, port: u16) -> String {
    if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

/// The port of sentinels, where none is said.
const SENTINEL_PORT: u16 = 26_379;

impl Address {
    /// Reads `redis://…`, `rediss://…`, several of them by commas for a cluster, or
    /// `redis+sentinel://[user:password@]host[:port][,host[:port]…]/name[/database]`.
    pub fn parse(text: &str) -> Option<Self> {
        for (scheme, has_tls) in [("redis+sentinel://", false), ("rediss+sentinel://", true)] {
            if let Some(rest) = text.strip_prefix(scheme) {
                return Self::parse_sentinel(rest, has_tls);
            }
        }
        let nodes: Vec<String> = text.split(',').map(|node| node.trim().to_owned()).collect();
        let is_known = |node: &String| {
            (node.starts_with("redis://") || node.starts_with("rediss://"))
                && redis::parse_redis_url(node).is_some()
                && Client::open(node.as_str()).is_ok()
        };
        if !nodes.iter().all(is_known) {
            return None;
        }
        match <[String; 1]>::try_from(nodes) {
            Ok([node]) => Some(Self::Server(node)),
            Err(nodes) => Some(Self::Cluster(nodes)),
        }
    }

    fn parse_sentinel(rest: &str, has_tls: bool) -> Option<Self> {
        let (place, path) = rest.split_once('/')?;
        let (account, hosts) = place
            .rsplit_once('@')
            .map_or((None, place), |(account, hosts)| (Some(account), hosts));
        let (user, password) = match account {
            None => (None, None),
            Some(account) => {
                let (user, password) = account.split_once(':')?;
                let decoded = [user, password].map(unescape);
                let [user, password] = decoded;
                (user.filter(|user| !user.is_empty()), Some(password?))
            }
        };
        let (name, database) = match path.split_once('/') {
            Some((name, database)) => (name, database.parse().ok()?),
            None => (path, 0),
        };
        let sentinels: Vec<_> = hosts.split(',').map(host).collect::<Option<_>>()?;
        (!name.is_empty() && database >= 0).then(|| Self::Sentinel {
            sentinels,
            name: name.to_owned(),
            user,
            password,
            database,
            has_tls,
        })
    }

    /// The password that it asks for, if any.
    pub(super) fn password(&self) -> Option<String> {
        let of = |url: &String| {
            let client = Client::open(url.as_str()).ok()?;
            let settings = client.get_connection_info().redis_settings();
            settings.password().map(str::to_owned)
        };
        match self {
            Self::Server(url) => of(url),
            Self::Cluster(urls) => urls.iter().find_map(of),
            Self::Sentinel { password, .. } => password.clone(),
        }
    }

    /// Whether several servers hold it together.
    pub const fn is_cluster(&self) -> bool {
        matches!(self, Self::Cluster(_))
    }
}

fn host(text: &str) -> Option<(String, u16)> {
    let (host, port) = match text.rsplit_once(':') {
        // An address of IPv6 stands in brackets, so that its colons are not taken for the port's.
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
        _ => (text, SENTINEL_PORT),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    (!host.is_empty()).then(|| (host.to_owned(), port))
}

/// Undoes the percent signs of a URL (RFC 3986, section 2.1).
fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let byte = if byte == b'%' {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            u8::try_from(digit()? * 16 + digit()?).ok()?
        } else {
            byte
        };
        bytes.push(byte);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_and_clusters_are_told_by_their_number() {
        let server = |text: &str| Address::parse(text) == Some(Address::Server(text.to_owned()));
        assert!(server("redis://localhost"));
        assert!(server("rediss://user:word@redis.example:6380/3"));
        let nodes = "redis://a:1,redis://b:2".split(',').map(str::to_owned);
        assert_eq!(
            Address::parse("redis://a:1, redis://b:2"),
            Some(Address::Cluster(nodes.collect()))
        );
    }

    #[test]
    fn sentinels_have_a_name_to_ask_for() {
        let plain = Address::Sentinel {
            sentinels: vec![("a".to_owned(), 26_379), ("::1".to_owned(), 5)],
            name: "main".to_owned(),
            user: None,
            password: None,
            database: 0,
            has_tls: false,
        };
        assert_eq!(
            Address::parse("redis+sentinel://a,[::1]:5/main"),
            Some(plain)
        );
        let full = Address::Sentinel {
            sentinels: vec![("a".to_owned(), 1)],
            name: "main".to_owned(),
            user: Some("me".to_owned()),
            password: Some("a:b/c@".to_owned()),
            database: 2,
            has_tls: true,
        };
        assert_eq!(
            Address::parse("rediss+sentinel://me:a%3ab%2Fc%40@a:1/main/2"),
            Some(full)
        );
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "localhost",
            "http://localhost",
            "redis://",
            "redis://a,",
            "redis://a,b",
            "redis+sentinel://a",
            "redis+sentinel:///main",
            "redis+sentinel://a/",
            "redis+sentinel://a:x/main",
            "redis+sentinel://a/main/x",
            "redis+sentinel://word@a/main",
            "redis+sentinel://:%zz@a/main",
        ] {
            assert_eq!(Address::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_place_is_told_by_host_port_and_database() {
        let check = |text: &str, expected: &str| {
            let address = Address::parse(text).unwrap();
            assert_eq!(address.to_string(), expected, "{text}");
        };
        check("redis://localhost", "localhost:6379/0");
        check("rediss://me:hunter2@a.example:1/3", "a.example:1/3");
        check("redis://[::1]:5/2", "[::1]:5/2");
        check("redis://:hunter2@a:1,redis://b:2", "a:1, b:2");
        check(
            "redis+sentinel://me:hunter2@a,[::1]:5/main/2",
            "main/2 (by the sentinels at a:26379, [::1]:5)",
        );
    }

    #[test]
    fn a_password_is_known_in_every_form() {
        for (text, expected) in [
            ("redis://a", None),
            ("redis://a,redis://b", None),
            ("redis+sentinel://a/main", None),
            ("rediss://me:hunter%402@a", Some("hunter@2")),
            ("redis://a,redis://:hunter%402@b", Some("hunter@2")),
            ("redis+sentinel://:hunter%402@a/main", Some("hunter@2")),
        ] {
            let address = Address::parse(text).unwrap();
            assert_eq!(address.password().as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        for text in [
            "redis://:hunter2@a",
            "redis://:hunter2@a,redis://b",
            "redis+sentinel://:hunter2@a/main",
        ] {
            let address = Address::parse(text).unwrap();
            let shown = format!("{address:?} {address}");
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }
}
