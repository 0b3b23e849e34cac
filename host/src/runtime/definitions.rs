//! Takes definitions in: finds the module, has it prepare, puts the answer into
//! force, and tells the definition's author.
//!
//! Everything slow about a definition happens here, never in a pass.

mod error;
mod later;
mod look_up;
mod record;
mod status;

use std::{
    collections::{BTreeSet, HashMap},
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use contract::{Gvk, Preparation, Prepared, Schema};
use futures::FutureExt;
use serde_json::{Value, json};
use tokio::{sync::mpsc, time::MissedTickBehavior};

use self::{
    error::Error,
    later::{Later, Why, waits},
};
use super::{Host, told, watches::Watches};
use host_core::{
    definition::{DefinitionKind, ModuleRef},
    kinds::{self, Kind},
    name::Digest,
    object, receipt,
};
use kcp::{ObjectKey, Store};
use sandbox::Module;

use crate::{
    clock,
    pass::world::{Reach, Serving},
};

/// So many times a module may ask for schemas: others wait for their definitions
/// meanwhile.
const MOST_ASKS: usize = 16;

/// How often those that wait are gone through. It asks no server.
const TICK: Duration = Duration::from_secs(1);

/// What the definitions' task is told.
pub(super) enum News {
    /// A definition changed, or is gone.
    Changed(ObjectKey),
    /// All definitions of a kind that there are have been told.
    Listed(DefinitionKind),
    /// Some server may serve other kinds than before: a binding changed, or the
    /// export.
    Served,
    /// Instances of a definition have children of a kind that it does not touch.
    Found(ObjectKey, Gvk, Kind),
}

/// The definitions that were seen, and what became of them.
pub(super) struct Definitions {
    host: Arc<Host>,
    watches: Arc<Watches>,
    store: Arc<Store>,
    /// The digest of each definition as it was last dealt with.
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
            dealt_with: HashMap::new(),
            later: Later::default(),
            complaints: HashMap::new(),
        }
    }

    /// Deals with one definition after the other.
    pub(super) async fn run(mut self, mut changed: mpsc::UnboundedReceiver<News>) {
        let mut early: BTreeSet<ObjectKey> = BTreeSet::new();
        // Whose a kind is can be said only when all are known.
        let mut unlisted = BTreeSet::from(DefinitionKind::ALL);
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let due: Vec<ObjectKey> = tokio::select! {
                news = changed.recv() => match news {
                    Some(News::Changed(key)) if unlisted.is_empty() => vec![key],
                    Some(News::Changed(key)) => {
                        early.insert(key);
                        continue;
                    }
                    Some(News::Listed(kind)) => match unlisted.remove(&kind) && unlisted.is_empty() {
                        true => std::mem::take(&mut early).into_iter().collect(),
                        false => continue,
                    },
                    Some(News::Served) => {
                        let concerns = |why: &Why| matches!(why, Why::NotServed { .. } | Why::UnknownKinds(_));
                        self.later.hurry(Instant::now(), concerns);
                        continue;
                    }
                    Some(News::Found(key, kind, address)) => {
                        self.extend(&key, kind, address);
                        continue;
                    }
                    None => return,
                },
                _ = ticks.tick(), if unlisted.is_empty() => match AssertUnwindSafe(self.worth_a_look()).catch_unwind().await {
                    Ok(due) => due,
                    Err(_) => {
                        tracing::error!("looking at definitions again ended by a bug in croft");
                        continue;
                    }
                },
            };
            for key in self.in_turn(due) {
                self.look_at(&key).await;
            }
        }
    }

    /// Of those whose time has come the ones for which something may have changed,
    /// as far as that can be said without preparing them again.
    async fn worth_a_look(&mut self) -> Vec<ObjectKey> {
        let mut worth = Vec::new();
        for (key, why) in self.later.due(Instant::now()) {
            let changed = match &why {
                Why::NotServed { kind, plural } => self.is_served(kind, plural).await,
                Why::UnknownKinds(kinds) => self.is_any_known(kinds).await,
                Why::Taken(_) | Why::Trouble => true,
            };
            if changed {
                // Looked at from the beginning.
                self.dealt_with.remove(&key);
                worth.push(key);
            } else {
                self.later.put(key, why, Instant::now());
            }
        }
        worth
    }

    /// Deals with a definition if it is another than it was. A bug that panics
    /// costs this one a pause, and the others nothing.
    async fn look_at(&mut self, key: &ObjectKey) {
        let waits = match AssertUnwindSafe(self.deal_with(key)).catch_unwind().await {
            Ok(Looked::Before) => return,
            Ok(Looked::Settled) => None,
            Ok(Looked::Waits(why)) => Some(why),
            Err(_) => {
                tracing::error!(definition = %key, "dealing with the definition ended by a bug in croft");
                Some(Why::Trouble)
            }
        };
        match waits {
            Some(why) => self.later.put(key.clone(), why, Instant::now()),
            None => self.later.remove(key),
        }
        self.later.hurry(Instant::now(), |why| matches!(why, Why::Taken(other) if other == key));
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

    /// Adds a kind to a definition that its instances have children of from an
    /// earlier version, so that these can be deleted.
    fn extend(&self, key: &ObjectKey, kind: Gvk, address: Kind) {
        let Some(serving) = self.host.world.served().into_iter().find(|serving| serving.definition == *key) else {
            return;
        };
        if kinds::find(&serving.kinds, &kind).is_none() {
            let mut serving = Serving::clone(&serving);
            serving.kinds.insert(kind, address);
            let serving = Arc::new(serving);
            self.host.world.serve(Arc::clone(&serving));
            self.watches.serve(&serving);
        }
    }

    async fn deal_with(&mut self, key: &ObjectKey) -> Looked {
        let Some(definition) = self.store.get(key).filter(|object| !object::is_being_deleted(object)) else {
            self.dealt_with.remove(key);
            self.complaints.remove(key);
            self.retire(key);
            return Looked::Settled;
        };
        let digest = receipt::definition(&definition);
        if self.dealt_with.get(key) == Some(&digest) {
            return Looked::Before;
        }
        self.dealt_with.insert(key.clone(), digest.clone());
        let result = self.take(key, &definition, digest).await;
        if let Err(error) = &result {
            self.fall_back(key, &definition, error).await;
        }
        let waits = waits(result.as_deref());
        match &result {
            Ok(_) => {
                self.complaints.remove(key);
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
                if self.complaints.insert(key.clone(), error.clone()) != Some(error.clone()) {
                    tracing::warn!(definition = %key, error, "refused");
                }
            }
        }
        let told = self.tell(key, &definition, result.as_deref()).await;
        match waits.or((!told).then_some(Why::Trouble)) {
            Some(why) => Looked::Waits(why),
            None => Looked::Settled,
        }
    }

    /// Prepares a definition and puts it into force. An earlier version stays
    /// in force if this one is refused.
    async fn take(&self, key: &ObjectKey, definition: &Value, digest: Digest) -> Result<Arc<Serving>, Error> {
        let reach = self.reach(key)?;
        let reference = ModuleRef::of(definition).map_err(crate::modules::Error::from)?;
        let host = Arc::clone(&self.host);
        let loading = tokio::task::spawn_blocking(move || host.modules.load(&reference));
        let module = loading.await.map_err(|_| Error::Interrupted)??;
        let prepared = self.prepare(&module, definition).await?;
        let api = &prepared.blueprint.api;
        if !self.is_served(&api.kind, &api.plural).await {
            return Err(Error::NotServed { kind: api.kind.clone(), plural: api.plural.clone() });
        }
        self.unique(key, &reach, &prepared)?;
        let former = self.host.world.kinds_of(key, &prepared.blueprint.api.kind);
        let declared = prepared.blueprint.kinds.iter().map(|used| &used.kind);
        let kinds = kinds::with_former(self.look_up(&prepared).await, declared, former);
        let definition = key.clone();
        let serving = Arc::new(Serving { definition, reach, digest, module, prepared, kinds, retired: false });
        self.host.world.serve(Arc::clone(&serving));
        self.watches.serve(&serving);
        Ok(serving)
    }

    /// Puts the version of a definition into force that was accepted before this
    /// one was refused, unless it is in force. A host that has just started knows
    /// of it by the definition's status.
    async fn fall_back(&self, key: &ObjectKey, definition: &Value, refusal: &Error) {
        let serves = |serving: &Arc<Serving>| serving.definition == *key && !serving.retired;
        if matches!(refusal, Error::NotProvider) || self.host.world.served().iter().any(serves) {
            return;
        }
        let Some(former) = record::former(definition) else { return };
        match self.take(key, &former, receipt::definition(&former)).await {
            Ok(_) => tracing::info!(definition = %key, "in force as it was accepted last"),
            Err(error) => tracing::debug!(definition = %key, error = told(&error), "nor is its last version in force"),
        }
    }

    fn reach(&self, key: &ObjectKey) -> Result<Reach, Error> {
        let shards = self.host.world.shards();
        let provider = shards.first().map(|shard| shard.address().provider().clone());
        // With the split layout the definitions come out of the provider's own
        // workspace, and from nowhere else.
        if self.host.provider.is_some() || provider.as_ref() == Some(&key.cluster) {
            Ok(Reach::Everywhere)
        } else if self.host.consumer_definitions {
            Ok(Reach::Only(key.cluster.clone()))
        } else {
            Err(Error::NotProvider)
        }
    }

    async fn prepare(&self, module: &Module, definition: &Value) -> Result<Prepared, Error> {
        let mut schemas: Vec<Schema> = Vec::new();
        let mut servers = self.servers();
        for _ in 0..MOST_ASKS {
            let (module, definition, given) = (module.clone(), definition.clone(), schemas.clone());
            let preparing = tokio::task::spawn_blocking(move || module.prepare(&definition, &given));
            let answer = preparing.await.map_err(|_| Error::Interrupted)?.map_err(Error::Refused)?;
            match answer.value {
                Preparation::Ready(prepared) => return Ok(*prepared),
                Preparation::Needs(kinds) => {
                    let known = |kind: &Gvk| schemas.iter().any(|schema| schema.kind == *kind);
                    let new: BTreeSet<Gvk> = kinds.into_iter().filter(|kind| !known(kind)).collect();
                    if new.is_empty() {
                        return Err(Error::Insatiable);
                    }
                    for kind in new {
                        schemas.push(self.schema(&mut servers, kind).await?);
                    }
                }
            }
        }
        Err(Error::Insatiable)
    }

    /// The definition that has a kind keeps it, also over a restart: it has it
    /// before it is in force again.
    fn unique(&self, key: &ObjectKey, reach: &Reach, prepared: &Prepared) -> Result<(), Error> {
        let kind = &prepared.blueprint.api.kind;
        let same = |serving: &&Arc<Serving>| {
            serving.definition != *key
                && serving.reach == *reach
                && !serving.retired
                && serving.prepared.blueprint.api.kind == *kind
        };
        let taken = |other: &ObjectKey| Err(Error::DuplicateKind { kind: kind.clone(), other: other.clone() });
        if let Some(other) = self.host.world.served().iter().find(same) {
            return taken(&other.definition);
        }
        let own = self.store.get(key).unwrap_or_default();
        let keeps = |other: &ObjectKey, definition: &Value| {
            other != key
                && record::kind(definition).as_ref() == Some(kind)
                && !object::is_being_deleted(definition)
                && self.reach(other).is_ok_and(|other| other == *reach)
                // Of two that say so the older one is right.
                && (record::kind(&own).as_ref() != Some(kind) || record::rank(other, definition) < record::rank(key, &own))
        };
        self.store.find(keeps).first().map_or(Ok(()), |(other, _)| taken(other))
    }

    /// Takes a definition out of force, but for the deletion of its instances.
    fn retire(&self, key: &ObjectKey) {
        let Some(serving) = self.host.world.served().into_iter().find(|serving| serving.definition == *key) else {
            return;
        };
        tracing::info!(definition = %key, "gone");
        let retired = Serving { retired: true, ..Serving::clone(&serving) };
        let api = retired.prepared.blueprint.api.kind.clone();
        self.host.world.serve(Arc::new(retired));
        self.host.enqueue(|instance| instance.target.kind == api);
    }

    /// Writes the definition's status, if it has to change. Whether it is as it
    /// should be.
    async fn tell(&self, key: &ObjectKey, definition: &Value, result: Result<&Serving, &Error>) -> bool {
        let Some(kind) = DefinitionKind::named(&key.target.kind) else { return true };
        let serves = self.host.world.served().iter().any(|serving| serving.definition == *key && !serving.retired);
        let wanted = status::status(kind, definition, result, serves, &clock::now());
        let Some(wanted) = wanted.as_object() else { return true };
        let Some(patch) = host_core::status::patch(definition.get("status"), wanted) else { return true };
        let Some(cluster) = self.host.provider.clone().or_else(|| self.host.world.cluster(&key.cluster)) else {
            return false;
        };
        match cluster.merge(&key.target, &kind.address(), "/status", &json!({"status": patch})).await {
            Ok(_) => true,
            Err(error) => {
                tracing::warn!(definition = %key, error = told(&error), "cannot write the definition's status");
                matches!(error.code(), Some(403 | 404))
            }
        }
    }
}
