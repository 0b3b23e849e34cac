//! Takes back what a former version of a definition claimed, once no child of its
//! instances needs it any more.

use std::time::{Duration, Instant};

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

/// Waits a little for the children that a former version had to be gone, and
/// takes back the claims that nobody needs then. `api` is the kind of the
/// instances, such as `Web.kro.run`.
pub(super) async fn shrink(
    connection: &Connection,
    cluster: &Cluster,
    publication: &Publication,
    (api, former): (&str, Vec<Value>),
) -> Result<(), Failure> {
    if former.is_empty() {
        return Ok(());
    }
    let name = publication.export_name();
    let began = Instant::now();
    let needed = loop {
        let mut needed = Vec::new();
        for claim in &former {
            if let Some(why) = need(connection, cluster, name, (api, claim)).await {
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
            "the export keeps its claim on {}, which this version does not need: {why}; publish it once more when they \
             are gone, to take the claim back",
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

/// Why a claim is needed still, if it is. What cannot be seen may need it.
async fn need(connection: &Connection, cluster: &Cluster, export: &str, what: (&str, &Value)) -> Option<String> {
    let unknown = |error: &dyn std::error::Error| {
        format!("it cannot be seen whether consumers have children of that kind ({})", host_core::status::chain(error))
    };
    let shards = match endpoints::look_up(cluster, export).await {
        Ok(shards) => shards,
        Err(error) => return Some(unknown(&error)),
    };
    // Without an endpoint no consumer was ever there.
    for address in shards {
        let all = match VirtualWorkspace::open(connection, address) {
            Ok(shard) => shard.all(),
            Err(error) => return Some(unknown(&error)),
        };
        match child(&all, what).await {
            Ok(None) => {}
            Ok(Some(owner)) => {
                return Some(format!("consumers still have children of that kind, such as one of {owner}"));
            }
            Err(error) => return Some(unknown(&error)),
        }
    }
    None
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
