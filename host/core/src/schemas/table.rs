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

/// What references in other documents may mean, where those do not say it.
pub(super) fn definitions() -> &'static Map<String, Value> {
    &TABLE.definitions
}

fn entry(kind: &Gvk) -> Option<&'static Entry> {
    TABLE.kinds.get(&kind.api_version())?.get(&kind.kind)
}
