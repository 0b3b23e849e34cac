//! Takes back what a former version of a definition claimed, once no child of its
//! instances needs it any more.

use std::{
    error::Error,
    time::{Duration, Instant},
};

use host_core::{
    claims,
    object::{self, INSTANCE_LABEL, OWNER_ANNOTATION},
    publish::Publication,
};
use kcp::{Cluster, Connection, VirtualWorkspace, endpoints, publisher};
use serde_json::Value;

use super::unfinished;
use crate::report::{self, Failure};

/// A host that is at work takes the children of a version away within seconds.
const PATIENCE: Duration = Duration::from_secs(10);
/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(500);

/// What is asked, and about what.
pub(super) struct Look<'a> {
    pub(super) connection: &'a Connection,
    /// The provider's workspace.
    pub(super) cluster: &'a Cluster,
    pub(super) publication: &'a Publication,
    /// The definition as it was put there.
    pub(super) definition: &'a Value,
    /// The kind of its instances, such as `Web.kro.run`.
    pub(super) api: String,
}

/// Waits a little for the version to be in force and for the children of the one
/// before to be gone, and takes back the claims that nobody needs then.
pub(super) async fn shrink(look: Look<'_>, former: Vec<Value>) -> Result<(), Failure> {
    if former.is_empty() {
        return Ok(());
    }
    let Look { cluster, publication, .. } = look;
    let began = Instant::now();
    let needed = loop {
        let mut needed = Vec::new();
        for claim in &former {
            if let Some(why) = look.need(claim).await {
                needed.push((claim.clone(), why));
            }
        }
        if needed.is_empty() || began.elapsed() >= PATIENCE {
            break needed;
        }
        tokio::time::sleep(PAUSE).await;
    };
    for (claim, why) in &needed {
        report::note(&format!(
            "the export keeps its claim on {}, which this version does not need: {why}; publish it once more \
             later, to take the claim back",
            claims::resource_of(claim)
        ));
    }
    let kept: Vec<Value> = needed.into_iter().map(|(claim, _)| claim).collect();
    if kept.len() < former.len() {
        let export = publication.export_with(&kept);
        publisher::put(cluster, &export, PATIENCE).await.map_err(unfinished)?;
        let gone = former.iter().filter(|claim| !kept.contains(claim)).map(claims::resource_of);
        report::note(&format!(
            "the export gives up what nothing needs any more of {}",
            gone.collect::<Vec<_>>().join(", ")
        ));
    }
    Ok(())
}

impl Look<'_> {
    /// Why a claim is needed still, if it is. What cannot be seen may need it.
    async fn need(&self, claim: &Value) -> Option<String> {
        match self.child(claim).await {
            Ok(Some(owner)) => Some(format!("consumers still have children of that kind, such as one of {owner}")),
            Ok(None) => self.not_in_force().await,
            Err(error) => {
                let why = host_core::status::chain(&*error);
                Some(format!("it cannot be seen whether consumers have children of that kind ({why})"))
            }
        }
    }

    /// The owner of a child of a claimed resource. Without an endpoint no consumer
    /// was ever there.
    async fn child(&self, claim: &Value) -> Result<Option<String>, Box<dyn Error>> {
        for address in endpoints::look_up(self.cluster, self.publication.export_name()).await? {
            let all = VirtualWorkspace::open(self.connection, address)?.all();
            if let Some(owner) = child(&all, (&self.api, claim)).await? {
                return Ok(Some(owner));
            }
        }
        Ok(None)
    }

    /// Whether a host has looked at the definition and the version before is still
    /// the one that serves.
    async fn not_in_force(&self) -> Option<String> {
        let standing = publisher::standing(self.cluster, self.definition).await;
        match standing {
            Ok(definition) => {
                definition.filter(is_behind).map(|_| "no host has put this version into force yet".into())
            }
            Err(error) => {
                Some(format!("it cannot be seen whether it is in force ({})", host_core::status::chain(&error)))
            }
        }
    }
}

/// Whether the last word on a definition is of another version, or a refusal.
fn is_behind(definition: &Value) -> bool {
    let conditions = definition.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten();
    let mut accepted = conditions.filter(|condition| condition["type"] == "Accepted");
    accepted.next().is_some_and(|condition| {
        condition["status"] != "True" || condition["observedGeneration"] != definition["metadata"]["generation"]
    })
}

/// The owner of a child that an instance of the API has of a claimed resource.
async fn child(all: &Cluster, (api, claim): (&str, &Value)) -> Result<Option<String>, kcp::Error> {
    let (group, resource) = (object::text(claim, "/group"), object::text(claim, "/resource"));
    let root = match group {
        "" => "/api/v1".to_owned(),
        group => {
            let served = all.read(&format!("/apis/{group}")).await?;
            format!("/apis/{group}/{}", object::text(&served, "/preferredVersion/version"))
        }
    };
    let first = format!("{root}/{resource}?labelSelector={INSTANCE_LABEL}&limit=500");
    let mut path = first.clone();
    loop {
        let page = all.metadata(&path).await?;
        let items = page.get("items").and_then(Value::as_array).into_iter().flatten();
        // Children of other APIs in the same workspaces are other exports' business.
        let mut owners = items.filter_map(|item| object::annotation(item, OWNER_ANNOTATION));
        if let Some(owner) = owners.find(|owner| owner.split(' ').next() == Some(api)) {
            return Ok(Some(owner.to_owned()));
        }
        match object::text(&page, "/metadata/continue") {
            "" => return Ok(None),
            token => path = format!("{first}&continue={token}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_version_is_in_force_when_a_host_says_so_of_it() {
        let definition = |status: &str, generation: u32| {
            let accepted = json!({"type": "Accepted", "status": status, "observedGeneration": generation});
            json!({"metadata": {"generation": 2}, "status": {"conditions": [accepted]}})
        };
        assert!(!is_behind(&definition("True", 2)));
        assert!(is_behind(&definition("True", 1)) && is_behind(&definition("False", 2)));
        // No host has ever seen it: nobody works by the version before.
        assert!(!is_behind(&json!({"metadata": {"generation": 2}})));
    }
}
