//! Values as JSON, as kro writes them into templates and statuses.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Number, Value as Json};

use crate::{
    number,
    value::{Key, List, Map as Entries, Value},
};

/// Values nested deeper than this are not a JSON document that anybody would take.
const MAX_DEPTH: usize = 64;

/// A value that JSON cannot hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotJson {
    /// A type without a JSON form.
    #[error("unsupported type: {0}")]
    Type(&'static str),
    /// Bytes, for which there is more than one form.
    #[error(
        "unsupported type: bytes value cannot be used directly in a resource template or status field; encode it \
         explicitly, e.g. base64.encode(...)"
    )]
    Bytes,
    /// A `uint` beyond `int`.
    #[error("unsupported type: uint value {0} overflows int64; convert it explicitly, e.g. string(...)")]
    Uint(u64),
    /// A map whose keys are not strings; the type is Go's.
    #[error("map key must be string, got {0}")]
    Key(&'static str),
    /// NaN or an infinity.
    #[error("unsupported value: {0} is not a JSON number")]
    Number(String),
    /// Too many levels.
    #[error("unsupported value: more than {MAX_DEPTH} levels deep")]
    TooDeep,
}

/// A value as JSON; none if it is to be left out. A part of a document is the
/// document's own JSON again, whatever its fields were read as.
///
/// # Errors
/// JSON cannot hold it.
pub fn to_json(value: &Value) -> Result<Option<Json>, NotJson> {
    at_depth(value, 0, Target::Object)
}

/// How much a JSON value is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// How many values, itself and those in it.
    pub values: usize,
    /// How many levels it nests: none if it is neither a list nor a map.
    pub depth: usize,
}

/// Appends a value's JSON to a text: what [`to_json`] answers, without making it
/// first. Nothing is appended, and none answered, if the value is to be left out.
///
/// # Errors
/// JSON cannot hold it.
pub fn write_json(value: &Value, text: &mut String) -> Result<Option<Extent>, NotJson> {
    match value {
        Value::Text(string) => write_text(string, text),
        Value::Int(number) => write_number(*number, text),
        Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        other => {
            let Some(json) = to_json(other)? else { return Ok(None) };
            text.push_str(&json.to_string());
            return Ok(Some(extent(&json)));
        }
    }
    Ok(Some(Extent { values: 1, depth: 0 }))
}

/// Appends a text as a JSON string.
pub fn write_text(string: &str, json: &mut String) {
    json.reserve(string.len() + 2);
    json.push('"');
    escape(string, json);
    json.push('"');
}

/// Appends what stands between the quotes of a JSON string.
pub(crate) fn escape(string: &str, json: &mut String) {
    // Hardly any has something to escape.
    if string.bytes().any(|byte| byte < b' ' || byte == b'"' || byte == b'\\') {
        let quoted = Json::from(string).to_string();
        json.push_str(&quoted[1..quoted.len() - 1]);
    } else {
        json.push_str(string);
    }
}

fn write_number(number: i64, text: &mut String) {
    let mut buffer = itoa::Buffer::new();
    text.push_str(buffer.format(number));
}

/// How much a JSON value is.
pub fn extent(json: &Json) -> Extent {
    let within = |below: Extent, each: Extent| Extent {
        values: below.values + each.values,
        depth: below.depth.max(each.depth + 1),
    };
    let itself = |depth| Extent { values: 1, depth };
    match json {
        Json::Array(elements) => elements.iter().map(extent).fold(itself(1), within),
        Json::Object(fields) => fields.values().map(extent).fold(itself(1), within),
        _ => itself(0),
    }
}

/// As a text of JSON can hold it, which can hold more than an object: bytes are
/// base64 and every `uint` is a number, as Go's `encoding/json` writes them.
pub(crate) fn to_json_text(value: &Value) -> Result<String, NotJson> {
    Ok(go_json(&at_depth(value, 0, Target::Text)?.unwrap_or(Json::Null)))
}

/// Where a value goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Target {
    /// Into an object of Kubernetes.
    Object,
    /// Into a text.
    Text,
}

fn at_depth(value: &Value, depth: usize, target: Target) -> Result<Option<Json>, NotJson> {
    if depth > MAX_DEPTH {
        return Err(NotJson::TooDeep);
    }
    Ok(Some(match value {
        Value::Omit => return Ok(None),
        Value::Null | Value::Optional(None) => Json::Null,
        Value::Optional(Some(value)) => return at_depth(value, depth + 1, target),
        Value::Bool(value) => Json::Bool(*value),
        Value::Int(number) => Json::from(*number),
        Value::Uint(number) if target == Target::Text => Json::from(*number),
        Value::Uint(number) => i64::try_from(*number).map(Json::from).map_err(|_| NotJson::Uint(*number))?,
        Value::Double(number) => of_double(*number)?,
        Value::Text(text) => Json::String(text.to_string()),
        Value::Bytes(bytes) if target == Target::Text => Json::String(STANDARD.encode(bytes)),
        Value::Bytes(_) => return Err(NotJson::Bytes),
        Value::List(List::Json(elements, _)) => Json::Array(elements.to_vec()),
        Value::Map(Entries::Json(fields, _)) => Json::Object((*fields).clone()),
        Value::List(list) => Json::Array(list_of(list, depth, target)?),
        Value::Map(map) => Json::Object(map_of(map, depth, target)?),
        Value::Timestamp(at) => Json::String(at.to_rfc3339_seconds()),
        Value::Duration(span) => Json::String(span.to_go_string()),
        Value::Type(_) | Value::Kube(_) | Value::Condition(_) => return Err(NotJson::Type(value.type_name())),
    }))
}

fn list_of(list: &List, depth: usize, target: Target) -> Result<Vec<Json>, NotJson> {
    list.iter().filter_map(|element| at_depth(&element, depth + 1, target).transpose()).collect()
}

fn map_of(map: &Entries, depth: usize, target: Target) -> Result<Map<String, Json>, NotJson> {
    let mut json = Map::new();
    for (key, value) in map.iter() {
        let name = match key {
            Key::Text(name) => name.to_string(),
            Key::Bool(_) => return Err(NotJson::Key("bool")),
            Key::Int(_) => return Err(NotJson::Key("int64")),
            Key::Uint(_) => return Err(NotJson::Key("uint64")),
        };
        if let Some(value) = at_depth(&value, depth + 1, target)? {
            json.insert(name, value);
        }
    }
    Ok(json)
}

/// A whole number is written without a fraction, as Go does.
fn of_double(number: f64) -> Result<Json, NotJson> {
    // 2^53: up to there a double is exact.
    if number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0 {
        return Ok(Json::from(number as i64));
    }
    Number::from_f64(number).map(Json::Number).ok_or_else(|| NotJson::Number(number::shortest(number)))
}

/// JSON as a value that owns it. Numbers are doubles, as Go reads them when
/// nobody says what they are.
pub(crate) fn of_owned<'v>(json: Json) -> Value<'v> {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(value),
        Json::Number(number) => Value::Double(number.as_f64().unwrap_or(f64::NAN)),
        Json::String(text) => Value::text(text),
        Json::Array(elements) => Value::list(elements.into_iter().map(of_owned).collect()),
        Json::Object(fields) => {
            let entries = fields
                .into_iter()
                .map(|(name, json)| (Key::Text(crate::value::Text::Shared(name.into())), of_owned(json)));
            Value::map(entries.collect())
        }
    }
}

/// JSON text as Go's `encoding/json` writes it: `<`, `>`, `&` and two line
/// separators escaped, doubles in Go's form.
pub(crate) fn go_json(json: &Json) -> String {
    let mut text = String::new();
    write_go(json, &mut text);
    text
}

fn write_go(json: &Json, text: &mut String) {
    match json {
        Json::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(double) => text.push_str(&number::json(double)),
            None => text.push_str(&number.to_string()),
        },
        Json::String(string) => write_string(string, text),
        Json::Array(elements) => {
            text.push('[');
            for (index, element) in elements.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_go(element, text);
            }
            text.push(']');
        }
        Json::Object(fields) => {
            text.push('{');
            for (index, (name, value)) in fields.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_string(name, text);
                text.push(':');
                write_go(value, text);
            }
            text.push('}');
        }
        other => text.push_str(&other.to_string()),
    }
}

fn write_string(string: &str, text: &mut String) {
    for letter in Json::from(string).to_string().chars() {
        match letter {
            '<' => text.push_str("\\u003c"),
            '>' => text.push_str("\\u003e"),
            '&' => text.push_str("\\u0026"),
            '\u{2028}' => text.push_str("\\u2028"),
            '\u{2029}' => text.push_str("\\u2029"),
            other => text.push(other),
        }
    }
}
