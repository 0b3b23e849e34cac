//! Whose pass an event is for.
//!
//! It moves keys into the queue, and kinds to those who look them up; what an event
//! means is found out in the pass.

use std::{collections::BTreeSet, sync::Arc};

use contract::Gvk;
use host_core::{
    claims::Claims,
    inventory, kinds,
    name::LogicalCluster,
    object::{self, Target},
};
use kcp::{ObjectKey, VirtualWorkspace, store::Change};
use serde_json::Value;

use super::{Host, definitions::News};
use crate::pass::world::Serving;

impl Host {
    /// Has all instances that fit passed over.
    pub(super) fn enqueue(&self, fits: impl Fn(&ObjectKey) -> bool) {
        for (key, _) in self.world.instances.find(|key, _| fits(key)) {
            self.queue.add(key.cluster.clone(), key);
        }
    }

    pub(super) fn instance_changed(&self, change: &Change) {
        if let Some(after) = &change.after {
            self.world.identify(object::uid(after), &change.key);
        }
        self.need_kinds(&change.key, change.after.as_deref());
        self.queue.add_for(change.key.cluster.clone(), change.key.clone(), change.version());
        self.instances.notify_one();
    }

    /// An instance may have children of kinds that its definition does not have
    /// any more.
    pub(super) fn need_kinds(&self, key: &ObjectKey, instance: Option<&Value>) {
        let kinds: BTreeSet<Gvk> = match (instance, self.world.serving(key)) {
            (Some(instance), Some(serving)) => {
                let recorded = inventory::recorded(instance).filter_map(Target::of_record).map(|place| place.kind);
                recorded.filter(|kind| kinds::find(&serving.kinds, kind).is_none()).collect()
            }
            _ => BTreeSet::new(),
        };
        let turned = self.world.need(key, &kinds);
        if !turned.ended.is_empty() {
            // Nobody listens any more only when the host is ending.
            self.news.send(News::Unneeded).ok();
        }
        if let (false, Some(home)) = (turned.unknown.is_empty(), self.world.home(&key.cluster)) {
            turned.unknown.into_iter().for_each(|kind| self.finder.ask(&key.cluster, &home, kind));
        }
    }

    /// The instances of a logical cluster whose records name a kind go on.
    pub(super) fn queue_needing(&self, cluster: &LogicalCluster, kind: &Gvk) {
        for instance in self.world.needing(kind).into_iter().filter(|instance| instance.cluster == *cluster) {
            self.queue.add(instance.cluster.clone(), instance);
        }
    }

    /// A child's event is for the instances that its label names and named, for
    /// the one that it is in the way of, and for those that read it.
    pub(super) fn child_changed(&self, change: &Change) {
        let labelled = |object: &Option<Arc<Value>>| {
            object.as_deref().and_then(|object| object::label(object, object::INSTANCE_LABEL)).map(str::to_owned)
        };
        let owners: BTreeSet<String> = [&change.before, &change.after].into_iter().filter_map(labelled).collect();
        let owners = owners.iter().filter_map(|uid| self.world.instance(&change.key.cluster, uid));
        for instance in owners.chain(self.world.waiting_for(&change.key)) {
            self.queue.add_for(instance.cluster.clone(), instance, change.version());
        }
        let read = |serving: &&Arc<Serving>| serving.reads(&change.key.target.kind);
        for serving in self.world.served().iter().filter(read) {
            let api = &serving.prepared.blueprint.api.kind;
            let is_news = |key: &ObjectKey, _: &Value| self.world.is_news(change, key, &serving.kinds);
            for (key, _) in self.world.instances.find_of(&change.key.cluster, api, is_news) {
                self.queue.add_for(key.cluster.clone(), key, change.version());
            }
        }
    }

    pub(super) fn binding_changed(&self, shard: &VirtualWorkspace, change: &Change) {
        // A binding that kcp refused, as a second one of the same export is, has
        // the export's cluster but no resources.
        let holds = |binding: &&Arc<Value>| {
            object::text(binding, "/spec/reference/export/name") == shard.address().export()
                && object::text(binding, "/status/apiExportClusterName") == shard.address().provider().as_str()
                && binding
                    .pointer("/status/boundResources")
                    .and_then(Value::as_array)
                    .is_some_and(|all| !all.is_empty())
        };
        let cluster = &change.key.cluster;
        match change.after.as_ref().filter(holds) {
            Some(binding) => self.world.bound(cluster, shard, Claims::of(binding)),
            None => self.world.unbound(cluster, &change.key.target.name),
        }
        for (key, instance) in self.world.instances.find(|key, _| key.cluster == *cluster) {
            self.need_kinds(&key, Some(&instance));
            self.queue.add(key.cluster.clone(), key);
        }
        self.served();
    }

    /// Says that there may be other kinds than before.
    pub(super) fn served(&self) {
        // Nobody listens any more only when the host is ending.
        self.news.send(News::Served).ok();
        self.leftovers.notify_one();
        self.instances.notify_one();
    }
}
