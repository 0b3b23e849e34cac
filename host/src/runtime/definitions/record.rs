//! What a definition's status says of the version of it that was accepted last,
//! so that it stays in force over a restart: the API that it has, which no other
//! definition gets meanwhile, and the version itself, which serves on where a
//! later one is refused.
//!
//! It reads and writes values; what is in force is its parent's business.

use contract::{Gvk, shape};
use host_core::{
    object::{self, Target},
    receipt,
};
use kcp::ObjectKey;
use serde_json::{Map, Value, json};

use super::Error;

/// A definition that is longer is not kept a second time: etcd takes 1.5 MiB for
/// an object.
const MOST: usize = 512 << 10;
/// `kubectl apply` keeps the whole object in it.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The record of a version that was accepted, with the kind of its API.
pub(super) fn of(accepted: &Value, api: &Gvk) -> Value {
    let text = Value::from(essence(accepted).to_string());
    let mut record = json!({"apiVersion": api.api_version(), "kind": api.kind});
    // As text in JSON each quote is escaped.
    if shape::bytes(&text) <= MOST {
        record["accepted"] = text;
    }
    record
}

/// The kind of the API that a definition had last.
pub(super) fn kind(definition: &Value) -> Option<Gvk> {
    Gvk::of(definition.pointer("/status/croft")?)
}

/// Refuses another API for a definition than it has: nobody would look after the
/// instances of the one before. Of kro's kinds a server refuses that by itself; of a
/// `Composition` only the module says which API it serves.
pub(super) fn keeps_kind(definition: &Value, now: &Gvk) -> Result<(), Error> {
    match kind(definition) {
        Some(had) if had != *now => Err(Error::OtherKind { kind: now.clone(), had }),
        _ => Ok(()),
    }
}

/// The version of a definition that was accepted last, if it is another one than
/// the definition is now.
pub(super) fn former(definition: &Value) -> Option<Value> {
    let text = definition.pointer("/status/croft/accepted")?.as_str()?;
    let former: Value = serde_json::from_str(text).ok()?;
    let is_same = Target::of(&former) == Target::of(definition);
    (is_same && receipt::definition(&former) != receipt::definition(definition)).then_some(former)
}

/// By which of two definitions of a kind comes first: one that had an API before
/// one that has not, and then the older one.
pub(super) fn rank<'a>(key: &'a ObjectKey, definition: &'a Value) -> (bool, &'a str, &'a ObjectKey) {
    (kind(definition).is_none(), object::text(definition, "/metadata/creationTimestamp"), key)
}

/// What its author wrote of a definition.
fn essence(definition: &Value) -> Value {
    let mut metadata = Map::new();
    for field in ["name", "namespace", "labels", "annotations"] {
        if let Some(value) = definition.pointer("/metadata").and_then(|metadata| metadata.get(field)) {
            metadata.insert(field.to_owned(), value.clone());
        }
    }
    if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
        annotations.remove(LAST_APPLIED);
    }
    json!({
        "apiVersion": definition["apiVersion"], "kind": definition["kind"], "metadata": metadata,
        "spec": definition["spec"],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(name: &str, spec: &Value) -> Value {
        json!({
            "apiVersion": "kro.run/v1alpha1", "kind": "ResourceGroup",
            "metadata": {"name": name, "uid": "u", "annotations": {LAST_APPLIED: "long", "croft.run/module": "builtin:kro"}},
            "spec": spec,
        })
    }

    fn api() -> Gvk {
        Gvk { group: "kro.run".into(), version: "v1alpha1".into(), kind: "Web".into() }
    }

    #[test]
    fn a_version_that_was_accepted_is_there_when_a_later_one_is_refused() {
        let (good, mut edited) = (definition("web", &json!({"a": null})), definition("web", &json!({"b": 1})));
        assert_eq!((kind(&edited), former(&edited)), (None, None));
        edited["status"]["croft"] = of(&good, &api());
        assert_eq!(kind(&edited), Some(api()));
        let former = former(&edited).unwrap();
        assert_eq!(receipt::definition(&former), receipt::definition(&good));
        assert_eq!(former["metadata"]["annotations"], json!({"croft.run/module": "builtin:kro"}));
        // The same, or that of another definition, is not a former version.
        let mut unchanged = good.clone();
        unchanged["status"] = edited["status"].clone();
        let mut other = definition("other", &json!({}));
        other["status"] = edited["status"].clone();
        assert_eq!((super::former(&unchanged), super::former(&other)), (None, None));
    }

    #[test]
    fn a_definition_that_is_too_long_keeps_its_kind() {
        for text in ["x".repeat(MOST), "\"".repeat(MOST / 3)] {
            let mut long = definition("web", &json!({"text": text}));
            long["status"]["croft"] = of(&long, &api());
            assert_eq!(kind(&long), Some(api()));
            assert_eq!(long["status"]["croft"].get("accepted"), None);
        }
    }

    #[test]
    fn who_had_an_api_comes_before_who_is_older() {
        let key = |name: &str| {
            let place = definition(name, &json!({}));
            ObjectKey { cluster: "one".parse().unwrap(), target: Target::of(&place).unwrap() }
        };
        let of = |name: &str, made: &str, has_api: bool| {
            let mut definition = definition(name, &json!({}));
            definition["metadata"]["creationTimestamp"] = made.into();
            if has_api {
                definition["status"]["croft"] = json!({"apiVersion": "kro.run/v1alpha1", "kind": "Web"});
            }
            (key(name), definition)
        };
        let mut all = [of("b", "2026-01-02", false), of("a", "2026-01-02", false), of("c", "2026-01-03", true)];
        all.sort_by(|one, other| rank(&one.0, &one.1).cmp(&rank(&other.0, &other.1)));
        assert_eq!(all.map(|(key, _)| key.target.name), ["c", "a", "b"]);
    }

    #[test]
    fn a_definition_keeps_the_api_that_it_has() {
        let kind = |kind: &str| Gvk { kind: kind.into(), ..api() };
        let mut definition = json!({});
        assert!(keeps_kind(&definition, &kind("Web")).is_ok());
        definition["status"]["croft"] = of(&definition, &kind("Web"));
        assert!(keeps_kind(&definition, &kind("Web")).is_ok());
        let error = keeps_kind(&definition, &kind("Shop")).unwrap_err();
        assert!(
            error.to_string().starts_with("the module serves Shop.kro.run now, and the definition has Web.kro.run")
        );
    }
}
