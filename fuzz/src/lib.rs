//! What the fuzz targets have in common: a definition goes through everything
//! that a definition goes through.
//!
//! A target is right as long as nothing panics, hangs or grows without bound,
//! and every answer is one that the contract allows; what it says does not
//! matter here.

use guest_sdk::{Blueprint, Failure, Gvk, Observed, Preparation, Prepared, Rendering, Schema, Scope, Selection, shape};
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
                assert!(kinds.iter().all(shape::is_kind), "{kinds:?}");
                given = schemas(&kinds);
            }
            Err(failure) => return blames_input(&failure),
        }
    };
    fits_the_contract(&prepared);
    let mut observed: Vec<Observed> = Vec::new();
    for _ in 0..4 {
        match guest_sdk::test::render::<kro::Kro>(&prepared.program, instance, &observed) {
            Ok(rendering) => {
                is_in_the_contract(&rendering);
                let children = rendering.children.into_iter();
                observed = children.map(|it| Observed { id: it.id, key: it.key, object: it.manifest }).collect();
            }
            Err(failure) => return blames_input(&failure),
        }
    }
}

/// What the host would refuse is for the module to find.
fn fits_the_contract(prepared: &Prepared) {
    let Blueprint { api, kinds, nodes } = &prepared.blueprint;
    assert!(shape::is_kind(&api.kind) && shape::is_plural(&api.plural), "{:?}", api.kind);
    assert!(kinds.iter().all(|used| shape::is_kind(&used.kind)), "{kinds:?}");
    assert!(nodes.iter().all(|node| shape::is_id(&node.id) && shape::is_kind(&node.kind)), "{nodes:?}");
    assert!(shape::depth(&api.crd) <= shape::JSON_DEPTH && shape::values(&api.crd) <= shape::JSON_VALUES);
}

fn is_in_the_contract(rendering: &Rendering) {
    for child in &rendering.children {
        let kind = Gvk::of(&child.manifest);
        assert!(kind.is_some_and(|kind| shape::is_kind(&kind)) && shape::is_key(&child.key), "{child:?}");
        assert!(child.manifest["metadata"]["name"].as_str().is_some_and(|name| !name.is_empty()), "{child:?}");
        assert!(shape::depth(&child.manifest) <= shape::JSON_DEPTH);
    }
    for read in &rendering.reads {
        assert!(!matches!(&read.select, Selection::Named { name, .. } if name.is_empty()), "{read:?}");
    }
    let mut kinds: Vec<&str> = Vec::new();
    for condition in &rendering.conditions {
        assert!(shape::is_word(&condition.kind) && shape::is_reason(&condition.reason), "{condition:?}");
        assert!(!kinds.contains(&condition.kind.as_str()), "{condition:?}");
        kinds.push(&condition.kind);
    }
    let values: usize = rendering.children.iter().map(|child| shape::values(&child.manifest)).sum();
    assert!(values <= shape::JSON_VALUES);
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
