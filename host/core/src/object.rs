//! Reading Kubernetes objects as plain JSON: where one lives, whose it is, and
//! the labels by which croft finds its own again.

use std::fmt;

use contract::{Gvk, metadata, shape};
use serde_json::Value;

/// The label on every child: the uid of its instance. After a restart children
/// are found by it alone.
pub const INSTANCE_LABEL: &str = "croft.run/instance";
/// The annotation with a child's id.
pub const CHILD_ANNOTATION: &str = "croft.run/child";
/// The annotation with a child's key within its collection.
pub const KEY_ANNOTATION: &str = "croft.run/key";
/// The annotation with a child's wave: children of a higher wave go first when
/// an instance is deleted.
pub const WAVE_ANNOTATION: &str = "croft.run/wave";
/// The annotation with the digest of the manifest that was applied.
pub const MANIFEST_ANNOTATION: &str = "croft.run/manifest";
/// The annotation that names the instance for people. It also tells whose a child
/// is that lost its label.
pub const OWNER_ANNOTATION: &str = "croft.run/owner";
/// The annotation by which somebody hands an object over to an instance: its
/// value is the instance's name.
pub const ADOPT_ANNOTATION: &str = "croft.run/adopt";
/// The field manager under which croft writes.
pub const FIELD_MANAGER: &str = "croft";
/// Metadata with this prefix is croft's alone.
pub const RESERVED_PREFIX: &str = "croft.run/";
/// The annotation by which kcp says in which logical cluster an object lives.
pub const CLUSTER_ANNOTATION: &str = "kcp.io/cluster";
/// The finalizer that holds an instance until its children are gone.
pub const FINALIZER: &str = "croft.run/children";
/// Held by an export while its instances may have children: without it nobody gets
/// at them.
pub const EXPORT_FINALIZER: &str = "croft.run/instances";

/// Where an object lives inside one logical cluster.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Target {
    /// Its kind.
    pub kind: Gvk,
    /// Its namespace; empty for a cluster-scoped kind.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Target {
    /// Where an object lives. The object has a kind and a name.
    pub fn of(object: &Value) -> Option<Target> {
        Some(Target {
            kind: Gvk::of(object)?,
            namespace: text(object, "/metadata/namespace").to_owned(),
            name: at(object, "/metadata/name")?.as_str()?.to_owned(),
        })
    }
}

impl Target {
    /// The place without a version. An object is the same in each version in
    /// which a server shows it.
    pub fn in_any_version(&self) -> Target {
        let kind = Gvk { group: self.kind.group.clone(), version: String::new(), kind: self.kind.kind.clone() };
        Target { kind, namespace: self.namespace.clone(), name: self.name.clone() }
    }

    /// The place that an entry of an instance's recorded inventory names. It may be
    /// forged: what no object can have for its place is none.
    pub fn of_record(record: &Value) -> Option<Target> {
        let field = |name: &str| record.get(name).and_then(Value::as_str).unwrap_or_default();
        let (kind, namespace, name) = (Gvk::of(record)?, field("namespace"), field("name"));
        let is_place = shape::is_kind(&kind)
            && (namespace.is_empty() || metadata::is_namespace(namespace))
            && metadata::path_segment(name).is_ok();
        is_place.then(|| Target { kind, namespace: namespace.to_owned(), name: name.to_owned() })
    }
}

/// `ConfigMap default/a`, or `Namespace a`.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.namespace.as_str() {
            "" => write!(f, "{} {}", self.kind, self.name),
            namespace => write!(f, "{} {namespace}/{}", self.kind, self.name),
        }
    }
}

/// An instance, as its children name it. Whether an object is one of them is
/// decided by what stands on the object itself, which takes the right to write
/// that object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Its uid.
    pub uid: String,
    /// Its kind, namespace and name, as in [`OWNER_ANNOTATION`].
    pub name: String,
}

impl Owner {
    /// The owner that an instance is.
    pub fn of(instance: &Value) -> Owner {
        let name = Target::of(instance).map(|place| place.to_string()).unwrap_or_default();
        Owner { uid: uid(instance).to_owned(), name }
    }

    /// Whether an object is a child of this instance: its label says so or, where
    /// somebody took the label off, its annotation does.
    pub fn owns(&self, object: &Value) -> bool {
        match label(object, INSTANCE_LABEL) {
            Some(uid) => uid == self.uid,
            None => annotation(object, OWNER_ANNOTATION) == Some(&self.name),
        }
    }
}

/// The string at a JSON pointer, or the empty string. It has no escapes and leads
/// through no list.
pub fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    at(object, pointer).and_then(Value::as_str).unwrap_or_default()
}

/// What [`Value::pointer`] finds, without its allocations.
fn at<'a>(object: &'a Value, pointer: &str) -> Option<&'a Value> {
    pointer.split('/').skip(1).try_fold(object, |object, name| object.get(name))
}

/// An annotation's value.
pub fn annotation<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    at(object, "/metadata/annotations")?.get(name)?.as_str()
}

/// A label's value.
pub fn label<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    at(object, "/metadata/labels")?.get(name)?.as_str()
}

/// The object's uid; empty if it has none yet.
pub fn uid(object: &Value) -> &str {
    text(object, "/metadata/uid")
}

/// Whether somebody asked for the object's deletion.
pub fn is_being_deleted(object: &Value) -> bool {
    !text(object, "/metadata/deletionTimestamp").is_empty()
}

/// Whether croft's finalizer is on the object.
pub fn has_finalizer(object: &Value) -> bool {
    finalizers(object).any(|finalizer| finalizer == FINALIZER)
}

/// The object's finalizers.
pub fn finalizers(object: &Value) -> impl Iterator<Item = &str> {
    at(object, "/metadata/finalizers").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}
