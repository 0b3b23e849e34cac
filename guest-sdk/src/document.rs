//! Reads JSON text into values, for less than `serde_json` takes for the same:
//! only the fields that somebody asks for, and the rest without searching.
//!
//! The host writes the keys of an object in their order. A map that is built of
//! all of them at once is compared half as often as one that is searched for the
//! place of each.

use std::fmt;

use serde::{
    Deserialize, Serialize,
    de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};

/// Which fields of a document are read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub enum Fields<'a> {
    /// All.
    All,
    /// These fields of an object, sorted by their names, with what is read below
    /// each. All of any other value.
    Only(Vec<(&'a str, Fields<'a>)>),
}

/// The value of a JSON text.
///
/// # Errors
/// It is not JSON.
pub fn parse(text: &str) -> Result<Value, serde_json::Error> {
    parse_fields(text, &Fields::All)
}

/// The value of a JSON text, without the fields that nobody asks for. Those are
/// still checked to be JSON, however deep they nest.
///
/// # Errors
/// It is not JSON.
pub fn parse_fields(text: &str, fields: &Fields) -> Result<Value, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Reader(fields).deserialize(&mut reader)?;
    reader.end().map(|()| value)
}

impl<'a> Fields<'a> {
    /// No field.
    pub fn none() -> Fields<'a> {
        Fields::Only(Vec::new())
    }

    /// Adds what is below a path of field names. Nothing is below the empty path
    /// that is not read.
    pub fn add(&mut self, path: &[&'a str]) {
        let Some((name, rest)) = path.split_first() else {
            *self = Fields::All;
            return;
        };
        if let Fields::Only(fields) = self {
            let at = fields.binary_search_by(|(known, _)| known.cmp(name)).unwrap_or_else(|at| {
                fields.insert(at, (name, Fields::none()));
                at
            });
            fields[at].1.add(rest);
        }
    }
}

/// Up to here a search costs less than a list: it is within one node of the tree.
const FEW: usize = 8;

struct Reader<'w, 'a>(&'w Fields<'a>);

/// Reads everything.
const ALL: Reader<'static, 'static> = Reader(&Fields::All);

impl<'de> DeserializeSeed<'de> for Reader<'_, '_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_, '_> {
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
        while let Some(element) = elements.next_element_seed(ALL)? {
            list.push(element);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        if let Fields::Only(fields) = self.0 {
            return only(fields, entries);
        }
        let mut few = Map::new();
        while let Some(name) = entries.next_key()? {
            few.insert(name, entries.next_value_seed(ALL)?);
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
    while let Some(name) = entries.next_key()? {
        fields.push((name, entries.next_value_seed(ALL)?));
    }
    Ok(Value::Object(Map::from_iter(fields)))
}

/// Of a map only some fields.
fn only<'de, A: MapAccess<'de>>(wanted: &[(&str, Fields)], mut entries: A) -> Result<Value, A::Error> {
    let mut fields = Map::new();
    while let Some(found) = entries.next_key_seed(Name(wanted))? {
        match found {
            Some((name, below)) => {
                fields.insert((*name).to_owned(), entries.next_value_seed(Reader(below))?);
            }
            None => drop(entries.next_value::<IgnoredAny>()?),
        }
    }
    Ok(Value::Object(fields))
}

/// Looks a name up among those that are wanted.
struct Name<'w, 'a>(&'w [(&'a str, Fields<'a>)]);

impl<'de, 'w, 'a> DeserializeSeed<'de> for Name<'w, 'a> {
    type Value = Option<&'w (&'a str, Fields<'a>)>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'w, 'a> Visitor<'_> for Name<'w, 'a> {
    type Value = Option<&'w (&'a str, Fields<'a>)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        let found = self.0.binary_search_by(|(known, _)| (*known).cmp(name));
        Ok(found.ok().and_then(|at| self.0.get(at)))
    }
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

    #[test]
    fn only_the_fields_that_are_asked_for_are_read() {
        let text = r#"{"a": {"b": [1, {"c": 2}], "d": "x", "\u0065": {}}, "f": null, "g": {"a": 1}, "h": "t"}"#;
        let read = |paths: &[&[&'static str]]| {
            let mut fields = Fields::none();
            paths.iter().for_each(|path| fields.add(path));
            parse_fields(text, &fields).unwrap().to_string()
        };
        assert_eq!(read(&[]), "{}");
        assert_eq!(read(&[&["a", "d"], &["a", "e", "x"], &["f", "x"], &["i"]]), r#"{"a":{"d":"x","e":{}},"f":null}"#);
        assert_eq!(read(&[&["a", "b", "c"], &["h", "x"]]), r#"{"a":{"b":[1,{"c":2}]},"h":"t"}"#);
        assert_eq!(read(&[&["g", "a"], &["g"]]), r#"{"g":{"a":1}}"#);
        assert_eq!(read(&[&[], &["g", "a"]]), parse(text).unwrap().to_string());
        for bad in ["{\"z\": 1,}", "{\"z\": [}", "{} {}", "{\"z\": \"\\q\"}"] {
            assert!(parse_fields(bad, &Fields::none()).is_err(), "{bad}");
        }
        let deep = format!("{{\"z\":{}{}}}", "[".repeat(5_000), "]".repeat(5_000));
        assert!(parse_fields(&deep, &Fields::none()).is_ok() && parse(&deep).is_err());
    }
}
