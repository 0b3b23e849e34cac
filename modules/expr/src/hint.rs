//! How the fields of a JSON object are to be read: which text is bytes, which a
//! timestamp, which number a double, which list a set.
//!
//! Hints are cut from an OpenAPI schema along the paths that expressions read,
//! so that they are as small as the expressions and not as the schema.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::openapi::is_true;

/// How a JSON value is to be read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct Hint<'a> {
    /// What a scalar is.
    pub decode: Decode,
    /// Whether a list is a set.
    pub set: bool,
    /// Of its fields, those that have a hint, sorted by name.
    pub fields: Vec<(&'a str, Hint<'a>)>,
    /// Of all elements of a list or values of a map.
    pub items: Option<Box<Hint<'a>>>,
}

/// What a scalar is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Decode {
    /// What JSON says.
    #[default]
    AsIs,
    /// Base64 text of bytes.
    Bytes,
    /// RFC 3339 text of a timestamp, or a date.
    Timestamp,
    /// Text of a duration.
    Duration,
    /// A double, even if it is whole.
    Double,
}

/// Hints deeper than this are left out: no expression reads as deep.
const MAX_DEPTH: usize = 40;

impl<'a> Hint<'a> {
    /// The hints of a schema, along the paths that are read. A path ends where
    /// everything below may be read.
    pub fn of(schema: &'a Value, paths: &[Vec<String>]) -> Option<Hint<'a>> {
        let paths: Vec<&[String]> = paths.iter().map(Vec::as_slice).collect();
        at(schema, &paths, MAX_DEPTH)
    }

    pub(crate) fn field(&self, name: &str) -> Option<&Hint<'a>> {
        let found = self.fields.binary_search_by(|(field, _)| field.cmp(&name));
        found.ok().and_then(|at| self.fields.get(at)).map(|(_, hint)| hint).or(self.items.as_deref())
    }
}

fn at<'a>(schema: &'a Value, paths: &[&[String]], depth: usize) -> Option<Hint<'a>> {
    if depth == 0 || is_true(schema, "x-kubernetes-int-or-string") {
        return None;
    }
    let format = schema.get("format").and_then(Value::as_str);
    let decode = match (schema.get("type").and_then(Value::as_str), format) {
        (Some("string"), Some("byte")) => Decode::Bytes,
        (Some("string"), Some("date" | "date-time")) => Decode::Timestamp,
        (Some("string"), Some("duration")) => Decode::Duration,
        (Some("number"), _) => Decode::Double,
        _ => Decode::AsIs,
    };
    let whole = paths.iter().any(|path| path.is_empty());
    // What is below one step of a path; nothing if no path goes there.
    let below = |name: Option<&str>| -> Option<Vec<&[String]>> {
        if whole {
            return Some(vec![&[]]);
        }
        let steps = paths.iter().filter_map(|path| path.split_first());
        let found: Vec<&[String]> =
            steps.filter(|(step, _)| name.is_none_or(|name| *step == name)).map(|(_, rest)| rest).collect();
        (!found.is_empty()).then_some(found)
    };
    let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    let mut fields: Vec<(&str, Hint)> = properties
        .filter_map(|(name, schema)| {
            let paths = below(Some(name))?;
            Some((name.as_str(), at(schema, &paths, depth - 1)?))
        })
        .collect();
    fields.sort_by_key(|(name, _)| *name);
    let inner = schema.get("items").or_else(|| schema.get("additionalProperties").filter(|it| it.is_object()));
    let items = inner.and_then(|schema| at(schema, &below(None)?, depth - 1)).map(Box::new);
    let set = schema.get("x-kubernetes-list-type").and_then(Value::as_str) == Some("set");
    let hint = Hint { decode, set, fields, items };
    (hint != Hint::default()).then_some(hint)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn hints_follow_the_paths_that_are_read() {
        let schema = json!({"properties": {
            "data": {"type": "object", "additionalProperties": {"type": "string", "format": "byte"}},
            "metadata": {"properties": {"creationTimestamp": {"type": "string", "format": "date-time"}}},
        }});
        let path = |path: &str| path.split('.').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(Hint::of(&schema, &[path("metadata.name")]), None);
        let hint = Hint::of(&schema, &[path("data.p")]).unwrap();
        assert_eq!(hint.fields.len(), 1);
        assert_eq!(hint.field("data").unwrap().field("p").unwrap().decode, Decode::Bytes);
        assert_eq!(Hint::of(&schema, &[vec![]]).unwrap().fields.len(), 2);
    }
}
