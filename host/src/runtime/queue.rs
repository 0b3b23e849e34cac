//! Which instance is next: each at most once at a time, and every logical
//! cluster in its turn, so that one tenant's thousand instances do not hold up
//! another's one.
//!
//! It knows nothing of what a pass does.

use std::{
    collections::{BTreeSet, HashMap, HashSet, VecDeque},
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

/// A queue of keys that belong to tenants.
pub struct Queue<T, K> {
    state: Mutex<State<T, K>>,
    added: Notify,
}

struct State<T, K> {
    /// Tenants that have something waiting, in their order.
    turns: VecDeque<T>,
    waiting: HashMap<T, VecDeque<K>>,
    queued: HashSet<K>,
    running: HashSet<K>,
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

impl<T, K> Default for Queue<T, K> {
    fn default() -> Self {
        let state = State {
            turns: VecDeque::new(),
            waiting: HashMap::new(),
            queued: HashSet::new(),
            running: HashSet::new(),
            again: HashMap::new(),
            delayed: HashMap::new(),
            held: HashSet::new(),
        };
        Queue { state: Mutex::new(state), added: Notify::new() }
    }
}

impl<T, K> Queue<T, K>
where
    T: Clone + Eq + Hash + Send + 'static,
    K: Clone + Eq + Hash + Send + 'static,
{
    /// Puts a key in line, unless it is there already. A key that is being
    /// worked on comes again afterwards.
    pub fn add(&self, tenant: T, key: K) {
        self.add_for(tenant, key, None);
    }

    /// The same because of a version of an object. If it turns out to have been
    /// written by the work on the key, the key does not come again for it.
    pub fn add_for(&self, tenant: T, key: K, version: Option<&str>) {
        if self.lock().add(tenant, key, version) {
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
            if let Some((key, more)) = self.lock().take() {
                if more {
                    self.added.notify_one();
                }
                return key;
            }
            added.await;
        }
    }

    /// Says that the work on a key has ended, and which versions of objects it
    /// has written.
    pub fn done(&self, key: &K, written: &BTreeSet<String>) {
        let mut state = self.lock();
        state.running.remove(key);
        if let Some(again) = state.again.remove(key)
            && (again.otherwise || !again.versions.is_subset(written))
        {
            state.add(again.tenant, key.clone(), None);
            self.added.notify_one();
        }
    }

    // A panic while the lock is held can at worst forget one key, and the next
    // event or listing adds it again.
    fn lock(&self) -> MutexGuard<'_, State<T, K>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Clone + Eq + Hash, K: Clone + Eq + Hash> State<T, K> {
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
    fn add(&mut self, tenant: T, key: K, version: Option<&str>) -> bool {
        if self.held.contains(&key) {
            return false;
        }
        if self.running.contains(&key) {
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
        let line = self.waiting.entry(tenant.clone()).or_default();
        if line.is_empty() {
            self.turns.push_back(tenant);
        }
        line.push_back(key);
        true
    }

    /// The next key, and whether there are more.
    fn take(&mut self) -> Option<(K, bool)> {
        let tenant = self.turns.pop_front()?;
        let line = self.waiting.get_mut(&tenant)?;
        let key = line.pop_front()?;
        if line.is_empty() {
            self.waiting.remove(&tenant);
        } else {
            self.turns.push_back(tenant);
        }
        self.queued.remove(&key);
        self.delayed.remove(&key);
        self.running.insert(key.clone());
        Some((key, !self.turns.is_empty()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(keys: &[(&'static str, u32)]) -> Queue<&'static str, u32> {
        let queue = Queue::default();
        keys.iter().for_each(|&(tenant, key)| queue.add(tenant, key));
        queue
    }

    fn drain(queue: &Queue<&'static str, u32>) -> Vec<u32> {
        std::iter::from_fn(|| queue.lock().take().map(|(key, _)| key)).collect()
    }

    #[test]
    fn tenants_take_turns() {
        assert_eq!(drain(&queue(&[("a", 1), ("a", 2), ("a", 3), ("b", 10), ("c", 20)])), [1, 10, 20, 2, 3]);
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
        let queue: Arc<Queue<u32, u32>> = Arc::default();
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
            state.waiting.len(),
            state.queued.len(),
            state.running.len(),
            state.again.len(),
            state.delayed.len(),
            state.held.len(),
        ];
        assert_eq!(sizes, [0; 7]);
    }

    #[tokio::test]
    async fn many_retries_of_a_key_are_one() {
        let queue: Arc<Queue<&str, u32>> = Arc::default();
        let (late, soon) = (Duration::from_secs(3600), Duration::from_millis(1));
        for delay in [late, soon, late] {
            queue.add_after("a", 1, delay);
        }
        assert_eq!(queue.next().await, 1);
        assert!(queue.lock().delayed.is_empty());
    }

    #[tokio::test]
    async fn a_held_key_comes_when_its_time_has_come_and_not_before() {
        let queue: Arc<Queue<&str, u32>> = Arc::default();
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
