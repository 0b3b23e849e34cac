//! What changes for those who use an API when it is published anew, and whether
//! that breaks them.
//!
//! A change breaks if an object that was valid may not be any more, or if a
//! client that got along may not any more. The codes are kro's where kro has
//! one; beyond kro it compares the values of maps, rules, formats, `null`, list
//! types, names, scope and columns. It decides nothing about publishing.

mod code;
mod schema;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde_json::Value;

pub use self::code::ChangeCode;
use crate::object;

/// One difference between two versions of an API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What changed.
    pub code: ChangeCode,
    /// The field, such as `spec.ports[].name` or `spec.labels{}`; empty for the
    /// API itself.
    pub path: String,
    /// Whether an object or a client that was right before may not be right any
    /// more.
    pub breaking: bool,
    /// What changed, in one sentence that names the field.
    pub message: String,
    /// What to do instead, if it breaks and can be avoided.
    pub hint: Option<&'static str>,
}

/// The sentence and the code: `` `spec.loud` is removed (PROPERTY_REMOVED) ``.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.code)
    }
}

/// The differences between two APIs, each the `spec` of a
/// CustomResourceDefinition or of an APIResourceSchema, sorted by path and code.
/// Versions that are not served count as not there; the paths do not tell
/// versions apart.
pub fn compare_crds(before: &Value, after: &Value) -> Vec<Change> {
    let mut changes = Changes::default();
    names(&mut changes, before, after);
    lists_of_names(&mut changes, before, after);
    versions(&mut changes, before, after);
    changes.sorted()
}

/// The differences between two `openAPIV3Schema`, each of a whole object, sorted
/// by path and code.
pub fn compare(before: &Value, after: &Value) -> Vec<Change> {
    let mut changes = Changes::default();
    schema::compare(&mut changes, "", before, after);
    changes.sorted()
}

/// The API that an object describes, if it is a CustomResourceDefinition or an
/// APIResourceSchema: what `compare_crds` takes.
pub fn api_of(object: &Value) -> Option<&Value> {
    let describes = matches!(object::text(object, "/kind"), "CustomResourceDefinition" | "APIResourceSchema");
    if describes { object.get("spec") } else { None }
}

/// What was found so far.
#[derive(Default)]
struct Changes(Vec<Change>);

impl Changes {
    /// `what` goes on where the sentence has named the field, or the API.
    fn add(&mut self, path: &str, code: ChangeCode, breaking: bool, what: impl fmt::Display) {
        let message = if path.is_empty() { format!("the API {what}") } else { format!("`{path}` {what}") };
        let hint = if breaking { code.hint() } else { None };
        self.0.push(Change { code, path: path.to_owned(), breaking, message, hint });
    }

    fn sorted(self) -> Vec<Change> {
        fn key(change: &Change) -> (&str, &str, &str) {
            (&change.path, change.code.word(), &change.message)
        }
        let mut changes = self.0;
        changes.sort_by(|a, b| key(a).cmp(&key(b)));
        changes.dedup();
        changes
    }
}

/// Everything that paths, manifests and command lines name the API by.
fn names(changes: &mut Changes, before: &Value, after: &Value) {
    let text = |api: &Value, pointer: &str| object::text(api, pointer).to_owned();
    for (pointer, code, what) in [
        ("/group", ChangeCode::GroupChanged, "group"),
        ("/scope", ChangeCode::ScopeChanged, "scope"),
        ("/names/kind", ChangeCode::KindChanged, "kind"),
        ("/names/plural", ChangeCode::PluralChanged, "plural"),
    ] {
        renamed(changes, code, what, (text(before, pointer), text(after, pointer)));
    }
    // These are made from the kind where they are left out, and change with it.
    if text(before, "/names/kind") == text(after, "/names/kind") {
        renamed(changes, ChangeCode::SingularChanged, "singular", (singular(before), singular(after)));
        renamed(changes, ChangeCode::ListKindChanged, "list kind", (list_kind(before), list_kind(after)));
    }
}

fn renamed(changes: &mut Changes, code: ChangeCode, what: &str, (old, new): (String, String)) {
    if old != new {
        changes.add("", code, true, format!("changes its {what} from `{old}` to `{new}`"));
    }
}

fn singular(api: &Value) -> String {
    match object::text(api, "/names/singular") {
        "" => object::text(api, "/names/kind").to_lowercase(),
        singular => singular.to_owned(),
    }
}

fn list_kind(api: &Value) -> String {
    match object::text(api, "/names/listKind") {
        "" => format!("{}List", object::text(api, "/names/kind")),
        kind => kind.to_owned(),
    }
}

/// Short names are typed by people and scripts. A category only groups: without
/// it a list is shorter.
fn lists_of_names(changes: &mut Changes, before: &Value, after: &Value) {
    for (pointer, code, what, is_typed) in [
        ("/names/shortNames", ChangeCode::ShortNamesChanged, "short names", true),
        ("/names/categories", ChangeCode::CategoriesChanged, "categories", false),
    ] {
        let (old, new) = (strings(before.pointer(pointer)), strings(after.pointer(pointer)));
        if old != new {
            let is_lost = old.difference(&new).next().is_some();
            let what = format!("changes its {what} from {} to {}", listed(&old), listed(&new));
            changes.add("", code, is_typed && is_lost, what);
        }
    }
}

fn versions(changes: &mut Changes, before: &Value, after: &Value) {
    let (before, after) = (served(before), served(after));
    for (name, old) in &before {
        match after.get(name) {
            Some(new) => version(changes, old, new),
            None => {
                changes.add("", ChangeCode::VersionRemoved, true, format!("does not serve `{name}` any more"));
            }
        }
    }
    for name in after.keys().filter(|name| !before.contains_key(*name)) {
        changes.add("", ChangeCode::VersionAdded, false, format!("serves `{name}` now"));
    }
}

fn version(changes: &mut Changes, before: &Value, after: &Value) {
    let columns = |version: &Value| {
        version.get("additionalPrinterColumns").and_then(Value::as_array).cloned().unwrap_or_default()
    };
    if columns(before) != columns(after) {
        changes.add("", ChangeCode::PrinterColumnsChanged, false, "shows other columns in lists");
    }
    match (is_set(before, "deprecated"), is_set(after, "deprecated")) {
        (false, true) => changes.add("", ChangeCode::DeprecationChanged, false, "is deprecated now"),
        (true, false) => changes.add("", ChangeCode::DeprecationChanged, false, "is not deprecated any more"),
        _ => {}
    }
    let subresources = |version: &Value| -> BTreeSet<String> {
        let subresources = version.get("subresources").and_then(Value::as_object);
        subresources.into_iter().flatten().map(|(name, _)| name.clone()).collect()
    };
    for name in subresources(before).difference(&subresources(after)) {
        let what = format!("does not serve the subresource `{name}` any more");
        changes.add("", ChangeCode::SubresourceRemoved, true, what);
    }
    schema::compare(changes, "", schema_of(before), schema_of(after));
}

/// The versions that are served, by name.
fn served(api: &Value) -> BTreeMap<&str, &Value> {
    let versions = api.get("versions").and_then(Value::as_array).into_iter().flatten();
    let served = versions.filter(|version| version["served"] != false);
    served.map(|version| (object::text(version, "/name"), version)).collect()
}

/// A CRD wraps its schema, an APIResourceSchema does not.
fn schema_of(version: &Value) -> &Value {
    version.pointer("/schema/openAPIV3Schema").unwrap_or(&version["schema"])
}

fn is_set(object: &Value, flag: &str) -> bool {
    object.get(flag) == Some(&Value::Bool(true))
}

fn strings(list: Option<&Value>) -> BTreeSet<String> {
    let list = list.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// `` `a`, `b` ``, or `none`.
fn listed(names: &BTreeSet<String>) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests;
