//! Kinds that only the records of instances name: those of children that an earlier
//! version of a definition made.
//!
//! Whoever may write an instance's status may forge its record. So such a kind is
//! looked up and watched for the logical cluster of that instance alone, there are few
//! of them, and each is forgotten when no record names it any more. Each watch is a
//! connection: there are few in all, and logical clusters take turns.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{PoisonError, RwLockReadGuard, RwLockWriteGuard},
    time::{Duration, Instant},
};

use contract::Gvk;
use host_core::{
    claims::Grant,
    kinds::{Kind, Kinds},
    name::LogicalCluster,
};
use kcp::{ObjectKey, VirtualWorkspace};

use super::{Serving, World};

/// So many of them a logical cluster has at most: more than a definition drops at
/// once.
const MOST: usize = 32;

/// So many are watched at once, of all logical clusters: what a process may have open,
/// 1024 files as a rule, leaves room for the rest of the host.
const MOST_WATCHED: usize = 128;
/// So long each is watched at least where others wait: a listing and a pass take
/// seconds.
const TURN: Duration = Duration::from_secs(30);

/// By logical cluster.
#[derive(Default)]
pub(super) struct Extras {
    all: HashMap<LogicalCluster, BTreeMap<Gvk, Extra>>,
    /// How many turns have ended.
    turns: u64,
}

#[derive(Default)]
struct Extra {
    /// How it is addressed, once that was found.
    address: Option<Kind>,
    /// Since when it is watched.
    since: Option<Instant>,
    /// When it was watched last, in turns.
    last: u64,
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
        !self.all.contains_key(cluster)
    }

    /// Takes note of the kinds that an instance's record names and its definition does
    /// not have.
    pub(super) fn need(&mut self, instance: &ObjectKey, kinds: &BTreeSet<Gvk>) -> Turned {
        let all = self.all.entry(instance.cluster.clone()).or_default();
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
            self.all.remove(&instance.cluster);
        }
        turned
    }

    /// Whether some record names a kind.
    pub(super) fn is_needed(&self, cluster: &LogicalCluster, kind: &Gvk) -> bool {
        self.all.get(cluster).is_some_and(|all| all.contains_key(kind))
    }

    /// Takes note of how a kind is addressed. Whether it is still needed.
    pub(super) fn found(&mut self, cluster: &LogicalCluster, kind: &Gvk, address: Kind) -> bool {
        let extra = self.all.get_mut(cluster).and_then(|all| all.get_mut(kind));
        extra.map(|extra| extra.address = Some(address)).is_some()
    }

    /// Takes note of whether the store has all objects of a kind.
    pub(super) fn listed(&mut self, cluster: &LogicalCluster, kind: &Gvk, listed: bool) {
        if let Some(extra) = self.all.get_mut(cluster).and_then(|all| all.get_mut(kind)) {
            extra.listed = listed;
        }
    }

    /// Takes note that nobody knows any more where the kinds of a logical cluster are
    /// served.
    pub(super) fn lost(&mut self, cluster: &LogicalCluster) {
        for extra in self.all.get_mut(cluster).into_iter().flat_map(BTreeMap::values_mut) {
            (extra.address, extra.listed) = (None, false);
        }
    }

    /// The instances that need a kind.
    pub(super) fn needing(&self, kind: &Gvk) -> BTreeSet<ObjectKey> {
        let of_kind = self.all.values().filter_map(|all| all.get(kind));
        of_kind.flat_map(|extra| extra.needed_by.iter().cloned()).collect()
    }

    /// Whether it is a kind's turn to be watched.
    pub(super) fn is_in_turn(&self, cluster: &LogicalCluster, kind: &Gvk) -> bool {
        self.all.get(cluster).and_then(|all| all.get(kind)).is_some_and(|extra| extra.since.is_some())
    }

    /// What is to be watched from now on, of that which may be: so many as there may
    /// be, from each logical cluster one before any has a second one. What is watched
    /// has its turn, then it makes room for who has waited longest.
    pub(super) fn in_turn(
        &mut self,
        now: Instant,
        may: impl Fn(&LogicalCluster, &Gvk, &Kind) -> bool,
    ) -> Vec<(LogicalCluster, Gvk, Kind)> {
        let mut ranked = Vec::new();
        for (cluster, all) in &self.all {
            let found = all.iter().filter_map(|(kind, extra)| Some((kind, extra.address.as_ref()?, extra)));
            let found = found.filter(|(kind, address, _)| may(cluster, kind, address));
            let mut own: Vec<_> = found.map(|(kind, address, extra)| (extra.rank(now), kind, address)).collect();
            own.sort_by_key(|(rank, kind, _)| (*rank, *kind));
            let own = own.into_iter().enumerate();
            ranked.extend(own.map(|(round, (rank, kind, address))| ((round, rank), cluster, kind, address)));
        }
        ranked.sort_by_key(|(rank, cluster, ..)| (*rank, *cluster));
        ranked.truncate(MOST_WATCHED);
        let chosen: Vec<_> =
            ranked.into_iter().map(|(_, cluster, kind, at)| (cluster.clone(), kind.clone(), at.clone())).collect();
        let is_chosen: BTreeSet<(&LogicalCluster, &Gvk)> =
            chosen.iter().map(|(cluster, kind, _)| (cluster, kind)).collect();
        for (cluster, all) in &mut self.all {
            for (kind, extra) in all {
                match (is_chosen.contains(&(cluster, kind)), extra.since) {
                    (true, None) => extra.since = Some(now),
                    (false, Some(_)) => {
                        self.turns += 1;
                        (extra.since, extra.last, extra.listed) = (None, self.turns, false);
                    }
                    _ => {}
                }
            }
        }
        chosen
    }

    /// Whether the store has all objects of a kind.
    pub(super) fn is_listed(&self, cluster: &LogicalCluster, kind: &Gvk) -> bool {
        self.all.get(cluster).and_then(|all| all.get(kind)).is_some_and(|extra| extra.listed)
    }

    /// The kinds that an instance needs, as far as they were found.
    pub(super) fn of(&self, instance: &ObjectKey) -> Vec<(Gvk, Kind)> {
        let all = self.all.get(&instance.cluster).into_iter().flatten();
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

    /// Takes note of whether all objects of such a kind are in the store.
    pub fn listed(&self, cluster: &LogicalCluster, kind: &Gvk, listed: bool) {
        self.extras_mut().listed(cluster, kind, listed);
    }

    /// Takes note that nobody knows any more where such kinds of a logical cluster are
    /// served.
    pub fn lost(&self, cluster: &LogicalCluster) {
        self.extras_mut().lost(cluster);
    }

    /// The instances that need such a kind.
    pub fn needing(&self, kind: &Gvk) -> BTreeSet<ObjectKey> {
        self.extras().needing(kind)
    }

    /// Whether it is the turn of such a kind to be watched.
    pub fn is_in_turn(&self, cluster: &LogicalCluster, kind: &Gvk) -> bool {
        self.extras().is_in_turn(cluster, kind)
    }

    /// The kinds that are to be watched from now on because records name them: of those
    /// that the workspace allows and that nobody knows otherwise. Of others it is not
    /// known any more what there is.
    pub fn in_turn(&self, now: Instant) -> Vec<(LogicalCluster, Gvk, Kind)> {
        let homes = self.homes.read().unwrap_or_else(PoisonError::into_inner);
        let claims = self.claims.read().unwrap_or_else(PoisonError::into_inner);
        let synced = self.synced.read().unwrap_or_else(PoisonError::into_inner);
        let is_granted = |cluster: &LogicalCluster, kind: &Gvk, address: &Kind| {
            let claims = claims.get(cluster).and_then(|claims| claims.values().next());
            claims.is_some_and(|claims| claims.grant(&kind.group, &address.plural) == Grant::Accepted)
        };
        let is_synced = |cluster: &LogicalCluster, kind: &Gvk| {
            let at = |home: &VirtualWorkspace| synced.get(kind).is_some_and(|synced| synced.contains(home.address()));
            homes.get(cluster).is_some_and(|homes| homes.iter().any(at))
        };
        let may = |cluster: &LogicalCluster, kind: &Gvk, address: &Kind| {
            is_granted(cluster, kind, address) && !is_synced(cluster, kind)
        };
        self.extras_mut().in_turn(now, may)
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

impl Extra {
    /// Who goes first: what has its turn, then what waits, those that have waited
    /// longest first, then what has had its turn.
    fn rank(&self, now: Instant) -> (u8, u64) {
        match self.since {
            Some(since) if now.saturating_duration_since(since) < TURN => (0, self.last),
            None => (1, self.last),
            Some(_) => (2, self.last),
        }
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
        assert_eq!(extras.needing(&gvk("Lamp")), BTreeSet::from([one.clone(), two.clone()]));
        extras.listed(&one.cluster, &gvk("Lamp"), true);
        assert!(extras.is_listed(&one.cluster, &gvk("Lamp")) && !extras.is_listed(&other.cluster, &gvk("Lamp")));

        assert_eq!(extras.need(&one, &set(&[])), Turned::default());
        assert_eq!(extras.need(&two, &set(&[])).ended, [gvk("Lamp")]);
        assert!(extras.is_empty(&one.cluster) && extras.all.is_empty());
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

    /// Has instances of workspaces name kinds, all of which are found.
    fn found(extras: &mut Extras, workspaces: std::ops::Range<usize>, count: usize) {
        for number in workspaces {
            let instance = key(&format!("w{number}"), "a");
            let kinds: BTreeSet<Gvk> = (0..count).map(|number| gvk(&format!("Kind{number}"))).collect();
            extras.need(&instance, &kinds);
            for kind in &kinds {
                assert!(extras.found(&instance.cluster, kind, kinds::guess(kind)));
            }
        }
    }

    #[test]
    fn of_all_logical_clusters_few_are_watched_and_each_has_one_first() {
        let (mut extras, now) = (Extras::default(), Instant::now());
        let count = |chosen: &[(LogicalCluster, Gvk, Kind)], name: &str| {
            chosen.iter().filter(|(cluster, ..)| cluster.as_str() == name).count()
        };
        found(&mut extras, 0..20, MOST);
        let chosen = extras.in_turn(now, |_, _, _| true);
        assert_eq!(chosen.len(), MOST_WATCHED);
        assert!((0..20).all(|number| (6..=7).contains(&count(&chosen, &format!("w{number}")))), "{chosen:?}");
        assert_eq!(extras.in_turn(now, |_, _, _| true), chosen, "nothing changes in a turn");
        // Whoever has none takes one from those who have many, at once.
        let (cluster, kind) = (&chosen[0].0, &chosen[0].1);
        assert!(extras.is_in_turn(cluster, kind));
        found(&mut extras, 20..21, 1);
        let chosen = extras.in_turn(now, |_, _, _| true);
        assert_eq!((chosen.len(), count(&chosen, "w20")), (MOST_WATCHED, 1));
        // What may not be watched takes nobody's place.
        assert_eq!(extras.in_turn(now, |cluster, _, _| cluster.as_str() == "w20").len(), 1);
        assert_eq!(extras.in_turn(now, |_, _, _| false).len(), 0);
    }

    #[test]
    fn who_waits_is_watched_when_the_turn_of_others_is_over() {
        let (mut extras, now) = (Extras::default(), Instant::now());
        found(&mut extras, 0..MOST_WATCHED, 1);
        let first = extras.in_turn(now, |_, _, _| true);
        found(&mut extras, MOST_WATCHED..MOST_WATCHED + 10, 1);
        extras.listed(&first[0].0, &first[0].1, true);
        assert_eq!(extras.in_turn(now + TURN / 2, |_, _, _| true), first);
        let mut had: BTreeSet<LogicalCluster> = BTreeSet::new();
        for turn in 1..=2 {
            let chosen = extras.in_turn(now + TURN * turn, |_, _, _| true);
            assert_eq!(chosen.len(), MOST_WATCHED);
            had.extend(chosen.into_iter().map(|(cluster, ..)| cluster));
        }
        assert_eq!(had.len(), MOST_WATCHED + 10);
        // What is not watched any more is not known any more.
        let ended: Vec<_> = first.iter().filter(|(cluster, kind, _)| !extras.is_in_turn(cluster, kind)).collect();
        assert!(!ended.is_empty() && ended.iter().all(|(cluster, kind, _)| !extras.is_listed(cluster, kind)));
    }

    #[test]
    fn what_an_endpoint_served_is_looked_up_again() {
        let (mut extras, instance) = (Extras::default(), key("w0", "a"));
        found(&mut extras, 0..1, 1);
        let kinds = set(&["Kind0"]);
        extras.in_turn(Instant::now(), |_, _, _| true);
        extras.listed(&instance.cluster, &gvk("Kind0"), true);
        assert!(extras.need(&instance, &kinds).unknown.is_empty());
        extras.lost(&instance.cluster);
        assert!(!extras.is_listed(&instance.cluster, &gvk("Kind0")));
        assert_eq!(extras.need(&instance, &kinds).unknown, [gvk("Kind0")]);
    }
}
