//! Finds the `${…}` expressions in a string.
//!
//! It does not know what an expression means: it counts braces, and lets
//! double quotes protect them. Single quotes do not protect anything, because
//! kro's extraction does not know them and what a text means must not change.

use std::ops::Range;

/// One stretch of a template string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Text that stands for itself.
    Text(Range<usize>),
    /// An expression without its `${` and `}`.
    Expression(Range<usize>),
}

/// Why a string is not a template.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    /// A `${` inside an expression, outside double quotes.
    #[error("nested expressions are not allowed unless inside string literals")]
    Nested {
        /// Where the inner `${` is.
        at: usize,
    },
}

/// What a string consists of.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Parts {
    /// In order, without empty texts.
    pub(crate) parts: Vec<Part>,
    /// Where a `${` is that never closes and so stays text.
    pub(crate) unterminated: Option<usize>,
}

impl Parts {
    /// The range of the expression if the string is exactly one.
    pub(crate) fn standalone(&self) -> Option<Range<usize>> {
        match self.parts.as_slice() {
            [Part::Expression(range)] => Some(range.clone()),
            _ => None,
        }
    }

    /// The ranges of all expressions.
    pub(crate) fn expressions(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        self.parts.iter().filter_map(|part| match part {
            Part::Expression(range) => Some(range.clone()),
            Part::Text(_) => None,
        })
    }
}

/// Splits a string into texts and expressions.
pub(crate) fn split(text: &str) -> Result<Parts, Error> {
    let mut parts = Parts { parts: Vec::new(), unterminated: None };
    let mut from = 0;
    while let Some(found) = text[from..].find("${") {
        let open = from + found;
        let Some(close) = closing_brace(text.as_bytes(), open + 2)? else {
            parts.unterminated = Some(open);
            break;
        };
        push_text(&mut parts.parts, from..open);
        parts.parts.push(Part::Expression(open + 2..close));
        from = close + 1;
    }
    push_text(&mut parts.parts, from..text.len());
    Ok(parts)
}

fn push_text(parts: &mut Vec<Part>, range: Range<usize>) {
    if !range.is_empty() {
        parts.push(Part::Text(range));
    }
}

/// A string of several parts as kro v0.9 evaluates it: one expression that adds
/// up quoted texts and the expressions in parentheses. With it, where each
/// expression stands in it.
pub(crate) fn concatenated(text: &str, parts: &Parts) -> (String, Vec<usize>) {
    let mut source = String::new();
    let mut starts = Vec::new();
    for (index, part) in parts.parts.iter().enumerate() {
        if index > 0 {
            source.push_str(" + ");
        }
        match part {
            Part::Text(range) => quote(&text[range.clone()], &mut source),
            Part::Expression(range) => {
                source.push('(');
                starts.push(source.len());
                source.push_str(&text[range.clone()]);
                source.push(')');
            }
        }
    }
    (source, starts)
}

/// A text as a CEL literal that means it, in the form of Go's `strconv.Quote`.
fn quote(text: &str, into: &mut String) {
    into.push('"');
    for letter in text.chars() {
        match letter {
            '"' => into.push_str("\\\""),
            '\\' => into.push_str("\\\\"),
            '\n' => into.push_str("\\n"),
            '\r' => into.push_str("\\r"),
            '\t' => into.push_str("\\t"),
            control if control.is_control() => into.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => into.push(other),
        }
    }
    into.push('"');
}

/// Where the expression that starts at `start` ends.
fn closing_brace(bytes: &[u8], start: usize) -> Result<Option<usize>, Error> {
    let mut depth = 1;
    let mut quoted = false;
    let mut at = start;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' if quoted => at += 1,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'$' if bytes.get(at + 1) == Some(&b'{') => return Err(Error::Nested { at }),
            b'{' => depth += 1,
            b'}' if depth == 1 => return Ok(Some(at)),
            b'}' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expressions(text: &str) -> Vec<&str> {
        split(text).unwrap().expressions().map(|range| &text[range]).collect()
    }

    #[test]
    fn an_expression_ends_at_its_own_closing_brace() {
        assert_eq!(expressions("${a}"), ["a"]);
        assert_eq!(expressions(r#"x${{"a":1}.a}y${b}"#), [r#"{"a":1}.a"#, "b"]);
        assert_eq!(expressions("{${a}}"), ["a"]);
        assert_eq!(expressions("$${a} é${b}"), ["a", "b"]);
    }

    #[test]
    fn double_quotes_protect_braces_and_single_quotes_do_not() {
        assert_eq!(expressions(r#"${"{"}"#), [r#""{""#]);
        assert_eq!(expressions(r#"${"a\"}"}"#), [r#""a\"}""#]);
        assert_eq!(expressions(r#"${"${b}"}"#), [r#""${b}""#]);
        assert_eq!(expressions("${'}'}"), ["'"]);
    }

    #[test]
    fn a_nested_expression_is_refused_where_it_starts() {
        assert_eq!(split("${a ${b}}"), Err(Error::Nested { at: 4 }));
        assert_eq!(split("${c ${a}"), Err(Error::Nested { at: 4 }));
    }

    #[test]
    fn what_never_closes_is_text() {
        let parts = split(r#"x ${"a" + '"' + b}"#).unwrap();
        assert_eq!(parts.unterminated, Some(2));
        assert_eq!(parts.expressions().count(), 0);
        assert_eq!(split("$ {a}").unwrap().unterminated, None);
    }

    #[test]
    fn only_a_string_that_is_one_expression_stands_alone() {
        assert_eq!(split("${a}").unwrap().standalone(), Some(2..3));
        for text in ["${a}\n", " ${a}", "${a}${b}", "a", ""] {
            assert_eq!(split(text).unwrap().standalone(), None, "{text:?}");
        }
    }
}
