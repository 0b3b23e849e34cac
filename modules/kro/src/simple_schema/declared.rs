//! The types that a definition declares under names of their own, and the order
//! in which they can be built.
//!
//! It keeps finished schemas. What a type is made of is for `simple_schema`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::types;
use crate::model::Dialect;

/// Types are written out wherever they are used, so that a few lines could make
/// a schema that fills all memory. All uses together get this many JSON values:
/// about as many as fit into an object that a server stores.
const MAX_VALUES: usize = 50_000;

/// The types built so far.
#[derive(Debug)]
pub(super) struct Declared {
    types: BTreeMap<String, Built>,
    /// How many JSON values may still be written out.
    left: usize,
}

#[derive(Debug)]
struct Built {
    schema: Value,
    /// Whether fields of this type are required.
    required: bool,
    /// How many JSON values the schema consists of.
    values: usize,
}

impl Default for Declared {
    fn default() -> Declared {
        Declared { types: BTreeMap::new(), left: MAX_VALUES }
    }
}

impl Declared {
    /// Adds a finished type.
    pub(super) fn add(&mut self, name: &str, schema: Value, required: bool) {
        let values = values(&schema);
        self.types.insert(name.to_owned(), Built { schema, required, values });
    }

    /// Adds a type as one that takes anything, unless it could be built: whoever
    /// uses it does nothing wrong.
    pub(super) fn add_open(&mut self, name: &str) {
        if !self.types.contains_key(name) {
            self.add(name, json!({"x-kubernetes-preserve-unknown-fields": true}), false);
        }
    }

    /// The schema of a type to be written out: `None` if there is no such type,
    /// and no schema if there is no room for it.
    pub(super) fn take(&mut self, name: &str) -> Option<Option<Value>> {
        let built = self.types.get(name)?;
        let left = self.left.checked_sub(built.values);
        self.left = left.unwrap_or(self.left);
        Some(left.map(|_| built.schema.clone()))
    }

    /// Whether fields of a type are required.
    pub(super) fn is_required(&self, name: &str) -> bool {
        self.types.get(name).is_some_and(|built| built.required)
    }

    /// The names of all types.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.types.keys().map(String::as_str)
    }
}

/// How many values a JSON document consists of.
fn values(document: &Value) -> usize {
    1 + match document {
        Value::Array(elements) => elements.iter().map(values).sum::<usize>(),
        Value::Object(fields) => fields.values().map(values).sum::<usize>(),
        _ => 0,
    }
}

/// How many levels a JSON document has.
pub(super) fn levels(document: &Value) -> usize {
    1 + match document {
        Value::Array(elements) => elements.iter().map(levels).max().unwrap_or(0),
        Value::Object(fields) => fields.values().map(levels).max().unwrap_or(0),
        _ => 0,
    }
}

/// The names of types so that each comes after those that it uses, and the
/// cycles: each under its first name, from that name back to it. A type that is
/// on a cycle, or uses one that is, has no place in the order.
pub(super) fn order(types: &Map<String, Value>, dialect: Dialect) -> (Vec<&str>, Vec<(&str, Vec<&str>)>) {
    let mut uses: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, stated) in types {
        let mut found = BTreeSet::new();
        used_by(stated, dialect, &mut found);
        // One that is not declared is said to be unknown where it is used.
        found.retain(|used| types.contains_key(*used));
        uses.insert(name, found);
    }
    let mut users: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, used) in &uses {
        used.iter().for_each(|used| users.entry(*used).or_default().push(*name));
    }
    let mut missing: BTreeMap<&str, usize> = uses.iter().map(|(name, used)| (*name, used.len())).collect();
    let mut order: Vec<&str> = missing.iter().filter(|(_, count)| **count == 0).map(|(name, _)| *name).collect();
    let mut next = 0;
    while let Some(name) = order.get(next).copied() {
        next += 1;
        for user in users.get(name).into_iter().flatten() {
            let count = missing.entry(*user).or_default();
            *count = count.saturating_sub(1);
            if *count == 0 {
                order.push(*user);
            }
        }
    }
    order.iter().for_each(|name| drop(uses.remove(name)));
    let unbuilt: BTreeSet<&str> = uses.keys().copied().collect();
    uses.values_mut().for_each(|used| used.retain(|name| unbuilt.contains(name)));
    (order, cycles(&uses))
}

fn used_by<'t>(stated: &'t Value, dialect: Dialect, found: &mut BTreeSet<&'t str>) {
    match stated {
        Value::Object(fields) => fields.values().for_each(|field| used_by(field, dialect, found)),
        Value::String(text) => {
            let type_text = text.split('|').next().unwrap_or_default();
            // What is not a type is refused when it is built.
            found.extend(types::parse(type_text, dialect).ok().and_then(|ty| ty.name()));
        }
        _ => {}
    }
}

/// The cycles among types that all use another one of them.
fn cycles<'t>(uses: &BTreeMap<&'t str, BTreeSet<&'t str>>) -> Vec<(&'t str, Vec<&'t str>)> {
    let mut cycles: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for start in uses.keys() {
        let mut path: Vec<&str> = Vec::new();
        let mut name = *start;
        while seen.insert(name) {
            path.push(name);
            // Each uses at least one other, or it would have its place.
            let Some(next) = uses.get(name).and_then(|used| used.first().copied()) else { break };
            name = next;
        }
        let Some(from) = path.iter().position(|passed| *passed == name) else { continue };
        let cycle = [&path[from..], &[name]].concat();
        cycles.push((name, cycle));
    }
    cycles
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(types: Value, order: &[&str], cycles: &[&[&str]]) {
        let types = types.as_object().unwrap();
        let (found, found_cycles) = super::order(types, Dialect::V09);
        assert_eq!(found, order);
        assert_eq!(found_cycles.into_iter().map(|(_, cycle)| cycle).collect::<Vec<_>>(), cycles);
    }

    #[test]
    fn a_type_comes_after_those_that_it_uses() {
        check(
            json!({"A": "[]B | minItems=1", "B": {"x": {"y": "map[string]C"}, "z": "string"}, "C": "integer"}),
            &["C", "B", "A"],
            &[],
        );
        check(json!({"A": "Unknown", "B": 1, "C": "[]"}), &["A", "B", "C"], &[]);
    }

    #[test]
    fn each_cycle_is_found_once() {
        check(json!({"A": "B", "B": "[]C", "C": {"a": "A"}, "D": "A"}), &[], &[&["A", "B", "C", "A"]]);
        check(json!({"A": "A", "B": "C", "C": "B", "D": "string"}), &["D"], &[&["A", "A"], &["B", "C", "B"]]);
    }

    #[test]
    fn a_long_chain_is_ordered() {
        let chain: Map<String, Value> =
            (0..2000).map(|number| (format!("T{number:04}"), json!({"f": format!("T{:04}", number + 1)}))).collect();
        assert_eq!(order(&chain, Dialect::V09).0.len(), 2000);
    }

    #[test]
    fn what_does_not_fit_any_more_is_not_written_out() {
        let mut declared = Declared::default();
        declared.add("Big", json!(vec![0; MAX_VALUES / 2]), false);
        assert!(matches!(declared.take("Big"), Some(Some(_))));
        assert!(matches!(declared.take("Big"), Some(None)));
        assert_eq!(declared.take("Small"), None);
    }
}
