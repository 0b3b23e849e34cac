//! Kinds that only the records of instances name: those of children that an earlier
//! version of a definition made.
//!
//! Whoever may write an instance's status may forge its record. So such a kind is
//! looked up and watched for the logical cluster of that instance alone, there are few
//! of them, and each is forgotten when no record names it any more.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{PoisonError, RwLockReadGuard, RwLockWriteGuard},
};

use contract::Gvk;
use host_core::{
    kinds::{Kind, Kinds},
    name::LogicalCluster,
};
use kcp::ObjectKey;

use super::{Serving, World};

/// So many of them a logical cluster has at most: more than a definition drops at
/// once.
const MOST: usize = 32;

/// By logical cluster.
#[derive(Default)]
pub(super) struct Extras(HashMap<LogicalCluster, BTreeMap<Gvk, Extra>>);

#[derive(Default)]
struct Extra {
    /// How it is addressed, once that was found.
    address: Option<Kind>,
    /// Whether all of its objects are in the store.
    listed: bool,
    /// The instances whose records name it.
    needed_by: BTreeSet<ObjectKey>,
}

/// What follows from a record.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Turned {
    /// Kinds that have to be looked up.
    pub unknown: Vec<Gvk>,
    /// Kinds that no record names any more.
    pub ended: Vec<Gvk>,
}

impl Extras {
    /// Whether a record without such kinds changes nothing.
    pub(super) fn is_empty(&self, cluster: &LogicalCluster) -> bool {
        !self.0.contains_key(cluster)
    }

    /// Takes note of the kinds that an instance's record names and its definition does
    /// not have.
    pub(super) fn need(&mut self, instance: &ObjectKey, kinds: &BTreeSet<Gvk>) -> Turned {
        let all = self.0.entry(instance.cluster.clone()).or_default();
        let mut turned = Turned::default();
        all.retain(|kind, extra| {
            if !kinds.contains(kind) {
                extra.needed_by.remove(instance);
            }
            let is_needed = !extra.needed_by.is_empty();
            if !is_needed {
                turned.ended.push(kind.clone());
            }
            is_needed
        });
        for kind in kinds {
            if all.len() >= MOST && !all.contains_key(kind) {
                continue;
            }
            let extra = all.entry(kind.clone()).or_default();
            extra.needed_by.insert(instance.clone());
            if extra.address.is_none() {
                turned.unknown.push(kind.clone());
            }
        }
        if all.is_empty() {
            self.0.remove(&instance.cluster);
        }
        turned
    }

    /// Whether some record names a kind.
    pub(super) fn is_needed(&self, cluster: &LogicalCluster, kind: &Gvk) -> bool {
        self.0.get(cluster).is_some_and(|all| all.contains_key(kind))
    }

    /// Takes note of how a kind is addressed. Whether it is still needed.
    pub(super) fn found(&mut self, cluster: &LogicalCluster, kind: &Gvk, address: Kind) -> bool {
        let extra = self.0.get_mut(cluster).and_then(|all| all.get_mut(kind));
        extra.map(|extra| extra.address = Some(address)).is_some()
    }

    /// Takes note of whether the store has all objects of a kind. Returns the instances
    /// that need them.
    pub(super) fn listed(&mut self, cluster: &LogicalCluster, kind: &Gvk) -> BTreeSet<ObjectKey> {
        let Some(extra) = self.0.get_mut(cluster).and_then(|all| all.get_mut(kind)) else { return BTreeSet::new() };
        extra.listed = true;
        extra.needed_by.clone()
    }

    /// Whether the store has all objects of a kind.
    pub(super) fn is_listed(&self, cluster: &LogicalCluster, kind: &Gvk) -> bool {
        self.0.get(cluster).and_then(|all| all.get(kind)).is_some_and(|extra| extra.listed)
    }

    /// The kinds that an instance needs, as far as they were found.
    pub(super) fn of(&self, instance: &ObjectKey) -> Vec<(Gvk, Kind)> {
        let all = self.0.get(&instance.cluster).into_iter().flatten();
        let own = all.filter(|(_, extra)| extra.needed_by.contains(instance));
        own.filter_map(|(kind, extra)| Some((kind.clone(), extra.address.clone()?))).collect()
    }
}

impl World {
    /// Takes note of the kinds that an instance's record names and its definition does
    /// not have.
    pub fn need(&self, instance: &ObjectKey, kinds: &BTreeSet<Gvk>) -> Turned {
        if kinds.is_empty() && self.extras().is_empty(&instance.cluster) {
            return Turned::default();
        }
        self.extras_mut().need(instance, kinds)
    }

    /// Whether a record in a logical cluster names a kind that its definition does not
    /// have.
    pub fn needs(&self, cluster: &LogicalCluster, kind: &Gvk) -> bool {
        self.extras().is_needed(cluster, kind)
    }

    /// Takes note of how such a kind is addressed. Whether it is still needed.
    pub fn found(&self, cluster: &LogicalCluster, kind: &Gvk, address: Kind) -> bool {
        self.extras_mut().found(cluster, kind, address)
    }

    /// Takes note that all objects of such a kind are in the store. Returns the
    /// instances that need them.
    pub fn listed(&self, cluster: &LogicalCluster, kind: &Gvk) -> BTreeSet<ObjectKey> {
        self.extras_mut().listed(cluster, kind)
    }

    /// The kinds that a definition has, and those that an instance's record names;
    /// `None` if it names no others.
    pub fn extended(&self, serving: &Serving, instance: &ObjectKey) -> Option<Kinds> {
        let extras = self.extras().of(instance);
        let extras: Vec<_> = extras.into_iter().filter(|(kind, _)| !serving.kinds.contains_key(kind)).collect();
        (!extras.is_empty()).then(|| serving.kinds.clone().into_iter().chain(extras).collect())
    }

    // A panic while the lock is held leaves maps that are whole.
    fn extras(&self) -> RwLockReadGuard<'_, Extras> {
        self.extras.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn extras_mut(&self) -> RwLockWriteGuard<'_, Extras> {
        self.extras.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use host_core::{kinds, object::Target};

    use super::*;

    fn gvk(kind: &str) -> Gvk {
        Gvk { group: "example.org".into(), version: "v1".into(), kind: kind.into() }
    }

    fn key(cluster: &str, name: &str) -> ObjectKey {
        let target = Target { kind: gvk("Web"), namespace: "default".into(), name: name.into() };
        ObjectKey { cluster: cluster.parse().unwrap(), target }
    }

    fn set(kinds: &[&str]) -> BTreeSet<Gvk> {
        kinds.iter().map(|kind| gvk(kind)).collect()
    }

    #[test]
    fn a_kind_is_needed_as_long_as_a_record_of_its_logical_cluster_names_it() {
        let mut extras = Extras::default();
        let (one, two, other) = (key("one", "a"), key("one", "b"), key("two", "a"));
        assert_eq!(extras.need(&one, &set(&["Lamp"])).unknown, [gvk("Lamp")]);
        extras.need(&two, &set(&["Lamp"]));
        // Another one's answer is nobody's here.
        assert!(!extras.found(&other.cluster, &gvk("Lamp"), kinds::guess(&gvk("Lamp"))));
        assert!(extras.found(&one.cluster, &gvk("Lamp"), kinds::guess(&gvk("Lamp"))));
        assert_eq!(extras.need(&one, &set(&["Lamp"])), Turned::default());
        assert_eq!(extras.of(&one), [(gvk("Lamp"), kinds::guess(&gvk("Lamp")))]);
        assert!(extras.of(&key("one", "c")).is_empty());
        assert_eq!(extras.listed(&one.cluster, &gvk("Lamp")), BTreeSet::from([one.clone(), two.clone()]));
        assert!(extras.is_listed(&one.cluster, &gvk("Lamp")) && !extras.is_listed(&other.cluster, &gvk("Lamp")));

        assert_eq!(extras.need(&one, &set(&[])), Turned::default());
        assert_eq!(extras.need(&two, &set(&[])).ended, [gvk("Lamp")]);
        assert!(extras.is_empty(&one.cluster) && extras.0.is_empty());
    }

    #[test]
    fn a_forged_record_has_few_kinds_looked_up_and_takes_none_from_others() {
        let mut extras = Extras::default();
        let forged: BTreeSet<Gvk> = (0..1000).map(|number| gvk(&format!("Forged{number}"))).collect();
        assert_eq!(extras.need(&key("one", "a"), &forged).unknown.len(), MOST);
        assert!(extras.need(&key("one", "b"), &set(&["Lamp"])).unknown.is_empty());
        assert_eq!(extras.need(&key("two", "a"), &set(&["Lamp"])).unknown, [gvk("Lamp")]);
        assert_eq!(extras.need(&key("one", "a"), &set(&[])).ended.len(), MOST);
        assert_eq!(extras.need(&key("one", "b"), &set(&["Lamp"])).unknown, [gvk("Lamp")]);
    }
}
