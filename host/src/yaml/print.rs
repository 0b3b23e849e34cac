//! Values as YAML for people.

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Map, Value};

/// YAML documents, separated by `---`. An object begins with `apiVersion`,
/// `kind`, `metadata`, `spec` and `status`, metadata with `name` and
/// `namespace`; every other key is in alphabetical order.
pub fn print(documents: &[Value]) -> String {
    let documents: Vec<String> = documents.iter().map(document).collect();
    documents.join("---\n")
}

fn document(value: &Value) -> String {
    // A long line stays one: it is copied more often than it is read.
    let options = serde_saphyr::ser_options! { folded_wrap_chars: usize::MAX };
    match serde_saphyr::to_string_with_options(&Ordered { value, key: "" }, options) {
        Ok(text) => text,
        // JSON is YAML too, and writing it to a string cannot fail.
        Err(_) => format!("{value:#}\n"),
    }
}

struct Ordered<'a> {
    value: &'a Value,
    /// The key under which the value stands.
    key: &'a str,
}

impl Serialize for Ordered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.value {
            Value::Array(items) => serializer.collect_seq(items.iter().map(|item| Ordered { value: item, key: "" })),
            Value::Object(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (key, value) in in_order(fields, self.key) {
                    map.serialize_entry(key, &Ordered { value, key })?;
                }
                map.end()
            }
            scalar => scalar.serialize(serializer),
        }
    }
}

fn in_order<'a>(fields: &'a Map<String, Value>, parent: &str) -> Vec<(&'a str, &'a Value)> {
    let first: &[&str] = match parent {
        _ if fields.contains_key("apiVersion") && fields.contains_key("kind") => {
            &["apiVersion", "kind", "metadata", "spec", "status"]
        }
        "metadata" => &["name", "namespace"],
        _ => &[],
    };
    let rank = |key: &str| first.iter().position(|known| *known == key).unwrap_or(first.len());
    let mut entries: Vec<_> = fields.iter().map(|(key, value)| (key.as_str(), value)).collect();
    entries.sort_by(|(left, _), (right, _)| (rank(left), left).cmp(&(rank(right), right)));
    entries
}
