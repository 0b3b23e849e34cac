//! Which kinds are watched where, and whose pass an event is for.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, Once, PoisonError},
};

use contract::{Gvk, Scope};
use serde_json::Value;
use tokio::{
    sync::{Notify, mpsc},
    task::JoinSet,
};

use super::{Host, definitions::News, finder::Wanted};
use host_core::{
    claims::Claims,
    definition::DefinitionKind,
    inventory,
    kinds::{self, Kind},
    object::{self, Target},
};
use kcp::{
    Cluster, ObjectKey, Store, VirtualWorkspace, endpoints,
    store::{Change, Keep},
    virtual_workspace::Address,
    watch::Watch,
};

use crate::pass::world::Serving;

/// All watches of the host. They end when it is dropped.
pub(super) struct Watches {
    host: Arc<Host>,
    tasks: Mutex<JoinSet<()>>,
    /// What is watched where, and how to ask for another listing.
    running: Mutex<HashMap<(Address, Gvk, Purpose), Arc<Notify>>>,
}

/// What objects are watched for. Those of one kind can be both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Purpose {
    /// They are instances of an API.
    Instances,
    /// They are children, or read.
    Children,
}

impl Watches {
    pub(super) fn new(host: Arc<Host>) -> Watches {
        Watches { host, tasks: Mutex::default(), running: Mutex::default() }
    }

    /// Watches the definitions of both kinds and tells which one changed. Either
    /// kind may be one that is not served (yet). Returns where they are kept.
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

    /// Follows an export's endpoint slice: every endpoint that shows up is
    /// watched from then on.
    pub(super) fn follow(self: &Arc<Self>, export: String) {
        let Some(provider) = self.host.provider.clone() else { return };
        self.follow_served(&provider, export.clone());
        let (kind, address) = endpoints::kind();
        let watch = Watch::new(provider, kind, address, Arc::new(Store::new(Keep::Whole)));
        let (this, listed, once) = (Arc::downgrade(self), export.clone(), Once::new());
        let changed = move |change: Change| {
            let slice = change.after.filter(|slice| object::text(slice, "/metadata/name") == export);
            let (Some(slice), Some(this)) = (slice, this.upgrade()) else { return };
            endpoints::of(&slice).into_iter().for_each(|address| this.add_endpoint(address));
        };
        let said = move || once.call_once(|| tracing::info!(export = listed, "following the endpoints of the export"));
        self.start(watch, said, changed);
    }

    /// Has definitions looked at again when the export changes: it may serve an
    /// API by then.
    fn follow_served(&self, provider: &Cluster, export: String) {
        let kind = Gvk { group: "apis.kcp.io".into(), version: "v1alpha2".into(), kind: "APIExport".into() };
        let address = Kind { plural: "apiexports".into(), scope: Scope::Cluster };
        let watch = Watch::new(provider.clone(), kind, address, Arc::new(Store::new(Keep::Whole)));
        let host = Arc::clone(&self.host);
        let changed = move |change: Change| {
            if change.key.target.name == export {
                host.served();
            }
        };
        self.start(watch, || {}, changed);
    }

    fn add_endpoint(&self, address: Address) {
        if self.host.world.shards().iter().any(|shard| *shard.address() == address) {
            return;
        }
        match VirtualWorkspace::open(&self.host.connection, address) {
            Ok(shard) => self.add_shard(shard),
            Err(error) => tracing::error!(error = host_core::status::chain(&error), "cannot use an endpoint"),
        }
    }

    /// Watches a virtual workspace: its bindings, and all that is served.
    pub(super) fn add_shard(&self, shard: VirtualWorkspace) {
        tracing::info!(url = shard.address().url(), "watching a virtual workspace");
        self.host.world.add_shard(shard.clone());
        self.bindings(&shard);
        for serving in self.host.world.served() {
            self.serve_on(&shard, &serving);
        }
        self.host.served();
    }

    /// Watches whatever a definition needs, wherever it is not watched yet.
    pub(super) fn serve(&self, serving: &Serving) {
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
        self.host.enqueue(|key| key.target.kind == serving.prepared.blueprint.api.kind);
    }

    /// Has the children of a kind listed anew wherever they are watched.
    fn list_again(&self, kind: &Gvk) {
        let running = self.running();
        let children = running.iter().filter(|((_, of, purpose), _)| of == kind && *purpose == Purpose::Children);
        children.for_each(|(_, again)| again.notify_one());
    }

    fn serve_on(&self, shard: &VirtualWorkspace, serving: &Serving) {
        for (kind, address) in &serving.kinds {
            self.children(shard, kind, address);
        }
        let api = &serving.prepared.blueprint.api;
        if let Some(again) = self.begin(shard, &api.kind, Purpose::Instances) {
            let address = Kind { plural: api.plural.clone(), scope: api.scope };
            let store = Arc::clone(&self.host.world.instances);
            let watch = Watch { again, ..Watch::new(shard.all(), api.kind.clone(), address, store) };
            let host = Arc::clone(&self.host);
            self.start(watch, || {}, move |change| host.instance_changed(&change));
        }
    }

    fn children(&self, shard: &VirtualWorkspace, kind: &Gvk, address: &Kind) {
        let Some(again) = self.begin(shard, kind, Purpose::Children) else { return };
        let store = Arc::clone(&self.host.world.children);
        let watch = Watch { again, ..Watch::new(shard.all(), kind.clone(), address.clone(), store) };
        let (host, shard, kind) = (Arc::clone(&self.host), shard.address().clone(), kind.clone());
        let listed = move || {
            host.world.synced(&shard, &kind);
            let uses: BTreeSet<Gvk> = host
                .world
                .served()
                .iter()
                .filter(|s| s.kinds.contains_key(&kind))
                .map(|s| s.prepared.blueprint.api.kind.clone())
                .collect();
            host.enqueue(|key| uses.contains(&key.target.kind));
        };
        let host = Arc::clone(&self.host);
        self.start(watch, listed, move |change| host.child_changed(&change));
    }

    fn bindings(&self, shard: &VirtualWorkspace) {
        let kind = Gvk { group: "apis.kcp.io".into(), version: "v1alpha2".into(), kind: "APIBinding".into() };
        let address = Kind { plural: "apibindings".into(), scope: Scope::Cluster };
        let watch = Watch::new(shard.all(), kind, address, Arc::new(Store::new(Keep::Whole)));
        let (host, shard) = (Arc::clone(&self.host), shard.clone());
        self.start(watch, || {}, move |change| host.binding_changed(&shard, &change));
    }

    /// Takes note of a watch that is about to begin; `None` if there is one
    /// already.
    fn begin(&self, shard: &VirtualWorkspace, kind: &Gvk, purpose: Purpose) -> Option<Arc<Notify>> {
        let mut running = self.running();
        let place = (shard.address().clone(), kind.clone(), purpose);
        if running.contains_key(&place) {
            return None;
        }
        let again = Arc::new(Notify::new());
        running.insert(place, Arc::clone(&again));
        Some(again)
    }

    /// Starts a watch. `listed` is called whenever the store is complete.
    fn start(
        &self,
        watch: Watch,
        listed: impl Fn() + Send + Sync + 'static,
        changed: impl Fn(Change) + Send + Sync + 'static,
    ) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.spawn(watch.run(listed, changed));
    }

    // A panic while the lock is held leaves a map that is whole: each change is
    // one insertion.
    fn running(&self) -> MutexGuard<'_, HashMap<(Address, Gvk, Purpose), Arc<Notify>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Host {
    /// Has all instances that fit passed over.
    pub(super) fn enqueue(&self, fits: impl Fn(&ObjectKey) -> bool) {
        for (key, _) in self.world.instances.find(|key, _| fits(key)) {
            self.queue.add(key.cluster.clone(), key);
        }
    }

    fn instance_changed(&self, change: &Change) {
        if let Some(after) = &change.after {
            self.world.identify(object::uid(after), &change.key);
            self.ask_for_kinds(&change.key, after);
        }
        self.queue.add_for(change.key.cluster.clone(), change.key.clone(), change.version());
    }

    /// An instance may have children of kinds that its definition does not have
    /// any more.
    fn ask_for_kinds(&self, key: &ObjectKey, instance: &Value) {
        let Some(serving) = self.world.serving(key) else { return };
        let kinds = inventory::recorded(instance).filter_map(Target::of_record).map(|place| place.kind);
        let unknown: BTreeSet<Gvk> = kinds.filter(|kind| kinds::find(&serving.kinds, kind).is_none()).collect();
        for kind in unknown {
            self.finder.ask(Wanted { definition: serving.definition.clone(), kind });
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

    fn binding_changed(&self, shard: &VirtualWorkspace, change: &Change) {
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
        self.enqueue(|key| key.cluster == *cluster);
        self.served();
    }

    /// Says that there may be other kinds than before.
    fn served(&self) {
        // Nobody listens any more only when the host is ending.
        self.news.send(News::Served).ok();
    }
}
