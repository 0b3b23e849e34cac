//! The markers after a SimpleSchema type: `key=value` pairs, where a value is a
//! bare word, a text in double quotes, or JSON in brackets or braces.
//!
//! It splits them. What a key means is `simple_schema`'s to know.

use std::ops::Range;

/// One marker.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Marker {
    /// Before the `=`.
    pub(crate) key: String,
    /// After it, without quotes.
    pub(crate) value: String,
    /// Where it stands in the text.
    pub(crate) span: Range<usize>,
}

/// Why a text is no list of markers.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    #[error("marker key '{key}' without a value")]
    NoValue { key: String, span: Range<usize> },
    #[error("empty marker key")]
    EmptyKey { span: Range<usize> },
    #[error("unclosed quote in the value of marker `{key}`")]
    UnclosedQuote { key: String, span: Range<usize> },
    #[error("unclosed {what} in the value of marker `{key}`")]
    Unclosed { key: String, what: &'static str, span: Range<usize> },
    #[error("unmatched closing {what} in the value of marker `{key}`")]
    Unmatched { key: String, what: &'static str, span: Range<usize> },
}

impl Error {
    /// Where it is.
    pub(crate) fn span(&self) -> Range<usize> {
        match self {
            Error::NoValue { span, .. }
            | Error::EmptyKey { span }
            | Error::UnclosedQuote { span, .. }
            | Error::Unclosed { span, .. }
            | Error::Unmatched { span, .. } => span.clone(),
        }
    }

    /// What would be right.
    pub(crate) fn hint(&self) -> String {
        match self {
            Error::NoValue { key, .. } if key.contains('|') => {
                "only one `|` may stand in a field; separate markers by spaces".to_owned()
            }
            Error::NoValue { key, .. } => format!("write `{key}=value`, and put a value with spaces in double quotes"),
            Error::EmptyKey { .. } => "write `key=value`".to_owned(),
            Error::UnclosedQuote { .. } => "close the value with `\"`; a quote inside it is written `\\\"`".to_owned(),
            Error::Unclosed { .. } | Error::Unmatched { .. } => "balance the brackets and braces".to_owned(),
        }
    }
}

/// The markers in a text, in order.
pub(crate) fn parse(text: &str) -> Result<Vec<Marker>, Error> {
    let mut markers = Vec::new();
    let mut at = skip_space(text, 0);
    while at < text.len() {
        let marker = one(text, at)?;
        at = skip_space(text, marker.span.end);
        markers.push(marker);
    }
    Ok(markers)
}

fn skip_space(text: &str, at: usize) -> usize {
    text.len() - text[at..].trim_start().len()
}

fn one(text: &str, start: usize) -> Result<Marker, Error> {
    let word = |at: usize| text[at..].find(char::is_whitespace).map_or(text.len(), |length| at + length);
    let equals = text[start..].find('=').map(|length| start + length).filter(|equals| *equals < word(start));
    let Some(equals) = equals else {
        let span = start..word(start);
        return Err(Error::NoValue { key: text[span.clone()].to_owned(), span });
    };
    let key = text[start..equals].to_owned();
    if key.is_empty() {
        return Err(Error::EmptyKey { span: start..word(start) });
    }
    let (value, end) = match text.as_bytes().get(equals + 1) {
        Some(b'"') => quoted(text, equals + 1, &key)?,
        Some(b'[' | b'{') => bracketed(text, equals + 1, &key)?,
        _ => {
            let end = word(equals + 1);
            (text[equals + 1..end].to_owned(), end)
        }
    };
    if end == equals + 1 {
        return Err(Error::NoValue { key, span: start..end });
    }
    Ok(Marker { key, value, span: start..end })
}

/// A text in double quotes, in which `\"` and `\\` stand for themselves.
fn quoted(text: &str, open: usize, key: &str) -> Result<(String, usize), Error> {
    let mut value = String::new();
    let mut letters = text[open + 1..].char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Ok((value, open + 1 + at + 1)),
            '\\' => match letters.next() {
                Some((_, escaped @ ('"' | '\\'))) => value.push(escaped),
                Some((_, other)) => value.extend(['\\', other]),
                None => break,
            },
            other => value.push(other),
        }
    }
    Err(Error::UnclosedQuote { key: key.to_owned(), span: open..text.len() })
}

/// JSON in brackets or braces, up to the one that closes it.
fn bracketed(text: &str, open: usize, key: &str) -> Result<(String, usize), Error> {
    let mut closers = Vec::new();
    let mut quoted = false;
    let mut bytes = text.bytes().enumerate().skip(open);
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' if quoted => drop(bytes.next()),
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'[' => closers.push(b']'),
            b'{' => closers.push(b'}'),
            b']' | b'}' if closers.pop() != Some(byte) => {
                return Err(Error::Unmatched { key: key.to_owned(), what: name(byte), span: at..at + 1 });
            }
            b']' | b'}' if closers.is_empty() => return Ok((text[open..=at].to_owned(), at + 1)),
            _ => {}
        }
    }
    let what = closers.last().copied().map_or("bracket", name);
    Err(Error::Unclosed { key: key.to_owned(), what, span: open..text.len() })
}

fn name(bracket: u8) -> &'static str {
    if bracket == b']' { "bracket" } else { "brace" }
}

/// A boolean in any of the spellings that Go's `strconv.ParseBool` takes.
pub(crate) fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        parse(text).unwrap().into_iter().map(|marker| (marker.key, marker.value)).collect()
    }

    #[test]
    fn values_are_words_quoted_texts_or_json() {
        let expected = [("a", "1"), ("b", "x y"), ("c", r#"["p ]", {"q": 2}]"#), ("d", "{}")];
        let expected: Vec<_> = expected.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        assert_eq!(pairs(r#" a=1  b="x y" c=["p ]", {"q": 2}] d={}"#), expected);
        assert_eq!(pairs(r#"a="""#), [("a".to_owned(), String::new())]);
    }

    #[test]
    fn what_is_not_closed_or_has_no_value_is_refused() {
        let message = |text: &str| parse(text).unwrap_err().to_string();
        assert_eq!(message("required"), "marker key 'required' without a value");
        assert_eq!(message("default="), "marker key 'default' without a value");
        assert_eq!(message("=3"), "empty marker key");
        assert_eq!(message(r#"a="x"#), "unclosed quote in the value of marker `a`");
        assert_eq!(message("a=[1"), "unclosed bracket in the value of marker `a`");
        assert_eq!(message("a={]"), "unmatched closing bracket in the value of marker `a`");
    }
}
