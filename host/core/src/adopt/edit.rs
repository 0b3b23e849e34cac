//! One write to an object: a JSON merge patch of what has to differ, and
//! nothing at all where nothing has to.
//!
//! Which changes those are is the plan's business.

use serde_json::{Map, Value, json};

use crate::object::{self, Target};

/// A JSON merge patch for one object.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// The object.
    pub target: Target,
    /// `/status`, or empty for the object itself.
    pub part: &'static str,
    /// The patch. It names the resource version that was seen, so that a change
    /// that somebody makes meanwhile is never overwritten.
    pub patch: Value,
}

/// Changes to an object's metadata that are being collected.
pub(super) struct Edit<'a> {
    object: &'a Value,
    labels: Map<String, Value>,
    annotations: Map<String, Value>,
    finalizers: Option<Vec<String>>,
    managed_fields: Option<Value>,
}

impl<'a> Edit<'a> {
    /// No change yet.
    pub(super) fn of(object: &'a Value) -> Edit<'a> {
        Edit { object, labels: Map::new(), annotations: Map::new(), finalizers: None, managed_fields: None }
    }

    /// Gives a label a value, or takes it off.
    pub(super) fn label(&mut self, name: &str, value: Option<&str>) {
        change(&mut self.labels, object::label(self.object, name), name, value);
    }

    /// Gives an annotation a value, or takes it off.
    pub(super) fn annotation(&mut self, name: &str, value: Option<&str>) {
        change(&mut self.annotations, object::annotation(self.object, name), name, value);
    }

    /// Says all finalizers.
    pub(super) fn finalizers<'n>(&mut self, wanted: impl IntoIterator<Item = &'n str>) {
        let wanted: Vec<String> = wanted.into_iter().map(str::to_owned).collect();
        let same = object::finalizers(self.object).eq(wanted.iter().map(String::as_str));
        self.finalizers = (!same).then_some(wanted);
    }

    /// Says who owns which fields, if that changes.
    pub(super) fn managed_fields(&mut self, wanted: Option<Value>) {
        self.managed_fields = wanted;
    }

    /// The write, if anything has to differ.
    pub(super) fn write(self) -> Option<Write> {
        let mut metadata = Map::new();
        for (field, changes) in [("labels", self.labels), ("annotations", self.annotations)] {
            if !changes.is_empty() {
                metadata.insert(field.to_owned(), Value::Object(changes));
            }
        }
        if let Some(finalizers) = self.finalizers {
            metadata.insert("finalizers".to_owned(), finalizers.into());
        }
        if let Some(managed_fields) = self.managed_fields {
            metadata.insert("managedFields".to_owned(), managed_fields);
        }
        if metadata.is_empty() {
            return None;
        }
        let version = object::text(self.object, "/metadata/resourceVersion");
        metadata.insert("resourceVersion".to_owned(), version.into());
        Some(Write { target: Target::of(self.object)?, part: "", patch: json!({"metadata": metadata}) })
    }
}

fn change(changes: &mut Map<String, Value>, current: Option<&str>, name: &str, wanted: Option<&str>) {
    if current == wanted {
        changes.remove(name);
    } else {
        changes.insert(name.to_owned(), wanted.map_or(Value::Null, Value::from));
    }
}

/// The names of an object's labels or annotations.
pub(super) fn names<'a>(object: &'a Value, field: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    let pairs = object.get("metadata").and_then(|metadata| metadata.get(field)).and_then(Value::as_object);
    pairs.into_iter().flatten().map(|(name, _)| name.as_str())
}

/// Merges a JSON merge patch (RFC 7396) into a value.
pub(super) fn merge(value: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *value = patch.clone();
        return;
    };
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    let Value::Object(fields) = value else { return };
    for (name, wanted) in patch {
        if wanted.is_null() {
            fields.remove(name);
        } else {
            merge(fields.entry(name.clone()).or_insert(Value::Null), wanted);
        }
    }
}
