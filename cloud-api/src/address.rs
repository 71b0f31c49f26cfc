//! Finds the client's address of a request behind trusted proxies.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use actix_web::HttpRequest;

/// An address as limits count it: IPv4 whole, IPv6 by its /64 prefix, which one household or office has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Peer(IpAddr);

impl From<IpAddr> for Peer {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            v4 @ IpAddr::V4(_) => v4,
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        })
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A network of proxies, such as `10.0.0.0/8`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no address or network, such as 10.0.0.0/8");
        let (address, bits) = text.trim().split_once('/').map_or((text.trim(), None), |(a, b)| (a, Some(b)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), |bits| bits.parse().map_err(|_| wrong()))?;
        match address.to_canonical() {
            _ if bits > most => Err(wrong()),
            // Clients are compared in this form, so `::ffff:10.0.0.1` is 10.0.0.1 here too.
            v4 @ IpAddr::V4(_) if address.is_ipv6() && bits >= 96 => Ok(Self { address: v4, bits: bits - 96 }),
            _ => Ok(Self { address, bits }),
        }
    }
}

impl Network {
    #[must_use]
    pub(crate) fn is_everybody(&self) -> bool {
        self.bits == 0
    }

    fn contains(&self, address: IpAddr) -> bool {
        let shifted = |bits: u128, width: u8| bits.checked_shr(u32::from(width - self.bits)).unwrap_or(0);
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(a), IpAddr::V4(b)) => {
                shifted(u128::from(a.to_bits()), 32) == shifted(u128::from(b.to_bits()), 32)
            }
            (IpAddr::V6(a), IpAddr::V6(b)) => shifted(a.to_bits(), 128) == shifted(b.to_bits(), 128),
            _ => false,
        }
    }
}

/// The client's address. If the connection comes from a trusted proxy, this is the last address in `X-Forwarded-For`
/// that is no trusted proxy: proxies append, so what a client wrote itself stands further left.
#[must_use]
pub(crate) fn of(req: &HttpRequest, trusted: &[Network]) -> IpAddr {
    let peer = req.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
    let forwarded = req.headers().get_all("x-forwarded-for").filter_map(|value| value.to_str().ok());
    let forwarded = forwarded.collect::<Vec<_>>().join(",");
    resolve(peer, &forwarded, trusted)
}

/// Whether the address is that of a trusted proxy.
#[must_use]
pub(crate) fn is_trusted(address: IpAddr, trusted: &[Network]) -> bool {
    trusted.iter().any(|network| network.contains(address))
}

fn resolve(peer: IpAddr, forwarded: &str, trusted: &[Network]) -> IpAddr {
    let mut address = peer;
    for hop in forwarded.rsplit(',') {
        if !is_trusted(address, trusted) {
            break;
        }
        match hop_address(hop) {
            Some(hop) => address = hop,
            None => break,
        }
    }
    address
}

/// Parses an address as proxies write it: bare, in brackets, with a port, with a zone, or quoted.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim().trim_matches('"');
    let host = match hop.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None => match hop.split_once(':') {
            // More than one colon is IPv6.
            Some((host, port)) if !port.contains(':') => host,
            _ => hop,
        },
    };
    host.split('%').next()?.parse().ok()
}

/// Whether a proxy forwarded the request. Then the client is not on the machine that the connection comes from.
#[must_use]
pub(crate) fn is_forwarded(req: &HttpRequest) -> bool {
    ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-real-ip", "forwarded", "via"]
        .iter()
        .any(|name| req.headers().contains_key(*name))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("9.9.9.9", "1.2.3.4", "9.9.9.9")]
    #[case("10.0.0.1", "", "10.0.0.1")]
    #[case("10.0.0.1", "1.2.3.4", "1.2.3.4")]
    #[case("10.0.0.1", "6.6.6.6, 1.2.3.4", "1.2.3.4")]
    #[case("10.0.0.1", "6.6.6.6, 1.2.3.4, 10.0.0.2", "1.2.3.4")]
    #[case("10.0.0.1", "nonsense", "10.0.0.1")]
    #[case("10.0.0.1", "6.6.6.6, 1.2.3.4:40000", "1.2.3.4")]
    #[case("10.0.0.1", "[2001:db8::1]:443", "2001:db8::1")]
    #[case("10.0.0.1", "[2001:db8::1]", "2001:db8::1")]
    #[case("10.0.0.1", "\"[2001:db8::1]:99\"", "2001:db8::1")]
    #[case("10.0.0.1", "fe80::1%eth0", "fe80::1")]
    #[case("10.0.0.1", "[fe80::1%25eth0]:99", "fe80::1")]
    #[case("10.0.0.1", "1.2.3.4, 10.0.0.2:5, 10.0.0.3", "1.2.3.4")]
    #[case("10.0.0.1", "[2001:db8::1", "10.0.0.1")]
    #[case("10.0.0.1", "1.2.3.4:x:y", "10.0.0.1")]
    #[case("::ffff:10.0.0.1", "1.2.3.4", "1.2.3.4")]
    #[case("fd00::1", "2001:db8::1", "2001:db8::1")]
    fn a_client_cannot_choose_its_address(#[case] peer: IpAddr, #[case] forwarded: &str, #[case] expected: IpAddr) {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        assert_eq!(resolve(peer, forwarded, &trusted), expected);
    }

    #[test]
    fn networks_are_read_strictly() {
        for wrong in ["", "10.0.0.0/33", "10.0.0/8", "x/8", "::/129", "10.0.0.0/x"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
        assert!("0.0.0.0/0".parse::<Network>().unwrap().contains("9.9.9.9".parse().unwrap()));
        for (written, meant) in [("::ffff:127.0.0.1", "127.0.0.1"), ("::ffff:10.0.0.0/104", "10.0.0.0/8")] {
            assert_eq!(written.parse::<Network>(), meant.parse());
        }
    }

    #[test]
    fn neighbours_of_a_household_count_as_one() {
        let peer = |text: &str| Peer::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(peer("2001:db8::1"), peer("2001:db8::ffff:1"));
        assert_ne!(peer("2001:db8::1"), peer("2001:db8:0:1::1"));
        assert_eq!(peer("::ffff:1.2.3.4"), peer("1.2.3.4"));
    }
}
