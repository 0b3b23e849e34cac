//! Which definitions are looked at again though nothing about them changed, for
//! what reason, and when: after pauses that grow, or sooner when an event says so.
//!
//! It asks no server and prepares nothing.

use std::{
    collections::{BTreeSet, HashMap},
    time::{Duration, Instant},
};

use contract::Gvk;
use host_core::fault::Fault;
use kcp::{ObjectKey, watch::pause};

use super::Error;
use crate::pass::world::Serving;

/// What publishing, binding and claiming begin is mostly done by then.
pub(super) const FIRST: Duration = Duration::from_secs(3);
/// The longest pause: what mends itself without an event is seen within this
/// time.
const LONGEST: Duration = Duration::from_secs(60);

/// What a definition waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// Its API is not one of the export's.
    NotServed {
        /// The API.
        kind: Gvk,
        /// Its resource.
        plural: String,
    },
    /// It is in force, and no server has these kinds of its children.
    UnknownKinds(BTreeSet<Gvk>),
    /// Another definition has its kind.
    Taken(ObjectKey),
    /// Something failed that may work the next time.
    Trouble,
}

/// What a definition waits for after this result.
pub(super) fn waits(result: Result<&Serving, &Error>) -> Option<Why> {
    match result {
        Ok(serving) => {
            let declared = serving.prepared.blueprint.kinds.iter().map(|used| &used.kind);
            let unknown: BTreeSet<Gvk> = declared.filter(|kind| !serving.kinds.contains_key(kind)).cloned().collect();
            (!unknown.is_empty()).then_some(Why::UnknownKinds(unknown))
        }
        Err(Error::NotServed { kind, plural }) => Some(Why::NotServed { kind: kind.clone(), plural: plural.clone() }),
        Err(Error::DuplicateKind { other, .. }) => Some(Why::Taken(other.clone())),
        Err(error) => error.blame().heals_by_itself().then_some(Why::Trouble),
    }
}

struct Waiting {
    why: Why,
    attempts: u32,
    due: Instant,
}

/// The definitions that wait.
#[derive(Default)]
pub(super) struct Later {
    waiting: HashMap<ObjectKey, Waiting>,
}

impl Later {
    /// Has a definition wait. If it waited for the same before, it waits longer.
    pub(super) fn put(&mut self, key: ObjectKey, why: Why, now: Instant) {
        let before = self.waiting.get(&key).filter(|before| before.why == why);
        let attempts = before.map_or(0, |before| before.attempts.saturating_add(1));
        let due = now + pause(attempts, FIRST, LONGEST);
        self.waiting.insert(key, Waiting { why, attempts, due });
    }

    /// It waits for nothing any more.
    pub(super) fn remove(&mut self, key: &ObjectKey) {
        self.waiting.remove(key);
    }

    /// Those whose time has come.
    pub(super) fn due(&self, now: Instant) -> Vec<ObjectKey> {
        let due = self.waiting.iter().filter(|(_, waiting)| waiting.due <= now);
        due.map(|(key, _)| key.clone()).collect()
    }

    /// What a definition waits for, if its time has come.
    pub(super) fn why(&self, key: &ObjectKey, now: Instant) -> Option<Why> {
        self.waiting.get(key).filter(|waiting| waiting.due <= now).map(|waiting| waiting.why.clone())
    }

    /// An event may have brought what some wait for. Their pauses begin anew, with
    /// the first one: events that come in numbers make no more than that of it.
    pub(super) fn hurry(&mut self, now: Instant, concerns: impl Fn(&Why) -> bool) {
        for waiting in self.waiting.values_mut().filter(|waiting| concerns(&waiting.why)) {
            waiting.attempts = 0;
            waiting.due = waiting.due.min(now + pause(0, FIRST, LONGEST));
        }
    }
}

#[cfg(test)]
mod tests {
    use host_core::object::Target;

    use super::*;

    fn key(name: &str) -> ObjectKey {
        let kind = Gvk { group: "kro.run".into(), version: "v1alpha1".into(), kind: "ResourceGroup".into() };
        ObjectKey {
            cluster: "one".parse().unwrap(),
            target: Target { kind, namespace: String::new(), name: name.to_owned() },
        }
    }

    /// How often within a time a definition is looked at that always waits for
    /// the same.
    fn looks(later: &mut Later, mut now: Instant, within: Duration) -> usize {
        let end = now + within;
        let mut looks = 0;
        while now < end {
            now += Duration::from_secs(1);
            for key in later.due(now) {
                looks += 1;
                let why = later.why(&key, now).unwrap();
                later.put(key, why, now);
            }
        }
        looks
    }

    #[test]
    fn what_waits_in_vain_is_looked_at_twice_a_minute_at_most() {
        let (mut later, now) = (Later::default(), Instant::now());
        later.put(key("a"), Why::Trouble, now);
        let minutes = |number: u64| Duration::from_secs(60 * number);
        assert!((4..=7).contains(&looks(&mut later, now, minutes(2))));
        let hour = looks(&mut later, now + minutes(2), minutes(60));
        assert!((50..=120).contains(&hour), "{hour}");
        later.remove(&key("a"));
        assert_eq!(looks(&mut later, now, minutes(60)), 0);
    }

    #[test]
    fn another_reason_and_an_event_make_pauses_short_again() {
        let (mut later, now) = (Later::default(), Instant::now());
        let taken = || Why::Taken(key("b"));
        for _ in 0..10 {
            later.put(key("a"), taken(), now);
        }
        assert!(later.due(now + FIRST).is_empty());
        later.hurry(now, |why| *why == Why::Taken(key("c")));
        assert!(later.due(now + FIRST).is_empty());
        later.hurry(now, |why| *why == taken());
        assert_eq!((later.due(now + FIRST), later.why(&key("a"), now + FIRST)), (vec![key("a")], Some(taken())));
        for _ in 0..10 {
            later.put(key("a"), taken(), now);
        }
        later.put(key("a"), Why::Trouble, now);
        assert_eq!(later.why(&key("a"), now + FIRST), Some(Why::Trouble));
        assert_eq!(later.why(&key("a"), now), None);
    }

    #[test]
    fn a_flood_of_events_makes_no_flood_of_looks() {
        let (mut later, start) = (Later::default(), Instant::now());
        later.put(key("a"), Why::Trouble, start);
        let mut looks = 0;
        // A minute with ten events a second.
        for tenth in 0..600 {
            let now = start + Duration::from_millis(100) * tenth;
            later.hurry(now, |_| true);
            for key in later.due(now) {
                looks += 1;
                let why = later.why(&key, now).unwrap();
                later.put(key, why, now);
            }
        }
        assert!(looks <= 40, "{looks}");
    }
}
