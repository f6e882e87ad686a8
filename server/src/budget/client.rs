//! Whom a request counts for: the address of its connection, or, behind proxies that are trusted, the last one that those
//! vouch for. Nothing that a client writes is believed, and no address is ever logged.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;
use sha2::{Digest as _, Sha256};

/// The most elements of `X-Forwarded-For` that are looked at, from its end: no chain of proxies is as long.
const HOPS_MAX: usize = 32;

/// The widest networks of proxies: as wide as the widest private ones, 10.0.0.0/8, and wider than any provider's.
const V4_PREFIX_LEN_MIN: u8 = 8;
const V6_PREFIX_LEN_MIN: u8 = 16;

/// All private networks of IPv6, `fc00::/7` (RFC 4193).
const V6_PRIVATE_PREFIX_LEN: u8 = 7;

/// What stands before IPv4 that is written as IPv6, in bits (RFC 4291, section 2.5.5.2).
const MAPPED_PREFIX_LEN: u8 = 96;

/// The other end of a connection; the accept loop leaves it with each request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

impl Peer {
    /// The peer of a connection from `address`. A dual-stack listener writes IPv4 as IPv6; it is told as what it is.
    pub fn new(address: IpAddr) -> Self {
        Self(address.to_canonical())
    }

    /// Stands for all requests that came over no connection, which count as one client.
    pub const UNKNOWN: Self = Self(IpAddr::V4(Ipv4Addr::UNSPECIFIED));

    /// Whether it is on this machine or in a private network, where proxies are.
    pub fn is_near(self) -> bool {
        match self.0 {
            IpAddr::V4(address) => {
                address.is_loopback() || address.is_private() || address.is_link_local()
            }
            IpAddr::V6(address) => {
                address.is_loopback()
                    || address.is_unique_local()
                    || address.is_unicast_link_local()
            }
        }
    }
}

/// Who sends and opens: an address, and what stands for it in a table; or a create token with a budget of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Client(Who);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    Address(IpAddr),
    /// A create token, by 64 bits of its name's hash.
    Token(u64),
}

/// Never the address.
impl std::fmt::Debug for Client {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Client")
    }
}

/// What counts as one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Network {
    /// An address.
    V4(u32),
    /// A /64 of IPv6: the least that one customer has.
    V6(u64),
    /// A /48 of IPv6, as its first 48 bits: the most that one customer usually has.
    V6Wide(u64),
    /// A create token, by 64 bits of its name's hash.
    Token(u64),
}

/// Those that share one budget where a full table has no room for each: about as much as one provider has.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Region {
    /// A /16 of IPv4.
    V4(u32),
    /// A /32 of IPv6.
    V6(u64),
    /// All others.
    Rest,
}

/// Never the network.
impl std::fmt::Debug for Network {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Network")
    }
}

impl Network {
    pub(super) const fn region(self) -> Region {
        match self {
            Self::V4(address) => Region::V4(address >> 16),
            Self::V6(half) => Region::V6(half >> 32),
            Self::V6Wide(third) => Region::V6(third >> 16),
            Self::Token(_) => Region::Rest,
        }
    }
}

impl Client {
    /// The client at `address`.
    pub fn new(address: IpAddr) -> Self {
        Self(Who::Address(address.to_canonical()))
    }

    /// The create token of this name.
    pub fn of_token(name: &str) -> Self {
        let hash = Sha256::digest(name);
        let first = hash.first_chunk().copied();
        Self(Who::Token(u64::from_be_bytes(
            first.expect("a hash of 32 bytes has 8"),
        )))
    }

    /// What it counts as.
    pub fn network(self) -> Network {
        match self.0 {
            Who::Address(IpAddr::V4(address)) => Network::V4(address.to_bits()),
            Who::Address(IpAddr::V6(address)) => Network::V6(first_half(address)),
            Who::Token(name) => Network::Token(name),
        }
    }

    /// What it counts as besides, together with its neighbours.
    pub fn wider(self) -> Option<Network> {
        match self.0 {
            Who::Address(IpAddr::V4(_)) | Who::Token(_) => None,
            Who::Address(IpAddr::V6(address)) => Some(Network::V6Wide(first_half(address) >> 16)),
        }
    }
}

fn first_half(address: Ipv6Addr) -> u64 {
    u64::try_from(address.to_bits() >> 64).expect("half of 128 bits are 64")
}

/// The proxies whose `X-Forwarded-For` is believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies(Vec<IpNet>);

impl Proxies {
    /// Those in any of `networks`.
    pub const fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Whether `address` is one of them.
    pub fn trust(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Who is behind `peer`, by the lines of its `X-Forwarded-For` in their order.
    ///
    /// Read from its end, since each proxy adds the address that it was asked from there: the first that is no proxy of ours is
    /// the client, whatever stands before it. An element that is no address ends the search: it counts for the proxy that
    /// passed it on, so that nonsense makes nobody a stranger.
    pub fn client<'a>(
        &self,
        Peer(peer): Peer,
        lines: impl DoubleEndedIterator<Item = &'a [u8]>,
    ) -> Client {
        let mut client = peer;
        let elements = lines
            .rev()
            .flat_map(|line| line.rsplit(|&byte| byte == b','));
        for element in elements.take(HOPS_MAX) {
            if !self.trust(client) {
                break;
            }
            let Some(hop) = hop(element) else {
                break;
            };
            client = hop;
        }
        Client::new(client)
    }
}

/// An element of the header: an address, with a port or without.
fn hop(element: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(element).ok()?.trim_matches([' ', '\t']);
    let in_brackets = || {
        text.strip_prefix('[')?
            .strip_suffix(']')?
            .parse::<Ipv6Addr>()
            .ok()
    };
    let address = text
        .parse::<IpAddr>()
        .or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()))
        .ok()
        .or_else(|| in_brackets().map(IpAddr::V6))?;
    Some(address.to_canonical())
}

/// A network of proxies as it is written in the settings: an address, or one with the length of its prefix. IPv4 that is written as IPv6
/// is what it is, as peers are. None with bits behind its prefix, which could be meant as an address as well; none wider than a /8 of IPv4 or a /16 of IPv6 that is not private: most of such a network would be
/// strangers, who could say to be anybody.
pub(crate) fn parse_network(text: &str) -> Option<IpNet> {
    let network = if let Ok(address) = text.parse::<IpAddr>() {
        IpNet::from(address.to_canonical())
    } else {
        let network: IpNet = text.parse().ok()?;
        canonical((network == network.trunc()).then_some(network)?)?
    };
    let len_min = match network {
        IpNet::V4(_) => V4_PREFIX_LEN_MIN,
        IpNet::V6(network) if network.addr().is_unique_local() => V6_PRIVATE_PREFIX_LEN,
        IpNet::V6(_) => V6_PREFIX_LEN_MIN,
    };
    (network.prefix_len() >= len_min).then_some(network)
}

/// The same network as IPv4, where it is one that is written as IPv6; none where it is all of IPv4, and more.
fn canonical(network: IpNet) -> Option<IpNet> {
    match network.addr().to_canonical() {
        IpAddr::V4(address) if matches!(network, IpNet::V6(_)) => {
            let len = network.prefix_len().checked_sub(MAPPED_PREFIX_LEN)?;
            IpNet::new(address.into(), len).ok()
        }
        _ => Some(network),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROXY: &str = "10.0.0.1";

    fn proxies(networks: &[&str]) -> Proxies {
        let networks = networks.iter().map(|text| parse_network(text));
        Proxies::new(networks.collect::<Option<_>>().expect("networks"))
    }

    fn client(proxies: &Proxies, peer: &str, lines: &[&str]) -> IpAddr {
        let peer = Peer::new(peer.parse().expect("an address"));
        let lines = lines.iter().map(|line| line.as_bytes());
        address(proxies.client(peer, lines))
    }

    fn address(Client(who): Client) -> IpAddr {
        match who {
            Who::Address(address) => address,
            Who::Token(_) => panic!("no address makes a token"),
        }
    }

    #[track_caller]
    fn check(peer: &str, lines: &[&str], expected: &str) {
        let proxies = proxies(&["10.0.0.0/8", "::1", "2001:db8:1::/48"]);
        let expected: IpAddr = expected.parse().expect("an address");
        assert_eq!(client(&proxies, peer, lines), expected, "{lines:?}");
    }

    #[test]
    fn the_client_is_the_last_that_no_proxy_of_ours_is() {
        check("192.0.2.1", &[], "192.0.2.1");
        check(PROXY, &["192.0.2.1"], "192.0.2.1");
        check(PROXY, &["192.0.2.9, 192.0.2.1"], "192.0.2.1");
        check(PROXY, &["192.0.2.1, 10.9.9.9,10.8.8.8"], "192.0.2.1");
        check(PROXY, &["192.0.2.1", "10.9.9.9"], "192.0.2.1");
        check(PROXY, &["10.9.9.9", "192.0.2.1"], "192.0.2.1");
        check("::1", &["2001:db8::5, 2001:db8:1::7"], "2001:db8::5");
        check("::ffff:10.0.0.1", &["::ffff:192.0.2.1"], "192.0.2.1");
        // Where all are ours, it is the one that is farthest away.
        check(PROXY, &["10.1.1.1, 10.2.2.2"], "10.1.1.1");
        check(PROXY, &[], PROXY);
    }

    #[test]
    fn ports_and_brackets_are_taken_off() {
        for element in ["192.0.2.1:567", " 192.0.2.1\t", "[::ffff:192.0.2.1]:80"] {
            check(PROXY, &[element], "192.0.2.1");
        }
        check(PROXY, &["[2001:db8::5]:80"], "2001:db8::5");
        check(PROXY, &["[2001:db8::5]"], "2001:db8::5");
    }

    #[test]
    fn nonsense_counts_for_whoever_passed_it_on() {
        for element in [
            "",
            " ",
            "unknown",
            "_hidden",
            "192.0.2",
            "192.0.2.1.5",
            "[192.0.2.1]",
            "fe80::1%eth0",
            "192.0.2.1 192.0.2.2",
            "\u{e9}",
            "192.0.2.1;",
            "0x7f.1",
        ] {
            check(PROXY, &["192.0.2.1", element], PROXY);
            check(
                PROXY,
                &[&format!("192.0.2.1,{element}, 10.9.9.9")],
                "10.9.9.9",
            );
        }
        let bytes: &[u8] = b"192.0.2.1, \xff\xfe";
        let peer = Peer::new(PROXY.parse().expect("an address"));
        let found = proxies(&["10.0.0.0/8"]).client(peer, [bytes].into_iter());
        assert_eq!(address(found).to_string(), PROXY);
    }

    #[test]
    fn a_forged_chain_gains_nothing() {
        let (none, ours) = (proxies(&[]), proxies(&["10.0.0.0/8"]));
        let mut random = 7_u64;
        let mut draw = |below: u64| {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (random >> 33) % below
        };
        for _ in 0..20_000 {
            // Whatever a client at 192.0.2.1 writes, in as many lines as it likes …
            let mut lines: Vec<String> = (0..draw(4))
                .map(|_| {
                    let elements = (0..draw(5)).map(|_| match draw(6) {
                        0 => "10.3.3.3".to_owned(),
                        1 => "unknown".to_owned(),
                        2 => format!("2001:db8::{:x}", draw(0xffff)),
                        3 => String::new(),
                        _ => format!("198.51.100.{}", draw(256)),
                    });
                    elements
                        .collect::<Vec<_>>()
                        .join(if draw(2) == 0 { "," } else { ", " })
                })
                .collect();
            let forged: Vec<&str> = lines.iter().map(String::as_str).collect();
            assert_eq!(client(&none, "192.0.2.1", &forged).to_string(), "192.0.2.1");
            assert_eq!(client(&ours, "192.0.2.1", &forged).to_string(), "192.0.2.1");
            // … and however the proxy adds what it saw, it counts for the client.
            match lines.last_mut() {
                Some(last) if draw(2) == 0 => last.push_str(", 192.0.2.1"),
                _ => lines.push("192.0.2.1".to_owned()),
            }
            let told: Vec<&str> = lines.iter().map(String::as_str).collect();
            assert_eq!(client(&ours, PROXY, &told).to_string(), "192.0.2.1");
        }
    }

    #[test]
    fn a_chain_without_end_is_not_followed() {
        let line = "10.1.1.1,".repeat(10_000);
        let line = format!("192.0.2.1,{}", line.trim_end_matches(','));
        check(PROXY, &[&line], "10.1.1.1");
    }

    #[test]
    fn proxies_are_known_however_ipv4_is_written() {
        for (text, expected) in [
            ("::ffff:127.0.0.1", "127.0.0.1/32"),
            ("::ffff:7f00:1", "127.0.0.1/32"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
            ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("::1", "::1/128"),
            ("2001:db8::/32", "2001:db8::/32"),
            ("fd00::/8", "fd00::/8"),
        ] {
            let found = parse_network(text).map(|network| network.to_string());
            assert_eq!(found.as_deref(), Some(expected), "{text}");
        }
        let ours = proxies(&["::ffff:127.0.0.1"]);
        assert_eq!(
            client(&ours, "127.0.0.1", &["192.0.2.1"]).to_string(),
            "192.0.2.1"
        );
    }

    #[test]
    fn what_could_be_an_address_or_a_network_is_neither() {
        for text in [
            "10.0.0.1/8",
            "127.0.0.1/8",
            "192.0.2.1/31",
            "2001:db8::1/64",
            "::ffff:10.0.0.1/104",
        ] {
            assert_eq!(parse_network(text), None, "{text}");
        }
        for text in ["10.0.0.1/32", "2001:db8::1/128", "::ffff:10.0.0.1/128"] {
            assert!(parse_network(text).is_some(), "{text}");
        }
    }

    #[test]
    fn nobody_trusts_half_the_internet() {
        for text in [
            "0.0.0.0/0",
            "10.0.0.0/7",
            "::/0",
            "2000::/3",
            "2000::/15",
            "fc00::/6",
            "::ffff:0:0/96",
            "::ffff:10.0.0.0/103",
            "::ffff:0:0/80",
        ] {
            assert_eq!(parse_network(text), None, "{text}");
        }
    }

    #[test]
    fn neighbours_share_what_one_customer_has() {
        let of = |text: &str| Client::new(text.parse().expect("an address"));
        let (one, same) = (of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_eq!(one.network(), same.network());
        let (beside, far) = (of("2001:db8:1:3::1"), of("2001:db8:2:2::1"));
        assert_ne!(one.network(), beside.network());
        assert_eq!(one.wider(), beside.wider());
        assert_ne!(one.wider(), far.wider());
        assert_ne!(of("192.0.2.1").network(), of("192.0.2.2").network());
        assert_eq!(of("192.0.2.1").wider(), None);
        assert_eq!(of("::ffff:192.0.2.1").network(), of("192.0.2.1").network());
    }

    #[test]
    fn tokens_are_told_apart_by_name_and_have_no_neighbours() {
        let [one, other] = ["one", "other"].map(Client::of_token);
        assert_eq!(one.network(), Client::of_token("one").network());
        assert_ne!(one.network(), other.network());
        assert_eq!(one.wider(), None);
    }

    #[test]
    fn nothing_prints_an_address() {
        let client = Client::new("192.0.2.1".parse().expect("an address"));
        assert_eq!(
            format!("{client:?} {:?}", client.network()),
            "Client Network"
        );
    }
}
