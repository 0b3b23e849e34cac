//! Does to an instance's `spec` what an API server does with a structural
//! schema: prunes what the schema does not have, fills in defaults and says
//! what is wrong, in the server's words.
//!
//! It works from a compact form of the schema that a program carries. It knows
//! only what SimpleSchema can say.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    problem::{Pointer, Problems},
    simple_schema::kind_of,
};

/// What a value must look like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Shape<'a> {
    /// Anything.
    Any,
    /// A text.
    Text,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// True or false.
    Boolean,
    /// A list of one shape.
    #[serde(borrow)]
    List(Box<Shape<'a>>),
    /// A map of one shape.
    Map(Box<Shape<'a>>),
    /// An object with these fields.
    Object(Vec<Field<'a>>),
}

/// A field of an object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Field<'a> {
    name: &'a str,
    required: bool,
    /// As JSON text: most renders need none of them.
    default: Option<String>,
    #[serde(borrow)]
    shape: Shape<'a>,
}

impl<'a> Shape<'a> {
    /// The compact form of an OpenAPI schema.
    pub(crate) fn of(schema: &'a Value) -> Shape<'a> {
        match schema["type"].as_str() {
            Some("string") => Shape::Text,
            Some("integer") => Shape::Integer,
            Some("number") => Shape::Number,
            Some("boolean") => Shape::Boolean,
            Some("array") => Shape::List(Box::new(Shape::of(&schema["items"]))),
            // SimpleSchema's `object`: whatever is in it stays.
            Some("object") if schema["x-kubernetes-preserve-unknown-fields"] == true => {
                Shape::Map(Box::new(Shape::Any))
            }
            Some("object") => match schema.get("additionalProperties") {
                Some(values) => Shape::Map(Box::new(Shape::of(values))),
                None => Shape::Object(fields(schema)),
            },
            _ => Shape::Any,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Shape::Any => "any",
            Shape::Text => "string",
            Shape::Integer => "integer",
            Shape::Number => "number",
            Shape::Boolean => "boolean",
            Shape::List(_) => "array",
            Shape::Map(_) | Shape::Object(_) => "object",
        }
    }
}

fn fields(schema: &Value) -> Vec<Field<'_>> {
    let required: BTreeSet<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let properties = schema["properties"].as_object().into_iter().flatten();
    properties
        .map(|(name, schema)| Field {
            name,
            required: required.contains(name.as_str()),
            default: schema.get("default").map(Value::to_string),
            shape: Shape::of(schema),
        })
        .collect()
}

/// A value after pruning and defaulting, and what was filled in.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Completed {
    /// The value.
    pub(crate) value: Map<String, Value>,
    /// The fields that were filled in, in objects shaped like the value.
    pub(crate) defaults: Map<String, Value>,
}

/// Completes an instance's `spec`.
pub(crate) fn complete(shape: &Shape, spec: &Value, problems: &mut Problems) -> Completed {
    let place = Place { pointer: Pointer::root().field("spec"), path: "spec".to_owned() };
    let mut completion = Completion { problems };
    let Value::Object(found) = spec else {
        completion.wrong_type(&place, "object", spec);
        return Completed::default();
    };
    match shape {
        Shape::Object(fields) => completion.object(fields, found, &place),
        _ => Completed { value: found.clone(), defaults: Map::new() },
    }
}

#[derive(Clone)]
struct Place {
    pointer: Pointer,
    /// As the API server writes it.
    path: String,
}

impl Place {
    fn field(&self, name: &str) -> Place {
        Place { pointer: self.pointer.field(name), path: format!("{}.{name}", self.path) }
    }

    fn index(&self, index: usize) -> Place {
        Place { pointer: self.pointer.index(index), path: format!("{}[{index}]", self.path) }
    }
}

struct Completion<'p> {
    problems: &'p mut Problems,
}

impl Completion<'_> {
    fn object(&mut self, fields: &[Field], found: &Map<String, Value>, place: &Place) -> Completed {
        let mut completed = Completed::default();
        for field in fields {
            self.field(field, found.get(field.name), place, &mut completed);
        }
        completed
    }

    fn field(&mut self, field: &Field, found: Option<&Value>, place: &Place, completed: &mut Completed) {
        let name = field.name.to_owned();
        match (found, &field.default) {
            // A null counts as absent where there is a default, as for the API server.
            (None | Some(Value::Null), Some(default)) => {
                let Ok(default) = serde_json::from_str::<Value>(default) else { return };
                let value = self.value(&field.shape, &default, &place.field(field.name)).value;
                completed.value.insert(name.clone(), value.clone());
                completed.defaults.insert(name, value);
            }
            (Some(found), _) => {
                let below = self.value(&field.shape, found, &place.field(field.name));
                completed.value.insert(name.clone(), below.value);
                if !below.defaults.is_empty() {
                    completed.defaults.insert(name, Value::Object(below.defaults));
                }
            }
            (None, None) if field.required => self.required(&place.field(field.name)),
            (None, None) => {}
        }
    }

    fn value(&mut self, shape: &Shape, found: &Value, place: &Place) -> Below {
        match (shape, found) {
            (Shape::Object(fields), Value::Object(found)) => {
                let Completed { value, defaults } = self.object(fields, found, place);
                Below { value: Value::Object(value), defaults }
            }
            (Shape::List(element), Value::Array(found)) => {
                // Defaults within elements cannot be said apart from the list.
                let all = found.iter().enumerate();
                Below::value(all.map(|(index, it)| self.value(element, it, &place.index(index)).value).collect())
            }
            (Shape::Map(value), Value::Object(found)) => {
                let all = found.iter();
                Below::value(
                    all.map(|(key, it)| (key.clone(), self.value(value, it, &place.field(key)).value)).collect(),
                )
            }
            (Shape::Any, _)
            | (Shape::Text, Value::String(_))
            | (Shape::Boolean, Value::Bool(_))
            | (Shape::Number, Value::Number(_)) => Below::value(found.clone()),
            (Shape::Integer, Value::Number(number)) if is_whole(number) => Below::value(found.clone()),
            _ => {
                self.wrong_type(place, shape.name(), found);
                Below::value(found.clone())
            }
        }
    }

    fn wrong_type(&mut self, place: &Place, wanted: &str, found: &Value) {
        let got = match found {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(number) if is_whole(number) => "integer",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        let path = &place.path;
        let message = format!("{path}: Invalid value: \"{got}\": {path} in body must be of type {wanted}: \"{got}\"");
        self.problems
            .error("InvalidInstance", &place.pointer, message)
            .hint(format!("it is {}; write a value of type {wanted}", kind_of(found)));
    }

    fn required(&mut self, place: &Place) {
        self.problems
            .error("InvalidInstance", &place.pointer, format!("{}: Required value", place.path))
            .hint(format!("set `{}`", place.path));
    }
}

struct Below {
    value: Value,
    defaults: Map<String, Value>,
}

impl Below {
    fn value(value: Value) -> Below {
        Below { value, defaults: Map::new() }
    }
}

/// `5.0` is an integer for the API server.
fn is_whole(number: &serde_json::Number) -> bool {
    number.is_i64() || number.is_u64() || number.as_f64().is_some_and(|number| number.fract() == 0.0)
}

#[cfg(test)]
mod tests {
    use guest_sdk::Failure;
    use serde_json::json;

    use super::*;

    fn schema() -> Value {
        json!({"type": "object", "required": ["must"], "properties": {
            "must": {"type": "integer"},
            "name": {"type": "string", "default": "x"},
            "list": {"type": "array", "items": {"type": "string"}, "default": ["a"]},
            "nested": {"type": "object", "properties": {"n": {"type": "integer", "default": 2}, "s": {"type": "string"}}},
            "map": {"type": "object", "additionalProperties": {"type": "boolean"}},
        }})
    }

    fn completed(spec: Value) -> Completed {
        let (schema, mut problems) = (schema(), Problems::default());
        let completed = complete(&Shape::of(&schema), &spec, &mut problems);
        problems.into_result().unwrap();
        completed
    }

    fn refusals(spec: Value) -> Vec<(String, String)> {
        let (schema, mut problems) = (schema(), Problems::default());
        complete(&Shape::of(&schema), &spec, &mut problems);
        match problems.into_result() {
            Err(Failure::Invalid(found)) => found.into_iter().map(|it| (it.at, it.message)).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_nested_default_applies_only_where_its_parent_is() {
        let without = completed(json!({"must": 1}));
        assert_eq!(json!(without.defaults), json!({"name": "x", "list": ["a"]}));
        let with = completed(json!({"must": 1, "name": "y", "nested": {}}));
        assert_eq!(json!(with.defaults), json!({"list": ["a"], "nested": {"n": 2}}));
        assert_eq!(json!(with.value), json!({"must": 1, "name": "y", "list": ["a"], "nested": {"n": 2}}));
    }

    #[test]
    fn unknown_fields_are_pruned_and_a_null_takes_the_default() {
        let found = completed(json!({"must": 1, "list": [], "name": null, "what": 1, "nested": {"n": 1, "x": 2}}));
        assert_eq!(json!(found.value), json!({"must": 1, "list": [], "name": "x", "nested": {"n": 1}}));
    }

    #[test]
    fn every_violation_is_told_in_the_api_servers_words() {
        assert_eq!(refusals(json!({})), [("/spec/must".to_owned(), "spec.must: Required value".to_owned())]);
        let wrong = refusals(json!({"must": "1", "list": [1], "map": {"a": "b"}, "nested": {"s": null}}));
        let message = |path: &str, got: &str, wanted: &str| {
            format!("{path}: Invalid value: \"{got}\": {path} in body must be of type {wanted}: \"{got}\"")
        };
        let expected = [
            ("/spec/list/0", message("spec.list[0]", "integer", "string")),
            ("/spec/map/a", message("spec.map.a", "string", "boolean")),
            ("/spec/must", message("spec.must", "string", "integer")),
            ("/spec/nested/s", message("spec.nested.s", "null", "string")),
        ];
        assert_eq!(wrong, expected.map(|(at, message)| (at.to_owned(), message)));
        assert_eq!(refusals(json!("x")).len(), 1);
    }
}
