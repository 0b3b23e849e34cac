//! Addresses and networks as in Kubernetes' CEL libraries `ip` and `cidr`, which
//! are Go's `netip` without zones and without IPv4 in IPv6.
//!
//! The parser is written out, since reasons and strictness are Go's.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address without a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ip(IpAddr);

/// An address with the length of its prefix. Bits after the prefix are kept, and
/// make it unequal to its [`masked`](Cidr::masked) form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cidr {
    ip: Ip,
    /// At most 32 or 128, by family.
    bits: u8,
}

impl Ip {
    /// Reads an address.
    ///
    /// # Errors
    ///
    /// In the words of Kubernetes.
    pub fn parse(text: &str) -> Result<Ip, String> {
        let (ip, zone) = parse_address(text)
            .map_err(|reason| format!("IP Address {text:?} parse error during conversion from string: {reason}"))?;
        if !zone.is_empty() {
            return Err(format!("IP address {text:?} with zone value is not allowed"));
        }
        refuse_mapped(ip, text)?;
        Ok(Ip(ip))
    }

    /// Whether a text is the one way in which its address is printed.
    ///
    /// # Errors
    ///
    /// Those of [`parse`](Ip::parse).
    pub fn is_canonical(text: &str) -> Result<bool, String> {
        Ok(Ip::parse(text)?.to_string() == text)
    }

    /// 4 or 6.
    pub fn family(self) -> i64 {
        if self.0.is_ipv4() { 4 } else { 6 }
    }

    /// `0.0.0.0` or `::`.
    pub fn is_unspecified(self) -> bool {
        self.0.is_unspecified()
    }

    /// `127.0.0.0/8` or `::1`.
    pub fn is_loopback(self) -> bool {
        self.0.is_loopback()
    }

    /// `224.0.0.0/24`, or multicast with the scope of a link.
    pub fn is_link_local_multicast(self) -> bool {
        match self.0 {
            IpAddr::V4(ip) => ip.octets()[..3] == [224, 0, 0],
            IpAddr::V6(ip) => ip.segments()[0] & 0xff0f == 0xff02,
        }
    }

    /// `169.254.0.0/16` or `fe80::/10`.
    pub fn is_link_local_unicast(self) -> bool {
        match self.0 {
            IpAddr::V4(ip) => ip.is_link_local(),
            IpAddr::V6(ip) => ip.segments()[0] & 0xffc0 == 0xfe80,
        }
    }

    /// None of the above, no other multicast, and not broadcast; private
    /// addresses are among them.
    pub fn is_global_unicast(self) -> bool {
        let broadcast = self.0 == IpAddr::V4(Ipv4Addr::BROADCAST);
        let special = broadcast || self.is_unspecified() || self.is_loopback();
        !(special || self.0.is_multicast() || self.is_link_local_unicast())
    }

    /// The address as bits at the upper end, so that prefixes of both families
    /// can be masked alike.
    fn upper_bits(self) -> u128 {
        match self.0 {
            IpAddr::V4(ip) => u128::from(ip.to_bits()) << 96,
            IpAddr::V6(ip) => ip.to_bits(),
        }
    }
}

impl fmt::Display for Ip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Cidr {
    /// Reads an address, a slash and the length of a prefix.
    ///
    /// # Errors
    ///
    /// In the words of Kubernetes, which says the first of them twice.
    pub fn parse(text: &str) -> Result<Cidr, String> {
        let refuse = |reason| format!("network address parse error during conversion from string: {reason}");
        parse_prefix(text).map_err(refuse)
    }

    /// The address as it was written.
    pub fn ip(self) -> Ip {
        self.ip
    }

    /// The length of the prefix in bits.
    pub fn prefix_length(self) -> i64 {
        i64::from(self.bits)
    }

    /// The same network with nothing but zeros after the prefix.
    pub fn masked(self) -> Cidr {
        let bits = self.ip.upper_bits() & self.mask();
        let ip = match self.ip.0 {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::from_bits(u32::try_from(bits >> 96).unwrap_or(0))),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(bits)),
        };
        Cidr { ip: Ip(ip), ..self }
    }

    /// Whether an address of the same family starts with the prefix.
    pub fn contains_ip(self, ip: Ip) -> bool {
        let different = (self.ip.upper_bits() ^ ip.upper_bits()) & self.mask();
        self.ip.family() == ip.family() && different == 0
    }

    /// Whether every address of another network is in this one. Kubernetes
    /// documents this, and older versions of it miss inner networks.
    pub fn contains_cidr(self, other: Cidr) -> bool {
        self.bits <= other.bits && self.contains_ip(other.ip)
    }

    fn mask(self) -> u128 {
        u128::MAX.checked_shl(128 - u32::from(self.bits)).unwrap_or(0)
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.ip, self.bits)
    }
}

fn refuse_mapped(ip: IpAddr, text: &str) -> Result<(), String> {
    match ip {
        IpAddr::V6(ip) if ip.to_ipv4_mapped().is_some() => {
            Err(format!("IPv4-mapped IPv6 address {text:?} is not allowed"))
        }
        _ => Ok(()),
    }
}

fn parse_prefix(text: &str) -> Result<Cidr, String> {
    let refuse = |reason: &str| format!("netip.ParsePrefix({text:?}): {reason}");
    let (address, bits) = text.rsplit_once('/').ok_or_else(|| refuse("no '/'"))?;
    let (ip, zone) = parse_address(address).map_err(|reason| refuse(&reason))?;
    if !zone.is_empty() {
        return Err(refuse("IPv6 zones cannot be present in a prefix"));
    }
    let digits = bits.bytes().all(|byte| byte.is_ascii_digit()) && (bits.len() == 1 || !bits.starts_with('0'));
    let length = bits.parse::<u64>().ok().filter(|_| digits);
    let length = length.ok_or_else(|| refuse(&format!("bad bits after slash: {bits:?}")))?;
    let most = if ip.is_ipv4() { 32 } else { 128 };
    let bits = u8::try_from(length).ok().filter(|length| *length <= most);
    let bits = bits.ok_or_else(|| refuse("prefix length out of range"))?;
    refuse_mapped(ip, text)?;
    Ok(Cidr { ip: Ip(ip), bits })
}

/// An address and its zone, which is empty if there is none. Answers Go's reason
/// otherwise.
pub(super) fn parse_address(text: &str) -> Result<(IpAddr, &str), String> {
    match text.find(['.', ':', '%']).map(|index| text.as_bytes()[index]) {
        Some(b'.') => Ok((IpAddr::V4(parse_v4(text, text)?), "")),
        Some(b':') => match text.split_once('%') {
            Some((_, "")) => Err(refusal(text, "zone must be a non-empty string", "")),
            Some((address, zone)) => Ok((IpAddr::V6(parse_v6(text, address)?), zone)),
            None => Ok((IpAddr::V6(parse_v6(text, text)?), "")),
        },
        Some(_) => Err(refusal(text, "missing IPv6 address", "")),
        None => Err(refusal(text, "unable to parse IP", "")),
    }
}

fn refusal(text: &str, reason: &str, at: &str) -> String {
    let place = if at.is_empty() { String::new() } else { format!(" (at {at:?})") };
    format!("ParseAddr({text:?}): {reason}{place}")
}

/// Four decimal octets: `part` of `text`, or all of it.
fn parse_v4(text: &str, part: &str) -> Result<Ipv4Addr, String> {
    let refuse = |reason: &str, at: usize| Err(refusal(text, reason, &part[at..]));
    let (mut octets, mut done, mut value, mut digits) = ([0_u8; 4], 0, 0_u32, 0);
    for (index, byte) in part.bytes().enumerate() {
        match byte {
            b'0'..=b'9' if digits == 1 && value == 0 => {
                return refuse("IPv4 field has octet with leading zero", part.len());
            }
            b'0'..=b'9' => {
                value = value * 10 + u32::from(byte - b'0');
                digits += 1;
                octets[done] = match u8::try_from(value) {
                    Ok(octet) => octet,
                    Err(_) => return refuse("IPv4 field has value >255", part.len()),
                };
            }
            b'.' if digits == 0 || index + 1 == part.len() => {
                return refuse("IPv4 field must have at least one digit", index);
            }
            b'.' if done == 3 => return refuse("IPv4 address too long", part.len()),
            b'.' => (done, value, digits) = (done + 1, 0, 0),
            _ => return refuse("unexpected character", index),
        }
    }
    if done < 3 { refuse("IPv4 address too short", part.len()) } else { Ok(Ipv4Addr::from_octets(octets)) }
}

/// Eight groups, of which `::` leaves out some: `part` of `text`, which is
/// without the zone.
fn parse_v6(text: &str, part: &str) -> Result<Ipv6Addr, String> {
    let refuse = |reason: &str, at: &str| Err(refusal(text, reason, at));
    let (mut groups, mut gap, mut rest) = (Vec::with_capacity(8), None, part);
    if let Some(after) = rest.strip_prefix("::") {
        (gap, rest) = (Some(0), after);
    }
    while groups.len() < 8 && !(rest.is_empty() && gap == Some(groups.len())) {
        let digits = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
        if digits > 4 {
            return refuse("each group must have 4 or less digits", rest);
        }
        let Ok(group) = u16::from_str_radix(&rest[..digits], 16) else {
            return refuse("each colon-separated field must have at least one digit", rest);
        };
        if rest[digits..].starts_with('.') {
            if gap.is_none() && groups.len() != 6 {
                return refuse("embedded IPv4 address must replace the final 2 fields of the address", rest);
            }
            if groups.len() > 6 {
                return refuse("too many hex fields to fit an embedded IPv4 at the end of the address", rest);
            }
            let [a, b, c, d] = parse_v4(text, rest)?.octets();
            groups.extend([u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])]);
            rest = "";
            break;
        }
        groups.push(group);
        rest = &rest[digits..];
        if rest.is_empty() {
            break;
        }
        let Some(after) = rest.strip_prefix(':') else {
            return refuse("unexpected character, want colon", rest);
        };
        if after.is_empty() {
            return refuse("colon must be followed by more characters", rest);
        }
        rest = after;
        if let Some(after) = after.strip_prefix(':') {
            if gap.is_some() {
                return refuse("multiple :: in address", rest);
            }
            (gap, rest) = (Some(groups.len()), after);
        }
    }
    if !rest.is_empty() {
        return refuse("trailing garbage after address", rest);
    }
    fill(groups, gap).map_err(|reason| refusal(text, reason, ""))
}

/// Puts zeros where `::` was.
fn fill(mut groups: Vec<u16>, gap: Option<usize>) -> Result<Ipv6Addr, &'static str> {
    let missing = 8_usize.saturating_sub(groups.len());
    match (gap, missing) {
        (None, 1..) => return Err("address string too short"),
        (Some(_), 0) => return Err("the :: must expand to at least one field of zeros"),
        (None, 0) => {}
        (Some(at), _) => drop(groups.splice(at..at, vec![0; missing])),
    }
    <[u16; 8]>::try_from(groups).map(Ipv6Addr::from_segments).map_err(|_| "unable to parse IP")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> Ip {
        Ip::parse(text).unwrap_or_else(|error| panic!("{error}"))
    }

    fn cidr(text: &str) -> Cidr {
        Cidr::parse(text).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn addresses_print_in_their_canonical_form() {
        for (text, expected) in [
            ("127.0.0.1", "127.0.0.1"),
            ("0.0.0.0", "0.0.0.0"),
            ("::", "::"),
            ("::1", "::1"),
            ("1::", "1::"),
            ("2001:DB8::ABCD", "2001:db8::abcd"),
            ("2001:db8::0:0:0:abcd", "2001:db8::abcd"),
            ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
            ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
            ("0:0:1:0:0:0:1:0", "0:0:1::1:0"),
            ("64:ff9b::1.2.3.4", "64:ff9b::102:304"),
            ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
        ] {
            assert_eq!(ip(text).to_string(), expected);
            assert_eq!(Ip::is_canonical(text), Ok(text == expected));
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_gos_reason() {
        for (text, reason) in [
            ("", "unable to parse IP"),
            ("localhost", "unable to parse IP"),
            ("eth0%x", "missing IPv6 address"),
            ("127.0.0.256", "IPv4 field has value >255"),
            ("127.0.0.01", "IPv4 field has octet with leading zero"),
            ("1.2.3", "IPv4 address too short"),
            ("1.2.3.4.5", "IPv4 address too long"),
            ("1..2.3", "IPv4 field must have at least one digit (at \".2.3\")"),
            ("1.2.3.", "IPv4 field must have at least one digit (at \".\")"),
            ("1.2.3.é", "unexpected character (at \"é\")"),
            (":::1", "each colon-separated field must have at least one digit (at \":1\")"),
            (":1", "each colon-separated field must have at least one digit (at \":1\")"),
            ("1:", "colon must be followed by more characters (at \":\")"),
            ("1::2::3", "multiple :: in address (at \":3\")"),
            ("1:2", "address string too short"),
            ("12345::", "each group must have 4 or less digits (at \"12345::\")"),
            ("1:2:3:4:5:6:7:8:9", "trailing garbage after address (at \"9\")"),
            ("1:2:3:4::5:6:7:8", "the :: must expand to at least one field of zeros"),
            ("1:2:3:4:5:6:7:8::", "the :: must expand to at least one field of zeros"),
            ("1::g", "each colon-separated field must have at least one digit (at \"g\")"),
            ("1:2g::", "unexpected character, want colon (at \"g::\")"),
            ("1:1.2.3.4", "embedded IPv4 address must replace the final 2 fields of the address (at \"1.2.3.4\")"),
            ("fe80::1%", "zone must be a non-empty string"),
        ] {
            let expected =
                format!("IP Address {text:?} parse error during conversion from string: ParseAddr({text:?}): {reason}");
            assert_eq!(Ip::parse(text), Err(expected));
        }
    }

    #[test]
    fn zones_and_mapped_addresses_are_refused() {
        assert_eq!(
            Ip::parse("fe80::1%eth0"),
            Err("IP address \"fe80::1%eth0\" with zone value is not allowed".to_owned())
        );
        assert_eq!(
            Ip::parse("::ffff:1.2.3.4"),
            Err("IPv4-mapped IPv6 address \"::ffff:1.2.3.4\" is not allowed".to_owned())
        );
        assert!(Ip::parse("::ffff:102:304").is_err());
        assert!(Cidr::parse("::ffff:1.2.3.4/100").is_err());
    }

    #[test]
    fn addresses_know_what_they_are_for() {
        let classes = |text: &str| {
            let ip = ip(text);
            let known = [
                ("unspecified", ip.is_unspecified()),
                ("loopback", ip.is_loopback()),
                ("link-multicast", ip.is_link_local_multicast()),
                ("link-unicast", ip.is_link_local_unicast()),
                ("global", ip.is_global_unicast()),
            ];
            let names: Vec<&str> = known.iter().filter(|(_, is)| *is).map(|(name, _)| *name).collect();
            format!("{} {}", ip.family(), names.join(" "))
        };
        for (text, expected) in [
            ("0.0.0.0", "4 unspecified"),
            ("::", "6 unspecified"),
            ("127.1.2.3", "4 loopback"),
            ("::1", "6 loopback"),
            ("224.0.0.1", "4 link-multicast"),
            ("224.0.1.1", "4 "),
            ("ff02::1", "6 link-multicast"),
            ("ff00::1", "6 "),
            ("169.254.169.254", "4 link-unicast"),
            ("fe80::1", "6 link-unicast"),
            ("255.255.255.255", "4 "),
            ("192.168.0.1", "4 global"),
            ("fd80::1", "6 global"),
            ("2001:db8::abcd", "6 global"),
        ] {
            assert_eq!(classes(text), expected, "{text}");
        }
    }

    #[test]
    fn networks_keep_their_host_bits_until_masked() {
        let network = cidr("192.168.0.1/24");
        assert_eq!((network.to_string(), network.prefix_length()), ("192.168.0.1/24".to_owned(), 24));
        assert_eq!(network.ip(), ip("192.168.0.1"));
        assert_eq!(network.masked(), cidr("192.168.0.0/24"));
        assert_ne!(network.masked(), network);
        assert_eq!(cidr("2001:db8:ffff::1/33").masked().to_string(), "2001:db8:8000::/33");
        assert_eq!(cidr("1.2.3.4/0").masked().to_string(), "0.0.0.0/0");
        assert_eq!(cidr("::1/128").masked(), cidr("::1/128"));
    }

    #[test]
    fn networks_contain_what_starts_with_their_prefix() {
        assert!(cidr("192.168.0.0/24").contains_ip(ip("192.168.0.1")));
        assert!(!cidr("192.168.0.0/24").contains_ip(ip("192.168.1.1")));
        assert!(cidr("0.0.0.0/0").contains_ip(ip("255.1.2.3")));
        assert!(!cidr("0.0.0.0/0").contains_ip(ip("::")));
        assert!(!cidr("::/0").contains_ip(ip("0.0.0.0")));
        assert!(cidr("192.168.0.0/16").contains_cidr(cidr("192.168.10.0/24")));
        assert!(cidr("192.168.0.1/24").contains_cidr(cidr("192.168.0.2/24")));
        assert!(!cidr("192.168.0.0/24").contains_cidr(cidr("192.168.0.0/23")));
        assert!(!cidr("192.168.1.0/24").contains_cidr(cidr("192.168.2.0/24")));
    }

    #[test]
    fn what_is_no_network_is_refused_with_gos_reason() {
        for (text, reason) in [
            ("192.168.0.0", "no '/'"),
            ("192.168.0.0/33", "prefix length out of range"),
            ("::1/129", "prefix length out of range"),
            ("::1/300", "prefix length out of range"),
            ("10.0.0.0/08", "bad bits after slash: \"08\""),
            ("10.0.0.0/+8", "bad bits after slash: \"+8\""),
            ("10.0.0.0/", "bad bits after slash: \"\""),
            ("fe80::1%a/64", "IPv6 zones cannot be present in a prefix"),
            ("10.0.0/24", "ParseAddr(\"10.0.0\"): IPv4 address too short"),
        ] {
            let expected = "network address parse error during conversion from string: ".to_owned()
                + &format!("netip.ParsePrefix({text:?}): {reason}");
            assert_eq!(Cidr::parse(text), Err(expected));
        }
    }
}
