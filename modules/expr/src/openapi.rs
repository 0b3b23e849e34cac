//! OpenAPI v3 schemas as types, as Kubernetes' and kro's CEL environments read
//! them.

use serde_json::Value;

use crate::types::{Object, Type};

/// The type of a value that a schema describes. `name` is the path of the
/// schema, for the names of object types.
pub fn type_of<'s>(schema: &'s Value, name: &str) -> Type<'s> {
    if is_true(schema, "x-kubernetes-int-or-string") || is_true(schema, "x-kubernetes-preserve-unknown-fields") {
        return Type::Dyn;
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("string") => match schema.get("format").and_then(Value::as_str) {
            Some("byte") => Type::Bytes,
            Some("duration") => Type::Duration,
            Some("date" | "date-time") => Type::Timestamp,
            _ => Type::Text,
        },
        Some("integer") => Type::Int,
        Some("number") => Type::Double,
        Some("boolean") => Type::Bool,
        Some("array") => match schema.get("items") {
            Some(items) => Type::list(type_of(items, &format!("{name}.@idx"))),
            None => Type::list(Type::Dyn),
        },
        Some("object") => object(schema, name),
        None if schema.get("properties").is_some() => object(schema, name),
        _ => Type::Dyn,
    }
}

fn object<'s>(schema: &'s Value, name: &str) -> Type<'s> {
    match (schema.get("properties"), schema.get("additionalProperties")) {
        (Some(_), _) => Type::Object(Object { name: name.into(), schema }),
        (None, Some(values @ Value::Object(_))) => Type::map(Type::Text, type_of(values, &format!("{name}.@elem"))),
        (None, Some(Value::Bool(true))) => Type::map(Type::Text, Type::Dyn),
        // Nothing says that there may be fields: there are none.
        _ => Type::Object(Object { name: name.into(), schema }),
    }
}

pub(crate) fn is_true(schema: &Value, name: &str) -> bool {
    schema.get(name) == Some(&Value::Bool(true))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn schemas_become_types() {
        for (schema, expected) in [
            (json!({"type": "string"}), "string"),
            (json!({"type": "string", "format": "byte"}), "bytes"),
            (json!({"type": "string", "format": "date-time"}), "google.protobuf.Timestamp"),
            (json!({"x-kubernetes-int-or-string": true}), "dyn"),
            (json!({"type": "array", "items": {"type": "object", "properties": {}}}), "list(t.@idx)"),
            (json!({"type": "object", "additionalProperties": {"type": "integer"}}), "map(string, int)"),
            (json!({"type": "object", "additionalProperties": true}), "map(string, dyn)"),
            (json!({"type": "object"}), "t"),
            (json!({"type": "object", "additionalProperties": false}), "t"),
            (json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}), "dyn"),
        ] {
            assert_eq!(type_of(&schema, "t").to_string(), expected, "{schema}");
        }
    }
}
