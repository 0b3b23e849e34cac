//! The label selector of an external collection, as far as it can be told before
//! there is an instance: a map, with expressions for any part of it.

use guest_sdk::metadata;
use serde_json::{Map, Value};

use crate::{
    problem::{Pointer, nearest},
    reader::{Presence, Reader},
    template,
};

/// Whether a value is a text of one expression.
pub(super) fn is_expression(value: &Value) -> bool {
    let parts = value.as_str().map(template::split).and_then(Result::ok);
    parts.is_some_and(|parts| parts.standalone().is_some())
}

/// Checks that a label selector is one, as far as expressions allow.
pub(super) fn check(reader: &mut Reader, selector: &Map<String, Value>, at: &Pointer) {
    reader.unknown_fields(selector, &["matchLabels", "matchExpressions"], at);
    if !selector.get("matchLabels").is_some_and(is_expression) {
        let labels_at = at.field("matchLabels");
        for (key, value) in reader.text_map(selector, "matchLabels", at) {
            check_key(reader, &key, &labels_at.field(&key));
            check_value(reader, &value, &labels_at.field(&key));
        }
    }
    let at = at.field("matchExpressions");
    match selector.get("matchExpressions") {
        Some(whole) if is_expression(whole) => {}
        requirements => {
            for (index, requirement) in reader.list(requirements, &at).iter().enumerate() {
                if !is_expression(requirement) {
                    check_requirement(reader, requirement, &at.index(index));
                }
            }
        }
    }
}

fn check_requirement(reader: &mut Reader, requirement: &Value, at: &Pointer) {
    let Some(fields) = reader.map(Some(requirement), at, Presence::Required) else { return };
    reader.unknown_fields(fields, &["key", "operator", "values"], at);
    let key = reader.text(fields, "key", at);
    if !key.is_empty() {
        check_key(reader, &key, &at.field("key"));
    }
    let operator = reader.text(fields, "operator", at);
    // How many values an expression has is known when there is an instance.
    let values = match fields.get("values") {
        Some(whole) if is_expression(whole) => None,
        _ => Some(reader.texts(fields, "values", at)),
    };
    for (index, value) in values.iter().flatten().enumerate() {
        check_value(reader, value, &at.field("values").index(index));
    }
    check_operator(reader, &operator, values.map(|values| values.len()), at);
}

fn check_key(reader: &mut Reader, key: &str, at: &Pointer) {
    if !key.contains("${") && !metadata::is_key(key) {
        reader
            .problems
            .error("InvalidSelector", at, format!("`{key}` is not the key of a label"))
            .hint("a key has letters, digits, `-`, `_` and `.`, perhaps after a domain and `/`");
    }
}

fn check_value(reader: &mut Reader, value: &str, at: &Pointer) {
    if !value.contains("${") && !metadata::is_label_value(value) {
        reader
            .problems
            .error("InvalidSelector", at, format!("no label can have the value `{value}`"))
            .hint("a value is empty, or has at most 63 letters, digits, `-`, `_` and `.`");
    }
}

fn check_operator(reader: &mut Reader, operator: &str, values: Option<usize>, at: &Pointer) {
    let message = match (operator, values) {
        ("In" | "NotIn", Some(0)) => "must be specified when `operator` is 'In' or 'NotIn'",
        ("Exists" | "DoesNotExist", Some(1..)) => "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
        // One that is not text was noted when it was read; an expression is
        // known when there is an instance.
        ("In" | "NotIn" | "Exists" | "DoesNotExist" | "", _) => return,
        (expression, _) if expression.contains("${") => return,
        (other, _) => {
            let known = ["In", "NotIn", "Exists", "DoesNotExist"];
            let hint = nearest(other, known).map_or_else(
                || "the operators are `In`, `NotIn`, `Exists` and `DoesNotExist`".to_owned(),
                |known| format!("did you mean `{known}`?"),
            );
            let message = format!("\"{other}\" is not a valid label selector operator");
            reader.problems.error("InvalidSelector", &at.field("operator"), message).hint(hint);
            return;
        }
    };
    let hint = "`In` and `NotIn` compare with `values`, `Exists` and `DoesNotExist` only look for the key";
    reader.problems.error("InvalidSelector", &at.field("values"), message).hint(hint);
}
