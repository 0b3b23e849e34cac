//! Work of definitions that takes a thread: loading modules, and running them.
//!
//! Such work cannot be interrupted. What a newer version of a definition has made
//! needless goes on until it ends, and counts until then: else a workspace could take
//! all threads by changing its definitions again and again.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use host_core::name::LogicalCluster;
use tokio::sync::Semaphore;

use super::Error;

/// So many threads a workspace has at once: twice as many as definitions of it are
/// dealt with, of some 500 that there are.
const MOST: usize = 16;

/// The threads of each workspace.
#[derive(Default)]
pub(super) struct Threads(Mutex<HashMap<LogicalCluster, Arc<Semaphore>>>);

impl Threads {
    /// Does something in a thread of a workspace, as soon as it has one.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        workspace: &LogicalCluster,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let place = self.of(workspace).acquire_owned().await.map_err(|_| Error::Interrupted)?;
        let running = tokio::task::spawn_blocking(move || {
            let _place = place;
            work()
        });
        running.await.map_err(|_| Error::Interrupted)
    }

    fn of(&self, workspace: &LogicalCluster) -> Arc<Semaphore> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever waits for one or has one holds it.
        all.retain(|_, places| Arc::strong_count(places) > 1);
        Arc::clone(all.entry(workspace.clone()).or_insert_with(|| Arc::new(Semaphore::new(MOST))))
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, time::Duration};

    use super::*;

    #[tokio::test]
    async fn work_that_nobody_waits_for_any_more_counts_until_it_ends() {
        let (threads, [one, two]) = (Threads::default(), ["one", "two"].map(|name| name.parse().unwrap()));
        let mut ends = Vec::new();
        for _ in 0..MOST {
            let (end, ended) = mpsc::channel::<()>();
            let work = threads.run(&one, move || ended.recv().ok());
            // It is interrupted once it has begun.
            assert!(tokio::time::timeout(Duration::from_millis(1), work).await.is_err());
            ends.push(end);
        }
        assert!(tokio::time::timeout(Duration::from_millis(50), threads.run(&one, || ())).await.is_err());
        assert!(threads.run(&two, || ()).await.is_ok());
        ends.pop();
        assert!(threads.run(&one, || ()).await.is_ok());
        ends.clear();
        for _ in 0..MOST {
            threads.run(&one, || ()).await.unwrap();
        }
        threads.of(&two);
        assert!(threads.0.lock().unwrap().len() <= 2);
    }
}
