//! Finds how kinds are addressed that only the records of instances name: those of
//! children that an earlier version of a definition made.
//!
//! Whoever may write an instance's status may forge its record. So nothing else
//! waits for this task, what is not a kind is not looked up, and a server is asked
//! only for what its own index lists, and for each of that once in a while.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use contract::{Gvk, shape};
use serde_json::Value;
use tokio::sync::mpsc;

use super::{Host, definitions::News, told};
use host_core::{
    kinds::{self, Kind},
    object,
};
use kcp::{Cluster, ObjectKey, VirtualWorkspace};

/// How long an answer of the server is good for.
const FRESH: Duration = Duration::from_secs(30);
/// So many questions may wait. Each event of an instance asks again.
const MOST: usize = 1024;

/// A kind that a definition may once have had.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Wanted {
    /// The definition of the instance.
    pub(super) definition: ObjectKey,
    /// The kind.
    pub(super) kind: Gvk,
}

/// Where questions go.
pub(super) struct Finder {
    wanted: mpsc::UnboundedSender<Wanted>,
    open: Mutex<HashSet<Wanted>>,
}

impl Finder {
    pub(super) fn new() -> (Finder, mpsc::UnboundedReceiver<Wanted>) {
        let (wanted, asked) = mpsc::unbounded_channel();
        (Finder { wanted, open: Mutex::default() }, asked)
    }

    /// Asks for a kind, unless that was asked already.
    pub(super) fn ask(&self, wanted: Wanted) {
        let mut open = self.open();
        if open.len() < MOST && open.insert(wanted.clone()) {
            // Nobody listens any more only when the host is ending.
            self.wanted.send(wanted).ok();
        }
    }

    fn open(&self) -> MutexGuard<'_, HashSet<Wanted>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers one question after the other.
pub(super) async fn run(host: Arc<Host>, mut asked: mpsc::UnboundedReceiver<Wanted>) {
    let mut index = Index::default();
    while let Some(wanted) = asked.recv().await {
        let shard = host.world.shards().first().map(VirtualWorkspace::all);
        let address = match shard {
            Some(cluster) => index.address(&cluster, &wanted.kind).await,
            None => kinds::builtin(&wanted.kind),
        };
        host.finder.open().remove(&wanted);
        if let Some(address) = address {
            host.news.send(News::Found(wanted.definition, wanted.kind, address)).ok();
        }
    }
}

/// What the server serves, as it last said.
#[derive(Default)]
struct Index {
    versions: Option<(Instant, BTreeSet<String>)>,
    resources: HashMap<String, (Instant, Value)>,
}

impl Index {
    async fn address(&mut self, cluster: &Cluster, kind: &Gvk) -> Option<Kind> {
        if kind.group.is_empty() {
            // The index does not have the group without a name.
            return kinds::builtin(kind).filter(|known| kinds::is_of_kcp("", &known.plural));
        }
        let version = kind.api_version();
        if !shape::is_kind(kind) || !self.versions(cluster).await.contains(&version) {
            return None;
        }
        let found = kinds::discovered(self.resources(cluster, &version).await, &kind.kind);
        found.filter(|found| shape::is_plural(&found.plural))
    }

    /// The group versions that the server has.
    async fn versions(&mut self, cluster: &Cluster) -> &BTreeSet<String> {
        if self.versions.as_ref().is_none_or(|(since, _)| since.elapsed() >= FRESH) {
            let index = read(cluster, "/apis").await;
            let groups = index["groups"].as_array().into_iter().flatten();
            let versions = groups.flat_map(|group| group["versions"].as_array().into_iter().flatten());
            let names = versions.map(|version| object::text(version, "/groupVersion").to_owned()).collect();
            self.versions = Some((Instant::now(), names));
            self.resources.retain(|_, (since, _)| since.elapsed() < FRESH);
        }
        static NONE: BTreeSet<String> = BTreeSet::new();
        self.versions.as_ref().map_or(&NONE, |(_, versions)| versions)
    }

    /// What the server lists of a group version.
    async fn resources(&mut self, cluster: &Cluster, version: &str) -> &Value {
        if self.resources.get(version).is_none_or(|(since, _)| since.elapsed() >= FRESH) {
            let list = read(cluster, &format!("/apis/{version}")).await;
            self.resources.insert(version.to_owned(), (Instant::now(), list));
        }
        self.resources.get(version).map_or(&Value::Null, |(_, list)| list)
    }
}

/// What the server says; nothing if it does not say anything.
async fn read(cluster: &Cluster, path: &str) -> Value {
    match cluster.read(path).await {
        Ok(answer) => answer,
        Err(error) => {
            tracing::debug!(path, error = told(&error), "the server does not tell what it serves");
            Value::Null
        }
    }
}
