//! The one internal form of a definition: what every front end maps onto and
//! everything else works from.
//!
//! It holds what was written, with the place where it was written; `check` says
//! whether that makes sense.

use std::collections::BTreeMap;

use guest_sdk::{Gvk, Scope};
use serde_json::{Map, Value};

use crate::problem::Pointer;

/// Whose rules a definition follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// `ResourceGroup` of kro v0.1.
    V01,
    /// `ResourceGraphDefinition` of kro v0.9.
    V09,
}

/// A definition of an API and of the resources behind each of its instances.
#[derive(Debug)]
pub(crate) struct Definition {
    /// Whose rules it follows.
    pub(crate) dialect: Dialect,
    /// The API's group.
    pub(crate) group: String,
    /// The API's version, such as `v1alpha1`.
    pub(crate) version: String,
    /// The API's kind.
    pub(crate) kind: String,
    /// Whether instances live in a namespace.
    pub(crate) scope: Scope,
    /// Other names of the API's resource, such as `wa`.
    pub(crate) short_names: Vec<String>,
    /// The groups of resources that it belongs to, such as `all`.
    pub(crate) categories: Vec<String>,
    /// The labels of the CRD.
    pub(crate) crd_labels: BTreeMap<String, String>,
    /// The annotations of the CRD.
    pub(crate) crd_annotations: BTreeMap<String, String>,
    /// The printer columns that stand instead of the usual ones, as the CRD
    /// has them.
    pub(crate) printer_columns: Option<Vec<Value>>,
    /// Where `version`, `kind` and all that describes the API are written.
    pub(crate) schema_at: Pointer,
    /// The fields of `spec`, in SimpleSchema.
    pub(crate) spec: Map<String, Value>,
    /// The types that `spec` may use by name, in SimpleSchema.
    pub(crate) types: Map<String, Value>,
    /// The fields of `status`, with expressions; without `conditions` if those
    /// are stated as texts.
    pub(crate) status: Map<String, Value>,
    /// The conditions that instances get besides the usual ones: texts that
    /// must be one expression each.
    pub(crate) conditions: Vec<String>,
    /// The resources, in the order in which they were written.
    pub(crate) resources: Vec<Resource>,
    /// The ids of resources of which nothing else can be read.
    pub(crate) unreadable: Vec<String>,
}

impl Definition {
    /// A message as kro of this dialect puts it.
    pub(crate) fn says(&self, prefix: &str, message: &str) -> String {
        match self.dialect {
            Dialect::V01 => message.to_owned(),
            Dialect::V09 => format!("{prefix}: {message}"),
        }
    }

    /// Where the fields of `spec` are written.
    pub(crate) fn spec_at(&self) -> Pointer {
        self.schema_at.field("spec")
    }

    /// Where the types are written.
    pub(crate) fn types_at(&self) -> Pointer {
        self.schema_at.field("types")
    }

    /// Where the fields of `status` are written.
    pub(crate) fn status_at(&self) -> Pointer {
        self.schema_at.field("status")
    }

    /// Where a condition is written.
    pub(crate) fn condition_at(&self, index: usize) -> Pointer {
        self.status_at().field("conditions").index(index)
    }
}

/// One resource of a definition.
#[derive(Debug)]
pub(crate) struct Resource {
    /// Its name within the definition.
    pub(crate) id: String,
    /// Where it is written.
    pub(crate) at: Pointer,
    /// Which of the definition's resources it is, counted from zero.
    pub(crate) index: usize,
    /// What it is.
    pub(crate) body: Body,
    /// When an observed object counts as ready: templates that must be one
    /// expression each.
    pub(crate) ready_when: Vec<String>,
    /// Whether it is there at all: likewise.
    pub(crate) include_when: Vec<String>,
    /// The dimensions along which it is repeated, the outermost first: the
    /// iterator's name, and a template that must be one expression. One that
    /// cannot be read is two empty texts.
    pub(crate) for_each: Vec<(String, String)>,
}

/// What a resource is.
#[derive(Debug)]
pub(crate) enum Body {
    /// An object to create, with expressions.
    Template(Map<String, Value>),
    /// Objects of somebody else, to be read.
    External {
        /// Where the reference is written.
        at: Pointer,
        /// Such as `apps/v1`.
        api_version: String,
        /// Such as `Deployment`.
        kind: String,
        /// Where the objects are, with expressions.
        namespace: Option<String>,
        /// Which objects.
        select: Select,
    },
}

/// Which objects an external reference means.
#[derive(Debug)]
pub(crate) enum Select {
    /// The one of this name, with expressions.
    Name(String),
    /// All that a label selector picks: `matchLabels`, `matchExpressions`, with
    /// expressions in its values.
    Labels(Value),
}

impl Resource {
    /// The `apiVersion` and `kind` of its objects, as they are written.
    pub(crate) fn type_names(&self) -> Option<(&str, &str)> {
        match &self.body {
            Body::Template(template) => Some((template.get("apiVersion")?.as_str()?, template.get("kind")?.as_str()?)),
            Body::External { api_version, kind, .. } => Some((api_version, kind)),
        }
    }

    /// The kind of its objects, if it names one literally.
    pub(crate) fn gvk(&self) -> Option<Gvk> {
        let (api_version, kind) = self.type_names()?;
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Some(Gvk { group: group.to_owned(), version: version.to_owned(), kind: kind.to_owned() })
    }

    /// Where a condition for its being ready is written.
    pub(crate) fn ready_when_at(&self, index: usize) -> Pointer {
        self.at.field("readyWhen").index(index)
    }

    /// Where a condition for its being there is written.
    pub(crate) fn include_when_at(&self, index: usize) -> Pointer {
        self.at.field("includeWhen").index(index)
    }

    /// Where the expression of a dimension is written.
    pub(crate) fn for_each_at(&self, index: usize) -> Pointer {
        let dimension = self.at.field("forEach").index(index);
        match self.for_each.get(index) {
            Some((iterator, _)) if !iterator.is_empty() => dimension.field(iterator),
            _ => dimension,
        }
    }
}
