//! What the provider's workspace has before something is published in it: whose
//! the resources are that the children need, and whether the layout goes with
//! what is there.
//!
//! What follows from it is `host_core::identity`'s and `host_core::publish`'s to say.

use contract::{Gvk, Scope};
use host_core::{
    identity,
    kinds::{self, Kind, Kinds},
    object,
    publish::{self, Options, Publication},
    shell,
};
use kcp::Cluster;
use serde_json::Value;

use crate::{cli::definition::Definition, report::Failure};

/// Stands for an identity in a rehearsal.
const COMING: &str = "coming";

/// The exports and bindings of a workspace.
pub(super) struct Workspace<'a> {
    cluster: &'a Cluster,
    name: String,
    bindings: Vec<Value>,
    exports: Vec<Value>,
}

impl Workspace<'_> {
    pub(super) async fn look<'a>(cluster: &'a Cluster, name: &str) -> Result<Workspace<'a>, Failure> {
        let list = async |resource: &str| {
            let found = super::read(cluster, &format!("/apis/apis.kcp.io/v1alpha2/{resource}")).await?;
            Ok::<_, Failure>(found.map(|list| items(&list)).unwrap_or_default())
        };
        let (bindings, exports) = (list("apibindings").await?, list("apiexports").await?);
        Ok(Workspace { cluster, name: name.to_owned(), bindings, exports })
    }

    /// The export of this name.
    pub(super) fn export(&self, name: &str) -> Option<&Value> {
        self.exports.iter().find(|export| object::text(export, "/metadata/name") == name)
    }

    /// The definition's kinds, with those that only this workspace knows.
    pub(super) async fn kinds(&self, definition: &Definition) -> Result<Kinds, Failure> {
        let mut kinds = definition.kinds.clone();
        for used in &definition.prepared.blueprint.kinds {
            if kinds.contains_key(&used.kind) || kinds::builtin(&used.kind).is_some() {
                continue;
            }
            if let Some(kind) = self.kind(&used.kind).await? {
                kinds.insert(used.kind.clone(), kind);
            }
        }
        Ok(kinds)
    }

    /// A kind as the workspace serves it, or as one of its exports does.
    async fn kind(&self, kind: &Gvk) -> Result<Option<Kind>, Failure> {
        if let Some(served) = super::read(self.cluster, &format!("/apis/{}", kind.api_version())).await?
            && let Some(found) = kinds::discovered(&served, &kind.kind)
        {
            return Ok(Some(found));
        }
        for resource in self.exports.iter().flat_map(|export| list(export, "/spec/resources")) {
            if object::text(resource, "/group") != kind.group {
                continue;
            }
            let path = format!("/apis/apis.kcp.io/v1alpha1/apiresourceschemas/{}", object::text(resource, "/schema"));
            let Some(schema) = super::read(self.cluster, &path).await? else { continue };
            if object::text(&schema, "/spec/names/kind") == kind.kind {
                let namespaced = object::text(&schema, "/spec/scope") == "Namespaced";
                let scope = if namespaced { Scope::Namespaced } else { Scope::Cluster };
                return Ok(Some(Kind { plural: object::text(resource, "/name").to_owned(), scope }));
            }
        }
        Ok(None)
    }

    /// The options with the identity of everything that is claimed. What is
    /// `coming` has none before it is published, and gets a word in its place.
    ///
    /// # Errors
    /// It is not known whose some of it is.
    pub(super) fn identified(
        &self,
        publication: &Publication,
        options: &Options,
        coming: &[String],
    ) -> Result<Options, Failure> {
        let mut options = options.clone();
        let former = self.export(publication.export_name());
        let mut unknown = Vec::new();
        for resource in &publication.unidentified {
            match identity::find(resource, &self.bindings, &self.exports, former) {
                Ok(identity) => {
                    options.identities.insert(resource.clone(), identity);
                }
                Err(_) if coming.contains(resource) => {
                    options.identities.insert(resource.clone(), COMING.to_owned());
                }
                Err(why) => unknown.push((resource.clone(), why.to_string())),
            }
        }
        if unknown.is_empty() { Ok(options) } else { Err(unidentified(&self.name, &unknown)) }
    }

    /// Refuses a layout that does not go with what is here.
    pub(super) async fn fits(&self, publication: &Publication) -> Result<(), Failure> {
        let mut crds = Vec::new();
        for crd in &publication.crds {
            let name = object::text(crd, "/metadata/name");
            let path = format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}");
            crds.extend(super::read(self.cluster, &path).await?.map(|_| name.to_owned()));
        }
        match publish::misfit(publication, &self.bindings, &crds) {
            None => Ok(()),
            Some(misfit) => {
                let hint = misfit.hint(publication.export_name());
                let message = anyhow::Error::new(misfit).context(format!("cannot publish in `{}`", self.name));
                Err(Failure::input(message).hint(hint))
            }
        }
    }
}

/// Says of each resource why it is not known whose it is.
fn unidentified(workspace: &str, unknown: &[(String, String)]) -> Failure {
    let reasons: Vec<String> = unknown.iter().map(|(resource, why)| format!("`{resource}`: {why}")).collect();
    let message = format!(
        "kcp serves these only where an APIExport does, and it is not known of which the children are, looking in \
         `{workspace}`: {}",
        reasons.join("; ")
    );
    let resources = unknown.iter().map(|(resource, _)| resource.as_str());
    Failure::input(message).hint(hint(resources))
}

/// How to say whose resources are.
pub(super) fn hint<'a>(resources: impl Iterator<Item = &'a str>) -> String {
    let flags: Vec<String> =
        resources.map(|resource| format!("--identity {}", shell::quote(&format!("{resource}=HASH")))).collect();
    format!(
        "give `{}`, with the `status.identityHash` of the APIExport that consumers bind; or bind that export in the \
         provider's workspace, where `--apply` finds it",
        flags.join(" ")
    )
}

fn items(list_object: &Value) -> Vec<Value> {
    list(list_object, "/items").cloned().collect()
}

fn list<'a>(object: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    object.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}
