//! Plays the passes over an instance to their end: what was rendered is taken
//! for live, as a server and the controllers of Kubernetes' own kinds would have
//! left it once all is well.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use contract::Gvk;
use serde_json::{Map, Value, json};

use super::{Rendered, observed::Pool, standin};
use host_core::object::{self, Target};

use crate::report::Failure;

/// An address for documentation (RFC 5737), which no cluster hands out.
const ADDRESS: &str = "192.0.2.1";

/// Renders until a wave brings nothing new. Comes with all that is live at the
/// end, and with what each wave brought, in words.
///
/// `live` goes before what was rendered.
///
/// # Errors
/// The rendering fails, or it goes on changing for more than `most` waves.
pub(super) fn converge(
    live: &[Value],
    namespace: &str,
    most: usize,
    is_ours: impl Fn(&Gvk) -> bool,
    render: impl Fn(&Pool) -> Result<Rendered, Failure>,
) -> Result<(Rendered, Pool, Vec<String>), Failure> {
    let given = Pool::of(live.iter().cloned(), namespace);
    let mut made: BTreeMap<Target, Value> = BTreeMap::new();
    let mut waves = Vec::new();
    for wave in 1..=most {
        let pool = Pool::of(live.iter().chain(made.values()).cloned(), namespace);
        let rendered = render(&pool)?;
        let unknown = rendered.children.iter().filter(|(target, _)| given.get(target).is_none());
        let next: BTreeMap<Target, Value> =
            unknown.map(|(target, manifest)| (target.clone(), stored(manifest, &is_ours))).collect();
        if next == made {
            return Ok((rendered, pool, waves));
        }
        waves.push(format!("wave {wave}: {}", news(&made, &next)));
        made = next;
    }
    let message = format!("the instance does not converge: wave {most} still brings something new");
    Err(Failure::input(message).hint("`--explain` without `--converge` says what depends on what"))
}

/// What one wave did, in words.
fn news(before: &BTreeMap<Target, Value>, after: &BTreeMap<Target, Value>) -> String {
    let made = after.iter().filter_map(|(target, object)| match before.get(target) {
        None => Some(format!("{target}")),
        Some(old) if old != object => Some(format!("{target} (changed)")),
        Some(_) => None,
    });
    let gone = before.keys().filter(|target| !after.contains_key(target)).map(|target| format!("{target} (gone)"));
    made.chain(gone).collect::<Vec<_>>().join(", ")
}

/// An object as it would be found a while after it was written.
fn stored(manifest: &Value, is_ours: &impl Fn(&Gvk) -> bool) -> Value {
    let mut object = manifest.clone();
    standin::fill(&mut object, &[]);
    let Some(kind) = Gvk::of(manifest) else { return object };
    if kind == (Gvk { group: String::new(), version: "v1".into(), kind: "Secret".into() }) {
        encode(&mut object);
    }
    let status = if is_ours(&kind) {
        Some(json!({"state": "ACTIVE", "conditions": [condition("Ready")]}))
    } else {
        status(&kind, manifest)
    };
    if let Some(status) = status {
        object["status"] = status;
    }
    if kind.kind == "Service" && kind.group.is_empty() && object["spec"]["clusterIP"].is_null() {
        let has_address = object::text(manifest, "/spec/type") != "ExternalName";
        if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut).filter(|_| has_address) {
            spec.insert("clusterIP".into(), ADDRESS.into());
        }
    }
    object
}

/// A server keeps `stringData` as `data`.
fn encode(secret: &mut Value) {
    let Some(fields) = secret.as_object_mut() else { return };
    let Some(Value::Object(plain)) = fields.remove("stringData") else { return };
    let data = fields.entry("data").or_insert_with(|| Map::new().into());
    if let Some(data) = data.as_object_mut() {
        let encoded = |text: &Value| Value::from(BASE64_STANDARD.encode(text.as_str().unwrap_or_default()));
        data.extend(plain.iter().map(|(key, text)| (key.clone(), encoded(text))));
    }
}

/// What the controllers of Kubernetes' own kinds report when all is well; `None`
/// of kinds that have nothing to report, and of those of others.
fn status(kind: &Gvk, manifest: &Value) -> Option<Value> {
    let count = |field: &str| manifest.pointer(field).and_then(Value::as_i64).unwrap_or(1);
    let ingress = || json!({"loadBalancer": {"ingress": [{"ip": ADDRESS}]}});
    Some(match (kind.group.as_str(), kind.kind.as_str()) {
        ("apps", "Deployment") => {
            let replicas = count("/spec/replicas");
            json!({
                "observedGeneration": 1, "replicas": replicas, "updatedReplicas": replicas, "readyReplicas": replicas,
                "availableReplicas": replicas, "conditions": [condition("Available"), condition("Progressing")],
            })
        }
        ("apps", "StatefulSet" | "ReplicaSet") => {
            let replicas = count("/spec/replicas");
            let mut status = json!({
                "observedGeneration": 1, "replicas": replicas, "readyReplicas": replicas, "availableReplicas": replicas,
            });
            if kind.kind == "StatefulSet" {
                status["currentReplicas"] = replicas.into();
                status["updatedReplicas"] = replicas.into();
            }
            status
        }
        ("apps", "DaemonSet") => json!({
            "observedGeneration": 1, "desiredNumberScheduled": 1, "currentNumberScheduled": 1,
            "updatedNumberScheduled": 1, "numberReady": 1, "numberAvailable": 1, "numberMisscheduled": 0,
        }),
        ("batch", "Job") => json!({"succeeded": count("/spec/completions"), "conditions": [condition("Complete")]}),
        ("", "Pod") => json!({"phase": "Running", "podIP": ADDRESS, "conditions": [condition("Ready")]}),
        ("", "Namespace") => json!({"phase": "Active"}),
        ("", "PersistentVolumeClaim") => json!({"phase": "Bound"}),
        ("", "Service") if object::text(manifest, "/spec/type") == "LoadBalancer" => ingress(),
        ("networking.k8s.io", "Ingress") => ingress(),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            json!({"conditions": [condition("Established"), condition("NamesAccepted")]})
        }
        _ => return None,
    })
}

fn condition(kind: &str) -> Value {
    json!({"type": kind, "status": "True", "reason": "StandIn", "message": "", "lastTransitionTime": standin::BORN})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(manifest: Value) -> Value {
        stored(&manifest, &|kind: &Gvk| kind.kind == "Room")
    }

    #[test]
    fn what_controllers_report_follows_what_was_asked_for() {
        let object = |api: &str, kind: &str, spec: Value| {
            after(json!({"apiVersion": api, "kind": kind, "metadata": {"name": "x"}, "spec": spec}))
        };
        let deployment = object("apps/v1", "Deployment", json!({"replicas": 3}));
        assert_eq!(deployment["status"]["availableReplicas"], 3);
        assert_eq!(object("apps/v1", "StatefulSet", json!({}))["status"]["readyReplicas"], 1);
        assert_eq!(object("v1", "Service", json!({}))["spec"]["clusterIP"], ADDRESS);
        assert_eq!(object("v1", "Service", json!({"clusterIP": "None"}))["spec"]["clusterIP"], "None");
        assert_eq!(object("v1", "Service", json!({"type": "ExternalName"}))["spec"].get("clusterIP"), None);
        assert_eq!(object("v1", "ConfigMap", json!({})).get("status"), None);
        assert_eq!(object("example.org/v1", "Deployment", json!({})).get("status"), None);
        assert_eq!(object("kro.run/v1alpha1", "Room", json!({}))["status"]["state"], "ACTIVE");
    }

    #[test]
    fn a_secret_is_kept_as_a_server_keeps_it() {
        let secret = after(json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"},
            "data": {"a": "MQ=="}, "stringData": {"b": "2"},
        }));
        assert_eq!((secret.get("stringData"), &secret["data"]), (None, &json!({"a": "MQ==", "b": "Mg=="})));
    }

    #[test]
    fn two_objects_of_one_kind_have_two_uids() {
        let uid = |name: &str| {
            after(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}))["metadata"]["uid"]
                .clone()
        };
        assert_ne!(uid("a"), uid("b"));
        assert_eq!(uid("a"), uid("a"));
    }
}
