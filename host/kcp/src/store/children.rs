//! Whose children are kept whole: those of instances that are known. Anybody can put
//! on a label, and as many and as large objects with it as they like.

use std::{collections::HashMap, sync::Arc};

use contract::Gvk;
use host_core::{
    name::LogicalCluster,
    object::{self, Target},
};
use serde_json::{Map, Value, json};

use super::{Entry, Inner, Keep, Store};

impl Store {
    /// Keeps children of this instance whole from now on. Of those that were seen
    /// before only the place was kept: they are [`lacking`].
    ///
    /// [`lacking`]: Store::lacking
    pub fn know(&self, cluster: &LogicalCluster, instance_uid: &str) {
        let is_known = self.read().instances.get(cluster).is_some_and(|known| known.contains(instance_uid));
        if is_known {
            return;
        }
        let mut inner = self.write();
        inner.instances.entry(cluster.clone()).or_default().insert(instance_uid.to_owned());
    }

    /// Keeps no children of this instance any more: it is gone.
    pub fn forget(&self, cluster: &LogicalCluster, instance_uid: &str) {
        let mut inner = self.write();
        if let Some(instances) = inner.instances.get_mut(cluster) {
            instances.remove(instance_uid);
            if instances.is_empty() {
                inner.instances.remove(cluster);
            }
        }
        let labelled = inner.children.get(cluster).and_then(|children| children.get(instance_uid));
        for key in labelled.cloned().unwrap_or_default() {
            if self.keep == Keep::Whole || inner.whole.contains(&key.target.kind) {
                continue;
            }
            if let Some(entry) = inner.unlink(&key) {
                let object = Arc::new(stub(&entry.object));
                inner.link(&key, Entry { object, is_stub: true, ..entry });
            }
        }
    }

    /// The children of an instance of which only the place was kept.
    pub fn lacking(&self, cluster: &LogicalCluster, instance_uid: &str) -> Vec<Target> {
        let inner = self.read();
        let keys = inner.children.get(cluster).and_then(|children| children.get(instance_uid)).into_iter().flatten();
        let lacking = keys.filter(|key| inner.objects.get(key).is_some_and(|entry| entry.is_stub));
        lacking.map(|key| key.target.clone()).collect()
    }

    /// Kinds of which many children of instances that are known were kept as their
    /// place alone: it takes less to list them than to ask for each.
    pub fn lacking_many(&self) -> Vec<Gvk> {
        /// A page of a list.
        const MANY: usize = 100;
        let inner = self.read();
        let known = |cluster: &LogicalCluster, uid: &String| {
            inner.instances.get(cluster).is_some_and(|instances| instances.contains(uid))
        };
        let mut counts: HashMap<&Gvk, usize> = HashMap::new();
        for (cluster, children) in &inner.children {
            let own = children.iter().filter(|(uid, _)| known(cluster, uid)).flat_map(|(_, keys)| keys);
            for key in own.filter(|key| inner.objects.get(key).is_some_and(|entry| entry.is_stub)) {
                *counts.entry(&key.target.kind).or_default() += 1;
            }
        }
        counts.into_iter().filter(|(_, count)| *count >= MANY).map(|(kind, _)| kind.clone()).collect()
    }

    /// Whether an instance that is known has children of a kind.
    pub fn has_children_of(&self, kind: &Gvk) -> bool {
        let inner = self.read();
        let mut of_kind = inner.objects.iter().filter(|(key, _)| key.target.kind == *kind);
        of_kind.any(|(key, entry)| inner.is_child(&key.cluster, &entry.object))
    }
}

impl Inner {
    pub(super) fn is_child(&self, cluster: &LogicalCluster, object: &Value) -> bool {
        let instance = object::label(object, object::INSTANCE_LABEL);
        instance.is_some_and(|uid| self.instances.get(cluster).is_some_and(|instances| instances.contains(uid)))
    }
}

/// The annotations that are kept of an object that is nobody's child.
const KEPT: [&str; 6] = [
    object::CHILD_ANNOTATION,
    object::KEY_ANNOTATION,
    object::WAVE_ANNOTATION,
    object::MANIFEST_ANNOTATION,
    object::OWNER_ANNOTATION,
    object::ADOPT_ANNOTATION,
];
/// croft writes none that is longer: a kind and two names, or a key.
const MOST_OF_AN_ANNOTATION: usize = 1024;

/// What is kept of an object that is nobody's child.
pub(super) fn stub(object: &Value) -> Value {
    let mut metadata = Map::new();
    for field in ["name", "namespace", "uid", "resourceVersion", "deletionTimestamp"] {
        if let Some(value) = object.pointer("/metadata").and_then(|metadata| metadata.get(field)) {
            metadata.insert(field.to_owned(), value.clone());
        }
    }
    // Whose it says that it is, whose it was before somebody took its label off, and
    // whose it shall be.
    let labels = [object::INSTANCE_LABEL].into_iter();
    let labels = labels.filter_map(|name| Some((name.to_owned(), object::label(object, name)?.into())));
    let annotations = KEPT.into_iter().filter_map(|name| Some((name, object::annotation(object, name)?)));
    let annotations = annotations.filter(|(_, value)| value.len() <= MOST_OF_AN_ANNOTATION);
    let annotations = annotations.map(|(name, value)| (name.to_owned(), value.into()));
    for (field, values) in [("labels", Map::from_iter(labels)), ("annotations", Map::from_iter(annotations))] {
        if !values.is_empty() {
            metadata.insert(field.to_owned(), values.into());
        }
    }
    json!({"apiVersion": object["apiVersion"], "kind": object["kind"], "metadata": metadata})
}
