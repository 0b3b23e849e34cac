//! Who works on an export: a Lease of `coordination.k8s.io` in the provider's
//! workspace, as the controllers of Kubernetes have it.
//!
//! It reads and writes the Lease; whom it is taken from is for others to say.

use std::time::Duration;

use contract::{Gvk, Scope};
use host_core::{
    kinds::Kind,
    object::{self, Target},
    publish,
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
    /// When it was renewed last, by the holder's clock.
    renewed: String,
    /// How often it went from one holder to another.
    transitions: u64,
    /// Changes with every write, whoever writes and whatever.
    version: String,
}

impl Held {
    /// Whether its holder gave a sign of life between the two looks. That somebody
    /// edits the object is not one.
    pub fn was_renewed_since(&self, before: &Held) -> bool {
        let signs = |held: &Held| (held.holder.clone(), held.renewed.clone(), held.transitions);
        signs(self) != signs(before)
    }
}

/// A holder's name with a part that no other has, be it a process with the same
/// number on a machine of the same name.
pub fn unique(process: &str) -> String {
    format!("{process}/{:016x}", rand::random::<u64>())
}

impl Lease {
    /// The Lease of an export in the provider's workspace, for a holder who renews
    /// it before `duration` is over.
    pub fn new(cluster: Cluster, export: &str, holder: String, duration: Duration) -> Lease {
        let kind = Gvk { group: "coordination.k8s.io".into(), version: "v1".into(), kind: "Lease".into() };
        let target = Target { kind, namespace: "default".into(), name: publish::lease(export) };
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
        let found = self.in_time(self.cluster.look_for(&self.target, &address())).await?;
        Ok(found.as_ref().map(held))
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
            spec["leaseTransitions"] = seen.map_or(0, |seen| seen.transitions + 1).into();
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
                self.in_time(self.cluster.merge(&self.target, &address(), "", &patch)).await
            }
            None => {
                let Target { kind, namespace, name } = &self.target;
                let metadata = json!({"name": name, "namespace": namespace});
                let lease = json!({
                    "apiVersion": kind.api_version(), "kind": kind.kind, "metadata": metadata, "spec": spec,
                });
                self.in_time(self.cluster.create(&lease, &address())).await
            }
        };
        match written {
            Ok(lease) => Ok(Some(held(&lease))),
            // Changed or made meanwhile, or deleted. What a creation misses is its
            // namespace, and that is trouble.
            Err(error) if error.code() == Some(409) || (seen.is_some() && error.is_absence()) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Three requests fit into the time for which the Lease is good.
    async fn in_time<T>(&self, request: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let limit = self.duration / 3;
        let late = |_| Err(Error::TimedOut { what: format!("reach {}", self.target), seconds: limit.as_secs() });
        tokio::time::timeout(limit, request).await.unwrap_or_else(late)
    }
}

fn address() -> Kind {
    Kind { plural: "leases".into(), scope: Scope::Namespaced }
}

fn held(lease: &Value) -> Held {
    Held {
        holder: object::text(lease, "/spec/holderIdentity").to_owned(),
        renewed: object::text(lease, "/spec/renewTime").to_owned(),
        transitions: lease.pointer("/spec/leaseTransitions").and_then(Value::as_u64).unwrap_or_default(),
        version: object::text(lease, "/metadata/resourceVersion").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_renews_gives_a_sign_of_life() {
        let lease = |holder: &str, renewed: &str, transitions: u64, version: &str| {
            held(&json!({
                "metadata": {"resourceVersion": version},
                "spec": {"holderIdentity": holder, "renewTime": renewed, "leaseTransitions": transitions},
            }))
        };
        let before = lease("a", "12:00", 1, "7");
        assert!(!lease("a", "12:00", 1, "8").was_renewed_since(&before));
        for alive in [lease("b", "12:00", 1, "8"), lease("a", "12:01", 1, "8"), lease("a", "12:00", 2, "8")] {
            assert!(alive.was_renewed_since(&before), "{alive:?}");
        }
    }

    #[test]
    fn no_two_starts_have_one_name() {
        assert_ne!(unique("box/1"), unique("box/1"));
    }
}
