//! Whether a definition is one for this module.
//!
//! The code is the definition, so little is read of it: a `Composition` says
//! nothing of the API, and the other kinds say which one they are for.

use serde_json::Value;

use super::halt::{Halt, invalid};
use crate::{Failure, Gvk};

/// Refuses a definition that is for something else than the API that the module
/// serves.
pub(super) fn check(definition: &Value, api: &Gvk) -> Result<(), Failure> {
    let kind = Gvk::of(definition).map(|kind| (kind.group, kind.kind));
    match kind.as_ref().map(|(group, kind)| (group.as_str(), kind.as_str())) {
        Some(("croft.run", "Composition")) => Ok(()),
        Some(("kro.run", "ResourceGroup" | "ResourceGraphDefinition")) => same_api(definition, api),
        _ => {
            let hint = "write `apiVersion: croft.run/v1alpha1` and `kind: Composition`";
            let refused = invalid("kind", "the module does not read definitions of this kind");
            Err(refused.code("UnsupportedKind").hint(hint))
        }
    }
    .map_err(Halt::into_failure)
}

/// What a definition says of its API has to be the module's. `group` may be left
/// out: a server fills in one that nobody chose.
fn same_api(definition: &Value, api: &Gvk) -> Result<(), Halt> {
    for (field, wanted) in [("kind", &api.kind), ("apiVersion", &api.version)] {
        let found = &definition["spec"]["schema"][field];
        if found.as_str() != Some(wanted) {
            let message = format!("the module serves the {field} `{wanted}`, the definition has {found}");
            let refused = invalid(&format!("spec.schema.{field}"), message).code("WrongApi");
            return Err(refused.hint(format!("write `{field}: {wanted}`, or a `Composition`")));
        }
    }
    Ok(())
}
