//! APIs that workspaces have from the export and that no definition serves: theirs
//! was deleted before this host has started, or is refused. Instances of them can be
//! deleted all the same. What that takes stands on their children, and no module is
//! asked for it.
//!
//! Nothing else is done about such instances.

use std::{collections::HashMap, sync::Arc, time::Duration};

use contract::{Api, Gvk};
use host_core::{
    definition::{DefinitionKind, ModuleRef},
    kinds::{self, Kind, Kinds},
    object,
};
use kcp::{Cluster, watch::pause};
use serde_json::Value;
use tokio::time::sleep;

use super::{Host, told, watches::Watches};
use crate::pass::world::{GroupResource, Serving};

/// By then the definitions of a start are in force, mostly. What stands in for one
/// that is not does no harm.
const CALM: Duration = Duration::from_secs(5);
/// The longest pause after a server did not answer.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Looks for such APIs whenever workspaces may have others than before.
pub(super) async fn run(host: Arc<Host>, watches: Arc<Watches>) {
    let mut failures = 0;
    loop {
        host.leftovers.notified().await;
        sleep(CALM).await;
        match look(&host, &watches).await {
            Ok(()) => failures = 0,
            Err(error) => {
                tracing::debug!(error = told(&error), "cannot look for what definitions have left");
                sleep(pause(failures, CALM, LONGEST_PAUSE)).await;
                failures += 1;
                host.leftovers.notify_one();
            }
        }
    }
}

async fn look(host: &Arc<Host>, watches: &Arc<Watches>) -> Result<(), kcp::Error> {
    let (unserved, claimed) = host.world.unserved();
    let is_an_api = |(group, plural): &GroupResource| {
        DefinitionKind::ALL.iter().all(|kind| (kind.group(), kind.plural()) != (group.as_str(), plural.as_str()))
    };
    let unserved: Vec<(GroupResource, String)> = unserved.into_iter().filter(|(api, _)| is_an_api(api)).collect();
    let Some(shard) = host.world.shards().into_iter().next().filter(|_| !unserved.is_empty()) else { return Ok(()) };
    let mut served = Served { cluster: shard.all(), lists: HashMap::new() };
    let mut kinds = Kinds::new();
    for (group, resource) in &claimed {
        if let Some((kind, address)) = served.kind(group, resource).await? {
            kinds.insert(kind, address);
        }
    }
    let loading = Arc::clone(host);
    let module = tokio::task::spawn_blocking(move || loading.modules.load(&ModuleRef::Kro)).await;
    let Ok(Ok(module)) = module else {
        tracing::error!("the built-in module does not load");
        return Ok(());
    };
    for ((group, plural), schema) in unserved {
        let Some((kind, Kind { plural, scope })) = served.kind(&group, &plural).await? else { continue };
        let key = Serving::schema(shard.address().provider().clone(), &schema);
        let api = Api { kind, plural, scope, crd: Value::Null };
        let serving = Arc::new(Serving::standing_in(key, module.clone(), api, kinds.clone()));
        if host.world.stand_in(Arc::clone(&serving)) {
            let api = &serving.prepared.blueprint.api.kind;
            tracing::warn!(%api, "no definition is in force for this API; its instances can be deleted, and no more");
            watches.serve(&serving);
        }
    }
    Ok(())
}

/// What a virtual workspace serves, by group.
struct Served {
    cluster: Cluster,
    lists: HashMap<String, Vec<Value>>,
}

impl Served {
    /// The kind of a resource, and how it is addressed; `None` if it is not served.
    async fn kind(&mut self, group: &str, plural: &str) -> Result<Option<(Gvk, Kind)>, kcp::Error> {
        if !self.lists.contains_key(group) {
            let lists = self.read(group).await?;
            self.lists.insert(group.to_owned(), lists);
        }
        let mut lists = self.lists.get(group).into_iter().flatten();
        Ok(lists.find_map(|list| {
            let (kind, address) = kinds::of_resource(list, plural)?;
            let version = object::text(list, "/groupVersion").rsplit('/').next().unwrap_or_default().to_owned();
            Some((Gvk { group: group.to_owned(), version, kind }, address))
        }))
    }

    /// The lists of all versions of a group, the preferred one first.
    async fn read(&self, group: &str) -> Result<Vec<Value>, kcp::Error> {
        if group.is_empty() {
            return Ok(vec![self.cluster.read("/api/v1").await?]);
        }
        let index = self.cluster.read("/apis").await?;
        let mut groups = index["groups"].as_array().into_iter().flatten();
        let found = groups.find(|found| found["name"] == group).cloned().unwrap_or_default();
        let mut lists = Vec::new();
        for version in found["versions"].as_array().into_iter().flatten() {
            lists.push(self.cluster.read(&format!("/apis/{}", object::text(version, "/groupVersion"))).await?);
        }
        Ok(lists)
    }
}
