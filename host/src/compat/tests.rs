use serde_json::{Value, json};

use super::*;

/// The changes of one field, one a line, `!` before those that break.
fn check(before: Value, after: Value, expected: &[&str]) {
    let object = |field: &Value| json!({"type": "object", "properties": {"a": field}});
    let found: Vec<String> = compare(&object(&before), &object(&after))
        .iter()
        .map(|change| format!("{}{} {}", if change.breaking { "!" } else { "" }, change.code, change.path))
        .collect();
    assert_eq!(found, expected, "{before} -> {after}");
}

#[test]
fn a_change_is_told_and_whether_it_breaks() {
    let text = json!({"type": "string"});
    let with = |extra: Value| {
        let mut schema = json!({"type": "string"});
        schema.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        schema
    };
    check(text.clone(), text.clone(), &[]);
    check(text.clone(), json!({"type": "integer"}), &["!TYPE_CHANGED a"]);
    check(json!({"type": "integer"}), json!({"type": "number"}), &["TYPE_CHANGED a"]);
    check(text.clone(), with(json!({"pattern": "^a"})), &["!PATTERN_ADDED a"]);
    check(with(json!({"pattern": "^a"})), text.clone(), &["PATTERN_REMOVED a"]);
    check(with(json!({"pattern": "^a"})), with(json!({"pattern": "^b"})), &["!PATTERN_CHANGED a"]);
    check(with(json!({"enum": ["a", "b"]})), with(json!({"enum": ["a"]})), &["!ENUM_RESTRICTED a"]);
    check(with(json!({"enum": ["a"]})), with(json!({"enum": ["a", "b"]})), &["ENUM_EXPANDED a"]);
    check(with(json!({"minLength": 1})), with(json!({"minLength": 2})), &["!MIN_LENGTH_INCREASED a"]);
    check(with(json!({"maxLength": 1})), with(json!({"maxLength": 2})), &["CONSTRAINT_RELAXED a"]);
    check(text.clone(), with(json!({"maxLength": 2})), &["!MAX_LENGTH_ADDED a"]);
    check(
        text.clone(),
        with(json!({"default": "x", "description": "y"})),
        &["DEFAULT_CHANGED a", "DESCRIPTION_CHANGED a"],
    );
    check(text.clone(), with(json!({"format": "byte"})), &["!FORMAT_CHANGED a"]);
    check(with(json!({"nullable": true})), text.clone(), &["!NULLABLE_REMOVED a"]);
    let rule = json!({"x-kubernetes-validations": [{"rule": "self == oldSelf"}]});
    check(text.clone(), with(rule.clone()), &["!VALIDATION_ADDED a"]);
    check(with(rule), text, &["VALIDATION_REMOVED a"]);
}

#[test]
fn what_is_below_a_field_is_compared_as_well() {
    let list = |items: Value| json!({"type": "array", "items": items});
    let map = |values: Value| json!({"type": "object", "additionalProperties": values});
    check(list(json!({"type": "string"})), list(json!({"type": "integer"})), &["!TYPE_CHANGED a[]"]);
    check(map(json!({"type": "string"})), map(json!({"type": "integer"})), &["!TYPE_CHANGED a{}"]);
    let set = json!({"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"});
    check(list(json!({"type": "string"})), set, &["!LIST_TYPE_CHANGED a"]);
    let object = |required: Value, fields: Value| json!({"type": "object", "required": required, "properties": fields});
    let (x, y) = (json!({"x": {"type": "string"}}), json!({"y": {"type": "string"}}));
    check(object(json!([]), x.clone()), object(json!([]), y.clone()), &["!PROPERTY_REMOVED a.x", "PROPERTY_ADDED a.y"]);
    check(object(json!([]), x.clone()), object(json!(["x"]), x.clone()), &["!REQUIRED_ADDED a.x"]);
    check(object(json!(["x"]), x.clone()), object(json!([]), x.clone()), &["REQUIRED_REMOVED a.x"]);
    let with_default = json!({"x": {"type": "string", "default": "d"}});
    check(
        object(json!(["x"]), with_default.clone()),
        object(json!(["x"]), x.clone()),
        &["DEFAULT_CHANGED a.x", "!REQUIRED_DEFAULT_REMOVED a.x"],
    );
    let both = json!({"x": {"type": "string"}, "z": {"type": "string"}});
    check(object(json!([]), x.clone()), object(json!(["z"]), both), &["!REQUIRED_ADDED a.z"]);
}

#[test]
fn what_kro_does_not_see_is_seen() {
    let api = |columns: Value, scope: &str| {
        json!({
            "group": "kro.run", "scope": scope, "names": {"kind": "A", "plural": "as"},
            "versions": [{"name": "v1", "additionalPrinterColumns": columns, "schema": {"openAPIV3Schema": {"type": "object"}}}],
        })
    };
    let codes = |before: &Value, after: &Value| -> Vec<&str> {
        compare_apis(before, after).iter().map(|change| change.code).collect()
    };
    let before = api(json!([]), "Namespaced");
    assert_eq!(codes(&before, &api(json!([{"name": "Age"}]), "Namespaced")), ["PRINTER_COLUMNS_CHANGED"]);
    assert_eq!(codes(&before, &api(json!([]), "Cluster")), ["SCOPE_CHANGED"]);
    // kcp's form of the same API has the schema itself.
    let mut of_kcp = before.clone();
    of_kcp["versions"][0]["schema"] = json!({"type": "object"});
    assert_eq!(codes(&before, &of_kcp), Vec::<&str>::new());
}
