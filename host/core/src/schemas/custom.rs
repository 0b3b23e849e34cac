//! Schemas out of CustomResourceDefinitions and kcp's APIResourceSchemas, made
//! into what a server publishes of them.
//!
//! It does not check that a schema is structural; whoever serves it does.

use contract::{Gvk, Schema, Scope};
use serde_json::{Map, Value, json};

use super::{Error, expand::expand_schema, table};
use crate::{kinds::Kind, object};

/// What `metadata` of every object is, in the table of Kubernetes' own kinds.
const OBJECT_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/// Whether an object is one of those two.
pub(super) fn is_source(object: &Value) -> bool {
    Gvk::of(object).is_some_and(|gvk| {
        matches!(
            (gvk.group.as_str(), gvk.version.as_str(), gvk.kind.as_str()),
            ("apiextensions.k8s.io", "v1", "CustomResourceDefinition")
                | ("apis.kcp.io", "v1alpha1", "APIResourceSchema")
        )
    })
}

/// One version of a kind.
#[derive(Clone, Debug)]
pub(super) struct Version {
    pub(super) kind: Gvk,
    pub(super) address: Kind,
    /// As its author wrote it. It is made into what a server publishes when
    /// somebody asks for it: of a large file most kinds are not needed.
    schema: Option<Value>,
}

impl Version {
    pub(super) fn schema(&self) -> Schema {
        let Kind { plural, scope } = self.address.clone();
        Schema { kind: self.kind.clone(), plural, scope, openapi: published(self.schema.as_ref()) }
    }
}

/// All versions of a kind.
pub(super) fn versions(object: &Value) -> Result<Vec<Version>, Error> {
    let field = |at: &'static str| match object::text(object, at) {
        "" => Err(Error::Incomplete { at }),
        text => Ok(text.to_owned()),
    };
    let (group, kind, plural) = (field("/spec/group")?, field("/spec/names/kind")?, field("/spec/names/plural")?);
    let scope = if field("/spec/scope")? == "Cluster" { Scope::Cluster } else { Scope::Namespaced };
    let versions = object.pointer("/spec/versions").and_then(Value::as_array);
    let versions = versions.ok_or(Error::Incomplete { at: "/spec/versions" })?;
    let version = |version: &Value| Version {
        kind: Gvk { group: group.clone(), version: object::text(version, "/name").to_owned(), kind: kind.clone() },
        address: Kind { plural: plural.clone(), scope },
        // A CRD wraps the schema once more than an APIResourceSchema.
        schema: version.pointer("/schema/openAPIV3Schema").or_else(|| version.get("schema")).cloned(),
    };
    Ok(versions.iter().map(version).collect())
}

/// A version's schema as a server publishes it: with the fields that every
/// object has.
fn published(schema: Option<&Value>) -> Value {
    let mut schema = match schema {
        Some(schema @ Value::Object(_)) => schema.clone(),
        _ => json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}),
    };
    complete_embedded(&mut schema);
    if let Some(fields) = schema.as_object_mut() {
        complete(fields);
    }
    expand_schema(&schema, &[table::definitions()])
}

/// Completes the schemas of the objects within an object.
fn complete_embedded(schema: &mut Value) {
    let Some(fields) = schema.as_object_mut() else { return };
    if let Some(Value::Object(properties)) = fields.get_mut("properties") {
        properties.values_mut().for_each(complete_embedded);
    }
    for inner in ["items", "additionalProperties"] {
        if let Some(inner) = fields.get_mut(inner) {
            complete_embedded(inner);
        }
    }
    if fields.get("x-kubernetes-embedded-resource") == Some(&Value::Bool(true)) {
        complete(fields);
    }
}

/// A CRD may say nothing of these three, and little of the last.
fn complete(schema: &mut Map<String, Value>) {
    let properties = schema.entry("properties").or_insert_with(|| Value::Object(Map::new()));
    if let Some(properties) = properties.as_object_mut() {
        properties.insert("apiVersion".to_owned(), json!({"type": "string"}));
        properties.insert("kind".to_owned(), json!({"type": "string"}));
        properties.insert("metadata".to_owned(), json!({"$ref": OBJECT_META}));
    }
}
