//! The named formats of Kubernetes. Which texts they take is Kubernetes'; why one is
//! refused is said in words of our own.

use super::url::Url;

/// A format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `dns1123Label`.
    Dns1123Label,
    /// `dns1123Subdomain`.
    Dns1123Subdomain,
    /// `dns1035Label`.
    Dns1035Label,
    /// `qualifiedName`.
    QualifiedName,
    /// `dns1123LabelPrefix`.
    Dns1123LabelPrefix,
    /// `dns1123SubdomainPrefix`.
    Dns1123SubdomainPrefix,
    /// `dns1035LabelPrefix`.
    Dns1035LabelPrefix,
    /// `labelValue`.
    LabelValue,
    /// `uri`.
    Uri,
    /// `uuid`.
    Uuid,
    /// `byte`.
    Byte,
    /// `date`.
    Date,
    /// `datetime`.
    DateTime,
}

impl Format {
    /// The format of that name.
    pub fn named(name: &str) -> Option<Format> {
        Some(match name {
            "dns1123Label" => Format::Dns1123Label,
            "dns1123Subdomain" => Format::Dns1123Subdomain,
            "dns1035Label" => Format::Dns1035Label,
            "qualifiedName" => Format::QualifiedName,
            "dns1123LabelPrefix" => Format::Dns1123LabelPrefix,
            "dns1123SubdomainPrefix" => Format::Dns1123SubdomainPrefix,
            "dns1035LabelPrefix" => Format::Dns1035LabelPrefix,
            "labelValue" => Format::LabelValue,
            "uri" => Format::Uri,
            "uuid" => Format::Uuid,
            "byte" => Format::Byte,
            "date" => Format::Date,
            "datetime" => Format::DateTime,
            _ => return None,
        })
    }

    /// Why a text is not of the format; empty if it is.
    pub fn refusals(self, text: &str) -> Vec<String> {
        match self {
            Format::Dns1123Label => label(text, is_lower_or_digit),
            Format::Dns1035Label => label(text, |letter| letter.is_ascii_lowercase()),
            Format::Dns1123Subdomain => subdomain(text),
            Format::Dns1123LabelPrefix => completed(text, |text| label(text, is_lower_or_digit)),
            Format::Dns1035LabelPrefix => completed(text, |text| label(text, |letter| letter.is_ascii_lowercase())),
            Format::Dns1123SubdomainPrefix => completed(text, subdomain),
            Format::QualifiedName => qualified_name(text),
            Format::LabelValue if text.is_empty() => Vec::new(),
            Format::LabelValue => name_part(text),
            Format::Uri => Url::parse(text).err().into_iter().collect(),
            Format::Uuid => unless(is_uuid(text), "does not match the UUID format"),
            Format::Byte => unless(is_base64(text), "invalid base64"),
            Format::Date => unless(is_date(text), "invalid date"),
            Format::DateTime => unless(is_date_time(text), "invalid datetime"),
        }
    }
}

fn unless(fits: bool, message: &str) -> Vec<String> {
    if fits { Vec::new() } else { vec![message.to_owned()] }
}

fn at_most(text: &str, bytes: usize) -> Vec<String> {
    unless(text.len() <= bytes, &format!("must be no more than {bytes} bytes"))
}

fn is_lower_or_digit(letter: u8) -> bool {
    letter.is_ascii_lowercase() || letter.is_ascii_digit()
}

/// Whether a text begins and ends with such letters, and has those in between.
fn is_made_of(text: &str, first: fn(u8) -> bool, last: fn(u8) -> bool, between: fn(u8) -> bool) -> bool {
    let bytes = text.as_bytes();
    let ends = bytes.first().is_some_and(|it| first(*it)) && bytes.last().is_some_and(|it| last(*it));
    ends && bytes.iter().all(|it| between(*it))
}

fn is_label(text: &str, first: fn(u8) -> bool) -> bool {
    is_made_of(text, first, is_lower_or_digit, |letter| is_lower_or_digit(letter) || letter == b'-')
}

fn label(text: &str, first: fn(u8) -> bool) -> Vec<String> {
    let shape = "must consist of lower case letters, digits and `-`, and begin and end with a letter or digit that may";
    at_most(text, 63).into_iter().chain(unless(is_label(text, first), shape)).collect()
}

fn subdomain(text: &str) -> Vec<String> {
    let fits = text.split('.').all(|part| is_label(part, is_lower_or_digit));
    let shape = "must consist of labels of lower case letters, digits and `-`, with dots between them";
    at_most(text, 253).into_iter().chain(unless(fits, shape)).collect()
}

/// What is said of a text that something will be appended to: the `-` at its end takes
/// the byte before it along.
fn completed(text: &str, refusals: impl Fn(&str) -> Vec<String>) -> Vec<String> {
    let rest = text.strip_suffix('-').filter(|rest| !rest.is_empty());
    match rest.and_then(|rest| rest.get(..rest.len() - 1)) {
        Some(kept) => refusals(&format!("{kept}a")),
        None => refusals(text),
    }
}

fn name_part(text: &str) -> Vec<String> {
    let is_end = |letter: u8| letter.is_ascii_alphanumeric();
    let fits = is_made_of(text, is_end, is_end, |it| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_' | b'.'));
    let shape = "must consist of letters, digits, `-`, `_` and `.`, and begin and end with a letter or digit";
    at_most(text, 63).into_iter().chain(unless(fits, shape)).collect()
}

fn qualified_name(text: &str) -> Vec<String> {
    match text.split('/').collect::<Vec<_>>().as_slice() {
        [name] => name_part(name),
        [prefix, name] => subdomain(prefix).into_iter().chain(name_part(name)).collect(),
        _ => vec!["must be a name, with a prefix and one `/` before it or without".to_owned()],
    }
}

/// 32 hexadecimal digits, with or without each of the usual dashes.
fn is_uuid(text: &str) -> bool {
    let mut rest = text;
    for (index, length) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        if index > 0 {
            rest = rest.strip_prefix('-').unwrap_or(rest);
        }
        match rest.split_at_checked(length) {
            Some((part, after)) if part.bytes().all(|it| it.is_ascii_hexdigit()) => rest = after,
            _ => return false,
        }
    }
    rest.is_empty()
}

/// In groups of four letters, at least one, with padding in the last.
fn is_base64(text: &str) -> bool {
    let digits = text.strip_suffix("==").or_else(|| text.strip_suffix('=')).unwrap_or(text);
    let is_digit = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'+' | b'/');
    !text.is_empty() && text.len().is_multiple_of(4) && digits.bytes().all(is_digit)
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok()
}

fn is_date_time(text: &str) -> bool {
    let lower = text.to_lowercase();
    let mut parts = lower.split('t');
    let (Some(date), Some(time)) = (parts.next(), parts.next()) else { return false };
    is_date(date) && is_time(time)
}

/// `10:00:00`, perhaps with a fraction, and `z` or `+02:00`.
fn is_time(text: &str) -> bool {
    let Some((clock, rest)) = text.split_at_checked(8) else { return false };
    let zone = rest.find(['z', '+', '-']).map(|at| rest.split_at(at));
    let Some((fraction, zone)) = zone else { return false };
    let is_fraction = |text: &str| {
        let digits = text.get(1..).unwrap_or_default();
        text.is_empty() || !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit())
    };
    let is_zone = zone == "z" || zone.len() == 6 && is_clock(&zone[1..], &["99", "99"]);
    is_clock(clock, &["23", "59", "59"]) && is_fraction(fraction) && is_zone
}

/// Numbers of two digits with colons between them, none above its greatest.
fn is_clock(text: &str, greatest: &[&str]) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let fits =
        |(part, most): (&&str, &&str)| part.len() == 2 && part.bytes().all(|it| it.is_ascii_digit()) && part <= most;
    parts.len() == greatest.len() && parts.iter().zip(greatest).all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_takes_what_kubernetes_takes() {
        for (name, fitting, other) in [
            ("dns1123Label", "1-a", "a.b"),
            ("dns1123Label", "a", "-a"),
            ("dns1123Subdomain", "a.b-c", "a..b"),
            ("dns1035Label", "a-1", "1-a"),
            ("qualifiedName", "example.com/My_Name", "/a"),
            ("qualifiedName", "a", "a/b/c"),
            ("dns1123LabelPrefix", "abc-", "-"),
            ("dns1123SubdomainPrefix", "a.b-", "Ab-"),
            ("dns1035LabelPrefix", "a-", "1b-"),
            ("labelValue", "", "-a"),
            ("labelValue", "A.b_c", "a b"),
            ("uri", "/a", "a"),
            ("uri", "https://a.b/c", ""),
            ("uuid", "123E4567-e89b-12d3-a456-426614174000", "123e4567"),
            ("uuid", "123e4567e89b12d3a456426614174000", "123e4567-e89b-12d3-a456-42661417400g"),
            ("byte", "YQ==", "YQ"),
            ("byte", "YWJj", ""),
            ("date", "2024-02-29", "2024-02-30"),
            ("datetime", "2024-02-20T10:00:00Z", "2024-02-20 10:00:00Z"),
            ("datetime", "2024-02-20t10:00:00.5+02:00", "2024-02-20T24:00:00Z"),
        ] {
            let format = Format::named(name).unwrap();
            assert_eq!(format.refusals(fitting), Vec::<String>::new(), "{name} {fitting}");
            assert!(!format.refusals(other).is_empty(), "{name} {other}");
        }
        assert_eq!(Format::Dns1123Label.refusals(&"a".repeat(64)).len(), 1);
        assert_eq!(Format::named("nothing"), None);
    }
}
