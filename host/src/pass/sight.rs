//! What a pass sees: the instance's children and what its module reads, out of
//! the stores, and whether those are complete.
//!
//! It asks no server.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use contract::{Gvk, Observed};
use host_core::{
    claims::Grant,
    fault::Blame,
    inventory::{self, Inventory, Owned, Shown},
    kinds::{self, Kind},
    object::{self, Target},
    receipt::{self, Input},
    status::{Stage, Verdict},
};
use kcp::{ObjectKey, externals};
use serde_json::Value;

use crate::pass::world::{Given, Stamp};

use super::{Next, Pass};

/// After so many attempts, some ten seconds, an instance whose children cannot be
/// seen says so: a host that has just started sees them sooner.
pub(super) const BLIND_ATTEMPTS: u32 = 6;

impl Pass<'_> {
    /// Whether the store has all the children that may exist. Kinds that the
    /// consumer does not let croft see are policy's business.
    pub(super) fn can_see_children(&self) -> bool {
        let granted = |kind: &Gvk, address: &Kind| self.claims.grant(&kind.group, &address.plural) == Grant::Accepted;
        let kinds = self.kinds();
        !self.out_of_sight().any(|kind| kinds.get(kind).is_some_and(|address| granted(kind, address)))
    }

    /// The kinds of which the store does not have all objects, or of those that
    /// are read not all of each.
    fn out_of_sight(&self) -> impl Iterator<Item = &Gvk> {
        let read: BTreeSet<&Gvk> = self.serving.read().collect();
        self.kinds().keys().filter(move |kind| {
            let cluster = &self.key.cluster;
            let is_whole = || self.world.children.is_whole(cluster, kind);
            !self.world.is_synced(cluster, kind) || (read.contains(kind) && !is_whole())
        })
    }

    /// What is done while a kind's objects are not known: nothing, and after some
    /// attempts the instance says why. Knowing them is an event, which comes at
    /// once and is not waited for.
    pub(super) async fn blind(&mut self) -> Next {
        if self.memory.attempts >= BLIND_ATTEMPTS {
            let kinds = self.out_of_sight().map(ToString::to_string);
            let message = format!("cannot see the {} of this workspace yet", kinds.collect::<Vec<_>>().join(", "));
            let (stage, reason) = (Stage::Applied, "NotSynced".to_owned());
            self.record(&Verdict::Stopped { stage, reason, blame: Blame::Host, message }).await;
        }
        Next::Retry
    }

    pub(super) fn inventory(&self) -> Inventory {
        let uid = object::uid(&self.instance);
        let labelled = self.world.children.children(&self.key.cluster, uid);
        let unlabelled = self.unlabelled(&labelled);
        let kinds = self.kinds();
        // A kind that the definition has in another version by now is watched in
        // that one; what was seen in the former version gets old.
        let current = |child: &Arc<Value>| {
            Gvk::of(child).is_some_and(|kind| kinds.contains_key(&kind) || kinds::find(kinds, &kind).is_none())
        };
        let nodes = &self.serving.prepared.blueprint.nodes;
        let preferred = |owned: &Owned| nodes.iter().any(|node| node.id == owned.id && node.kind == owned.target.kind);
        let all = labelled.into_iter().chain(unlabelled).filter(current);
        let inventory = Inventory::of(&self.owner, all, preferred);
        // What is not known is not gone: it stays on record.
        inventory.with_hidden(&self.instance, |kind| self.is_visible(kind) && self.is_known(kind))
    }

    /// Whether all objects of a kind, in the version in which it is watched, are in the
    /// store.
    pub(super) fn is_known(&self, kind: &Gvk) -> bool {
        let watched = kinds::find(self.kinds(), kind);
        watched.is_some_and(|(watched, _)| self.world.is_synced(&self.key.cluster, watched))
    }

    /// Objects on record that have no label (any more). Whether they are the
    /// instance's is for them to say.
    fn unlabelled(&self, labelled: &[Arc<Value>]) -> Vec<Arc<Value>> {
        let known: HashSet<&str> = labelled.iter().map(|child| object::uid(child)).collect();
        let rest = inventory::recorded(&self.instance).filter(|record| !known.contains(object::text(record, "/uid")));
        let places = rest.filter_map(Target::of_record);
        let seen = places.filter_map(|place| {
            let (kind, _) = kinds::find(self.kinds(), &place.kind)?;
            let target = Target { kind: kind.clone(), ..place };
            self.world.children.get(&ObjectKey { cluster: self.key.cluster.clone(), target })
        });
        seen.filter(|object| object::label(object, object::INSTANCE_LABEL).is_none()).collect()
    }

    pub(super) fn is_visible(&self, kind: &Gvk) -> bool {
        let granted = |address: &Kind| self.claims.grant(&kind.group, &address.plural) == Grant::Accepted;
        !self.unseen.iter().any(|unseen| kinds::are_one(unseen, kind))
            && kinds::find(self.kinds(), kind).is_some_and(|(_, address)| granted(address))
    }

    /// What the module is shown. A child that is rendered under another name by
    /// now is not the one that its dependents are to be made from.
    pub(super) fn observed(&self) -> Vec<Shown> {
        let mut observed = self.inventory().observed(|owned| !self.has_moved(owned));
        for read in self.world.reads(self.key) {
            let Some(kind) = self.kinds().get(&read.kind) else { continue };
            observed.extend(externals::find(&self.world.children, &self.key.cluster, &self.instance, &read, kind));
        }
        observed
    }

    pub(super) fn has_moved(&self, owned: &Owned) -> bool {
        let place = self.places.get(&(owned.id.clone(), owned.key.clone()));
        place.is_some_and(|place| *place != owned.target)
    }

    pub(super) fn input(&self, instance: &Value, observed: &[Observed]) -> Input {
        Input::of(self.serving.module.digest(), &self.serving.digest, instance, observed)
    }

    /// What the module would be shown now.
    pub(super) fn given(&self) -> Given {
        Given { instance: Arc::clone(&self.instance), observed: self.observed() }
    }

    /// What there is now, after the module was shown this.
    pub(super) fn stamp(&self, mut given: Given) -> Stamp {
        // The latest is kept anyway: an older one would only take memory.
        if receipt::is_same_instance(&given.instance, &self.instance) {
            given.instance = Arc::clone(&self.instance);
        }
        let serving = &self.serving;
        Stamp {
            extras: self.extended.as_ref().map_or(0, |kinds| kinds.len() - serving.kinds.len()),
            definition: (serving.module.digest().clone(), serving.digest.clone(), serving.retired),
            given,
            claims: Arc::clone(&self.claims),
            instance: Arc::clone(&self.instance),
        }
    }
}
