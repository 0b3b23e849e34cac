//! What the host knows of kinds: the resource name in URLs and whether objects
//! live in a namespace.
//!
//! A server's discovery always has the last word; what is known here is for
//! working offline.

use std::collections::BTreeMap;

use contract::{Gvk, Scope};
use serde::{Deserialize, Serialize};

use crate::schemas;

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

/// Looks a kind up among those that every server has: Kubernetes' own, whose
/// schemas are known too, and kcp's.
pub fn builtin(gvk: &Gvk) -> Option<Kind> {
    let of_kcp = KCP.iter().any(|(group, version, kinds)| {
        *group == gvk.group && *version == gvk.version && kinds.contains(&gvk.kind.as_str())
    });
    if of_kcp {
        return Some(Kind { plural: plural_of(&gvk.kind), scope: Scope::Cluster });
    }
    schemas::address(gvk)
}

/// The best guess for a kind that nobody could be asked about: namespaced, with
/// the plural that Kubernetes' own code generators would make.
pub fn guess(gvk: &Gvk) -> Kind {
    Kind { plural: plural_of(&gvk.kind), scope: Scope::Namespaced }
}

/// Kubernetes' rule for plurals (`k8s.io/gengo` namer): after a consonant `y`
/// becomes `ies`; `s`, `x`, `z`, `ch` and `sh` take `es`.
fn plural_of(kind: &str) -> String {
    let lower = kind.to_lowercase();
    if lower == "endpoints" {
        return lower;
    }
    let vowel_before_y = lower.chars().rev().nth(1).is_some_and(|letter| "aeiou".contains(letter));
    match lower.strip_suffix('y') {
        Some(stem) if !vowel_before_y => format!("{stem}ies"),
        _ if ["s", "x", "z", "ch", "sh"].iter().any(|end| lower.ends_with(end)) => format!("{lower}es"),
        _ => format!("{lower}s"),
    }
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
    fn a_kind_of_somebody_is_not_known_offline() {
        assert_eq!(look_up("example.org", "v1", "ConfigMap"), None);
        assert_eq!(look_up("", "v1", "Widget"), None);
    }
}
