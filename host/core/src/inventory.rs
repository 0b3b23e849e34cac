//! The children that an instance has, as found by their label.
//!
//! It lists; `plan` decides what becomes of them.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use contract::{Gvk, Observed, shape};
use serde_json::{Map, Value, json};

use crate::object::{self, Owner, Target};

/// One object that an instance owns.
#[derive(Clone, Debug)]
pub struct Owned {
    /// The id it stands for.
    pub id: String,
    /// The key within a collection; empty for a single child.
    pub key: String,
    /// Where it lives.
    pub target: Target,
    /// Its uid.
    pub uid: String,
    /// Its place in the deletion order.
    pub wave: u32,
    /// The object.
    pub object: Arc<Value>,
}

impl Owned {
    /// Reads a child's labels and annotations. An object that lost its
    /// annotations is still owned: its id is empty, and it is pruned.
    fn of(object: Arc<Value>) -> Option<Owned> {
        Some(Owned {
            id: object::annotation(&object, object::CHILD_ANNOTATION).unwrap_or_default().to_owned(),
            key: object::annotation(&object, object::KEY_ANNOTATION).unwrap_or_default().to_owned(),
            target: Target::of(&object)?,
            uid: object::uid(&object).to_owned(),
            wave: object::annotation(&object, object::WAVE_ANNOTATION).and_then(|wave| wave.parse().ok()).unwrap_or(0),
            object,
        })
    }

    fn record(&self) -> Value {
        let mut entry = json!({
            "id": self.id,
            "apiVersion": self.target.kind.api_version(),
            "kind": self.target.kind.kind,
            "name": self.target.name,
            "uid": self.uid,
        });
        for (field, value) in [("key", &self.key), ("namespace", &self.target.namespace)] {
            if !value.is_empty() {
                entry[field] = value.as_str().into();
            }
        }
        entry
    }
}

/// One object that a module is shown, as it is kept.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The id it stands for.
    pub id: String,
    /// The key within a collection; empty for a single object.
    pub key: String,
    /// The object.
    pub object: Arc<Value>,
}

impl Shown {
    /// A copy, as the module gets it.
    pub fn observed(&self) -> Observed {
        Observed { id: self.id.clone(), key: self.key.clone(), object: shown(&self.object) }
    }
}

impl PartialEq for Shown {
    fn eq(&self, other: &Shown) -> bool {
        let is_same = Arc::ptr_eq(&self.object, &other.object) || self.object == other.object;
        is_same && (&self.id, &self.key) == (&other.id, &other.key)
    }
}

/// All children of one instance, ordered by place.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    entries: Vec<Owned>,
    hidden: Vec<Value>,
}

impl Inventory {
    /// The inventory of an instance, out of objects that may be anybody's. One that is there in several versions is one child, in the
    /// version for which `preferred` holds.
    pub fn of(
        owner: &Owner,
        objects: impl IntoIterator<Item = Arc<Value>>,
        preferred: impl Fn(&Owned) -> bool,
    ) -> Inventory {
        let mut entries: Vec<_> =
            objects.into_iter().filter(|object| owner.owns(object)).filter_map(Owned::of).collect();
        entries.sort_by_cached_key(|owned| (owned.uid.clone(), !preferred(owned), owned.target.clone()));
        entries.dedup_by(|one, other| one.uid == other.uid);
        entries.sort_by(|one, other| one.target.cmp(&other.target));
        Inventory { entries, hidden: Vec::new() }
    }

    /// Tells apart what cannot be seen any more, and adds what the instance's
    /// status records of it: without this, a revoked claim would look like
    /// children that are gone. What was seen before then is not known to be there.
    pub fn with_hidden(mut self, instance: &Value, visible: impl Fn(&Gvk) -> bool) -> Inventory {
        let (entries, unseen): (Vec<_>, Vec<_>) =
            self.entries.into_iter().partition(|owned| visible(&owned.target.kind));
        let known: HashSet<&str> = entries.iter().chain(&unseen).map(|owned| owned.uid.as_str()).collect();
        let is_known = |entry: &Value| known.contains(object::text(entry, "/uid"));
        let hidden =
            |entry: &&Value| Target::of_record(entry).is_some_and(|place| !visible(&place.kind)) && !is_known(entry);
        self.hidden = unseen.iter().map(Owned::record).chain(recorded(instance).filter(hidden).map(entry)).collect();
        self.entries = entries;
        self
    }

    /// Records of children that exist, as far as anybody knows, and cannot be
    /// seen.
    pub fn hidden(&self) -> &[Value] {
        &self.hidden
    }

    /// The children, ordered by place.
    pub fn entries(&self) -> &[Owned] {
        &self.entries
    }

    /// The children that are not on their way out, ordered by place.
    pub fn staying(&self) -> impl Iterator<Item = &Owned> {
        self.entries.iter().filter(|owned| !object::is_being_deleted(&owned.object))
    }

    /// In how many waves they would go.
    pub fn waves(&self) -> usize {
        self.entries.iter().map(|owned| owned.wave).collect::<BTreeSet<_>>().len()
    }

    /// What a module is shown: every child that stays and is still the one that
    /// its id and key stand for. One that lost its label is shown when it has it
    /// back: until then only its place is kept.
    pub fn observed(&self, is_current: impl Fn(&Owned) -> bool) -> Vec<Shown> {
        let mut observed: Vec<_> = self
            .staying()
            .filter(|owned| object::label(&owned.object, object::INSTANCE_LABEL).is_some() && is_current(owned))
            .map(|owned| Shown { id: owned.id.clone(), key: owned.key.clone(), object: Arc::clone(&owned.object) })
            .collect();
        observed.sort_by(|one, other| (&one.id, &one.key).cmp(&(&other.id, &other.key)));
        observed.dedup_by(|one, other| (&one.id, &one.key) == (&other.id, &other.key));
        observed
    }

    /// What the instance's status says of its children, for people and for
    /// kinds whose claim was revoked.
    pub fn record(&self) -> Value {
        self.all().collect()
    }

    /// As little of it as still says of which kinds there are children: one of each
    /// kind, since a kind that cannot be seen any more holds the instance by it. The
    /// others are found by their label.
    pub fn short_record(&self) -> Value {
        let mut kinds = BTreeSet::new();
        self.all().filter(|entry| kinds.insert(Gvk::of(entry))).take(MOST_OF_A_SHORT_RECORD).collect()
    }

    /// How many children there are, as far as anybody knows.
    pub fn len(&self) -> usize {
        self.entries.len() + self.hidden.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn all(&self) -> impl Iterator<Item = Value> {
        self.entries.iter().map(Owned::record).chain(self.hidden.iter().cloned())
    }
}

/// More kinds than a definition touches, and less than any server refuses.
const MOST_OF_A_SHORT_RECORD: usize = 256;

/// An entry of a record that somebody else may have written, with nothing in it but
/// what croft writes.
fn entry(record: &Value) -> Value {
    let fields = ["id", "apiVersion", "kind", "namespace", "name", "uid", "key"];
    let known = fields.into_iter().filter_map(|field| Some((field.to_owned(), record.get(field)?.clone())));
    known.filter(|(_, value)| value.as_str().is_some_and(shape::is_key)).collect::<Map<_, _>>().into()
}

/// Whether an instance's status does not name all of its children.
pub fn is_short(instance: &Value) -> bool {
    instance.pointer("/status/croft/children").is_some_and(|children| !children.is_null())
}

/// What an instance's status records of its children.
pub fn recorded(instance: &Value) -> impl Iterator<Item = &Value> {
    instance.pointer("/status/croft/inventory").and_then(Value::as_array).into_iter().flatten()
}

/// An object without the server's bookkeeping.
pub fn shown(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(uid: &str) -> Owner {
        Owner { uid: uid.to_owned(), name: format!("Web {uid}") }
    }

    fn child(name: &str, instance: &str, id: &str) -> Arc<Value> {
        Arc::new(json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": name,
                "namespace": "default",
                "uid": format!("uid-{name}"),
                "labels": {object::INSTANCE_LABEL: instance},
                "annotations": {
                    object::CHILD_ANNOTATION: id, object::WAVE_ANNOTATION: "2",
                    object::OWNER_ANNOTATION: owner(instance).name,
                },
                "managedFields": [],
            },
        }))
    }

    #[test]
    fn an_inventory_holds_the_instances_own_children_only() {
        let objects = [child("b", "one", "x"), child("a", "one", "y"), child("c", "two", "x")];
        let inventory = Inventory::of(&owner("one"), objects, |_| true);
        let names: Vec<_> = inventory.entries().iter().map(|owned| (owned.target.name.as_str(), owned.wave)).collect();
        assert_eq!(names, [("a", 2), ("b", 2)]);
    }

    #[test]
    fn a_child_that_lost_its_label_is_known_by_its_annotation() {
        let without = |field: &str, instance: &str| {
            let mut object = child("a", instance, "x").as_ref().clone();
            object["metadata"].as_object_mut().unwrap().remove(field);
            [Arc::new(object)]
        };
        let count = |objects| Inventory::of(&owner("one"), objects, |_| true).entries().len();
        assert_eq!((count(without("labels", "one")), count(without("labels", "two"))), (1, 0));
        assert_eq!(count(without("annotations", "one")), 1);
        // A label that names another instance counts for more.
        let mut taken = without("", "one");
        Arc::make_mut(&mut taken[0])["metadata"]["labels"][object::INSTANCE_LABEL] = "two".into();
        assert_eq!(count(taken), 0);
    }

    #[test]
    fn an_object_in_two_versions_is_one_child() {
        let in_version = |version: &str| {
            let mut object = child("a", "one", "x").as_ref().clone();
            object["apiVersion"] = version.into();
            Arc::new(object)
        };
        for preferred in ["v1", "v2"] {
            let objects = [in_version("v1"), in_version("v2"), child("b", "one", "y")];
            let inventory = Inventory::of(&owner("one"), objects, |owned| owned.target.kind.version == preferred);
            let versions: Vec<_> =
                inventory.entries().iter().map(|owned| (&*owned.target.name, &*owned.target.kind.version)).collect();
            assert!(versions.contains(&("a", preferred)) && versions.len() == 2, "{versions:?}");
        }
    }

    #[test]
    fn a_module_sees_no_bookkeeping_and_nothing_that_is_going() {
        let mut going = child("b", "one", "b").as_ref().clone();
        going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
        let observed =
            Inventory::of(&owner("one"), [child("a", "one", "a"), Arc::new(going)], |_| true).observed(|_| true);
        assert_eq!(observed.len(), 1);
        assert_eq!(observed[0].observed().object.pointer("/metadata/managedFields"), None);
    }

    #[test]
    fn elements_of_a_collection_are_told_apart_by_their_keys() {
        let element = |name: &str, key: &str| {
            let mut element = child(name, "one", "workers").as_ref().clone();
            element["metadata"]["annotations"][object::KEY_ANNOTATION] = key.into();
            Arc::new(element)
        };
        // `old` stands for a key that another object stands for by now.
        let elements = [element("x", "b"), element("old", "a"), element("y", "a")];
        let inventory = Inventory::of(&owner("one"), elements, |_| true);
        let seen = |inventory: &Inventory, is_current: &dyn Fn(&Owned) -> bool| {
            let observed = inventory.observed(is_current).into_iter();
            observed.map(|seen| (seen.key, object::text(&seen.object, "/metadata/name").to_owned())).collect::<Vec<_>>()
        };
        let expected = [("a".to_owned(), "y".to_owned()), ("b".to_owned(), "x".to_owned())];
        assert_eq!(seen(&inventory, &|owned| owned.target.name != "old"), expected);
        // Never two of one key, whatever is current.
        assert_eq!(seen(&inventory, &|_| true).len(), 2);
    }

    #[test]
    fn children_of_a_revoked_claim_stay_on_record() {
        let entry = json!({"id": "s", "apiVersion": "v1", "kind": "Secret", "name": "s"});
        let instance = json!({"status": {"croft": {"inventory": [entry, {"apiVersion": "v1", "kind": "ConfigMap"}]}}});
        let inventory = Inventory::default().with_hidden(&instance, |kind| kind.kind != "Secret");
        assert_eq!(inventory.record(), json!([entry]));
        assert!(Inventory::default().with_hidden(&instance, |_| true).hidden().is_empty());
        // What was seen before the claim was revoked is nobody's to delete.
        let seen = Inventory::of(&owner("one"), [child("a", "one", "x")], |_| true);
        let record = seen.record();
        let hidden = seen.with_hidden(&json!({"status": {"croft": {"inventory": record.clone()}}}), |_| false);
        assert_eq!((hidden.entries().len(), hidden.record()), (0, record));
    }

    #[test]
    fn a_short_record_names_a_child_of_each_kind_and_nothing_that_others_added() {
        let of_kind =
            |kind: &str, name: &str| json!({"id": "s", "apiVersion": "v1", "kind": kind, "name": name, "uid": name});
        let mut forged = of_kind("Secret", "a");
        forged["more"] = json!("x".repeat(1000));
        let instance =
            json!({"status": {"croft": {"inventory": [forged, of_kind("Secret", "b"), of_kind("Role", "c")]}}});
        let objects = [child("a", "one", "x"), child("b", "one", "x")];
        let inventory =
            Inventory::of(&owner("one"), objects, |_| true).with_hidden(&instance, |kind| kind.kind == "ConfigMap");
        let short = inventory.short_record();
        let kinds: Vec<&str> = short.as_array().unwrap().iter().map(|entry| entry["kind"].as_str().unwrap()).collect();
        assert_eq!((kinds, inventory.len()), (vec!["ConfigMap", "Secret", "Role"], 5));
        assert_eq!(short[1], of_kind("Secret", "a"));
    }

    #[test]
    fn the_record_names_every_child() {
        let record = Inventory::of(&owner("one"), [child("a", "one", "card")], |_| true).record();
        let expected = json!([{
            "id": "card", "apiVersion": "v1", "kind": "ConfigMap", "namespace": "default", "name": "a", "uid": "uid-a",
        }]);
        assert_eq!(record, expected);
    }
}
