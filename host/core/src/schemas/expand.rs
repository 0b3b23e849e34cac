//! A schema with references as one without: each is replaced by what it refers
//! to, and what only people or validators read is left out.
//!
//! A document may come from a tenant, and a small one can describe a schema
//! without end. So depth and size of the result are bounded, and what is beyond
//! is cut to "any value".

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

/// How deep schemas nest. JSON nests up to twice as deep, and modules read 128
/// levels of it.
const MAX_LEVELS: usize = 60;

/// JSON values in one schema, a long text counting as several. The largest
/// built-in kind, Pod, takes 5,230; this many are less than a mebibyte.
const MAX_VALUES: usize = 50_000;

/// Bytes of a text that count as one value: what a value takes anyway.
const BYTES_OF_A_VALUE: usize = 32;

/// References that lead to one schema without a level between them. Servers
/// publish chains of one or two.
const MAX_REFERENCES: usize = 16;

/// Where the schemas of a document are. Built-in ones are referred to by name.
const COMPONENTS: &str = "#/components/schemas/";

const ANY_FIELDS: &str = "x-kubernetes-preserve-unknown-fields";
const INT_OR_STRING: &str = "x-kubernetes-int-or-string";

/// What is taken over as it stands.
const KEPT: [&str; 12] = [
    "type",
    "format",
    "enum",
    "default",
    "nullable",
    "additionalProperties",
    ANY_FIELDS,
    INT_OR_STRING,
    "x-kubernetes-embedded-resource",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-map-type",
];

/// What is said to people alone.
const NOTES: [&str; 5] = ["description", "title", "example", "examples", "externalDocs"];

/// Definitions of `k8s.io/apimachinery` that stand for objects of any kind, which
/// OpenAPI does not say of them.
const OPEN: [&str; 2] = [".runtime.RawExtension", ".meta.v1.FieldsV1"];

static TRUE: Value = Value::Bool(true);

/// The definition of a name as a schema without references. Each of
/// `definitions` is asked in turn.
pub(super) fn expand(name: &str, definitions: &[&Map<String, Value>]) -> Value {
    expand_schema(&json!({"$ref": name}), definitions)
}

/// A schema as one without references.
pub(super) fn expand_schema(schema: &Value, definitions: &[&Map<String, Value>]) -> Value {
    Expansion { definitions, open: Vec::new(), left: MAX_VALUES }.schema(schema, 1)
}

struct Expansion<'a> {
    definitions: &'a [&'a Map<String, Value>],
    /// The names of the definitions around the present schema.
    open: Vec<&'a str>,
    /// Values that the result may still take.
    left: usize,
}

/// A schema and all that it refers to, taken together: what is said nearer
/// counts.
#[derive(Default)]
struct Flat<'a> {
    said: BTreeMap<&'a str, &'a Value>,
    properties: Option<BTreeMap<&'a str, &'a Value>>,
    required: BTreeSet<&'a str>,
    names: Vec<&'a str>,
}

impl<'a> Expansion<'a> {
    fn schema(&mut self, schema: &'a Value, level: usize) -> Value {
        if level > MAX_LEVELS || self.pay(0).is_none() {
            return any_value();
        }
        let mut flat = Flat::default();
        if !self.merge(schema, &mut flat) {
            return json!({"type": "object", ANY_FIELDS: true});
        }
        let outside = self.open.len();
        self.open.extend(&flat.names);
        let stated = self.state(&flat, level).unwrap_or_else(any_value);
        self.open.truncate(outside);
        stated
    }

    /// Adds a schema and what it refers to. Answers whether there is an end of
    /// it: not at a definition within itself.
    fn merge(&self, schema: &'a Value, flat: &mut Flat<'a>) -> bool {
        let Some(fields) = schema.as_object() else { return true };
        for (name, value) in fields {
            match (name.as_str(), value) {
                ("$ref" | "allOf", _) => {}
                ("properties", Value::Object(more)) => {
                    let properties = flat.properties.get_or_insert_default();
                    for (name, property) in more {
                        properties.entry(name).or_insert(property);
                    }
                }
                ("required", Value::Array(more)) => flat.required.extend(more.iter().filter_map(Value::as_str)),
                (name, value) => {
                    flat.said.entry(name).or_insert(value);
                }
            }
        }
        let followed = match fields.get("$ref").and_then(Value::as_str) {
            Some(reference) => self.follow(reference, flat),
            None => true,
        };
        let mut parts = fields.get("allOf").and_then(Value::as_array).into_iter().flatten();
        followed && parts.all(|part| self.merge(part, flat))
    }

    fn follow(&self, reference: &'a str, flat: &mut Flat<'a>) -> bool {
        let name = reference.strip_prefix(COMPONENTS).unwrap_or(reference);
        if flat.names.contains(&name) {
            return true;
        }
        if self.open.contains(&name) || flat.names.len() == MAX_REFERENCES {
            return false;
        }
        flat.names.push(name);
        let definition = self.definitions.iter().find_map(|definitions| definitions.get(name));
        if definition.is_none() || OPEN.iter().any(|open| name.ends_with(open)) {
            flat.said.entry(ANY_FIELDS).or_insert(&TRUE);
        }
        definition.is_none_or(|definition| self.merge(definition, flat))
    }

    /// The schema without references, or `None` if it is too large.
    fn state(&mut self, flat: &Flat<'a>, level: usize) -> Option<Value> {
        let mut stated = Map::new();
        let loose = is_int_or_string(flat);
        if loose {
            stated.insert(INT_OR_STRING.to_owned(), true.into());
            if is_quantity(flat) {
                stated.insert("oneOf".to_owned(), json!([{"type": "string"}, {"type": "number"}]));
            }
        }
        for (&name, &value) in &flat.said {
            let value = match name {
                "type" | "format" | "oneOf" | "anyOf" if loose => None,
                "items" => Some(self.schema(value, level + 1)),
                "additionalProperties" if value.is_object() => Some(self.schema(value, level + 1)),
                "oneOf" | "anyOf" => self.copy(value, level)?.as_ref().and_then(alternatives),
                name if KEPT.contains(&name) => self.copy(value, level)?,
                _ => None,
            };
            if let Some(value) = value {
                stated.insert(name.to_owned(), value);
            }
        }
        if !flat.required.is_empty() {
            flat.required.iter().try_for_each(|name| self.pay(name.len()))?;
            stated.insert("required".to_owned(), flat.required.iter().copied().collect());
        }
        if let Some(properties) = &flat.properties {
            // Paid for together, so that an object has all of its fields or none.
            properties.keys().try_for_each(|name| self.pay(name.len()))?;
            let properties =
                properties.iter().map(|(&name, &schema)| (name.to_owned(), self.schema(schema, level + 1)));
            stated.insert("properties".to_owned(), Value::Object(properties.collect()));
        }
        if says_nothing(&stated) {
            stated.insert(ANY_FIELDS.to_owned(), true.into());
        }
        Some(Value::Object(stated))
    }

    /// A value as it stands, if it does not nest too deep; `None` if there is no
    /// room for it.
    fn copy(&mut self, value: &Value, level: usize) -> Option<Option<Value>> {
        self.pay_for(value)?;
        // What is two levels of JSON deeper than its schema fits everywhere.
        Some((2 * level + depth(value) <= 2 * MAX_LEVELS + 2).then(|| value.clone()))
    }

    fn pay_for(&mut self, value: &Value) -> Option<()> {
        match value {
            Value::String(text) => self.pay(text.len()),
            Value::Array(values) => self.pay(0).and_then(|()| values.iter().try_for_each(|value| self.pay_for(value))),
            Value::Object(fields) => {
                self.pay(0)?;
                fields.iter().try_for_each(|(name, value)| self.pay(name.len()).and_then(|()| self.pay_for(value)))
            }
            _ => self.pay(0),
        }
    }

    /// Takes one value with a text of so many bytes off what is left. Once
    /// something did not fit, nothing does: the search for an end is over.
    fn pay(&mut self, bytes: usize) -> Option<()> {
        let left = self.left.checked_sub(1 + bytes / BYTES_OF_A_VALUE);
        self.left = left.unwrap_or(0);
        left.map(|_| ())
    }
}

fn any_value() -> Value {
    json!({ANY_FIELDS: true})
}

/// The types `IntOrString` and `Quantity` of Kubernetes, however they are
/// written.
fn is_int_or_string(flat: &Flat<'_>) -> bool {
    let is = |name: &str, value: Value| flat.said.get(name).is_some_and(|said| **said == value);
    let either = |name: &str| {
        let types = types_of_members(flat, name);
        types == BTreeSet::from(["integer", "string"]) || types == BTreeSet::from(["number", "string"])
    };
    is(INT_OR_STRING, true.into())
        || is("format", "int-or-string".into())
        || (!flat.said.contains_key("type") && (either("oneOf") || either("anyOf")))
}

/// Whether any number will do, as for a `Quantity`.
fn is_quantity(flat: &Flat<'_>) -> bool {
    ["oneOf", "anyOf"].iter().any(|name| types_of_members(flat, name).contains("number"))
}

fn types_of_members<'a>(flat: &Flat<'a>, name: &str) -> BTreeSet<&'a str> {
    let members = flat.said.get(name).and_then(|members| members.as_array()).into_iter().flatten();
    members.map(|member| member.get("type").and_then(Value::as_str).unwrap_or_default()).collect()
}

/// Such a schema takes whatever comes, which has to be said.
fn says_nothing(stated: &Map<String, Value>) -> bool {
    let saying =
        ["type", "properties", "items", "additionalProperties", "enum", "oneOf", "anyOf", INT_OR_STRING, ANY_FIELDS];
    !saying.iter().any(|name| stated.contains_key(*name))
}

/// The members of a `oneOf` or `anyOf`, if all that they say can be kept. A part
/// of it would be another condition, which valid objects do not fulfil.
fn alternatives(members: &Value) -> Option<Value> {
    members.as_array()?.iter().map(alternative).collect::<Option<Vec<Value>>>().map(Value::Array)
}

fn alternative(member: &Value) -> Option<Value> {
    let mut kept = Map::new();
    for (name, value) in member.as_object()? {
        let value = match name.as_str() {
            note if NOTES.contains(&note) => continue,
            "properties" => {
                let properties =
                    value.as_object()?.iter().map(|(name, value)| Some((name.clone(), alternative(value)?)));
                Value::Object(properties.collect::<Option<Map<_, _>>>()?)
            }
            "items" => alternative(value)?,
            "additionalProperties" if value.is_object() => alternative(value)?,
            "oneOf" | "anyOf" => alternatives(value)?,
            "required" => value.clone(),
            name if KEPT.contains(&name) => value.clone(),
            _ => return None,
        };
        kept.insert(name.clone(), value);
    }
    Some(Value::Object(kept))
}

/// How deep a value nests: a scalar not at all.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(values) => 1 + values.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}
