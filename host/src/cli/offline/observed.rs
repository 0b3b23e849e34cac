//! Live objects given by hand in place of a cluster: which of them are the
//! children of an instance, and which it reads.

use std::{cell::Cell, collections::BTreeMap};

use contract::{Observed, Problem, Read, Scope, Selection, Severity};
use host_core::{
    admission, inventory,
    kinds::{self, Kinds},
    object::{self, Target},
};
use serde_json::Value;

use crate::{report::Failure, yaml::Document};

/// Refuses what cannot be an object of a cluster.
pub(crate) fn named(document: &Document) -> Result<(), Failure> {
    let lacks = |at: &&&str| document.value.pointer(at).and_then(Value::as_str).is_none_or(str::is_empty);
    let Some(at) = ["/apiVersion", "/kind", "/metadata/name"].iter().find(lacks) else { return Ok(()) };
    let message = format!("an observed object has `{}`", at[1..].replace('/', "."));
    let hint = "give objects as `kubectl get -o yaml` prints them".to_owned();
    Err(Failure::problems(document, vec![admission::problem("UnexpectedDocument", at, message, Some(hint))]))
}

/// What is odd about an object that is meant to be a live one.
pub(crate) fn odd(document: &Document) -> Vec<Problem> {
    let conditions = document.value.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten();
    let with_bool = conditions.enumerate().filter_map(|(index, condition)| match condition.get("status")? {
        Value::Bool(status) => Some((index, if *status { "True" } else { "False" })),
        _ => None,
    });
    let problem = |(index, word)| Problem {
        severity: Severity::Warning,
        code: "OddCondition".to_owned(),
        at: format!("/status/conditions/{index}/status"),
        span: None,
        message:
            "the status of a condition is a text, and this is a boolean: an expression will not find it equal to one"
                .to_owned(),
        hint: Some(format!("quote it: `\"{word}\"`")),
    };
    with_bool.map(problem).collect()
}

/// Objects that stand for what is in the instance's workspace.
pub(crate) struct Pool {
    entries: Vec<Entry>,
    /// Where the object of each place is; of several of one place, the first.
    places: BTreeMap<Target, usize>,
}

struct Entry {
    target: Target,
    object: Value,
    used: Cell<bool>,
}

impl Pool {
    /// Objects that were found to have a kind and a name.
    pub(crate) fn of(objects: impl IntoIterator<Item = Value>, namespace: &str) -> Pool {
        let entry = |mut object: Value| {
            let target = placed(Target::of(&object)?, namespace);
            if !target.namespace.is_empty() {
                object["metadata"]["namespace"] = target.namespace.as_str().into();
            }
            Some(Entry { target, object: inventory::shown(&object), used: Cell::new(false) })
        };
        let entries: Vec<Entry> = objects.into_iter().filter_map(entry).collect();
        let places = entries.iter().enumerate().rev().map(|(index, entry)| (entry.target.clone(), index)).collect();
        Pool { entries, places }
    }

    /// The object at a place.
    pub(crate) fn get(&self, target: &Target) -> Option<Value> {
        let entry = self.entries.get(*self.places.get(target)?)?;
        entry.used.set(true);
        Some(entry.object.clone())
    }

    /// The objects that croft marked as children of an instance, as what they are.
    /// One that is not rendered any more is not a child: nobody has used it yet.
    pub(crate) fn marked(&self, owner: &str) -> Vec<Observed> {
        let annotation = |entry: &Entry, name: &str| object::annotation(&entry.object, name).map(str::to_owned);
        let ours = self.entries.iter().filter(|entry| {
            object::annotation(&entry.object, object::OWNER_ANNOTATION) == Some(owner)
                && !object::is_being_deleted(&entry.object)
        });
        let mut marked: Vec<Observed> = ours
            .filter_map(|entry| {
                let id = annotation(entry, object::CHILD_ANNOTATION)?;
                let key = annotation(entry, object::KEY_ANNOTATION).unwrap_or_default();
                Some(Observed { id, key, object: entry.object.clone() })
            })
            .collect();
        marked.sort_by(|one, other| (&one.id, &one.key).cmp(&(&other.id, &other.key)));
        marked.dedup_by(|one, other| (&one.id, &one.key) == (&other.id, &other.key));
        marked
    }

    /// What an external read finds, ordered by key.
    pub(crate) fn read(&self, read: &Read, namespace: &str, kinds: &Kinds) -> Vec<Observed> {
        let is_cluster = kinds.get(&read.kind).is_some_and(|kind| kind.scope == Scope::Cluster);
        match &read.select {
            Selection::Named { namespace: given, name } => {
                let namespace = match (is_cluster, given.as_str()) {
                    (true, _) => "",
                    (false, "") => namespace,
                    (false, given) => given,
                };
                let target = Target { kind: read.kind.clone(), namespace: namespace.to_owned(), name: name.to_owned() };
                let found = |object| Observed { id: read.id.clone(), key: String::new(), object };
                self.get(&target).map(found).into_iter().collect()
            }
            Selection::Labelled { namespace, selector } => self.labelled(read, namespace, selector),
        }
    }

    fn labelled(&self, read: &Read, namespace: &str, selector: &Value) -> Vec<Observed> {
        let wanted = |entry: &&Entry| {
            entry.target.kind == read.kind
                && (namespace.is_empty() || entry.target.namespace == namespace)
                && selects(selector, &entry.object)
        };
        let found = |entry: &Entry| {
            entry.used.set(true);
            let Target { namespace, name, .. } = &entry.target;
            let key = if namespace.is_empty() { name.clone() } else { format!("{namespace}/{name}") };
            Observed { id: read.id.clone(), key, object: entry.object.clone() }
        };
        let mut observed: Vec<Observed> = self.entries.iter().filter(wanted).map(found).collect();
        observed.sort_by(|one, other| one.key.cmp(&other.key));
        observed
    }

    /// All of them.
    pub(crate) fn objects(&self) -> Vec<Value> {
        self.entries.iter().map(|entry| entry.object.clone()).collect()
    }

    /// The objects that nobody asked for.
    pub(crate) fn unused(&self) -> impl Iterator<Item = &Target> {
        self.entries.iter().filter(|entry| !entry.used.get()).map(|entry| &entry.target)
    }
}

/// An object of a namespaced kind without a namespace is taken to be in the
/// instance's.
fn placed(target: Target, namespace: &str) -> Target {
    let scope = kinds::builtin(&target.kind).map_or(Scope::Namespaced, |kind| kind.scope);
    match (scope, target.namespace.as_str()) {
        (Scope::Namespaced, "") => Target { namespace: namespace.to_owned(), ..target },
        _ => target,
    }
}

/// Whether a `metav1.LabelSelector` matches the object's labels.
fn selects(selector: &Value, candidate: &Value) -> bool {
    let exact = selector.get("matchLabels").and_then(Value::as_object).into_iter().flatten();
    let rules = selector.get("matchExpressions").and_then(Value::as_array).into_iter().flatten();
    exact.into_iter().all(|(name, value)| object::label(candidate, name) == value.as_str())
        && rules.into_iter().all(|rule| fits(rule, candidate))
}

fn fits(rule: &Value, candidate: &Value) -> bool {
    let label = object::label(candidate, object::text(rule, "/key"));
    let listed = rule.get("values").and_then(Value::as_array).into_iter().flatten();
    let is_listed = listed.into_iter().any(|value| label.is_some() && value.as_str() == label);
    match object::text(rule, "/operator") {
        "In" => is_listed,
        "NotIn" => !is_listed,
        "Exists" => label.is_some(),
        "DoesNotExist" => label.is_none(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use contract::Gvk;
    use serde_json::json;

    use super::*;

    fn pool() -> Pool {
        let object = |kind: &str, namespace: Option<&str>, name: &str, tier: &str| {
            let mut object =
                json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "labels": {"tier": tier}}});
            if let Some(namespace) = namespace {
                object["metadata"]["namespace"] = namespace.into();
            }
            object
        };
        Pool::of(
            [
                object("ConfigMap", None, "a", "web"),
                object("ConfigMap", Some("other"), "b", "db"),
                object("Namespace", None, "n", "web"),
                json!({"kind": "Nameless"}),
            ],
            "team",
        )
    }

    fn read(kind: &str, select: Selection) -> Vec<String> {
        let kind = Gvk { group: String::new(), version: "v1".into(), kind: kind.into() };
        let kinds = Kinds::from([(kind.clone(), kinds::builtin(&kind).unwrap())]);
        let read = Read { id: "x".into(), kind, select };
        pool()
            .read(&read, "team", &kinds)
            .into_iter()
            .map(|found| format!("{}={}", found.key, found.object["metadata"]["name"]))
            .collect()
    }

    #[test]
    fn a_read_by_name_looks_where_the_kind_lives() {
        let named = |namespace: &str, name: &str| Selection::Named { namespace: namespace.into(), name: name.into() };
        assert_eq!(read("ConfigMap", named("", "a")), ["=\"a\""]);
        assert_eq!(read("ConfigMap", named("other", "b")), ["=\"b\""]);
        assert_eq!(read("Namespace", named("", "n")), ["=\"n\""]);
        assert!(read("ConfigMap", named("", "b")).is_empty());
    }

    #[test]
    fn a_read_by_label_finds_what_the_selector_matches() {
        let labelled = |namespace: &str, selector: Value| Selection::Labelled { namespace: namespace.into(), selector };
        let rule = |operator: &str, values: Value| json!({"matchExpressions": [{"key": "tier", "operator": operator, "values": values}]});
        assert_eq!(read("ConfigMap", labelled("", json!({}))), ["other/b=\"b\"", "team/a=\"a\""]);
        assert_eq!(read("ConfigMap", labelled("team", json!({}))), ["team/a=\"a\""]);
        assert_eq!(read("ConfigMap", labelled("", json!({"matchLabels": {"tier": "db"}}))), ["other/b=\"b\""]);
        assert_eq!(read("Namespace", labelled("", rule("In", json!(["web"])))), ["n=\"n\""]);
        assert_eq!(read("ConfigMap", labelled("", rule("NotIn", json!(["web"])))), ["other/b=\"b\""]);
        assert_eq!(read("ConfigMap", labelled("", rule("Exists", json!([])))).len(), 2);
        assert!(read("ConfigMap", labelled("", rule("DoesNotExist", json!([])))).is_empty());
        assert!(read("ConfigMap", labelled("", rule("Odd", json!([])))).is_empty());
    }

    #[test]
    fn an_object_that_nobody_asked_for_is_known() {
        let pool = pool();
        let kind = Gvk { group: String::new(), version: "v1".into(), kind: "ConfigMap".into() };
        pool.get(&Target { kind, namespace: "team".into(), name: "a".into() }).unwrap();
        let unused: Vec<String> = pool.unused().map(Target::to_string).collect();
        assert_eq!(unused, ["ConfigMap other/b", "Namespace n"]);
    }
}
