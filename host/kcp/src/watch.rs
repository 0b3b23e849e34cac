//! Keeps a store equal to what a server has of one kind, and tells what
//! changed.
//!
//! It never gives up: a server that is gone, or does not serve the kind yet, is
//! asked again with growing pauses.

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use contract::Gvk;
use futures::{FutureExt, StreamExt};
use kube::{Api, api::ApiResource, core::GroupVersionKind, runtime::watcher};
use rand::Rng;
use serde_json::Value;
use tokio::sync::Notify;

use super::{
    Cluster, ObjectKey, Store,
    store::{Change, Seen},
    watched::Watched,
};
use host_core::{kinds::Kind, name::LogicalCluster, object};

/// The longest pause between two attempts. A claimed kind shows up in a virtual
/// workspace some seconds after it was bound: well under a minute is worth it,
/// and ten watches asking twice a minute do not hurt a server that is down.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// The first pause.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// A watch that went without a failure for so long after a pause begins with the
/// first pause again.
const CALM: Duration = Duration::from_secs(30);

/// So many objects come at once. Each may have 1 MiB, and a page is there as a whole
/// before it is known what of it is kept.
const PAGE: u32 = 100;

/// One kind, watched.
pub struct Watch {
    /// Where.
    pub cluster: Cluster,
    /// What.
    pub kind: Gvk,
    /// How it is addressed.
    pub address: Kind,
    /// The logical cluster of objects that do not say theirs: set when one
    /// workspace is watched rather than all of them.
    pub home: Option<LogicalCluster>,
    /// Where the objects go.
    pub store: Arc<Store>,
    /// Whether a server that does not serve the kind is nothing to complain
    /// about: it may do so some day, and is asked again until then.
    pub optional: bool,
    /// Asks for another listing, when the store wants more of the objects than
    /// it kept so far.
    pub again: Arc<Notify>,
    /// Which logical clusters it sees all of, as far as that is known without a look
    /// at the objects: all of them, unless there are other watches of the kind.
    pub covers: Arc<dyn Fn(&LogicalCluster) -> bool + Send + Sync>,
    /// What ends it for good.
    pub gate: Arc<Gate>,
    /// The number by which the store knows the watch.
    pub source: u64,
}

/// Through it everything passes that a watch puts into its store, until it is closed.
#[derive(Default)]
pub struct Gate(Mutex<bool>);

impl Gate {
    /// Lets nothing through from now on. What was on its way is in the store when
    /// this returns.
    pub fn close(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
    }

    fn through<T: Default>(&self, work: impl FnOnce() -> T) -> T {
        let closed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if *closed { T::default() } else { work() }
    }
}

impl Watch {
    /// A watch of a kind that should be there, over objects that say where they
    /// live.
    pub fn new(cluster: Cluster, kind: Gvk, address: Kind, store: Arc<Store>) -> Watch {
        let source = store.begin_listing();
        let (again, gate) = (Arc::default(), Arc::default());
        Watch {
            cluster,
            kind,
            address,
            home: None,
            store,
            optional: false,
            again,
            covers: Arc::new(|_| true),
            gate,
            source,
        }
    }

    /// Watches until it is dropped, also if a bug ends it in between. `listed` is
    /// called whenever the store holds all there is (for an optional kind also if the
    /// server refuses to show it), `changed` for everything that was seen.
    pub async fn run(self, listed: impl Fn() + Send + Sync, changed: impl Fn(Change) + Send + Sync) {
        let (watch, listed, changed) = (&self, &listed, &changed);
        keep_up(&format!("the watch of {}", self.kind), FIRST_PAUSE, move || watch.watch(listed, changed)).await;
    }

    async fn watch(&self, listed: &(impl Fn() + Send + Sync), changed: &(impl Fn(Change) + Send + Sync)) {
        let gvk = GroupVersionKind::gvk(&self.kind.group, &self.kind.version, &self.kind.kind);
        let resource = ApiResource::from_gvk_with_plural(&gvk, &self.address.plural);
        let api = Api::<Watched>::all_with(self.cluster.client(), &resource);
        let begin = || watcher(api.clone(), watcher::Config::default().page_size(PAGE));
        let mut events = std::pin::pin!(begin());
        let mut pauses = Pauses::default();
        let mut listing = self.source;
        let mut failing = false;
        loop {
            let event = tokio::select! {
                biased;
                () = self.again.notified() => {
                    events.set(begin());
                    continue;
                }
                event = events.next() => event,
            };
            match event {
                None => return,
                Some(Ok(watcher::Event::Init)) => listing = self.store.begin_listing(),
                Some(Ok(watcher::Event::InitApply(object))) => {
                    let seen = Seen::Listed { source: self.source, listing };
                    self.seen(object, seen).into_iter().for_each(changed);
                }
                Some(Ok(watcher::Event::Apply(object))) => {
                    let seen = Seen::Event { source: self.source };
                    self.seen(object, seen).into_iter().for_each(changed);
                }
                Some(Ok(watcher::Event::InitDone)) => {
                    let of_kind = |key: &ObjectKey| {
                        key.target.kind == self.kind && self.home.as_ref().is_none_or(|home| *home == key.cluster)
                    };
                    let sweep = || self.store.sweep(self.source, listing, of_kind, &*self.covers);
                    self.gate.through(sweep).into_iter().for_each(changed);
                    listed();
                    if std::mem::take(&mut failing) {
                        tracing::info!(kind = %self.kind, "watching again");
                    }
                }
                Some(Ok(watcher::Event::Delete(object))) => self.gone(object).into_iter().for_each(changed),
                Some(Err(error)) => {
                    // What is not served has no objects, and what is refused shows
                    // none.
                    if self.optional && is_refused(&error) {
                        listed();
                    }
                    self.complain(error, &mut failing);
                    tokio::time::sleep(pauses.after(Instant::now())).await;
                    // A server that was away may have been restored from a backup. It
                    // has nothing to tell to whoever goes on from a later version.
                    events.set(begin());
                }
            }
        }
    }

    /// Once is enough to say: the pauses grow, the reason stays.
    fn complain(&self, error: watcher::Error, failing: &mut bool) {
        let expected = self.optional && is_not_served(&error);
        let error = told(error);
        if expected || *failing {
            tracing::debug!(kind = %self.kind, error, "still cannot watch");
        } else {
            *failing = true;
            tracing::warn!(kind = %self.kind, error, "cannot watch; trying again");
        }
    }

    fn seen(&self, object: Watched, seen: Seen) -> Option<Change> {
        let (cluster, object) = self.whole(object)?;
        self.gate.through(|| self.store.put(&cluster, object, seen))
    }

    fn gone(&self, object: Watched) -> Option<Change> {
        let (cluster, object) = self.whole(object)?;
        let key = ObjectKey { cluster, target: object::Target::of(&object)? };
        self.gate.through(|| self.store.remove(&key, object::uid(&object)))
    }

    /// The object with its kind, which lists leave out, and its cluster.
    fn whole(&self, Watched { mut object, .. }: Watched) -> Option<(LogicalCluster, Value)> {
        object["apiVersion"] = self.kind.api_version().into();
        object["kind"] = self.kind.kind.as_str().into();
        let said = object::annotation(&object, object::CLUSTER_ANNOTATION).and_then(|name| name.parse().ok());
        said.or_else(|| self.home.clone()).map(|cluster| (cluster, object))
    }
}

/// Begins a task that is to go on for ever, and begins it again when it ends or
/// panics, which is reported.
async fn keep_up<F: Future<Output = ()>>(what: &str, first: Duration, begin: impl Fn() -> F) {
    for attempts in 0.. {
        let ended = AssertUnwindSafe(begin()).catch_unwind().await;
        let how = if ended.is_ok() { "by itself" } else { "by a bug in croft" };
        tracing::error!(what, how, "what was to go on for ever has ended; starting it again");
        tokio::time::sleep(pause(attempts, first, LONGEST_PAUSE)).await;
    }
}

/// Whether the server does not know the kind.
fn is_not_served(error: &watcher::Error) -> bool {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
        | watcher::Error::WatchFailed(kube::Error::Api(status)) => status.code == 404,
        _ => false,
    }
}

/// Whether the server answered, and the answer was no.
fn is_refused(error: &watcher::Error) -> bool {
    matches!(error, watcher::Error::InitialListFailed(kube::Error::Api(_)))
}

/// A watch's error in one line.
fn told(error: watcher::Error) -> String {
    match error {
        watcher::Error::InitialListFailed(error)
        | watcher::Error::WatchStartFailed(error)
        | watcher::Error::WatchFailed(error) => host_core::status::chain(&super::Error::of("watch", error)),
        watcher::Error::WatchError(status) => status.message,
        other => other.to_string(),
    }
}

/// Pauses that double, each shortened at random by up to half so that many
/// watches do not come back at once. Time alone makes them short again.
#[derive(Default)]
struct Pauses {
    attempts: u32,
    /// When the last pause ended.
    over: Option<Instant>,
}

impl Pauses {
    /// The pause after a failure.
    fn after(&mut self, failure: Instant) -> Duration {
        if self.over.is_some_and(|over| failure.saturating_duration_since(over) >= CALM) {
            self.attempts = 0;
        }
        let pause = pause(self.attempts, FIRST_PAUSE, LONGEST_PAUSE);
        self.attempts = self.attempts.saturating_add(1);
        self.over = Some(failure + pause);
        pause
    }
}

/// The pause after so many attempts: doubling from `first` to `longest`, then
/// shortened at random by up to half.
pub fn pause(attempts: u32, first: Duration, longest: Duration) -> Duration {
    let full = first.saturating_mul(2_u32.saturating_pow(attempts.min(20))).min(longest);
    full.mul_f64(rand::rng().random_range(0.5..=1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit_and_start_over_after_a_calm() {
        let mut pauses = Pauses::default();
        let mut now = Instant::now();
        let first = pauses.after(now);
        assert!(first <= FIRST_PAUSE && first >= FIRST_PAUSE / 2);
        for _ in 0..40 {
            // The failure follows at once.
            now = pauses.over.unwrap();
            pauses.after(now);
        }
        let last = pauses.over.unwrap() - now;
        assert!(last <= LONGEST_PAUSE && last >= LONGEST_PAUSE / 2);
        assert!(pauses.after(pauses.over.unwrap() + CALM) <= FIRST_PAUSE);
    }

    #[tokio::test]
    async fn what_ends_or_panics_is_started_again() {
        let (begun, reached) = (std::sync::atomic::AtomicUsize::new(0), Notify::new());
        let begin = || async {
            match begun.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
                0 => panic!("a bug"),
                1 => {}
                _ => {
                    reached.notify_one();
                    std::future::pending::<()>().await;
                }
            }
        };
        tokio::select! {
            () = keep_up("a task", Duration::from_millis(1), begin) => unreachable!("it goes on"),
            () = reached.notified() => {}
        }
        assert_eq!(begun.into_inner(), 3);
    }

    /// A server that lists one object and then nothing.
    fn server(lists: Arc<std::sync::atomic::AtomicUsize>) -> Cluster {
        let service = tower::service_fn(move |request: http::Request<kube::client::Body>| {
            let is_list = !request.uri().query().unwrap_or_default().contains("watch=true");
            let number = if is_list { lists.fetch_add(1, std::sync::atomic::Ordering::SeqCst) } else { 0 };
            async move {
                if !is_list {
                    std::future::pending::<()>().await;
                }
                let object = serde_json::json!({"metadata": {
                    "name": "a", "uid": "a", "resourceVersion": "1", "annotations": {"kcp.io/cluster": "one"},
                }});
                let items = if number == 0 { vec![object] } else { Vec::new() };
                let list = serde_json::json!({
                    "kind": "ConfigMapList", "apiVersion": "v1", "metadata": {"resourceVersion": "2"}, "items": items,
                });
                Ok::<_, tower::BoxError>(http::Response::new(kube::client::Body::from(list.to_string().into_bytes())))
            }
        });
        Cluster::new(kube::Client::new(service, "default"))
    }

    #[tokio::test]
    async fn a_watch_that_panics_is_started_again_and_misses_nothing() {
        let kind = Gvk { group: String::new(), version: "v1".into(), kind: "ConfigMap".into() };
        let address = host_core::kinds::builtin(&kind).unwrap();
        let store = Arc::new(Store::new(crate::store::Keep::Whole));
        let watch = Watch::new(server(Arc::default()), kind, address, Arc::clone(&store));
        let gone = Notify::new();
        let changed = |change: Change| match change.after {
            Some(_) => panic!("a bug"),
            None => gone.notify_one(),
        };
        tokio::select! {
            () = watch.run(|| {}, changed) => unreachable!("it goes on"),
            () = gone.notified() => {}
        }
        assert!(store.find(|_, _| true).is_empty());
    }

    /// What a server answers to one list after the other, and whether it ends each watch
    /// with an error.
    fn flaky(lists: Vec<(u16, Value)>) -> (Cluster, Arc<std::sync::atomic::AtomicUsize>) {
        let asked = Arc::<std::sync::atomic::AtomicUsize>::default();
        let counted = Arc::clone(&asked);
        let service = tower::service_fn(move |request: http::Request<kube::client::Body>| {
            let is_list = !request.uri().query().unwrap_or_default().contains("watch=true");
            let (code, body) = match is_list {
                true => {
                    let number = counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    lists[number.min(lists.len() - 1)].clone()
                }
                false => (503, serde_json::json!({"kind": "Status", "status": "Failure", "code": 503})),
            };
            let body = kube::client::Body::from(body.to_string().into_bytes());
            let answer = http::Response::builder().status(code).body(body).unwrap();
            async move { Ok::<_, tower::BoxError>(answer) }
        });
        (Cluster::new(kube::Client::new(service, "default")), asked)
    }

    fn config_maps(cluster: Cluster) -> Watch {
        let kind = Gvk { group: String::new(), version: "v1".into(), kind: "ConfigMap".into() };
        let address = host_core::kinds::builtin(&kind).unwrap();
        Watch::new(cluster, kind, address, Arc::new(Store::new(crate::store::Keep::Whole)))
    }

    #[tokio::test]
    async fn an_attempt_that_begins_is_not_one_that_succeeds() {
        let (cluster, asked) =
            flaky(vec![(500, serde_json::json!({"kind": "Status", "status": "Failure", "code": 500}))]);
        let began = Instant::now();
        let watching = config_maps(cluster).run(|| {}, |_| {});
        assert!(tokio::time::timeout(Duration::from_secs(2), watching).await.is_err());
        // Pauses of 0.25, 0.5, 1 and 2 s, each shortened by up to half.
        let asked = asked.load(std::sync::atomic::Ordering::SeqCst);
        assert!((2..=5).contains(&asked), "{asked} requests in {:?}", began.elapsed());
    }

    /// A server that was restored from a backup tells nothing to a watch that goes on
    /// from a later version, and what it lists has lower ones.
    #[tokio::test]
    async fn what_a_server_says_after_it_was_away_is_taken_whatever_the_versions() {
        let list = |version: u64, text: &str| {
            let metadata = serde_json::json!({
                "name": "a", "uid": "a", "resourceVersion": version.to_string(), "annotations": {"kcp.io/cluster": "one"},
            });
            let items = serde_json::json!([{"metadata": metadata, "data": {"text": text}}]);
            let version = version.to_string();
            let metadata = serde_json::json!({"resourceVersion": version});
            (
                200,
                serde_json::json!({"kind": "ConfigMapList", "apiVersion": "v1", "metadata": metadata, "items": items}),
            )
        };
        let (cluster, _) = flaky(vec![list(10, "later"), list(5, "restored")]);
        let restored = Notify::new();
        let changed = |change: Change| {
            if change.after.is_some_and(|after| after["data"]["text"] == "restored") {
                restored.notify_one();
            }
        };
        let watching = config_maps(cluster).run(|| {}, changed);
        tokio::select! {
            () = watching => unreachable!("it goes on"),
            noticed = tokio::time::timeout(Duration::from_secs(10), restored.notified()) => noticed.unwrap(),
        }
    }
}
