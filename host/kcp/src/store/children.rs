//! Whose children are kept whole: those of instances that are known. Anybody can put
//! on a label, and as many and as large objects with it as they like.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use contract::{Gvk, shape::Size};
use host_core::{
    name::LogicalCluster,
    object::{self, Target},
};
use serde_json::{Map, Value, json};

use super::{Children, Entry, Inner, Keep, ObjectKey, Store};

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
        let labelled = inner.children(cluster, instance_uid).map(|children| children.keys.clone());
        for key in labelled.unwrap_or_default() {
            if self.keep == Keep::Whole || inner.whole.contains(&key.target.kind) {
                continue;
            }
            if let Some(entry) = inner.unlink(&key) {
                let object = Arc::new(stub(&entry.object));
                inner.link(&key, Entry { object, is_stub: true, ..entry });
            }
        }
    }

    /// The children of an instance of which only the place was kept, as many as there
    /// is room for.
    pub fn lacking(&self, cluster: &LogicalCluster, instance_uid: &str) -> Vec<Target> {
        let inner = self.read();
        let Some(children) = inner.children(cluster, instance_uid) else { return Vec::new() };
        let (lacking, _) = children.lacking(&inner.objects, self.keep);
        lacking.into_iter().map(|key| key.target.clone()).collect()
    }

    /// What the children of an instance take together, if that is more than is kept of
    /// them.
    pub fn too_much(&self, cluster: &LogicalCluster, instance_uid: &str) -> Option<Size> {
        let inner = self.read();
        let children = inner.children(cluster, instance_uid)?;
        children.lacking(&inner.objects, self.keep).1.then_some(children.all)
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
            for (_, children) in children.iter().filter(|(uid, _)| known(cluster, uid)) {
                for key in children.lacking(&inner.objects, self.keep).0 {
                    *counts.entry(&key.target.kind).or_default() += 1;
                }
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

    pub(super) fn children(&self, cluster: &LogicalCluster, instance_uid: &str) -> Option<&Children> {
        self.children.get(cluster)?.get(instance_uid)
    }

    /// Whether all of an object is kept, besides what there is.
    pub(super) fn is_kept(&self, keep: Keep, key: &ObjectKey, object: &Value, size: Size) -> bool {
        if keep == Keep::Whole || self.whole.contains(&key.target.kind) {
            return true;
        }
        let instance = object::label(object, object::INSTANCE_LABEL).unwrap_or_default();
        let kept = self.children(&key.cluster, instance).map(|children| children.kept).unwrap_or_default();
        self.is_child(&key.cluster, object) && keep.has_room(kept + size)
    }
}

impl Children {
    /// Those of which only the place is kept, and that have room besides the others; and
    /// whether there are such that have none.
    pub(super) fn lacking<'a>(
        &'a self,
        objects: &BTreeMap<ObjectKey, Entry>,
        keep: Keep,
    ) -> (Vec<&'a ObjectKey>, bool) {
        let (mut kept, mut lacking, mut is_too_much) = (self.kept, Vec::new(), false);
        for key in &self.keys {
            let Some(entry) = objects.get(key).filter(|entry| entry.is_stub) else { continue };
            if keep.has_room(kept + entry.size) {
                kept = kept + entry.size;
                lacking.push(key);
            } else {
                is_too_much = true;
            }
        }
        (lacking, is_too_much)
    }
}

impl Keep {
    pub(super) fn has_room(self, size: Size) -> bool {
        match self {
            Keep::Whole => true,
            Keep::Children { most } => size.bytes <= most.bytes && size.values <= most.values,
        }
    }
}

pub(super) fn less(size: Size, taken: Size) -> Size {
    Size { bytes: size.bytes - taken.bytes, values: size.values - taken.values }
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
