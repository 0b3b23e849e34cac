//! Defaults: from the text of a marker to JSON, and whether a value is one that
//! the schema allows.
//!
//! The API server refuses a CRD with a default that its own schema forbids, and
//! kro would find out only then. What CEL rules say of a default is not checked.

use std::collections::BTreeSet;

use serde_json::{Number, Value, json};

use super::{markers::parse_bool, pattern};
use crate::model::Dialect;

/// A default as JSON, if it is one of the schema's type.
pub(super) fn parse(schema: &Value, text: &str, dialect: Dialect) -> Option<Value> {
    match schema["type"].as_str() {
        Some("string") => Some(json!(string(text, dialect))),
        Some("boolean") => Some(json!(parse_bool(text)?)),
        Some("integer") => Some(json!(text.parse::<i64>().ok()?)),
        Some("number") => number(text),
        _ => serde_json::from_str(text).ok(),
    }
}

/// kro v0.9 puts the text between quotes into the CRD as it is, so that `\n` is
/// a line break there. Where that would be no JSON, the text is meant.
fn string(text: &str, dialect: Dialect) -> String {
    let as_kro = (dialect == Dialect::V09).then(|| serde_json::from_str::<String>(&format!("\"{text}\"")));
    as_kro.and_then(Result::ok).unwrap_or_else(|| text.to_owned())
}

/// A number as it is written, or one that only Go would take, such as `.5`.
fn number(text: &str) -> Option<Value> {
    let written = serde_json::from_str::<Number>(text).ok().map(Value::Number);
    written.or_else(|| float(text).map(whole))
}

/// A number in a spelling that Go takes, unless JSON has no such number.
pub(super) fn float(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// A number as Go writes it: without a fraction if it has none.
pub(super) fn whole(number: f64) -> Value {
    // Both bounds are exact, and all that is between them fits.
    let range = -9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0;
    if number.fract() == 0.0 && range.contains(&number) { json!(number as i64) } else { json!(number) }
}

/// Why a value is not what a schema allows.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Misfit {
    /// It, or something in it, is of another type.
    Type,
    /// It is not what these words say.
    Rule(String),
}

/// Why the schema does not allow the value, if it does not.
pub(super) fn misfit(schema: &Value, value: &Value) -> Option<Misfit> {
    let below = match (schema["type"].as_str(), value) {
        (Some("string"), Value::String(_)) | (Some("boolean"), Value::Bool(_)) | (Some("number"), Value::Number(_)) => {
            None
        }
        (Some("integer"), Value::Number(number)) if number.is_i64() => None,
        (Some("array"), Value::Array(elements)) => {
            elements.iter().find_map(|element| misfit(&schema["items"], element))
        }
        (Some("object"), Value::Object(_)) => object_misfit(schema, value),
        // What is not a schema could not be read, which was noted.
        (None, _) => return None,
        _ => return Some(Misfit::Type),
    };
    below.or_else(|| broken_rule(schema, value).map(Misfit::Rule))
}

fn object_misfit(schema: &Value, value: &Value) -> Option<Misfit> {
    let fields = value.as_object()?;
    if let Some(values) = schema.get("additionalProperties") {
        return fields.values().find_map(|value| misfit(values, value));
    }
    if schema["x-kubernetes-preserve-unknown-fields"] == json!(true) {
        return None;
    }
    let properties = schema["properties"].as_object();
    let known = |name: &String| properties.and_then(|properties| properties.get(name));
    if fields.keys().any(|name| known(name).is_none()) {
        let names: Vec<String> = properties.into_iter().flatten().map(|(name, _)| format!("`{name}`")).collect();
        let only = if names.is_empty() { "an empty map".to_owned() } else { format!("a map of {}", names.join(", ")) };
        return Some(Misfit::Rule(only));
    }
    let mut required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    if let Some(missing) = required.find(|name| !fields.contains_key(*name)) {
        return Some(Misfit::Rule(format!("a map with the required field `{missing}`")));
    }
    fields.iter().find_map(|(name, value)| misfit(known(name)?, value))
}

/// What the markers of the schema's own demand and the value does not keep.
fn broken_rule(schema: &Value, value: &Value) -> Option<String> {
    let bound = |name: &str| schema[name].as_i64();
    let size = |size: usize| i64::try_from(size).unwrap_or(i64::MAX);
    if let Some(choices) = schema["enum"].as_array().filter(|choices| !choices.contains(value)) {
        let choices: Vec<String> = choices.iter().map(|choice| format!("`{}`", plain(choice))).collect();
        return Some(format!("one of {}", choices.join(", ")));
    }
    match value {
        Value::Number(number) => {
            let number = number.as_f64()?;
            let below = schema["minimum"].as_f64().filter(|minimum| number < *minimum);
            let above = schema["maximum"].as_f64().filter(|maximum| number > *maximum);
            let below = below.map(|minimum| format!("at least {minimum}"));
            below.or_else(|| above.map(|maximum| format!("at most {maximum}")))
        }
        Value::String(text) => {
            let letters = size(text.chars().count());
            let short = bound("minLength").filter(|least| letters < *least);
            let long = bound("maxLength").filter(|most| letters > *most);
            let other = schema["pattern"].as_str().filter(|it| pattern::compile(it).is_ok_and(|it| !it.is_match(text)));
            let short = short.map(|least| format!("at least {least} letters long"));
            let long = long.map(|most| format!("at most {most} letters long"));
            short.or(long).or_else(|| other.map(|pattern| format!("a text that matches `{pattern}`")))
        }
        Value::Array(elements) => {
            let short = bound("minItems").filter(|least| size(elements.len()) < *least);
            let long = bound("maxItems").filter(|most| size(elements.len()) > *most);
            let is_set = schema["x-kubernetes-list-type"] == json!("set");
            let mut seen = BTreeSet::new();
            let repeats = is_set && elements.iter().any(|element| !seen.insert(element.to_string()));
            let short = short.map(|least| format!("a list of at least {least} elements"));
            let long = long.map(|most| format!("a list of at most {most} elements"));
            short.or(long).or_else(|| repeats.then(|| "a list in which nothing is repeated".to_owned()))
        }
        _ => None,
    }
}

/// A value as its author would write it.
pub(super) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A schema's type in words.
pub(super) fn describe(schema: &Value) -> &'static str {
    match schema["type"].as_str() {
        Some("string") => "a string",
        Some("integer") => "an integer",
        Some("boolean") => "a boolean",
        Some("number") => "a number",
        Some("array") => "a list of its element type, written as JSON",
        _ if schema.get("additionalProperties").is_some() => "a map of its value type, written as JSON",
        _ => "a map of its fields, written as JSON",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_is_json_of_the_schemas_type() {
        for (kind, text, expected) in [
            ("string", "5", json!("5")),
            ("string", "", json!("")),
            ("string", r#"say "hi""#, json!(r#"say "hi""#)),
            ("string", r"a\nb", json!("a\nb")),
            ("string", r"^\d+$", json!(r"^\d+$")),
            ("integer", "+5", json!(5)),
            ("integer", "-5", json!(-5)),
            ("boolean", "T", json!(true)),
            ("boolean", "0", json!(false)),
            ("number", "2", json!(2)),
            ("number", "1.5", json!(1.5)),
            ("number", ".5", json!(0.5)),
            ("number", "+3.", json!(3)),
            ("array", r#"["a", 1]"#, json!(["a", 1])),
            ("object", r#"{"k": {"n": 1}}"#, json!({"k": {"n": 1}})),
        ] {
            assert_eq!(parse(&json!({ "type": kind }), text, Dialect::V09), Some(expected), "{kind} {text}");
        }
        assert_eq!(parse(&json!({"type": "string"}), r"a\nb", Dialect::V01), Some(json!(r"a\nb")));
    }

    #[test]
    fn what_is_no_json_of_the_type_is_no_default() {
        for (kind, text) in [
            ("integer", "1.5"),
            ("integer", ""),
            ("integer", "x"),
            ("boolean", "yes"),
            ("number", "inf"),
            ("number", "x"),
            ("array", "[1"),
            ("object", ""),
        ] {
            assert_eq!(parse(&json!({ "type": kind }), text, Dialect::V09), None, "{kind} {text}");
        }
    }

    #[test]
    fn a_value_fits_if_the_api_server_would_take_it() {
        let rule = |text: &str| Some(Misfit::Rule(text.to_owned()));
        let port = json!({"type": "integer", "minimum": 1, "maximum": 65535});
        let name = json!({"type": "string", "minLength": 2, "maxLength": 3, "pattern": "^[a-z]+$"});
        let set = json!({"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 2,
            "x-kubernetes-list-type": "set"});
        let choice = json!({"type": "string", "enum": ["a", "b"]});
        let object = json!({"type": "object", "properties": {"p": port, "n": name}, "required": ["p"]});
        let map = json!({"type": "object", "additionalProperties": port});
        let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        for (schema, value, expected) in [
            (&port, json!(80), None),
            (&port, json!("80"), Some(Misfit::Type)),
            (&port, json!(1.5), Some(Misfit::Type)),
            (&port, json!(0), rule("at least 1")),
            (&port, json!(65536), rule("at most 65535")),
            (&name, json!("éa"), rule("a text that matches `^[a-z]+$`")),
            (&name, json!("é"), rule("at least 2 letters long")),
            (&name, json!("abcd"), rule("at most 3 letters long")),
            (&choice, json!("a"), None),
            (&choice, json!("c"), rule("one of `a`, `b`")),
            (&set, json!(["a", "b"]), None),
            (&set, json!([]), rule("a list of at least 1 elements")),
            (&set, json!(["a", "b", "c"]), rule("a list of at most 2 elements")),
            (&set, json!(["a", "a"]), rule("a list in which nothing is repeated")),
            (&set, json!([1]), Some(Misfit::Type)),
            (&object, json!({"p": 1, "n": "ab"}), None),
            (&object, json!({}), rule("a map with the required field `p`")),
            (&object, json!({"p": 1, "x": 1}), rule("a map of `n`, `p`")),
            (&object, json!({"p": 0}), rule("at least 1")),
            (&map, json!({"any": 1}), None),
            (&map, json!({"any": null}), Some(Misfit::Type)),
            (&open, json!({"any": null}), None),
            (&open, json!([]), Some(Misfit::Type)),
        ] {
            assert_eq!(misfit(schema, &value), expected, "{schema} {value}");
        }
    }

    #[test]
    fn a_number_without_a_fraction_is_written_without_one() {
        assert_eq!(whole(1.0).to_string(), "1");
        assert_eq!(whole(-2.5).to_string(), "-2.5");
        assert_eq!(whole(1e20).as_f64(), Some(1e20));
    }
}
