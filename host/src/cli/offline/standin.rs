//! Stand-ins for what a server sets in an instance's metadata, so that offline an
//! expression may name a uid as it would on a server. They are the same each time.

use std::str::FromStr;

use host_core::{
    name::Digest,
    object::{self, Target},
};
use serde_json::{Map, Value, json};

/// Any moment does, as long as it is always the same one.
pub(crate) const BORN: &str = "2020-01-01T00:00:00Z";

/// One field and its value, as `uid=…`.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    name: &'static str,
    value: Value,
}

/// What was filled in for a server.
#[derive(Debug, Default)]
pub(crate) struct Standin {
    /// The fields that nobody gave.
    made: Vec<&'static str>,
    /// All that the file does not have.
    filled: Vec<&'static str>,
    /// Texts of which an object tells that it names a stand-in.
    traces: Vec<String>,
}

impl FromStr for Given {
    type Err = String;

    fn from_str(text: &str) -> Result<Given, String> {
        let (name, value) = text.split_once('=').ok_or("write it as `NAME=VALUE`, such as `uid=1234`")?;
        let text = || Value::from(value);
        let (name, value) = match name {
            "uid" => ("uid", text()),
            "resourceVersion" => {
                return Err(
                    "a module never sees the `resourceVersion`: it changes with each write of the status".to_owned()
                );
            }
            "creationTimestamp" => ("creationTimestamp", moment(value)?.into()),
            "generation" => {
                let number = value.parse::<i64>().map_err(|_| format!("`{value}` is not a whole number"))?;
                ("generation", number.into())
            }
            _ => {
                return Err(format!(
                    "a server does not set `{name}`: the fields are `uid`, `creationTimestamp` and `generation`"
                ));
            }
        };
        if value == "" { Err(format!("`{name}` is empty")) } else { Ok(Given { name, value }) }
    }
}

/// A time as a server writes it.
fn moment(text: &str) -> Result<String, String> {
    let moment = text.parse::<jiff::Timestamp>();
    let moment = moment.map_err(|_| format!("`{text}` is not a time, such as `{BORN}`"))?;
    Ok(moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// Fills in what a server would set and the file does not have.
pub(crate) fn fill(instance: &mut Value, given: &[Given]) -> Standin {
    let (uid, mut standin) = (uid(instance), Standin::default());
    let Some(metadata) = instance.get_mut("metadata").and_then(Value::as_object_mut) else { return standin };
    let defaults = [("uid", json!(uid)), ("creationTimestamp", json!(BORN)), ("generation", json!(1))];
    for (name, value) in defaults.into_iter().filter(|(name, _)| is_missing(metadata, name)).collect::<Vec<_>>() {
        standin.filled.push(name);
        let own = given.iter().rev().find(|given| given.name == name);
        if own.is_none() {
            standin.made.push(name);
            // A number has no text of its own that could be looked for.
            standin.traces.extend(value.as_str().filter(|text| text.len() > 1).map(str::to_owned));
        }
        metadata.insert(name.to_owned(), own.map_or(value, |given| given.value.clone()));
    }
    standin
}

fn is_missing(metadata: &Map<String, Value>, name: &str) -> bool {
    metadata.get(name).is_none_or(Value::is_null)
}

/// A UUID made of what the instance is called (version 8 of RFC 9562).
fn uid(instance: &Value) -> String {
    let place = Target::of(instance).map(|target| target.to_string()).unwrap_or_default();
    let hex = Digest::of(format!("uid of {place} {}", object::text(instance, "/metadata/name")).as_bytes());
    let hex = hex.hex();
    format!("{}-{}-8{}-8{}-{}", &hex[..8], &hex[8..12], &hex[12..15], &hex[15..18], &hex[18..30])
}

impl Standin {
    /// Takes them out again: a file that had none is printed without.
    pub(crate) fn remove(&self, instance: &mut Value) {
        if let Some(metadata) = instance.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.retain(|name, _| !self.filled.contains(&name.as_str()));
        }
    }

    /// What to say of it, if one of the objects names a stand-in.
    pub(crate) fn note<'o>(&self, mut objects: impl Iterator<Item = &'o Value>) -> Option<String> {
        let names = |object: &Value| self.traces.iter().any(|trace| mentions(object, trace));
        objects.any(names).then(|| {
            let fields = self.made.join("`, `");
            format!(
                "`{fields}` of an instance are stand-ins for what a server sets; give others with \
                 `--instance-metadata NAME=VALUE`"
            )
        })
    }
}

fn mentions(value: &Value, trace: &str) -> bool {
    match value {
        Value::String(text) => text.contains(trace),
        Value::Array(elements) => elements.iter().any(|element| mentions(element, trace)),
        Value::Object(fields) => fields.values().any(|field| mentions(field, trace)),
        _ => false,
    }
}
