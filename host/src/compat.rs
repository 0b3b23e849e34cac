//! What changes for those who use an API when its schema changes, and whether it
//! breaks them.
//!
//! It compares two schemas and decides nothing about publishing. The codes are
//! kro's where kro has one. kro does not look at the values of maps, at
//! validation rules, list types, formats, nullability and printer columns; here
//! they are compared like the rest.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// One difference between two versions of an API.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// The field, such as `spec.ports[].name` or `spec.labels{}`; empty for the
    /// API itself.
    pub path: String,
    /// What changed, in a word of a closed set, such as `PROPERTY_REMOVED`.
    pub code: &'static str,
    /// Whether an object or a client that was right before may not be right any
    /// more.
    pub breaking: bool,
    /// What changed, for people.
    pub message: String,
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let place = if self.path.is_empty() { "the API" } else { &self.path };
        write!(f, "{place}: {} ({})", self.message, self.code)
    }
}

/// The differences between two APIs, each the `spec` of a
/// CustomResourceDefinition or of an APIResourceSchema, in the order of their
/// paths.
pub fn compare_apis(before: &Value, after: &Value) -> Vec<Change> {
    let mut comparison = Comparison::default();
    comparison.names(before, after);
    let (old, new) = (version(before), version(after));
    if old["name"] != new["name"] {
        let message = format!("version {} is served instead of {}", plain(&new["name"]), plain(&old["name"]));
        comparison.note("", "VERSION_CHANGED", true, message);
    }
    if old["additionalPrinterColumns"] != new["additionalPrinterColumns"] {
        comparison.note("", "PRINTER_COLUMNS_CHANGED", false, "the printer columns change");
    }
    comparison.schema("", schema(old), schema(new));
    comparison.sorted()
}

/// The differences between two OpenAPI schemas.
pub fn compare(before: &Value, after: &Value) -> Vec<Change> {
    let mut comparison = Comparison::default();
    comparison.schema("", before, after);
    comparison.sorted()
}

/// The API that an object describes, if it is a CRD or an APIResourceSchema.
pub fn api_of(object: &Value) -> Option<&Value> {
    let kind = object.get("kind").and_then(Value::as_str)?;
    matches!(kind, "CustomResourceDefinition" | "APIResourceSchema").then(|| &object["spec"])
}

fn version(api: &Value) -> &Value {
    let versions = api.get("versions").and_then(Value::as_array);
    versions.and_then(|versions| versions.first()).unwrap_or(&Value::Null)
}

/// A CRD wraps its schema, an APIResourceSchema does not.
fn schema(version: &Value) -> &Value {
    version.pointer("/schema/openAPIV3Schema").unwrap_or(&version["schema"])
}

#[derive(Default)]
struct Comparison {
    changes: Vec<Change>,
}

/// A bound: its name in schemas, the codes for one that is added and one that is
/// tightened, and whether a larger one is tighter.
const BOUNDS: [(&str, &str, &str, bool); 6] = [
    ("minimum", "MINIMUM_ADDED", "MINIMUM_INCREASED", true),
    ("minLength", "MIN_LENGTH_ADDED", "MIN_LENGTH_INCREASED", true),
    ("minItems", "MIN_ITEMS_ADDED", "MIN_ITEMS_INCREASED", true),
    ("maximum", "MAXIMUM_ADDED", "MAXIMUM_DECREASED", false),
    ("maxLength", "MAX_LENGTH_ADDED", "MAX_LENGTH_DECREASED", false),
    ("maxItems", "MAX_ITEMS_ADDED", "MAX_ITEMS_DECREASED", false),
];

const ANY_FIELDS: &str = "x-kubernetes-preserve-unknown-fields";
const INT_OR_STRING: &str = "x-kubernetes-int-or-string";

impl Comparison {
    fn sorted(mut self) -> Vec<Change> {
        self.changes.sort();
        self.changes.dedup();
        self.changes
    }

    fn note(&mut self, path: &str, code: &'static str, breaking: bool, message: impl Into<String>) {
        self.changes.push(Change { path: path.to_owned(), code, breaking, message: message.into() });
    }

    fn names(&mut self, before: &Value, after: &Value) {
        for (pointer, code, what) in [
            ("/group", "GROUP_CHANGED", "group"),
            ("/scope", "SCOPE_CHANGED", "scope"),
            ("/names/kind", "KIND_CHANGED", "kind"),
            ("/names/plural", "PLURAL_CHANGED", "plural"),
        ] {
            let (old, new) = (before.pointer(pointer), after.pointer(pointer));
            if old != new {
                let message = format!("its {what} becomes {}, it was {}", shown(new), shown(old));
                self.note("", code, true, message);
            }
        }
        for (pointer, code, what) in [
            ("/names/shortNames", "SHORT_NAMES_CHANGED", "short names"),
            ("/names/categories", "CATEGORIES_CHANGED", "categories"),
        ] {
            let (old, new) = (strings(before.pointer(pointer)), strings(after.pointer(pointer)));
            if old != new {
                let lost = old.difference(&new).next().is_some();
                self.note("", code, lost, format!("its {what} change"));
            }
        }
    }

    fn schema(&mut self, path: &str, before: &Value, after: &Value) {
        if before == after {
            return;
        }
        if !self.types(path, before, after) {
            return;
        }
        self.flags(path, before, after);
        self.scalars(path, before, after);
        self.bounds(path, before, after);
        self.rules(path, before, after);
        self.fields(path, before, after);
        match (before.get("items"), after.get("items")) {
            (Some(old), Some(new)) => self.schema(&format!("{path}[]"), old, new),
            (None, Some(_)) => self.note(path, "ITEMS_ADDED", true, "its elements get a schema"),
            _ => {}
        }
        self.values(path, before, after);
    }

    /// Whether both have one type; all else follows from a change of it.
    fn types(&mut self, path: &str, before: &Value, after: &Value) -> bool {
        let (old, new) = (before.get("type"), after.get("type"));
        if old == new {
            return true;
        }
        // A whole number is a number.
        let widens = old == Some(&"integer".into()) && new == Some(&"number".into());
        let opens = new.is_none() && (is_set(after, ANY_FIELDS) || is_set(after, INT_OR_STRING));
        let message = format!("its type becomes {}, it was {}", shown(new), shown(old));
        self.note(path, "TYPE_CHANGED", !(widens || opens), message);
        false
    }

    fn flags(&mut self, path: &str, before: &Value, after: &Value) {
        for (flag, added, removed, what) in [
            (ANY_FIELDS, "PRESERVE_UNKNOWN_ADDED", "PRESERVE_UNKNOWN_REMOVED", "unknown fields"),
            (INT_OR_STRING, "INT_OR_STRING_ADDED", "INT_OR_STRING_REMOVED", "texts beside numbers"),
            ("nullable", "NULLABLE_ADDED", "NULLABLE_REMOVED", "null"),
        ] {
            match (is_set(before, flag), is_set(after, flag)) {
                (false, true) => self.note(path, added, false, format!("{what} are allowed now")),
                (true, false) => self.note(path, removed, true, format!("{what} are not allowed any more")),
                _ => {}
            }
        }
    }

    fn scalars(&mut self, path: &str, before: &Value, after: &Value) {
        self.pattern(path, before.get("pattern"), after.get("pattern"));
        self.choices(path, before.get("enum"), after.get("enum"));
        match (before.get("format"), after.get("format")) {
            (old, new) if old == new => {}
            (Some(_), None) => self.note(path, "FORMAT_REMOVED", false, "its format is free now"),
            (old, new) => {
                let message = format!("its format becomes {}, it was {}", shown(new), shown(old));
                self.note(path, "FORMAT_CHANGED", true, message);
            }
        }
        if before.get("description") != after.get("description") {
            self.note(path, "DESCRIPTION_CHANGED", false, "its description changes");
        }
        let (old, new) = (before.get("default"), after.get("default"));
        if old != new {
            let message = match (old, new) {
                (_, None) => "it has no default any more".to_owned(),
                (_, new) => format!("its default becomes {}", shown(new)),
            };
            self.note(path, "DEFAULT_CHANGED", false, message);
        }
        for (key, code, what) in [
            ("x-kubernetes-list-type", "LIST_TYPE_CHANGED", "list type"),
            ("x-kubernetes-list-map-keys", "LIST_MAP_KEYS_CHANGED", "list keys"),
            ("x-kubernetes-map-type", "MAP_TYPE_CHANGED", "map type"),
        ] {
            let (old, new) = (before.get(key), after.get(key));
            if old != new {
                self.note(path, code, true, format!("its {what} becomes {}, it was {}", shown(new), shown(old)));
            }
        }
    }

    fn pattern(&mut self, path: &str, before: Option<&Value>, after: Option<&Value>) {
        match (before, after) {
            (old, new) if old == new => {}
            (None, new) => self.note(path, "PATTERN_ADDED", true, format!("it must match {}", shown(new))),
            (Some(_), None) => self.note(path, "PATTERN_REMOVED", false, "it may be any text now"),
            (old, new) => {
                self.note(path, "PATTERN_CHANGED", true, format!("it must match {}, not {}", shown(new), shown(old)));
            }
        }
    }

    fn choices(&mut self, path: &str, before: Option<&Value>, after: Option<&Value>) {
        let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned();
        match (list(before), list(after)) {
            (None, Some(new)) => {
                self.note(path, "ENUM_RESTRICTED", true, format!("it must be one of {}", Value::from(new)));
            }
            (Some(_), None) => self.note(path, "ENUM_EXPANDED", false, "it may be anything now"),
            (Some(old), Some(new)) => {
                let lost: Vec<Value> = old.iter().filter(|value| !new.contains(value)).cloned().collect();
                if !lost.is_empty() {
                    self.note(path, "ENUM_RESTRICTED", true, format!("it may not be {} any more", Value::from(lost)));
                } else if old.len() != new.len() {
                    self.note(path, "ENUM_EXPANDED", false, "it may be more than before");
                }
            }
            (None, None) => {}
        }
    }

    fn bounds(&mut self, path: &str, before: &Value, after: &Value) {
        for (name, added, tightened, larger_is_tighter) in BOUNDS {
            let number = |schema: &Value| schema.get(name).and_then(Value::as_f64);
            match (number(before), number(after)) {
                (None, Some(new)) => self.note(path, added, true, format!("its {name} is {new} now")),
                (Some(old), Some(new)) if new != old => {
                    let tighter = (new > old) == larger_is_tighter;
                    let code = if tighter { tightened } else { "CONSTRAINT_RELAXED" };
                    self.note(path, code, tighter, format!("its {name} becomes {new}, it was {old}"));
                }
                (Some(_), None) => self.note(path, "CONSTRAINT_RELAXED", false, format!("it has no {name} any more")),
                _ => {}
            }
        }
        if is_set(after, "uniqueItems") && !is_set(before, "uniqueItems") {
            self.note(path, "UNIQUE_ITEMS_ADDED", true, "nothing may be repeated in it");
        }
    }

    fn rules(&mut self, path: &str, before: &Value, after: &Value) {
        let (old, new) = (rules(before), rules(after));
        for rule in new.difference(&old) {
            self.note(path, "VALIDATION_ADDED", true, format!("it must hold that `{rule}`"));
        }
        for rule in old.difference(&new) {
            self.note(path, "VALIDATION_REMOVED", false, format!("it need not hold any more that `{rule}`"));
        }
    }

    fn fields(&mut self, path: &str, before: &Value, after: &Value) {
        let (old, new) = (properties(before), properties(after));
        let (was_required, is_required) = (strings(before.get("required")), strings(after.get("required")));
        for (name, schema) in &old {
            let below = join(path, name);
            match new.get(name) {
                None if is_open(after) => self.note(&below, "PROPERTY_OPENED", false, "it may be anything now"),
                None => self.note(&below, "PROPERTY_REMOVED", true, "it is gone"),
                Some(after) => {
                    self.required(&below, name, (schema, &was_required), (after, &is_required));
                    self.schema(&below, schema, after);
                }
            }
        }
        for (name, schema) in new.iter().filter(|(name, _)| !old.contains_key(*name)) {
            let below = join(path, name);
            if is_required.contains(*name) && schema.get("default").is_none() {
                self.note(&below, "REQUIRED_ADDED", true, "it is new and required");
            } else {
                self.note(&below, "PROPERTY_ADDED", false, "it is new");
            }
        }
    }

    fn required(
        &mut self,
        path: &str,
        name: &str,
        (old, was): (&Value, &BTreeSet<String>),
        (new, is): (&Value, &BTreeSet<String>),
    ) {
        let has_default = |schema: &Value| schema.get("default").is_some();
        match (was.contains(name), is.contains(name)) {
            (false, true) => self.note(path, "REQUIRED_ADDED", !has_default(new), "it is required now"),
            (true, false) => self.note(path, "REQUIRED_REMOVED", false, "it is not required any more"),
            (true, true) if has_default(old) && !has_default(new) => {
                self.note(path, "REQUIRED_DEFAULT_REMOVED", true, "it is required and has no default any more");
            }
            _ => {}
        }
    }

    /// The values of a map.
    fn values(&mut self, path: &str, before: &Value, after: &Value) {
        match (before.get("additionalProperties"), after.get("additionalProperties")) {
            (Some(old @ Value::Object(_)), Some(new @ Value::Object(_))) => {
                self.schema(&format!("{path}{{}}"), old, new)
            }
            (None | Some(Value::Bool(true)), Some(Value::Object(_))) if !properties(before).is_empty() => {}
            (None | Some(Value::Bool(true)), Some(Value::Object(_))) => {
                self.note(path, "VALUES_RESTRICTED", true, "its values get a schema");
            }
            (Some(Value::Object(_)), None) if !is_open(after) => {
                self.note(path, "VALUES_REMOVED", true, "it is no map any more");
            }
            _ => {}
        }
    }
}

fn is_set(schema: &Value, flag: &str) -> bool {
    schema.get(flag) == Some(&Value::Bool(true))
}

fn is_open(schema: &Value) -> bool {
    is_set(schema, ANY_FIELDS) || schema.get("additionalProperties") == Some(&Value::Bool(true))
}

fn properties(schema: &Value) -> BTreeMap<&str, &Value> {
    let properties: Option<&Map<String, Value>> = schema.get("properties").and_then(Value::as_object);
    properties.into_iter().flatten().map(|(name, schema)| (name.as_str(), schema)).collect()
}

fn strings(list: Option<&Value>) -> BTreeSet<String> {
    let list = list.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn rules(schema: &Value) -> BTreeSet<String> {
    let rules = schema.get("x-kubernetes-validations").and_then(Value::as_array).into_iter().flatten();
    rules.filter_map(|rule| rule.get("rule").and_then(Value::as_str)).map(str::to_owned).collect()
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn shown(value: Option<&Value>) -> String {
    value.map_or("none".to_owned(), |value| format!("`{}`", plain(value)))
}

#[cfg(test)]
mod tests;
