//! One spelling for every JSON value, so that equal values have equal digests
//! (RFC 8785, the JSON Canonicalization Scheme).
//!
//! RFC 8785 reads numbers as IEEE 754 doubles: integers beyond 2^53 that differ
//! in their last digits only have the same digest.

use serde::Serialize;

use crate::name::Digest;

/// The canonical text of a value.
pub fn text(value: &impl Serialize) -> String {
    serde_json_canonicalizer::to_string(value).expect("a JSON value has string keys and finite numbers")
}

/// The digest of a value's canonical text.
pub fn digest(value: &impl Serialize) -> Digest {
    Digest::of(text(value).as_bytes())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn equal_values_have_equal_digests_however_they_are_written() {
        let one: serde_json::Value = serde_json::from_str(r#"{"b": 1.0, "a": "\u0041"}"#).unwrap();
        assert_eq!(digest(&one), digest(&json!({"a": "A", "b": 1})));
        assert_ne!(digest(&one), digest(&json!({"a": "A", "b": 2})));
    }
}
