//! What a pass over an instance works with: what was seen, what is served, and
//! what earlier passes learned.
//!
//! It holds; `runtime` fills it and `pass` uses it.

mod extra;
mod memory;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock},
};

use contract::{Access, Api, Blueprint, Gvk, Node, Prepared, Read, Role, shape::Size};
use host_core::{
    claims::Claims,
    kinds::Kinds,
    name::{Digest, LogicalCluster},
    object::{self, Target},
};
use kcp::{
    Cluster, ObjectKey, Store, VirtualWorkspace, externals,
    store::{Change, Keep, Seen},
    virtual_workspace::Address,
};
use sandbox::{Limits, Module};
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub use extra::Turned;
pub use memory::{Found, Given, Memory, Recorded, Rounds, Stamp};

/// A group and the name of a resource in URLs.
pub type GroupResource = (String, String);

/// Which workspaces a definition governs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Every workspace that bound the export: it is the provider's.
    Everywhere,
    /// The workspace that it lives in: it is a consumer's.
    Only(LogicalCluster),
}

/// A definition that is in force.
#[derive(Clone)]
pub struct Serving {
    /// Where it lives.
    pub definition: ObjectKey,
    /// What it governs.
    pub reach: Reach,
    /// Its digest, as receipts have it.
    pub digest: Digest,
    /// The module that runs it.
    pub module: Module,
    /// What the module made of it.
    pub prepared: Prepared,
    /// How the kinds that it touches are addressed, as far as they are known.
    pub kinds: Kinds,
    /// Whether the definition is gone: its instances can still be deleted.
    pub retired: bool,
}

/// The kind of what stands in for a definition that nobody knows.
const SCHEMA: &str = "APIResourceSchema";

impl Serving {
    /// What serves an API of which no more is known than its schema's name, for the
    /// deletion of its instances. The module is never called.
    pub fn standing_in(schema: ObjectKey, module: Module, api: Api, kinds: Kinds) -> Serving {
        let digest = Digest::of(schema.target.name.as_bytes());
        let blueprint = Blueprint { api, kinds: Vec::new(), nodes: Vec::new() };
        let prepared = Prepared { blueprint, program: Vec::new(), warnings: Vec::new() };
        Serving { definition: schema, reach: Reach::Everywhere, digest, module, prepared, kinds, retired: true }
    }

    /// The place of a schema, as what stands in for a definition has it.
    pub fn schema(cluster: LogicalCluster, name: &str) -> ObjectKey {
        let kind = Gvk { group: "apis.kcp.io".into(), version: "v1alpha1".into(), kind: SCHEMA.into() };
        ObjectKey { cluster, target: Target { kind, namespace: String::new(), name: name.to_owned() } }
    }

    /// Whether it governs some workspaces only.
    fn is_partial(&self) -> bool {
        self.reach != Reach::Everywhere
    }

    /// Whether this stands in for a definition that nobody knows.
    pub fn stands_in(&self) -> bool {
        self.definition.target.kind.kind == SCHEMA
    }
}

impl Serving {
    /// The kinds of which objects are read that others own.
    pub fn read(&self) -> impl Iterator<Item = &Gvk> {
        let blueprint = &self.prepared.blueprint;
        let declared = blueprint.kinds.iter().filter(|used| used.access == Access::Read).map(|used| &used.kind);
        // A kind that it may manage it may read as well.
        let external = |node: &&Node| matches!(node.role, Role::External | Role::ExternalCollection);
        declared.chain(blueprint.nodes.iter().filter(external).map(|node| &node.kind))
    }

    /// Whether objects of a kind are read that others own.
    pub fn reads(&self, kind: &Gvk) -> bool {
        self.read().any(|read| read == kind)
    }
}

/// Shared by all workers.
pub struct World {
    /// Instances of all served APIs.
    pub instances: Arc<Store>,
    /// Objects of all kinds that definitions touch.
    pub children: Arc<Store>,
    served: RwLock<Vec<Arc<Serving>>>,
    /// By the binding's name: a workspace may hold a second binding of the same
    /// export, which kcp refuses to bind.
    claims: RwLock<HashMap<LogicalCluster, BTreeMap<String, Arc<Claims>>>>,
    shards: RwLock<Vec<VirtualWorkspace>>,
    /// Where each logical cluster is: on one shard, which may be reached in more than
    /// one way while its address changes.
    homes: RwLock<HashMap<LogicalCluster, Vec<VirtualWorkspace>>>,
    synced: RwLock<HashMap<Gvk, HashSet<Address>>>,
    extras: RwLock<extra::Extras>,
    reads: RwLock<HashMap<ObjectKey, Vec<Read>>>,
    uids: RwLock<Uids>,
    memories: Mutex<HashMap<ObjectKey, Memory>>,
    obstacles: Mutex<Obstacles>,
    listener: OnceLock<Listener>,
    renders: Arc<Semaphore>,
}

/// Which instance has which uid in its logical cluster; one that was made anew had
/// another before.
#[derive(Default)]
struct Uids {
    instances: HashMap<(LogicalCluster, String), ObjectKey>,
    of: HashMap<ObjectKey, BTreeSet<String>>,
}

/// Which objects are in whose way, from either side: a pass must not go through
/// those of all instances.
#[derive(Default)]
struct Obstacles {
    waiting: HashMap<ObjectKey, BTreeSet<ObjectKey>>,
    of: HashMap<ObjectKey, BTreeSet<ObjectKey>>,
}

/// Hears of what a pass itself did to a child.
type Listener = Box<dyn Fn(&Change) + Send + Sync>;

impl Default for World {
    fn default() -> Self {
        World {
            instances: Arc::new(Store::new(Keep::Whole)),
            children: Arc::new(Store::new(Keep::Children { most: most_of_an_instance() })),
            served: RwLock::default(),
            claims: RwLock::default(),
            shards: RwLock::default(),
            homes: RwLock::default(),
            synced: RwLock::default(),
            extras: RwLock::default(),
            reads: RwLock::default(),
            uids: RwLock::default(),
            memories: Mutex::default(),
            obstacles: Mutex::default(),
            listener: OnceLock::new(),
            renders: Arc::new(Semaphore::new(Limits::default().concurrency as usize)),
        }
    }
}

// Every lock below guards maps whose changes are insertions and removals that
// cannot panic, so a panic elsewhere never leaves one of them broken.
macro_rules! read {
    ($lock:expr) => {
        $lock.read().unwrap_or_else(PoisonError::into_inner)
    };
}
macro_rules! write {
    ($lock:expr) => {
        $lock.write().unwrap_or_else(PoisonError::into_inner)
    };
}

/// What is kept of the children of one instance: twice what a render is given, since
/// those that are about to go may be there besides those that take their place.
fn most_of_an_instance() -> Size {
    let limits = Limits::default();
    Size { bytes: 2 * limits.input, values: 2 * limits.input_values }
}

impl World {
    /// The definition in force for an instance: a consumer's own goes before
    /// the provider's.
    pub fn serving(&self, instance: &ObjectKey) -> Option<Arc<Serving>> {
        let served = read!(self.served);
        let api = &instance.target.kind;
        let mut fitting: Vec<_> = served.iter().filter(|serving| serving.prepared.blueprint.api.kind == *api).collect();
        fitting.retain(|serving| match &serving.reach {
            Reach::Everywhere => true,
            Reach::Only(cluster) => *cluster == instance.cluster,
        });
        fitting.sort_by_key(|serving| (serving.retired, serving.reach == Reach::Everywhere));
        fitting.first().map(|serving| Arc::clone(serving))
    }

    /// All definitions in force.
    pub fn served(&self) -> Vec<Arc<Serving>> {
        read!(self.served).clone()
    }

    /// Whether definitions that are in force, and not gone, are run by more than one
    /// module.
    pub fn has_several_modules(&self) -> bool {
        let served = read!(self.served);
        let mut digests = served.iter().filter(|serving| !serving.retired).map(|serving| serving.module.digest());
        digests.next().is_some_and(|first| digests.any(|other| other != first))
    }

    /// Puts a definition into force, in place of an earlier version of it and of
    /// one that is gone.
    pub fn serve(&self, serving: Arc<Serving>) {
        let mut served = write!(self.served);
        let kind = &serving.prepared.blueprint.api.kind;
        served.retain(|other| {
            let replaced = other.retired && other.reach == serving.reach && other.prepared.blueprint.api.kind == *kind;
            other.definition != serving.definition && (serving.retired || !replaced)
        });
        served.push(serving);
    }

    /// Puts into force what stands in for a definition that nobody knows, unless the
    /// API is served by now. Whether that is so.
    pub fn stand_in(&self, serving: Arc<Serving>) -> bool {
        let mut served = write!(self.served);
        let api = &serving.prepared.blueprint.api.kind;
        let is_free = !served.iter().any(|other| other.prepared.blueprint.api.kind == *api && !other.is_partial());
        if is_free {
            served.push(serving);
        }
        is_free
    }

    /// The resources that workspaces have from the export and that nothing serves, each
    /// with the name of its schema, and all that the export claims.
    pub fn unserved(&self) -> (BTreeMap<GroupResource, String>, BTreeSet<GroupResource>) {
        let (claims, served) = (read!(self.claims), read!(self.served));
        let is_served = |group: &str, resource: &str| {
            let mut apis = served.iter().filter(|one| !one.is_partial()).map(|one| &one.prepared.blueprint.api);
            apis.any(|api| api.kind.group == group && api.plural == resource)
        };
        let (mut unserved, mut claimed) = (BTreeMap::new(), BTreeSet::new());
        for claims in claims.values().flat_map(BTreeMap::values) {
            let bound = claims.bound().filter(|&(group, resource, _)| !is_served(group, resource));
            unserved.extend(
                bound.map(|(group, resource, schema)| ((group.to_owned(), resource.to_owned()), schema.to_owned())),
            );
            let text = |claim: &Value, field: &str| claim[field].as_str().unwrap_or_default().to_owned();
            claimed.extend(claims.wanted().iter().map(|claim| (text(claim, "group"), text(claim, "resource"))));
        }
        (unserved, claimed)
    }

    /// A place to render, as soon as the sandbox has one: who waits for it takes no
    /// thread, of which there may be fewer than workers. `None` if the host is ending.
    pub async fn place_to_render(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.renders).acquire_owned().await.ok()
    }

    /// The kinds that any version of a definition touched in this process.
    /// Children of a kind that it does not have any more are still to be
    /// deleted.
    pub fn kinds_of(&self, definition: &ObjectKey, api: &Gvk) -> Kinds {
        let served = read!(self.served);
        let same = |other: &&Arc<Serving>| {
            // What stands in for a definition knows all that the export claims.
            let former = other.retired && !other.stands_in() && other.prepared.blueprint.api.kind == *api;
            other.definition == *definition || former
        };
        served.iter().filter(same).flat_map(|other| other.kinds.clone()).collect()
    }

    /// What a workspace's binding allows; `None` while no binding was seen.
    pub fn claims(&self, cluster: &LogicalCluster) -> Option<Arc<Claims>> {
        read!(self.claims).get(cluster)?.values().next().cloned()
    }

    /// Takes note of a workspace's binding, unless its endpoint is gone by now.
    pub fn bound(&self, cluster: &LogicalCluster, shard: &VirtualWorkspace, claims: Claims) {
        let shards = read!(self.shards);
        if !shards.iter().any(|other| other.address() == shard.address()) {
            return;
        }
        let mut homes = write!(self.homes);
        let homes = homes.entry(cluster.clone()).or_default();
        if !homes.iter().any(|home| home.address() == shard.address()) {
            homes.push(shard.clone());
        }
        let name = claims.binding().to_owned();
        write!(self.claims).entry(cluster.clone()).or_default().insert(name, Arc::new(claims));
    }

    /// Takes note of a binding's end.
    pub fn unbound(&self, cluster: &LogicalCluster, binding: &str) {
        let (mut homes, mut claims) = (write!(self.homes), write!(self.claims));
        if let Some(bindings) = claims.get_mut(cluster) {
            bindings.remove(binding);
            if bindings.is_empty() {
                claims.remove(cluster);
                homes.remove(cluster);
            }
        }
    }

    /// The virtual workspaces that are watched, one a shard. Those that have shown
    /// something come first: another one may be out of reach.
    pub fn shards(&self) -> Vec<VirtualWorkspace> {
        let mut shards = read!(self.shards).clone();
        let synced = read!(self.synced);
        let answers = |shard: &VirtualWorkspace| synced.values().any(|synced| synced.contains(shard.address()));
        shards.sort_by_key(|shard| !answers(shard));
        shards
    }

    /// Adds a virtual workspace.
    pub fn add_shard(&self, shard: VirtualWorkspace) {
        write!(self.shards).push(shard);
    }

    /// Takes a virtual workspace away, with all that is known through it alone.
    /// Returns the logical clusters that nobody shows any more, and those that it has
    /// shown and another one shows.
    pub fn remove_shard(&self, address: &Address) -> (HashSet<LogicalCluster>, HashSet<LogicalCluster>) {
        // First, so that nothing of it is taken note of from here on.
        write!(self.shards).retain(|shard| shard.address() != address);
        write!(self.synced).retain(|_, synced| {
            synced.remove(address);
            !synced.is_empty()
        });
        let mut homes = write!(self.homes);
        let was_there = |homes: &[VirtualWorkspace]| homes.iter().any(|home| home.address() == address);
        let shown: Vec<LogicalCluster> =
            homes.iter().filter(|(_, homes)| was_there(homes)).map(|(cluster, _)| cluster.clone()).collect();
        homes.values_mut().for_each(|homes| homes.retain(|home| home.address() != address));
        homes.retain(|_, homes| !homes.is_empty());
        let (kept, left): (HashSet<_>, HashSet<_>) = shown.into_iter().partition(|cluster| homes.contains_key(cluster));
        write!(self.claims).retain(|cluster, _| !left.contains(cluster));
        (left, kept)
    }

    /// Whether a virtual workspace shows a logical cluster.
    pub fn is_at(&self, cluster: &LogicalCluster, address: &Address) -> bool {
        read!(self.homes).get(cluster).is_some_and(|homes| homes.iter().any(|home| home.address() == address))
    }

    /// The virtual workspace that shows a logical cluster.
    pub fn home(&self, cluster: &LogicalCluster) -> Option<VirtualWorkspace> {
        read!(self.homes).get(cluster).and_then(|homes| homes.first().cloned())
    }

    /// Where requests for a logical cluster go.
    pub fn cluster(&self, cluster: &LogicalCluster) -> Option<Cluster> {
        let home = self.home(cluster);
        home.or_else(|| self.shards().into_iter().next()).map(|shard| shard.cluster(cluster))
    }

    /// Takes note of what a server made of an object that was written, unless the
    /// workspace's endpoint is gone by now.
    pub fn wrote(&self, store: &Store, cluster: &LogicalCluster, object: Value) -> Option<Change> {
        let homes = read!(self.homes);
        homes.get(cluster).and_then(|_| store.put(cluster, object, Seen::Written))
    }

    /// Takes note that one shard's objects of a kind are all in the store.
    pub fn synced(&self, shard: &Address, kind: &Gvk) {
        let shards = read!(self.shards);
        if shards.iter().any(|known| known.address() == shard) {
            write!(self.synced).entry(kind.clone()).or_default().insert(shard.clone());
        }
    }

    /// Whether any workspace has bound the export.
    pub fn is_bound(&self) -> bool {
        !read!(self.homes).is_empty()
    }

    /// Whether all objects of a kind in a logical cluster are in the store: those of
    /// its shard are.
    pub fn is_synced(&self, cluster: &LogicalCluster, kind: &Gvk) -> bool {
        if read!(self.extras).is_listed(cluster, kind) {
            return true;
        }
        let (homes, synced) = (read!(self.homes), read!(self.synced));
        let Some(synced) = synced.get(kind) else { return false };
        homes.get(cluster).is_some_and(|homes| homes.iter().any(|home| synced.contains(home.address())))
    }

    /// Whether every shard's objects of a kind are in the store.
    pub fn is_synced_everywhere(&self, kind: &Gvk) -> bool {
        let (shards, synced) = (read!(self.shards), read!(self.synced));
        synced.get(kind).is_some_and(|synced| shards.iter().all(|shard| synced.contains(shard.address())))
    }

    /// Takes note that nobody keeps the objects of a kind in the store any more.
    pub fn unsynced(&self, shard: &Address, kind: &Gvk) {
        let mut all = write!(self.synced);
        if let Some(synced) = all.get_mut(kind) {
            synced.remove(shard);
            if synced.is_empty() {
                all.remove(kind);
            }
        }
    }

    /// Takes a definition away that is gone and has no instances any more.
    pub fn end(&self, definition: &ObjectKey) {
        write!(self.served).retain(|serving| serving.definition != *definition || !serving.retired);
    }

    /// Takes note of what an instance's module wants to see. Whether that is
    /// other than before. Changes of such objects are news from now on.
    pub fn asked(&self, instance: &ObjectKey, reads: &[Read]) -> bool {
        let mut all = write!(self.reads);
        if all.get(instance).map_or(&[][..], Vec::as_slice) == reads {
            return false;
        }
        match reads {
            [] => all.remove(instance),
            reads => all.insert(instance.clone(), reads.to_vec()),
        };
        true
    }

    /// What an instance's module wants to see.
    pub fn reads(&self, instance: &ObjectKey) -> Vec<Read> {
        read!(self.reads).get(instance).cloned().unwrap_or_default()
    }

    /// Whether a change is news for what an instance's module wants to see.
    pub fn is_news(&self, change: &Change, instance: &ObjectKey, kinds: &Kinds) -> bool {
        let all = read!(self.reads);
        let mut reads = all.get(instance).into_iter().flatten();
        let inherited = &instance.target.namespace;
        let concerned =
            |read: &Read| kinds.get(&read.kind).is_some_and(|kind| externals::concerns(read, inherited, kind, change));
        instance.cluster == change.key.cluster && reads.any(concerned)
    }

    /// Takes note of an instance's uid.
    pub fn identify(&self, uid: &str, instance: &ObjectKey) {
        self.children.know(&instance.cluster, uid);
        let mut uids = write!(self.uids);
        uids.instances.insert((instance.cluster.clone(), uid.to_owned()), instance.clone());
        uids.of.entry(instance.clone()).or_default().insert(uid.to_owned());
    }

    /// The instance with a uid. Another workspace may know the uid, and be it by
    /// chance: it has no instance by it.
    pub fn instance(&self, cluster: &LogicalCluster, uid: &str) -> Option<ObjectKey> {
        read!(self.uids).instances.get(&(cluster.clone(), uid.to_owned())).cloned()
    }

    /// What is remembered of an instance.
    pub fn memory(&self, instance: &ObjectKey) -> Memory {
        self.memories().get(instance).cloned().unwrap_or_default()
    }

    /// Remembers.
    pub fn remember(&self, instance: &ObjectKey, memory: Memory) {
        self.memories().insert(instance.clone(), memory);
    }

    /// Forgets an instance that is gone. Another one of its name may be there by now.
    pub fn forget(&self, instance: &ObjectKey) {
        self.memories().remove(instance);
        write!(self.reads).remove(instance);
        let mut uids = write!(self.uids);
        // One that comes later is taken note of after this lock.
        let current = self.instances.get(instance).map(|object| object::uid(&object).to_owned());
        let mut all = uids.of.remove(instance).unwrap_or_default();
        let kept = current.and_then(|uid| all.take(&uid));
        for uid in all {
            self.children.forget(&instance.cluster, &uid);
            uids.instances.remove(&(instance.cluster.clone(), uid));
        }
        if let Some(uid) = kept {
            uids.of.insert(instance.clone(), BTreeSet::from([uid]));
        }
        drop(uids);
        self.obstructed(instance, []);
    }

    /// Takes note of the objects that are in an instance's way.
    pub fn obstructed(&self, instance: &ObjectKey, obstacles: impl IntoIterator<Item = ObjectKey>) {
        let mut all = self.obstacles();
        let obstacles: BTreeSet<ObjectKey> = obstacles.into_iter().collect();
        let before = all.of.remove(instance).unwrap_or_default();
        for obstacle in before.difference(&obstacles) {
            if let Some(waiting) = all.waiting.get_mut(obstacle) {
                waiting.remove(instance);
                if waiting.is_empty() {
                    all.waiting.remove(obstacle);
                }
            }
        }
        for obstacle in obstacles.difference(&before) {
            all.waiting.entry(obstacle.clone()).or_default().insert(instance.clone());
        }
        if !obstacles.is_empty() {
            all.of.insert(instance.clone(), obstacles);
        }
    }

    /// The instances that an object is in the way of.
    pub fn waiting_for(&self, object: &ObjectKey) -> BTreeSet<ObjectKey> {
        self.obstacles().waiting.get(object).cloned().unwrap_or_default()
    }

    /// Says who is to hear of what passes do to children. The first one to ask
    /// is heard.
    pub fn listen(&self, listener: impl Fn(&Change) + Send + Sync + 'static) {
        self.listener.set(Box::new(listener)).ok();
    }

    /// Tells of a change that a pass made. Once it is in the store the watch has
    /// no news of it any more, and others may have waited for it.
    pub fn tell(&self, change: Option<Change>) {
        if let (Some(change), Some(listener)) = (change, self.listener.get()) {
            listener(&change);
        }
    }

    fn memories(&self) -> MutexGuard<'_, HashMap<ObjectKey, Memory>> {
        self.memories.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn obstacles(&self) -> MutexGuard<'_, Obstacles> {
        self.obstacles.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use contract::Selection;

    use super::*;
    use host_core::kinds;

    fn config_map() -> Gvk {
        Gvk { group: String::new(), version: "v1".into(), kind: "ConfigMap".into() }
    }

    fn key(cluster: &str, kind: &Gvk, name: &str) -> ObjectKey {
        let target = Target { kind: kind.clone(), namespace: "default".into(), name: name.into() };
        ObjectKey { cluster: cluster.parse().unwrap(), target }
    }

    #[test]
    fn equal_uids_in_two_workspaces_are_two_instances() {
        let (world, api) = (World::default(), Gvk { group: "kro.run".into(), ..config_map() });
        let (one, two) = (key("one", &api, "shop"), key("two", &api, "shop"));
        world.identify("u", &one);
        assert_eq!(world.instance(&two.cluster, "u"), None);
        world.identify("u", &two);
        world.forget(&one);
        assert_eq!((world.instance(&one.cluster, "u"), world.instance(&two.cluster, "u")), (None, Some(two.clone())));
    }

    /// The virtual workspaces of an export on two shards.
    async fn shards() -> [VirtualWorkspace; 2] {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = "apiVersion: v1\nkind: Config\ncurrent-context: a\ncontexts: [{name: a, context: {cluster: a, user: a}}]\n\
                    clusters: [{name: a, cluster: {server: 'http://a'}}]\nusers: [{name: a, user: {token: a}}]\n";
        std::fs::write(file.path(), text).unwrap();
        let connection = kcp::Connection::open(Some(file.path()), None).await.unwrap();
        let url = |host: &str| format!("http://{host}/services/apiexport/abc/x.kro.run");
        let open = |host| VirtualWorkspace::open(&connection, Address::parse(&url(host)).unwrap()).unwrap();
        ["one", "two"].map(open)
    }

    #[tokio::test]
    async fn an_instance_needs_what_its_own_shard_shows_and_nothing_of_it_outlives_the_shard() {
        let (world, [one, two]) = (World::default(), shards().await);
        for shard in [&two, &one] {
            world.add_shard(shard.clone());
        }
        let (here, there): (LogicalCluster, LogicalCluster) = ("one".parse().unwrap(), "two".parse().unwrap());
        let claims = || Claims::of(&serde_json::json!({"metadata": {"name": "x"}}));
        world.bound(&here, &one, claims());
        world.bound(&there, &two, claims());
        world.synced(one.address(), &config_map());
        assert!(world.is_synced(&here, &config_map()) && !world.is_synced(&there, &config_map()));
        assert_eq!(world.shards()[0].address(), one.address(), "who answers comes first");

        assert_eq!(world.remove_shard(one.address()), (HashSet::from([here.clone()]), HashSet::new()));
        // What was on its way is not taken note of.
        world.bound(&here, &one, claims());
        world.synced(one.address(), &config_map());
        let object = serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}});
        assert!(world.wrote(&world.children, &here, object.clone()).is_none());
        assert!(world.wrote(&world.children, &there, object).is_some());
        assert!(world.claims(&here).is_none() && !world.is_synced(&here, &config_map()));
        assert!(world.claims(&there).is_some() && world.is_at(&there, two.address()));
        assert_eq!(world.shards().len(), 1);
    }

    #[tokio::test]
    async fn a_workspace_that_another_endpoint_shows_stays_and_is_told() {
        let (world, [one, two]) = (World::default(), shards().await);
        let both: LogicalCluster = "both".parse().unwrap();
        for shard in [&one, &two] {
            world.add_shard(shard.clone());
            world.bound(&both, shard, Claims::of(&serde_json::json!({"metadata": {"name": "x"}})));
        }
        assert_eq!(world.remove_shard(one.address()), (HashSet::new(), HashSet::from([both.clone()])));
        assert_eq!(world.home(&both).unwrap().address(), two.address());
    }

    #[tokio::test]
    async fn what_a_record_names_is_watched_where_the_workspace_allows_it() {
        let (world, [one, _]) = (World::default(), shards().await);
        world.add_shard(one.clone());
        let (api, kind) = (Gvk { group: "kro.run".into(), ..config_map() }, config_map());
        let claim = serde_json::json!({"group": "", "resource": "configmaps", "state": "Accepted"});
        for (name, applied) in [("allows", vec![claim.clone()]), ("refuses", Vec::new())] {
            let cluster: LogicalCluster = name.parse().unwrap();
            let binding = serde_json::json!({
                "metadata": {"name": "x"}, "spec": {"permissionClaims": applied},
                "status": {"appliedPermissionClaims": applied, "exportPermissionClaims": [claim]},
            });
            world.bound(&cluster, &one, Claims::of(&binding));
            world.need(&key(name, &api, "a"), &BTreeSet::from([kind.clone()]));
            assert!(world.found(&cluster, &kind, kinds::builtin(&kind).unwrap()));
        }
        let chosen = world.in_turn(Instant::now());
        assert_eq!(chosen.iter().map(|(cluster, ..)| cluster.as_str()).collect::<Vec<_>>(), ["allows"]);
        let refuses: LogicalCluster = "refuses".parse().unwrap();
        assert!(world.is_in_turn(&chosen[0].0, &kind) && !world.is_in_turn(&refuses, &kind));
        // What is watched for a definition is known anyway.
        world.synced(one.address(), &kind);
        assert!(world.in_turn(Instant::now()).is_empty() && !world.is_in_turn(&chosen[0].0, &kind));
        world.unsynced(one.address(), &kind);
        assert_eq!(world.in_turn(Instant::now()).len(), 1);
    }

    #[test]
    fn an_instance_that_was_made_anew_is_not_forgotten_with_the_one_before() {
        let (world, api) = (World::default(), Gvk { group: "kro.run".into(), ..config_map() });
        let instance = key("one", &api, "shop");
        let object = serde_json::json!({
            "apiVersion": "kro.run/v1", "kind": "ConfigMap",
            "metadata": {"name": "shop", "namespace": "default", "uid": "new"},
        });
        world.identify("old", &instance);
        // It comes between the look of a pass and the forgetting.
        world.instances.put(&instance.cluster, object, Seen::Event { source: 1 });
        world.identify("new", &instance);
        world.forget(&instance);
        assert_eq!(world.instance(&instance.cluster, "old"), None);
        assert_eq!(world.instance(&instance.cluster, "new"), Some(instance.clone()));
        let child = serde_json::json!({
            "apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "b"},
            "metadata": {"name": "a", "uid": "a", "labels": {object::INSTANCE_LABEL: "new"}},
        });
        let kept = world.children.put(&instance.cluster, child, Seen::Event { source: 1 }).unwrap().after.unwrap();
        assert!(kept.get("data").is_some(), "its children are kept whole");
        // It is forgotten in its turn.
        let uid = object::uid(&world.instances.get(&instance).unwrap()).to_owned();
        world.instances.remove(&instance, &uid).unwrap();
        world.forget(&instance);
        assert_eq!(world.instance(&instance.cluster, "new"), None);
        assert!(read!(world.uids).of.is_empty());
    }

    #[test]
    fn nothing_is_left_of_instances_that_came_and_went() {
        let (world, api) = (World::default(), Gvk { group: "kro.run".into(), ..config_map() });
        let select = Selection::Named { namespace: String::new(), name: "theirs".into() };
        let reads = [Read { id: "x".into(), kind: config_map(), select }];
        for number in 0..1000 {
            let instance = key(if number % 2 == 0 { "one" } else { "two" }, &api, &number.to_string());
            world.identify(&format!("u{number}"), &instance);
            world.identify(&format!("v{number}"), &instance);
            world.asked(&instance, &reads);
            world.obstructed(
                &instance,
                [key("one", &config_map(), "in the way"), key("one", &config_map(), &number.to_string())],
            );
            world.remember(&instance, Memory { attempts: 1, ..Memory::default() });
            world.forget(&instance);
        }
        let (uids, obstacles) = (read!(world.uids), world.obstacles());
        let sizes = [uids.instances.len(), uids.of.len(), obstacles.waiting.len(), obstacles.of.len()];
        assert_eq!(sizes, [0; 4]);
        assert_eq!((world.memories().len(), read!(world.reads).len()), (0, 0));
    }

    #[test]
    fn what_a_module_asks_for_is_news_from_then_on_and_in_its_own_workspace() {
        let (world, api) = (World::default(), Gvk { group: "kro.run".into(), ..config_map() });
        let instance = key("one", &api, "shop");
        let kinds = Kinds::from([(config_map(), kinds::builtin(&config_map()).unwrap())]);
        let is_news = |cluster: &str| {
            let key = key(cluster, &config_map(), "theirs");
            world.is_news(&Change { key, before: None, after: Some(Arc::default()) }, &instance, &kinds)
        };
        let select = Selection::Named { namespace: String::new(), name: "theirs".into() };
        let reads = [Read { id: "x".into(), kind: config_map(), select }];
        assert!(!is_news("one"));
        assert!(world.asked(&instance, &reads) && !world.asked(&instance, &reads));
        assert!(is_news("one") && !is_news("two"));
        assert!(world.asked(&instance, &[]) && !is_news("one"));
    }
}
