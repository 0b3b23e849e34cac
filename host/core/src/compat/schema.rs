//! Two OpenAPI schemas, field by field.
//!
//! The same rules hold for what people write and for the status: an object is
//! checked as a whole, and clients read both. The one exception is in `types`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{ChangeCode, Changes, is_set, listed, strings};

const PRESERVE_UNKNOWN: &str = "x-kubernetes-preserve-unknown-fields";
const INT_OR_STRING: &str = "x-kubernetes-int-or-string";
const RULES: &str = "x-kubernetes-validations";
const LIST_TYPE: &str = "x-kubernetes-list-type";
const LIST_MAP_KEYS: &str = "x-kubernetes-list-map-keys";
const MAP_TYPE: &str = "x-kubernetes-map-type";

/// The bounds: the keyword, the codes for one that is added and for one that is
/// tightened, and whether a larger one is tighter.
const BOUNDS: [(&str, ChangeCode, ChangeCode, bool); 8] = [
    ("minimum", ChangeCode::MinimumAdded, ChangeCode::MinimumIncreased, true),
    ("minLength", ChangeCode::MinLengthAdded, ChangeCode::MinLengthIncreased, true),
    ("minItems", ChangeCode::MinItemsAdded, ChangeCode::MinItemsIncreased, true),
    ("minProperties", ChangeCode::MinPropertiesAdded, ChangeCode::MinPropertiesIncreased, true),
    ("maximum", ChangeCode::MaximumAdded, ChangeCode::MaximumDecreased, false),
    ("maxLength", ChangeCode::MaxLengthAdded, ChangeCode::MaxLengthDecreased, false),
    ("maxItems", ChangeCode::MaxItemsAdded, ChangeCode::MaxItemsDecreased, false),
    ("maxProperties", ChangeCode::MaxPropertiesAdded, ChangeCode::MaxPropertiesDecreased, false),
];

/// The keywords that are compared one by one, and at the end those that say
/// nothing about objects. Whatever else a schema has is a constraint.
const TOLD_APART: [&str; 19] = [
    "type",
    "properties",
    "required",
    "items",
    "additionalProperties",
    "default",
    "description",
    "enum",
    "pattern",
    "format",
    "nullable",
    PRESERVE_UNKNOWN,
    INT_OR_STRING,
    RULES,
    LIST_TYPE,
    LIST_MAP_KEYS,
    MAP_TYPE,
    "title",
    "example",
];

/// What a schema without a type takes.
const ANYTHING: &str = "anything";

/// Adds the differences between two schemas of the field at `path`.
pub(super) fn compare(changes: &mut Changes, path: &str, before: &Value, after: &Value) {
    field(changes, path, (before, false), (after, false));
}

/// Compares two schemas of a field, each with whether the field has to be there.
fn field(changes: &mut Changes, path: &str, before: (&Value, bool), after: (&Value, bool)) {
    presence(changes, path, before, after);
    let (before, after) = (before.0, after.0);
    if before == after {
        return;
    }
    if before.get("description") != after.get("description") {
        changes.add(path, ChangeCode::DescriptionChanged, false, "changes its description");
    }
    if !types(changes, path, before, after) {
        return;
    }
    openness(changes, path, before, after);
    texts(changes, path, before, after);
    choices(changes, path, before.get("enum"), after.get("enum"));
    bounds(changes, path, before, after);
    others(changes, path, before, after);
    rules(changes, path, before, after);
    merging(changes, path, before, after);
    properties(changes, path, before, after);
    elements(changes, path, before, after);
    values(changes, path, before, after);
}

/// Whether a field has to be there, and whether it is filled in.
fn presence(
    changes: &mut Changes,
    path: &str,
    (before, was_required): (&Value, bool),
    (after, is_required): (&Value, bool),
) {
    let (old, new) = (before.get("default"), after.get("default"));
    match (was_required, is_required) {
        (false, true) if new.is_some() => {
            changes.add(path, ChangeCode::RequiredAdded, false, "has to be there now, and is filled in");
        }
        (false, true) => changes.add(path, ChangeCode::RequiredAdded, true, "has to be given now"),
        (true, false) => changes.add(path, ChangeCode::RequiredRemoved, false, "may be left out now"),
        _ => {}
    }
    match (old, new) {
        (old, new) if old == new => {}
        (Some(_), None) if was_required && is_required => {
            changes.add(path, ChangeCode::RequiredDefaultRemoved, true, "has to be given now, for it has no default");
        }
        (Some(_), None) => changes.add(path, ChangeCode::DefaultChanged, false, "has no default any more"),
        (_, new) => {
            let what = format!("has the default {} now", shown(new));
            changes.add(path, ChangeCode::DefaultChanged, false, what);
        }
    }
}

/// Whether both are of one type; if not, nothing else of them can be compared. A
/// wider type breaks those who read.
fn types(changes: &mut Changes, path: &str, before: &Value, after: &Value) -> bool {
    let (old, new) = (type_of(before), type_of(after));
    if old == new {
        return true;
    }
    let code = match (is_set(before, INT_OR_STRING), is_set(after, INT_OR_STRING)) {
        (true, _) => ChangeCode::IntOrStringRemoved,
        (_, true) => ChangeCode::IntOrStringAdded,
        _ => ChangeCode::TypeChanged,
    };
    // Nobody but croft writes the status, and who reads anything reads this.
    let is_only_told_now = old == ANYTHING && is_in_status(path);
    changes.add(path, code, !is_only_told_now, format!("changes its type from {old} to {new}"));
    false
}

fn type_of(schema: &Value) -> &str {
    if is_set(schema, INT_OR_STRING) {
        return "integer or string";
    }
    schema.get("type").and_then(Value::as_str).unwrap_or(ANYTHING)
}

fn is_in_status(path: &str) -> bool {
    path.strip_prefix("status").is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', '{']))
}

/// Fields without a schema, and `null`.
fn openness(changes: &mut Changes, path: &str, before: &Value, after: &Value) {
    match (is_set(before, PRESERVE_UNKNOWN), is_set(after, PRESERVE_UNKNOWN)) {
        (false, true) => {
            changes.add(path, ChangeCode::PreserveUnknownAdded, false, "keeps fields without a schema now");
        }
        (true, false) => {
            changes.add(path, ChangeCode::PreserveUnknownRemoved, true, "drops fields without a schema now");
        }
        _ => {}
    }
    match (is_set(before, "nullable"), is_set(after, "nullable")) {
        (false, true) => changes.add(path, ChangeCode::NullableAdded, false, "may be null now"),
        (true, false) => changes.add(path, ChangeCode::NullableRemoved, true, "may not be null any more"),
        _ => {}
    }
}

/// Pattern and format. Another format is another type in most clients, also if it
/// is wider.
fn texts(changes: &mut Changes, path: &str, before: &Value, after: &Value) {
    match (before.get("pattern"), after.get("pattern")) {
        (old, new) if old == new => {}
        (None, new) => changes.add(path, ChangeCode::PatternAdded, true, format!("has to match {} now", shown(new))),
        (old, None) => {
            changes.add(path, ChangeCode::PatternRemoved, false, format!("need not match {} any more", shown(old)));
        }
        (old, new) => {
            let what = format!("has to match {} now instead of {}", shown(new), shown(old));
            changes.add(path, ChangeCode::PatternChanged, true, what);
        }
    }
    let (old, new) = (before.get("format"), after.get("format"));
    if old != new {
        let what = format!("changes its format from {} to {}", shown(old), shown(new));
        changes.add(path, ChangeCode::FormatChanged, true, what);
    }
}

/// The values of an enumeration.
fn choices(changes: &mut Changes, path: &str, before: Option<&Value>, after: Option<&Value>) {
    let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned();
    match (list(before), list(after)) {
        (None, None) => {}
        (None, Some(new)) => {
            changes.add(path, ChangeCode::EnumRestricted, true, format!("has to be {} now", any_of(&new)));
        }
        (Some(old), None) => {
            changes.add(path, ChangeCode::EnumExpanded, false, format!("need not be {} any more", any_of(&old)));
        }
        (Some(old), Some(new)) => {
            let lost: Vec<Value> = old.iter().filter(|value| !new.contains(value)).cloned().collect();
            let gained: Vec<Value> = new.iter().filter(|value| !old.contains(value)).cloned().collect();
            if !lost.is_empty() {
                let what = format!("may not be {} any more", any_of(&lost));
                changes.add(path, ChangeCode::EnumRestricted, true, what);
            }
            if !gained.is_empty() {
                changes.add(path, ChangeCode::EnumExpanded, false, format!("may also be {}", any_of(&gained)));
            }
        }
    }
}

/// `` `a` or `b` ``.
fn any_of(values: &[Value]) -> String {
    let values: Vec<String> = values.iter().map(|value| shown(Some(value))).collect();
    values.join(" or ")
}

fn bounds(changes: &mut Changes, path: &str, before: &Value, after: &Value) {
    for (keyword, added, tightened, larger_is_tighter) in BOUNDS {
        match (before.get(keyword), after.get(keyword)) {
            (None, None) => {}
            (None, Some(new)) => changes.add(path, added, true, format!("has the {keyword} {new} now")),
            (Some(old), None) => {
                let what = format!("has no {keyword} any more, it was {old}");
                changes.add(path, ChangeCode::ConstraintRelaxed, false, what);
            }
            (Some(old), Some(new)) if old.as_f64() != new.as_f64() => {
                let is_tighter = (new.as_f64() > old.as_f64()) == larger_is_tighter;
                let code = if is_tighter { tightened } else { ChangeCode::ConstraintRelaxed };
                changes.add(path, code, is_tighter, format!("changes its {keyword} from {old} to {new}"));
            }
            (Some(_), Some(_)) => {}
        }
    }
}

/// Keywords that have no code of their own, such as `oneOf` and `uniqueItems`.
/// What an extension means is not known, so that also its end may break.
fn others(changes: &mut Changes, path: &str, before: &Value, after: &Value) {
    let schemas = [before, after].into_iter().filter_map(Value::as_object).flatten();
    let keywords: BTreeSet<&str> = schemas.map(|(keyword, _)| keyword.as_str()).collect();
    for keyword in keywords.into_iter().filter(|keyword| !is_told_apart(keyword)) {
        match (constraint(before, keyword), constraint(after, keyword)) {
            (old, new) if old == new => {}
            (None, _) => {
                changes.add(path, ChangeCode::ConstraintAdded, true, format!("is constrained by `{keyword}` now"));
            }
            (_, None) if !keyword.starts_with("x-") => {
                let what = format!("is not constrained by `{keyword}` any more");
                changes.add(path, ChangeCode::ConstraintRelaxed, false, what);
            }
            _ => changes.add(path, ChangeCode::ConstraintChanged, true, format!("changes its `{keyword}`")),
        }
    }
}

fn is_told_apart(keyword: &str) -> bool {
    TOLD_APART.contains(&keyword) || BOUNDS.iter().any(|(bound, ..)| *bound == keyword)
}

/// `uniqueItems: false` is the same as nothing.
fn constraint<'a>(schema: &'a Value, keyword: &str) -> Option<&'a Value> {
    schema.get(keyword).filter(|value| **value != Value::Bool(false))
}

fn rules(changes: &mut Changes, path: &str, before: &Value, after: &Value) {
    let (old, new) = (rules_of(before), rules_of(after));
    for (rule, said) in &new {
        match old.get(rule) {
            None => changes.add(path, ChangeCode::ValidationAdded, true, format!("has to fulfil {rule} now")),
            Some(before) if before != said => {
                let what = format!("says something else now where {rule} is not fulfilled");
                changes.add(path, ChangeCode::ValidationChanged, false, what);
            }
            Some(_) => {}
        }
    }
    for rule in old.keys().filter(|rule| !new.contains_key(*rule)) {
        changes.add(path, ChangeCode::ValidationRemoved, false, format!("need not fulfil {rule} any more"));
    }
}

/// The rules by what they ask for, each with all that it says.
fn rules_of(schema: &Value) -> BTreeMap<String, &Value> {
    let rules = schema.get(RULES).and_then(Value::as_array).into_iter().flatten();
    let asked = |rule: &Value| {
        let also_first = if is_set(rule, "optionalOldSelf") { " (also when it is created)" } else { "" };
        format!("{}{also_first}", shown(rule.get("rule")))
    };
    rules.map(|rule| (asked(rule), rule)).collect()
}

/// How the writes of several clients come together.
fn merging(changes: &mut Changes, path: &str, before: &Value, after: &Value) {
    for (keyword, usual, code, what) in [
        (LIST_TYPE, "atomic", ChangeCode::ListTypeChanged, "list type"),
        (MAP_TYPE, "granular", ChangeCode::MapTypeChanged, "map type"),
    ] {
        let word = |schema: &Value| schema.get(keyword).and_then(Value::as_str).unwrap_or(usual).to_owned();
        let (old, new) = (word(before), word(after));
        if old != new {
            changes.add(path, code, true, format!("changes its {what} from `{old}` to `{new}`"));
        }
    }
    let (old, new) = (strings(before.get(LIST_MAP_KEYS)), strings(after.get(LIST_MAP_KEYS)));
    if old != new {
        let what = format!("changes the keys of its elements from {} to {}", listed(&old), listed(&new));
        changes.add(path, ChangeCode::ListMapKeysChanged, true, what);
    }
}

fn properties(changes: &mut Changes, path: &str, before: &Value, after: &Value) {
    let (old, new) = (properties_of(before), properties_of(after));
    let (was_required, is_required) = (strings(before.get("required")), strings(after.get("required")));
    // What has to be there need not have a schema.
    let mut names: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
    names.extend(was_required.iter().chain(&is_required).map(String::as_str));
    for name in names {
        let (below, is_required) = (join(path, name), is_required.contains(name));
        match (old.get(name).copied(), new.get(name).copied()) {
            (Some(_), None) => changes.add(&below, ChangeCode::PropertyRemoved, true, "is removed"),
            (None, Some(schema)) => added(changes, &below, before, (schema, is_required)),
            (old, new) => {
                let (old, new) = (old.unwrap_or(&Value::Null), new.unwrap_or(&Value::Null));
                field(changes, &below, (old, was_required.contains(name)), (new, is_required));
            }
        }
    }
}

/// A field that had no schema. Where fields of any name were kept, objects may
/// have it already.
fn added(changes: &mut Changes, path: &str, parent_before: &Value, (schema, is_required): (&Value, bool)) {
    let was_open = is_set(parent_before, PRESERVE_UNKNOWN) || values_of(parent_before).is_some();
    if is_required && schema.get("default").is_none() {
        changes.add(path, ChangeCode::RequiredAdded, true, "is new and has to be given");
    } else if was_open && type_of(schema) != ANYTHING {
        let what = format!("could be anything and is {} now", type_of(schema));
        changes.add(path, ChangeCode::PropertyAdded, !is_in_status(path), what);
    } else {
        changes.add(path, ChangeCode::PropertyAdded, false, "is new");
    }
}

fn elements(changes: &mut Changes, path: &str, before: &Value, after: &Value) {
    compare(changes, &format!("{path}[]"), &before["items"], &after["items"]);
}

/// The values of a map.
fn values(changes: &mut Changes, path: &str, before: &Value, after: &Value) {
    match (values_of(before), values_of(after)) {
        (None, None) => {}
        (Some(old), Some(new)) => compare(changes, &format!("{path}{{}}"), old, new),
        (None, Some(_)) => {
            let was_open = is_set(before, PRESERVE_UNKNOWN);
            let what = if was_open { "has a schema for all its values now" } else { "keeps fields of any name now" };
            changes.add(path, ChangeCode::AdditionalPropertiesAdded, was_open, what);
        }
        (Some(_), None) => {
            let is_open = is_set(after, PRESERVE_UNKNOWN);
            let what =
                if is_open { "has no schema for its values any more" } else { "keeps only fields that it names now" };
            changes.add(path, ChangeCode::AdditionalPropertiesRemoved, !is_open, what);
        }
    }
}

/// The schema of a map's values; `true` stands for one that takes anything.
fn values_of(schema: &Value) -> Option<&Value> {
    constraint(schema, "additionalProperties")
}

fn properties_of(schema: &Value) -> BTreeMap<&str, &Value> {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.into_iter().flatten().map(|(name, schema)| (name.as_str(), schema)).collect()
}

/// `a.b`, and `a["b.c"]` for a name that is none of an ordinary field.
fn join(path: &str, name: &str) -> String {
    let is_plain = name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
    match (path, is_plain) {
        (path, false) => format!("{path}[{}]", Value::from(name)),
        ("", true) => name.to_owned(),
        (path, true) => format!("{path}.{name}"),
    }
}

/// A value in backticks, a string without its quotes; `none` if there is none.
fn shown(value: Option<&Value>) -> String {
    match value {
        None => "none".to_owned(),
        Some(Value::String(text)) => format!("`{text}`"),
        Some(value) => format!("`{value}`"),
    }
}
