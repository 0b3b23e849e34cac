//! The one internal form of a definition: what every front end maps onto and
//! everything else works from.
//!
//! It holds what was written, with the place where it was written; `check` says
//! whether that makes sense.

use guest_sdk::Gvk;
use serde_json::{Map, Value};

use crate::problem::Pointer;

/// A definition of an API and of the resources behind each of its instances.
#[derive(Debug)]
pub(crate) struct Definition {
    /// The API's group.
    pub(crate) group: String,
    /// The API's version, such as `v1alpha1`.
    pub(crate) version: String,
    /// The API's kind.
    pub(crate) kind: String,
    /// Where `version` and `kind` are written.
    pub(crate) schema_at: Pointer,
    /// The fields of `spec`, in SimpleSchema.
    pub(crate) spec: Map<String, Value>,
    /// The fields of `status`, with expressions.
    pub(crate) status: Map<String, Value>,
    /// The resources, in the order in which they were written.
    pub(crate) resources: Vec<Resource>,
}

/// One resource of a definition.
#[derive(Debug)]
pub(crate) struct Resource {
    /// Its name within the definition.
    pub(crate) id: String,
    /// Where it is written.
    pub(crate) at: Pointer,
    /// The object, with expressions.
    pub(crate) template: Map<String, Value>,
    /// When an observed object counts as ready: templates that must be one
    /// expression each.
    pub(crate) ready_when: Vec<String>,
    /// Whether it is there at all: likewise.
    pub(crate) include_when: Vec<String>,
}

impl Resource {
    /// The kind of its objects, if the template names one literally.
    pub(crate) fn gvk(&self) -> Option<Gvk> {
        let text = |name: &str| self.template.get(name).and_then(Value::as_str);
        let (api_version, kind) = (text("apiVersion")?, text("kind")?);
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Some(Gvk { group: group.to_owned(), version: version.to_owned(), kind: kind.to_owned() })
    }
}
