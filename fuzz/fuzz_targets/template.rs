//! Templates: a string of a child, from extraction to rendering.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::json;

fuzz_target!(|text: &str| {
    let spec = json!({
        "name": "string", "n": "integer | default=2", "list": "[]string", "map": "map[string]string",
        "nested": {"on": "boolean", "f": "float"},
    });
    fuzz::run(&fuzz::definition(spec, json!({}), json!({"a": text, "b": "x"})), &fuzz::instance());
});
