//! The definition's `spec.config` as a type, with the place of what is wrong.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{
    halt::{Result, escaped, invalid},
    read,
};

const AT: &str = "/spec/config";

/// The configuration. Nothing reads as an empty object.
pub(super) fn read<T: DeserializeOwned>(config: &Value) -> Result<T> {
    let empty = Value::Object(Map::new());
    let config = if config.is_null() { &empty } else { config };
    let mut unknown = Vec::new();
    let value = serde_ignored::deserialize(config, |path| unknown.push(format!("{AT}{}", place(&path))));
    match (value, unknown.first()) {
        (Ok(value), None) => Ok(value),
        (Ok(_), Some(at)) => {
            let name = at.rsplit('/').next().unwrap_or_default();
            let message = format!("the module's configuration has no field `{name}`");
            Err(invalid(at, message).code("UnknownField").hint("correct its name, or remove it"))
        }
        (Err(_), _) => Err(read::wrong::<T>(config, AT, None)),
    }
}

fn place(path: &serde_ignored::Path<'_>) -> String {
    use serde_ignored::Path;
    match path {
        Path::Root => String::new(),
        Path::Seq { parent, index } => format!("{}/{index}", place(parent)),
        Path::Map { parent, key } => format!("{}/{}", place(parent), escaped(key)),
        Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => place(parent),
    }
}
