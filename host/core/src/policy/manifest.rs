//! One manifest: what may not be in it, where it goes, and what croft puts on
//! it.

use base64::{Engine, prelude::BASE64_STANDARD};
use contract::{Child, Scope, metadata};
use serde_json::{Map, Value};

use super::{MAX_CHILD_BYTES, Rules};
use crate::{name::Digest, object};

/// Refuses what a server would refuse, or what is the host's to set.
pub(super) fn check(manifest: &Value) -> Result<(), String> {
    let name = object::text(manifest, "/metadata/name");
    // Kinds have rules of their own on top, which the server knows.
    metadata::path_segment(name).map_err(|why| format!("its `metadata.name` is `{name}`, and {why}"))?;
    let namespace = object::text(manifest, "/metadata/namespace");
    if !namespace.is_empty() && !metadata::is_namespace(namespace) {
        return Err(format!("`{namespace}` is not a valid `metadata.namespace`"));
    }
    for field in metadata::NOT_WRITTEN {
        if manifest.pointer("/metadata").and_then(|metadata| metadata.get(field)).is_some() {
            return Err(format!("`metadata.{field}` is not the module's to set"));
        }
    }
    for field in ["labels", "annotations"] {
        let pairs = texts(manifest.pointer("/metadata").and_then(|metadata| metadata.get(field)))
            .ok_or_else(|| format!("`metadata.{field}` is not a mapping of text to text"))?;
        if let Some(key) = pairs.into_iter().flat_map(Map::keys).find(|key| key.starts_with(object::RESERVED_PREFIX)) {
            return Err(format!("`metadata.{field}` may not have `{key}`: `{}` is reserved", object::RESERVED_PREFIX));
        }
    }
    let bytes = manifest.to_string().len();
    if bytes > MAX_CHILD_BYTES {
        return Err(format!("it has {bytes} bytes; an object may have {MAX_CHILD_BYTES}"));
    }
    Ok(())
}

/// The pairs of a field that maps text to text, if it is there; `None` if it is
/// anything else.
fn texts(field: Option<&Value>) -> Option<Option<&Map<String, Value>>> {
    match field {
        None | Some(Value::Null) => Some(None),
        Some(Value::Object(pairs)) if pairs.values().all(Value::is_string) => Some(Some(pairs)),
        Some(_) => None,
    }
}

/// The manifest in the namespace where it belongs: its own, or else the
/// instance's, or else `default`.
pub(super) fn placed(manifest: &Value, scope: Scope, instance: &Value) -> Result<Value, String> {
    let own = object::text(manifest, "/metadata/namespace");
    let inherited = object::text(instance, "/metadata/namespace");
    let mut manifest = manifest.clone();
    match (scope, own, inherited) {
        (Scope::Cluster, "", _) => {}
        (Scope::Cluster, ..) => return Err("a cluster-scoped object may not have `metadata.namespace`".into()),
        (Scope::Namespaced, "", "") => manifest["metadata"]["namespace"] = "default".into(),
        (Scope::Namespaced, "", inherited) => manifest["metadata"]["namespace"] = inherited.into(),
        (Scope::Namespaced, ..) => {}
    }
    Ok(manifest)
}

/// The manifest in the form in which a server keeps it. A Secret's `stringData`
/// is for writing only: kept as it is, nobody could tell whether somebody
/// changed the Secret.
pub(super) fn stored(mut manifest: Value) -> Value {
    let is_secret = manifest["apiVersion"] == "v1" && manifest["kind"] == "Secret";
    // Fields of another shape are left for the server to refuse.
    if !is_secret || texts(manifest.get("data")).is_none() || texts(manifest.get("stringData")).is_none() {
        return manifest;
    }
    let Some(Value::Object(texts)) = manifest.as_object_mut().and_then(|fields| fields.remove("stringData")) else {
        return manifest;
    };
    for (key, text) in texts {
        manifest["data"][key] = BASE64_STANDARD.encode(text.as_str().unwrap_or_default()).into();
    }
    manifest
}

/// Puts on what croft finds the child by, and what tells people whose it is.
pub(super) fn marked(mut manifest: Value, child: &Child, wave: u32, digest: &Digest, rules: Rules<'_>) -> Value {
    let owner = super::owner(rules.blueprint, rules.instance).name;
    let metadata = &mut manifest["metadata"];
    metadata["labels"][object::INSTANCE_LABEL] = object::uid(rules.instance).into();
    let annotations = &mut metadata["annotations"];
    annotations[object::CHILD_ANNOTATION] = child.id.as_str().into();
    if !child.key.is_empty() {
        annotations[object::KEY_ANNOTATION] = child.key.as_str().into();
    }
    annotations[object::WAVE_ANNOTATION] = wave.to_string().into();
    annotations[object::MANIFEST_ANNOTATION] = digest.as_str().into();
    annotations[object::OWNER_ANNOTATION] = owner.into();
    manifest
}
