//! The bare writer: sends for every instance the requests that croft sends, in
//! the same order and as many at once, and does nothing else. No cache, no
//! watch, no module, no decision: the least that the server's part can take.
//!
//! Its requests are made from what croft wrote for one instance: the objects
//! that the server has, without what the server added.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use futures::{Stream, TryStreamExt, future::try_join_all};
use host_core::defaults;
use serde_json::{Map, Value, json};

use super::cluster::{CHILD_NAMES, CONCURRENCY, CONFIG_MAPS, Cluster, MERGE, instances_path};

/// Which requests are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// All that croft sends: finalizer, children, status.
    Everything,
    /// The children alone.
    Children,
}

/// The bodies of the requests for one instance, with its name and uid in them.
#[derive(Debug)]
pub(super) struct Template {
    name: String,
    uid: String,
    /// By what their names end with.
    children: Vec<(&'static str, String)>,
    status: String,
}

impl Template {
    /// Reads them from an instance that croft has brought about.
    pub(super) async fn of(cluster: &Cluster, name: &str) -> Result<Template> {
        let instance = cluster.get(&format!("{}/{name}", instances_path())).await?;
        let uid = instance["metadata"]["uid"].as_str().context("an instance has no uid")?;
        let mut children = Vec::new();
        for child in CHILD_NAMES {
            let object = cluster.get(&format!("{CONFIG_MAPS}/{name}-{child}")).await?;
            children.push((child, applied(object)?.to_string()));
        }
        ensure!(instance["status"].is_object(), "the instance has no status");
        let mut status = instance["status"].clone();
        // New instances have generation 1.
        for condition in status["conditions"].as_array_mut().into_iter().flatten() {
            condition["observedGeneration"] = 1.into();
        }
        status["croft"]["observedGeneration"] = 1.into();
        Ok(Template {
            name: name.to_owned(),
            uid: uid.to_owned(),
            children,
            status: json!({"status": status}).to_string(),
        })
    }

    /// A body for another instance.
    fn fill(&self, body: &str, name: &str, uid: &str) -> Vec<u8> {
        body.replace(&self.uid, uid).replace(&self.name, name).into_bytes()
    }
}

/// The object as croft applied it: without what the server and kcp added.
fn applied(mut object: Value) -> Result<Value> {
    let metadata = object["metadata"].as_object_mut().context("an object has no metadata")?;
    for field in ["managedFields", "uid", "resourceVersion", "creationTimestamp", "generation"] {
        metadata.remove(field);
    }
    for field in ["labels", "annotations"] {
        if let Some(entries) = metadata.get_mut(field).and_then(Value::as_object_mut) {
            entries.retain(|key, _| !key.contains("kcp.io/"));
        }
    }
    Ok(object)
}

/// Writes for every instance as it is created, so many at once, each in a task
/// of its own.
pub(super) async fn write(
    through: &Cluster,
    template: &Arc<Template>,
    created: impl Stream<Item = Result<Value>>,
    extent: Extent,
) -> Result<()> {
    let each = |instance: Value| {
        let (through, template) = (through.clone(), Arc::clone(template));
        async move { tokio::spawn(async move { one(&through, &template, &instance, extent).await }).await? }
    };
    created.try_for_each_concurrent(CONCURRENCY, each).await
}

/// The requests for one instance, each answer read whole.
async fn one(through: &Cluster, template: &Template, instance: &Value, extent: Extent) -> Result<()> {
    let metadata = &instance["metadata"];
    let (name, uid) = (metadata["name"].as_str().unwrap_or_default(), metadata["uid"].as_str().unwrap_or_default());
    let path = format!("{}/{name}", instances_path());
    if extent == Extent::Everything {
        let claim = defaults::patch(instance, &Map::new()).context("the instance is claimed already")?;
        through.patch(&format!("{path}?fieldManager=croft"), MERGE, claim.to_string().into_bytes()).await?;
    }
    // croft sends up to eight at once.
    try_join_all(template.children.iter().map(|(child, body)| async move {
        let path = format!("{CONFIG_MAPS}?fieldManager=croft&fieldValidation=Strict&name={name}-{child}");
        through.create(&path, template.fill(body, name, uid)).await
    }))
    .await?;
    if extent == Extent::Everything {
        let status = template.fill(&template.status, name, uid);
        through.patch(&format!("{path}/status?fieldManager=croft"), MERGE, status).await?;
    }
    Ok(())
}
