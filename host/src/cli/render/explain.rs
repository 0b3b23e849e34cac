//! A rendering in words: what is there, what is not, and why.
//!
//! The reasons are the module's; none is made up here. A rendering does not
//! tell why a field of the status has no value, so only the field is named.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use contract::{Blocked, Blueprint, Child, Excluded, Node, Observed, Read, Readiness, Rendering, Role, Selection};
use serde_json::Value;

use crate::cli::offline::Rendered;
use host_core::object::{self, Target};

/// The fields of every status that the host fills in.
const OF_THE_HOST: [&str; 3] = ["state", "conditions", "croft"];

/// How many of many objects are named: a line should fit a terminal.
const NAMED: usize = 5;

/// One line for each id that cannot be stated or is switched off.
pub(in crate::cli) fn what_is_missing(rendered: &Rendered) -> String {
    let rendering = &rendered.rendering;
    let mut text = String::new();
    if let Some(reason) = &rendering.suspended {
        let _ = writeln!(text, "suspended: {reason}");
    }
    for blocked in &rendering.blocked {
        let _ = writeln!(text, "blocked: {}", waiting(&blocked.id, &blocked.waits_for, &blocked.message));
    }
    for excluded in &rendering.excluded {
        let _ = writeln!(text, "excluded: {}: {}", excluded.id, excluded.message);
    }
    text
}

/// What became of the instance, of every id in topological order, and of the
/// status.
pub(super) fn all(blueprint: &Blueprint, rendered: &Rendered) -> String {
    let instance = &rendered.instance;
    let (kind, name) = (object::text(instance, "/kind"), object::text(instance, "/metadata/name"));
    let mut text = match object::text(instance, "/metadata/namespace") {
        "" => format!("{kind} {name}: {}\n", rendered.state),
        namespace => format!("{kind} {namespace}/{name}: {}\n", rendered.state),
    };
    if let Some(reason) = &rendered.rendering.suspended {
        let _ = writeln!(text, "  suspended: {reason}");
    }
    let facts = Facts::of(rendered);
    for node in &blueprint.nodes {
        for line in facts.lines(node) {
            let _ = writeln!(text, "  {line}");
        }
    }
    let absent = absent(&blueprint.api.crd, &rendered.rendering);
    if !absent.is_empty() {
        let _ = writeln!(text, "  absent: {}", absent.join(", "));
    }
    text
}

/// What a rendering says of each id, found by it: a collection may have a
/// thousand objects.
struct Facts<'a> {
    suspended: bool,
    blocked: BTreeMap<&'a str, &'a Blocked>,
    excluded: BTreeMap<&'a str, &'a Excluded>,
    reads: BTreeMap<&'a str, &'a Read>,
    children: BTreeMap<&'a str, Vec<(&'a Child, &'a Target)>>,
    observed: BTreeMap<&'a str, Vec<&'a Observed>>,
    seen: BTreeSet<(&'a str, &'a str)>,
    readiness: BTreeMap<(&'a str, &'a str), &'a Readiness>,
}

impl<'a> Facts<'a> {
    fn of(rendered: &'a Rendered) -> Facts<'a> {
        let rendering = &rendered.rendering;
        let mut children: BTreeMap<&str, Vec<(&Child, &Target)>> = BTreeMap::new();
        for (child, (target, _)) in rendering.children.iter().zip(&rendered.children) {
            children.entry(&child.id).or_default().push((child, target));
        }
        let mut observed: BTreeMap<&str, Vec<&Observed>> = BTreeMap::new();
        for seen in &rendered.observed {
            observed.entry(&seen.id).or_default().push(seen);
        }
        Facts {
            suspended: rendering.suspended.is_some(),
            blocked: rendering.blocked.iter().map(|it| (it.id.as_str(), it)).collect(),
            excluded: rendering.excluded.iter().map(|it| (it.id.as_str(), it)).collect(),
            reads: rendering.reads.iter().map(|it| (it.id.as_str(), it)).collect(),
            children,
            observed,
            seen: rendered.observed.iter().map(|it| (it.id.as_str(), it.key.as_str())).collect(),
            readiness: rendering.readiness.iter().map(|it| ((it.id.as_str(), it.key.as_str()), it)).collect(),
        }
    }

    fn lines(&self, node: &Node) -> Vec<String> {
        let id = node.id.as_str();
        let mut lines = Vec::new();
        if let Some(blocked) = self.blocked.get(id) {
            lines.push(format!("blocked: {}", waiting(id, &blocked.waits_for, &blocked.message)));
        }
        if let Some(excluded) = self.excluded.get(id) {
            lines.push(format!("excluded: {id}: {}", excluded.message));
        }
        lines.extend(self.of_children(node));
        if let Some(read) = self.reads.get(id) {
            lines.extend(self.of_read(read));
        }
        if lines.is_empty() {
            let what =
                if node.role == Role::Collection { "the collection is empty" } else { "there is nothing to state" };
            lines.push(format!("none: {id}: {what}"));
        }
        lines
    }

    /// The children of an id by key, and before those of a collection how many
    /// there are of each sort.
    fn of_children(&self, node: &Node) -> Vec<String> {
        let mut children = self.children.get(node.id.as_str()).cloned().unwrap_or_default();
        children.sort_by(|(one, _), (other, _)| one.key.cmp(&other.key));
        let verdicts: Vec<(&str, &str)> = children.iter().map(|(child, _)| self.verdict(child)).collect();
        let mut lines = Vec::new();
        if node.role == Role::Collection && !children.is_empty() {
            lines.push(format!("collection: {}: {}", node.id, tally(&verdicts)));
        }
        lines.extend(children.iter().zip(&verdicts).map(|((child, target), (word, why))| {
            format!("{}: {}: {target}{}", reasoned(word, why), keyed(child, target), after(&child.depends_on))
        }));
        lines
    }

    /// What became of a child, in a word, and why.
    fn verdict(&self, child: &Child) -> (&'static str, &'a str) {
        let place = (child.id.as_str(), child.key.as_str());
        match (self.seen.contains(&place), self.readiness.get(&place), self.suspended) {
            (false, _, true) => ("held back", ""),
            (false, _, false) => ("to be created", ""),
            (true, Some(readiness), _) if !readiness.ready => ("not ready", readiness.message.as_str()),
            (true, _, _) => ("ready", ""),
        }
    }

    /// What an external read looks for and what it found, and of that what is not
    /// ready.
    fn of_read(&self, read: &Read) -> Vec<String> {
        let found = self.observed.get(read.id.as_str()).map_or(&[][..], Vec::as_slice);
        let mut lines = vec![format!("read: {}: {}, {}", read.id, sought(read), listed(found))];
        let unready = found.iter().filter_map(|seen| {
            let readiness = self.readiness.get(&(seen.id.as_str(), seen.key.as_str()))?;
            let target = Target::of(&seen.object).filter(|_| !readiness.ready)?;
            Some(format!("{}: {}: {target}", reasoned("not ready", &readiness.message), read.id))
        });
        lines.extend(unready);
        lines
    }
}

/// `3 objects, 1 ready, 2 to be created`.
fn tally(verdicts: &[(&str, &str)]) -> String {
    let mut text = objects(verdicts.len());
    for word in ["ready", "not ready", "to be created", "held back"] {
        let count = verdicts.iter().filter(|(verdict, _)| *verdict == word).count();
        if count > 0 {
            let _ = write!(text, ", {count} {word}");
        }
    }
    text
}

/// `id`, or `id[key]` if the key says something that the name does not.
fn keyed(child: &Child, target: &Target) -> String {
    let Target { namespace, name, .. } = target;
    let key = &child.key;
    let is_said = key.is_empty() || key == name || *key == format!("{namespace}/{name}");
    if is_said { child.id.clone() } else { format!("{}[{key}]", child.id) }
}

/// `ConfigMap team/settings`, or `ConfigMap with app=shop in team`. Without a
/// namespace it is the instance's, or all of them.
fn sought(read: &Read) -> String {
    let kind = &read.kind;
    match &read.select {
        Selection::Named { namespace, name } if namespace.is_empty() => format!("{kind} {name}"),
        Selection::Named { namespace, name } => format!("{kind} {namespace}/{name}"),
        Selection::Labelled { namespace, selector } => {
            let place = if namespace.is_empty() { String::new() } else { format!(" in {namespace}") };
            match labels(selector) {
                labels if labels.is_empty() => format!("any {kind}{place}"),
                labels => format!("{kind} with {labels}{place}"),
            }
        }
    }
}

/// A `metav1.LabelSelector` as `kubectl --selector` takes it.
fn labels(selector: &Value) -> String {
    let exact = selector.get("matchLabels").and_then(Value::as_object).into_iter().flatten();
    let exact = exact.map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default()));
    let rules = selector.get("matchExpressions").and_then(Value::as_array).into_iter().flatten();
    let rules = rules.map(|rule| {
        let key = object::text(rule, "/key");
        let values: Vec<&str> =
            rule.get("values").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        match object::text(rule, "/operator") {
            "Exists" => key.to_owned(),
            "DoesNotExist" => format!("!{key}"),
            operator => format!("{key} {} ({})", operator.to_lowercase(), values.join(",")),
        }
    });
    exact.chain(rules).collect::<Vec<_>>().join(",")
}

/// `2 objects found: team/a, team/b`. A single object has no key to name.
fn listed(found: &[&Observed]) -> String {
    if found.is_empty() {
        return "nothing found".to_owned();
    }
    let keys: Vec<&str> = found.iter().map(|seen| seen.key.as_str()).filter(|key| !key.is_empty()).collect();
    let text = format!("{} found", objects(found.len()));
    match keys.get(..NAMED) {
        _ if keys.is_empty() => text,
        Some(few) if keys.len() > NAMED => format!("{text}: {} and {} more", few.join(", "), keys.len() - NAMED),
        _ => format!("{text}: {}", keys.join(", ")),
    }
}

/// The fields that the API's status has and the rendering's has not. Of a field
/// that is there the parts are not looked at: a live object that it passes on
/// lacks most of what its schema allows.
fn absent(crd: &Value, rendering: &Rendering) -> Vec<String> {
    let fields = crd.pointer("/spec/versions/0/schema/openAPIV3Schema/properties/status/properties");
    let names = fields.and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name);
    let is_absent = |name: &&String| !OF_THE_HOST.contains(&name.as_str()) && !rendering.status.contains_key(*name);
    names.filter(is_absent).map(|name| format!("status.{name}")).collect()
}

fn waiting(id: &str, waits_for: &[String], message: &str) -> String {
    match (waits_for, message) {
        ([], message) => format!("{id}: {message}"),
        // It waits for a field of the instance.
        ([own], message) if own == id && !message.is_empty() => format!("{id}: {message}"),
        // It says for what.
        (_, message) if message.starts_with("waits for ") => format!("{id} {message}"),
        (others, "") => format!("{id} waits for {}", others.join(", ")),
        (others, message) => format!("{id} waits for {}: {message}", others.join(", ")),
    }
}

fn reasoned(word: &str, why: &str) -> String {
    if why.is_empty() { word.to_owned() } else { format!("{word} ({why})") }
}

fn after(depends_on: &[String]) -> String {
    if depends_on.is_empty() { String::new() } else { format!(", after {}", depends_on.join(", ")) }
}

fn objects(count: usize) -> String {
    if count == 1 { "1 object".to_owned() } else { format!("{count} objects") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_selector_is_said_as_kubectl_takes_it() {
        let rule = |operator: &str, values: Value| json!({"key": "tier", "operator": operator, "values": values});
        let selector = |rule: Value| json!({"matchLabels": {"app": "shop"}, "matchExpressions": [rule]});
        assert_eq!(labels(&json!({})), "");
        assert_eq!(labels(&selector(rule("In", json!(["web", "db"])))), "app=shop,tier in (web,db)");
        assert_eq!(labels(&selector(rule("NotIn", json!(["db"])))), "app=shop,tier notin (db)");
        assert_eq!(labels(&selector(rule("Exists", json!([])))), "app=shop,tier");
        assert_eq!(labels(&selector(rule("DoesNotExist", json!([])))), "app=shop,!tier");
    }

    #[test]
    fn of_many_objects_the_first_are_named() {
        let seen = |key: String| Observed { id: "x".into(), key, object: Value::Null };
        let many: Vec<Observed> = (0..7).map(|index| seen(format!("team/{index}"))).collect();
        let many: Vec<&Observed> = many.iter().collect();
        assert_eq!(listed(&many), "7 objects found: team/0, team/1, team/2, team/3, team/4 and 2 more");
        assert_eq!(listed(&many[..2]), "2 objects found: team/0, team/1");
        assert_eq!(listed(&[&seen(String::new())]), "1 object found");
        assert_eq!(listed(&[]), "nothing found");
    }

    #[test]
    fn what_an_id_waits_for_is_said_once() {
        let waits = |on: &[&str], message: &str| {
            let on: Vec<String> = on.iter().map(|&id| id.to_owned()).collect();
            waiting("a", &on, message)
        };
        assert_eq!(waits(&["b", "c"], "waits for `b`, `c` to be ready"), "a waits for `b`, `c` to be ready");
        assert_eq!(waits(&["b"], "`b.metadata.uid` is missing"), "a waits for b: `b.metadata.uid` is missing");
        assert_eq!(waits(&["b"], ""), "a waits for b");
        assert_eq!(waits(&[], "the instance lacks it"), "a: the instance lacks it");
    }
}
