//! Questions to an OpenAPI schema: which field is below it, and what every
//! Kubernetes object has.
//!
//! Instances are checked by `structural`, against a compact form.

use serde_json::{Map, Value, json};

/// What a schema says of a field.
#[derive(Debug, PartialEq)]
pub(crate) enum Field<'s> {
    /// It has this schema.
    Known(&'s Value),
    /// Anything may be there.
    Open,
    /// There is no such field; these are.
    Undefined(Vec<&'s str>),
    /// The value is no object and has no fields at all.
    NoObject(&'s str),
}

/// The field of this name below a schema.
pub(crate) fn field<'s>(schema: &'s Value, name: &str) -> Field<'s> {
    if let Some(known) = schema["properties"].get(name) {
        return Field::Known(known);
    }
    if let Some(values @ Value::Object(_)) = schema.get("additionalProperties") {
        return Field::Known(values);
    }
    if schema["x-kubernetes-preserve-unknown-fields"] == json!(true) {
        return Field::Open;
    }
    match schema["type"].as_str() {
        Some("object") => Field::Undefined(
            schema["properties"].as_object().into_iter().flat_map(Map::keys).map(String::as_str).collect(),
        ),
        Some(other) => Field::NoObject(other),
        None => Field::Open,
    }
}

/// A schema without defaults, descriptions and required fields: what a status
/// that repeats a spec field is declared as.
pub(crate) fn bare(schema: &Value) -> Value {
    let Value::Object(schema) = schema else { return schema.clone() };
    let mut stripped = Map::new();
    for (key, value) in schema {
        match (key.as_str(), value) {
            ("default" | "description" | "required", _) => {}
            ("properties", Value::Object(fields)) => {
                let fields = fields.iter().map(|(name, field)| (name.clone(), bare(field))).collect();
                stripped.insert(key.clone(), Value::Object(fields));
            }
            ("items" | "additionalProperties", value) => drop(stripped.insert(key.clone(), bare(value))),
            (_, value) => drop(stripped.insert(key.clone(), value.clone())),
        }
    }
    Value::Object(stripped)
}

/// What expressions see as `schema`: the instance without its status.
pub(crate) fn instance(spec: &Value) -> Value {
    json!({"type": "object", "properties": {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": object_meta(),
        "spec": spec,
    }})
}

/// What is known of a child whose kind's schema is not: what all objects have.
pub(crate) fn any_object() -> Value {
    json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": object_meta(),
    }})
}

fn object_meta() -> Value {
    let text = json!({"type": "string"});
    let texts = json!({"type": "object", "additionalProperties": text});
    let open = json!({"x-kubernetes-preserve-unknown-fields": true});
    json!({"type": "object", "properties": {
        "annotations": texts,
        "creationTimestamp": text,
        "deletionGracePeriodSeconds": {"type": "integer"},
        "deletionTimestamp": text,
        "finalizers": {"type": "array", "items": text},
        "generateName": text,
        "generation": {"type": "integer"},
        "labels": texts,
        "managedFields": open,
        "name": text,
        "namespace": text,
        "ownerReferences": open,
        "resourceVersion": text,
        "selfLink": text,
        "uid": text,
    }})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_known_open_undefined_or_impossible() {
        let schema = instance(&json!({"type": "object", "properties": {"a": {"type": "string"}}}));
        let Field::Known(spec) = field(&schema, "spec") else { panic!("no spec") };
        assert_eq!(field(spec, "b"), Field::Undefined(vec!["a"]));
        let Field::Known(a) = field(spec, "a") else { panic!("no a") };
        assert_eq!(field(a, "x"), Field::NoObject("string"));
        assert!(matches!(field(&schema, "status"), Field::Undefined(_)));
        assert_eq!(field(&any_object(), "status"), Field::Open);
        let Field::Known(metadata) = field(&schema, "metadata") else { panic!("no metadata") };
        let Field::Known(labels) = field(metadata, "labels") else { panic!("no labels") };
        assert_eq!(field(labels, "anything"), Field::Known(&json!({"type": "string"})));
    }
}
