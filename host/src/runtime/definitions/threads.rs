//! Work on definitions that takes a thread: loading modules, which may compile one or
//! wait for a server, and having them prepare.
//!
//! Such work cannot be interrupted. What a newer version of a definition has made
//! needless goes on until it ends and holds its places until then, so that however
//! often definitions change, no more of it runs than that.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

use host_core::name::LogicalCluster;
use kcp::ObjectKey;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Error;

/// Threads for one kind of work: one for each definition, half of them for one
/// workspace.
pub(super) struct Threads {
    definitions: Places<ObjectKey>,
    workspaces: Places<LogicalCluster>,
    all: Arc<Semaphore>,
}

impl Threads {
    pub(super) fn new(most: usize) -> Threads {
        Threads {
            definitions: Places::new(1),
            workspaces: Places::new(most.div_ceil(2)),
            all: Arc::new(Semaphore::new(most)),
        }
    }

    /// Does something for a definition in a thread, as soon as there is one and what
    /// was begun for earlier versions of the definition has ended.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        definition: &ObjectKey,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let places = self.places(definition).await?;
        let working = tokio::task::spawn_blocking(move || {
            // Held by the work itself: who waits for it may go.
            let _places = places;
            work()
        });
        working.await.map_err(|_| Error::Interrupted)
    }

    /// Always in this order, so that nobody who waits for the second or third place
    /// holds what the holder of that one waits for.
    async fn places(&self, definition: &ObjectKey) -> Result<[OwnedSemaphorePermit; 3], Error> {
        let own = take(self.definitions.of(definition)).await?;
        let of_workspace = take(self.workspaces.of(&definition.cluster)).await?;
        Ok([own, of_workspace, take(Arc::clone(&self.all)).await?])
    }
}

async fn take(places: Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Error> {
    // It is never closed.
    places.acquire_owned().await.map_err(|_| Error::Interrupted)
}

/// As many places for each of many.
struct Places<N> {
    each: usize,
    used: Mutex<HashMap<N, Arc<Semaphore>>>,
}

impl<N: Clone + Eq + Hash> Places<N> {
    fn new(each: usize) -> Places<N> {
        Places { each, used: Mutex::default() }
    }

    fn of(&self, name: &N) -> Arc<Semaphore> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever has a place, or waits for one, holds them.
        used.retain(|_, places| Arc::strong_count(places) > 1);
        Arc::clone(used.entry(name.clone()).or_insert_with(|| Arc::new(Semaphore::new(self.each))))
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            atomic::{AtomicUsize, Ordering::SeqCst},
            mpsc,
        },
        time::Duration,
    };

    use contract::Gvk;
    use host_core::object::Target;
    use tokio::time::timeout;

    use super::*;

    fn key(cluster: &str, name: &str) -> ObjectKey {
        let kind = Gvk { group: "kro.run".into(), version: "v1alpha1".into(), kind: "ResourceGroup".into() };
        let target = Target { kind, namespace: String::new(), name: name.to_owned() };
        ObjectKey { cluster: cluster.parse().unwrap(), target }
    }

    /// Begins work that goes on until what is returned is gone, and gives up waiting for
    /// it once it runs, as who hears of a newer version does.
    async fn abandon(threads: &Threads, definition: &ObjectKey) -> mpsc::Sender<()> {
        let (end, ended) = mpsc::channel::<()>();
        let (begun, mut begins) = tokio::sync::mpsc::unbounded_channel();
        let work = threads.run(definition, move || {
            begun.send(()).ok();
            ended.recv().ok();
        });
        tokio::select! {
            _ = work => panic!("it ended"),
            begins = begins.recv() => begins.unwrap(),
        }
        end
    }

    async fn is_free(threads: &Threads, definition: &ObjectKey) -> bool {
        timeout(Duration::from_millis(50), threads.run(definition, || ())).await.is_ok()
    }

    #[tokio::test]
    async fn a_newer_version_waits_for_what_was_begun_for_the_older_one() {
        let threads = Threads::new(16);
        let (one, other) = (key("one", "a"), key("one", "b"));
        let end = abandon(&threads, &one).await;
        assert!(!is_free(&threads, &one).await && is_free(&threads, &other).await);
        drop(end);
        threads.run(&one, || ()).await.unwrap();
    }

    /// Of twenty versions one after the other never two run, and those that were given up
    /// before it was their turn do not run at all.
    #[tokio::test]
    async fn versions_that_come_fast_do_not_add_up() {
        let (threads, one) = (Threads::new(16), key("one", "a"));
        let ran = Arc::new(AtomicUsize::new(0));
        let end = abandon(&threads, &one).await;
        for _ in 0..20 {
            let ran = Arc::clone(&ran);
            let work = threads.run(&one, move || ran.fetch_add(1, SeqCst));
            assert!(timeout(Duration::from_millis(1), work).await.is_err());
        }
        drop(end);
        threads.run(&one, || ()).await.unwrap();
        assert_eq!(ran.load(SeqCst), 0);
    }

    #[tokio::test]
    async fn what_nobody_waits_for_any_more_counts_for_its_workspace_and_for_all() {
        let threads = Threads::new(4);
        let mut ends = Vec::new();
        for name in ["a", "b"] {
            ends.push(abandon(&threads, &key("one", name)).await);
        }
        // Others have the other half.
        assert!(!is_free(&threads, &key("one", "c")).await);
        for cluster in ["two", "three"] {
            ends.push(abandon(&threads, &key(cluster, "a")).await);
        }
        assert!(!is_free(&threads, &key("four", "a")).await);
        ends.pop();
        threads.run(&key("four", "a"), || ()).await.unwrap();
        drop(ends);
        for cluster in ["one", "two", "three", "four"] {
            threads.run(&key(cluster, "a"), || ()).await.unwrap();
        }
        // The last ones are forgotten when others come.
        let sizes = (threads.definitions.used.lock().unwrap().len(), threads.workspaces.used.lock().unwrap().len());
        assert!(sizes.0 <= 3 && sizes.1 <= 3, "{sizes:?}");
    }

    #[tokio::test]
    async fn a_bug_in_the_work_gives_its_places_back() {
        let (threads, one) = (Threads::new(1), key("one", "a"));
        assert!(matches!(threads.run(&one, || panic!("a bug")).await, Err::<(), _>(Error::Interrupted)));
        threads.run(&one, || ()).await.unwrap();
    }
}
