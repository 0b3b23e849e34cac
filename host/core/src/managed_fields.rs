//! Who owns which fields of an object, as server-side apply keeps it in
//! `metadata.managedFields`, and handing fields from one manager to another.
//!
//! The server takes such a list as it is given, and itself drops from it the
//! fields that go in the same write.

use serde_json::{Value, json};

use crate::object::{self, FIELD_MANAGER};

/// The object's list with the entries of one manager made those of another, by
/// apply. `None` if the one has none. Entries of subresources stay.
pub fn hand_over(object: &Value, from: impl Fn(&Value) -> bool, to: &str) -> Option<Value> {
    let entries = object.pointer("/metadata/managedFields").and_then(Value::as_array)?;
    let moves = |entry: &Value| object::text(entry, "/subresource").is_empty() && from(entry);
    if !entries.iter().any(moves) {
        return None;
    }
    let mut kept: Vec<Value> = Vec::new();
    for entry in entries {
        let mut entry = entry.clone();
        if moves(&entry) {
            entry["manager"] = to.into();
            entry["operation"] = "Apply".into();
        }
        // A manager has one entry for what it applies, and one in each version
        // for what it writes in another way.
        match kept.iter_mut().find(|other| is_same(other, &entry)) {
            Some(other) => unite(&mut other["fieldsV1"], &entry["fieldsV1"]),
            None => kept.push(entry),
        }
    }
    Some(kept.into())
}

/// The list to write where an object keeps fields that croft wrote once and that
/// its manifest does not have any more; `None` if there are none.
///
/// What croft creates is noted under the operation `Update`, and kcp, which
/// carries an apply through a virtual workspace out as an update, notes the fields
/// that changed a second time in the same way. An apply removes only what no other
/// entry owns, so such a field would stay for ever. With the two entries made one,
/// the next apply removes it.
pub fn reclaimed(object: &Value, manifest: &Value) -> Option<Value> {
    let is_copy = |entry: &Value| is_croft(entry) && object::text(entry, "/operation") == "Update";
    let entries = object.pointer("/metadata/managedFields").and_then(Value::as_array)?;
    let copies = entries.iter().filter(|entry| object::text(entry, "/subresource").is_empty() && is_copy(entry));
    let is_left = copies.into_iter().any(|entry| exceeds(&entry["fieldsV1"], manifest));
    if is_left { hand_over(object, is_copy, FIELD_MANAGER) } else { None }
}

/// Whether a set of fields names one that a value does not have. A name begins
/// with what it is: `f:` a field, `k:` an element by its keys, `v:` a value of a
/// set.
fn exceeds(fields: &Value, value: &Value) -> bool {
    let below = |name: &str, fields: &Value| match name.split_once(':') {
        Some(("f", field)) => value.get(field).is_none_or(|found| exceeds(fields, found)),
        Some(("k", keys)) => {
            let keys: Value = serde_json::from_str(keys).unwrap_or_default();
            let has_keys = |element: &&Value| {
                keys.as_object().into_iter().flatten().all(|(key, wanted)| element.get(key) == Some(wanted))
            };
            let element = value.as_array().into_iter().flatten().find(has_keys);
            element.is_none_or(|element| exceeds(fields, element))
        }
        Some(("v", wanted)) => {
            let wanted: Value = serde_json::from_str(wanted).unwrap_or_default();
            !value.as_array().is_some_and(|elements| elements.contains(&wanted))
        }
        _ => false,
    };
    fields.as_object().into_iter().flatten().any(|(name, fields)| below(name, fields))
}

/// Whether an entry is what croft wrote: it creates in one way and applies in
/// another.
pub fn is_croft(entry: &Value) -> bool {
    object::text(entry, "/manager") == FIELD_MANAGER
}

fn is_same(one: &Value, other: &Value) -> bool {
    let same = |field: &str| object::text(one, field) == object::text(other, field);
    ["/manager", "/operation", "/subresource"].into_iter().all(same)
        && (object::text(one, "/operation") == "Apply" || same("/apiVersion"))
}

/// Adds one set of fields to another. A set is a tree of JSON objects.
fn unite(into: &mut Value, from: &Value) {
    let Some(from) = from.as_object() else { return };
    if !into.is_object() {
        *into = json!({});
    }
    let Some(into) = into.as_object_mut() else { return };
    for (name, fields) in from {
        unite(into.entry(name.clone()).or_insert_with(|| json!({})), fields);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(manager: &str, operation: &str, fields: Value) -> Value {
        json!({"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsV1": fields})
    }

    #[test]
    fn what_one_manager_owned_the_other_owns_besides_its_own() {
        let mut status = entry("kro", "Apply", json!({"f:status": {}}));
        status["subresource"] = "status".into();
        let object = json!({"metadata": {"managedFields": [
            entry("croft", "Apply", json!({"f:data": {"f:a": {}}})),
            entry("kro", "Update", json!({"f:data": {".": {}, "f:b": {}}})),
            entry("other", "Update", json!({"f:data": {"f:c": {}}})),
            status,
        ]}});
        let from = |entry: &Value| object::text(entry, "/manager") == "kro";
        let expected = json!([
            entry("croft", "Apply", json!({"f:data": {".": {}, "f:a": {}, "f:b": {}}})),
            entry("other", "Update", json!({"f:data": {"f:c": {}}})),
            object["metadata"]["managedFields"][3],
        ]);
        assert_eq!(hand_over(&object, from, "croft"), Some(expected));
    }

    #[test]
    fn a_field_that_is_not_rendered_any_more_is_reclaimed_and_others_are_left() {
        let fields =
            json!({"f:data": {".": {}, "f:a": {}, "f:b": {}}, "f:list": {"k:{\"name\":\"x\"}": {"f:name": {}}}});
        let object = |copy: Value| {
            json!({"metadata": {"managedFields": [
                entry(FIELD_MANAGER, "Apply", json!({"f:data": {"f:a": {}}})),
                entry(FIELD_MANAGER, "Update", copy),
            ]}})
        };
        let whole = json!({"data": {"a": 1, "b": 2}, "list": [{"name": "x"}]});
        assert_eq!(reclaimed(&object(fields.clone()), &whole), None);
        let less = json!({"data": {"a": 1}, "list": [{"name": "x"}]});
        let expected = json!([entry(FIELD_MANAGER, "Apply", fields.clone())]);
        assert_eq!(reclaimed(&object(fields.clone()), &less), Some(expected));
        let shorter = json!({"data": {"a": 1, "b": 2}, "list": []});
        assert!(reclaimed(&object(fields), &shorter).is_some());
        let others =
            json!({"metadata": {"managedFields": [entry("kubectl", "Update", json!({"f:data": {"f:z": {}}}))]}});
        assert_eq!(reclaimed(&others, &less), None);
    }

    #[test]
    fn what_is_applied_in_another_version_is_one_entry() {
        let mut copy = entry("croft", "Update", json!({"f:data": {"f:b": {}}}));
        copy["apiVersion"] = "v1beta1".into();
        let applied = entry("croft", "Apply", json!({"f:data": {"f:a": {}}}));
        let object = json!({"metadata": {"managedFields": [applied, copy]}});
        let expected = json!([entry("croft", "Apply", json!({"f:data": {"f:a": {}, "f:b": {}}}))]);
        assert_eq!(hand_over(&object, |entry| object::text(entry, "/operation") == "Update", "croft"), Some(expected));
    }

    #[test]
    fn nothing_to_hand_over_is_no_change() {
        let object = json!({"metadata": {"managedFields": [entry("croft", "Apply", json!({}))]}});
        assert_eq!(hand_over(&object, |entry| object::text(entry, "/manager") == "kro", "croft"), None);
        assert_eq!(hand_over(&json!({}), |_| true, "croft"), None);
    }
}
