//! Which definitions are dealt with at this moment, so that a newer version can
//! interrupt the work on an older one, and who asks for a kind can wait for those
//! that go first.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use kcp::ObjectKey;
use tokio::sync::Notify;

/// How often who waits looks whether it still has to.
const AGAIN: Duration = Duration::from_secs(5);

/// Those that are dealt with.
#[derive(Default)]
pub(super) struct UnderWay {
    tasks: Mutex<HashMap<ObjectKey, Arc<Notify>>>,
    ended: Notify,
}

/// One that is dealt with until this is dropped.
pub(super) struct Begun<'a> {
    all: &'a UnderWay,
    key: ObjectKey,
    changed: Arc<Notify>,
}

impl UnderWay {
    pub(super) fn begin(&self, key: &ObjectKey) -> Begun<'_> {
        let changed = Arc::new(Notify::new());
        self.tasks().insert(key.clone(), Arc::clone(&changed));
        Begun { all: self, key: key.clone(), changed }
    }

    /// Tells whoever deals with a definition that it has changed.
    pub(super) fn changed(&self, key: &ObjectKey) {
        if let Some(changed) = self.tasks().get(key) {
            changed.notify_one();
        }
    }

    /// Waits until none is dealt with for which `goes_first` holds.
    pub(super) async fn after(&self, goes_first: impl Fn(&ObjectKey) -> bool) {
        self.look(AGAIN, goes_first).await;
    }

    async fn look(&self, again: Duration, goes_first: impl Fn(&ObjectKey) -> bool) {
        loop {
            // Made before looking, so that an end in between counts.
            let ended = self.ended.notified();
            if !self.tasks().keys().any(&goes_first) {
                return;
            }
            // Who goes first is read off statuses, which others may write meanwhile: two
            // that wait for each other by then find out.
            let _ = tokio::time::timeout(again, ended).await;
        }
    }

    // A panic while the lock is held leaves a map that is whole: each change is one
    // insertion or one removal.
    fn tasks(&self) -> MutexGuard<'_, HashMap<ObjectKey, Arc<Notify>>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Begun<'_> {
    /// Waits for the next change of the definition.
    pub(super) async fn change(&self) {
        self.changed.notified().await;
    }
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        self.all.tasks().remove(&self.key);
        self.all.ended.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use contract::Gvk;
    use host_core::object::Target;

    use super::*;

    fn key(name: &str) -> ObjectKey {
        let kind = Gvk { group: "kro.run".into(), version: "v1alpha1".into(), kind: "ResourceGroup".into() };
        let target = Target { kind, namespace: String::new(), name: name.to_owned() };
        ObjectKey { cluster: "one".parse().unwrap(), target }
    }

    /// Whether something is over by now.
    async fn is_over(future: impl Future<Output = ()>) -> bool {
        tokio::time::timeout(Duration::ZERO, future).await.is_ok()
    }

    #[tokio::test]
    async fn one_waits_for_those_that_go_first_and_for_nobody_else() {
        let under_way = UnderWay::default();
        let (first, other) = (under_way.begin(&key("a")), under_way.begin(&key("b")));
        let goes_first = |other: &ObjectKey| *other == key("a");
        assert!(!is_over(under_way.after(goes_first)).await);
        assert!(is_over(under_way.after(|other| *other == key("c"))).await);
        tokio::join!(under_way.after(goes_first), async move { drop(first) });
        drop(other);
        assert!(under_way.tasks().is_empty());
    }

    #[tokio::test]
    async fn who_goes_first_may_be_another_one_by_now() {
        let under_way = UnderWay::default();
        let _other = under_way.begin(&key("a"));
        let looks = std::cell::Cell::new(0);
        under_way.look(Duration::from_millis(1), |_| looks.replace(looks.get() + 1) < 3).await;
        assert_eq!(looks.get(), 4);
    }

    #[tokio::test]
    async fn a_change_reaches_the_one_that_deals_with_it_also_if_it_listens_later() {
        let under_way = UnderWay::default();
        let (one, other) = (under_way.begin(&key("a")), under_way.begin(&key("b")));
        under_way.changed(&key("a"));
        under_way.changed(&key("c"));
        assert!(is_over(one.change()).await);
        assert!(!is_over(one.change()).await && !is_over(other.change()).await);
    }
}
