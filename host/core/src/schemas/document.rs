//! One OpenAPI v3 document, as a server publishes it for a group and version.
//!
//! It is as trustworthy as the server: a consumer's own APIs are in it, so that
//! schemas are only taken out of it through `expand`, which bounds them.

use contract::{Gvk, Schema, Scope};
use serde_json::{Map, Value};

use super::{expand::expand, table};
use crate::kinds::{self, Kind};

/// The extension by which schemas and requests say of which kind they are.
const KIND: &str = "x-kubernetes-group-version-kind";

/// The schemas and the paths of an OpenAPI v3 document.
#[derive(Clone, Debug)]
pub struct Document {
    schemas: Map<String, Value>,
    paths: Map<String, Value>,
}

/// Whether a document is one of OpenAPI v3.
pub(super) fn is_openapi(document: &Value) -> bool {
    document.get("openapi").and_then(Value::as_str).is_some_and(|version| version.starts_with("3."))
}

impl Document {
    /// Reads a document; `None` if it is not one of OpenAPI v3.
    pub fn new(mut document: Value) -> Option<Document> {
        if !is_openapi(&document) {
            return None;
        }
        let mut part = |pointer: &str| match document.pointer_mut(pointer).map(Value::take) {
            Some(Value::Object(fields)) => fields,
            // A group without resources has no schemas.
            _ => Map::new(),
        };
        Some(Document { schemas: part("/components/schemas"), paths: part("/paths") })
    }

    /// The schema of a kind, if the document has one.
    pub fn schema(&self, kind: &Gvk) -> Option<Schema> {
        let is_it = |(_, schema): &(&String, &Value)| {
            schema.get(KIND).and_then(Value::as_array).is_some_and(|kinds| kinds.iter().any(|other| names(other, kind)))
        };
        let (name, _) = self.schemas.iter().find(is_it)?;
        let openapi = expand(name, &[&self.schemas, table::definitions()]);
        let Kind { plural, scope } =
            self.address(kind).or_else(|| kinds::builtin(kind)).unwrap_or_else(|| kinds::guess(kind));
        Some(Schema { kind: kind.clone(), plural, scope, openapi })
    }

    /// How a kind is addressed, if a path of the document is about it.
    pub fn address(&self, kind: &Gvk) -> Option<Kind> {
        let root = match kind.group.as_str() {
            "" => format!("/api/{}/", kind.version),
            group => format!("/apis/{group}/{}/", kind.version),
        };
        let mut found = None;
        for (path, requests) in &self.paths {
            let about_it = || requests.as_object().is_some_and(|all| all.values().any(|one| is_about(one, kind)));
            match path.strip_prefix(&root).and_then(collection).filter(|_| about_it()) {
                // Namespaced kinds can be listed across namespaces too.
                Some((plural, Scope::Namespaced)) => {
                    return Some(Kind { plural: plural.to_owned(), scope: Scope::Namespaced });
                }
                Some((plural, scope)) => found = Some(Kind { plural: plural.to_owned(), scope }),
                None => {}
            }
        }
        found
    }
}

fn is_about(request: &Value, kind: &Gvk) -> bool {
    request.get(KIND).is_some_and(|other| names(other, kind))
}

fn names(value: &Value, kind: &Gvk) -> bool {
    value["group"] == kind.group && value["version"] == kind.version && value["kind"] == kind.kind
}

/// The resource that a path below its group and version lists, and its scope.
/// Objects and their subresources have longer paths.
fn collection(path: &str) -> Option<(&str, Scope)> {
    let parts: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    match parts.as_slice() {
        [plural] => Some((*plural, Scope::Cluster)),
        ["namespaces", "{namespace}", plural] => Some((*plural, Scope::Namespaced)),
        _ => None,
    }
}
