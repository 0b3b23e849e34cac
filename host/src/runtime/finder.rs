//! Finds how kinds are addressed that only the records of instances name: those of
//! children that an earlier version of a definition made.
//!
//! Whoever may write an instance's status may forge its record. So nothing else waits
//! for these tasks, what is not a kind is not looked up, logical clusters take turns,
//! and a server is asked only for what its own index lists, and for each of that once
//! in a while. What a server did not answer is asked again.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use contract::Gvk;
use host_core::{
    kinds::{self, Kind},
    name::LogicalCluster,
};
use kcp::{Discovery, VirtualWorkspace, virtual_workspace::Address, watch::pause};

use super::{Host, queue::Queue, told, watches::Watches};

/// How long an answer of a server is good for.
const FRESH: Duration = Duration::from_secs(30);
/// So many questions are asked at once. Those of one shard are answered one after the
/// other, and leave a task to the others.
pub(super) const AT_ONCE: usize = 8;
/// The pauses after a question that was not answered.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A kind that a record names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Wanted {
    cluster: LogicalCluster,
    shard: Address,
    kind: Gvk,
}

/// What a server serves. Whoever waits for it waits for an answer.
type Served = Arc<tokio::sync::Mutex<Discovery>>;

/// The questions.
pub(super) struct Finder {
    queue: Arc<Queue<LogicalCluster, Wanted, Address, ()>>,
    served: Mutex<HashMap<Address, Served>>,
    /// How often each was asked in vain.
    failures: Mutex<HashMap<Wanted, u32>>,
}

impl Finder {
    pub(super) fn new() -> Finder {
        let queue = Arc::new(Queue::new(AT_ONCE, |wanted: &Wanted| wanted.shard.clone(), |_| (), || false));
        Finder { queue, served: Mutex::default(), failures: Mutex::default() }
    }

    /// Asks for a kind where a logical cluster is, unless that is asked already.
    pub(super) fn ask(&self, cluster: &LogicalCluster, shard: &VirtualWorkspace, kind: Gvk) {
        let wanted = Wanted { cluster: cluster.clone(), shard: shard.address().clone(), kind };
        if !self.failures().contains_key(&wanted) {
            self.queue.add(cluster.clone(), wanted);
        }
    }

    async fn address(&self, shard: &VirtualWorkspace, kind: &Gvk) -> Result<Option<Kind>, kcp::Error> {
        if kind.group.is_empty() {
            // The index does not have the group without a name.
            return Ok(kinds::builtin(kind).filter(|known| kinds::is_of_kcp("", &known.plural)));
        }
        let served = {
            let mut all = self.served.lock().unwrap_or_else(PoisonError::into_inner);
            let new = || Arc::new(tokio::sync::Mutex::new(Discovery::new(shard.all(), FRESH)));
            Arc::clone(all.entry(shard.address().clone()).or_insert_with(new))
        };
        served.lock().await.address(kind).await
    }

    fn failures(&self) -> MutexGuard<'_, HashMap<Wanted, u32>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers one question after the other.
pub(super) async fn run(host: Arc<Host>, watches: Arc<Watches>) {
    let finder = &host.finder;
    loop {
        let wanted = finder.queue.next().await;
        let Wanted { cluster, shard: at, kind } = &wanted;
        let shard = host.world.home(cluster).filter(|home| home.address() == at);
        let answer = match &shard {
            Some(shard) if host.world.needs(cluster, kind) => finder.address(shard, kind).await,
            _ => Ok(None),
        };
        match (answer, shard) {
            (Ok(Some(address)), Some(_)) => {
                finder.failures().remove(&wanted);
                watches.found(cluster, kind, address);
            }
            (Ok(_), _) => drop(finder.failures().remove(&wanted)),
            (Err(error), _) => {
                tracing::debug!(%kind, error = told(&error), "the server does not tell what it serves");
                let attempts = {
                    let mut failures = finder.failures();
                    let attempts = failures.entry(wanted.clone()).or_default();
                    *attempts = attempts.saturating_add(1);
                    *attempts - 1
                };
                let pause = pause(attempts, FIRST_PAUSE, LONGEST_PAUSE);
                finder.queue.add_after(cluster.clone(), wanted.clone(), pause);
            }
        }
        finder.queue.done(&wanted, &BTreeSet::new());
    }
}
