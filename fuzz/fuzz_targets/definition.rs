//! Whole definitions as JSON, of either kind, from reading to rendering.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|text: &str| {
    if let Ok(definition) = serde_json::from_str::<Value>(text) {
        fuzz::run(&definition, &fuzz::instance());
    }
});
