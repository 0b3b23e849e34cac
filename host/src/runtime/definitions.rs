//! Takes definitions in: finds the module, has it prepare, puts the answer into
//! force, and tells the definition's author.
//!
//! Everything slow about a definition happens here, never in a pass. Each is dealt
//! with in a task of its own, so that one whose server, module or registry is slow
//! holds up no other.

mod error;
mod force;
mod later;
mod look_up;
mod record;
mod status;
mod threads;
mod under_way;

use std::{
    collections::{BTreeSet, HashMap},
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use contract::shape;
use futures::FutureExt;
use serde_json::{Value, json};
use tokio::{sync::mpsc, task::JoinSet, time::MissedTickBehavior};

use self::{
    error::Error,
    later::{Later, Why, waits},
    threads::Threads,
    under_way::{Begun, UnderWay},
};
use super::{Host, queue::Queue, told, watches::Watches};
use host_core::{
    definition::DefinitionKind,
    name::{Digest, LogicalCluster},
    object::{self, Target},
    receipt,
};
use kcp::{Cluster, ObjectKey, Store};

use crate::{clock, pass::world::Serving};

/// So many definitions are dealt with at once, half of them of one workspace: they
/// mostly wait for servers, and each takes a thread while its module is loaded or runs.
const AT_ONCE: usize = 16;

/// So many have their module prepare at once: the sandbox has no more places for it.
const PREPARATIONS: usize = sandbox::PREPARATIONS as usize;

/// How often those that wait are gone through. It asks no server.
const TICK: Duration = Duration::from_secs(1);

/// How often it is looked for kinds that need not be watched any more.
const TIDYING: Duration = Duration::from_secs(5);

/// What the definitions' task is told.
pub(super) enum News {
    /// A definition changed, or is gone.
    Changed(ObjectKey),
    /// All definitions of a kind that there are have been told.
    Listed(DefinitionKind),
    /// Some server may serve other kinds than before: a binding changed, or the
    /// export.
    Served,
    /// No record of some logical cluster names a kind any more that its definition does
    /// not have.
    Unneeded,
}

/// The definitions that were seen, and what became of them.
pub(super) struct Definitions {
    host: Arc<Host>,
    watches: Arc<Watches>,
    store: Arc<Store>,
    /// Which is next: each at most once at a time, workspaces in turn, and of one
    /// workspace in the order in which they were added.
    queue: Queue<LogicalCluster, ObjectKey, (), ()>,
    under_way: UnderWay,
    loading: Threads,
    preparing: Threads,
    deciding: Mutex<()>,
    known: Mutex<Known>,
}

/// What is remembered of definitions.
#[derive(Default)]
struct Known {
    /// The digest of each as it was last dealt with.
    dealt_with: HashMap<ObjectKey, Digest>,
    /// Those that are looked at again.
    later: Later,
    /// What was last said of those that are not in force: once is enough.
    complaints: HashMap<ObjectKey, String>,
}

/// What came of looking at a definition.
enum Looked {
    /// It is as it was when it was last dealt with.
    Before,
    /// It takes no other look before it changes.
    Settled,
    /// It does.
    Waits(Why),
}

impl Definitions {
    pub(super) fn new(host: Arc<Host>, watches: Arc<Watches>, store: Arc<Store>) -> Definitions {
        Definitions {
            host,
            watches,
            store,
            queue: Queue::new(AT_ONCE, |_| (), |_| (), || false),
            under_way: UnderWay::default(),
            loading: Threads::new(AT_ONCE),
            preparing: Threads::new(PREPARATIONS),
            deciding: Mutex::default(),
            known: Mutex::default(),
        }
    }

    /// Deals with definitions, several at once. It ends with `news`.
    pub(super) async fn run(self, mut news: mpsc::UnboundedReceiver<News>) {
        let this = Arc::new(self);
        let mut workers = JoinSet::new();
        for _ in 0..AT_ONCE {
            workers.spawn(Arc::clone(&this).work());
        }
        let mut early: BTreeSet<ObjectKey> = BTreeSet::new();
        // Whose a kind is can be said only when all are known.
        let mut unlisted = BTreeSet::from(DefinitionKind::ALL);
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut tidying = tokio::time::interval(TIDYING);
        tidying.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                news = news.recv() => match news {
                    None => return,
                    Some(News::Changed(key)) if unlisted.is_empty() => this.changed(key),
                    Some(News::Changed(key)) => drop(early.insert(key)),
                    Some(News::Listed(kind)) => {
                        if unlisted.remove(&kind) && unlisted.is_empty() {
                            let early = std::mem::take(&mut early).into_iter().collect();
                            this.in_turn(early).into_iter().for_each(|key| this.changed(key));
                        }
                    }
                    Some(News::Served) => {
                        this.served();
                        this.watches.take_turns();
                    }
                    Some(News::Unneeded) => this.watches.take_turns(),
                },
                _ = tidying.tick() => this.tidy(),
                _ = ticks.tick(), if unlisted.is_empty() => {
                    let due = this.known().later.due(Instant::now());
                    this.in_turn(due).into_iter().for_each(|key| this.queue.add(key.cluster.clone(), key));
                }
            }
        }
    }

    /// Has a definition dealt with. Work on an earlier version of it ends.
    fn changed(&self, key: ObjectKey) {
        self.under_way.changed(&key);
        self.queue.add(key.cluster.clone(), key);
    }

    fn served(&self) {
        let concerns = |why: &Why| matches!(why, Why::NotServed { .. } | Why::UnknownKinds(_));
        self.known().later.hurry(Instant::now(), concerns);
    }

    /// Definitions in the order in which they get what they ask for.
    fn in_turn(&self, mut keys: Vec<ObjectKey>) -> Vec<ObjectKey> {
        keys.sort_by_cached_key(|key| {
            let definition = self.store.get(key).unwrap_or_default();
            let (is_new, made, _) = record::rank(key, &definition);
            (is_new, made.to_owned(), key.clone())
        });
        keys
    }

    /// Deals with one definition after the other. A bug that panics costs the one a
    /// pause, and the others nothing.
    async fn work(self: Arc<Self>) {
        loop {
            let key = self.queue.next().await;
            let begun = self.under_way.begin(&key);
            if AssertUnwindSafe(self.look_at(&key, &begun)).catch_unwind().await.is_err() {
                tracing::error!(definition = %key, "dealing with the definition ended by a bug in croft");
                self.known().later.put(key.clone(), Why::Trouble, Instant::now());
            }
            drop(begun);
            self.queue.done(&key, &BTreeSet::new());
        }
    }

    /// Looks at a definition as it is, and again from the beginning if it becomes
    /// another one meanwhile.
    async fn look_at(&self, key: &ObjectKey, begun: &Begun<'_>) {
        let looked = loop {
            let definition = self.current(key);
            let digest = definition.as_deref().map(receipt::definition);
            tokio::select! {
                looked = self.deal_with(key, definition.as_deref(), digest.as_ref()) => break looked,
                () = self.superseded(key, digest.as_ref(), begun) => {
                    tracing::debug!(definition = %key, "there is a newer version of it");
                    self.known().dealt_with.remove(key);
                }
            }
        };
        let mut known = self.known();
        match looked {
            Looked::Before => return,
            Looked::Settled => known.later.remove(key),
            Looked::Waits(why) => known.later.put(key.clone(), why, Instant::now()),
        }
        known.later.hurry(Instant::now(), |why| matches!(why, Why::Taken(other) if other == key));
    }

    /// Waits until a definition is another than the one with this digest.
    async fn superseded(&self, key: &ObjectKey, digest: Option<&Digest>, begun: &Begun<'_>) {
        loop {
            begun.change().await;
            if self.current(key).as_deref().map(receipt::definition).as_ref() != digest {
                return;
            }
        }
    }

    fn current(&self, key: &ObjectKey) -> Option<Arc<Value>> {
        self.store.get(key).filter(|object| !object::is_being_deleted(object))
    }

    /// Whether a definition that is as it was is worth another look: its time has
    /// come, and something may have changed, as far as that can be said without
    /// preparing it again.
    async fn is_due(&self, key: &ObjectKey) -> bool {
        let why = self.known().later.why(key, Instant::now());
        let changed = match &why {
            None => return false,
            Some(Why::NotServed { kind, plural }) => matches!(self.is_served(kind, plural).await, Ok(true)),
            Some(Why::UnknownKinds(kinds)) => self.is_any_known(kinds).await,
            Some(Why::Taken(_) | Why::Trouble) => true,
        };
        if let (false, Some(why)) = (changed, why) {
            self.known().later.put(key.clone(), why, Instant::now());
        }
        changed
    }

    async fn deal_with(&self, key: &ObjectKey, definition: Option<&Value>, digest: Option<&Digest>) -> Looked {
        let (Some(definition), Some(digest)) = (definition, digest) else {
            self.known().dealt_with.remove(key);
            self.known().complaints.remove(key);
            self.retire(key);
            return Looked::Settled;
        };
        let is_known = self.known().dealt_with.get(key) == Some(digest);
        if is_known && !self.is_due(key).await {
            return Looked::Before;
        }
        self.known().dealt_with.insert(key.clone(), digest.clone());
        let result = self.take(key, definition, digest.clone()).await;
        if let Err(error) = &result {
            self.fall_back(key, definition, error).await;
        }
        let waits = waits(result.as_deref());
        match &result {
            Ok(_) => {
                self.known().complaints.remove(key);
                tracing::info!(definition = %key, "in force");
            }
            // In a provider's workspace there may be definitions of other
            // exports, which are other hosts' business.
            Err(error @ Error::NotServed { .. }) if self.host.export.is_some() => {
                tracing::debug!(definition = %key, error = told(error), "not of this export");
                return waits.map_or(Looked::Settled, Looked::Waits);
            }
            Err(error) => {
                let error = told(error);
                if self.known().complaints.insert(key.clone(), error.clone()) != Some(error.clone()) {
                    tracing::warn!(definition = %key, error, "refused");
                }
            }
        }
        let told = self.tell(key, definition, result.as_deref()).await;
        match waits.or((!told).then_some(Why::Trouble)) {
            Some(why) => Looked::Waits(why),
            None => Looked::Settled,
        }
    }

    /// Writes the definition's status, if it has to change. Whether it is as it
    /// should be, or as near to that as the server takes it.
    async fn tell(&self, key: &ObjectKey, definition: &Value, result: Result<&Serving, &Error>) -> bool {
        let Some(kind) = DefinitionKind::named(&key.target.kind) else { return true };
        let serves = self.host.world.served().iter().any(|serving| serving.definition == *key && !serving.retired);
        let mut wanted = status::status(kind, definition, result, serves, &clock::now());
        if patch(definition, &wanted).is_none() {
            return true;
        }
        if self.host.term.is_over() {
            return false;
        }
        let Some(cluster) = self.host.provider.clone().or_else(|| self.host.world.cluster(&key.cluster)) else {
            return false;
        };
        let place = (&cluster, &key.target, kind);
        let mut written = write(place, definition, &wanted).await;
        if let Err(error) = &written
            && error.is_about_size(shape::bytes(definition) + shape::bytes(&wanted))
        {
            status::shorten(&mut wanted);
            written = write(place, definition, &wanted).await;
        }
        match written {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(definition = %key, error = told(&error), "cannot write the definition's status");
                matches!(error.code(), Some(403 | 404))
            }
        }
    }

    // A panic while the lock is held leaves maps that are whole: each change is one
    // insertion or one removal.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn write(
    (cluster, target, kind): (&Cluster, &Target, DefinitionKind),
    definition: &Value,
    wanted: &Value,
) -> Result<(), kcp::Error> {
    match patch(definition, wanted) {
        None => Ok(()),
        Some(patch) => cluster.merge(target, &kind.address(), "/status", &patch).await.map(drop),
    }
}

/// What makes a definition's status this one; `None` if it is.
fn patch(definition: &Value, wanted: &Value) -> Option<Value> {
    let patch = host_core::status::patch(definition.get("status"), wanted.as_object()?)?;
    Some(json!({"status": patch}))
}
