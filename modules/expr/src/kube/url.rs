//! URLs as in Kubernetes' CEL library, which are Go's: an absolute URI or an
//! absolute path.
//!
//! What can be asked for is worked out while reading, so that the bytes that Go
//! keeps decoded, and that may not be UTF-8, are needed no longer. Decoded parts
//! that are not UTF-8 show a replacement character.

use std::collections::BTreeMap;
use std::fmt;

use super::net;

/// Go answers no parameters at all for more than these.
const MAX_PARAMETERS: usize = 10_000;

/// A URL. Two are equal if they print the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    scheme: String,
    host: String,
    escaped_path: String,
    raw_query: String,
    text: String,
}

impl Url {
    /// Reads an absolute URI or an absolute path.
    ///
    /// # Errors
    ///
    /// In the words of Kubernetes and Go.
    pub fn parse(text: &str) -> Result<Url, String> {
        // As Kubernetes does, first strictly, with a fragment being part of the
        // path or query; then again, for the fragment.
        let (main, fragment) = text.split_once('#').unwrap_or((text, ""));
        check_text(text).and_then(|()| Parts::read(text, Context::Request)).map_err(|reason| refusal(text, &reason))?;
        let parts = Parts::read(main, Context::Any).map_err(|reason| refusal(main, &reason))?;
        let fragment = recode(fragment, Part::Fragment).map_err(|reason| refusal(text, &reason))?;
        let text = parts.print(&fragment);
        Ok(Url {
            scheme: parts.scheme,
            host: String::from_utf8_lossy(&parts.host).into_owned(),
            escaped_path: parts.escaped_path,
            raw_query: parts.query,
            text,
        })
    }

    /// The scheme in lower case, without its colon; empty for a path.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The host with its port, an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The host without port and brackets.
    pub fn hostname(&self) -> &str {
        let (host, _) = self.host_and_port();
        host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(host)
    }

    /// The digits of the port, or nothing.
    pub fn port(&self) -> &str {
        self.host_and_port().1
    }

    /// The path as it is written in a URL: `/with%20space`.
    pub fn escaped_path(&self) -> &str {
        &self.escaped_path
    }

    /// The parameters of the query, decoded, each with its values in the order
    /// in which they came. Those that cannot be decoded are left out.
    pub fn query(&self) -> BTreeMap<String, Vec<String>> {
        let mut parameters: BTreeMap<String, Vec<String>> = BTreeMap::new();
        if self.raw_query.matches('&').count() >= MAX_PARAMETERS {
            return parameters;
        }
        for parameter in self.raw_query.split('&').filter(|text| !text.is_empty() && !text.contains(';')) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let decode = |text| unescape(text, Part::Query).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            if let (Ok(name), Ok(value)) = (decode(name), decode(value)) {
                parameters.entry(name).or_default().push(value);
            }
        }
        parameters
    }

    fn host_and_port(&self) -> (&str, &str) {
        match self.host.rsplit_once(':') {
            Some((host, port)) if is_digits(port) => (host, port),
            _ => (&self.host, ""),
        }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Where a URL comes from: in a request, it cannot have a host without a scheme.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Context {
    Request,
    Any,
}

/// A part of a URL, each of which escapes other characters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    User,
    Host,
    Zone,
    Path,
    Query,
    Fragment,
}

#[derive(Default)]
struct Parts {
    scheme: String,
    /// What follows a scheme without a slash.
    opaque: String,
    /// Escaped, with a password after a colon.
    user: Option<String>,
    /// Decoded.
    host: Vec<u8>,
    /// There was no `//` after the scheme.
    omit_host: bool,
    escaped_path: String,
    query: String,
    /// There was a `?`, though nothing after it.
    force_query: bool,
}

impl Parts {
    fn read(text: &str, context: Context) -> Result<Parts, String> {
        if text == "*" {
            return Ok(Parts { escaped_path: "*".to_owned(), ..Parts::default() });
        }
        let (scheme, rest) = split_scheme(text)?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let force_query = query.is_empty() && text.ends_with('?');
        let mut parts =
            Parts { scheme: scheme.to_lowercase(), query: query.to_owned(), force_query, ..Parts::default() };
        let has_scheme = !scheme.is_empty();
        if !rest.starts_with('/') {
            if !has_scheme {
                return Err("invalid URI for request".to_owned());
            }
            return Ok(Parts { opaque: rest.to_owned(), ..parts });
        }
        let host_expected = has_scheme || (context == Context::Any && !rest.starts_with("///"));
        let path = match rest.strip_prefix("//").filter(|_| host_expected) {
            Some(after) => {
                let (authority, path) = after.split_at(after.find('/').unwrap_or(after.len()));
                parts.read_authority(authority)?;
                path
            }
            None => {
                parts.omit_host = has_scheme;
                rest
            }
        };
        parts.escaped_path = recode(path, Part::Path)?;
        Ok(parts)
    }

    fn read_authority(&mut self, authority: &str) -> Result<(), String> {
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        self.host = read_host(&self.scheme, host)?;
        self.user = user.map(read_user).transpose()?;
        Ok(())
    }

    fn print(&self, fragment: &str) -> String {
        let mut text = String::new();
        if !self.scheme.is_empty() {
            text += &format!("{}:", self.scheme);
        }
        let has_authority = !self.host.is_empty() || self.user.is_some();
        let has_slashes = !self.scheme.is_empty() && !self.escaped_path.is_empty() && !self.omit_host;
        if has_authority || has_slashes {
            text += "//";
        }
        if let Some(user) = &self.user {
            text += &format!("{user}@");
        }
        text += &escape(&self.host, Part::Host);
        text += &self.opaque;
        text += &self.escaped_path;
        if self.force_query || !self.query.is_empty() {
            text += &format!("?{}", self.query);
        }
        if !fragment.is_empty() {
            text += &format!("#{fragment}");
        }
        text
    }
}

fn refusal(text: &str, reason: &str) -> String {
    format!("URL parse error during conversion from string: parse {text:?}: {reason}")
}

fn check_text(text: &str) -> Result<(), String> {
    match text {
        _ if text.bytes().any(|byte| byte.is_ascii_control()) => {
            Err("net/url: invalid control character in URL".to_owned())
        }
        "" => Err("empty url".to_owned()),
        _ => Ok(()),
    }
}

/// The scheme, or nothing if what comes first is none, and the rest.
fn split_scheme(text: &str) -> Result<(&str, &str), String> {
    let end = text.bytes().position(|byte| !(byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)));
    let end = end.filter(|end| text.as_bytes()[*end] == b':');
    match end {
        Some(0) => Err("missing protocol scheme".to_owned()),
        Some(end) if text.as_bytes()[0].is_ascii_alphabetic() => Ok((&text[..end], &text[end + 1..])),
        _ => Ok(("", text)),
    }
}

/// Name and password, escaped again.
fn read_user(user: &str) -> Result<String, String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&byte);
    if !user.bytes().all(allowed) {
        return Err("net/url: invalid userinfo".to_owned());
    }
    let recode = |text| unescape(text, Part::User).map(|bytes| escape(&bytes, Part::User));
    match user.split_once(':') {
        Some((name, password)) => Ok(format!("{}:{}", recode(name)?, recode(password)?)),
        None => recode(user),
    }
}

/// A host with an optional port, decoded.
fn read_host(scheme: &str, host: &str) -> Result<Vec<u8>, String> {
    let refuse_port = |port: &str| Err(format!("invalid port {port:?} after host"));
    match host.rfind('[') {
        Some(0) => {
            let Some(end) = host.rfind(']') else { return Err("missing ']' in host".to_owned()) };
            let port = &host[end + 1..];
            if !is_port(port) {
                return refuse_port(port);
            }
            let mut decoded = read_literal(&host[1..end])?;
            decoded.extend_from_slice(port.as_bytes());
            Ok(decoded)
        }
        Some(_) => Err("invalid IP-literal".to_owned()),
        None => {
            // Databases have lists of hosts with ports here; the web has not.
            let strict = matches!(scheme, "http" | "https");
            let colon = if strict { host.find(':') } else { host.rfind(':') };
            let port = colon.map_or("", |colon| &host[colon..]);
            if is_port(port) { unescape(host, Part::Host) } else { refuse_port(port) }
        }
    }
}

/// An IPv6 address between brackets, decoded, with its brackets.
fn read_literal(literal: &str) -> Result<Vec<u8>, String> {
    let (address, zone) = literal.split_at(literal.find("%25").unwrap_or(literal.len()));
    let mut decoded = unescape(address, Part::Host)?;
    decoded.extend(unescape(zone, Part::Zone)?);
    let shown = String::from_utf8_lossy(&decoded);
    let (ip, _) = net::parse_address(&shown).map_err(|reason| format!("invalid host: {reason}"))?;
    if ip.is_ipv4() {
        return Err("invalid IP-literal".to_owned());
    }
    Ok([b"[", decoded.as_slice(), b"]"].concat())
}

/// Nothing, or a colon and digits.
fn is_port(text: &str) -> bool {
    text.is_empty() || text.strip_prefix(':').is_some_and(is_digits)
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Path or fragment as they are printed: as written where that is a proper way
/// to write them, else escaped anew.
fn recode(text: &str, part: Part) -> Result<String, String> {
    let decoded = unescape(text, part)?;
    let proper = |byte: u8| b"!$&'()*+,;=:@[]%".contains(&byte) || !must_escape(byte, part);
    Ok(if text.bytes().all(proper) { text.to_owned() } else { escape(&decoded, part) })
}

fn unescape(text: &str, part: Part) -> Result<Vec<u8>, String> {
    let bytes = text.as_bytes();
    let (mut decoded, mut index) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(byte) = bytes.get(index).copied() {
        index += 1;
        match byte {
            b'%' => {
                let value = hex(&bytes[index..]).filter(|value| may_be_escaped(*value, part));
                let Some(value) = value else {
                    let shown = String::from_utf8_lossy(&bytes[index - 1..bytes.len().min(index + 2)]);
                    return Err(format!("invalid URL escape {shown:?}"));
                };
                decoded.push(value);
                index += 2;
            }
            b'+' if part == Part::Query => decoded.push(b' '),
            _ if matches!(part, Part::Host | Part::Zone) && byte.is_ascii() && must_escape(byte, part) => {
                return Err(format!("invalid character {:?} in host name", char::from(byte).to_string()));
            }
            _ => decoded.push(byte),
        }
    }
    Ok(decoded)
}

/// The byte that two hexadecimal digits at the start stand for.
fn hex(bytes: &[u8]) -> Option<u8> {
    let [high, low, ..] = bytes else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some((digit(*high)? << 4) | digit(*low)?)
}

/// A host escapes nothing of ASCII but the percent sign of a zone, and a zone
/// nothing that it could not have without escapes, and spaces.
fn may_be_escaped(value: u8, part: Part) -> bool {
    match part {
        Part::Host => !value.is_ascii() || value == b'%',
        Part::Zone => matches!(value, b'%' | b' ') || !must_escape(value, Part::Host),
        _ => true,
    }
}

fn escape(bytes: &[u8], part: Part) -> String {
    let escaped = |byte: &u8| {
        if must_escape(*byte, part) { format!("%{byte:02X}") } else { char::from(*byte).to_string() }
    };
    bytes.iter().map(escaped).collect()
}

/// Whether a byte stands in a part only as an escape.
fn must_escape(byte: u8, part: Part) -> bool {
    let reserved: &[u8] = match part {
        Part::Host | Part::Zone => b"!$&'()*+,;=:[]<>\"",
        Part::Path => b"$&+,/:;=@",
        Part::User => b"$&+,;=",
        Part::Query => b"",
        Part::Fragment => b"$&+,/:;=?@!()*",
    };
    !(byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) || reserved.contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn urls_are_taken_apart() {
        let parts = |text: &str| {
            let url = url(text);
            [url.scheme(), url.host(), url.hostname(), url.port(), url.escaped_path()].join(" | ")
        };
        for (text, expected) in [
            ("/path", " |  |  |  | /path"),
            ("*", " |  |  |  | *"),
            ("HTTPS://example.com:80/path", "https | example.com:80 | example.com | 80 | /path"),
            ("https://example.com", "https | example.com | example.com |  | "),
            ("https://example.com:/", "https | example.com: | example.com |  | /"),
            ("https://user:pass@example.com:80/p?q=v#f", "https | example.com:80 | example.com | 80 | /p"),
            ("https://[::1]:80/", "https | [::1]:80 | ::1 | 80 | /"),
            ("https://[::1]/", "https | [::1] | ::1 |  | /"),
            ("https://[fe80::1%25en0]/", "https | [fe80::1%en0] | fe80::1%en0 |  | /"),
            ("https://127.0.0.1:80/", "https | 127.0.0.1:80 | 127.0.0.1 | 80 | /"),
            ("https://example.com/path with spaces/", "https | example.com | example.com |  | /path%20with%20spaces/"),
            ("https://example.com/a%2fb", "https | example.com | example.com |  | /a%2fb"),
            ("https://example.com/é%zz", ""),
            ("https://h%C3%A9/é", "https | hé | hé |  | /%C3%A9"),
            ("mailto:a@b.c?subject=x", "mailto |  |  |  | "),
            ("mysql://a:1,b:2/db", "mysql | a:1,b:2 | a:1,b | 2 | /db"),
            ("//example.com/x", " | example.com | example.com |  | /x"),
            ("///x", " |  |  |  | ///x"),
        ] {
            if expected.is_empty() {
                assert!(Url::parse(text).is_err(), "{text}");
            } else {
                assert_eq!(parts(text), expected, "{text}");
            }
        }
    }

    #[test]
    fn urls_print_as_go_prints_them() {
        for (text, expected) in [
            ("/path", "/path"),
            ("*", "*"),
            ("HTTPS://Example.com", "https://Example.com"),
            ("https://user:p%40ss@example.com:80/p?q=v&w#f", "https://user:p%40ss@example.com:80/p?q=v&w#f"),
            ("https://user@/p", "https://user@/p"),
            ("https://example.com/a b#c d", "https://example.com/a%20b#c%20d"),
            ("https://example.com/?", "https://example.com/?"),
            ("https://example.com/??", "https://example.com/??"),
            ("https://example.com/#", "https://example.com/"),
            ("https://[fe80::1%25en0]:1/", "https://[fe80::1%25en0]:1/"),
            ("file:///etc/hosts", "file:///etc/hosts"),
            ("file:/etc/hosts", "file:/etc/hosts"),
            ("http:", "http:"),
            ("http://", "http:"),
            ("mailto:a@b.c?subject=x", "mailto:a@b.c?subject=x"),
            ("//example.com/x", "//example.com/x"),
        ] {
            assert_eq!(url(text).to_string(), expected);
        }
    }

    #[test]
    fn urls_that_print_alike_are_equal() {
        assert_eq!(url("HTTP://a/b c"), url("http://a/b%20c"));
        assert_ne!(url("http://a/b"), url("http://a/b?"));
    }

    #[test]
    fn queries_are_decoded() {
        for (text, expected) in [
            ("https://a/p", "{}"),
            ("https://a/p?", "{}"),
            ("https://a/p?k1=a&k2=b&k2=c", r#"{"k1": ["a"], "k2": ["b", "c"]}"#),
            ("https://a/p?key with spaces=value+with%20spaces", r#"{"key with spaces": ["value with spaces"]}"#),
            ("https://a/p?a&b=&=c&&d=e=f", r#"{"": ["c"], "a": [""], "b": [""], "d": ["e=f"]}"#),
            ("https://a/p?bad=%zz&semi;colon=1&ok=%3D", r#"{"ok": ["="]}"#),
            ("https://a/p?a=1#b=2", r#"{"a": ["1"]}"#),
            ("https://a/p?a=%ff", "{\"a\": [\"\u{fffd}\"]}"),
        ] {
            assert_eq!(format!("{:?}", url(text).query()), expected, "{text}");
        }
        let many = format!("/p?{}", vec!["a=1"; MAX_PARAMETERS + 1].join("&"));
        assert!(url(&many).query().is_empty());
        assert_eq!(url(&many.replacen("&a=1", "", 1)).query()["a"].len(), MAX_PARAMETERS);
    }

    #[test]
    fn what_is_no_url_is_refused_with_gos_reason() {
        for (text, reason) in [
            ("", "empty url"),
            ("../relative-path", "invalid URI for request"),
            ("example.com", "invalid URI for request"),
            ("1http://a/", "invalid URI for request"),
            (":path", "missing protocol scheme"),
            ("https://a:b:c/", "invalid port \":b:c\" after host"),
            ("https://a:1:2/", "invalid port \":1:2\" after host"),
            ("https://a:b/", "invalid port \":b\" after host"),
            ("https://[::1]x/", "invalid port \"x\" after host"),
            ("https://[::1/", "missing ']' in host"),
            ("https://a[::1]/", "invalid IP-literal"),
            ("https://[1.2.3.4]/", "invalid IP-literal"),
            ("https://[x]/", "invalid host: ParseAddr(\"x\"): unable to parse IP"),
            ("https://a b/", "invalid character \" \" in host name"),
            ("https://a%20b/", "invalid URL escape \"%20\""),
            ("https://a/%zz", "invalid URL escape \"%zz\""),
            ("https://a/%+1", "invalid URL escape \"%+1\""),
            ("https://a/%2", "invalid URL escape \"%2\""),
            ("https://a/#%", "invalid URL escape \"%\""),
            ("https://a b@c/", "net/url: invalid userinfo"),
            ("https://a/\n", "net/url: invalid control character in URL"),
        ] {
            let expected = format!("URL parse error during conversion from string: parse {text:?}: {reason}");
            assert_eq!(Url::parse(text), Err(expected));
        }
    }
}
