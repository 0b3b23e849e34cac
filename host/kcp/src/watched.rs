//! An object as a watch brings it: read straight into the form in which it is
//! kept, without the bookkeeping of server-side apply, which is often half of it.

use std::{borrow::Cow, fmt};

use kube::{
    Resource,
    api::{ApiResource, ObjectMeta},
    core::DynamicResourceScope,
};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};

/// What nobody reads of an object that is kept.
const BOOKKEEPING: &str = "managedFields";

/// One object.
#[derive(Clone, Debug)]
pub(super) struct Watched {
    /// The object, without `metadata.managedFields`.
    pub(super) object: Value,
    /// What a watch needs of the metadata: the resource version.
    meta: ObjectMeta,
}

/// Takes off an object what nobody reads of one that is kept.
pub(super) fn without_bookkeeping(mut object: Value) -> Value {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove(BOOKKEEPING);
    }
    object
}

impl Resource for Watched {
    type DynamicType = ApiResource;
    type Scope = DynamicResourceScope;

    fn kind(resource: &ApiResource) -> Cow<'_, str> {
        resource.kind.as_str().into()
    }

    fn group(resource: &ApiResource) -> Cow<'_, str> {
        resource.group.as_str().into()
    }

    fn version(resource: &ApiResource) -> Cow<'_, str> {
        resource.version.as_str().into()
    }

    fn api_version(resource: &ApiResource) -> Cow<'_, str> {
        resource.api_version.as_str().into()
    }

    fn plural(resource: &ApiResource) -> Cow<'_, str> {
        resource.plural.as_str().into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.meta
    }
}

impl<'de> Deserialize<'de> for Watched {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Watched, D::Error> {
        let object = Value::Object(deserializer.deserialize_map(Fields)?);
        let resource_version = object.pointer("/metadata/resourceVersion").and_then(Value::as_str).map(str::to_owned);
        Ok(Watched { meta: ObjectMeta { resource_version, ..ObjectMeta::default() }, object })
    }
}

/// Reads an object's fields.
struct Fields;

/// Reads its metadata.
struct Metadata;

impl<'de> Visitor<'de> for Fields {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of Kubernetes")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Map<String, Value>, A::Error> {
        let mut fields = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            let value = match name.as_str() {
                "metadata" => Value::Object(entries.next_value_seed(Metadata)?),
                _ => entries.next_value()?,
            };
            fields.insert(name, value);
        }
        Ok(fields)
    }
}

impl<'de> serde::de::DeserializeSeed<'de> for Metadata {
    type Value = Map<String, Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Metadata {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object's metadata")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Map<String, Value>, A::Error> {
        let mut fields = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            if name == BOOKKEEPING {
                entries.next_value::<IgnoredAny>()?;
            } else {
                fields.insert(name, entries.next_value()?);
            }
        }
        Ok(fields)
    }
}

#[cfg(test)]
mod tests {
    use kube::{ResourceExt, core::WatchEvent};
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_is_read_without_the_bookkeeping_of_the_server() {
        let text = r#"{"type": "ADDED", "object": {"kind": "A", "metadata": {"managedFields": [{"manager": "x"}],
            "name": "a", "resourceVersion": "7"}, "data": {"managedFields": "mine"}}}"#;
        let Ok(WatchEvent::Added(watched)) = serde_json::from_str::<WatchEvent<Watched>>(text) else {
            panic!("it is an event")
        };
        let kept = json!({
            "kind": "A", "metadata": {"name": "a", "resourceVersion": "7"}, "data": {"managedFields": "mine"},
        });
        assert_eq!(watched.resource_version().as_deref(), Some("7"));
        assert_eq!(watched.object, kept);
        let mut written = kept.clone();
        written["metadata"]["managedFields"] = json!([{}]);
        assert_eq!(without_bookkeeping(written), kept);
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in ["[]", "1", r#"{"metadata": null}"#, r#"{"metadata": []}"#] {
            assert!(serde_json::from_str::<Watched>(text).is_err(), "{text}");
        }
    }
}
