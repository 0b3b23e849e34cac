//! JSON as a type. What does not fit is located, which costs a second look that
//! is taken only then.

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::Segment;

use super::{
    ApiType,
    halt::{Halt, escaped, invalid},
};
use crate::Failure;

/// An instance as its type.
pub(super) fn instance<A: ApiType>(object: &Value) -> Result<A, Failure> {
    A::deserialize(object).map_err(|_| wrong::<A>(object, "", Some(&A::plural(&()))).into_failure())
}

/// What is wrong with a value that is not a `T`. `explain` names the resource
/// whose schema says what would be right.
pub(super) fn wrong<T: DeserializeOwned>(value: &Value, at: &str, explain: Option<&str>) -> Halt {
    let Some(error) = serde_path_to_error::deserialize::<_, T>(value).err() else {
        return super::fault("a value is read as its type only at the second attempt");
    };
    let (mut at, mut field) = (at.to_owned(), String::new());
    for segment in error.path() {
        match segment {
            Segment::Seq { index } => at.push_str(&format!("/{index}")),
            Segment::Map { key: name } | Segment::Enum { variant: name } => {
                at.push_str(&format!("/{}", escaped(name)));
                field.push_str(&format!(".{name}"));
            }
            Segment::Unknown => break,
        }
    }
    let message = error.inner().to_string();
    let missing = message.strip_prefix("missing field ").map(|name| format!("{name} is required"));
    let (code, message) = match missing {
        Some(missing) => ("MissingField", missing),
        None if message.starts_with("unknown field") => ("UnknownField", message),
        None => ("InvalidValue", message),
    };
    let halt = invalid(&at, message).code(code);
    match explain {
        Some(resource) => halt.hint(format!("`kubectl explain {resource}{field}` says what it takes")),
        None => halt,
    }
}

/// `None` in a Rust type is a field that is not there.
pub(super) fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(fields.map(|(name, value)| (name, without_nulls(value))).collect())
        }
        Value::Array(elements) => Value::Array(elements.into_iter().map(without_nulls).collect()),
        other => other,
    }
}
