//! Watches that come and go with what is needed: of kinds that only records name, and
//! of those that no definition has any more.

use std::{collections::HashMap, sync::Arc, time::Instant};

use contract::Gvk;
use host_core::{kinds::Kind, name::LogicalCluster};
use kcp::{VirtualWorkspace, store::Change};

use super::{Place, Purpose, Running, Watches};

impl Watches {
    /// Takes note of how a kind is addressed that only records of a logical cluster
    /// name, and has it watched in its turn.
    pub(in crate::runtime) fn found(self: &Arc<Self>, cluster: &LogicalCluster, kind: &Gvk, address: Kind) {
        if !self.host.world.found(cluster, kind, address) {
            return;
        }
        self.take_turns();
        // Where another definition has the kind, all there is of it is known already, and
        // no listing is waited for.
        if !self.host.world.is_in_turn(cluster, kind) {
            self.host.queue_needing(cluster, kind);
        }
    }

    /// Watches the kinds that only records name, each in its own logical cluster: those
    /// whose turn it is. The watches of others end.
    pub(in crate::runtime) fn take_turns(self: &Arc<Self>) {
        let mut running = self.running();
        let world = &self.host.world;
        let chosen = world.in_turn(Instant::now());
        let is_over = |(at, kind, purpose): &Place| match purpose {
            Purpose::Recorded(cluster) => {
                !world.is_in_turn(cluster, kind) || world.home(cluster).is_none_or(|home| home.address() != at)
            }
            _ => false,
        };
        self.end(&mut running, is_over);
        for (cluster, kind, address) in chosen {
            if let Some(shard) = world.home(&cluster) {
                self.recorded(&mut running, &shard, cluster, kind, address);
            }
        }
    }

    fn recorded(
        self: &Arc<Self>,
        running: &mut HashMap<Place, Running>,
        shard: &VirtualWorkspace,
        cluster: LogicalCluster,
        kind: Gvk,
        address: Kind,
    ) {
        let (host, at, of) = (Arc::clone(&self.host), cluster.clone(), kind.clone());
        let listed = move || host.queue_needing(&at, &of);
        let host = Arc::clone(&self.host);
        let changed = move |change: Change| host.child_changed(&change);
        let store = Arc::clone(&self.host.world.children);
        self.begin_in(running, shard, (&kind, address, Purpose::Recorded(cluster)), store, listed, changed);
    }

    /// Ends the watches of kinds that no definition has any more.
    pub(in crate::runtime) fn end_unneeded(&self) {
        let mut running = self.running();
        let is_needed = self.is_needed();
        for (at, kind, _) in self.end(&mut running, |place| !is_needed(place)) {
            tracing::info!(url = at.url(), %kind, "not watched any more: no definition has it");
        }
    }

    /// Whether it is needed what is watched at a place. Whoever needs something says so
    /// in the `World` first and then begins to watch it, and both this and that happen
    /// while `running` is held: so nothing ends that somebody has just begun to need.
    pub(super) fn is_needed(&self) -> impl Fn(&Place) -> bool {
        let served = self.host.world.served();
        move |(_, kind, purpose)| match purpose {
            // Their turns are `take_turns`' business.
            Purpose::Bindings | Purpose::Recorded(_) => true,
            Purpose::Instances => served.iter().any(|serving| serving.prepared.blueprint.api.kind == *kind),
            Purpose::Children => served.iter().any(|serving| serving.kinds.contains_key(kind)),
        }
    }

    /// Ends the watches of some places, and forgets what they alone saw. First of all it
    /// is not known any more, so that nobody takes it for gone.
    fn end(&self, running: &mut HashMap<Place, Running>, is_over: impl Fn(&Place) -> bool) -> Vec<Place> {
        let world = &self.host.world;
        let ended: Vec<(Place, Running)> = running.extract_if(|place, _| is_over(place)).collect();
        for ((at, kind, purpose), running) in &ended {
            match purpose {
                Purpose::Bindings => {}
                Purpose::Instances => drop(self.listed().remove(&(at.clone(), kind.clone()))),
                Purpose::Children => world.unsynced(at, kind),
                Purpose::Recorded(cluster) => world.listed(cluster, kind, false),
            }
            running.gate.close();
            running.task.abort();
            match purpose {
                Purpose::Instances => world.instances.end(running.source),
                _ => world.children.end(running.source),
            }
        }
        ended.into_iter().map(|(place, _)| place).collect()
    }

    /// Takes note that all there is at a place is in the store, unless its watch has
    /// ended meanwhile. Whether it has not.
    pub(super) fn has_listed(&self, place: &Place, source: u64) -> bool {
        let running = self.running();
        if running.get(place).is_none_or(|running| running.source != source) {
            return false;
        }
        let (at, kind, purpose) = place;
        match purpose {
            Purpose::Instances => drop(self.listed().insert((at.clone(), kind.clone()))),
            Purpose::Bindings | Purpose::Children => self.host.world.synced(at, kind),
            Purpose::Recorded(cluster) => self.host.world.listed(cluster, kind, true),
        }
        true
    }

    /// Whether all instances of an API are in the store.
    pub(in crate::runtime) fn have_listed(&self, api: &Gvk) -> bool {
        let listed = self.listed();
        self.host.world.shards().iter().all(|shard| listed.contains(&(shard.address().clone(), api.clone())))
    }
}
