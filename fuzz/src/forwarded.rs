//! Chains of `X-Forwarded-For`: whom a request counts for, by a second reading that goes through the whole chain; and that nothing
//! which stands before that address changes it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use onetimeshare_server::budget::client::{Client, Peer, Proxies};

/// The most elements that are looked at.
const HOPS_MAX: usize = 32;

/// Line by line: the address of the connection, the networks of proxies by commas, then the header's lines.
pub fn forwarded(bytes: &[u8]) {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let mut text = || str::from_utf8(lines.next().unwrap_or_default()).unwrap_or_default();
    let peer = text().parse().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let networks: Vec<IpNet> = text()
        .split(',')
        .filter_map(|network| network.trim().parse().ok())
        .collect();
    let lines: Vec<&[u8]> = lines.collect();
    let proxies = Proxies::new(networks.clone());
    let found = proxies.client(Peer::new(peer), lines.iter().copied());
    let (expected, is_final) = read(peer, &networks, &lines);
    assert!(found == Client::new(expected), "it counts for another");
    if is_final {
        for forged in FORGED {
            let lines = [forged].into_iter().chain(lines.iter().copied());
            let again = proxies.client(Peer::new(peer), lines);
            assert!(again == found, "what a client wrote itself is believed");
        }
        // The same on one line, as HTTP lets every hop join them.
        let joined = [FORGED[0], &lines.join(&b","[..])].join(&b","[..]);
        let again = proxies.client(Peer::new(peer), [&joined[..]].into_iter());
        assert!(again == found || lines.is_empty(), "lines are one list");
    }
}

/// What a client could write itself.
const FORGED: [&[u8]; 4] = [
    b"203.0.113.7",
    b"10.0.0.1, ::1",
    b"",
    b"\xff, 203.0.113.9, unknown",
];

/// Whom it counts for, and whether something was found that ends the search: an address that is no proxy's, or what is none.
fn read(peer: IpAddr, networks: &[IpNet], lines: &[&[u8]]) -> (IpAddr, bool) {
    let is_ours = |address: IpAddr| networks.iter().any(|network| network.contains(&address));
    let mut chain: Vec<Option<IpAddr>> = lines
        .iter()
        .flat_map(|line| line.split(|byte| *byte == b','))
        .map(|element| address(&String::from_utf8_lossy(element)))
        .collect();
    chain.push(Some(plain(peer)));
    // From the end, the peer first, as long as all are ours.
    let last = chain.len() - 1;
    let mut client = plain(peer);
    for back in 0..=last.min(HOPS_MAX) {
        let Some(Some(address)) = chain.get(last - back).copied() else {
            return (client, true);
        };
        client = address;
        if !is_ours(address) {
            return (client, true);
        }
    }
    (client, last > HOPS_MAX)
}

/// An element: an address, with a port or without, that of IPv6 in brackets or not.
fn address(element: &str) -> Option<IpAddr> {
    let text = element.trim_matches([' ', '\t']);
    if let Some(rest) = text.strip_prefix('[') {
        let (inside, port) = rest.split_once(']')?;
        let inside = match port.strip_prefix(':') {
            // With a port, the library also takes the number of an interface.
            Some(port) => {
                is_number(port, u16::MAX.into()).then_some(())?;
                match inside.split_once('%') {
                    Some((inside, scope)) if is_number(scope, u32::MAX) => inside,
                    _ => inside,
                }
            }
            None => port.is_empty().then_some(inside)?,
        };
        return Some(plain(IpAddr::V6(inside.parse::<Ipv6Addr>().ok()?)));
    }
    let alone = match text.split_once(':') {
        Some((alone, port)) if is_number(port, u16::MAX.into()) => alone,
        _ => text,
    };
    let v4 = alone.parse::<Ipv4Addr>().map(IpAddr::V4);
    let v6 = || text.parse::<Ipv6Addr>().map(IpAddr::V6);
    v4.or_else(|_| v6()).ok().map(plain)
}

fn is_number(text: &str, max: u32) -> bool {
    let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits && text.parse::<u32>().is_ok_and(|number| number <= max)
}

/// IPv4 written as IPv6 is IPv4.
fn plain(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_reading_takes_the_last_that_is_no_proxy() {
        let ours: Vec<IpNet> = vec!["10.0.0.0/8".parse().expect("a network")];
        let check = |line: &str, expected: &str, is_final: bool| {
            let peer = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
            let expected = (expected.parse().expect("an address"), is_final);
            assert_eq!(read(peer, &ours, &[line.as_bytes()]), expected, "{line}");
        };
        check("192.0.2.1", "192.0.2.1", true);
        check("192.0.2.9, 192.0.2.1:80, 10.1.1.1", "192.0.2.1", true);
        check("10.2.2.2, 10.1.1.1", "10.2.2.2", false);
        check("192.0.2.1, unknown", "10.0.0.1", true);
        check("[2001:db8::1]:443", "2001:db8::1", true);
        check("[2001:db8::1]", "2001:db8::1", true);
    }
}
