//! Who works on an export: a Lease of `coordination.k8s.io` in the provider's
//! workspace, as the controllers of Kubernetes have it.
//!
//! It reads and writes the Lease; whom it is taken from is for others to say.

use std::time::Duration;

use contract::{Gvk, Scope};
use host_core::{
    kinds::Kind,
    object::{self, Target},
};
use serde_json::{Value, json};

use super::{Cluster, Error};

/// The Lease of one export.
pub struct Lease {
    cluster: Cluster,
    target: Target,
    holder: String,
    duration: Duration,
}

/// A Lease as it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Who holds it; empty if it was given back.
    pub holder: String,
    /// Changes with every renewal.
    pub version: String,
}

impl Lease {
    /// The Lease of an export in the provider's workspace, for a holder who renews
    /// it before `duration` is over.
    pub fn new(cluster: Cluster, export: &str, holder: String, duration: Duration) -> Lease {
        let kind = Gvk { group: "coordination.k8s.io".into(), version: "v1".into(), kind: "Lease".into() };
        let target = Target { kind, namespace: "default".into(), name: format!("croft.{export}") };
        Lease { cluster, target, holder, duration }
    }

    /// Who would hold it.
    pub fn holder(&self) -> &str {
        &self.holder
    }

    /// The Lease as it is; `None` if there is none.
    ///
    /// # Errors
    /// The server did not answer, or refused.
    pub async fn look(&self) -> Result<Option<Held>, Error> {
        Ok(self.cluster.look_for(&self.target, &address()).await?.as_ref().map(held))
    }

    /// Takes the Lease, or renews it, if it still is as it was seen; `now` is RFC
    /// 3339 with microseconds. `None` if somebody was faster.
    ///
    /// # Errors
    /// The server did not answer, or refused.
    pub async fn take(&self, seen: Option<&Held>, now: &str) -> Result<Option<Held>, Error> {
        let mut spec = json!({
            "holderIdentity": self.holder,
            "leaseDurationSeconds": self.duration.as_secs(),
            "renewTime": now,
        });
        if seen.is_none_or(|seen| seen.holder != self.holder) {
            spec["acquireTime"] = now.into();
        }
        self.write(seen, &spec).await
    }

    /// Gives the Lease back, if it still is as it was seen.
    ///
    /// # Errors
    /// The server did not answer, or refused.
    pub async fn give_back(&self, seen: &Held) -> Result<(), Error> {
        self.write(Some(seen), &json!({"holderIdentity": null, "renewTime": null})).await.map(drop)
    }

    async fn write(&self, seen: Option<&Held>, spec: &Value) -> Result<Option<Held>, Error> {
        let written = match seen {
            Some(seen) => {
                let patch = json!({"metadata": {"resourceVersion": seen.version}, "spec": spec});
                self.cluster.merge(&self.target, &address(), "", &patch).await
            }
            None => {
                let Target { kind, namespace, name } = &self.target;
                let metadata = json!({"name": name, "namespace": namespace});
                let lease = json!({
                    "apiVersion": kind.api_version(), "kind": kind.kind, "metadata": metadata, "spec": spec,
                });
                self.cluster.create(&lease, &address()).await
            }
        };
        match written {
            Ok(lease) => Ok(Some(held(&lease))),
            // Changed, or deleted, or made meanwhile.
            Err(error) if error.code() == Some(409) || error.is_absence() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn address() -> Kind {
    Kind { plural: "leases".into(), scope: Scope::Namespaced }
}

fn held(lease: &Value) -> Held {
    Held {
        holder: object::text(lease, "/spec/holderIdentity").to_owned(),
        version: object::text(lease, "/metadata/resourceVersion").to_owned(),
    }
}
