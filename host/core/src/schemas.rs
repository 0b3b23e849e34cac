//! What objects of a kind look like, for modules that check what they make of a
//! definition: schemas out of OpenAPI documents, out of CRDs, and out of a table
//! of Kubernetes' own kinds.
//!
//! It checks no object, asks no server and reads no file; `kcp::openapi` and
//! `cli::definition` bring the documents.

mod custom;
mod document;
mod expand;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use contract::{Gvk, Schema};
use serde_json::{Value, json};

pub use document::Document;
pub use table::{address, builtin};

use crate::kinds::Kind;

/// The mark in a schema of a kind that the host does not know, by which a module
/// tells it from one that takes any fields.
pub const UNKNOWN: &str = "x-croft-unknown";
/// Beside it, one of Kubernetes' own kinds that may be meant: `apps/v1 Deployment`.
const SIMILAR: &str = "x-croft-similar";

/// Schemas that somebody gave, by kind.
#[derive(Clone, Debug, Default)]
pub struct Schemas {
    custom: BTreeMap<Gvk, custom::Version>,
    documents: Vec<Document>,
}

/// Why a document gives no schemas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is none of those that have some.
    #[error("this is neither a CustomResourceDefinition, an APIResourceSchema nor an OpenAPI v3 document")]
    NoSource,
    /// A CRD or an APIResourceSchema does not say whose schemas it has.
    #[error("a field is missing without which its schemas belong to no kind")]
    Incomplete {
        /// A JSON pointer to the field.
        at: &'static str,
    },
}

impl Error {
    /// One PascalCase word that classifies it, as the problems of modules have.
    pub fn code(&self) -> &'static str {
        match self {
            Error::NoSource => "UnexpectedDocument",
            Error::Incomplete { .. } => "MissingField",
        }
    }

    /// A JSON pointer to where the document is wrong.
    pub fn at(&self) -> &'static str {
        match self {
            Error::NoSource => "/kind",
            Error::Incomplete { at } => at,
        }
    }

    /// What would be right.
    pub fn hint(&self) -> &'static str {
        match self {
            Error::NoSource => {
                "such documents are printed by `kubectl get crd NAME -o yaml`, and by \
                 `kubectl get --raw /openapi/v3/apis/GROUP/VERSION`"
            }
            Error::Incomplete { .. } => "give the whole object, as a server has it",
        }
    }
}

impl Schemas {
    /// Adds what a document says. Of two that say something of one kind the
    /// later counts; CRDs and APIResourceSchemas count before OpenAPI documents.
    ///
    /// # Errors
    /// It says nothing of any kind.
    pub fn add(&mut self, document: &Value) -> Result<(), Error> {
        if custom::is_source(document) {
            let versions = custom::versions(document)?;
            self.custom.extend(versions.into_iter().map(|version| (version.kind.clone(), version)));
            return Ok(());
        }
        self.documents.push(Document::new(document.clone()).ok_or(Error::NoSource)?);
        Ok(())
    }

    /// The schema of a kind.
    pub fn get(&self, kind: &Gvk) -> Option<Schema> {
        let custom = self.custom.get(kind).map(custom::Version::schema);
        custom.or_else(|| self.documents.iter().rev().find_map(|document| document.schema(kind)))
    }

    /// How a kind is addressed.
    pub fn address(&self, kind: &Gvk) -> Option<Kind> {
        match self.custom.get(kind) {
            Some(version) => Some(version.address.clone()),
            None => self.documents.iter().rev().find_map(|document| document.address(kind)),
        }
    }
}

/// Whether `Schemas::add` knows what to do with a document.
pub fn is_source(document: &Value) -> bool {
    custom::is_source(document) || document::is_openapi(document)
}

/// What to say of a kind that nobody knows: it may have any fields, and the mark
/// `x-croft-unknown`.
pub fn unknown(kind: Gvk, address: Kind) -> Schema {
    let mut openapi = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true, UNKNOWN: true});
    if let Some(similar) = table::similar(&kind) {
        openapi[SIMILAR] = format!("{} {}", similar.api_version(), similar.kind).into();
    }
    Schema { kind, plural: address.plural, scope: address.scope, openapi }
}
