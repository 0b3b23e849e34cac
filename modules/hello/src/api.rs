//! The API that the module serves: the CustomResourceDefinition of `Greeting`,
//! in the shape that the kro language gives to the same definition.

use guest_sdk::{
    Api, Gvk, Scope,
    serde_json::{Value, json},
};

use crate::DEFAULT_GREETING;

/// `Greeting` with its CRD.
pub(crate) fn api() -> Api {
    Api { kind: kind(), plural: "greetings".to_owned(), scope: Scope::Namespaced, crd: crd() }
}

/// The kind alone.
pub(crate) fn kind() -> Gvk {
    Gvk { group: "kro.run".to_owned(), version: "v1alpha1".to_owned(), kind: "Greeting".to_owned() }
}

fn crd() -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "greetings.kro.run"},
        "spec": {
            "group": "kro.run",
            "names": {"kind": "Greeting", "listKind": "GreetingList", "plural": "greetings", "singular": "greeting"},
            "scope": "Namespaced",
            "versions": [{
                "name": "v1alpha1",
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
                        "spec": spec(),
                        "status": status(),
                    },
                }},
            }],
        },
    })
}

fn spec() -> Value {
    json!({
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "greeting": {"type": "string", "default": DEFAULT_GREETING},
        },
        "required": ["name"],
    })
}

/// `state` and `conditions` are the host's; every API has them.
fn status() -> Value {
    json!({
        "type": "object",
        "properties": {
            // It is copied from a child, whose type the kro language does not know.
            "message": {"x-kubernetes-preserve-unknown-fields": true},
            "state": {"type": "string"},
            "conditions": {"type": "array", "items": {"type": "object", "properties": {
                "type": {"type": "string"},
                "status": {"type": "string"},
                "reason": {"type": "string"},
                "message": {"type": "string"},
                "lastTransitionTime": {"type": "string"},
                "observedGeneration": {"type": "integer"},
            }}},
        },
    })
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
