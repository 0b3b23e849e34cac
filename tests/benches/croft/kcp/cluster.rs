//! Requests to the consumer's workspace, directly or through the virtual
//! workspace: with the client that croft has, and without any cache.

use std::{collections::HashSet, path::PathBuf};

use anyhow::{Context, Result, bail};
use futures::{Stream, StreamExt, TryStreamExt, pin_mut, stream};
use http::{Request, header::CONTENT_TYPE};
use kcp::Connection;
use kube::{Client, core::WatchEvent};
use serde_json::{Value, json};

/// Instances under way at once: as many as `croft run --workers 16` has. As
/// many are created at once.
pub(super) const CONCURRENCY: usize = 16;

/// A workspace.
#[derive(Clone)]
pub(super) struct Cluster(Client);

impl Cluster {
    /// What a context of a kubeconfig points at.
    pub(super) async fn open(kubeconfig: PathBuf, context: &str) -> Result<Cluster> {
        let connection = Connection::open(Some(&kubeconfig), Some(context)).await?;
        Ok(Cluster(connection.client(&connection.server())?))
    }

    /// Reads an object.
    pub(super) async fn get(&self, path: &str) -> Result<Value> {
        self.send("GET", path, "", Vec::new()).await
    }

    /// Creates an object in a list of them.
    pub(super) async fn create(&self, path: &str, body: Vec<u8>) -> Result<Value> {
        self.send("POST", path, "application/json", body).await
    }

    /// Sends a patch of a media type.
    pub(super) async fn patch(&self, path: &str, media_type: &str, body: Vec<u8>) -> Result<Value> {
        self.send("PATCH", path, media_type, body).await
    }

    async fn send(&self, method: &str, path: &str, media_type: &str, body: Vec<u8>) -> Result<Value> {
        let mut request = Request::builder().method(method).uri(path);
        if !media_type.is_empty() {
            request = request.header(CONTENT_TYPE, media_type);
        }
        let request = request.body(body).with_context(|| format!("`{path}` is not a path"))?;
        self.0.request(request).await.with_context(|| format!("cannot {method} `{path}`"))
    }

    /// Waits until that many instances are ready, the first one not counted.
    pub(super) async fn all_ready(&self, instances: usize) -> Result<()> {
        let path = format!("{}?watch=true", instances_path());
        let request = Request::get(path).body(Vec::new())?;
        let events = self.0.request_events::<Value>(request).await.context("cannot watch the instances")?;
        pin_mut!(events);
        let mut ready = HashSet::new();
        while ready.len() < instances {
            match events.try_next().await.context("the watch of the instances broke")? {
                Some(WatchEvent::Added(instance) | WatchEvent::Modified(instance)) if is_ready(&instance) => {
                    let name = instance["metadata"]["name"].as_str().unwrap_or_default();
                    if name != super::WARM {
                        ready.insert(name.to_owned());
                    }
                }
                Some(WatchEvent::Error(status)) => bail!("the watch of the instances broke: {status:?}"),
                Some(_) => {}
                None => bail!("the watch of the instances ended with {} of {instances} ready", ready.len()),
            }
        }
        Ok(())
    }

    /// Takes all instances but the first away, and their children.
    pub(super) async fn clear(&self, instances: usize) -> Result<()> {
        let free = json!({"metadata": {"finalizers": null}}).to_string();
        let each = stream::iter((0..instances).map(name)).map(Ok).try_for_each_concurrent(CONCURRENCY, |name| {
            let free = free.clone().into_bytes();
            async move {
                let path = format!("{}/{name}", instances_path());
                self.patch(&path, MERGE, free).await?;
                self.send("DELETE", &path, "", Vec::new()).await?;
                for child in CHILD_NAMES {
                    self.send("DELETE", &format!("{CONFIG_MAPS}/{name}-{child}"), "", Vec::new()).await?;
                }
                Ok(())
            }
        });
        each.await
    }
}

/// The media type of a JSON merge patch.
pub(super) const MERGE: &str = "application/merge-patch+json";
/// The children's path.
pub(super) const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";
/// What comes behind the instance's name in the names of its children.
pub(super) const CHILD_NAMES: [&str; super::CHILDREN] = ["limits", "names", "settings"];

/// The instances' path.
pub(super) fn instances_path() -> String {
    "/apis/kro.run/v1alpha1/namespaces/default/benches".to_owned()
}

/// The name of an instance.
pub(super) fn name(number: usize) -> String {
    format!("bench-{number:04}")
}

/// An instance as its author writes it.
pub(super) fn instance(name: &str) -> Value {
    json!({
        "apiVersion": "kro.run/v1alpha1", "kind": "Bench", "metadata": {"name": name},
        "spec": {"replicas": 3, "tags": ["blue", "stable", "audited"]},
    })
}

/// Creates instances at full speed, each in a task of its own; each is answered
/// as the server made it.
pub(super) fn create(cluster: &Cluster, instances: usize) -> impl Stream<Item = Result<Value>> {
    let each = move |number| {
        let (cluster, body) = (cluster.clone(), instance(&name(number)).to_string().into_bytes());
        let created = async move { cluster.send("POST", &instances_path(), "application/json", body).await };
        async move { tokio::spawn(created).await? }
    };
    stream::iter(0..instances).map(each).buffer_unordered(CONCURRENCY)
}

/// Whether an instance is ready as it is now.
pub(super) fn is_ready(instance: &Value) -> bool {
    let conditions = instance["status"]["conditions"].as_array().into_iter().flatten();
    conditions.clone().any(|condition| {
        condition["type"] == "Ready"
            && condition["status"] == "True"
            && condition["observedGeneration"] == instance["metadata"]["generation"]
    })
}
