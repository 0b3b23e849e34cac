//! Plays the passes over an instance to their end: what was rendered is taken
//! for live, as a server and the controllers of Kubernetes' own kinds would have
//! left it once all is well.

use std::collections::BTreeMap;

use contract::Gvk;
use serde_json::{Value, json};

use super::{Rendered, observed::Pool, standin};
use host_core::object::{self, Target};

mod server;

/// An address for documentation (RFC 5737), which no cluster hands out.
const ADDRESS: &str = "192.0.2.1";

/// What playing the passes came to.
pub(crate) enum Converged {
    /// A wave brought nothing new.
    Settled(Box<Played>),
    /// Every wave brings something new. The objects of the last two.
    Restless {
        /// Of the wave before the last.
        before: BTreeMap<Target, Value>,
        /// Of the last wave.
        after: BTreeMap<Target, Value>,
    },
}

/// Passes that were played to their end.
pub(crate) struct Played {
    /// What was rendered last.
    pub(crate) rendered: Rendered,
    /// All that is live at the end.
    pub(crate) pool: Pool,
    /// What each wave brought, in words.
    pub(crate) waves: Vec<String>,
}

/// Renders until a wave brings nothing new, or `most` waves did. What is rendered
/// is found in the next wave as `stored` has it; `live` goes before it.
///
/// # Errors
/// The rendering fails.
pub(crate) fn converge<E>(
    live: &[Value],
    namespace: &str,
    most: usize,
    stored: impl Fn(&Value) -> Value,
    render: impl Fn(&Pool) -> Result<Rendered, E>,
) -> Result<Converged, E> {
    let given = Pool::of(live.iter().cloned(), namespace);
    let (mut before, mut made): (_, BTreeMap<Target, Value>) = Default::default();
    let mut waves = Vec::new();
    for wave in 1..=most {
        let pool = Pool::of(live.iter().chain(made.values()).cloned(), namespace);
        let rendered = render(&pool)?;
        let unknown = rendered.children.iter().filter(|(target, _)| given.get(target).is_none());
        let next: BTreeMap<Target, Value> =
            unknown.map(|(target, manifest)| (target.clone(), stored(manifest))).collect();
        if next == made {
            return Ok(Converged::Settled(Box::new(Played { rendered, pool, waves })));
        }
        waves.push(format!("wave {wave}: {}", news(&made, &next)));
        before = std::mem::replace(&mut made, next);
    }
    Ok(Converged::Restless { before, after: made })
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
pub(crate) fn stored(manifest: &Value, is_ours: &impl Fn(&Gvk) -> bool) -> Value {
    let mut object = manifest.clone();
    standin::fill(&mut object, &[]);
    if let Some(kind) = Gvk::of(manifest) {
        server::fill(&kind, &mut object);
    }
    reported(object, is_ours)
}

/// The same where the server leaves the spec as it was written.
pub(crate) fn stored_as_written(manifest: &Value, is_ours: &impl Fn(&Gvk) -> bool) -> Value {
    let mut object = manifest.clone();
    standin::fill(&mut object, &[]);
    reported(object, is_ours)
}

/// An object with the status that its controller gives it.
fn reported(mut object: Value, is_ours: &impl Fn(&Gvk) -> bool) -> Value {
    let Some(kind) = Gvk::of(&object) else { return object };
    let status = if is_ours(&kind) {
        Some(json!({"state": "ACTIVE", "conditions": [condition("Ready")]}))
    } else {
        status(&kind, &object)
    };
    if let Some(status) = status {
        object["status"] = status;
    }
    object
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
        ("apps", "ReplicaSet") | ("", "ReplicationController") => {
            let replicas = count("/spec/replicas");
            json!({
                "observedGeneration": 1, "replicas": replicas, "fullyLabeledReplicas": replicas,
                "readyReplicas": replicas, "availableReplicas": replicas,
            })
        }
        ("apps", "StatefulSet") => {
            let (replicas, revision) =
                (count("/spec/replicas"), format!("{}-1", object::text(manifest, "/metadata/name")));
            json!({
                "observedGeneration": 1, "replicas": replicas, "readyReplicas": replicas, "availableReplicas": replicas,
                "currentReplicas": replicas, "updatedReplicas": replicas, "currentRevision": revision,
                "updateRevision": revision,
            })
        }
        ("apps", "DaemonSet") => json!({
            "observedGeneration": 1, "desiredNumberScheduled": 1, "currentNumberScheduled": 1,
            "updatedNumberScheduled": 1, "numberReady": 1, "numberAvailable": 1, "numberMisscheduled": 0,
        }),
        ("batch", "Job") => json!({
            "succeeded": count("/spec/completions"), "startTime": standin::BORN, "completionTime": standin::BORN,
            "conditions": [condition("SuccessCriteriaMet"), condition("Complete")],
        }),
        ("batch", "CronJob") if manifest.pointer("/spec/suspend") != Some(&Value::Bool(true)) => {
            json!({"lastScheduleTime": standin::BORN, "lastSuccessfulTime": standin::BORN})
        }
        ("autoscaling", "HorizontalPodAutoscaler") => {
            let replicas = count("/spec/minReplicas");
            json!({
                "observedGeneration": 1, "currentReplicas": replicas, "desiredReplicas": replicas,
                "conditions": [condition("AbleToScale"), condition("ScalingActive")],
            })
        }
        ("policy", "PodDisruptionBudget") => json!({
            "observedGeneration": 1, "expectedPods": 1, "currentHealthy": 1, "desiredHealthy": 0,
            "disruptionsAllowed": 1, "conditions": [condition("DisruptionAllowed")],
        }),
        ("", "Pod") => pod(manifest),
        ("", "Namespace") => json!({"phase": "Active"}),
        ("", "PersistentVolume") => {
            json!({"phase": if manifest.pointer("/spec/claimRef").is_some() { "Bound" } else { "Available" }})
        }
        ("", "PersistentVolumeClaim") => json!({
            "phase": "Bound",
            "accessModes": manifest.pointer("/spec/accessModes").unwrap_or(&json!([])),
            "capacity": manifest.pointer("/spec/resources/requests").unwrap_or(&json!({})),
        }),
        ("", "Service") if object::text(manifest, "/spec/type") == "LoadBalancer" => ingress(),
        ("", "Service") => json!({"loadBalancer": {}}),
        ("networking.k8s.io", "Ingress") => ingress(),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => definition(manifest),
        ("apiregistration.k8s.io", "APIService") => json!({"conditions": [condition("Available")]}),
        _ => return None,
    })
}

/// A pod that runs, with all of its containers.
fn pod(manifest: &Value) -> Value {
    let containers = manifest.pointer("/spec/containers").and_then(Value::as_array).into_iter().flatten();
    let runs = |container: &Value| {
        json!({
            "name": container["name"], "image": container["image"], "ready": true, "started": true, "restartCount": 0,
            "state": {"running": {"startedAt": standin::BORN}},
        })
    };
    let conditions = ["PodScheduled", "Initialized", "ContainersReady", "Ready"].map(condition);
    json!({
        "phase": "Running", "startTime": standin::BORN, "podIP": ADDRESS, "podIPs": [{"ip": ADDRESS}],
        "hostIP": ADDRESS, "hostIPs": [{"ip": ADDRESS}],
        "conditions": conditions,
        "containerStatuses": containers.map(runs).collect::<Vec<_>>(),
    })
}

/// A CRD whose names were free.
fn definition(manifest: &Value) -> Value {
    let versions = manifest.pointer("/spec/versions").and_then(Value::as_array).into_iter().flatten();
    let stored = versions.filter(|version| version["storage"] == true).map(|version| &version["name"]);
    json!({
        "acceptedNames": manifest.pointer("/spec/names").unwrap_or(&json!({})),
        "storedVersions": stored.collect::<Vec<_>>(),
        "conditions": [condition("Established"), condition("NamesAccepted")],
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
    fn what_a_server_sets_in_a_spec_can_be_read() {
        let spec = |api: &str, kind: &str, spec: Value| {
            after(json!({"apiVersion": api, "kind": kind, "metadata": {"name": "x"}, "spec": spec}))["spec"].take()
        };
        let ports = json!([{"port": 80, "nodePort": 30000}, {"port": 81}]);
        let nodes = spec("v1", "Service", json!({"type": "NodePort", "ports": ports}));
        assert_eq!(nodes["ports"][0], json!({"port": 80, "nodePort": 30000, "protocol": "TCP", "targetPort": 80}));
        assert_eq!(nodes["ports"][1]["nodePort"], 30001);
        let balancer = json!({"type": "LoadBalancer", "allocateLoadBalancerNodePorts": false, "ports": [{"port": 80}]});
        assert_eq!(spec("v1", "Service", balancer)["ports"][0].get("nodePort"), None);
        let inner = spec("v1", "Service", json!({"ports": [{"port": 80}]}));
        assert_eq!((inner["ports"][0].get("nodePort"), &inner["type"]), (None, &json!("ClusterIP")));
        assert_eq!(inner["clusterIPs"], json!([ADDRESS]));
        assert_eq!(spec("v1", "Service", json!({"clusterIP": "None"}))["clusterIPs"], json!(["None"]));
        assert_eq!(spec("apps/v1", "Deployment", json!({}))["replicas"], 1);
        assert_eq!(spec("apps/v1", "Deployment", json!({"replicas": 0}))["replicas"], 0);
        assert_eq!(spec("batch/v1", "Job", json!({"parallelism": 2})).get("completions"), None);
        assert_eq!(spec("v1", "Pod", json!({"nodeName": "mine"}))["nodeName"], "mine");
        let volume = spec("v1", "PersistentVolumeClaim", json!({}));
        assert!(object::text(&volume, "/volumeName").starts_with("pvc-"));
        assert_eq!(spec("example.org/v1", "Service", json!({})), json!({}));
    }

    #[test]
    fn what_a_controller_reports_names_what_it_found() {
        let status = |api: &str, kind: &str, spec: Value| {
            after(json!({"apiVersion": api, "kind": kind, "metadata": {"name": "x"}, "spec": spec}))["status"].take()
        };
        let pod = status("v1", "Pod", json!({"containers": [{"name": "web", "image": "nginx"}]}));
        assert_eq!((&pod["containerStatuses"][0]["name"], &pod["podIPs"][0]["ip"]), (&json!("web"), &json!(ADDRESS)));
        let claim = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
        assert_eq!(status("v1", "PersistentVolumeClaim", claim)["capacity"]["storage"], "1Gi");
        let crd = json!({"names": {"kind": "Lamp"}, "versions": [{"name": "v1", "storage": true}, {"name": "v0"}]});
        let crd = status("apiextensions.k8s.io/v1", "CustomResourceDefinition", crd);
        assert_eq!((&crd["storedVersions"], &crd["acceptedNames"]["kind"]), (&json!(["v1"]), &json!("Lamp")));
        assert_eq!(status("batch/v1", "Job", json!({}))["completionTime"], standin::BORN);
        assert_eq!(status("batch/v1", "CronJob", json!({"suspend": true})), Value::Null);
        let stateful = status("apps/v1", "StatefulSet", json!({"replicas": 2}));
        assert_eq!(stateful["currentRevision"], stateful["updateRevision"]);
    }

    #[test]
    fn a_token_is_issued_for_a_service_account() {
        let secret = after(json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x", "namespace": "team"},
            "type": "kubernetes.io/service-account-token",
        }));
        assert_eq!(secret["data"]["namespace"], "dGVhbQ==");
        assert!(secret["data"]["token"].is_string());
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
