//! Parses JSON of an adversary: counted and measured in its text first, so
//! that a small text never becomes a large value.
//!
//! It does not bound the bytes; the call's budget has done that. Beside it stands
//! how JSON is written for a module.

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::{answer::Violation, limits::Limits};

/// What the JSON texts of one answer may still hold.
pub(super) struct Json {
    values: usize,
    left: usize,
    depth: usize,
}

impl Json {
    pub(super) fn new(limits: &Limits) -> Json {
        Json { values: limits.json_values, left: limits.json_values, depth: limits.json_depth }
    }

    /// Parses a text; `at` is its place in the answer.
    pub(super) fn parse(&mut self, text: &str, at: &str) -> Result<Value, Violation> {
        let Measure { values, depth } = measure(text);
        if depth > self.depth {
            return Err(Violation::TooDeep { at: at.to_owned(), limit: self.depth });
        }
        let Some(left) = self.left.checked_sub(values) else {
            return Err(Violation::TooManyValues { at: at.to_owned(), limit: self.values });
        };
        self.left = left;
        serde_json::from_str(text).map_err(|source| Violation::Json { at: at.to_owned(), source })
    }

    /// Parses a text that has to be an object.
    pub(super) fn object(&mut self, text: &str, at: &str) -> Result<Map<String, Value>, Violation> {
        match self.parse(text, at)? {
            Value::Object(map) => Ok(map),
            _ => Err(Violation::shape(at, "a JSON object")),
        }
    }
}

/// In which order a module is given the keys of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keys {
    /// As a host gives them: equal values are equal texts.
    Sorted,
    /// The other way round, for a module that must not mind.
    Reversed,
}

impl Keys {
    /// A value as it crosses.
    pub(super) fn text(self, value: &Value) -> String {
        match self {
            Keys::Sorted => value.to_string(),
            Keys::Reversed => serde_json::to_string(&Reversed(value)).expect("a JSON value has keys of text"),
        }
    }
}

struct Reversed<'a>(&'a Value);

impl Serialize for Reversed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(fields) => {
                serializer.collect_map(fields.iter().rev().map(|(key, value)| (key, Reversed(value))))
            }
            Value::Array(items) => serializer.collect_seq(items.iter().map(Reversed)),
            scalar => scalar.serialize(serializer),
        }
    }
}

/// How many values a text has at most, and how deep it nests.
#[derive(Debug, PartialEq, Eq)]
struct Measure {
    values: usize,
    depth: usize,
}

/// Every value but the first comes after a bracket or a comma. Text that is
/// not JSON measures something or other, and then fails to parse.
fn measure(text: &str) -> Measure {
    let mut measure = Measure { values: 1, depth: 0 };
    let (mut open, mut quoted, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'{' | b'[' => {
                open += 1;
                measure.values += 1;
                measure.depth = measure.depth.max(open);
            }
            b'}' | b']' => open = open.saturating_sub(1),
            b',' => measure.values += 1,
            _ => {}
        }
    }
    measure
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_written_in_two_orders_and_say_the_same() {
        let value: Value = serde_json::from_str(r#"{"b": [{"d": 1, "c": "x"}], "a": null}"#).unwrap();
        assert_eq!(Keys::Sorted.text(&value), r#"{"a":null,"b":[{"c":"x","d":1}]}"#);
        assert_eq!(Keys::Reversed.text(&value), r#"{"b":[{"d":1,"c":"x"}],"a":null}"#);
    }

    fn json(values: usize, depth: usize) -> Json {
        Json::new(&Limits { json_values: values, json_depth: depth, ..Limits::default() })
    }

    #[test]
    fn brackets_and_commas_in_strings_do_not_count() {
        assert_eq!(measure(r#"{"a,[{": "\"]},\\", "b": [1, 2]}"#), Measure { values: 5, depth: 2 });
    }

    #[test]
    fn values_are_counted_over_all_texts_of_an_answer() {
        let mut json = json(6, 9);
        assert!(json.parse("[1, 2]", "a").is_ok());
        assert!(matches!(json.parse("[1, 2, 3]", "b"), Err(Violation::TooManyValues { .. })));
        assert!(json.parse("[1]", "c").is_ok());
    }

    #[test]
    fn depth_is_refused_before_it_is_parsed() {
        assert!(json(9, 3).parse("[[[]]]", "a").is_ok());
        assert!(matches!(json(99, 3).parse("[[[[", "a"), Err(Violation::TooDeep { .. })));
    }

    #[test]
    fn the_default_depth_is_below_that_of_the_parser() {
        let limit = Limits::default().json_depth;
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let mut json = Json::new(&Limits::default());
        assert!(json.parse(&nested(limit), "a").is_ok());
        assert!(matches!(json.parse(&nested(limit + 1), "a"), Err(Violation::TooDeep { .. })));
    }
}
