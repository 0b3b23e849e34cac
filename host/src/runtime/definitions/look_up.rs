//! What servers say of the kinds that a definition touches: what they look like,
//! and how they are addressed.

use std::{collections::BTreeSet, time::Duration};

use contract::{Gvk, Prepared, Schema};
use host_core::{
    kinds::{self, Kind, Kinds},
    schemas,
};
use kcp::{Discovery, OpenApi, VirtualWorkspace};
use serde_json::Value;

use super::{Definitions, Error};
use crate::runtime::{Host, told};

/// Whom a look at one definition asks. Each look has its own, so that it sees what
/// there is by then.
pub(super) struct Servers {
    schemas: Vec<OpenApi>,
    kinds: Vec<Discovery>,
}

impl Servers {
    /// The virtual workspaces show consumers' kinds as far as they are claimed, all of
    /// them the same; the provider's workspace shows its own.
    fn of(host: &Host) -> Servers {
        let shards = host.world.shards();
        let first = shards.first().map(VirtualWorkspace::all);
        let schemas = first.into_iter().chain(host.provider.clone()).map(OpenApi::new).collect();
        // Longer than any look takes.
        let fresh = Duration::from_secs(3600);
        Servers { schemas, kinds: shards.iter().map(|shard| Discovery::new(shard.all(), fresh)).collect() }
    }

    /// What the host knows of a kind: what a server says of it, else what it
    /// always is.
    pub(super) async fn schema(&mut self, kind: Gvk) -> Result<Schema, Error> {
        for server in &mut self.schemas {
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
        let address = self.address(&kind).await?.unwrap_or_else(|| kinds::guess(&kind));
        Ok(schemas::unknown(kind, address))
    }

    /// How kinds are addressed, as far as somebody knows.
    pub(super) async fn addresses(&mut self, prepared: &Prepared) -> Result<Kinds, Error> {
        let mut found = Kinds::new();
        for used in &prepared.blueprint.kinds {
            if let Some(address) = self.address(&used.kind).await? {
                found.insert(used.kind.clone(), address);
            }
        }
        Ok(found)
    }

    /// How a kind is addressed: every server's kinds are known, others are asked
    /// for. An answer of one server is enough, and that none came is not one.
    async fn address(&mut self, kind: &Gvk) -> Result<Option<Kind>, Error> {
        if let Some(known) = kinds::builtin(kind) {
            return Ok(Some(known));
        }
        let (mut answered, mut failure) = (false, None);
        for server in &mut self.kinds {
            match server.address(kind).await {
                Ok(Some(found)) => return Ok(Some(found)),
                Ok(None) => answered = true,
                Err(error) => failure = Some(error),
            }
        }
        match failure {
            Some(source) if !answered => Err(Error::LookUp { kind: kind.clone(), source }),
            _ => Ok(None),
        }
    }
}

impl Definitions {
    pub(super) fn servers(&self) -> Servers {
        Servers::of(&self.host)
    }

    /// Whether the export has an API: in the split layout its `spec` says so, else
    /// the virtual workspace.
    pub(super) async fn is_served(&self, kind: &Gvk, plural: &str) -> Result<bool, Error> {
        let (Some(provider), Some(export)) = (&self.host.provider, &self.host.export) else {
            return Ok(self.servers().address(kind).await?.is_some());
        };
        let path = format!("/apis/apis.kcp.io/v1alpha2/apiexports/{export}");
        let export = provider.read(&path).await.map_err(|source| Error::LookUp { kind: kind.clone(), source })?;
        let mut resources = export.pointer("/spec/resources").and_then(Value::as_array).into_iter().flatten();
        Ok(resources.any(|entry| entry["group"] == kind.group && entry["name"] == plural))
    }

    pub(super) async fn is_any_known(&self, kinds: &BTreeSet<Gvk>) -> bool {
        let mut servers = self.servers();
        for kind in kinds {
            if matches!(servers.address(kind).await, Ok(Some(_))) {
                return true;
            }
        }
        false
    }
}
