//! What the host knows of kinds: the resource name in URLs and whether objects
//! live in a namespace.
//!
//! A server's discovery always has the last word; the table here is for
//! working offline.

use std::collections::BTreeMap;

use contract::{Gvk, Scope};
use serde::{Deserialize, Serialize};

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

/// Kind, version and scope (`-` cluster, `n` namespaced) of what a Kubernetes
/// API server or kcp serves by itself, grouped by API group. Plurals follow
/// `guess` without exception here.
const BUILTIN: &[(&str, &str, &[&str], &[&str])] = &[
    (
        "",
        "v1",
        &["Namespace", "Node", "PersistentVolume"],
        &[
            "ConfigMap",
            "Endpoints",
            "Event",
            "LimitRange",
            "PersistentVolumeClaim",
            "Pod",
            "PodTemplate",
            "ReplicationController",
            "ResourceQuota",
            "Secret",
            "Service",
            "ServiceAccount",
        ],
    ),
    ("apps", "v1", &[], &["ControllerRevision", "DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"]),
    ("autoscaling", "v2", &[], &["HorizontalPodAutoscaler"]),
    ("batch", "v1", &[], &["CronJob", "Job"]),
    ("coordination.k8s.io", "v1", &[], &["Lease"]),
    ("discovery.k8s.io", "v1", &[], &["EndpointSlice"]),
    ("events.k8s.io", "v1", &[], &["Event"]),
    ("networking.k8s.io", "v1", &["IngressClass"], &["Ingress", "NetworkPolicy"]),
    ("policy", "v1", &[], &["PodDisruptionBudget"]),
    ("rbac.authorization.k8s.io", "v1", &["ClusterRole", "ClusterRoleBinding"], &["Role", "RoleBinding"]),
    ("scheduling.k8s.io", "v1", &["PriorityClass"], &[]),
    ("storage.k8s.io", "v1", &["CSIDriver", "StorageClass", "VolumeAttachment"], &[]),
    ("apiextensions.k8s.io", "v1", &["CustomResourceDefinition"], &[]),
    (
        "admissionregistration.k8s.io",
        "v1",
        &[
            "MutatingWebhookConfiguration",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
            "ValidatingWebhookConfiguration",
        ],
        &[],
    ),
    ("apis.kcp.io", "v1alpha1", &["APIBinding", "APIExport", "APIExportEndpointSlice", "APIResourceSchema"], &[]),
    ("apis.kcp.io", "v1alpha2", &["APIBinding", "APIExport"], &[]),
    ("tenancy.kcp.io", "v1alpha1", &["Workspace", "WorkspaceType"], &[]),
];

/// Looks a kind up in the table of kinds that every server has.
pub fn builtin(gvk: &Gvk) -> Option<Kind> {
    let (.., cluster, namespaced) =
        BUILTIN.iter().find(|(group, version, ..)| *group == gvk.group && *version == gvk.version)?;
    let scope = if cluster.contains(&gvk.kind.as_str()) {
        Scope::Cluster
    } else if namespaced.contains(&gvk.kind.as_str()) {
        Scope::Namespaced
    } else {
        return None;
    };
    Some(Kind { plural: plural_of(&gvk.kind), scope })
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
    fn a_kind_of_somebody_is_not_known_offline() {
        assert_eq!(look_up("example.org", "v1", "ConfigMap"), None);
        assert_eq!(look_up("", "v1", "Widget"), None);
    }
}
