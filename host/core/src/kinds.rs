//! What the host knows of kinds: the resource name in URLs and whether objects
//! live in a namespace.
//!
//! A server's discovery always has the last word; what is known here is for
//! working offline.

use std::collections::BTreeMap;

use contract::{Gvk, Scope, plural};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{object, schemas};

/// How objects of a kind are addressed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kind {
    /// The resource name in URLs, such as `configmaps`.
    pub plural: String,
    /// Whether they live in a namespace.
    pub scope: Scope,
}

/// Kinds that were looked up.
pub type Kinds = BTreeMap<Gvk, Kind>;

/// Whether two kinds name the same objects: a server shows each of them in every
/// version that it serves.
pub fn are_one(one: &Gvk, other: &Gvk) -> bool {
    one.group == other.group && one.kind == other.kind
}

/// A kind as it is addressed: in its own version, or in another one if only that
/// is known.
pub fn find<'a>(kinds: &'a Kinds, kind: &Gvk) -> Option<(&'a Gvk, &'a Kind)> {
    kinds.get_key_value(kind).or_else(|| kinds.iter().find(|(known, _)| are_one(known, kind)))
}

/// The kinds of a definition and those that former versions of it touched. A
/// kind that the definition has in another version by now is left out: its
/// objects are the same, and the former version may not be served any more.
pub fn with_former<'a>(mut found: Kinds, declared: impl IntoIterator<Item = &'a Gvk>, mut former: Kinds) -> Kinds {
    for kind in declared {
        if let Some(address) = former.remove(kind) {
            found.entry(kind.clone()).or_insert(address);
        }
    }
    for (kind, address) in former {
        if find(&found, &kind).is_none() {
            found.insert(kind, address);
        }
    }
    found
}

/// Group, version and kinds of what kcp serves by itself, all of them
/// cluster-scoped. Plurals follow `guess` without exception here.
const KCP: [(&str, &str, &[&str]); 3] = [
    ("apis.kcp.io", "v1alpha1", &["APIBinding", "APIExport", "APIExportEndpointSlice", "APIResourceSchema"]),
    ("apis.kcp.io", "v1alpha2", &["APIBinding", "APIExport"]),
    ("tenancy.kcp.io", "v1alpha1", &["Workspace", "WorkspaceType"]),
];

/// The resources that kcp serves in every workspace, whatever is bound there,
/// and that an export may claim as they are. The others are somebody's: a claim
/// on them has to name whose. kcp keeps this list in
/// `pkg/virtual/apiexport/schemas/builtin`.
pub const OF_KCP: [(&str, &[&str]); 9] = [
    ("", &["configmaps", "events", "namespaces", "resourcequotas", "secrets", "serviceaccounts"]),
    (
        "admissionregistration.k8s.io",
        &[
            "mutatingwebhookconfigurations",
            "validatingadmissionpolicies",
            "validatingadmissionpolicybindings",
            "validatingwebhookconfigurations",
        ],
    ),
    ("apiextensions.k8s.io", &["customresourcedefinitions"]),
    ("authorization.k8s.io", &["localsubjectaccessreviews", "subjectaccessreviews"]),
    ("certificates.k8s.io", &["certificatesigningrequests"]),
    ("coordination.k8s.io", &["leases"]),
    ("core.kcp.io", &["logicalclusters"]),
    ("events.k8s.io", &["events"]),
    ("rbac.authorization.k8s.io", &["clusterrolebindings", "clusterroles", "rolebindings", "roles"]),
];

/// Whether kcp itself serves a resource in every workspace.
pub fn is_of_kcp(group: &str, resource: &str) -> bool {
    // All of this group can be claimed: kcp's admission has no list of it.
    group == "apis.kcp.io" || OF_KCP.iter().any(|(of, resources)| *of == group && resources.contains(&resource))
}

/// Whether a group is one of those that Kubernetes keeps for itself.
pub fn is_of_kubernetes(group: &str) -> bool {
    !group.contains('.') || group.ends_with(".k8s.io")
}

/// Looks a kind up among those that every server has: Kubernetes' own, whose
/// schemas are known too, and kcp's.
pub fn builtin(gvk: &Gvk) -> Option<Kind> {
    let of_kcp = KCP.iter().any(|(group, version, kinds)| {
        *group == gvk.group && *version == gvk.version && kinds.contains(&gvk.kind.as_str())
    });
    if of_kcp {
        return Some(Kind { plural: plural::of(&gvk.kind), scope: Scope::Cluster });
    }
    schemas::address(gvk)
}

/// How a kind is addressed by what a server lists of a group version, an
/// APIResourceList.
pub fn discovered(list: &Value, kind: &str) -> Option<Kind> {
    let resources = list.get("resources").and_then(Value::as_array)?;
    // `deployments/scale` has a kind too.
    let is_it =
        |resource: &&Value| object::text(resource, "/kind") == kind && !object::text(resource, "/name").contains('/');
    resources.iter().find(is_it).map(address)
}

/// The kind of a resource by the same list, and how it is addressed.
pub fn of_resource(list: &Value, plural: &str) -> Option<(String, Kind)> {
    let resources = list.get("resources").and_then(Value::as_array)?;
    let found = resources.iter().find(|resource| object::text(resource, "/name") == plural)?;
    Some((object::text(found, "/kind").to_owned(), address(found)))
}

/// How the kind of an entry of the list is addressed.
fn address(resource: &Value) -> Kind {
    let scope = if resource["namespaced"] == true { Scope::Namespaced } else { Scope::Cluster };
    Kind { plural: object::text(resource, "/name").to_owned(), scope }
}

/// The best guess for a kind that nobody could be asked about: namespaced, with
/// the plural that kro and the generators of most controllers make.
pub fn guess(gvk: &Gvk) -> Kind {
    Kind { plural: plural::of(&gvk.kind), scope: Scope::Namespaced }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look_up(group: &str, version: &str, kind: &str) -> Option<(String, Scope)> {
        let gvk = Gvk { group: group.into(), version: version.into(), kind: kind.into() };
        builtin(&gvk).map(|found| (found.plural, found.scope))
    }

    #[test]
    fn kinds_of_every_server_are_known_offline() {
        let cases = [
            ("", "v1", "ConfigMap", "configmaps", Scope::Namespaced),
            ("", "v1", "Endpoints", "endpoints", Scope::Namespaced),
            ("", "v1", "Namespace", "namespaces", Scope::Cluster),
            ("networking.k8s.io", "v1", "Ingress", "ingresses", Scope::Namespaced),
            ("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", Scope::Namespaced),
            ("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", Scope::Cluster),
            ("apis.kcp.io", "v1alpha2", "APIExport", "apiexports", Scope::Cluster),
        ];
        for (group, version, kind, plural, scope) in cases {
            assert_eq!(look_up(group, version, kind), Some((plural.to_owned(), scope)), "{kind}");
        }
    }

    #[test]
    fn kcp_serves_configuration_and_no_workloads() {
        for (group, resource) in
            [("", "configmaps"), ("rbac.authorization.k8s.io", "roles"), ("apis.kcp.io", "apiexports")]
        {
            assert!(is_of_kcp(group, resource), "{resource}.{group}");
        }
        for (group, resource) in [("", "services"), ("apps", "deployments"), ("example.org", "configmaps")] {
            assert!(!is_of_kcp(group, resource), "{resource}.{group}");
        }
    }

    #[test]
    fn a_former_version_of_a_kind_gives_way_to_the_one_in_force() {
        let gvk =
            |version: &str, kind: &str| Gvk { group: "example.org".into(), version: version.into(), kind: kind.into() };
        let kinds = |all: &[(&str, &str)]| -> Kinds {
            all.iter().map(|(version, kind)| (gvk(version, kind), guess(&gvk(version, kind)))).collect()
        };
        let former = kinds(&[("v1", "Lamp"), ("v2", "Lamp"), ("v1", "Cable"), ("v1", "Plug")]);
        // `Cable` was not found this time, and is known from before.
        let declared = [gvk("v2", "Lamp"), gvk("v1", "Cable")];
        let expected = kinds(&[("v2", "Lamp"), ("v1", "Cable"), ("v1", "Plug")]);
        assert_eq!(with_former(kinds(&[("v2", "Lamp")]), &declared, former), expected);
        assert_eq!(find(&expected, &gvk("v1", "Lamp")).map(|(kind, _)| kind.version.as_str()), Some("v2"));
        assert_eq!(find(&expected, &gvk("v1", "Bulb")), None);
    }

    #[test]
    fn a_list_of_resources_names_a_kind_but_for_its_subresources() {
        let list = serde_json::json!({"resources": [
            {"name": "lamps/scale", "kind": "Lamp", "namespaced": false},
            {"name": "lamps", "kind": "Lamp", "namespaced": true},
            {"name": "rooms", "kind": "Room", "namespaced": false},
        ]});
        let found = |kind: &str| discovered(&list, kind).map(|found| (found.plural, found.scope));
        assert_eq!(found("Lamp"), Some(("lamps".into(), Scope::Namespaced)));
        assert_eq!(found("Room"), Some(("rooms".into(), Scope::Cluster)));
        assert_eq!((found("Bulb"), discovered(&Value::Null, "Lamp")), (None, None));
        let kind = |plural: &str| of_resource(&list, plural).map(|(kind, found)| (kind, found.scope));
        assert_eq!(kind("rooms"), Some(("Room".into(), Scope::Cluster)));
        assert_eq!((kind("bulbs"), of_resource(&Value::Null, "rooms")), (None, None));
    }

    #[test]
    fn a_kind_that_nobody_knows_has_the_plural_that_kro_gives_it() {
        let plural =
            |kind: &str| guess(&Gvk { group: "kro.run".into(), version: "v1".into(), kind: kind.into() }).plural;
        assert_eq!(["Child", "WebApp", "Proxy", "Bus"].map(plural), ["children", "webapps", "proxies", "buses"]);
    }

    #[test]
    fn a_kind_of_somebody_is_not_known_offline() {
        assert_eq!(look_up("example.org", "v1", "ConfigMap"), None);
        assert_eq!(look_up("", "v1", "Widget"), None);
    }
}
