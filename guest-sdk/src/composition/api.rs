//! The API of a module: the CRD of its type, with what croft asks of it checked,
//! so that the module's author sees here what a server would refuse later.

use kube::Resource;
use serde_json::{Map, Value, json};

use super::{ApiType, kind::kind_of};
use crate::{Api, Scope};

/// The API of a type, and what is wrong with it.
pub(super) fn of<A: ApiType>() -> (Api, Vec<String>) {
    let mut crd = serde_json::to_value(A::crd()).expect("a CRD is JSON: its keys are texts");
    complete(&mut crd);
    let scope = if crd["spec"]["scope"] == "Cluster" { Scope::Cluster } else { Scope::Namespaced };
    let mut faults = Vec::new();
    let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    structural(schema, "", &mut faults);
    own_fields(&schema["properties"]["status"]["properties"], &mut faults);
    let plural = <A as Resource>::plural(&()).into_owned();
    (Api { kind: kind_of::<A>(), plural, scope, crd }, faults)
}

/// What a server would add by itself, and the columns of every other API of
/// croft's.
fn complete(crd: &mut Value) {
    let names = &mut crd["spec"]["names"];
    if names.get("listKind").is_none() {
        names["listKind"] = format!("{}List", names["kind"].as_str().unwrap_or_default()).into();
    }
    let columns = &mut crd["spec"]["versions"][0]["additionalPrinterColumns"];
    if columns.as_array().is_none_or(Vec::is_empty) {
        *columns = json!([
            {"name": "State", "description": "What the instance is at", "jsonPath": ".status.state", "type": "string"},
            {"name": "Ready", "description": "Whether its children are there and ready",
                "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status", "type": "string"},
            {"name": "Age", "description": "Age of the resource", "jsonPath": ".metadata.creationTimestamp", "type": "date"},
        ]);
    }
    if let Some(schema) = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"].as_object_mut() {
        as_kros(schema);
    }
}

/// An object's schema as the language of kro writes it, so that an API that goes
/// on as code has the one that it had. The derive leaves out what every object
/// has, asks for a `spec` also where it may be empty, and documents the kind with
/// the name of a Rust type.
fn as_kros(schema: &mut Map<String, Value>) {
    schema.remove("title");
    if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|field| field != "spec");
    }
    schema.retain(|word, value| word != "required" || *value != json!([]));
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for (field, kind) in [("apiVersion", "string"), ("kind", "string"), ("metadata", "object")] {
        properties.entry(field).or_insert_with(|| json!({"type": kind}));
    }
    if let Some(status) = properties.get_mut("status").and_then(Value::as_object_mut) {
        status.remove("nullable");
    }
    let words = properties.get("spec").and_then(|spec| spec.get("description")).cloned();
    let derived = |words: &Value| words.as_str().is_some_and(|words| words.starts_with("Auto-generated derived type"));
    if schema.get("description").is_none_or(derived) {
        schema.remove("description");
        schema.extend(words.map(|words| ("description".to_owned(), words)));
    }
}

/// The host writes these fields of the status.
fn own_fields(status: &Value, faults: &mut Vec<String>) {
    if status.get("croft").is_some() {
        faults.push("the status has a field `croft`, which croft keeps its record in: give it another name".to_owned());
    }
    for (field, wanted) in [("state", "string"), ("conditions", "array")] {
        let found = status.get(field).and_then(|schema| schema["type"].as_str());
        if let Some(found) = found.filter(|found| *found != wanted) {
            faults.push(format!(
                "the status has a field `{field}` of type {found}, and croft writes one of type {wanted} there: \
                 leave it out, or give it another name"
            ));
        }
    }
}

/// What no structural schema has.
const NEVER: [&str; 4] = ["$ref", "definitions", "dependencies", "patternProperties"];
/// What a schema below `allOf`, `anyOf`, `oneOf` and `not` does not have.
const OUTSIDE: [&str; 4] = ["additionalProperties", "default", "description", "nullable"];

/// Adds what keeps a server from taking a schema for structural.
fn structural(schema: &Value, at: &str, faults: &mut Vec<String>) {
    let place =
        || if at.is_empty() { "the API's schema".to_owned() } else { format!("the API's field `{}`", &at[1..]) };
    for word in NEVER.iter().filter(|word| schema.get(**word).is_some()) {
        faults.push(format!("{} has `{word}`, which no CRD may have", place()));
    }
    let is_set = |word: &str| schema[word] == true;
    if schema["type"].as_str().is_none_or(str::is_empty)
        && !is_set("x-kubernetes-int-or-string")
        && !is_set("x-kubernetes-preserve-unknown-fields")
    {
        let hint = "give it a Rust type that says one, or `#[schemars(schema_with = …)]`";
        faults.push(format!("{} has no `type`, so that the schema is not structural: {hint}", place()));
    }
    if schema["properties"].is_object() && schema.get("additionalProperties").is_some() {
        faults.push(format!("{} has both `properties` and `additionalProperties`", place()));
    }
    if is_set("uniqueItems") {
        let hint = "take a `Vec`, or `#[schemars(extend(\"x-kubernetes-list-type\" = \"set\"))]`";
        faults.push(format!("{} has `uniqueItems`, which no CRD may have: {hint}", place()));
    }
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        structural(schema, &format!("{at}.{name}"), faults);
    }
    if schema["items"].is_object() {
        structural(&schema["items"], &format!("{at}[]"), faults);
    }
    if schema["additionalProperties"].is_object() {
        structural(&schema["additionalProperties"], &format!("{at}.*"), faults);
    }
    for inner in alternatives(schema) {
        alternative(inner, schema, &place(), faults);
    }
}

fn alternatives(schema: &Value) -> impl Iterator<Item = &Value> {
    let lists = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|word| schema[word].as_array()).flatten();
    lists.chain(schema.get("not"))
}

/// A schema within another says which values are right, and nothing of their
/// form.
fn alternative(schema: &Value, outer: &Value, place: &str, faults: &mut Vec<String>) {
    let no_properties = Map::new();
    let known = outer["properties"].as_object().unwrap_or(&no_properties);
    let typed = schema.get("type").is_some() && outer["x-kubernetes-int-or-string"] != true;
    for word in OUTSIDE.iter().filter(|word| schema.get(**word).is_some()).chain(typed.then_some(&"type")) {
        faults.push(format!("{place} has `{word}` in one of its alternatives, where no CRD may have it"));
    }
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        match known.get(name) {
            Some(field) => alternative(inner, field, &format!("{place}, field `{name}`,"), faults),
            None => faults.push(format!("{place} has the field `{name}` in one of its alternatives alone")),
        }
    }
    for inner in alternatives(schema) {
        alternative(inner, outer, place, faults);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(schema: Value) -> String {
        let mut faults = Vec::new();
        structural(&json!({"type": "object", "properties": {"spec": schema}}), "", &mut faults);
        faults.join("\n")
    }

    #[test]
    fn a_schema_that_a_server_takes_is_taken() {
        for schema in [
            json!({"type": "object", "properties": {"a": {"type": "array", "items": {"type": "string"}}}}),
            json!({"x-kubernetes-preserve-unknown-fields": true}),
            json!({"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}]}),
            json!({"type": "object", "additionalProperties": {"type": "string"}}),
            json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
                "oneOf": [{"required": ["a"]}, {"required": ["b"], "properties": {"b": {"minLength": 1}}}]}),
        ] {
            assert_eq!(faults(schema), "");
        }
    }

    #[test]
    fn a_schema_that_no_server_takes_is_refused_with_its_field() {
        for (schema, expected) in [
            (json!({}), "the API's field `spec` has no `type`"),
            (json!({"type": "array", "items": {}}), "the API's field `spec[]` has no `type`"),
            (json!({"type": "object", "additionalProperties": {}}), "the API's field `spec.*` has no `type`"),
            (json!({"type": "object", "$ref": "#/x"}), "has `$ref`"),
            (json!({"type": "array", "items": {"type": "string"}, "uniqueItems": true}), "has `uniqueItems`"),
            (json!({"type": "object", "properties": {}, "additionalProperties": {"type": "string"}}), "has both"),
            (json!({"type": "object", "oneOf": [{"type": "object"}]}), "has `type` in one of its alternatives"),
            (
                json!({"type": "object", "anyOf": [{"properties": {"a": {}}}]}),
                "the field `a` in one of its alternatives",
            ),
            (json!({"type": "string", "not": {"default": ""}}), "has `default` in one of its alternatives"),
        ] {
            let faults = faults(schema);
            assert!(faults.contains(expected), "{faults}");
        }
    }
}
