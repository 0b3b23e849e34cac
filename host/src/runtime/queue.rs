//! Which instance is next: each at most once at a time, every API in its turn and,
//! among its instances, every logical cluster, so that one tenant's thousand
//! instances do not hold up another's one.
//!
//! Nor do passes that take long: an instance is begun only while its logical
//! cluster has fewer workers than are idle, its API fewer than three times as many,
//! and its module, which may be that of many APIs, fewer than seven times as many.
//! Whoever comes first gets half of the workers, the next one half of the rest. A
//! logical cluster that has none may have one whatever its API and its module have,
//! as long as one is left for another module and, where its API has one already, one
//! for another API. A module that is the only one needs to leave none. The rule is
//! that of dynamic thresholds, by which switches share a buffer (Choudhury and Hahne,
//! 1998).
//!
//! It knows nothing of what a pass does.

use std::{
    collections::{BTreeSet, HashMap, HashSet, VecDeque},
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

/// An API may have so many times as many workers as are idle: what most hosts have
/// is one, for many tenants.
const SHARE_OF_AN_API: usize = 3;

/// The same of a module: what most hosts have is one, for many APIs.
const SHARE_OF_A_MODULE: usize = 7;

/// A queue of keys that belong to tenants, each key of an API and run by a module.
pub struct Queue<T, K, A, M> {
    api: fn(&K) -> A,
    module: Box<dyn Fn(&K) -> M + Send + Sync>,
    /// Whether there is more than one module.
    several: Box<dyn Fn() -> bool + Send + Sync>,
    state: Mutex<State<T, K, A, M>>,
    added: Notify,
}

struct State<T, K, A, M> {
    workers: usize,
    /// APIs of which something is waiting, in their order. One that several modules run
    /// is several: what is waiting in a line may be begun or not for the same reasons.
    turns: VecDeque<(A, M)>,
    lines: HashMap<(A, M), Lines<T, K>>,
    queued: HashSet<K>,
    running: HashMap<K, (T, M)>,
    /// How many workers each has.
    by_tenant: HashMap<T, usize>,
    by_api: HashMap<A, usize>,
    by_module: HashMap<M, usize>,
    /// Running keys that were added again meanwhile.
    again: HashMap<K, Again<T>>,
    /// Keys that come later by themselves: one timer each counts.
    delayed: HashMap<K, Instant>,
    /// Keys that do not come before their time, whatever happens.
    held: HashSet<K>,
}

/// Why a running key was added again.
struct Again<T> {
    tenant: T,
    /// The versions of objects that it was added for.
    versions: BTreeSet<String>,
    /// Whether it was also added for something else.
    otherwise: bool,
}

/// What is waiting of one API, and was run by one module when it was added.
struct Lines<T, K> {
    /// Tenants that have something waiting, in their order.
    turns: VecDeque<T>,
    waiting: HashMap<T, VecDeque<K>>,
}

impl<T, K, A, M> Queue<T, K, A, M>
where
    T: Clone + Eq + Hash + Send + 'static,
    K: Clone + Eq + Hash + Send + 'static,
    A: Clone + Eq + Hash + Send + 'static,
    M: Clone + Eq + Hash + Send + 'static,
{
    /// An empty queue for so many workers; `api` tells of which API a key is, `module`
    /// which module runs it at the moment, and `several` whether there are others.
    pub fn new(
        workers: usize,
        api: fn(&K) -> A,
        module: impl Fn(&K) -> M + Send + Sync + 'static,
        several: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Self {
        let state = State {
            workers,
            turns: VecDeque::new(),
            lines: HashMap::new(),
            queued: HashSet::new(),
            running: HashMap::new(),
            by_tenant: HashMap::new(),
            by_api: HashMap::new(),
            by_module: HashMap::new(),
            again: HashMap::new(),
            delayed: HashMap::new(),
            held: HashSet::new(),
        };
        let (module, several) = (Box::new(module), Box::new(several));
        Queue { api, module, several, state: Mutex::new(state), added: Notify::new() }
    }

    /// Puts a key in line, unless it is there already. A key that is being
    /// worked on comes again afterwards.
    pub fn add(&self, tenant: T, key: K) {
        self.add_for(tenant, key, None);
    }

    /// The same because of a version of an object. If it turns out to have been
    /// written by the work on the key, the key does not come again for it.
    pub fn add_for(&self, tenant: T, key: K, version: Option<&str>) {
        let (api, module) = ((self.api)(&key), (self.module)(&key));
        if self.lock().add(tenant, (api, module), key, version) {
            self.added.notify_one();
        }
    }

    /// Puts a key in line later, unless it comes sooner anyway.
    pub fn add_after(self: &Arc<Self>, tenant: T, key: K, delay: Duration) {
        let due = Instant::now() + delay;
        {
            let mut state = self.lock();
            if state.delayed.get(&key).is_some_and(|sooner| *sooner <= due) {
                return;
            }
            state.delayed.insert(key.clone(), due);
        }
        let queue = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep_until(due).await;
            let current = queue.lock().due(&key, due);
            if current {
                queue.add(tenant, key);
            }
        });
    }

    /// Puts a key in line later, and keeps it out of line until then.
    pub fn hold(self: &Arc<Self>, tenant: T, key: K, delay: Duration) {
        {
            let mut state = self.lock();
            state.held.insert(key.clone());
            state.delayed.remove(&key);
            // An addition during the pass that asked to be held counts as held.
            state.again.remove(&key);
        }
        self.add_after(tenant, key, delay);
    }

    /// Waits for the next key. It counts as being worked on until [`done`].
    ///
    /// [`done`]: Queue::done
    pub async fn next(&self) -> K {
        loop {
            // Registered before looking, so that an addition in between wakes.
            let added = self.added.notified();
            let taken = self.take();
            if let Some((key, more)) = taken {
                if more {
                    self.added.notify_one();
                }
                return key;
            }
            added.await;
        }
    }

    fn take(&self) -> Option<(K, bool)> {
        let several = (self.several)();
        self.lock().take(several)
    }

    /// Says that the work on a key has ended, and which versions of objects it
    /// has written.
    pub fn done(&self, key: &K, written: &BTreeSet<String>) {
        let (api, module) = ((self.api)(key), (self.module)(key));
        let mut state = self.lock();
        state.end(&api, key);
        if let Some(again) = state.again.remove(key)
            && (again.otherwise || !again.versions.is_subset(written))
        {
            state.add(again.tenant, (api, module), key.clone(), None);
        }
        // A worker is idle, and others may have waited for that.
        if !state.turns.is_empty() {
            self.added.notify_one();
        }
    }

    // A panic while the lock is held can at worst forget one key, and the next
    // event or listing adds it again.
    fn lock(&self) -> MutexGuard<'_, State<T, K, A, M>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T, K, A, M> State<T, K, A, M>
where
    T: Clone + Eq + Hash,
    K: Clone + Eq + Hash,
    A: Clone + Eq + Hash,
    M: Clone + Eq + Hash,
{
    /// Whether a timer is the one that counts; if so it has rung.
    fn due(&mut self, key: &K, due: Instant) -> bool {
        let current = self.delayed.get(key) == Some(&due);
        if current {
            self.delayed.remove(key);
            self.held.remove(key);
        }
        current
    }

    /// Whether the key is new in line.
    fn add(&mut self, tenant: T, (api, module): (A, M), key: K, version: Option<&str>) -> bool {
        if self.held.contains(&key) {
            return false;
        }
        if self.running.contains_key(&key) {
            let new = || Again { tenant, versions: BTreeSet::new(), otherwise: false };
            let again = self.again.entry(key).or_insert_with(new);
            match version {
                Some(version) => {
                    again.versions.insert(version.to_owned());
                }
                None => again.otherwise = true,
            }
            return false;
        }
        if !self.queued.insert(key.clone()) {
            return false;
        }
        let line = (api, module);
        let lines = self.lines.entry(line.clone()).or_insert_with(|| {
            self.turns.push_back(line);
            Lines { turns: VecDeque::new(), waiting: HashMap::new() }
        });
        let line = lines.waiting.entry(tenant.clone()).or_default();
        if line.is_empty() {
            lines.turns.push_back(tenant);
        }
        line.push_back(key);
        true
    }

    /// The next key that may be begun, and whether there are more. Each API is looked
    /// at once at most, and only tenants that have workers are passed by: no more than
    /// there are workers, however many wait.
    fn take(&mut self, several: bool) -> Option<(K, bool)> {
        let (at, place) =
            self.turns.iter().enumerate().find_map(|(at, line)| Some((at, self.place(line, several)?)))?;
        let line = self.turns.remove(at)?;
        let lines = self.lines.get_mut(&line)?;
        let (tenant, key) = lines.take(place)?;
        if lines.turns.is_empty() {
            self.lines.remove(&line);
        } else {
            self.turns.push_back(line.clone());
        }
        let (api, module) = line;
        self.queued.remove(&key);
        self.delayed.remove(&key);
        *self.by_tenant.entry(tenant.clone()).or_default() += 1;
        *self.by_api.entry(api).or_default() += 1;
        *self.by_module.entry(module.clone()).or_default() += 1;
        self.running.insert(key.clone(), (tenant, module));
        Some((key, !self.turns.is_empty()))
    }

    /// The first tenant of an API, as one module runs it, that may have a worker.
    fn place(&self, line: &(A, M), several: bool) -> Option<usize> {
        let (api, module) = line;
        let idle = self.workers.saturating_sub(self.running.len());
        let of_api = count(&self.by_api, api);
        let has_room =
            of_api < SHARE_OF_AN_API * idle && (!several || count(&self.by_module, module) < SHARE_OF_A_MODULE * idle);
        // One for another module, and one for another API.
        let kept = usize::from(several) + usize::from(of_api > 0);
        let below = match (has_room, idle > kept) {
            (true, _) => idle,
            (false, true) => 1,
            (false, false) => return None,
        };
        self.lines.get(line)?.turns.iter().position(|tenant| count(&self.by_tenant, tenant) < below)
    }

    /// The work on a key has ended.
    fn end(&mut self, api: &A, key: &K) {
        let Some((tenant, module)) = self.running.remove(key) else { return };
        less(&mut self.by_tenant, &tenant);
        less(&mut self.by_api, api);
        less(&mut self.by_module, &module);
    }
}

impl<T: Clone + Eq + Hash, K> Lines<T, K> {
    /// The first key of the tenant whose turn is at a place.
    fn take(&mut self, place: usize) -> Option<(T, K)> {
        let tenant = self.turns.remove(place)?;
        let line = self.waiting.get_mut(&tenant)?;
        let key = line.pop_front()?;
        if line.is_empty() {
            self.waiting.remove(&tenant);
        } else {
            self.turns.push_back(tenant.clone());
        }
        Some((tenant, key))
    }
}

fn count<N: Eq + Hash>(counts: &HashMap<N, usize>, of: &N) -> usize {
    counts.get(of).copied().unwrap_or(0)
}

/// One worker less; what has none is forgotten.
fn less<N: Eq + Hash>(counts: &mut HashMap<N, usize>, of: &N) {
    if let Some(count) = counts.get_mut(of) {
        *count -= 1;
        if *count == 0 {
            counts.remove(of);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, hash::Hasher};

    use super::*;

    /// Of which API a key is: its hundreds. Which module runs it: its tens of
    /// thousands.
    type Keys = Queue<&'static str, u32, u32, u32>;

    fn of_workers(workers: usize, keys: &[(&'static str, u32)]) -> Keys {
        of_modules(workers, false, keys)
    }

    fn of_modules(workers: usize, several: bool, keys: &[(&'static str, u32)]) -> Keys {
        let queue = Queue::new(workers, |key: &u32| *key / 100_u32, |key: &u32| *key / 10_000_u32, move || several);
        keys.iter().for_each(|&(tenant, key)| queue.add(tenant, key));
        queue
    }

    fn queue(keys: &[(&'static str, u32)]) -> Keys {
        of_workers(1000, keys)
    }

    fn drain(queue: &Keys) -> Vec<u32> {
        std::iter::from_fn(|| queue.take().map(|(key, _)| key)).collect()
    }

    #[test]
    fn tenants_take_turns() {
        assert_eq!(drain(&queue(&[("a", 1), ("a", 2), ("a", 3), ("b", 10), ("c", 20)])), [1, 10, 20, 2, 3]);
    }

    #[test]
    fn apis_take_turns() {
        assert_eq!(drain(&queue(&[("a", 1), ("a", 2), ("a", 3), ("b", 100), ("a", 200)])), [1, 100, 200, 2, 3]);
    }

    #[test]
    fn a_tenant_has_no_more_workers_than_are_left_for_others() {
        let many: Vec<(&str, u32)> = (0..6).map(|at| ("a", at * 100)).collect();
        let queue = of_workers(8, &many);
        assert_eq!(drain(&queue), [0, 100, 200, 300]);
        // Whoever comes meanwhile waits for no pass under way.
        [("b", 1), ("b", 101), ("b", 201)].into_iter().for_each(|(tenant, key)| queue.add(tenant, key));
        assert_eq!(drain(&queue), [1, 101]);
        queue.add("c", 301);
        queue.add("d", 2);
        assert_eq!(drain(&queue), [301, 2]);
        // Of what ends, whoever has least of it is next.
        [0, 100].iter().for_each(|key| queue.done(key, &BTreeSet::new()));
        assert!(drain(&queue).is_empty());
        queue.done(&200, &BTreeSet::new());
        assert_eq!(drain(&queue), [400]);
    }

    #[test]
    fn an_api_leaves_a_worker_to_the_others_however_many_tenants_it_has() {
        let many: Vec<(&str, u32)> = ["a", "b", "c", "d", "e", "f", "g", "h", "i"].into_iter().zip(0..).collect();
        let queue = of_workers(8, &many);
        assert_eq!(drain(&queue).len(), 7);
        queue.add("j", 100);
        assert_eq!(drain(&queue), [100]);
    }

    /// Each of its APIs has one tenant, and none has more than its share.
    #[test]
    fn a_module_leaves_a_worker_to_the_others_however_many_apis_it_has() {
        let tenants = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p"];
        let many: Vec<(&str, u32)> = tenants.into_iter().zip((0..16).map(|api| api * 100)).collect();
        // Where it is the only one, it takes them all.
        assert_eq!(drain(&of_workers(16, &many)).len(), 16);
        let queue = of_modules(16, true, &many);
        assert_eq!(drain(&queue).len(), 15);
        queue.add("q", 10_000);
        assert_eq!(drain(&queue), [10_000]);
        // Nor does a tenant get a second one that its module has no room for.
        let queue = of_modules(16, true, &many[..14]);
        assert_eq!(drain(&queue).len(), 14);
        queue.add("a", 9_900);
        queue.add("b", 10_000);
        assert_eq!(drain(&queue), [10_000]);
    }

    /// As where one module has most APIs and another one has some: both leave room.
    #[test]
    fn an_api_leaves_a_worker_to_others_of_its_module_and_one_to_other_modules() {
        let tenants = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o"];
        let many: Vec<(&str, u32)> = tenants.into_iter().zip(0..).collect();
        let queue = of_modules(16, true, &many);
        assert_eq!(drain(&queue).len(), 14);
        queue.add("p", 100);
        assert_eq!(drain(&queue), [100]);
        // A second API of the module does not get what is left for others.
        queue.add("q", 200);
        assert!(drain(&queue).is_empty());
        queue.add("r", 10_000);
        assert_eq!(drain(&queue), [10_000]);
        // Of what ends, it is the next.
        queue.done(&0, &BTreeSet::new());
        queue.done(&1, &BTreeSet::new());
        assert_eq!(drain(&queue), [200]);
    }

    /// A tenant that counts how often it is looked up.
    #[derive(Clone, Debug, PartialEq, Eq)]
    struct Counted(u32);

    thread_local! {
        static LOOKS: Cell<usize> = const { Cell::new(0) };
    }

    impl Hash for Counted {
        fn hash<H: Hasher>(&self, state: &mut H) {
            LOOKS.set(LOOKS.get() + 1);
            self.0.hash(state);
        }
    }

    #[test]
    fn however_many_tenants_wait_no_more_are_looked_at_than_there_are_workers() {
        let module = |key: &u32| *key / 10_000_u32;
        let queue = Queue::<Counted, u32, u32, u32>::new(16, |key| *key / 10_000_u32, module, || true);
        // As many of each of three APIs, each with a module of its own.
        for key in 0..30_000 {
            queue.add(Counted(key), key);
        }
        while queue.take().is_some() {}
        let looks = |work: &dyn Fn()| {
            LOOKS.set(0);
            work();
            LOOKS.get()
        };
        let in_vain = looks(&|| assert!(queue.take().is_none()));
        let added = looks(&|| queue.add(Counted(30_000), 30_000));
        let ended = looks(&|| {
            queue.done(&0, &BTreeSet::new());
            queue.take();
        });
        assert!(in_vain <= 3 * 16 && added <= 16 && ended <= 4 * 16, "{in_vain}, {added}, {ended}");
    }

    #[test]
    fn two_slow_tenants_of_an_api_leave_workers_to_a_third_and_a_fourth() {
        let of = |tenant: &'static str, first: u32| (first..first + 20).map(move |key| (tenant, key));
        let many: Vec<(&str, u32)> = of("a", 0).chain(of("b", 20)).collect();
        let queue = of_workers(16, &many);
        // Five and six: neither has more than are idle.
        assert_eq!(drain(&queue).len(), 11);
        [("c", 50), ("c", 51), ("d", 60)].into_iter().for_each(|(tenant, key)| queue.add(tenant, key));
        assert_eq!(drain(&queue), [50, 60]);
    }

    #[test]
    fn a_single_worker_does_everything() {
        let queue = of_workers(1, &[("a", 1), ("a", 2)]);
        assert_eq!(drain(&queue), [1]);
        queue.done(&1, &BTreeSet::new());
        assert_eq!(drain(&queue), [2]);
    }

    #[test]
    fn a_key_is_in_line_once() {
        assert_eq!(drain(&queue(&[("a", 1), ("a", 1)])), [1]);
    }

    #[test]
    fn a_key_that_is_worked_on_comes_again_only_afterwards() {
        let queue = queue(&[("a", 1)]);
        assert_eq!(drain(&queue), [1]);
        queue.add("a", 1);
        assert!(drain(&queue).is_empty());
        queue.done(&1, &BTreeSet::new());
        assert_eq!(drain(&queue), [1]);
    }

    #[test]
    fn what_the_work_on_a_key_wrote_does_not_bring_it_again() {
        let cases: [(&[Option<&str>], bool); 5] = [
            (&[Some("7")], false),
            (&[Some("7"), Some("8")], false),
            (&[Some("7"), Some("9")], true),
            (&[Some("7"), None], true),
            (&[], false),
        ];
        for (events, comes) in cases {
            let queue = queue(&[("a", 1)]);
            assert_eq!(drain(&queue), [1]);
            events.iter().for_each(|version| queue.add_for("a", 1, *version));
            queue.done(&1, &BTreeSet::from(["7".to_owned(), "8".to_owned()]));
            assert_eq!(drain(&queue).len(), usize::from(comes), "{events:?}");
            // It was work that wrote; an event by itself counts.
            if !comes {
                queue.add_for("a", 1, Some("7"));
                assert_eq!(drain(&queue), [1]);
            }
        }
    }

    #[tokio::test]
    async fn a_queue_that_is_empty_remembers_nothing_of_what_went_through() {
        let modules = |key: &u32| *key % 3_u32;
        let queue = Arc::new(Queue::<u32, u32, u32, u32>::new(16, |key| *key % 5_u32, modules, || true));
        for key in 0..1000 {
            queue.add(key % 7, key);
            assert_eq!(queue.next().await, key);
            queue.add_for(key % 7, key, Some("1"));
            match key % 3 {
                0 => queue.hold(key % 7, key, Duration::ZERO),
                1 => queue.add_after(key % 7, key, Duration::ZERO),
                _ => {}
            }
            queue.done(&key, &BTreeSet::from(["1".to_owned()]));
            if key % 3 != 2 {
                assert_eq!(queue.next().await, key);
                queue.done(&key, &BTreeSet::new());
            }
        }
        let state = queue.lock();
        let sizes = [
            state.turns.len(),
            state.lines.len(),
            state.by_tenant.len(),
            state.by_api.len(),
            state.by_module.len(),
            state.queued.len(),
            state.running.len(),
            state.again.len(),
            state.delayed.len(),
            state.held.len(),
        ];
        assert_eq!(sizes, [0; 10]);
    }

    #[tokio::test]
    async fn many_retries_of_a_key_are_one() {
        let queue = Arc::new(queue(&[]));
        let (late, soon) = (Duration::from_secs(3600), Duration::from_millis(1));
        for delay in [late, soon, late] {
            queue.add_after("a", 1, delay);
        }
        assert_eq!(queue.next().await, 1);
        assert!(queue.lock().delayed.is_empty());
    }

    #[tokio::test]
    async fn a_held_key_comes_when_its_time_has_come_and_not_before() {
        let queue = Arc::new(queue(&[]));
        queue.hold("a", 1, Duration::from_millis(1));
        queue.add("a", 1);
        assert!(queue.lock().queued.is_empty());
        assert_eq!(queue.next().await, 1);
        queue.done(&1, &BTreeSet::new());
        queue.add("a", 1);
        assert_eq!(drain(&queue), [1]);
    }

    #[tokio::test]
    async fn a_waiting_worker_wakes_up() {
        let queue = Arc::new(queue(&[]));
        let waiting = tokio::spawn({
            let queue = queue.clone();
            async move { queue.next().await }
        });
        tokio::task::yield_now().await;
        queue.add("a", 7);
        assert_eq!(waiting.await.unwrap(), 7);
    }
}
