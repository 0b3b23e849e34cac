//! The kinds that Kubernetes itself serves, for working without a server that
//! has them: a file that `cargo xtask schemas` makes, see `README.md`.

use std::{collections::BTreeMap, sync::LazyLock};

use contract::{Gvk, Schema};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::expand::expand;
use crate::kinds::Kind;

/// A constant, if Rust could read JSON when it compiles: read at its first use,
/// which takes some milliseconds.
static TABLE: LazyLock<Table> =
    LazyLock::new(|| serde_json::from_str(include_str!("builtin.json")).expect("a test reads the same file"));

#[derive(Deserialize)]
struct Table {
    /// By the name that references use.
    definitions: Map<String, Value>,
    /// By `apiVersion`, then kind.
    kinds: BTreeMap<String, BTreeMap<String, Entry>>,
}

#[derive(Deserialize)]
struct Entry {
    definition: String,
    #[serde(flatten)]
    address: Kind,
}

/// The schema of one of Kubernetes' own kinds.
pub fn builtin(kind: &Gvk) -> Option<Schema> {
    let Entry { definition, address: Kind { plural, scope } } = entry(kind)?;
    let openapi = expand(definition, &[&TABLE.definitions]);
    Some(Schema { kind: kind.clone(), plural: plural.clone(), scope: *scope, openapi })
}

/// How one of Kubernetes' own kinds is addressed.
pub fn address(kind: &Gvk) -> Option<Kind> {
    entry(kind).map(|entry| entry.address.clone())
}

/// The kind that a misspelt one may mean, or one of another version.
pub(super) fn similar(kind: &Gvk) -> Option<Gvk> {
    let of = |api_version: &str, name: &str| {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Gvk { group: group.to_owned(), version: version.to_owned(), kind: name.to_owned() }
    };
    let own = kind.api_version();
    let distance = |name: &str| strsim::damerau_levenshtein(&name.to_lowercase(), &kind.kind.to_lowercase());
    let misspelt = TABLE.kinds.get(&own).into_iter().flat_map(BTreeMap::keys).map(|name| (distance(name), name)).min();
    // A fifth of the letters may be wrong.
    if let Some((_, name)) = misspelt.filter(|(distance, name)| distance * 5 <= name.len()) {
        return Some(of(&own, name));
    }
    let elsewhere = TABLE.kinds.iter().filter(|(_, kinds)| kinds.contains_key(&kind.kind)).map(|(version, _)| version);
    // A stable version before a beta, and few of these groups are anybody else's.
    let best = elsewhere.min_by_key(|version| (version.contains("beta"), version.len()))?;
    (kind.group.is_empty() || kind.group.ends_with(".k8s.io") || !kind.group.contains('.'))
        .then(|| of(best, &kind.kind))
}

/// What references in other documents may mean, where those do not say it.
pub(super) fn definitions() -> &'static Map<String, Value> {
    &TABLE.definitions
}

fn entry(kind: &Gvk) -> Option<&'static Entry> {
    TABLE.kinds.get(&kind.api_version())?.get(&kind.kind)
}
