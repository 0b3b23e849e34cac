//! What an API server fills in of Kubernetes' own kinds, and what its controllers
//! write into the spec, so that expressions may read it.

use base64::{Engine, prelude::BASE64_STANDARD};
use contract::Gvk;
use host_core::object;
use serde_json::{Map, Value, json};

use super::ADDRESS;

/// The first port of the range that servers take node ports from.
const NODE_PORTS: i64 = 30_000;

/// Fills in what the manifest leaves open.
pub(super) fn fill(kind: &Gvk, object: &mut Value) {
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Secret") => secret(object),
        ("", "Service") => service(object),
        ("", "Pod") => {
            default(object, "nodeName", || "stand-in-node".into());
            default(object, "serviceAccountName", || "default".into());
            default(object, "restartPolicy", || "Always".into());
        }
        ("", "PersistentVolumeClaim") => {
            let volume = format!("pvc-{}", object::text(object, "/metadata/uid"));
            default(object, "volumeName", || volume.into());
            default(object, "volumeMode", || "Filesystem".into());
        }
        ("apps", "Deployment" | "StatefulSet" | "ReplicaSet") | ("", "ReplicationController") => {
            default(object, "replicas", || 1.into());
        }
        ("batch", "Job") => job(object),
        ("batch", "CronJob") => {
            default(object, "suspend", || false.into());
            default(object, "concurrencyPolicy", || "Allow".into());
        }
        ("autoscaling", "HorizontalPodAutoscaler") => default(object, "minReplicas", || 1.into()),
        _ => {}
    }
}

/// Sets a field of the spec that is absent or null.
fn default(object: &mut Value, name: &str, value: impl FnOnce() -> Value) {
    let Some(fields) = object.as_object_mut() else { return };
    if let Some(spec) = fields.entry("spec").or_insert_with(|| Map::new().into()).as_object_mut() {
        default_in(spec, name, value);
    }
}

fn default_in(fields: &mut Map<String, Value>, name: &str, value: impl FnOnce() -> Value) {
    if fields.get(name).is_none_or(Value::is_null) {
        fields.insert(name.to_owned(), value());
    }
}

/// Work that asks for neither is done once; with `parallelism` alone, it is a queue
/// whose length nobody knows.
fn job(object: &mut Value) {
    if object.pointer("/spec/parallelism").is_none_or(Value::is_null) {
        default(object, "completions", || 1.into());
    }
    default(object, "parallelism", || 1.into());
    default(object, "backoffLimit", || 6.into());
}

fn service(object: &mut Value) {
    default(object, "type", || "ClusterIP".into());
    let form = object::text(object, "/spec/type").to_owned();
    if form == "ExternalName" {
        return;
    }
    default(object, "clusterIP", || ADDRESS.into());
    let address = object["spec"]["clusterIP"].clone();
    default(object, "clusterIPs", || json!([address]));
    default(object, "ipFamilies", || json!(["IPv4"]));
    default(object, "ipFamilyPolicy", || "SingleStack".into());
    let is_asked = object.pointer("/spec/allocateLoadBalancerNodePorts") != Some(&Value::Bool(false));
    ports(object, form == "NodePort" || (form == "LoadBalancer" && is_asked));
}

/// A port goes to the one of the same number, and has one of its own on each node
/// if the type asks for it.
fn ports(service: &mut Value, on_nodes: bool) {
    let Some(ports) = service.pointer_mut("/spec/ports").and_then(Value::as_array_mut) else { return };
    let taken: Vec<i64> = ports.iter().filter_map(|port| port["nodePort"].as_i64()).collect();
    let mut free = (NODE_PORTS..).filter(|port| !taken.contains(port));
    for port in ports.iter_mut().filter_map(Value::as_object_mut) {
        default_in(port, "protocol", || "TCP".into());
        if let Some(number) = port.get("port").cloned() {
            default_in(port, "targetPort", || number);
        }
        if on_nodes {
            default_in(port, "nodePort", || free.next().into());
        }
    }
}

/// A server keeps `stringData` as `data`, and a token is issued for a service
/// account that asks for one.
fn secret(secret: &mut Value) {
    let namespace = object::text(secret, "/metadata/namespace").to_owned();
    let Some(fields) = secret.as_object_mut() else { return };
    let plain = fields.remove("stringData");
    default_in(fields, "type", || "Opaque".into());
    let is_token = fields["type"] == "kubernetes.io/service-account-token";
    if plain.is_none() && !is_token {
        return;
    }
    default_in(fields, "data", || Map::new().into());
    let Some(data) = fields.get_mut("data").and_then(Value::as_object_mut) else { return };
    for (key, text) in plain.as_ref().and_then(Value::as_object).into_iter().flatten() {
        data.insert(key.clone(), encoded(text.as_str().unwrap_or_default()));
    }
    if is_token {
        for (key, text) in [("token", "stand-in"), ("ca.crt", "stand-in"), ("namespace", namespace.as_str())] {
            default_in(data, key, || encoded(text));
        }
    }
}

fn encoded(text: &str) -> Value {
    BASE64_STANDARD.encode(text).into()
}
