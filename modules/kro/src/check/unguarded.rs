//! Warns where an instance may wait for ever: an expression reads a field of the
//! instance that may be absent, and nothing guards it. kro says nothing, and
//! such an instance stays in progress without a reason that anybody sees.

use std::collections::{BTreeMap, BTreeSet};

use expr::syntax::{Kind, Node};
use serde_json::Value;

use crate::{
    collect::{Collected, Found, Place},
    model::{Definition, Dialect},
    problem::Problems,
    site::mentions,
};

/// Notes every unguarded optional field, once with the number of places, and not
/// where the definition says itself that it may be absent.
pub(super) fn warn(definition: &Definition, collected: &Collected, instance: &Value, problems: &mut Problems) {
    let mut unguarded: Vec<(String, Vec<(&Found, usize)>)> = Vec::new();
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    for found in &collected.found {
        // A status field that cannot be told is absent, and nothing waits for it.
        let waits = !matches!(found.place, Place::Status | Place::Condition | Place::ReadyWhen(_));
        if !waits || definition.dialect == Dialect::V01 {
            continue;
        }
        let mut guards = Guards::default();
        for other in decides_on(found.place).into_iter().flat_map(|place| collected.at(place)) {
            guards.of(&other.site.node, true);
        }
        // A template with iterators is filled in only where there is something to
        // go over, and so where that is.
        let dimensions = iterates_for(found.place).into_iter().flat_map(|own| collected.dimensions(own));
        for reference in dimensions.flat_map(|other| other.site.mentions().references) {
            guards.paths.extend(reference.prefixes());
        }
        let mut walk = Walk { guards: guards.paths, unguarded: Vec::new() };
        walk.node(&found.site.node);
        let mut told = BTreeSet::new();
        for Unguarded { at, path, certain } in walk.unguarded {
            let Some(absent) = may_be_absent(instance, &path, certain) else { continue };
            if told.contains(&absent) || is_said_to_be_optional(definition, &absent) {
                continue;
            }
            told.insert(absent.clone());
            let known = *numbers.entry(absent.clone()).or_insert(unguarded.len());
            match unguarded.get_mut(known) {
                Some((_, places)) => places.push((found, at)),
                None => unguarded.push((absent, vec![(found, at)])),
            }
        }
    }
    for (absent, places) in &unguarded {
        note(definition, places, absent, problems);
    }
}

/// Whether a field is declared with `required=false`, which says more than to
/// leave it out.
fn is_said_to_be_optional(definition: &Definition, path: &str) -> bool {
    let Some(below) = path.strip_prefix("schema.spec.") else { return false };
    let mut fields = &definition.spec;
    let mut names = below.split('.').peekable();
    while let Some(name) = names.next() {
        match fields.get(name) {
            Some(Value::Object(inner)) => fields = inner,
            Some(Value::String(line)) if names.peek().is_none() => {
                let markers = line.split_once('|').map_or("", |(_, markers)| markers);
                return markers.split_whitespace().any(|marker| marker == "required=false");
            }
            _ => return false,
        }
    }
    false
}

/// Where expressions stand that decide whether one is looked at.
fn decides_on(place: Place) -> Option<Place> {
    match place {
        Place::Template(index) | Place::ForEach(index, _) => Some(Place::IncludeWhen(index)),
        _ => None,
    }
}

/// The resource whose dimensions an expression is filled in for.
fn iterates_for(place: Place) -> Option<usize> {
    match place {
        Place::Template(index) => Some(index),
        _ => None,
    }
}

fn note(definition: &Definition, places: &[(&Found, usize)], absent: &str, problems: &mut Problems) {
    let Some(((found, at), others)) = places.split_first() else { return };
    let id = found.place.resource().and_then(|index| definition.resources.get(index)).map_or("", |it| it.id.as_str());
    let what = match found.place {
        Place::IncludeWhen(_) => "is refused",
        _ => "waits for ever",
    };
    let (parent, field) = absent.rsplit_once('.').unwrap_or(("schema.spec", absent));
    let (start, length) = (*at, found.site.word(*at));
    let more = match others.len() {
        0 => String::new(),
        1 => ", as does 1 more expression".to_owned(),
        count => format!(", as do {count} more expressions"),
    };
    let message =
        format!("`{absent}` may be absent, and an instance without it {what}: resource `{id}` needs it{more}");
    found.site.warning(problems, "MayWaitForever", start, length, message).hint(format!(
        "give it a default, require it, or guard it: `has({absent}) ? … : …`, `{parent}.?{field}.orValue(…)`; or declare \
         it with `required=false`, which says that it may be absent"
    ));
}

/// Whether a field, or one below it, has no type: it could not be read.
fn is_unknown(schema: &Value) -> bool {
    let is_open = schema["x-kubernetes-preserve-unknown-fields"] == true && schema.get("type").is_none();
    is_open || schema["properties"].as_object().into_iter().flatten().any(|(_, below)| is_unknown(below))
}

/// The first field of a path that an instance may lack. So many of its fields
/// are there for certain.
fn may_be_absent(instance: &Value, path: &[&str], certain: usize) -> Option<String> {
    let mut schema = instance;
    let mut names = vec!["schema"];
    for (index, field) in path.iter().enumerate() {
        names.push(field);
        if *field == "*" {
            return None;
        }
        let Some(below) = schema.get("properties").and_then(|properties| properties.get(*field)) else {
            // Below a map or an open object, nobody knows what may be there.
            let is_map = schema.get("additionalProperties").is_some_and(Value::is_object);
            return (is_map && index >= certain).then(|| names.join("."));
        };
        // What is wrong with it was said where it is declared.
        if index > 0 && is_unknown(below) {
            return None;
        }
        let required = schema["required"].as_array().is_some_and(|all| all.iter().any(|name| name == field));
        // Metadata and spec themselves are there; of the metadata, name and the like are.
        let is_there = index < certain
            || match index {
                0 => true,
                1 if path[0] == "metadata" => !matches!(
                    *field,
                    "labels"
                        | "annotations"
                        | "deletionTimestamp"
                        | "deletionGracePeriodSeconds"
                        | "generateName"
                        | "ownerReferences"
                        | "finalizers"
                        | "selfLink"
                ),
                _ => required || below.get("default").is_some(),
            };
        if !is_there {
            return Some(names.join("."));
        }
        schema = below;
    }
    None
}

/// What a condition guarantees where it holds, or where it does not.
#[derive(Default)]
struct Guards {
    paths: Vec<String>,
}

impl Guards {
    /// Gathers the fields that are there if the condition comes to `holds`.
    fn of(&mut self, condition: &Node, holds: bool) {
        match &condition.kind {
            Kind::Has { operand, field } if holds => self.field(operand, field),
            Kind::Call { name, args, .. } if name == "_&&_" && holds => args.iter().for_each(|it| self.of(it, true)),
            Kind::Call { name, args, .. } if name == "_||_" && !holds => args.iter().for_each(|it| self.of(it, false)),
            Kind::Call { name, args, .. } if name == "!_" => args.iter().for_each(|it| self.of(it, !holds)),
            // `schema.spec.?a.hasValue()`
            Kind::Call { name, target: Some(target), .. } if name == "hasValue" && holds => self.there(target),
            // `schema.spec.?a.orValue("") != ""`
            Kind::Call { name, args, .. } if (name == "_!=_" && holds) || (name == "_==_" && !holds) => {
                if let [one, other] = args.as_slice() {
                    self.differs(one, other);
                    self.differs(other, one);
                }
            }
            // `'a' in schema.spec.m`
            Kind::Call { name, args, .. } if name == "@in" && holds => {
                if let [Node { kind: Kind::Text(key), .. }, map] = args.as_slice()
                    && let Some(names) = map.names()
                {
                    self.paths.push(format!("{}.{key}", names.join(".")));
                }
            }
            _ => {}
        }
    }

    /// A field is there, and so are all above it.
    fn field(&mut self, operand: &Node, field: &str) {
        if let Some(names) = operand.names() {
            let above = names.join(".");
            self.paths.push(format!("{above}.{field}"));
            self.paths.push(above);
        }
    }

    /// A field that `.?` is asked for is there.
    fn there(&mut self, node: &Node) {
        if let Kind::Select { operand, field, optional: true } = &node.kind {
            self.field(operand, field);
        }
    }

    /// What differs from the text that stands for an absent field is there.
    fn differs(&mut self, value: &Node, from: &Node) {
        if let Kind::Call { name, target: Some(target), args } = &value.kind
            && name == "orValue"
            && let ([Node { kind: Kind::Text(instead), .. }], Kind::Text(text)) = (args.as_slice(), &from.kind)
            && instead == text
        {
            self.there(target);
        }
    }
}

struct Walk<'n> {
    guards: Vec<String>,
    unguarded: Vec<Unguarded<'n>>,
}

/// A field that is read without a guard.
struct Unguarded<'n> {
    at: usize,
    path: Vec<&'n str>,
    /// How many of its fields a guard says are there.
    certain: usize,
}

impl<'n> Walk<'n> {
    fn node(&mut self, node: &'n Node) {
        match &node.kind {
            Kind::Call { name, args, target: None } if name == "_?_:_" && args.len() == 3 => {
                self.node(&args[0]);
                self.guarded(&args[0], true, &args[1]);
                self.guarded(&args[0], false, &args[2]);
            }
            Kind::Call { name, args, target: None } if name == "_&&_" && args.len() == 2 => {
                self.node(&args[0]);
                self.guarded(&args[0], true, &args[1]);
            }
            Kind::Call { name, args, target: None } if name == "_||_" && args.len() == 2 => {
                self.node(&args[0]);
                self.guarded(&args[0], false, &args[1]);
            }
            // What is done with an element is done only if there is what it is of.
            Kind::Fold(fold) => {
                self.node(&fold.range);
                let before = self.guards.len();
                for reference in mentions(&fold.range).references {
                    self.guards.extend(reference.prefixes());
                }
                fold.filter.iter().chain([&fold.body]).for_each(|child| self.node(child));
                self.guards.truncate(before);
            }
            Kind::Select { .. } | Kind::Index { .. } | Kind::Has { .. } | Kind::Ident(_) => self.leaf(node),
            _ => node.children().into_iter().for_each(|child| self.node(child)),
        }
    }

    fn guarded(&mut self, condition: &'n Node, holds: bool, node: &'n Node) {
        let before = self.guards.len();
        let mut guards = Guards::default();
        guards.of(condition, holds);
        self.guards.extend(guards.paths);
        self.node(node);
        self.guards.truncate(before);
    }

    fn leaf(&mut self, node: &'n Node) {
        for reference in mentions(node).references.into_iter().filter(|it| it.root == "schema" && !it.guarded) {
            let full = |length: usize| ["schema"].into_iter().chain(reference.path[..length].iter().copied());
            let is_guarded = |length: usize| {
                let path = full(length).collect::<Vec<_>>().join(".");
                self.guards.contains(&path)
            };
            // What is guarded is there; what is below it may not be.
            let certain = (1..=reference.path.len()).rev().find(|length| is_guarded(*length)).unwrap_or(0);
            if certain < reference.path.len() {
                self.unguarded.push(Unguarded { at: reference.at as usize, path: reference.path, certain });
            }
        }
    }
}
