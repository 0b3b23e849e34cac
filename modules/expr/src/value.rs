//! Values while an expression is evaluated. JSON is wrapped, not converted: an
//! element becomes a value when somebody asks for it.

mod seen;

use std::{cmp::Ordering, collections::BTreeMap, ops::Deref, rc::Rc};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::Value as Json;

use crate::{
    hint::{Decode, Hint},
    kube::{
        format::Format,
        net::{Cidr, Ip},
        quantity::Quantity,
        semver::Semver,
        url::Url,
    },
    time::{Duration, Timestamp},
};

pub(crate) use seen::Seen;

/// A value. `'v` is the life of the documents and of the code.
#[derive(Clone, Debug, Default)]
pub enum Value<'v> {
    /// `null`.
    #[default]
    Null,
    /// A boolean.
    Bool(bool),
    /// An `int`.
    Int(i64),
    /// A `uint`.
    Uint(u64),
    /// A `double`.
    Double(f64),
    /// A `string`.
    Text(Text<'v>),
    /// `bytes`.
    Bytes(Rc<[u8]>),
    /// A list.
    List(List<'v>),
    /// A map or an object.
    Map(Map<'v>),
    /// A timestamp.
    Timestamp(Timestamp),
    /// A duration.
    Duration(Duration),
    /// A type, by its name.
    Type(Rc<str>),
    /// An optional.
    Optional(Option<Rc<Value<'v>>>),
    /// A value of a Kubernetes library.
    Kube(Rc<Kube>),
    /// A condition made by `runtime.newCondition`.
    Condition(Rc<Condition>),
    /// What `omit()` answers: the place that it would be written to is left out.
    Omit,
}

/// A value of a Kubernetes library.
#[derive(Clone, Debug, PartialEq)]
pub enum Kube {
    /// `kubernetes.Quantity`.
    Quantity(Quantity),
    /// `net.IP`.
    Ip(Ip),
    /// `net.CIDR`.
    Cidr(Cidr),
    /// `kubernetes.URL`.
    Url(Url),
    /// `kubernetes.Semver`.
    Semver(Semver),
    /// `kubernetes.NamedFormat`.
    Format(Format),
}

/// A condition of an object's status.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Condition {
    /// Its type.
    pub kind: String,
    /// `True`, `False` or `Unknown`; empty if there is no such condition.
    pub status: String,
    /// Why, in one word.
    pub reason: String,
    /// Why, for people.
    pub message: String,
}

/// A string: borrowed from a document, or made.
#[derive(Clone, Debug)]
pub enum Text<'v> {
    /// Part of a document or of the code.
    Borrowed(&'v str),
    /// Made while evaluating.
    Shared(Rc<str>),
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Text::Borrowed(text) => text,
            Text::Shared(text) => text,
        }
    }
}

/// A list.
#[derive(Clone, Debug)]
pub enum List<'v> {
    /// Part of a document.
    Json(&'v [Json], Option<&'v Hint<'v>>),
    /// Made while evaluating.
    Made(Rc<Vec<Value<'v>>>),
}

/// A map.
#[derive(Clone, Debug)]
pub enum Map<'v> {
    /// Part of a document.
    Json(&'v serde_json::Map<String, Json>, Option<&'v Hint<'v>>),
    /// Made while evaluating.
    Made(Rc<BTreeMap<Key<'v>, Value<'v>>>),
}

/// The key of a map. Numbers are equal whatever their type, and keys have one
/// order, so that a map is gone over in the same order every time.
#[derive(Clone, Debug)]
pub enum Key<'v> {
    /// A boolean.
    Bool(bool),
    /// An `int`.
    Int(i64),
    /// A `uint`.
    Uint(u64),
    /// A string.
    Text(Text<'v>),
}

impl Key<'_> {
    fn number(&self) -> Option<i128> {
        match self {
            Key::Int(number) => Some(i128::from(*number)),
            Key::Uint(number) => Some(i128::from(*number)),
            _ => None,
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Key::Bool(_) => 0,
            Key::Int(_) | Key::Uint(_) => 1,
            Key::Text(_) => 2,
        }
    }
}

impl Ord for Key<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Key::Bool(one), Key::Bool(two)) => one.cmp(two),
            (Key::Text(one), Key::Text(two)) => one.deref().cmp(two.deref()),
            _ => match (self.number(), other.number()) {
                (Some(one), Some(two)) => one.cmp(&two),
                _ => self.rank().cmp(&other.rank()),
            },
        }
    }
}

impl PartialOrd for Key<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Key<'_> {}

impl<'v> Value<'v> {
    /// A string that was made.
    pub fn text(text: impl Into<Rc<str>>) -> Value<'v> {
        Value::Text(Text::Shared(text.into()))
    }

    /// A list that was made.
    pub fn list(elements: Vec<Value<'v>>) -> Value<'v> {
        Value::List(List::Made(Rc::new(elements)))
    }

    /// A map that was made.
    pub fn map(entries: BTreeMap<Key<'v>, Value<'v>>) -> Value<'v> {
        Value::Map(Map::Made(Rc::new(entries)))
    }

    /// An optional that has a value.
    pub fn some(value: Value<'v>) -> Value<'v> {
        Value::Optional(Some(Rc::new(value)))
    }

    /// A value of a Kubernetes library.
    pub fn kube(value: Kube) -> Value<'v> {
        Value::Kube(Rc::new(value))
    }

    /// A JSON value, read as the hint says. A text that is not what the hint
    /// says stays a text.
    pub fn of_json(json: &'v Json, hint: Option<&'v Hint<'v>>) -> Value<'v> {
        match json {
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Bool(*value),
            Json::Number(number) => match number.as_i64() {
                Some(number) if hint.is_none_or(|hint| hint.decode != Decode::Double) => Value::Int(number),
                _ => Value::Double(number.as_f64().unwrap_or(f64::NAN)),
            },
            Json::String(text) => decoded(text, hint.map_or(Decode::AsIs, |hint| hint.decode)),
            Json::Array(elements) => Value::List(List::Json(elements, hint)),
            Json::Object(fields) => Value::Map(Map::Json(fields, hint)),
        }
    }

    /// The name of its type at run time.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Null => "null_type",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Uint(_) => "uint",
            Value::Double(_) => "double",
            Value::Text(_) => "string",
            Value::Bytes(_) => "bytes",
            Value::List(_) => "list",
            Value::Map(_) => "map",
            Value::Timestamp(_) => "google.protobuf.Timestamp",
            Value::Duration(_) => "google.protobuf.Duration",
            Value::Type(_) => "type",
            Value::Optional(_) => "optional_type",
            Value::Kube(value) => match value.as_ref() {
                Kube::Quantity(_) => "kubernetes.Quantity",
                Kube::Ip(_) => "net.IP",
                Kube::Cidr(_) => "net.CIDR",
                Kube::Url(_) => "kubernetes.URL",
                Kube::Semver(_) => "kubernetes.Semver",
                Kube::Format(_) => "kubernetes.NamedFormat",
            },
            Value::Condition(_) => "kro.run.Condition",
            Value::Omit => "kro.run.omit",
        }
    }

    /// CEL's equality: numbers by their value, lists and maps by their elements,
    /// nothing else across types.
    pub fn equals(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Null, Value::Null) | (Value::Omit, Value::Omit) => true,
            (Value::Bool(one), Value::Bool(two)) => one == two,
            (Value::Text(one), Value::Text(two)) => one.deref() == two.deref(),
            (Value::Bytes(one), Value::Bytes(two)) => one == two,
            (Value::List(one), Value::List(two)) => one.equals(two),
            (Value::Map(one), Value::Map(two)) => one.equals(two),
            (Value::Timestamp(one), Value::Timestamp(two)) => one == two,
            (Value::Duration(one), Value::Duration(two)) => one == two,
            (Value::Type(one), Value::Type(two)) => one == two,
            (Value::Optional(None), Value::Optional(None)) => true,
            (Value::Optional(Some(one)), Value::Optional(Some(two))) => one.equals(two),
            (Value::Kube(one), Value::Kube(two)) => one == two,
            (Value::Condition(one), Value::Condition(two)) => one == two,
            _ => compare_numbers(self, other) == Some(Ordering::Equal),
        }
    }

    /// The order of two values, if they have one.
    pub fn compare(&self, other: &Value) -> Option<Ordering> {
        match (self, other) {
            (Value::Bool(one), Value::Bool(two)) => Some(one.cmp(two)),
            (Value::Text(one), Value::Text(two)) => Some(one.deref().cmp(two.deref())),
            (Value::Bytes(one), Value::Bytes(two)) => Some(one.cmp(two)),
            (Value::Timestamp(one), Value::Timestamp(two)) => Some(one.cmp(two)),
            (Value::Duration(one), Value::Duration(two)) => Some(one.cmp(two)),
            _ => compare_numbers(self, other),
        }
    }

    /// The key that it is in a map, if it can be one. A whole double is the
    /// number that it is.
    pub fn as_key(&self) -> Option<Key<'v>> {
        match self {
            Value::Bool(value) => Some(Key::Bool(*value)),
            Value::Int(number) => Some(Key::Int(*number)),
            Value::Uint(number) => Some(Key::Uint(*number)),
            Value::Text(text) => Some(Key::Text(text.clone())),
            Value::Double(number) => whole(*number),
            _ => None,
        }
    }

    /// How much it weighs, for bounding work: bytes of a text, elements of a
    /// container, one of anything else.
    pub fn weight(&self) -> usize {
        match self {
            Value::Text(text) => text.len(),
            Value::Bytes(bytes) => bytes.len(),
            Value::List(list) => list.len(),
            Value::Map(map) => map.len(),
            _ => 1,
        }
    }
}

fn whole<'v>(number: f64) -> Option<Key<'v>> {
    // 2^63 and 2^64 are exact as doubles; the ranges are half open.
    if number.fract() != 0.0 {
        None
    } else if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&number) {
        Some(Key::Int(number as i64))
    } else if (0.0..18_446_744_073_709_551_616.0).contains(&number) {
        Some(Key::Uint(number as u64))
    } else {
        None
    }
}

fn decoded(text: &str, decode: Decode) -> Value<'_> {
    let value = match decode {
        Decode::AsIs | Decode::Double => None,
        Decode::Bytes => BASE64_STANDARD.decode(text).ok().map(|bytes| Value::Bytes(bytes.into())),
        Decode::Timestamp => {
            let date = || Timestamp::parse(&format!("{text}T00:00:00Z"));
            Timestamp::parse(text).or_else(|_| date()).ok().map(Value::Timestamp)
        }
        Decode::Duration => Duration::parse(text).ok().map(Value::Duration),
    };
    value.unwrap_or(Value::Text(Text::Borrowed(text)))
}

/// The order of two numbers of any type; none if one is NaN or no number.
fn compare_numbers(one: &Value, two: &Value) -> Option<Ordering> {
    match (one, two) {
        (Value::Double(one), Value::Double(two)) => one.partial_cmp(two),
        (Value::Double(one), two) => compare_double(*one, integer(two)?),
        (one, Value::Double(two)) => compare_double(*two, integer(one)?).map(Ordering::reverse),
        (one, two) => Some(integer(one)?.cmp(&integer(two)?)),
    }
}

fn integer(value: &Value) -> Option<i128> {
    match value {
        Value::Int(number) => Some(i128::from(*number)),
        Value::Uint(number) => Some(i128::from(*number)),
        _ => None,
    }
}

/// As doubles, like cel-go: neighbouring integers that a double cannot tell
/// apart are equal to it.
fn compare_double(double: f64, integer: i128) -> Option<Ordering> {
    double.partial_cmp(&(integer as f64))
}

/// CEL's equality.
impl PartialEq for Value<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.equals(other)
    }
}

impl<'v> List<'v> {
    /// How many elements it has.
    pub fn len(&self) -> usize {
        match self {
            List::Json(elements, _) => elements.len(),
            List::Made(elements) => elements.len(),
        }
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The element at a position.
    pub fn get(&self, index: usize) -> Option<Value<'v>> {
        match self {
            List::Json(elements, hint) => {
                elements.get(index).map(|json| Value::of_json(json, hint.and_then(|hint| hint.items.as_deref())))
            }
            List::Made(elements) => elements.get(index).cloned(),
        }
    }

    /// The elements in order.
    pub fn iter(&self) -> impl Iterator<Item = Value<'v>> + '_ {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// Whether it is a set: `+` keeps each element once and `==` ignores the
    /// order.
    pub fn is_set(&self) -> bool {
        matches!(self, List::Json(_, Some(hint)) if hint.set)
    }

    fn equals(&self, other: &List) -> bool {
        if self.len() != other.len() {
            return false;
        }
        if self.is_set() || other.is_set() {
            let known: Seen = other.iter().collect();
            return self.iter().all(|element| known.contains(&element));
        }
        self.iter().zip(other.iter()).all(|(one, two)| one.equals(&two))
    }
}

impl<'v> Map<'v> {
    /// How many entries it has.
    pub fn len(&self) -> usize {
        match self {
            Map::Json(fields, _) => fields.len(),
            Map::Made(entries) => entries.len(),
        }
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of a key.
    pub fn get(&self, key: &Key) -> Option<Value<'v>> {
        match (self, key) {
            (Map::Json(..), Key::Text(name)) => self.field(name),
            (Map::Json(..), _) => None,
            (Map::Made(entries), key) => {
                let entries: &BTreeMap<Key<'_>, Value<'v>> = entries;
                entries.get(key).cloned()
            }
        }
    }

    /// The value of a key that is a string.
    pub fn field(&self, name: &str) -> Option<Value<'v>> {
        match self {
            Map::Json(fields, hint) => {
                fields.get(name).map(|json| Value::of_json(json, hint.and_then(|hint| hint.field(name))))
            }
            Map::Made(entries) => {
                let entries: &BTreeMap<Key<'_>, Value<'v>> = entries;
                entries.get(&Key::Text(Text::Borrowed(name))).cloned()
            }
        }
    }

    /// The entries, in the order of their keys.
    pub fn iter(&self) -> Box<dyn Iterator<Item = (Key<'v>, Value<'v>)> + '_> {
        match self {
            Map::Json(fields, hint) => {
                let hint = *hint;
                let fields: &'v serde_json::Map<String, Json> = fields;
                Box::new(fields.iter().map(move |(name, json)| {
                    let value = Value::of_json(json, hint.and_then(|hint| hint.field(name)));
                    (Key::Text(Text::Borrowed(name.as_str())), value)
                }))
            }
            Map::Made(entries) => Box::new(entries.iter().map(|(key, value)| (key.clone(), value.clone()))),
        }
    }

    fn equals(&self, other: &Map) -> bool {
        self.len() == other.len()
            && self.iter().all(|(key, value)| other.get(&key).is_some_and(|other| value.equals(&other)))
    }
}

impl<'v> From<Key<'v>> for Value<'v> {
    fn from(key: Key<'v>) -> Value<'v> {
        match key {
            Key::Bool(value) => Value::Bool(value),
            Key::Int(number) => Value::Int(number),
            Key::Uint(number) => Value::Uint(number),
            Key::Text(text) => Value::Text(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_equal_by_value() {
        assert!(Value::Int(1).equals(&Value::Double(1.0)));
        assert!(Value::Uint(u64::MAX).compare(&Value::Int(-1)) == Some(Ordering::Greater));
        assert_eq!(Value::Double(f64::NAN).compare(&Value::Int(1)), None);
        assert_eq!(Value::Double(-0.5).compare(&Value::Int(0)), Some(Ordering::Less));
    }

    #[test]
    fn a_made_map_equals_the_json_that_is_written_the_same() {
        let json = json!({"a": [1, {"b": null}]});
        let inner = Value::map(BTreeMap::from([(Key::Text(Text::Borrowed("b")), Value::Null)]));
        let list = Value::list(vec![Value::Double(1.0), inner]);
        let made = Value::map(BTreeMap::from([(Key::Text(Text::Borrowed("a")), list)]));
        assert!(made.equals(&Value::of_json(&json, None)));
        assert!(Value::of_json(&json, None).equals(&made));
    }

    #[test]
    fn a_set_is_equal_in_any_order() {
        let hint = Hint { set: true, ..Hint::default() };
        let (set, other) = (json!(["a", "b"]), json!(["b", "a"]));
        assert!(Value::of_json(&set, Some(&hint)).equals(&Value::of_json(&other, None)));
        assert!(!Value::of_json(&set, None).equals(&Value::of_json(&other, None)));
    }
}
