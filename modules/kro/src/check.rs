//! Checks the expressions of a definition: which names each may use, which
//! types it has, and how the resources depend on each other. Finds all that is
//! wrong at once.
//!
//! Shapes of templates are checked where they are walked, in `collect`.

mod compatible;
mod conditions;
mod identity;
mod never;
mod scope;
mod status;
mod typing;
mod unguarded;

use std::collections::{BTreeMap, BTreeSet};

use expr::{code::Code, types::Type};
use serde_json::Value;

use crate::{
    collect::Collected,
    graph,
    kinds::{self, Kinds},
    model::{Body, Definition, Dialect, Resource, Select},
    problem::Problems,
};

/// The schemas of the variables of expressions, which types borrow.
#[derive(Debug)]
pub(crate) struct Schemas<'s> {
    /// Of `schema`: the instance without its status.
    instance: Value,
    /// The same, saying nothing of scalars: how kro v0.1 sees it.
    loose: Value,
    /// Of each resource's objects.
    resources: Vec<Option<&'s Value>>,
    /// Of objects of an unknown kind.
    any: Value,
    /// What the host knows of kinds.
    kinds: Kinds<'s>,
}

impl<'s> Schemas<'s> {
    /// The schemas for a definition whose `spec` has this one.
    pub(crate) fn new(definition: &Definition, spec: &Value, kinds: Kinds<'s>) -> Schemas<'s> {
        let instance = kinds::instance(spec, definition.scope);
        let known = |resource: &Resource| resource.gvk().and_then(|gvk| kinds.schema(&gvk));
        Schemas {
            loose: loosened(&instance),
            instance,
            resources: definition.resources.iter().map(known).collect(),
            any: kinds::any_object(),
            kinds,
        }
    }

    /// The schema of `schema`.
    pub(crate) fn instance(&self) -> &Value {
        &self.instance
    }

    /// The schema of a resource's objects.
    pub(crate) fn resource(&self, index: usize) -> &Value {
        self.resources.get(index).copied().flatten().unwrap_or(&self.any)
    }
}

/// A schema that knows fields and nothing of the scalars in them.
fn loosened(schema: &Value) -> Value {
    match schema {
        Value::Object(fields) => {
            let kept = ["properties", "items", "additionalProperties", "x-kubernetes-preserve-unknown-fields"];
            let container = matches!(schema["type"].as_str(), Some("object" | "array"));
            let mut loose = serde_json::Map::new();
            for (name, value) in fields {
                match name.as_str() {
                    "properties" => {
                        let below = value.as_object().into_iter().flatten();
                        let below = below.map(|(name, schema)| (name.clone(), loosened(schema))).collect();
                        loose.insert(name.clone(), Value::Object(below));
                    }
                    "type" if container => drop(loose.insert(name.clone(), value.clone())),
                    other if kept.contains(&other) => drop(loose.insert(name.clone(), loosened(value))),
                    _ => {}
                }
            }
            Value::Object(loose)
        }
        other => other.clone(),
    }
}

/// What the checks found out about a definition.
#[derive(Debug, Default)]
pub(crate) struct Checked<'n, 's> {
    /// Type and code of every expression, by its number; none of one that is
    /// wrong.
    pub(crate) typed: Vec<Option<(Type<'s>, Code<'n>)>>,
    /// The resources that each depends on directly.
    pub(crate) dependencies: Vec<BTreeSet<usize>>,
    /// The resources in topological order.
    pub(crate) order: Vec<usize>,
    /// The schema of `status`.
    pub(crate) status: Value,
}

/// Checks a definition. The result is complete only if no error was noted.
pub(crate) fn check<'n, 's>(
    definition: &'n Definition,
    collected: &'n Collected,
    schemas: &'s Schemas<'s>,
    problems: &mut Problems,
) -> Checked<'n, 's> {
    let mut checker = Checker {
        definition,
        collected,
        schemas,
        problems,
        dependencies: vec![BTreeSet::new(); definition.resources.len()],
        unreadable: false,
        ids: definition.resources.iter().rev().map(|resource| (resource.id.as_str(), resource.index)).collect(),
    };
    let sound: Vec<bool> = (0..collected.found.len()).map(|index| checker.scope(index)).collect();
    let typed = checker.types(&sound);
    checker.identities();
    let status = checker.status(&typed);
    checker.conditions();
    never::warn(definition, collected, checker.problems);
    unguarded::warn(definition, collected, schemas.instance(), checker.problems);
    let order = checker.order();
    let Checker { dependencies, .. } = checker;
    Checked { typed, dependencies, order, status }
}

struct Checker<'n, 'c, 's, 'p> {
    definition: &'n Definition,
    collected: &'n Collected<'n, 'c>,
    schemas: &'s Schemas<'s>,
    problems: &'p mut Problems,
    dependencies: Vec<BTreeSet<usize>>,
    /// Whether the expression at hand names a resource that cannot be read.
    unreadable: bool,
    /// Where each id is among the resources; of several of one id, the first.
    ids: BTreeMap<&'n str, usize>,
}

impl<'n, 's> Checker<'n, '_, 's, '_> {
    fn dialect(&self) -> Dialect {
        self.definition.dialect
    }

    fn says(&self, prefix: &str, message: &str) -> String {
        self.definition.says(prefix, message)
    }

    /// The resource of an id.
    fn resource(&self, id: &str) -> Option<usize> {
        self.ids.get(id).copied()
    }

    fn order(&mut self) -> Vec<usize> {
        let ids: Vec<&str> = self.definition.resources.iter().map(|resource| resource.id.as_str()).collect();
        let ordered = match self.dialect() {
            Dialect::V01 => graph::depth_first(&ids, &self.dependencies),
            Dialect::V09 => graph::by_position(&ids, &self.dependencies),
        };
        ordered.unwrap_or_else(|cycle| {
            let first = cycle.path.first().and_then(|id| self.resource(id)).unwrap_or(0);
            let message = self.says("failed to build dependency graph", &cycle.to_string());
            let at = self.definition.resources[first].at.clone();
            self.problems
                .error("Cycle", &at, message)
                .hint("remove one of the references along it, so that one resource can be created first");
            Vec::new()
        })
    }
}

/// Whether a resource stands for any number of objects.
pub(crate) fn is_collection(resource: &Resource) -> bool {
    !resource.for_each.is_empty() || matches!(&resource.body, Body::External { select: Select::Labels(_), .. })
}

/// The names of the variables of expressions, by their number: `schema`, the
/// ids as they were written, and `each`. A resource's iterators come after.
pub(crate) fn variables(definition: &Definition) -> Vec<&str> {
    let ids = definition.resources.iter().map(|resource| resource.id.as_str());
    ["schema"].into_iter().chain(ids).chain(["each"]).collect()
}
