//! Whose a resource is. kcp tells two APIs of one name apart by the identity of
//! the APIExport that serves them, and a claim has to carry it, unless kcp
//! serves the resource itself.
//!
//! It reads exports and bindings, and asks no server.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{claims, object};

/// Identities by resource, such as `deployments.apps`.
pub type Identities = BTreeMap<String, String>;

/// Why it is not known whose a resource is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unknown {
    /// Nothing serves it.
    #[error("no APIBinding and no APIExport there serves it")]
    Nobody,
    /// Some exports serve it, each with its own identity.
    #[error("it is served by {}", .0.join(" and by "))]
    Several(Vec<String>),
}

/// The identity of the export that serves a resource in a workspace with these
/// bindings and exports. What is bound there counts before what is exported
/// from there, and before what `former`, the export as it was published last,
/// claims.
///
/// # Errors
/// Nothing serves it, or more than one.
pub fn find(resource: &str, bindings: &[Value], exports: &[Value], former: Option<&Value>) -> Result<String, Unknown> {
    let bound: Found = bindings.iter().filter_map(|binding| of_binding(binding, resource)).collect();
    let found = if bound.is_empty() {
        exports.iter().filter_map(|export| of_export(export, resource)).collect()
    } else {
        bound
    };
    let former = former.and_then(|export| of_claim(export, resource));
    match (found.len(), former) {
        (1, _) => Ok(found.into_keys().next().unwrap_or_default()),
        (0, Some(former)) => Ok(former),
        (0, None) => Err(Unknown::Nobody),
        (_, Some(former)) if found.contains_key(&former) => Ok(former),
        _ => Err(Unknown::Several(found.into_values().collect())),
    }
}

/// Identities, each with who has it.
type Found = BTreeMap<String, String>;

fn of_binding(binding: &Value, resource: &str) -> Option<(String, String)> {
    let bound = entry(binding, "/status/boundResources", "/resource", resource)?;
    let identity = known(object::text(bound, "/schema/identityHash"))?;
    Some((identity, format!("APIBinding `{}`", object::text(binding, "/metadata/name"))))
}

fn of_export(export: &Value, resource: &str) -> Option<(String, String)> {
    entry(export, "/spec/resources", "/name", resource)?;
    let identity = known(object::text(export, "/status/identityHash"))?;
    Some((identity, format!("APIExport `{}`", object::text(export, "/metadata/name"))))
}

fn of_claim(export: &Value, resource: &str) -> Option<String> {
    known(object::text(entry(export, "/spec/permissionClaims", "/resource", resource)?, "/identityHash"))
}

fn entry<'a>(object: &'a Value, list: &str, name: &str, resource: &str) -> Option<&'a Value> {
    let mut entries = object.pointer(list)?.as_array()?.iter();
    entries.find(|entry| claims::group_resource(object::text(entry, "/group"), object::text(entry, name)) == resource)
}

fn known(identity: &str) -> Option<String> {
    Some(identity.to_owned()).filter(|identity| !identity.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn binding(name: &str, identity: &str) -> Value {
        let bound = json!({"group": "apps", "resource": "deployments", "schema": {"identityHash": identity}});
        json!({"metadata": {"name": name}, "status": {"boundResources": [bound]}})
    }

    fn export(name: &str, identity: &str) -> Value {
        json!({
            "metadata": {"name": name}, "status": {"identityHash": identity},
            "spec": {
                "resources": [{"group": "apps", "name": "deployments"}],
                "permissionClaims": [{"group": "apps", "resource": "statefulsets", "identityHash": "claimed"}],
            },
        })
    }

    #[test]
    fn what_is_bound_counts_before_what_is_exported() {
        let (bindings, exports) = ([binding("a", "bound")], [export("b", "exported")]);
        assert_eq!(find("deployments.apps", &bindings, &exports, None), Ok("bound".into()));
        assert_eq!(find("deployments.apps", &[], &exports, None), Ok("exported".into()));
        assert_eq!(find("deployments", &bindings, &exports, None), Err(Unknown::Nobody));
    }

    #[test]
    fn an_export_without_identity_serves_nothing_yet() {
        assert_eq!(find("deployments.apps", &[binding("a", "")], &[export("b", "")], None), Err(Unknown::Nobody));
    }

    #[test]
    fn two_that_serve_it_are_told_apart_by_what_was_claimed_before() {
        let exports = [export("a", "one"), export("b", "two")];
        let error = find("deployments.apps", &[], &exports, None).unwrap_err();
        assert_eq!(error.to_string(), "it is served by APIExport `a` and by APIExport `b`");
        let former = |identity: &str| {
            let claim = json!({"group": "apps", "resource": "deployments", "identityHash": identity});
            json!({"spec": {"permissionClaims": [claim]}})
        };
        assert_eq!(find("deployments.apps", &[], &exports, Some(&former("two"))), Ok("two".into()));
        assert!(find("deployments.apps", &[], &exports, Some(&former("gone"))).is_err());
        assert_eq!(find("deployments.apps", &[], &[], Some(&former("elsewhere"))), Ok("elsewhere".into()));
    }
}
