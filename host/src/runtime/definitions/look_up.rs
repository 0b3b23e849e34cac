//! What servers say of the kinds that a definition touches: what they look like,
//! and how they are addressed.

use std::collections::BTreeSet;

use contract::{Gvk, Prepared, Schema};
use host_core::{
    kinds::{self, Kind, Kinds},
    schemas,
};
use kcp::{OpenApi, VirtualWorkspace};
use serde_json::Value;

use super::{Definitions, Error};
use crate::runtime::told;

impl Definitions {
    /// Whom to ask what kinds look like: the virtual workspace shows consumers'
    /// kinds as far as they are claimed, the provider's workspace its own.
    pub(super) fn servers(&self) -> Vec<OpenApi> {
        let shard = self.host.world.shards().first().map(VirtualWorkspace::all);
        shard.into_iter().chain(self.host.provider.clone()).map(OpenApi::new).collect()
    }

    /// What the host knows of a kind: what a server says of it, else what it
    /// always is.
    pub(super) async fn schema(&self, servers: &mut [OpenApi], kind: Gvk) -> Result<Schema, Error> {
        for server in servers {
            match server.schema(&kind).await {
                Ok(Some(schema)) => return Ok(schema),
                Ok(None) => {}
                // A server that refuses will do so again; the others may know.
                Err(error) if error.code().is_some() => {
                    tracing::debug!(%kind, error = told(&error), "a server does not tell what a kind looks like");
                }
                Err(source) => return Err(Error::Schema { kind, source }),
            }
        }
        if let Some(known) = schemas::builtin(&kind) {
            return Ok(known);
        }
        let address = self.address(&kind).await.unwrap_or_else(|| kinds::guess(&kind));
        Ok(schemas::unknown(kind, address))
    }

    pub(super) async fn look_up(&self, prepared: &Prepared) -> Kinds {
        let mut found = Kinds::new();
        for used in &prepared.blueprint.kinds {
            if let Some(address) = self.address(&used.kind).await {
                found.insert(used.kind.clone(), address);
            }
        }
        found
    }

    /// How a kind is addressed: every server's kinds are known, others are
    /// asked for.
    pub(super) async fn address(&self, kind: &Gvk) -> Option<Kind> {
        if let Some(known) = kinds::builtin(kind) {
            return Some(known);
        }
        let shard = self.host.world.shards().into_iter().next()?;
        let served = shard.all().read(&format!("/apis/{}/{}", kind.group, kind.version)).await.ok()?;
        kinds::discovered(&served, &kind.kind)
    }

    /// Whether the export has an API: in the split layout its `spec` says so, else
    /// the virtual workspace.
    pub(super) async fn is_served(&self, kind: &Gvk, plural: &str) -> bool {
        match (&self.host.provider, &self.host.export) {
            (Some(provider), Some(export)) => {
                let path = format!("/apis/apis.kcp.io/v1alpha2/apiexports/{export}");
                let resources = |export: Value| export.pointer("/spec/resources").and_then(Value::as_array).cloned();
                let resources = provider.read(&path).await.ok().and_then(resources).unwrap_or_default();
                resources.iter().any(|entry| entry["group"] == kind.group && entry["name"] == plural)
            }
            _ => self.address(kind).await.is_some(),
        }
    }

    pub(super) async fn is_any_known(&self, kinds: &BTreeSet<Gvk>) -> bool {
        for kind in kinds {
            if self.address(kind).await.is_some() {
                return true;
            }
        }
        false
    }
}
