//! What is known of the kinds that a definition uses: schema and scope.
//!
//! The host hands them out; what it does not know is checked permissively.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use guest_sdk::{Gvk, Schema, Scope};
use serde_json::{Value, json};

/// The schemas that the host gave.
#[derive(Clone, Debug)]
pub(crate) struct Kinds<'s> {
    given: Rc<BTreeMap<&'s Gvk, &'s Schema>>,
}

impl<'s> Kinds<'s> {
    pub(crate) fn new(given: &'s [Schema]) -> Kinds<'s> {
        // Of several of one kind, the first.
        Kinds { given: Rc::new(given.iter().rev().map(|schema| (&schema.kind, schema)).collect()) }
    }

    /// Those of some kinds that the host has said nothing about yet.
    pub(crate) fn missing<'g>(&self, kinds: impl IntoIterator<Item = &'g Gvk>) -> Vec<Gvk> {
        let mut seen = BTreeSet::new();
        let unknown = kinds.into_iter().filter(|kind| !self.given.contains_key(kind) && seen.insert(*kind));
        unknown.cloned().collect()
    }

    fn find(&self, kind: &Gvk) -> Option<&'s Schema> {
        self.given.get(kind).copied().filter(|schema| !is_unknown(&schema.openapi))
    }

    /// The schema of a kind's objects, if anybody knows it.
    pub(crate) fn schema(&self, kind: &Gvk) -> Option<&'s Value> {
        self.find(kind).map(|schema| &schema.openapi)
    }

    /// The kind that one may mean which nobody knows, as the host says.
    pub(crate) fn similar(&self, kind: &Gvk) -> Option<&'s str> {
        self.given.get(kind)?.openapi.get("x-croft-similar")?.as_str()
    }

    /// Whether objects of a kind live in a namespace, if anybody knows.
    pub(crate) fn scope(&self, kind: &Gvk) -> Option<Scope> {
        self.find(kind).map(|schema| schema.scope)
    }
}

/// The host marks what it does not know; a schema without any structure says
/// as little.
fn is_unknown(openapi: &Value) -> bool {
    openapi.get("x-croft-unknown") == Some(&Value::Bool(true)) || openapi.get("properties").is_none()
}

/// What expressions see as `schema`: the instance without its status.
pub(crate) fn instance(spec: &Value, scope: Scope) -> Value {
    json!({"type": "object", "properties": {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": object_meta(scope),
        "spec": spec,
    }})
}

/// What is known of an object whose kind is not: what all objects have.
pub(crate) fn any_object() -> Value {
    json!({"type": "object", "additionalProperties": true, "properties": {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": object_meta(Scope::Namespaced),
    }})
}

/// `metav1.ObjectMeta`.
fn object_meta(scope: Scope) -> Value {
    let text = json!({"type": "string"});
    let time = json!({"type": "string", "format": "date-time"});
    let texts = json!({"type": "object", "additionalProperties": text});
    let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let owner = json!({"type": "object", "properties": {
        "apiVersion": text, "blockOwnerDeletion": {"type": "boolean"}, "controller": {"type": "boolean"}, "kind": text,
        "name": text, "uid": text,
    }});
    let managed = json!({"type": "object", "properties": {
        "apiVersion": text, "fieldsType": text, "fieldsV1": open, "manager": text, "operation": text,
        "subresource": text, "time": time,
    }});
    let mut meta = json!({"type": "object", "properties": {
        "annotations": texts,
        "creationTimestamp": time,
        "deletionGracePeriodSeconds": {"type": "integer"},
        "deletionTimestamp": time,
        "finalizers": {"type": "array", "items": text, "x-kubernetes-list-type": "set"},
        "generateName": text,
        "generation": {"type": "integer"},
        "labels": texts,
        "managedFields": {"type": "array", "items": managed},
        "name": text,
        "namespace": text,
        "ownerReferences": {"type": "array", "items": owner},
        "resourceVersion": text,
        "selfLink": text,
        "uid": text,
    }});
    if let (Scope::Cluster, Some(fields)) = (scope, meta["properties"].as_object_mut()) {
        fields.remove("namespace");
    }
    meta
}
