//! What ran: the digests by which a render can be repeated and compared.
//!
//! It neither signs nor stores them.

use contract::{Observed, Rendering, Selection};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{canonical, name::Digest};

/// What went into one render. Equal inputs give equal renderings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Input {
    /// The module's bytes.
    pub module: Digest,
    /// The definition: its `spec`, name and module reference.
    pub definition: Digest,
    /// The instance and what was observed, as the module got them.
    pub input: Digest,
}

/// One render: what went in and what came out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// What went in.
    #[serde(flatten)]
    pub input: Input,
    /// What the module answered.
    pub output: Digest,
}

impl Input {
    /// The digests of what a render is about to get.
    pub fn of(module: &Digest, definition: &Digest, instance: &Value, observed: &[Observed]) -> Input {
        #[derive(Serialize)]
        struct Seen<'a> {
            id: &'a str,
            key: &'a str,
            object: &'a Value,
        }
        #[derive(Serialize)]
        struct Given<'a> {
            instance: &'a Value,
            observed: Vec<Seen<'a>>,
        }
        let observed =
            observed.iter().map(|seen| Seen { id: &seen.id, key: &seen.key, object: &seen.object }).collect();
        let input = canonical::digest(&Given { instance, observed });
        Input { module: module.clone(), definition: definition.clone(), input }
    }

    /// Adds what came out.
    pub fn answered(self, rendering: &Rendering) -> Receipt {
        Receipt { input: self, output: canonical::digest(&output(rendering)) }
    }
}

/// The part of a definition that decides what it does: everything that its
/// author writes, and nothing that a server adds.
pub fn definition(object: &Value) -> Digest {
    let metadata = object.get("metadata");
    let field = |name: &str| metadata.and_then(|metadata| metadata.get(name));
    canonical::digest(&json!({
        "apiVersion": object.get("apiVersion"),
        "kind": object.get("kind"),
        "name": field("name"),
        "module": field("annotations").and_then(|annotations| annotations.get(crate::definition::MODULE_ANNOTATION)),
        "spec": object.get("spec"),
    }))
}

/// Metadata that the host's own writes change.
const BOOKKEEPING: [&str; 2] = ["managedFields", "resourceVersion"];

/// The instance as a module gets it: without what the host's own writes change.
pub fn instance(object: &Value) -> Value {
    let mut instance = crate::inventory::shown(object);
    if let Some(fields) = instance.as_object_mut() {
        fields.remove("status");
    }
    if let Some(metadata) = instance.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("resourceVersion");
    }
    instance
}

/// Whether a module would be given the same of two instances: [`instance`] of
/// both is equal.
pub fn is_same_instance(one: &Value, other: &Value) -> bool {
    let fields =
        |object: &Value| object.as_object().map(|fields| fields.len() - usize::from(fields.contains_key("status")));
    let is_same = |name: &str, value: &Value| match name {
        "status" => true,
        "metadata" => is_same_metadata(value, &other["metadata"]),
        name => other.get(name) == Some(value),
    };
    std::ptr::eq(one, other)
        || fields(one) == fields(other)
            && one.as_object().into_iter().flatten().all(|(name, value)| is_same(name, value))
}

fn is_same_metadata(one: &Value, other: &Value) -> bool {
    let kept = |object: &'_ Value| -> usize {
        let fields = object.as_object().into_iter().flatten();
        fields.filter(|(name, _)| !BOOKKEEPING.contains(&name.as_str())).count()
    };
    let mut fields = one.as_object().into_iter().flatten();
    kept(one) == kept(other)
        && fields.all(|(name, value)| BOOKKEEPING.contains(&name.as_str()) || other.get(name) == Some(value))
}

/// A rendering as one JSON value. It is written out here, so that a digest does
/// not change with the names of the contract's fields in Rust.
fn output(rendering: &Rendering) -> impl Serialize + '_ {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Child<'a> {
        id: &'a str,
        key: &'a str,
        manifest: &'a Value,
        depends_on: &'a [String],
    }
    #[derive(Serialize)]
    struct Output<'a> {
        defaults: &'a Map<String, Value>,
        children: Vec<Child<'a>>,
        blocked: Vec<Value>,
        excluded: Vec<Value>,
        reads: Vec<Value>,
        readiness: Vec<Value>,
        status: &'a Map<String, Value>,
        conditions: Value,
        suspended: &'a Option<String>,
    }
    let children = rendering.children.iter().map(|child| Child {
        id: &child.id,
        key: &child.key,
        manifest: &child.manifest,
        depends_on: &child.depends_on,
    });
    let blocked = rendering
        .blocked
        .iter()
        .map(|blocked| json!({"id": blocked.id, "waitsFor": blocked.waits_for, "message": blocked.message}));
    let excluded = rendering.excluded.iter().map(|excluded| json!({"id": excluded.id, "message": excluded.message}));
    let reads =
        rendering.reads.iter().map(|read| json!({"id": read.id, "kind": read.kind, "select": selection(&read.select)}));
    let readiness = rendering
        .readiness
        .iter()
        .map(|ready| json!({"id": ready.id, "key": ready.key, "ready": ready.ready, "message": ready.message}));
    Output {
        defaults: &rendering.defaults,
        children: children.collect(),
        blocked: blocked.collect(),
        excluded: excluded.collect(),
        reads: reads.collect(),
        readiness: readiness.collect(),
        status: &rendering.status,
        conditions: json!(rendering.conditions),
        suspended: &rendering.suspended,
    }
}

/// Written out here, so that a digest depends on no text that is made for people.
fn selection(select: &Selection) -> Value {
    match select {
        Selection::Named { namespace, name } => json!({"named": {"namespace": namespace, "name": name}}),
        Selection::Labelled { namespace, selector } => {
            json!({"labelled": {"namespace": namespace, "selector": selector}})
        }
    }
}

#[cfg(test)]
mod tests {
    use contract::{Gvk, Read};

    use super::*;

    #[test]
    fn what_came_out_is_digested_as_specified_bytes() {
        let secret = Gvk { group: String::new(), version: "v1".into(), kind: "Secret".into() };
        let read = |select| Read { id: "a".into(), kind: secret.clone(), select };
        let named = Selection::Named { namespace: String::new(), name: "s".into() };
        let labelled = Selection::Labelled { namespace: "n".into(), selector: json!({"matchLabels": {"b": "1"}}) };
        let rendering = Rendering { reads: vec![read(named), read(labelled)], ..Rendering::default() };
        let kind = json!({"group": "", "version": "v1", "kind": "Secret"});
        assert_eq!(
            serde_json::to_value(output(&rendering)).unwrap()["reads"],
            json!([
                {"id": "a", "kind": kind, "select": {"named": {"namespace": "", "name": "s"}}},
                {"id": "a", "kind": kind, "select": {"labelled": {
                    "namespace": "n", "selector": {"matchLabels": {"b": "1"}}
                }}},
            ])
        );
    }

    #[test]
    fn the_servers_bookkeeping_does_not_change_what_went_in() {
        let written = json!({"apiVersion": "v1", "kind": "A", "metadata": {"name": "a"}, "spec": {"x": 1}});
        let mut stored = written.clone();
        stored["metadata"]["resourceVersion"] = "5".into();
        stored["metadata"]["managedFields"] = json!([{}]);
        stored["status"] = json!({"state": "ACTIVE"});
        assert_eq!(definition(&written), definition(&stored));
        assert_eq!(instance(&written), instance(&stored));
    }

    #[test]
    fn instances_are_the_same_if_a_module_is_given_the_same() {
        let one =
            json!({"kind": "A", "metadata": {"name": "a", "resourceVersion": "1"}, "spec": {}, "status": {"a": 1}});
        let with = |pointer: &str, name: &str, value: Value| {
            let mut other = one.clone();
            other.pointer_mut(pointer).unwrap()[name] = value;
            other
        };
        let mut bare = one.clone();
        bare.as_object_mut().unwrap().remove("status");
        bare["metadata"].as_object_mut().unwrap().remove("resourceVersion");
        for other in [
            one.clone(),
            bare,
            with("", "status", json!({})),
            with("/metadata", "resourceVersion", json!("2")),
            with("/metadata", "managedFields", json!([])),
            with("/metadata", "labels", json!({"a": "b"})),
            with("/metadata", "name", json!("b")),
            with("/spec", "x", json!(1)),
            with("", "more", json!(null)),
            json!({"kind": "A", "metadata": {"name": "a"}}),
            json!({"kind": "A", "spec": {}}),
            json!(1),
        ] {
            let is_same = instance(&one) == instance(&other);
            assert_eq!(is_same_instance(&one, &other), is_same, "{other}");
            assert_eq!(is_same_instance(&other, &one), is_same, "{other}");
        }
    }

    #[test]
    fn a_label_of_the_instance_is_part_of_what_went_in() {
        let before = json!({"apiVersion": "v1", "kind": "A", "metadata": {"name": "a"}, "spec": {}});
        let mut after = before.clone();
        after["metadata"]["labels"] = json!({"team": "blue"});
        assert_ne!(instance(&before), instance(&after));
    }

    #[test]
    fn what_went_in_changes_with_the_instance_and_with_what_was_seen() {
        let digest = Digest::of(b"m");
        let of = |instance: Value, observed: &[Observed]| Input::of(&digest, &digest, &instance, observed);
        let seen = Observed { id: "a".into(), key: String::new(), object: json!({}) };
        assert_eq!(of(json!({"spec": 1}), &[]), of(json!({"spec": 1}), &[]));
        assert_ne!(of(json!({"spec": 1}), &[]), of(json!({"spec": 2}), &[]));
        assert_ne!(of(json!({"spec": 1}), &[]), of(json!({"spec": 1}), &[seen]));
    }
}
