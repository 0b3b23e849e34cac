//! Questions to the OpenAPI schema of a template's field.

use serde_json::Value;

/// Whether nothing is known of what may stand there.
pub(super) fn is_open(schema: &Value) -> bool {
    let flag = |name: &str| schema.get(name) == Some(&Value::Bool(true));
    flag("x-kubernetes-preserve-unknown-fields")
        || flag("x-kubernetes-embedded-resource")
        || expected(schema).is_empty()
        || (schema.get("type").and_then(Value::as_str) == Some("object")
            && schema.get("properties").is_none()
            && schema.get("additionalProperties").is_none_or(|it| it == &Value::Bool(true)))
}

/// The types that may stand there; none if any may.
pub(super) fn expected(schema: &Value) -> Vec<&str> {
    if schema.get("x-kubernetes-int-or-string") == Some(&Value::Bool(true)) {
        // A quantity may be any number, where a port may not.
        return if takes_numbers(schema) { vec!["string", "number"] } else { vec!["integer", "string"] };
    }
    let mut types: Vec<&str> = schema.get("type").and_then(Value::as_str).into_iter().collect();
    for choice in ["oneOf", "anyOf"] {
        let choices = schema.get(choice).and_then(Value::as_array).into_iter().flatten();
        types.extend(choices.filter_map(|choice| choice.get("type").and_then(Value::as_str)));
    }
    if types.is_empty() && schema.get("properties").is_some() {
        types.push("object");
    }
    types
}

/// Whether the alternatives of a schema have any number among them.
fn takes_numbers(schema: &Value) -> bool {
    let choices = ["oneOf", "anyOf"].into_iter().filter_map(|choice| schema.get(choice)?.as_array()).flatten();
    choices.into_iter().any(|choice| choice["type"] == "number")
}

/// The type of a value in OpenAPI's words.
pub(super) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Whether a literal may stand where these types are expected.
pub(super) fn fits(value: &Value, expected: &[&str]) -> bool {
    let found = type_of(value);
    found == "null" || expected.contains(&found) || (found == "integer" && expected.contains(&"number"))
}
