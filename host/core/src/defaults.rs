//! Filling in what an instance leaves out, and the one patch that writes it.
//!
//! Which values to fill in is the module's business.

use serde_json::{Map, Value, json};

use crate::object;

/// What of `defaults` is missing in `spec`: only fields that are absent, at any
/// depth. `None` if nothing is.
pub fn missing(spec: &Value, defaults: &Map<String, Value>) -> Option<Value> {
    let mut missing = Map::new();
    for (key, default) in defaults {
        let gap = match (spec.get(key), default) {
            (None, default) => Some(default.clone()),
            (Some(inner @ Value::Object(_)), Value::Object(defaults)) => self::missing(inner, defaults),
            (Some(_), _) => None,
        };
        missing.extend(gap.map(|gap| (key.clone(), gap)));
    }
    if missing.is_empty() { None } else { Some(Value::Object(missing)) }
}

/// Fills `defaults` into `spec`, only where it has nothing.
pub fn fill(spec: &mut Value, defaults: &Map<String, Value>) {
    let Some(fields) = spec.as_object_mut() else { return };
    for (key, default) in defaults {
        match (fields.get_mut(key), default) {
            (None, default) => {
                fields.insert(key.clone(), default.clone());
            }
            (Some(inner), Value::Object(defaults)) => fill(inner, defaults),
            (Some(_), _) => {}
        }
    }
}

/// The JSON merge patch that puts the finalizer and the missing fields on an
/// instance, both in one write. It names the resource version that was seen,
/// so that a field that somebody sets meanwhile is never overwritten. `None`
/// if there is nothing to write.
pub fn patch(instance: &Value, defaults: &Map<String, Value>) -> Option<Value> {
    let empty = Value::Object(Map::new());
    let gap = missing(instance.get("spec").unwrap_or(&empty), defaults);
    if gap.is_none() && object::has_finalizer(instance) {
        return None;
    }
    let mut patch = json!({"metadata": {"resourceVersion": object::text(instance, "/metadata/resourceVersion")}});
    if !object::has_finalizer(instance) {
        let finalizers: Vec<&str> = object::finalizers(instance).chain([object::FINALIZER]).collect();
        patch["metadata"]["finalizers"] = finalizers.into();
    }
    if let Some(gap) = gap {
        patch["spec"] = gap;
    }
    Some(patch)
}

/// The JSON merge patch that takes the finalizer off again.
pub fn release(instance: &Value) -> Value {
    let rest: Vec<&str> = object::finalizers(instance).filter(|name| *name != object::FINALIZER).collect();
    json!({"metadata": {
        "resourceVersion": object::text(instance, "/metadata/resourceVersion"),
        "finalizers": rest,
    }})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn defaults(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn only_absent_fields_are_filled_in() {
        let mut spec = json!({"a": 1, "b": {"c": null}, "l": []});
        let defaults = defaults(json!({"a": 2, "b": {"c": 3, "d": 4}, "e": {"f": 5}, "l": [1]}));
        assert_eq!(missing(&spec, &defaults), Some(json!({"b": {"d": 4}, "e": {"f": 5}})));
        fill(&mut spec, &defaults);
        assert_eq!(spec, json!({"a": 1, "b": {"c": null, "d": 4}, "e": {"f": 5}, "l": []}));
        assert_eq!(missing(&spec, &defaults), None);
    }

    #[test]
    fn finalizer_and_defaults_are_one_write_and_then_none() {
        let mut instance = json!({"metadata": {"resourceVersion": "7", "finalizers": ["other"]}, "spec": {}});
        let defaults = defaults(json!({"a": 1}));
        let expected = json!({
            "metadata": {"resourceVersion": "7", "finalizers": ["other", object::FINALIZER]},
            "spec": {"a": 1},
        });
        assert_eq!(patch(&instance, &defaults), Some(expected));
        instance["metadata"]["finalizers"] = json!(["other", object::FINALIZER]);
        instance["spec"]["a"] = 2.into();
        assert_eq!(patch(&instance, &defaults), None);
        assert_eq!(release(&instance), json!({"metadata": {"resourceVersion": "7", "finalizers": ["other"]}}));
    }
}
