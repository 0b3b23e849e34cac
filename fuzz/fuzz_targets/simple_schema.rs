//! SimpleSchema: a field's declaration and a type's, separated by a line break.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::json;

fuzz_target!(|text: &str| {
    let (field, declared) = text.split_once('\n').unwrap_or((text, "string"));
    let spec = json!({"field": field, "list": "[]Port", "map": "map[string]Port", "nested": {"field": field}});
    fuzz::run(&fuzz::definition(spec, json!({"Port": declared}), json!({})), &fuzz::instance());
    let group = json!({
        "apiVersion": "kro.run/v1alpha1", "kind": "ResourceGroup", "metadata": {"name": "things"},
        "spec": {"schema": {"apiVersion": "v1alpha1", "kind": "Thing", "spec": {"field": field}}, "resources": []},
    });
    fuzz::run(&group, &fuzz::instance());
});
