//! Kubernetes' own schemas, from the host's table and by the host's rules: what
//! a module is given when it is asked offline.

#[path = "../../../../host/core/src/schemas/expand.rs"]
mod expand;

use guest_sdk::{Gvk, Preparation, Prepared, Schema, Scope};
use serde_json::{Value, json};

/// The answer of `prepare`, with the schemas that it asks for.
pub(crate) fn prepare(definition: &Value) -> Result<Box<Prepared>, guest_sdk::Failure> {
    let mut schemas: Vec<Schema> = Vec::new();
    loop {
        match kro::prepare(definition, &schemas)? {
            Preparation::Ready(prepared) => return Ok(prepared),
            Preparation::Needs(kinds) => {
                assert!(kinds.iter().all(|kind| schemas.iter().all(|schema| schema.kind != *kind)), "asked twice");
                schemas.extend(kinds.iter().map(schema));
            }
        }
    }
}

/// The schema of a kind, or the mark of one that nobody knows.
pub(crate) fn schema(kind: &Gvk) -> Schema {
    let table: Value = serde_json::from_str(include_str!("../../../../host/core/src/schemas/builtin.json"))
        .expect("what the case holds");
    let entry = &table["kinds"][kind.api_version()][&kind.kind];
    let Some(definition) = entry["definition"].as_str() else {
        let openapi = json!({"x-kubernetes-preserve-unknown-fields": true, "x-croft-unknown": true});
        return Schema { kind: kind.clone(), plural: "unknowns".to_owned(), scope: Scope::Namespaced, openapi };
    };
    let definitions = table["definitions"].as_object().expect("what the case holds");
    let scope = if entry["scope"] == "Cluster" { Scope::Cluster } else { Scope::Namespaced };
    let plural = entry["plural"].as_str().expect("what the case holds").to_owned();
    Schema { kind: kind.clone(), plural, scope, openapi: expand::expand(definition, &[definitions]) }
}
