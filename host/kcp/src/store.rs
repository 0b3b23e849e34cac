//! What the watches have seen: objects of many logical clusters, by place.
//!
//! Answers to croft's own writes go in as well, so that the next pass does not
//! wait for the watch to tell what the host already knows.

mod children;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque},
    fmt,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, Ordering},
    },
};

use contract::{
    Gvk,
    shape::{self, Size},
};
use host_core::{
    name::LogicalCluster,
    object::{self, Target},
};
use serde_json::Value;

use self::children::{less, stub};
use super::watched::without_bookkeeping;

/// Where an object lives, across logical clusters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectKey {
    /// Its logical cluster.
    pub cluster: LogicalCluster,
    /// Its place there.
    pub target: Target,
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.target, self.cluster)
    }
}

/// How an object came to be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// In the answer to a write of ours.
    Written,
    /// In an event, by a watch that has this number.
    Event {
        /// The watch.
        source: u64,
    },
    /// In a listing of a watch.
    Listed {
        /// The watch.
        source: u64,
        /// The listing.
        listing: u64,
    },
}

/// How much of an object is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// All of it.
    Whole,
    /// All of the children of instances that are known, up to a bound for each instance;
    /// of others only whose they are, which is what it takes to leave them alone.
    Children {
        /// What the children of one instance take together at most. Whoever makes more
        /// of them, with a label that anybody can put on, does not fill the memory.
        most: Size,
    },
}

/// A cache of objects, filled by watches and by the answers to writes.
pub struct Store {
    keep: Keep,
    /// The number of the listing that began last.
    listings: AtomicU64,
    inner: RwLock<Inner>,
}

#[derive(Default)]
struct Inner {
    /// In order, so that the objects of a kind stand in a row.
    objects: BTreeMap<ObjectKey, Entry>,
    /// By the logical cluster and the uid that the label names.
    children: HashMap<LogicalCluster, HashMap<String, Children>>,
    whole: BTreeSet<Gvk>,
    /// The uids of the instances that are known. Anybody can put on a label; only that
    /// of one of these makes an object a child.
    instances: HashMap<LogicalCluster, HashSet<String>>,
    /// How many objects of a kind are kept as stubs in a logical cluster.
    stubs: HashMap<(LogicalCluster, Gvk), usize>,
    /// The uids of objects that were seen to go, the latest last: an answer that
    /// comes late must not bring one back.
    gone: Gone,
}

/// How many of those are kept. An answer is late by seconds, in which a host
/// sees some hundreds of objects go.
const GONE: usize = 4096;

/// Uids, each with its logical cluster, the latest ones.
#[derive(Default)]
struct Gone {
    order: VecDeque<(LogicalCluster, String)>,
    uids: HashSet<(LogicalCluster, String)>,
}

impl Gone {
    fn has(&self, cluster: &LogicalCluster, uid: &str) -> bool {
        self.uids.contains(&(cluster.clone(), uid.to_owned()))
    }

    fn add(&mut self, cluster: &LogicalCluster, uid: &str) {
        let gone = (cluster.clone(), uid.to_owned());
        if !self.uids.insert(gone.clone()) {
            return;
        }
        self.order.push_back(gone);
        if self.order.len() > GONE
            && let Some(oldest) = self.order.pop_front()
        {
            self.uids.remove(&oldest);
        }
    }
}

#[derive(Clone)]
struct Entry {
    object: Arc<Value>,
    /// Whether only its place was kept.
    is_stub: bool,
    /// What all of it takes, where that counts.
    size: Size,
    /// The watches that saw it: none of an object that was only written so far. It is
    /// there for as long as one of them shows it.
    sources: Vec<u64>,
    /// The listing that last confirmed it, or that had begun last when it was seen in
    /// another way; see [`Store::sweep`].
    listing: u64,
}

impl Entry {
    fn seen(&mut self, source: Option<u64>, listing: u64) {
        self.listing = self.listing.max(listing);
        self.sources.extend(source.filter(|source| !self.sources.contains(source)));
    }
}

/// The objects whose label names an instance.
#[derive(Default)]
struct Children {
    keys: BTreeSet<ObjectKey>,
    /// What those take of which all is kept.
    kept: Size,
    /// What all of them would take.
    all: Size,
}

/// What became of an object that was shown to the store.
#[derive(Clone, Debug)]
pub struct Change {
    /// Where it lives.
    pub key: ObjectKey,
    /// What was there before.
    pub before: Option<Arc<Value>>,
    /// What is there now; `None` if it is gone.
    pub after: Option<Arc<Value>>,
}

impl Change {
    /// The version of the object that is there now; `None` if it is gone.
    pub fn version(&self) -> Option<&str> {
        self.after.as_deref()?.pointer("/metadata/resourceVersion")?.as_str()
    }
}

impl Store {
    /// An empty store.
    pub fn new(keep: Keep) -> Store {
        Store { keep, listings: AtomicU64::new(0), inner: RwLock::default() }
    }

    /// Numbers a complete listing that is about to be asked for.
    pub fn begin_listing(&self) -> u64 {
        self.listings.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Keeps objects of this kind whole from now on, whoever owns them. Whether
    /// that is new: what was seen before then has to be listed again.
    pub fn keep_whole(&self, kind: Gvk) -> bool {
        self.write().whole.insert(kind)
    }

    /// Whether no object of this kind in a logical cluster is kept as a stub.
    pub fn is_whole(&self, cluster: &LogicalCluster, kind: &Gvk) -> bool {
        !self.read().stubs.contains_key(&(cluster.clone(), kind.clone()))
    }

    /// The object at a place.
    pub fn get(&self, key: &ObjectKey) -> Option<Arc<Value>> {
        self.read().objects.get(key).map(|entry| entry.object.clone())
    }

    /// The children of the instance with this uid in its logical cluster. What
    /// stands in another one is nobody's here, whatever its label says.
    pub fn children(&self, cluster: &LogicalCluster, instance_uid: &str) -> Vec<Arc<Value>> {
        let inner = self.read();
        let keys = inner.children(cluster, instance_uid).into_iter().flat_map(|children| &children.keys);
        keys.filter_map(|key| inner.objects.get(key)).map(|entry| entry.object.clone()).collect()
    }

    /// All objects for which `wanted` holds, ordered by place.
    pub fn find(&self, wanted: impl Fn(&ObjectKey, &Value) -> bool) -> Vec<(ObjectKey, Arc<Value>)> {
        let inner = self.read();
        let found = inner.objects.iter().filter(|(key, entry)| wanted(key, &entry.object));
        found.map(|(key, entry)| (key.clone(), entry.object.clone())).collect()
    }

    /// The same of one kind in one logical cluster, without looking at others.
    pub fn find_of(
        &self,
        cluster: &LogicalCluster,
        kind: &Gvk,
        wanted: impl Fn(&ObjectKey, &Value) -> bool,
    ) -> Vec<(ObjectKey, Arc<Value>)> {
        let target = Target { kind: kind.clone(), namespace: String::new(), name: String::new() };
        let first = ObjectKey { cluster: cluster.clone(), target };
        let inner = self.read();
        let of_kind = |(key, _): &(&ObjectKey, &Entry)| key.cluster == *cluster && key.target.kind == *kind;
        let found = inner.objects.range(first..).take_while(of_kind);
        let found = found.filter(|(key, entry)| wanted(key, &entry.object));
        found.map(|(key, entry)| (key.clone(), entry.object.clone())).collect()
    }

    /// Takes an object in, unless a newer version of it is there already. A listing is
    /// right about all that was known when it began, whatever the versions: a server
    /// that was restored from a backup has older ones.
    pub fn put(&self, cluster: &LogicalCluster, object: Value, seen: Seen) -> Option<Change> {
        let key = ObjectKey { cluster: cluster.clone(), target: Target::of(&object)? };
        let mut inner = self.write();
        if seen == Seen::Written && inner.gone.has(cluster, object::uid(&object)) {
            return None;
        }
        let object = without_bookkeeping(object);
        let (source, listing) = match seen {
            Seen::Written => (None, self.listings.load(Ordering::SeqCst)),
            Seen::Event { source } => (Some(source), self.listings.load(Ordering::SeqCst)),
            Seen::Listed { source, listing } => (Some(source), listing),
        };
        let overruled = |before: &Entry| matches!(seen, Seen::Listed { .. }) && before.listing < listing;
        let is_older = |before: &&mut Entry| !overruled(before) && is_stale(&object, &before.object);
        if let Some(confirmed) = inner.objects.get_mut(&key).filter(is_older) {
            confirmed.seen(source, listing);
            return None;
        }
        let before = inner.unlink(&key);
        let size = if self.keep == Keep::Whole { Size::default() } else { shape::size_at_least(&object) };
        let is_stub = !inner.is_kept(self.keep, &key, &object, size);
        let object = Arc::new(if is_stub { stub(&object) } else { object });
        let sources = before.as_ref().map(|before| before.sources.clone()).unwrap_or_default();
        let mut entry = Entry { object: Arc::clone(&object), is_stub, size, sources, listing };
        entry.seen(source, listing);
        inner.link(&key, entry);
        Some(Change { key, before: before.map(|entry| entry.object), after: Some(object) })
    }

    /// Takes an object out, if it is the very one that was seen.
    pub fn remove(&self, key: &ObjectKey, uid: &str) -> Option<Change> {
        let mut inner = self.write();
        if object::uid(&inner.objects.get(key)?.object) != uid {
            return None;
        }
        let before = inner.unlink(key)?.object;
        inner.gone.add(&key.cluster, uid);
        Some(Change { key: key.clone(), before: Some(before), after: None })
    }

    /// Takes out what a complete listing did not confirm: objects in `scope` that
    /// this watch saw before it began, or that were written before in a logical cluster
    /// of those that it `covers`. Another watch of the same kind sees another shard, and
    /// what it shows stays.
    pub fn sweep(
        &self,
        source: u64,
        listing: u64,
        scope: impl Fn(&ObjectKey) -> bool,
        covers: impl Fn(&LogicalCluster) -> bool,
    ) -> Vec<Change> {
        let stale: Vec<(ObjectKey, String, bool)> = {
            let inner = self.read();
            let mine = |entry: &Entry| entry.sources.is_empty() || entry.sources.contains(&source);
            let stale =
                inner.objects.iter().filter(|(key, entry)| mine(entry) && entry.listing < listing && scope(key));
            let place = |(key, entry): (&ObjectKey, &Entry)| {
                (key.clone(), object::uid(&entry.object).to_owned(), entry.sources.is_empty())
            };
            stale.map(place).collect()
        };
        // Without the lock: what is covered is for others to know, who have locks too.
        let stale = stale.iter().filter(|(key, _, is_written)| !is_written || covers(&key.cluster));
        let gone = stale.filter(|(key, ..)| !self.is_seen_besides(key, source));
        gone.filter_map(|(key, uid, _)| self.remove(key, uid)).collect()
    }

    /// Takes note that a watch does not show an object any more. Whether another one
    /// does.
    fn is_seen_besides(&self, key: &ObjectKey, source: u64) -> bool {
        let mut inner = self.write();
        let Some(entry) = inner.objects.get_mut(key).filter(|entry| entry.sources.len() > 1) else { return false };
        entry.sources.retain(|seen_by| *seen_by != source);
        true
    }

    /// Forgets what watches saw that have ended, and what was written where nobody
    /// else watches: the logical clusters for which `is_left` holds. It may be there
    /// all the same, and none of it counts as gone. Returns what was forgotten.
    pub fn leave(&self, sources: &HashSet<u64>, is_left: impl Fn(&LogicalCluster) -> bool) -> Vec<ObjectKey> {
        let mut inner = self.write();
        let mut left = Vec::new();
        for (key, entry) in &mut inner.objects {
            // Where another watch sees the workspace too, its next listing decides.
            entry.sources.retain(|source| !sources.contains(source));
            if entry.sources.is_empty() && is_left(&key.cluster) {
                left.push(key.clone());
            }
        }
        for key in &left {
            inner.unlink(key);
        }
        left
    }

    /// Forgets what one watch alone saw that has ended, because nobody needs it. None of
    /// it counts as gone.
    pub fn end(&self, source: u64) {
        let mut inner = self.write();
        let mut left = Vec::new();
        for (key, entry) in &mut inner.objects {
            let Some(at) = entry.sources.iter().position(|seen_by| *seen_by == source) else { continue };
            entry.sources.swap_remove(at);
            if entry.sources.is_empty() {
                left.push(key.clone());
            }
        }
        for key in left {
            inner.unlink(&key);
        }
    }

    // A panic while the lock is held leaves maps that are whole: each change is
    // one insert or one removal.
    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Inner> {
        self.inner.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn link(&mut self, key: &ObjectKey, entry: Entry) {
        if let Some(instance) = object::label(&entry.object, object::INSTANCE_LABEL) {
            let children = self.children.entry(key.cluster.clone()).or_default();
            let children = children.entry(instance.to_owned()).or_default();
            children.keys.insert(key.clone());
            children.all = children.all + entry.size;
            if !entry.is_stub {
                children.kept = children.kept + entry.size;
            }
        }
        if entry.is_stub {
            *self.stubs.entry((key.cluster.clone(), key.target.kind.clone())).or_default() += 1;
        }
        self.objects.insert(key.clone(), entry);
    }

    fn unlink(&mut self, key: &ObjectKey) -> Option<Entry> {
        let before = self.objects.remove(key)?;
        if let Some(instance) = object::label(&before.object, object::INSTANCE_LABEL)
            && let Some(all) = self.children.get_mut(&key.cluster)
            && let Some(children) = all.get_mut(instance)
        {
            children.keys.remove(key);
            children.all = less(children.all, before.size);
            if !before.is_stub {
                children.kept = less(children.kept, before.size);
            }
            if children.keys.is_empty() {
                all.remove(instance);
            }
            if all.is_empty() {
                self.children.remove(&key.cluster);
            }
        }
        let place = (key.cluster.clone(), key.target.kind.clone());
        if before.is_stub
            && let Some(stubs) = self.stubs.get_mut(&place)
        {
            *stubs -= 1;
            if *stubs == 0 {
                self.stubs.remove(&place);
            }
        }
        Some(before)
    }
}

/// Whether `object` is an older version of `known`. Resource versions of one
/// shard are comparable integers; others are taken as they come.
fn is_stale(object: &Value, known: &Value) -> bool {
    let version = |object: &Value| object::text(object, "/metadata/resourceVersion").parse::<u64>().ok();
    match (version(object), version(known)) {
        (Some(new), Some(old)) => new < old && object::uid(object) == object::uid(known),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const CHILDREN: Keep = Keep::Children { most: Size { bytes: 1 << 20, values: 100_000 } };

    fn cluster(name: &str) -> LogicalCluster {
        name.parse().unwrap()
    }

    fn listed(source: u64, listing: u64) -> Seen {
        Seen::Listed { source, listing }
    }

    fn object(name: &str, version: &str, instance: Option<&str>) -> Value {
        let mut object = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "b"},
            "metadata": {"name": name, "namespace": "default", "uid": name, "resourceVersion": version},
        });
        if let Some(instance) = instance {
            object["metadata"]["labels"] = json!({object::INSTANCE_LABEL: instance});
        }
        object
    }

    #[test]
    fn a_label_makes_an_object_a_child_only_of_an_instance_that_is_known_there() {
        let store = Store::new(CHILDREN);
        let mut forged = object("a", "1", Some("u"));
        forged["metadata"]["annotations"] =
            json!({object::KEY_ANNOTATION: "k", object::OWNER_ANNOTATION: "x".repeat(5000)});
        let put = |name: &str| store.put(&cluster(name), forged.clone(), listed(1, 1)).unwrap().after.unwrap();
        let is_whole = |object: &Value| object.get("data").is_some();
        let stub = put("one");
        assert!(!is_whole(&stub));
        assert_eq!(stub["metadata"]["annotations"], json!({object::KEY_ANNOTATION: "k"}));
        assert_eq!(stub["metadata"]["labels"], json!({object::INSTANCE_LABEL: "u"}));

        store.know(&cluster("one"), "u");
        assert_eq!(store.lacking(&cluster("one"), "u").len(), 1);
        assert!(store.lacking(&cluster("two"), "u").is_empty());
        // In the same version, as an answer or as a listing brings it.
        assert!(is_whole(&put("one")) && !is_whole(&put("two")));
        assert!(store.lacking(&cluster("one"), "u").is_empty() && store.lacking_many().is_empty());
        assert!(is_whole(&store.children(&cluster("one"), "u")[0]));

        store.forget(&cluster("one"), "u");
        let left = store.children(&cluster("one"), "u");
        assert!(left.len() == 1 && !is_whole(&left[0]) && !is_whole(&put("one")));
        assert!(store.read().instances.is_empty());
    }

    #[test]
    fn many_children_that_were_seen_too_early_are_listed_again() {
        let store = Store::new(CHILDREN);
        for number in 0..200 {
            let owner = if number % 2 == 0 { "u" } else { "forged" };
            store.put(&cluster("one"), object(&format!("a{number}"), "1", Some(owner)), listed(1, 1));
        }
        assert!(store.lacking_many().is_empty());
        store.know(&cluster("one"), "u");
        assert_eq!(store.lacking_many().len(), 1);
    }

    #[test]
    fn what_two_watches_see_stays_until_neither_of_them_shows_it() {
        let store = Store::new(CHILDREN);
        store.know(&cluster("one"), "u");
        let names = || {
            let left = store.children(&cluster("one"), "u");
            left.iter().map(|child| object::text(child, "/metadata/name").to_owned()).collect::<Vec<_>>()
        };
        // The second one lists what the first one has seen, newer, equal and older.
        store.put(&cluster("one"), object("equal", "5", Some("u")), listed(1, 1));
        store.put(&cluster("one"), object("newer", "4", Some("u")), listed(1, 1));
        store.put(&cluster("one"), object("older", "6", Some("u")), listed(1, 1));
        let second = store.begin_listing();
        store.put(&cluster("one"), object("older", "7", Some("u")), Seen::Event { source: 1 });
        for name in ["equal", "newer", "older"] {
            store.put(&cluster("one"), object(name, "5", Some("u")), listed(2, second));
        }
        store.put(&cluster("one"), object("own", "8", Some("u")), Seen::Event { source: 2 });
        store.end(2);
        assert_eq!(names(), ["equal", "newer", "older"]);
        // Either way round, and whoever does not see an object any more.
        for name in ["equal", "newer", "older"] {
            store.put(&cluster("one"), object(name, "9", Some("u")), Seen::Event { source: 3 });
        }
        store.end(1);
        assert_eq!(names(), ["equal", "newer", "older"]);
        store.put(&cluster("one"), object("equal", "9", Some("u")), Seen::Event { source: 4 });
        assert_eq!(store.sweep(3, store.begin_listing(), |_| true, |_| true).len(), 2);
        assert_eq!(names(), ["equal"]);
        assert_eq!(store.sweep(4, store.begin_listing(), |_| true, |_| true).len(), 1);
        assert!(names().is_empty());
    }

    #[test]
    fn of_more_than_an_instance_may_have_only_the_place_is_kept() {
        let store = Store::new(CHILDREN);
        let large = |name: &str, version: &str, instance: &str, kib: usize| {
            let mut object = object(name, version, Some(instance));
            object["data"]["a"] = "x".repeat(kib << 10).into();
            object
        };
        let event = Seen::Event { source: 1 };
        let kept = |instance: &str| {
            let all = store.children(&cluster("one"), instance);
            let bytes: usize =
                all.iter().map(|object| object["data"].as_object().map_or(0, |_| shape::bytes(object))).sum();
            (all.len(), bytes >> 10)
        };
        for uid in ["u", "v"] {
            store.know(&cluster("one"), uid);
        }
        for number in 0..100 {
            store.put(&cluster("one"), large(&format!("a{number}"), "1", "u", 300), event);
        }
        let (count, kib) = kept("u");
        assert!(count == 100 && (900..1024).contains(&kib), "{count} objects of {kib} KiB");
        // What has no room is not asked for, and it is known how much it is.
        assert!(store.lacking(&cluster("one"), "u").is_empty());
        assert!(store.too_much(&cluster("one"), "u").unwrap().bytes > (100 * 300) << 10);
        // Nobody else pays for it.
        store.put(&cluster("one"), large("b", "1", "v", 300), event);
        assert!(kept("v").1 >= 300 && store.too_much(&cluster("one"), "v").is_none());

        // One that grows has its own room and no more.
        store.put(&cluster("one"), large("b", "2", "v", 1000), event);
        assert!(kept("v").1 >= 1000);
        store.put(&cluster("one"), large("b", "3", "v", 1100), event);
        assert!(kept("v").1 < 10 && store.too_much(&cluster("one"), "v").is_some());
        // What has room again is asked for.
        store.put(&cluster("one"), large("b", "4", "v", 100), event);
        assert!(kept("v").1 >= 100 && store.too_much(&cluster("one"), "v").is_none());
        for (key, object) in store.find(|key, _| key.target.name.starts_with('a')).into_iter().skip(3) {
            store.remove(&key, object::uid(&object)).unwrap();
        }
        let lacking = store.lacking(&cluster("one"), "u").len();
        let whole = store.children(&cluster("one"), "u").iter().filter(|child| child.get("data").is_some()).count();
        assert_eq!((lacking + whole, store.too_much(&cluster("one"), "u")), (3, None));

        // Many small values are many, whatever their text.
        let mut tree = object("tree", "1", Some("v"));
        tree["data"] = json!(vec![0; 200_000]);
        assert!(store.put(&cluster("one"), tree, event).unwrap().after.unwrap().get("data").is_none());
        for (key, object) in store.find(|_, _| true) {
            store.remove(&key, object::uid(&object)).unwrap();
        }
        assert!(store.read().children.is_empty());
    }

    #[test]
    fn equal_names_in_two_clusters_are_two_objects() {
        let store = Store::new(CHILDREN);
        for name in ["one", "two"] {
            store.put(&cluster(name), object("a", "1", Some("u")), listed(1, 1));
        }
        assert_eq!(store.find(|_, _| true).len(), 2);
        // Nor are equal uids one instance, or one object that is gone.
        assert_eq!([store.children(&cluster("one"), "u").len(), store.children(&cluster("two"), "u").len()], [1, 1]);
        let (one, _) = store.find(|key, _| key.cluster == cluster("one")).remove(0);
        store.remove(&one, "a").unwrap();
        assert!(store.children(&cluster("one"), "u").is_empty());
        assert!(store.put(&cluster("two"), object("a", "2", Some("u")), Seen::Written).is_some());
        assert_eq!(store.children(&cluster("two"), "u").len(), 1);
    }

    #[test]
    fn an_old_version_does_not_replace_a_newer_one() {
        let store = Store::new(Keep::Whole);
        assert!(store.put(&cluster("one"), object("a", "10", None), Seen::Written).is_some());
        let event = Seen::Event { source: 1 };
        for seen in [event, Seen::Written] {
            assert!(store.put(&cluster("one"), object("a", "9", None), seen).is_none());
        }
        assert!(store.put(&cluster("one"), object("a", "11", None), event).is_some());
    }

    #[test]
    fn a_listing_is_right_about_what_was_known_before_it_began() {
        let store = Store::new(Keep::Whole);
        let version = |name: &str| {
            let found = store.find(|key, _| key.target.name == name);
            object::text(&found[0].1, "/metadata/resourceVersion").to_owned()
        };
        let first = store.begin_listing();
        for name in ["a", "b"] {
            store.put(&cluster("one"), object(name, "10", None), listed(1, first));
        }
        store.put(&cluster("one"), object("a", "11", None), Seen::Event { source: 1 });
        // The server comes back from a backup.
        let second = store.begin_listing();
        store.put(&cluster("one"), object("b", "12", None), Seen::Written);
        let restored = store.put(&cluster("one"), object("a", "5", None), listed(1, second)).unwrap();
        assert_eq!((restored.version(), version("a").as_str()), (Some("5"), "5"));
        // What was written since the listing began is newer than what it says.
        assert!(store.put(&cluster("one"), object("b", "10", None), listed(1, second)).is_none());
        assert_eq!(version("b"), "12");
        assert!(store.sweep(1, second, |_| true, |_| true).is_empty());
    }

    #[test]
    fn of_foreign_objects_only_the_place_is_kept() {
        let store = Store::new(CHILDREN);
        let change = store.put(&cluster("one"), object("a", "1", None), listed(1, 1)).unwrap();
        assert_eq!(store.get(&change.key).unwrap().get("data"), None);
        assert!(store.children(&cluster("one"), "u").is_empty());
    }

    #[test]
    fn a_kind_that_is_read_from_now_on_is_whole_once_it_was_listed_again() {
        let store = Store::new(CHILDREN);
        let kind = Gvk { group: String::new(), version: "v1".into(), kind: "ConfigMap".into() };
        let first = store.begin_listing();
        for name in ["a", "b", "c"] {
            store.put(&cluster("one"), object(name, "1", None), listed(first, first));
        }
        store.put(&cluster("two"), object("d", "1", None), listed(2, first));
        assert!(!store.is_whole(&cluster("one"), &kind));
        assert!(store.keep_whole(kind.clone()) && !store.keep_whole(kind.clone()));
        // What was seen as a stub stays one until it is seen again, be it in the
        // same version; what is gone by then goes.
        assert!(!store.is_whole(&cluster("one"), &kind));
        let again = store.begin_listing();
        store.put(&cluster("one"), object("a", "1", None), listed(first, again));
        store.put(&cluster("one"), object("b", "2", None), listed(first, again));
        assert!(!store.is_whole(&cluster("one"), &kind));
        store.sweep(first, again, |_| true, |_| true);
        assert!(store.is_whole(&cluster("one"), &kind));
        // Another workspace may be out of reach, with all its stubs.
        assert!(!store.is_whole(&cluster("two"), &kind));
        let whole = store.find(|_, object| object["data"]["a"] == "b");
        assert_eq!(whole.iter().map(|(key, _)| key.target.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn a_stub_that_becomes_a_child_or_goes_is_none_any_more() {
        let store = Store::new(CHILDREN);
        let kind = Gvk { group: String::new(), version: "v1".into(), kind: "ConfigMap".into() };
        store.know(&cluster("one"), "u");
        store.put(&cluster("one"), object("a", "1", None), listed(1, 1));
        let change = store.put(&cluster("one"), object("b", "1", None), listed(1, 1)).unwrap();
        store.put(&cluster("one"), object("a", "2", Some("u")), listed(1, 1));
        assert!(!store.is_whole(&cluster("one"), &kind));
        store.remove(&change.key, "b").unwrap();
        assert!(store.is_whole(&cluster("one"), &kind));
    }

    #[test]
    fn a_listing_removes_what_is_gone_but_not_what_was_just_written() {
        let store = Store::new(Keep::Whole);
        let sweep = |listing| {
            let gone = store.sweep(1, listing, |_| true, |_| true);
            gone.into_iter().map(|change| change.key.target.name).collect::<Vec<_>>()
        };
        let first = store.begin_listing();
        store.put(&cluster("one"), object("old", "1", None), listed(1, first));
        let second = store.begin_listing();
        store.put(&cluster("one"), object("confirmed", "1", None), listed(1, second));
        store.put(&cluster("one"), object("written", "5", None), Seen::Written);
        assert_eq!(sweep(second), ["old"]);
        let third = store.begin_listing();
        store.put(&cluster("one"), object("confirmed", "1", None), listed(1, third));
        assert_eq!(sweep(third), ["written"]);
    }

    #[test]
    fn a_listing_of_one_shard_leaves_anothers_objects_alone() {
        let store = Store::new(Keep::Whole);
        store.put(&cluster("one"), object("a", "1", None), listed(1, 1));
        store.put(&cluster("two"), object("b", "1", None), listed(2, 1));
        let gone: Vec<_> =
            store.sweep(1, 5, |_| true, |_| true).into_iter().map(|change| change.key.target.name).collect();
        assert_eq!(gone, ["a"]);
    }

    #[test]
    fn a_listing_of_one_shard_leaves_alone_what_was_just_written_on_another() {
        let store = Store::new(Keep::Whole);
        store.put(&cluster("one"), object("a", "1", None), Seen::Written);
        let listing = store.begin_listing();
        assert!(store.sweep(2, listing, |_| true, |name| *name == cluster("two")).is_empty());
        assert_eq!(store.sweep(1, listing, |_| true, |name| *name == cluster("one")).len(), 1);
    }

    #[test]
    fn what_an_endpoint_showed_is_forgotten_with_it_and_is_not_gone() {
        let store = Store::new(Keep::Whole);
        store.put(&cluster("one"), object("a", "1", Some("u")), listed(1, 1));
        store.put(&cluster("one"), object("b", "1", Some("u")), Seen::Written);
        store.put(&cluster("two"), object("a", "1", None), listed(2, 1));
        // This workspace two endpoints show.
        store.put(&cluster("both"), object("a", "1", None), listed(1, 1));
        let left = store.leave(&HashSet::from([1]), |name| *name == cluster("one"));
        assert_eq!(left.iter().map(|key| key.target.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert!(store.children(&cluster("one"), "u").is_empty());
        assert_eq!(store.find(|_, _| true).len(), 2);
        // What comes back is taken as ever, also as the answer to a write.
        assert!(store.put(&cluster("one"), object("a", "1", Some("u")), Seen::Written).is_some());
        assert_eq!(store.sweep(2, 2, |_| true, |name| *name == cluster("both")).len(), 2);
    }

    #[test]
    fn an_answer_that_comes_late_does_not_bring_an_object_back() {
        let store = Store::new(Keep::Whole);
        let change = store.put(&cluster("one"), object("a", "1", None), listed(1, 1)).unwrap();
        store.remove(&change.key, "a").unwrap();
        assert!(store.put(&cluster("one"), object("a", "2", None), Seen::Written).is_none());
        assert!(store.get(&change.key).is_none());
    }

    #[test]
    fn a_new_object_of_the_same_name_is_not_removed_for_the_old_one() {
        let store = Store::new(Keep::Whole);
        let change = store.put(&cluster("one"), object("a", "1", None), listed(1, 1)).unwrap();
        assert!(store.remove(&change.key, "another uid").is_none());
        assert!(store.remove(&change.key, "a").is_some());
    }
}
