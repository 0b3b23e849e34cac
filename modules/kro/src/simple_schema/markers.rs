//! The markers after a SimpleSchema type: `key=value` pairs, where a value ends
//! at the first space outside double quotes, brackets and braces.
//!
//! It splits them. What a key means is `rules`' to know.

use std::ops::Range;

use crate::model::Dialect;

/// One marker.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Marker {
    /// Before the `=`.
    pub(super) key: String,
    /// After it, without the quotes around it.
    pub(super) value: String,
    /// Where it stands in the text.
    pub(super) span: Range<usize>,
}

/// Why a text is not a list of markers.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Error {
    #[error("marker key '{key}' without a value")]
    NoValue { key: String, before: Option<(String, String)>, span: Range<usize> },
    #[error("empty marker key")]
    EmptyKey { span: Range<usize> },
    #[error("unclosed quote in the value of marker `{key}`")]
    UnclosedQuote { key: String, span: Range<usize> },
    #[error("unclosed bracket/brace in the value of marker `{key}`")]
    Unclosed { key: String, span: Range<usize> },
    #[error("unmatched closing bracket/brace in the value of marker `{key}`")]
    Unmatched { key: String, span: Range<usize> },
}

impl Error {
    /// Where it is.
    pub(super) fn span(&self) -> Range<usize> {
        match self {
            Error::NoValue { span, .. }
            | Error::EmptyKey { span }
            | Error::UnclosedQuote { span, .. }
            | Error::Unclosed { span, .. }
            | Error::Unmatched { span, .. } => span.clone(),
        }
    }

    /// The same, with the marker before it if that has a bare value, which may be
    /// what the words belong to.
    fn after(self, marker: Option<&Marker>, text: &str) -> Error {
        let bare = marker.filter(|marker| !text[marker.span.clone()].ends_with(['"', ']', '}']));
        let describes =
            bare.filter(|marker| matches!(marker.key.as_str(), "description" | "default" | "enum" | "pattern"));
        match self {
            Error::NoValue { key, span, .. } => {
                let before = describes.map(|marker| (marker.key.clone(), marker.value.clone()));
                Error::NoValue { key, before, span }
            }
            other => other,
        }
    }

    /// What would be right.
    pub(super) fn hint(&self) -> String {
        match self {
            Error::NoValue { key, .. } if key.contains('|') => ONE_BAR.to_owned(),
            Error::NoValue { key, .. } if key.is_empty() => {
                "write `key=value` after the `|`, and no space after the last marker".to_owned()
            }
            Error::NoValue { key, before, .. } => without_a_value(key, before.as_ref()),
            Error::EmptyKey { .. } => "write `key=value`".to_owned(),
            Error::UnclosedQuote { .. } => "close the value with `\"`; a quote inside it is written `\\\"`".to_owned(),
            Error::Unclosed { .. } | Error::Unmatched { .. } => "balance the brackets and braces".to_owned(),
        }
    }
}

/// What a word without `=` was probably meant to be. `before` is the marker before
/// it, if its value stands without quotes.
fn without_a_value(word: &str, before: Option<&(String, String)>) -> String {
    let is_number = word.parse::<f64>().is_ok();
    if let Some((key, value)) = word.split_once(':') {
        return format!("write `{key}={}`: a marker has a `=`", if value.is_empty() { "value" } else { value });
    }
    match (word, before) {
        ("required" | "immutable", _) => format!("write `{word}=true`"),
        ("optional" | "nullable", _) => "leave it out: a field is optional unless it has `required=true`".to_owned(),
        (_, Some((key, value))) => format!("put a value with spaces in double quotes: `{key}=\"{value} {word} …\"`"),
        ("true" | "false", _) => format!("write `default={word}`"),
        _ if is_number || word.starts_with('"') => format!("write `default={word}`"),
        _ => format!("write `{word}=value`, or `default={word}` if it is the default"),
    }
}

/// What to do about a second `|`.
pub(super) const ONE_BAR: &str = "only one `|` may stand in a field; separate markers by spaces";

/// The markers in a text, in order.
pub(super) fn parse(text: &str, dialect: Dialect) -> Result<Vec<Marker>, Error> {
    let mut markers: Vec<Marker> = Vec::new();
    let mut at = skip_space(text, 0);
    while at < text.len() {
        let marker = one(text, at, dialect).map_err(|error| error.after(markers.last(), text))?;
        at = skip_space(text, marker.span.end);
        markers.push(marker);
    }
    let end = markers.last().map_or(0, |last| last.span.end);
    // kro v0.9 takes a space at the end for the start of another marker.
    if dialect == Dialect::V09 && (markers.is_empty() || end < text.len()) {
        return Err(Error::NoValue { key: String::new(), before: None, span: end..text.len() });
    }
    Ok(markers)
}

fn skip_space(text: &str, at: usize) -> usize {
    text.len() - text[at..].trim_start().len()
}

fn word(text: &str, start: usize) -> Range<usize> {
    start..text[start..].find(char::is_whitespace).map_or(text.len(), |length| start + length)
}

fn one(text: &str, start: usize, dialect: Dialect) -> Result<Marker, Error> {
    let key_start = if dialect == Dialect::V09 { skip_bars(text, start) } else { start };
    let first = word(text, key_start);
    let Some(length) = text[first.clone()].find('=') else {
        return Err(Error::NoValue { key: text[first.clone()].to_owned(), before: None, span: start..first.end });
    };
    let equals = key_start + length;
    let mut key = text[key_start..equals].to_owned();
    if key.is_empty() {
        return Err(Error::EmptyKey { span: start..first.end });
    }
    let end = value_end(text, equals + 1, &key)?;
    if end == equals + 1 && dialect == Dialect::V01 {
        return Err(Error::NoValue { key, before: None, span: start..end });
    }
    if key_start > start {
        key.insert(0, '|');
    }
    Ok(Marker { key, value: unquoted(&text[equals + 1..end]), span: start..end })
}

/// A `|` that stands alone belongs to the key after it, for kro v0.9.
fn skip_bars(text: &str, start: usize) -> usize {
    let mut at = start;
    while &text[word(text, at)] == "|" {
        let next = skip_space(text, at + 1);
        if next == text.len() {
            break;
        }
        at = next;
    }
    at
}

/// Where the value that starts at `start` ends.
fn value_end(text: &str, start: usize, key: &str) -> Result<usize, Error> {
    let mut brackets = Vec::new();
    let mut quote = None;
    let mut letters = text[start..].char_indices();
    while let Some((offset, letter)) = letters.next() {
        let at = start + offset;
        match letter {
            '\\' if quote.is_some() => drop(letters.next()),
            '"' => quote = if quote.is_some() { None } else { Some(at) },
            _ if quote.is_some() => {}
            '[' | '{' => brackets.push(at),
            ']' | '}' if brackets.pop().is_none() => {
                return Err(Error::Unmatched { key: key.to_owned(), span: at..at + 1 });
            }
            letter if letter.is_whitespace() && brackets.is_empty() => return Ok(at),
            _ => {}
        }
    }
    match (quote, brackets.first()) {
        (Some(at), _) => Err(Error::UnclosedQuote { key: key.to_owned(), span: at..text.len() }),
        (None, Some(at)) => Err(Error::Unclosed { key: key.to_owned(), span: *at..text.len() }),
        (None, None) => Ok(text.len()),
    }
}

/// A value without the quotes around it. Between quotes, `\"` and `\\` stand
/// for a quote and a backslash.
fn unquoted(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else { return value.to_owned() };
    let mut text = String::new();
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some(escaped @ ('"' | '\\')) => text.push(escaped),
                Some(other) => text.extend(['\\', other]),
                None => {}
            },
            other => text.push(other),
        }
    }
    text
}

/// A boolean in any of the spellings that Go's `strconv.ParseBool` takes.
pub(super) fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(&str, &str)]) {
        for dialect in [Dialect::V01, Dialect::V09] {
            let found = parse(text, dialect).unwrap();
            let found: Vec<(&str, &str)> = found.iter().map(|it| (it.key.as_str(), it.value.as_str())).collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn a_value_ends_at_a_space_outside_quotes_and_brackets() {
        check(r#" a=1  b="x y""#, &[("a", "1"), ("b", "x y")]);
        check(r#"c=["p ]", {"q": 2}] d={}"#, &[("c", r#"["p ]", {"q": 2}]"#), ("d", "{}")]);
        check(r#"a="""#, &[("a", "")]);
        check(r#"pattern=^[a-z ]+$ x=a|b"#, &[("pattern", "^[a-z ]+$"), ("x", "a|b")]);
        check(r#"a=x" y"z b=1"#, &[("a", r#"x" y"z"#), ("b", "1")]);
    }

    #[test]
    fn quotes_and_backslashes_can_be_escaped_and_nothing_else() {
        check(r#"a="say \"hi\" \\ there \n""#, &[("a", r#"say "hi" \ there \n"#)]);
        check(r#"pattern="^(foo|bar)\d{2,4}$""#, &[("pattern", r"^(foo|bar)\d{2,4}$")]);
    }

    #[test]
    fn what_is_not_closed_or_has_no_value_is_refused() {
        for (text, message, span) in [
            ("required", "marker key 'required' without a value", 0..8),
            ("a=1 required", "marker key 'required' without a value", 4..12),
            ("=3", "empty marker key", 0..2),
            (r#"a="x"#, "unclosed quote in the value of marker `a`", 2..4),
            ("a=[1", "unclosed bracket/brace in the value of marker `a`", 2..4),
            ("a=1} b=2", "unmatched closing bracket/brace in the value of marker `a`", 3..4),
        ] {
            for dialect in [Dialect::V01, Dialect::V09] {
                let error = parse(text, dialect).unwrap_err();
                assert_eq!((error.to_string().as_str(), error.span()), (message, span.clone()), "{text}");
            }
        }
    }

    #[test]
    fn v09_refuses_a_space_at_the_end_and_takes_an_empty_value() {
        for (text, span) in [("", 0..0), (" ", 0..1), ("a=1 ", 3..4)] {
            assert!(parse(text, Dialect::V01).is_ok());
            let error = Error::NoValue { key: String::new(), before: None, span };
            assert_eq!(parse(text, Dialect::V09), Err(error));
        }
        assert!(parse("default=", Dialect::V01).is_err());
        assert_eq!(parse("default= a=1", Dialect::V09).unwrap()[0].value, "");
    }

    #[test]
    fn a_second_bar_belongs_to_a_key() {
        assert!(matches!(parse("a=1 | b=2", Dialect::V01), Err(Error::NoValue { key, .. }) if key == "|"));
        let found = parse("a=1 | b=2", Dialect::V09).unwrap();
        assert_eq!((found[1].key.as_str(), found[1].span.clone()), ("|b", 4..9));
        assert!(parse(&"| ".repeat(10_000), Dialect::V09).is_err());
    }
}
