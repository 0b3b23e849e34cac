//! SimpleSchema: the short form in which a definition states the fields of its
//! API, turned into an OpenAPI v3 schema.
//!
//! It differs from kro v0.1.0 on purpose where kro emits a CRD that no API
//! server takes: `float` becomes `number`, a default is always valid JSON of its
//! field's type, `required=false` leaves a field optional, and a marker that is
//! unknown or has no `=` is refused rather than dropped.

mod markers;

use serde_json::{Map, Value, json};

use crate::problem::{Pointer, Problems, nearest};
use markers::{Marker, parse_bool};

/// Types nested deeper than this are refused, as by kro.
const MAX_TYPE_DEPTH: usize = 16;

/// The schema of an object whose fields are stated in SimpleSchema. What is
/// wrong is noted; a wrong field is left out.
pub(crate) fn object(fields: &Map<String, Value>, at: &Pointer, problems: &mut Problems) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (name, declared) in fields {
        let Some(field) = field(declared, &at.field(name), problems) else { continue };
        if field.required {
            required.push(name.as_str());
        }
        properties.insert(name.clone(), field.schema);
    }
    required.sort_unstable();
    let mut schema = Map::from_iter([("type".to_owned(), json!("object"))]);
    if !properties.is_empty() {
        schema.insert("properties".to_owned(), Value::Object(properties));
    }
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    Value::Object(schema)
}

struct Field {
    schema: Value,
    required: bool,
}

fn field(declared: &Value, at: &Pointer, problems: &mut Problems) -> Option<Field> {
    match declared {
        Value::Object(fields) => Some(Field { schema: object(fields, at, problems), required: false }),
        Value::String(text) => scalar(text, at, problems),
        other => {
            problems
                .error("UnexpectedType", at, format!("unexpected type: a field cannot be {}", kind_of(other)))
                .hint("write a type such as `string | default=\"x\"`, or a map of fields");
            None
        }
    }
}

/// A field in one line: a type, and after a `|` its markers.
fn scalar(text: &str, at: &Pointer, problems: &mut Problems) -> Option<Field> {
    let (type_text, marker_text) = match text.split_once('|') {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    };
    let schema = match type_of(type_text.trim(), 0) {
        Ok(schema) => Some(schema),
        Err(error) => {
            let start = type_text.len() - type_text.trim_start().len();
            let hint = error.hint();
            problems.error(error.code(), at, error.to_string()).span(start, type_text.trim().len()).hint(hint);
            None
        }
    };
    let mut field = Field { schema: schema.clone().unwrap_or(Value::Null), required: false };
    if let Some(marker_text) = marker_text {
        let offset = type_text.len() + 1;
        match markers::parse(marker_text) {
            Err(error) => {
                let hint = error.hint();
                let span = error.span();
                problems.error("InvalidMarker", at, error.to_string()).span(offset + span.start, span.len()).hint(hint);
            }
            Ok(found) => found.iter().for_each(|marker| apply(marker, offset, &mut field, at, problems)),
        }
    }
    schema.map(|_| field)
}

/// Why a type is none.
#[derive(Debug, thiserror::Error)]
enum TypeError {
    #[error("unknown type: {0}")]
    Unknown(String),
    #[error("empty slice element type")]
    EmptyElement,
    #[error("map keys must be strings: {0}")]
    MapKey(String),
    #[error("types may be nested at most {MAX_TYPE_DEPTH} deep")]
    TooDeep,
}

impl TypeError {
    fn code(&self) -> &'static str {
        match self {
            TypeError::Unknown(_) | TypeError::EmptyElement => "UnknownType",
            TypeError::MapKey(_) | TypeError::TooDeep => "InvalidType",
        }
    }

    fn hint(&self) -> String {
        const KNOWN: [&str; 4] = ["string", "integer", "boolean", "float"];
        let all = "the types are `string`, `integer`, `boolean`, `float`, `[]T` and `map[string]T`";
        match self {
            TypeError::Unknown(name) => match nearest(name, KNOWN).or_else(|| alias(name)) {
                Some(known) => format!("did you mean `{known}`?"),
                None => all.to_owned(),
            },
            _ => all.to_owned(),
        }
    }
}

/// What other languages call the same type.
fn alias(name: &str) -> Option<&'static str> {
    match name {
        "int" | "int32" | "int64" | "long" => Some("integer"),
        "bool" => Some("boolean"),
        "number" | "double" | "float64" => Some("float"),
        "str" | "text" => Some("string"),
        _ => None,
    }
}

fn type_of(text: &str, depth: usize) -> Result<Value, TypeError> {
    if depth > MAX_TYPE_DEPTH {
        return Err(TypeError::TooDeep);
    }
    if let Some(element) = text.strip_prefix("[]") {
        if element.is_empty() {
            return Err(TypeError::EmptyElement);
        }
        return Ok(json!({"type": "array", "items": type_of(element, depth + 1)?}));
    }
    if let Some(rest) = text.strip_prefix("map[") {
        let Some(value) = rest.strip_prefix("string]") else { return Err(TypeError::MapKey(text.to_owned())) };
        return Ok(json!({"type": "object", "additionalProperties": type_of(value, depth + 1)?}));
    }
    match text {
        "string" | "integer" | "boolean" => Ok(json!({"type": text})),
        "float" => Ok(json!({"type": "number"})),
        _ => Err(TypeError::Unknown(text.to_owned())),
    }
}

fn apply(marker: &Marker, offset: usize, field: &mut Field, at: &Pointer, problems: &mut Problems) {
    let span = (offset + marker.span.start, marker.span.len());
    match marker.key.as_str() {
        "required" => match parse_bool(&marker.value) {
            Some(required) => field.required = required,
            None => {
                problems
                    .error("InvalidMarker", at, format!("invalid value for required: `{}` is no boolean", marker.value))
                    .span(span.0, span.1)
                    .hint("write `required=true` or `required=false`");
            }
        },
        "description" => insert(&mut field.schema, "description", json!(marker.value)),
        "default" if field.schema.is_null() => {}
        "default" => match default_of(&field.schema, &marker.value) {
            Some(value) => insert(&mut field.schema, "default", value),
            None => {
                let wanted = describe(&field.schema);
                problems
                    .error("InvalidDefault", at, format!("default value `{}` is not {wanted}", marker.value))
                    .span(span.0, span.1)
                    .hint(format!("give a default that is {wanted}"));
            }
        },
        unknown => {
            let known = nearest(unknown, ["required", "default", "description"]);
            let hint = match known {
                Some(known) => format!("did you mean `{known}`?"),
                None => "the markers are `required`, `default` and `description`".to_owned(),
            };
            problems
                .error("UnknownMarker", at, format!("invalid marker key \"{unknown}\": unknown marker: {unknown}"))
                .span(span.0, span.1)
                .hint(hint);
        }
    }
}

fn insert(schema: &mut Value, key: &str, value: Value) {
    if let Value::Object(fields) = schema {
        fields.insert(key.to_owned(), value);
    }
}

/// A default as JSON, if it is one of the schema's type.
fn default_of(schema: &Value, text: &str) -> Option<Value> {
    let value = match schema["type"].as_str()? {
        "string" => json!(text),
        "boolean" => json!(parse_bool(text)?),
        "integer" => json!(text.parse::<i64>().ok()?),
        _ => serde_json::from_str(text).ok()?,
    };
    fits(schema, &value).then_some(value)
}

fn fits(schema: &Value, value: &Value) -> bool {
    match (schema["type"].as_str(), value) {
        (Some("string"), Value::String(_)) | (Some("boolean"), Value::Bool(_)) | (Some("number"), Value::Number(_)) => {
            true
        }
        (Some("integer"), Value::Number(number)) => number.is_i64(),
        (Some("array"), Value::Array(elements)) => elements.iter().all(|element| fits(&schema["items"], element)),
        (Some("object"), Value::Object(fields)) => {
            fields.values().all(|value| fits(&schema["additionalProperties"], value))
        }
        _ => false,
    }
}

/// A schema's type in words.
fn describe(schema: &Value) -> &'static str {
    match schema["type"].as_str() {
        Some("string") => "a string",
        Some("integer") => "an integer",
        Some("boolean") => "a boolean",
        Some("number") => "a number",
        Some("array") => "a list of its element type, written as JSON",
        _ => "a map of its value type, written as JSON",
    }
}

/// What a JSON value is, in words.
pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

#[cfg(test)]
mod tests {
    use guest_sdk::Failure;

    use super::*;

    fn schema(fields: Value) -> Value {
        let mut problems = Problems::default();
        let schema = object(fields.as_object().unwrap(), &Pointer::root(), &mut problems);
        problems.into_result().unwrap();
        schema
    }

    fn refusal(field: &str) -> (String, String, (u32, u32), String) {
        let mut problems = Problems::default();
        object(json!({ "f": field }).as_object().unwrap(), &Pointer::root(), &mut problems);
        let Err(Failure::Invalid(mut found)) = problems.into_result() else { panic!("`{field}` is accepted") };
        assert_eq!(found.len(), 1, "{found:?}");
        let found = found.remove(0);
        (found.code, found.message, found.span.unwrap(), found.hint.unwrap())
    }

    #[test]
    fn every_type_becomes_its_openapi_form() {
        assert_eq!(
            schema(
                json!({"a": "string", "b": "[]integer", "c": "map[string][]boolean", "d": "float", "e": {"f": "string"}})
            ),
            json!({"type": "object", "properties": {
                "a": {"type": "string"},
                "b": {"type": "array", "items": {"type": "integer"}},
                "c": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "boolean"}}},
                "d": {"type": "number"},
                "e": {"type": "object", "properties": {"f": {"type": "string"}}},
            }})
        );
    }

    #[test]
    fn a_default_is_json_of_its_fields_type_whatever_it_contains() {
        let default = |field: &str| schema(json!({ "f": field }))["properties"]["f"]["default"].clone();
        assert_eq!(default(r#"string | default="e""#), json!("e"));
        assert_eq!(default(r#"string | default="say \"hi\" \\ there""#), json!(r#"say "hi" \ there"#));
        assert_eq!(default("string | default=5"), json!("5"));
        assert_eq!(default("integer | default=-5"), json!(-5));
        assert_eq!(default("boolean | default=True"), json!(true));
        assert_eq!(default("float | default=1.5"), json!(1.5));
        assert_eq!(default(r#"[]string | default=["a", "b c"]"#), json!(["a", "b c"]));
        assert_eq!(default(r#"map[string]integer | default={"a": 1}"#), json!({"a": 1}));
    }

    #[test]
    fn required_follows_its_value_and_the_list_is_sorted() {
        let schema =
            schema(json!({"b": "string | required=true", "a": "string | required=1", "c": "string | required=false"}));
        assert_eq!(schema["required"], json!(["a", "b"]));
    }

    #[test]
    fn a_description_may_hold_bars_and_spaces() {
        let schema = schema(json!({"f": r#"string | description="one | two" default=x"#}));
        assert_eq!(schema["properties"]["f"]["description"], "one | two");
        assert_eq!(schema["properties"]["f"]["default"], "x");
    }

    #[test]
    fn an_unknown_type_is_refused_with_the_likely_one() {
        let (code, message, span, hint) = refusal("strin");
        assert_eq!((code.as_str(), message.as_str(), span), ("UnknownType", "unknown type: strin", (0, 5)));
        assert_eq!(hint, "did you mean `string`?");
        assert_eq!(refusal("int").3, "did you mean `integer`?");
        assert_eq!(refusal("[]").1, "empty slice element type");
        assert_eq!(refusal("map[integer]string").0, "InvalidType");
    }

    #[test]
    fn a_bad_marker_is_refused_where_it_stands() {
        let (code, message, span, _) = refusal("string | minimum=3");
        assert_eq!(code, "UnknownMarker");
        assert_eq!(message, "invalid marker key \"minimum\": unknown marker: minimum");
        assert_eq!(span, (9, 9));
        assert!(refusal("string | required").1.contains("marker key 'required' without a value"));
        assert!(refusal("string | default=\"x").1.contains("unclosed quote"));
        assert_eq!(refusal("string | required=maybe").0, "InvalidMarker");
        assert!(refusal("string | required=true | default=x").1.contains("|"));
    }

    #[test]
    fn a_default_of_another_type_is_refused() {
        for field in [
            "integer | default=abc",
            "integer | default=1.5",
            "boolean | default=yes",
            "float | default=x",
            r#"[]string | default=[1]"#,
            "map[string]string | default=[]",
        ] {
            assert_eq!(refusal(field).0, "InvalidDefault", "{field}");
        }
    }
}
