//! The named formats of Kubernetes' CEL library `format`, and what each takes.

use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::url::Url;
use crate::time::Timestamp;

/// Whether a format takes a text.
type Takes = fn(&str) -> bool;

/// The formats, each with what it takes.
const FORMATS: [(&str, Takes); 13] = [
    ("dns1123Label", is_label),
    ("dns1123Subdomain", is_subdomain),
    ("dns1035Label", is_old_label),
    ("qualifiedName", is_qualified),
    ("dns1123LabelPrefix", |text| is_label(&without_last_dash(text))),
    ("dns1123SubdomainPrefix", |text| is_subdomain(&without_last_dash(text))),
    ("dns1035LabelPrefix", |text| is_old_label(&without_last_dash(text))),
    ("labelValue", |text| text.is_empty() || is_word(text)),
    ("uri", |text| Url::parse(text).is_ok()),
    ("uuid", is_uuid),
    ("byte", |text| !text.is_empty() && BASE64_STANDARD.decode(text).is_ok()),
    ("date", |text| text.len() == 10 && Timestamp::parse(&format!("{text}T00:00:00Z")).is_ok()),
    ("datetime", |text| Timestamp::parse(text).is_ok()),
];

/// The format of a name, by the name as it is kept.
pub fn named(name: &str) -> Option<&'static str> {
    FORMATS.iter().map(|(known, _)| *known).find(|known| *known == name)
}

/// Whether a format takes a text; no format takes anything if there is none of
/// that name.
pub fn takes(format: &str, text: &str) -> bool {
    FORMATS.iter().any(|(known, takes)| *known == format && takes(text))
}

fn is_label(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.len() <= 63 && text.bytes().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

fn is_old_label(text: &str) -> bool {
    is_label(text) && text.starts_with(|first: char| first.is_ascii_lowercase())
}

fn is_subdomain(text: &str) -> bool {
    // A part of a subdomain may be longer than a label.
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let part =
        |part: &str| !part.is_empty() && part.bytes().all(inner) && !part.starts_with('-') && !part.ends_with('-');
    text.len() <= 253 && text.split('.').all(part)
}

/// Letters and digits, with `-`, `_` and `.` in between.
fn is_word(text: &str) -> bool {
    let ends = |letter: char| letter.is_ascii_alphanumeric();
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !text.is_empty() && text.len() <= 63 && text.bytes().all(inner) && text.starts_with(ends) && text.ends_with(ends)
}

fn is_qualified(text: &str) -> bool {
    match text.split_once('/') {
        Some((prefix, name)) => is_subdomain(prefix) && is_word(name),
        None => is_word(text),
    }
}

/// What is put behind a prefix may begin with anything.
fn without_last_dash(text: &str) -> String {
    match text.strip_suffix('-') {
        Some(rest) if !rest.is_empty() => format!("{rest}a"),
        _ => text.to_owned(),
    }
}

fn is_uuid(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_hexdigit).count();
    let dashes: Vec<usize> = text.match_indices('-').map(|(at, _)| at).collect();
    digits == 32 && (text.len() == 32 || text.len() == 36 && dashes == [8, 13, 18, 23])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_format_takes_what_kubernetes_takes() {
        for (format, good, bad) in [
            ("dns1123Label", vec!["a", "9-b"], vec!["", "A", "-a", "a-", "a.b"]),
            ("dns1123Subdomain", vec!["a.b-c", "9"], vec!["", "a..b", "a.-b", "A"]),
            ("dns1035Label", vec!["a-9"], vec!["9a", ""]),
            ("qualifiedName", vec!["a", "x.y/A_b"], vec!["", "/a", "a/", "a/b/c", "-a"]),
            ("dns1123LabelPrefix", vec!["a-", "9"], vec!["-", "a."]),
            ("dns1123SubdomainPrefix", vec!["a.b-"], vec!["a.", "-"]),
            ("dns1035LabelPrefix", vec!["a-"], vec!["9-"]),
            ("labelValue", vec!["", "A_1.b"], vec!["a b", "_"]),
            ("uri", vec!["https://example.org/a", "/a"], vec!["", "a b", "example.org"]),
            (
                "uuid",
                vec!["7d0f6a0e-0000-4000-8000-00000000000A", "7d0f6a0e000040008000000000000000"],
                vec!["", "7d0f6a0e-00004000-8000-000000000000", "7d0f6a0e-0000-4000-8000-00000000000g"],
            ),
            ("byte", vec!["YQ==", "YWJj"], vec!["", "YQ", "a b"]),
            ("date", vec!["2026-02-28"], vec!["2026-02-30", "2026-2-3", "x"]),
            ("datetime", vec!["2026-02-28T01:02:03Z"], vec!["2026-02-28", "x"]),
        ] {
            assert_eq!(named(format), Some(format));
            good.into_iter().for_each(|text| assert!(takes(format, text), "{format} {text}"));
            bad.into_iter().for_each(|text| assert!(!takes(format, text), "{format} {text}"));
        }
        assert!(named("email").is_none() && !takes("email", "a@b"));
    }
}
