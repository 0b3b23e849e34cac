//! The defaults of an instance's `spec`, as its schema has them.
//!
//! Those in elements of lists and in values of maps are the server's alone: the
//! contract has no way to name them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::read::without_nulls;

/// The fields of an object that have a default, or fields that have.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Defaults(BTreeMap<String, Field>);

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Field {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    default: Option<Value>,
    #[serde(default, skip_serializing_if = "Defaults::is_empty")]
    fields: Defaults,
}

impl Defaults {
    /// Those of a schema.
    pub(super) fn of(schema: &Value) -> Defaults {
        let properties = schema["properties"].as_object().into_iter().flatten();
        let fields = properties.map(|(name, schema)| {
            // A null says nothing: it is what a field is without a default.
            let default = schema.get("default").filter(|default| !default.is_null()).cloned().map(without_nulls);
            (name.clone(), Field { default, fields: Defaults::of(schema) })
        });
        Defaults(fields.filter(|(_, field)| field.default.is_some() || !field.fields.is_empty()).collect())
    }

    /// The fields to fill in. A field that is not an object is named also where
    /// the instance has one, which stays as it is: so the answer does not change
    /// when it was filled in.
    pub(super) fn missing(&self, spec: &Value) -> Map<String, Value> {
        let missing = self.0.iter().filter_map(|(name, field)| {
            let value = match (spec.get(name), &field.default) {
                (Some(present @ Value::Object(_)), _) => Some(Value::Object(field.fields.missing(present)))
                    .filter(|fields| fields != &Value::Object(Map::new())),
                (None, Some(default)) => Some(default.clone()),
                (Some(_), Some(default)) if !default.is_object() => Some(default.clone()),
                _ => None,
            };
            Some((name.clone(), value?))
        });
        missing.collect()
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
