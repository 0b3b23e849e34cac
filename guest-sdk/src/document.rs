//! Reads JSON text into values, for less than `serde_json` takes for the same.
//!
//! The host writes the keys of an object in their order. A map that is built of
//! all of them at once is compared half as often as one that is searched for the
//! place of each.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// The value of a JSON text.
pub(crate) fn parse(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str(text).map(|Document(value)| value)
}

/// Up to here a search costs less than a list: it is within one node of the tree.
const FEW: usize = 8;

struct Document(Value);

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Document, D::Error> {
        deserializer.deserialize_any(Reader).map(Document)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any valid JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Document(element)) = elements.next_element()? {
            list.push(element);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut few = Map::new();
        while let Some((name, Document(value))) = entries.next_entry::<String, Document>()? {
            few.insert(name, value);
            if few.len() == FEW {
                return many(few, entries);
            }
        }
        Ok(Value::Object(few))
    }
}

/// The rest of a map that began so.
fn many<'de, A: MapAccess<'de>>(few: Map<String, Value>, mut entries: A) -> Result<Value, A::Error> {
    let mut fields: Vec<(String, Value)> = few.into_iter().collect();
    while let Some((name, Document(value))) = entries.next_entry::<String, Document>()? {
        fields.push((name, value));
    }
    Ok(Value::Object(Map::from_iter(fields)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_as_serde_json_reads_it() {
        for text in [
            "null",
            "[true, false, 0, -1, 18446744073709551615, 1.5, 1e300, -0.0, 0.1]",
            r#"{"b": 1, "a": {"z": [], "y": {}}, "b": 2, "\u00e4\n": "\ud83d\ude00"}"#,
            r#"{"9": 9, "8": 8, "7": 7, "6": 6, "5": 5, "4": 4, "3": 3, "2": 2, "1": 1, "0": 0, "9": 10, "2": 11, "x": 12}"#,
            "",
            "{",
            "[1,]",
            "{\"a\" 1}",
            "1 2",
            "\"\\ud800\"",
            "1e999",
        ] {
            let (own, theirs) = (parse(text), serde_json::from_str::<Value>(text));
            assert_eq!(own.map_err(|error| error.to_string()), theirs.map_err(|error| error.to_string()), "{text}");
        }
        let deep = "[".repeat(200);
        assert!(parse(&deep).is_err());
    }
}
