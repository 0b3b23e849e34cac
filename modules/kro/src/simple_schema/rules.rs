//! What the markers of SimpleSchema mean: what each does to the schema of its
//! field, and which of them make no CRD together.
//!
//! Defaults are for `defaults`, since they have to keep the rules of all other
//! markers.

use serde_json::{Map, Value, json};

use super::{
    defaults,
    markers::{Marker, ONE_BAR, parse_bool},
    pattern,
    types::Type,
};
use crate::{model::Dialect, problem::nearest};

const MARKERS_V01: [&str; 3] = ["required", "default", "description"];

const MARKERS_V09: [&str; 16] = [
    "required",
    "default",
    "description",
    "minimum",
    "maximum",
    "enum",
    "pattern",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
    "listType",
    "listMapKey",
    "validation",
    "immutable",
];

const LIST_TYPE: &str = "x-kubernetes-list-type";
const LIST_KEYS: &str = "x-kubernetes-list-map-keys";
const VALIDATIONS: &str = "x-kubernetes-validations";

/// A field under construction.
#[derive(Debug)]
pub(super) struct Field {
    /// Its schema, or null if its type is unknown.
    pub(super) schema: Value,
    /// Whether its object needs it.
    pub(super) required: bool,
}

/// Why a marker cannot be applied.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) hint: String,
}

impl Refusal {
    fn new(message: impl Into<String>, hint: impl Into<String>) -> Refusal {
        Refusal { code: "InvalidMarker", message: message.into(), hint: hint.into() }
    }

    fn unknown(key: &str, dialect: Dialect) -> Refusal {
        let known: &[&str] = match dialect {
            Dialect::V01 => &MARKERS_V01,
            Dialect::V09 => &MARKERS_V09,
        };
        let hint = match nearest(key, known.iter().copied()) {
            _ if key.starts_with('|') => ONE_BAR.to_owned(),
            _ if alias(key).is_some_and(|alias| known.contains(&alias)) => {
                format!("it is called `{}` here", alias(key).unwrap_or_default())
            }
            _ if key.starts_with("items.") => {
                "for the elements of a list, declare a type and use it: `types: {Choice: 'string | enum=\"a,b\"'}` and \
                 `[]Choice`"
                    .to_owned()
            }
            _ if matches!(key, "optional" | "nullable" | "omitempty") => {
                "a field is optional unless it has `required=true`".to_owned()
            }
            Some(known) => format!("did you mean `{known}`?"),
            None => format!("the markers are {}", listed(known)),
        };
        let message = format!("invalid marker key \"{key}\": unknown marker: {key}");
        Refusal { code: "UnknownMarker", message, hint }
    }
}

/// What OpenAPI, JSON Schema and people call the same marker.
fn alias(key: &str) -> Option<&'static str> {
    Some(match key {
        "min" | "gte" | "Minimum" => "minimum",
        "max" | "lte" | "Maximum" => "maximum",
        "min_length" | "minlength" => "minLength",
        "max_length" | "maxlength" => "maxLength",
        "regex" | "regexp" | "matches" => "pattern",
        "oneOf" | "one_of" | "values" | "options" | "choices" | "allowed" => "enum",
        "doc" | "desc" | "comment" => "description",
        "unique" | "set" => "uniqueItems",
        "rule" | "cel" | "validate" => "validation",
        "readonly" | "readOnly" | "const" => "immutable",
        _ => return None,
    })
}

/// `a`, `b` and `c`.
fn listed(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// Does to a field what a marker says, except for a default.
pub(super) fn apply(marker: &Marker, dialect: Dialect, field: &mut Field) -> Result<(), Refusal> {
    let known = match dialect {
        Dialect::V01 => MARKERS_V01.contains(&marker.key.as_str()),
        Dialect::V09 => MARKERS_V09.contains(&marker.key.as_str()),
    };
    if !known {
        return Err(Refusal::unknown(&marker.key, dialect));
    }
    if marker.key == "required" {
        let required = boolean(marker, dialect)?;
        // For kro v0.9, what is required once stays so.
        field.required = required || field.required && dialect == Dialect::V09;
        return Ok(());
    }
    match &mut field.schema {
        Value::Object(schema) if schema.contains_key("type") => apply_to(schema, marker, dialect),
        // A type that could not be read was noted.
        _ => Ok(()),
    }
}

fn apply_to(schema: &mut Map<String, Value>, marker: &Marker, dialect: Dialect) -> Result<(), Refusal> {
    let (key, text) = (marker.key.as_str(), marker.value.as_str());
    let value = match key {
        // An empty one is none, as everywhere in Kubernetes.
        "description" if text.is_empty() => {
            schema.remove(key);
            return Ok(());
        }
        "description" => json!(text),
        "minimum" | "maximum" => defaults::whole(bound(marker)?),
        "enum" => choices(schema, marker)?,
        "pattern" => {
            check_pattern(schema, marker)?;
            json!(text)
        }
        "minLength" | "maxLength" => {
            only_for("string", schema, key)?;
            json!(count(marker)?)
        }
        "minItems" | "maxItems" => {
            only_for("array", schema, key)?;
            json!(count(marker)?)
        }
        "uniqueItems" => {
            let unique = boolean(marker, dialect)?;
            only_for("array", schema, key)?;
            if unique {
                schema.insert(LIST_TYPE.to_owned(), json!("set"));
            }
            return Ok(());
        }
        "listType" => {
            only_for("array", schema, key)?;
            schema.insert(LIST_TYPE.to_owned(), json!(list_type(text)?));
            return Ok(());
        }
        "listMapKey" => {
            only_for("array", schema, key)?;
            if text.is_empty() {
                let message = "listMapKey marker value cannot be empty";
                return Err(Refusal::new(message, "name the field that tells the elements apart"));
            }
            append(schema, LIST_KEYS, json!(text));
            return Ok(());
        }
        "validation" if text.trim().is_empty() => {
            let hint = "write a CEL rule about `self`, such as `validation=\"self.size() > 0\"`";
            return Err(Refusal::new("validation failed: the rule is empty", hint));
        }
        "validation" => {
            append(schema, VALIDATIONS, json!({"rule": text, "message": "validation failed"}));
            return Ok(());
        }
        "immutable" => {
            if boolean(marker, dialect)? {
                append(schema, VALIDATIONS, json!({"rule": "self == oldSelf", "message": "field is immutable"}));
            }
            return Ok(());
        }
        _ => return Ok(()),
    };
    schema.insert(key.to_owned(), value);
    Ok(())
}

fn append(schema: &mut Map<String, Value>, key: &str, value: Value) {
    match schema.get_mut(key) {
        Some(Value::Array(elements)) => elements.push(value),
        _ => drop(schema.insert(key.to_owned(), json!([value]))),
    }
}

fn type_of(schema: &Map<String, Value>) -> &str {
    schema.get("type").and_then(Value::as_str).unwrap_or_default()
}

fn only_for(wanted: &str, schema: &Map<String, Value>, key: &str) -> Result<(), Refusal> {
    let found = type_of(schema);
    if found == wanted {
        return Ok(());
    }
    let message = format!("{key} marker is only valid for {wanted} types, got type: {found}");
    let what = if wanted == "array" { "a list, such as `[]string`" } else { "a `string`" };
    Err(Refusal::new(message, format!("leave out `{key}`, or make the field {what}")))
}

fn boolean(marker: &Marker, dialect: Dialect) -> Result<bool, Refusal> {
    let Marker { key, value, .. } = marker;
    parse_bool(value).ok_or_else(|| {
        let message = match dialect {
            Dialect::V01 => format!("invalid value for {key}: `{value}` is not a boolean"),
            Dialect::V09 => format!("failed to parse {key} marker value: parsing \"{value}\": invalid syntax"),
        };
        Refusal::new(message, format!("write `{key}=true` or `{key}=false`"))
    })
}

fn bound(marker: &Marker) -> Result<f64, Refusal> {
    let Marker { key, value, .. } = marker;
    defaults::float(value).ok_or_else(|| {
        // kro says `enum` here too.
        let message = format!("failed to parse {key} enum value: parsing \"{value}\": invalid syntax");
        Refusal::new(message, format!("write a number, such as `{key}=1`"))
    })
}

fn count(marker: &Marker) -> Result<i64, Refusal> {
    let Marker { key, value, .. } = marker;
    value.parse().map_err(|_| {
        let message = format!("failed to parse {key} value: parsing \"{value}\": invalid syntax");
        Refusal::new(message, format!("write a whole number, such as `{key}=1`"))
    })
}

fn choices(schema: &Map<String, Value>, marker: &Marker) -> Result<Value, Refusal> {
    let mut choices = Vec::new();
    for choice in marker.value.split(',').map(str::trim) {
        let message = match type_of(schema) {
            _ if choice.is_empty() => "empty enum values are not allowed".to_owned(),
            "string" => {
                choices.push(json!(choice));
                continue;
            }
            "integer" => match choice.parse::<i64>() {
                Ok(number) => {
                    choices.push(json!(number));
                    continue;
                }
                Err(_) => format!("failed to parse integer enum value: parsing \"{choice}\": invalid syntax"),
            },
            other => format!("enum values only supported for string and integer types, got type: {other}"),
        };
        let hint = match type_of(schema) {
            "array" => {
                "for the elements of a list, declare a type and use it: `types: {Choice: 'string | enum=\"a,b\"'}` and \
                 `[]Choice`"
            }
            _ => "write values of a `string` or an `integer`, such as `enum=\"a,b\"`",
        };
        return Err(Refusal::new(message, hint));
    }
    Ok(json!(choices))
}

fn check_pattern(schema: &Map<String, Value>, marker: &Marker) -> Result<(), Refusal> {
    if marker.value.is_empty() {
        let hint = "write a regular expression, such as `pattern=\"^[a-z]+$\"`";
        return Err(Refusal::new("pattern marker value cannot be empty", hint));
    }
    only_for("string", schema, "pattern")?;
    pattern::compile(&marker.value).map(drop).map_err(|error| {
        let message = format!("invalid pattern regex: error parsing regexp: {error}");
        Refusal::new(message, "write a regular expression of Go (RE2), without look-around and back-references")
    })
}

/// What the API server would not take of a finished field: a list whose kind
/// does not suit its elements, or a rule about changes of something that has no
/// identity.
pub(super) fn contradiction(ty: &Type, markers: &[Marker], schema: &Value) -> Option<Refusal> {
    // What a type with a name brings along was looked at where it is declared.
    let states_a_list = matches!(ty, Type::List(_)) || markers.iter().any(is_about_lists);
    let found = if states_a_list { list_contradiction(schema) } else { None };
    found.or_else(|| has_unidentified_rule(ty, schema).then(unidentified_rule))
}

/// Whether a marker says what kind of list a field is.
pub(super) fn is_about_lists(marker: &Marker) -> bool {
    matches!(marker.key.as_str(), "listType" | "listMapKey" | "uniqueItems")
}

fn list_contradiction(schema: &Value) -> Option<Refusal> {
    let list_type = schema[LIST_TYPE].as_str();
    let keys: Vec<&str> = schema[LIST_KEYS].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let items = &schema["items"];
    let use_key = "write `listType=map listMapKey=…` with a required field of the elements";
    if list_type != Some("map") {
        if !keys.is_empty() {
            return Some(Refusal::new("listMapKey marker requires listType=map", use_key));
        }
        let is_set_of_maps = list_type == Some("set") && items["type"] == json!("object");
        return is_set_of_maps.then(|| Refusal::new("the elements of a set cannot be maps", use_key));
    }
    if keys.is_empty() {
        return Some(Refusal::new("listType=map requires a listMapKey marker", use_key));
    }
    // If its type could not be read, that was noted.
    items.get("type")?;
    keys.iter().find_map(|key| {
        let property = &items["properties"][*key];
        let is_required = items["required"].as_array().is_some_and(|required| required.contains(&json!(key)));
        let wrong = match property["type"].as_str() {
            None => "is not a field of the elements",
            Some("object" | "array") => "must be a single value",
            Some(_) if !is_required && property.get("default").is_none() => "must be required or have a default",
            Some(_) => return None,
        };
        Some(Refusal::new(format!("the listMapKey `{key}` {wrong}"), use_key))
    })
}

fn list_type(text: &str) -> Result<&str, Refusal> {
    const KNOWN: [&str; 3] = ["atomic", "set", "map"];
    if KNOWN.contains(&text) {
        return Ok(text);
    }
    let message = format!("invalid listType value \"{text}\": must be one of atomic, set, map");
    let hint = nearest(text, KNOWN)
        .map_or_else(|| format!("write one of {}", listed(&KNOWN)), |known| format!("did you mean `{known}`?"));
    Err(Refusal::new(message, hint))
}

/// Whether an element of a list that has no keys has a rule about its former
/// self. Types with a name were looked at where they are declared.
fn has_unidentified_rule(ty: &Type, schema: &Value) -> bool {
    match ty {
        Type::List(element) => {
            let items = &schema["items"];
            schema[LIST_TYPE] != json!("map") && mentions_old_self(items) || has_unidentified_rule(element, items)
        }
        Type::Map(values) => has_unidentified_rule(values, &schema["additionalProperties"]),
        Type::Scalar(_) | Type::Open | Type::Named(_) => false,
    }
}

fn mentions_old_self(schema: &Value) -> bool {
    let mut rules = schema[VALIDATIONS].as_array().into_iter().flatten();
    let below = schema["properties"].as_object().into_iter().flatten().map(|(_, property)| property);
    let mut below = below.chain(["items", "additionalProperties"].iter().filter_map(|name| schema.get(name)));
    rules.any(|rule| rule["rule"].as_str().is_some_and(|rule| rule.contains("oldSelf"))) || below.any(mentions_old_self)
}

fn unidentified_rule() -> Refusal {
    Refusal::new(
        "an element of a list cannot be immutable or have a rule about `oldSelf`: a list does not say which element \
         it was before",
        "make the whole list immutable, or give it `listType=map` and a `listMapKey`",
    )
}
