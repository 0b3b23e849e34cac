//! The CustomResourceDefinition of a definition's API, in the shape that kro
//! v0.1.0 gives it.
//!
//! It takes finished schemas and decides nothing about fields.

use serde_json::{Map, Value, json};

use crate::{model::Definition, plural};

/// What kro adds to the status of every API, unless the definition has a field
/// of that name.
fn injected() -> [(&'static str, Value); 2] {
    let condition = json!({"type": "object", "properties": {
        "type": {"type": "string"},
        "status": {"type": "string"},
        "reason": {"type": "string"},
        "message": {"type": "string"},
        "lastTransitionTime": {"type": "string"},
        "observedGeneration": {"type": "integer"},
    }});
    [("state", json!({"type": "string"})), ("conditions", json!({"type": "array", "items": condition}))]
}

/// The CRD with these schemas of `spec` and `status`.
pub(crate) fn build(definition: &Definition, spec: Value, status: Value) -> Value {
    let plural = plural::of(&definition.kind);
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{}", definition.group)},
        "spec": {
            "group": definition.group,
            "names": {
                "kind": definition.kind,
                "listKind": format!("{}List", definition.kind),
                "plural": plural,
                "singular": definition.kind.to_lowercase(),
            },
            "scope": "Namespaced",
            "versions": [{
                "name": definition.version,
                "served": true,
                "storage": true,
                "subresources": {"status": {}},
                "additionalPrinterColumns": printer_columns(),
                "schema": {"openAPIV3Schema": {
                    "type": "object",
                    "properties": {
                        "apiVersion": {"type": "string"},
                        "kind": {"type": "string"},
                        "metadata": {"type": "object"},
                        "spec": spec,
                        "status": with_injected(status),
                    },
                }},
            }],
        },
    })
}

fn with_injected(mut status: Value) -> Value {
    if let Value::Object(schema) = &mut status {
        let properties = schema.entry("properties").or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(properties) = properties {
            for (name, schema) in injected() {
                properties.entry(name).or_insert(schema);
            }
        }
    }
    status
}

fn printer_columns() -> Value {
    json!([
        {
            "name": "State",
            "description": "The state of a ResourceGroup instance",
            "jsonPath": ".status.state",
            "type": "string",
        },
        {
            "name": "Synced",
            "description": "Whether a ResourceGroup instance have been synced",
            "jsonPath": ".status.conditions[?(@.type==\"InstanceSynced\")].status",
            "type": "string",
        },
        {
            "name": "Age",
            "description": "Age of the resource",
            "jsonPath": ".metadata.creationTimestamp",
            "type": "date",
        },
    ])
}
