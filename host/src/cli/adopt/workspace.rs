//! The workspace that the instances are in: what its server is asked, and what
//! is sent there.

use std::collections::BTreeMap;

use contract::{Access, Api, Blueprint, Gvk, Read, Scope, Selection};
use host_core::{
    adopt::{self, Write},
    inventory,
    kinds::{self, Kind, Kinds},
    object::{self, Target},
};
use kcp::{Cluster, virtual_workspace::Address};
use serde_json::Value;

use crate::{
    cli::{self, Global, publish},
    report::Failure,
};

/// Objects in one answer to a list: what kubectl asks for.
const PAGE: usize = 500;

/// One workspace, or the server of any other cluster.
pub(in crate::cli) struct Workspace {
    cluster: Cluster,
    kinds: Kinds,
}

impl Workspace {
    /// Connects to what the context points at, and looks the definition's kinds
    /// up.
    ///
    /// # Errors
    /// The context points at a virtual workspace, or a request fails.
    pub(in crate::cli) async fn open(global: &Global, blueprint: &Blueprint) -> Result<Workspace, Failure> {
        let connection = cli::connect(global).await?;
        if Address::parse(&connection.server()).is_ok() {
            let message = format!("the context `{}` points at a virtual workspace", connection.context());
            return Err(Failure::input(message).hint("name the context of the workspace that the instances are in"));
        }
        let cluster = connection.cluster().map_err(Failure::input)?;
        let api = &blueprint.api;
        let own = (api.kind.clone(), Kind { plural: api.plural.clone(), scope: api.scope });
        let mut workspace = Workspace { cluster, kinds: Kinds::from([own]) };
        for used in &blueprint.kinds {
            workspace.learn(&used.kind).await?;
        }
        Ok(workspace)
    }

    /// The kinds that the server serves, as far as they were asked for.
    pub(in crate::cli) fn kinds(&self) -> &Kinds {
        &self.kinds
    }

    /// The instances in a namespace (all of them if it is empty), or only the
    /// one of a name.
    pub(in crate::cli) async fn instances(
        &self,
        api: &Api,
        namespace: &str,
        name: Option<&str>,
    ) -> Result<Vec<Value>, Failure> {
        let address = Kind { plural: api.plural.clone(), scope: api.scope };
        let mut found = self.list(&api.kind, &address, namespace, "").await.map_err(refused)?;
        found.retain(|instance| name.is_none_or(|name| object::text(instance, "/metadata/name") == name));
        Ok(found)
    }

    /// Everything that kro's or croft's labels say to be a child of some
    /// instance: of the definition's kinds, of those that kro knows its children
    /// to have, and of those that croft has on record.
    pub(in crate::cli) async fn children(
        &mut self,
        blueprint: &Blueprint,
        instances: &[Value],
    ) -> Result<BTreeMap<Target, Value>, Failure> {
        let managed = blueprint.kinds.iter().filter(|used| used.access == Access::Manage);
        let mut kinds: Vec<Gvk> = managed.map(|used| used.kind.clone()).collect();
        for kind in instances.iter().flat_map(inventory::recorded).filter_map(Gvk::of) {
            if !kinds.iter().any(|known| kinds::are_one(known, &kind)) {
                kinds.push(kind);
            }
        }
        for (group, kind) in instances.iter().flat_map(adopt::group_kinds) {
            if !kinds.iter().any(|known| known.group == group && known.kind == kind) {
                kinds.extend(self.preferred(group, kind).await?);
            }
        }
        let mut children = BTreeMap::new();
        for kind in &kinds {
            self.learn(kind).await?;
            for label in adopt::CHILD_LABELS {
                let found = self.labelled(kind, label).await?.into_iter();
                children.extend(found.filter_map(|object| Some((Target::of(&object)?, object))));
            }
        }
        Ok(children)
    }

    /// The object at a place; `None` also for a kind that is not served.
    pub(in crate::cli) async fn get(&self, target: &Target) -> Result<Option<Value>, Failure> {
        match self.kinds.get(&target.kind) {
            Some(kind) => self.cluster.get(target, kind).await.map_err(refused),
            None => Ok(None),
        }
    }

    /// What an external read may find, in the instance's namespace if the read
    /// names none.
    pub(in crate::cli) async fn foreign(&self, read: &Read, inherited: &str) -> Result<Vec<Value>, Failure> {
        let Some(kind) = self.kinds.get(&read.kind) else { return Ok(Vec::new()) };
        match &read.select {
            Selection::Named { namespace, name } => {
                let namespace = match (kind.scope, namespace.as_str()) {
                    (Scope::Cluster, _) => "",
                    (Scope::Namespaced, "") => inherited,
                    (Scope::Namespaced, namespace) => namespace,
                };
                let target = Target { kind: read.kind.clone(), namespace: namespace.to_owned(), name: name.clone() };
                Ok(self.get(&target).await?.into_iter().collect())
            }
            Selection::Labelled { namespace, .. } => self.list(&read.kind, kind, namespace, "").await.map_err(refused),
        }
    }

    /// Sends one write and returns the object as it is then.
    pub(in crate::cli) async fn send(&self, write: &Write) -> Result<Value, kcp::Error> {
        let kind = self.kinds.get(&write.target.kind).cloned().unwrap_or_else(|| kinds::guess(&write.target.kind));
        tracing::info!(target = %write.target, part = write.part, patch = %write.patch, "writing");
        self.cluster.merge(&write.target, &kind, write.part, &write.patch).await
    }

    async fn labelled(&self, kind: &Gvk, label: &str) -> Result<Vec<Value>, Failure> {
        let Some(address) = self.kinds.get(kind) else { return Ok(Vec::new()) };
        match self.list(kind, address, "", label).await {
            Err(error) if error.code() == Some(404) => Ok(Vec::new()),
            found => found.map_err(refused),
        }
    }

    /// All objects of a kind, in one namespace unless that is empty, and with a
    /// label unless that is empty.
    async fn list(&self, kind: &Gvk, address: &Kind, namespace: &str, label: &str) -> Result<Vec<Value>, kcp::Error> {
        let place = if namespace.is_empty() { String::new() } else { format!("namespaces/{namespace}/") };
        let mut path = format!("{}/{place}{}?limit={PAGE}", root(kind), address.plural);
        if !label.is_empty() {
            path += &format!("&labelSelector={label}");
        }
        let (mut objects, mut next) = (Vec::new(), String::new());
        loop {
            let page = self.cluster.read(&format!("{path}{next}")).await?;
            for item in page.get("items").and_then(Value::as_array).into_iter().flatten() {
                let mut object = item.clone();
                // Lists of built-in kinds say both once for all.
                object["apiVersion"] = kind.api_version().into();
                object["kind"] = kind.kind.as_str().into();
                objects.push(object);
            }
            match object::text(&page, "/metadata/continue") {
                "" => return Ok(objects),
                token => next = format!("&continue={token}"),
            }
        }
    }

    /// Looks a kind up, unless that was done. One that is not served is not
    /// remembered.
    async fn learn(&mut self, kind: &Gvk) -> Result<(), Failure> {
        if self.kinds.contains_key(kind) {
            return Ok(());
        }
        let found = match kinds::builtin(kind) {
            Some(known) => Some(known),
            None => self.look_up(kind).await?,
        };
        self.kinds.extend(found.map(|found| (kind.clone(), found)));
        Ok(())
    }

    async fn look_up(&self, kind: &Gvk) -> Result<Option<Kind>, Failure> {
        let Some(served) = self.read(&root(kind)).await? else { return Ok(None) };
        Ok(kinds::discovered(&served, &kind.kind))
    }

    /// A kind of a group in the version that the server prefers.
    async fn preferred(&self, group: String, kind: String) -> Result<Option<Gvk>, Failure> {
        let version = match group.as_str() {
            "" => Some("v1".to_owned()),
            group => self
                .read(&format!("/apis/{group}"))
                .await?
                .map(|served| object::text(&served, "/preferredVersion/version").to_owned()),
        };
        Ok(version.map(|version| Gvk { group, version, kind }))
    }

    async fn read(&self, path: &str) -> Result<Option<Value>, Failure> {
        self.cluster.find(path).await.map_err(refused)
    }
}

fn root(kind: &Gvk) -> String {
    let root = if kind.group.is_empty() { "/api" } else { "/apis" };
    format!("{root}/{}", kind.api_version())
}

/// A request that failed, with whose turn it is.
pub(in crate::cli) fn refused(error: kcp::Error) -> Failure {
    publish::unfinished(error.into())
}
