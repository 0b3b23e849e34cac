//! What the fuzz targets have in common: a definition goes through everything
//! that a definition goes through.
//!
//! A target is right as long as nothing panics, hangs or grows without bound;
//! what the answer is does not matter here.

use guest_sdk::{Failure, Observed, Preparation, Schema, Scope};
use serde_json::{Value, json};

/// The schema of a ConfigMap, as much of it as matters.
pub fn schemas(kinds: &[guest_sdk::Gvk]) -> Vec<Schema> {
    let text = json!({"type": "string"});
    let texts = json!({"type": "object", "additionalProperties": text});
    let metadata = json!({"type": "object", "properties": {
        "name": text, "namespace": text, "labels": texts, "annotations": texts,
        "creationTimestamp": {"type": "string", "format": "date-time"},
    }});
    let openapi = json!({"type": "object", "properties": {
        "apiVersion": text, "kind": text, "metadata": metadata, "data": texts,
        "binaryData": {"type": "object", "additionalProperties": {"type": "string", "format": "byte"}},
        "immutable": {"type": "boolean"},
    }});
    let schema = |kind: &guest_sdk::Gvk| Schema {
        kind: kind.clone(),
        plural: "things".to_owned(),
        scope: Scope::Namespaced,
        openapi: openapi.clone(),
    };
    kinds.iter().map(schema).collect()
}

/// Prepares a definition and renders an instance until nothing new is stated.
pub fn run(definition: &Value, instance: &Value) {
    let mut given = Vec::new();
    let prepared = loop {
        match kro::prepare(definition, &given) {
            Ok(Preparation::Ready(prepared)) => break prepared,
            Ok(Preparation::Needs(kinds)) => {
                assert!(given.is_empty(), "asked twice");
                given = schemas(&kinds);
            }
            Err(failure) => return blames_input(&failure),
        }
    };
    let mut observed: Vec<Observed> = Vec::new();
    for _ in 0..4 {
        match kro::render(&prepared.program, instance, &observed) {
            Ok(rendering) => {
                let children = rendering.children.into_iter();
                observed = children.map(|it| Observed { id: it.id, key: it.key, object: it.manifest }).collect();
            }
            Err(failure) => return blames_input(&failure),
        }
    }
}

fn blames_input(failure: &Failure) {
    assert!(matches!(failure, Failure::Invalid(problems) if !problems.is_empty()), "{failure:?}");
}

/// A definition with this `spec`, these types and this ConfigMap.
pub fn definition(spec: Value, types: Value, data: Value) -> Value {
    json!({
        "apiVersion": "kro.run/v1alpha1",
        "kind": "ResourceGraphDefinition",
        "metadata": {"name": "things"},
        "spec": {
            "schema": {
                "apiVersion": "v1alpha1", "kind": "Thing", "spec": spec, "types": types,
                "status": {"name": "${config.metadata.name}"},
            },
            "resources": [{
                "id": "config",
                "template": {
                    "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "${schema.metadata.name}"},
                    "data": data,
                },
            }],
        },
    })
}

/// An instance to render.
pub fn instance() -> Value {
    json!({
        "apiVersion": "kro.run/v1alpha1",
        "kind": "Thing",
        "metadata": {"name": "thing", "namespace": "default", "uid": "u", "labels": {"a": "b"}},
        "spec": {"name": "app", "n": 3, "list": ["a", "b"], "map": {"k": "v"}, "nested": {"on": true, "f": 1.5}},
    })
}
