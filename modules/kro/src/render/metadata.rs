//! Whether the metadata that a template comes to for an instance is such as an
//! API server and the host take: what is wrong is the instance's or the
//! definition's mistake, and has a place.

use guest_sdk::{Gvk, metadata};
use serde_json::{Map, Value as Json};

use crate::program::{Expression, Template};

/// Metadata with this prefix is the host's.
const RESERVED_PREFIX: &str = "croft.run/";

/// What is wrong with an object, and the field of its metadata.
pub(super) struct Unfit {
    pub(super) field: &'static str,
    pub(super) why: String,
}

/// Finds the first thing that is wrong with the metadata of an object of a kind.
pub(super) fn check(kind: &Gvk, metadata: &Json) -> Result<(), Unfit> {
    let empty = Map::new();
    let fields = metadata.as_object().unwrap_or(&empty);
    let text = |field: &str| fields.get(field).and_then(Json::as_str).unwrap_or_default();
    let unfit = |field: &'static str, why: String| Unfit { field, why };
    let name = text("name");
    if name.is_empty() {
        return Err(unfit("name", "must be a string that is not empty".to_owned()));
    }
    if let Err(why) = metadata::name(kind, name) {
        return Err(unfit("name", format!("is `{name}`, and {why}")));
    }
    match fields.get("namespace") {
        None | Some(Json::Null) => {}
        Some(Json::String(namespace)) if namespace.is_empty() || metadata::is_namespace(namespace) => {}
        Some(other) => {
            let why = "a namespace has at most 63 lower-case letters, digits and `-`";
            let shown = other.as_str().map_or_else(|| other.to_string(), str::to_owned);
            return Err(unfit("namespace", format!("is `{shown}`, and {why}")));
        }
    }
    if let Some(field) = metadata::NOT_WRITTEN.into_iter().find(|field| fields.contains_key(*field)) {
        return Err(unfit(field, "cannot be set".to_owned()));
    }
    for field in ["labels", "annotations"] {
        pairs(field, fields.get(field)).map_err(|why| unfit(field, why))?;
    }
    Ok(())
}

fn pairs(field: &str, value: Option<&Json>) -> Result<(), String> {
    let pairs = match value {
        None | Some(Json::Null) => return Ok(()),
        Some(Json::Object(pairs)) => pairs,
        Some(other) => return Err(format!("must be a map, got {}", crate::simple_schema::kind_of(other))),
    };
    for (key, value) in pairs {
        let Some(text) = value.as_str() else {
            return Err(format!(
                "has `{key}` of type {}, and must have a string",
                crate::simple_schema::kind_of(value)
            ));
        };
        if !metadata::is_key(key) {
            return Err(format!("has `{key}`, which is not a key that a server takes"));
        }
        if key.starts_with(RESERVED_PREFIX) {
            return Err(format!("has `{key}`, and `{RESERVED_PREFIX}` is reserved"));
        }
        if field == "labels" && !metadata::is_label_value(text) {
            return Err(format!("has `{key}: {text}`, which is not a value that a label can have"));
        }
    }
    if field == "annotations" && !metadata::is_small(pairs) {
        return Err("has more than 256 KiB".to_owned());
    }
    Ok(())
}

/// The expression that a field of the metadata comes from, if it is one.
pub(super) fn source<'t>(template: &'t Template<'t>, field: &str) -> Option<&'t Expression<'t>> {
    match template {
        Template::Value(expression) => Some(expression),
        Template::Map(fields) => match fields.iter().find(|(known, _)| *known == field) {
            Some((_, Template::Value(expression))) => Some(expression),
            _ => None,
        },
        _ => None,
    }
}
