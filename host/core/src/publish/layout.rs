//! Whether a layout goes with what a workspace has already: kcp serves a
//! resource from one place only, a CRD or a binding.

use serde_json::Value;

use super::Publication;
use crate::{claims, object};

/// Why a layout does not go with a workspace.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// What would be a CRD is bound.
    #[error(
        "the workspace has the shared layout: `{resource}` is bound in it from the export `{export}`, and nobody would serve a definition that is published with the split layout"
    )]
    BoundAlready {
        /// The definitions' resource.
        resource: String,
        /// The export that it is bound from.
        export: String,
    },
    /// What would be bound is bound from another export.
    #[error(
        "`{resource}` is bound in the workspace from the export `{export}`, and kcp binds a resource from one export only"
    )]
    BoundElsewhere {
        /// A resource of the export.
        resource: String,
        /// The export that it is bound from.
        export: String,
    },
    /// What would be bound is a CRD.
    #[error("`{resource}` is a CRD in the workspace, and the shared layout binds it there from the export")]
    IsCrd {
        /// A resource of the export.
        resource: String,
    },
}

impl Misfit {
    /// What to do instead.
    pub fn hint(&self, own_export: &str) -> String {
        match self {
            Misfit::BoundAlready { export, .. } if export == own_export => {
                "publish with `--layout shared`, as before, or with the split layout in another workspace".to_owned()
            }
            Misfit::BoundAlready { .. } | Misfit::BoundElsewhere { .. } => {
                "publish in another workspace: one with the shared layout takes one definition of a kind".to_owned()
            }
            Misfit::IsCrd { .. } => {
                "publish with the split layout, which is the default, or in another workspace".to_owned()
            }
        }
    }
}

/// What of a workspace stands in the way of a publication: its APIBindings, and
/// the names of its CRDs.
pub fn misfit(publication: &Publication, bindings: &[Value], crds: &[String]) -> Option<Misfit> {
    let own = publication.export_name();
    let bound_from = |resource: &str| bindings.iter().find(|binding| binds(binding, resource)).map(export_of);
    if publication.provider_binding.is_none() {
        let resource = object::text(publication.crds.get(1)?, "/metadata/name").to_owned();
        return bound_from(&resource).map(|export| Misfit::BoundAlready { resource, export });
    }
    // These are the names of their CRDs too.
    publication.served().into_iter().find_map(|resource| match bound_from(&resource) {
        Some(export) if export != own => Some(Misfit::BoundElsewhere { resource, export }),
        _ => crds.contains(&resource).then_some(Misfit::IsCrd { resource }),
    })
}

fn binds(binding: &Value, resource: &str) -> bool {
    let bound = binding.pointer("/status/boundResources").and_then(Value::as_array);
    bound.into_iter().flatten().any(|bound| claims::resource_of(bound) == resource)
}

fn export_of(binding: &Value) -> String {
    object::text(binding, "/spec/reference/export/name").to_owned()
}
