//! Watches that come and go with what is needed: of kinds that only records name, and
//! of those that no definition has any more.

use std::{collections::HashSet, sync::Arc};

use contract::Gvk;
use host_core::{kinds::Kind, name::LogicalCluster};
use kcp::{VirtualWorkspace, store::Change};

use super::{Place, Purpose, Running, Watches};

impl Watches {
    /// Watches a kind that only records of a logical cluster name, there and nowhere
    /// else.
    pub(in crate::runtime) fn extra(
        &self,
        shard: &VirtualWorkspace,
        cluster: &LogicalCluster,
        kind: &Gvk,
        address: Kind,
    ) {
        if !self.host.world.found(cluster, kind, address.clone()) {
            return;
        }
        tracing::debug!(%cluster, %kind, "watching what a record names");
        let place = (shard.address().clone(), kind.clone(), Purpose::Recorded(cluster.clone()));
        if let Some(running) = self.running().get(&place) {
            // It is needed again before it has ended.
            running.again.notify_one();
            return;
        }
        let (host, at, of) = (Arc::clone(&self.host), cluster.clone(), kind.clone());
        let listed = move || {
            for instance in host.world.listed(&at, &of) {
                host.queue.add(instance.cluster.clone(), instance);
            }
        };
        let host = Arc::clone(&self.host);
        let changed = move |change: Change| host.child_changed(&change);
        let store = Arc::clone(&self.host.world.children);
        self.begin(shard, (kind, address, Purpose::Recorded(cluster.clone())), store, listed, changed);
    }

    /// Ends the watch of a kind that no record names any more.
    pub(in crate::runtime) fn end_extra(&self, cluster: &LogicalCluster, kind: &Gvk) {
        if !self.host.world.needs(cluster, kind) {
            let purpose = Purpose::Recorded(cluster.clone());
            self.end(|(_, of, what)| of == kind && *what == purpose);
        }
    }

    /// Ends the watches of kinds that no definition has any more.
    pub(in crate::runtime) fn end_unneeded(&self) {
        let served = self.host.world.served();
        let apis: HashSet<&Gvk> = served.iter().map(|serving| &serving.prepared.blueprint.api.kind).collect();
        let kinds: HashSet<&Gvk> = served.iter().flat_map(|serving| serving.kinds.keys()).collect();
        let ended = self.end(|(_, kind, purpose)| match purpose {
            Purpose::Bindings | Purpose::Recorded(_) => false,
            Purpose::Instances => !apis.contains(kind),
            Purpose::Children => !kinds.contains(kind),
        });
        if ended.is_empty() {
            return;
        }
        let running = self.running();
        for (at, kind, purpose) in ended {
            tracing::info!(url = at.url(), %kind, "not watched any more: no definition has it");
            match purpose {
                Purpose::Instances => drop(self.listed().remove(&(at, kind))),
                _ => self.host.world.unsynced(&at, &kind),
            }
        }
        // What these share with those that have ended was forgotten with them.
        let recorded = running.iter().filter(|((.., purpose), _)| matches!(purpose, Purpose::Recorded(_)));
        recorded.for_each(|(_, running)| running.again.notify_one());
    }

    /// Ends the watches of some places, and forgets what they saw.
    fn end(&self, is_over: impl Fn(&Place) -> bool) -> Vec<Place> {
        let ended: Vec<(Place, Running)> = self.running().extract_if(|place, _| is_over(place)).collect();
        for ((.., purpose), running) in &ended {
            running.gate.close();
            running.task.abort();
            match purpose {
                Purpose::Instances => self.host.world.instances.end(running.source),
                _ => self.host.world.children.end(running.source),
            }
        }
        ended.into_iter().map(|(place, _)| place).collect()
    }

    /// Whether all instances of an API are in the store.
    pub(in crate::runtime) fn have_listed(&self, api: &Gvk) -> bool {
        let listed = self.listed();
        self.host.world.shards().iter().all(|shard| listed.contains(&(shard.address().clone(), api.clone())))
    }
}
