//! Which kinds are watched where.

mod needs;

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, Once, PoisonError, atomic::Ordering},
};

use contract::{Gvk, Scope};
use tokio::{
    sync::{Notify, mpsc},
    task::{AbortHandle, JoinSet},
};

use super::{Host, definitions::News, export};
use host_core::{definition::DefinitionKind, kinds::Kind, name::LogicalCluster};
use kcp::{
    Cluster, Store, VirtualWorkspace, endpoints,
    store::{Change, Keep},
    virtual_workspace::Address,
    watch::{Gate, Watch},
};

use crate::pass::world::Serving;

/// All watches of the host. They end when it is dropped.
pub(super) struct Watches {
    host: Arc<Host>,
    tasks: Mutex<JoinSet<()>>,
    /// What is watched where: what is needed, as of the moment at which the lock is held,
    /// and nothing else.
    running: Mutex<HashMap<Place, Running>>,
    /// Where all instances of an API are in the store.
    listed: Mutex<HashSet<(Address, Gvk)>>,
}

type Place = (Address, Gvk, Purpose);

/// A watch of a virtual workspace.
struct Running {
    /// Asks for another listing.
    again: Arc<Notify>,
    /// Ends it.
    gate: Arc<Gate>,
    task: AbortHandle,
    source: u64,
}

/// What objects are watched for. Those of one kind can be more than one of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Purpose {
    /// They are what workspaces allow.
    Bindings,
    /// They are instances of an API.
    Instances,
    /// They are children, or read.
    Children,
    /// They may be children of instances of this logical cluster, whose records name
    /// the kind.
    Recorded(LogicalCluster),
}

impl Watches {
    pub(super) fn new(host: Arc<Host>) -> Watches {
        Watches { host, tasks: Mutex::default(), running: Mutex::default(), listed: Mutex::default() }
    }

    /// Watches the definitions of all kinds and tells which one changed. Any kind
    /// may be one that is not served (yet). Returns where they are kept.
    pub(super) fn definitions(&self, home: &Cluster, changed: &mpsc::UnboundedSender<News>) -> Arc<Store> {
        let store = Arc::new(Store::new(Keep::Whole));
        for kind in DefinitionKind::ALL {
            let watch = Watch::new(home.clone(), kind.gvk(), kind.address(), Arc::clone(&store));
            let (changed, listed) = (changed.clone(), changed.clone());
            let tell = move |change: Change| {
                // Nobody listens any more only when the host is ending.
                changed.send(News::Changed(change.key)).ok();
            };
            let listed = move || drop(listed.send(News::Listed(kind)));
            self.start(Watch { optional: true, ..watch }, listed, tell);
        }
        store
    }

    /// Follows an export's endpoint slice: an endpoint is watched for as long as it
    /// has it.
    pub(super) fn follow(self: &Arc<Self>, export: String) {
        let Some(provider) = self.host.provider.clone() else { return };
        self.follow_served(&provider, export.clone());
        let (kind, address) = endpoints::kind();
        let watch = Watch::new(provider, kind, address, Arc::new(Store::new(Keep::Whole)));
        let (this, listed, once) = (Arc::downgrade(self), export.clone(), Once::new());
        let changed = move |change: Change| {
            let Some(this) = this.upgrade().filter(|_| change.key.target.name == export) else { return };
            this.have_endpoints(change.after.as_deref().map(endpoints::of).unwrap_or_default());
        };
        let host = Arc::clone(&self.host);
        let said = move || {
            once.call_once(|| tracing::info!(export = listed, "following the endpoints of the export"));
            host.endpoints.store(true, Ordering::SeqCst);
            host.instances.notify_one();
        };
        self.start(watch, said, changed);
    }

    /// Has definitions looked at again when the export changes: it may serve an
    /// API by then.
    fn follow_served(&self, provider: &Cluster, export: String) {
        let kind = export::of_kcp("APIExport");
        let address = Kind { plural: "apiexports".into(), scope: Scope::Cluster };
        let watch = Watch::new(provider.clone(), kind, address, Arc::clone(&self.host.exports));
        let host = Arc::clone(&self.host);
        let changed = move |change: Change| {
            if change.key.target.name == export {
                host.served();
            }
        };
        self.start(watch, || {}, changed);
    }

    fn have_endpoints(self: &Arc<Self>, addresses: Vec<Address>) {
        let before: Vec<Address> = self.host.world.shards().iter().map(|shard| shard.address().clone()).collect();
        let gone: Vec<&Address> = before.iter().filter(|address| !addresses.contains(address)).collect();
        // First, so that no workspace is shown twice where only the address is another.
        gone.into_iter().for_each(|address| self.remove_endpoint(address));
        addresses.into_iter().for_each(|address| self.add_endpoint(address));
    }

    fn add_endpoint(self: &Arc<Self>, address: Address) {
        if self.host.world.shards().iter().any(|shard| *shard.address() == address) {
            return;
        }
        match VirtualWorkspace::open(&self.host.connection, address) {
            Ok(shard) => self.add_shard(shard),
            Err(error) => tracing::error!(error = host_core::status::chain(&error), "cannot use an endpoint"),
        }
    }

    /// Ends all watches of an endpoint and forgets what they saw. Its instances are as
    /// they are: nobody deletes what cannot be seen any more.
    fn remove_endpoint(self: &Arc<Self>, address: &Address) {
        tracing::warn!(url = address.url(), "the endpoint is gone from the export: what it showed is left as it is");
        let world = &self.host.world;
        let (left, kept) = world.remove_shard(address);
        let ended: Vec<(Purpose, Running)> = {
            let mut running = self.running();
            running.extract_if(|(at, ..), _| at == address).map(|((.., purpose), running)| (purpose, running)).collect()
        };
        for (_, running) in &ended {
            running.gate.close();
            running.task.abort();
        }
        self.listed().retain(|(at, _)| at != address);
        kept.iter().for_each(|cluster| world.lost(cluster));
        // Each store has numbers of its own.
        let of = |wanted: fn(&Purpose) -> bool| -> HashSet<u64> {
            ended.iter().filter(|(purpose, _)| wanted(purpose)).map(|(_, running)| running.source).collect()
        };
        let is_left = |cluster: &LogicalCluster| left.contains(cluster);
        world.children.leave(&of(|purpose| matches!(purpose, Purpose::Children | Purpose::Recorded(_))), is_left);
        for instance in world.instances.leave(&of(|purpose| *purpose == Purpose::Instances), is_left) {
            self.host.need_kinds(&instance, None);
            // A pass forgets what is remembered of it.
            self.host.queue.add(instance.cluster.clone(), instance);
        }
        // What was asked of this endpoint is asked of the other one.
        for (key, instance) in world.instances.find(|key, _| kept.contains(&key.cluster)) {
            self.host.need_kinds(&key, Some(&instance));
        }
        self.take_turns();
    }

    /// Watches a virtual workspace: its bindings, and all that is served.
    pub(super) fn add_shard(self: &Arc<Self>, shard: VirtualWorkspace) {
        tracing::info!(url = shard.address().url(), "watching a virtual workspace");
        self.host.world.add_shard(shard.clone());
        self.bindings(&shard);
        for serving in self.host.world.served() {
            self.serve_on(&shard, &serving);
        }
        self.host.served();
    }

    /// Watches whatever a definition needs, wherever it is not watched yet.
    pub(super) fn serve(self: &Arc<Self>, serving: &Serving) {
        let read: BTreeSet<&Gvk> = serving.read().collect();
        for kind in serving.kinds.keys().filter(|kind| read.contains(kind)) {
            // Of objects that were seen before only their place was kept.
            if self.host.world.children.keep_whole(kind.clone()) {
                self.list_again(kind);
            }
        }
        for shard in self.host.world.shards() {
            self.serve_on(&shard, serving);
        }
        let api = &serving.prepared.blueprint.api.kind;
        for (key, instance) in self.host.world.instances.find(|key, _| key.target.kind == *api) {
            self.host.need_kinds(&key, Some(&instance));
            self.host.queue.add(key.cluster.clone(), key);
        }
    }

    /// Has the children of a kind listed anew wherever they are watched.
    fn list_again(&self, kind: &Gvk) {
        let running = self.running();
        let children = running.iter().filter(|((_, of, purpose), _)| of == kind && *purpose == Purpose::Children);
        children.for_each(|(_, running)| running.again.notify_one());
    }

    /// Watches the instances and, once they are all known, what their children are of:
    /// of objects whose label names nobody only the place is kept.
    fn serve_on(self: &Arc<Self>, shard: &VirtualWorkspace, serving: &Serving) {
        let api = &serving.prepared.blueprint.api;
        let address = Kind { plural: api.plural.clone(), scope: api.scope };
        let store = Arc::clone(&self.host.world.instances);
        let host = Arc::clone(&self.host);
        let changed = move |change: Change| host.instance_changed(&change);
        let (this, at, of) = (Arc::downgrade(self), shard.clone(), api.kind.clone());
        let listed = move || {
            if let Some(this) = this.upgrade() {
                this.have_instances(&at, &of);
            }
        };
        self.begin(shard, (&api.kind, address, Purpose::Instances), store, listed, changed);
        if self.listed().contains(&(shard.address().clone(), api.kind.clone())) {
            self.children_of(shard, serving);
        }
    }

    /// All instances of an API are in the store.
    fn have_instances(self: &Arc<Self>, shard: &VirtualWorkspace, api: &Gvk) {
        self.host.instances.notify_one();
        for serving in self.host.world.served().iter().filter(|served| served.prepared.blueprint.api.kind == *api) {
            self.children_of(shard, serving);
        }
        // Children of these may have been seen already, for another API.
        self.host.world.children.lacking_many().iter().for_each(|kind| self.list_again(kind));
    }

    fn children_of(self: &Arc<Self>, shard: &VirtualWorkspace, serving: &Serving) {
        for (kind, address) in &serving.kinds {
            self.children(shard, kind, address);
        }
    }

    fn children(self: &Arc<Self>, shard: &VirtualWorkspace, kind: &Gvk, address: &Kind) {
        let store = Arc::clone(&self.host.world.children);
        let (host, of) = (Arc::clone(&self.host), kind.clone());
        let listed = move || {
            let kind = &of;
            let uses: BTreeSet<Gvk> = host
                .world
                .served()
                .iter()
                .filter(|s| s.kinds.contains_key(kind))
                .map(|s| s.prepared.blueprint.api.kind.clone())
                .collect();
            host.enqueue(|key| uses.contains(&key.target.kind));
            for instance in host.world.needing(kind) {
                host.queue.add(instance.cluster.clone(), instance);
            }
        };
        let host = Arc::clone(&self.host);
        let changed = move |change: Change| host.child_changed(&change);
        self.begin(shard, (kind, address.clone(), Purpose::Children), store, listed, changed);
    }

    fn bindings(self: &Arc<Self>, shard: &VirtualWorkspace) {
        let kind = export::of_kcp("APIBinding");
        let address = Kind { plural: "apibindings".into(), scope: Scope::Cluster };
        let (host, of) = (Arc::clone(&self.host), shard.clone());
        let changed = move |change: Change| host.binding_changed(&of, &change);
        let host = Arc::clone(&self.host);
        let listed = move || host.instances.notify_one();
        let store = Arc::new(Store::new(Keep::Whole));
        self.begin(shard, (&kind, address, Purpose::Bindings), store, listed, changed);
    }

    fn begin(
        self: &Arc<Self>,
        shard: &VirtualWorkspace,
        what: (&Gvk, Kind, Purpose),
        store: Arc<Store>,
        listed: impl Fn() + Send + Sync + 'static,
        changed: impl Fn(Change) + Send + Sync + 'static,
    ) {
        self.begin_in(&mut self.running(), shard, what, store, listed, changed);
    }

    /// Starts a watch of a virtual workspace, unless there is one already, or its
    /// endpoint or the need for it is gone by now.
    fn begin_in(
        self: &Arc<Self>,
        running: &mut HashMap<Place, Running>,
        shard: &VirtualWorkspace,
        (kind, address, purpose): (&Gvk, Kind, Purpose),
        store: Arc<Store>,
        listed: impl Fn() + Send + Sync + 'static,
        changed: impl Fn(Change) + Send + Sync + 'static,
    ) {
        let place = (shard.address().clone(), kind.clone(), purpose);
        let is_known = self.host.world.shards().iter().any(|known| known.address() == shard.address());
        if running.contains_key(&place) || !is_known || !self.is_needed()(&place) {
            return;
        }
        let (host, at) = (Arc::clone(&self.host), shard.address().clone());
        let covers = Arc::new(move |cluster: &LogicalCluster| host.world.is_at(cluster, &at));
        let (from, home) = match &place.2 {
            Purpose::Recorded(cluster) => {
                tracing::debug!(%cluster, %kind, "watching what a record names");
                (shard.cluster(cluster), Some(cluster.clone()))
            }
            _ => (shard.all(), None),
        };
        let watch = Watch { covers, home, ..Watch::new(from, kind.clone(), address, store) };
        let (again, gate, source) = (Arc::clone(&watch.again), Arc::clone(&watch.gate), watch.source);
        let (this, of) = (Arc::downgrade(self), place.clone());
        let listed = move || {
            if this.upgrade().is_some_and(|this| this.has_listed(&of, source)) {
                listed();
            }
        };
        let task = self.start(watch, listed, changed);
        running.insert(place, Running { again, gate, task, source });
    }

    /// Starts a watch. `listed` is called whenever the store is complete.
    fn start(
        &self,
        watch: Watch,
        listed: impl Fn() + Send + Sync + 'static,
        changed: impl Fn(Change) + Send + Sync + 'static,
    ) -> AbortHandle {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        // Those of endpoints that are gone.
        while tasks.try_join_next().is_some() {}
        tasks.spawn(watch.run(listed, changed))
    }

    fn listed(&self) -> MutexGuard<'_, HashSet<(Address, Gvk)>> {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // A panic while the lock is held leaves a map that is whole: each change is
    // one insertion, or takes all of it.
    fn running(&self) -> MutexGuard<'_, HashMap<Place, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
