//! What a consumer lets the provider's export do in its workspace, read from
//! the consumer's APIBinding, and the `kubectl` line that would change it.
//!
//! It knows kcp's permission claims and nothing of definitions.

use serde_json::{Value, json};

use crate::object;

/// The claims of one APIBinding (`apis.kcp.io/v1alpha2`).
#[derive(Clone, Debug, PartialEq)]
pub struct Claims {
    binding: String,
    workspace: String,
    bound: Vec<Value>,
    applied: Vec<Value>,
    wanted: Vec<Value>,
    answered: Option<Vec<Value>>,
}

/// Whether a resource may be touched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// The consumer accepted the claim and kcp has applied it.
    Accepted,
    /// The consumer accepted it, and kcp has not applied it yet.
    Applying,
    /// The consumer has not accepted it, or has rejected it.
    Open {
        /// The command by which the consumer accepts it.
        accept: String,
    },
    /// The export does not claim it at all.
    NotClaimed,
}

/// The verbs that croft needs for children.
pub const MANAGE_VERBS: [&str; 7] = ["get", "list", "watch", "create", "update", "patch", "delete"];
/// The verbs that croft needs for external reads.
pub const READ_VERBS: [&str; 3] = ["get", "list", "watch"];

impl Claims {
    /// Reads an APIBinding object.
    pub fn of(binding: &Value) -> Claims {
        let list = |pointer: &str| binding.pointer(pointer).and_then(Value::as_array).cloned();
        Claims {
            binding: object::text(binding, "/metadata/name").to_owned(),
            workspace: object::annotation(binding, "kcp.io/path").unwrap_or_default().to_owned(),
            bound: list("/status/boundResources").unwrap_or_default(),
            applied: list("/status/appliedPermissionClaims").unwrap_or_default(),
            wanted: list("/status/exportPermissionClaims").unwrap_or_default(),
            answered: list("/spec/permissionClaims"),
        }
    }

    /// The APIBinding's name.
    pub fn binding(&self) -> &str {
        &self.binding
    }

    /// The readable path of the consumer's workspace; empty if kcp does not
    /// tell.
    pub fn workspace(&self) -> &str {
        &self.workspace
    }

    /// The uid of the schema by which the workspace serves an exported resource:
    /// another one with each version of the API. Empty if kcp does not tell.
    pub fn schema(&self, group: &str, resource: &str) -> &str {
        let bound = self.bound.iter().find(|bound| names(bound, group, resource));
        bound.map_or("", |bound| object::text(bound, "/schema/UID"))
    }

    /// Whether a resource of a group may be touched.
    pub fn grant(&self, group: &str, resource: &str) -> Grant {
        let answer = self.answered.iter().flatten().position(|claim| names(claim, group, resource));
        let state = answer.map(|index| object::text(&self.answered.as_ref().expect("just found")[index], "/state"));
        let applied = self.applied.iter().any(|claim| names(claim, group, resource));
        let wanted = self.wanted.iter().find(|claim| names(claim, group, resource));
        // A claim that was just rejected counts at once, also while kcp still
        // applies it.
        match (state, applied, wanted) {
            (Some("Accepted"), true, _) => Grant::Accepted,
            (Some("Accepted"), false, Some(_)) => Grant::Applying,
            (_, _, Some(claim)) => Grant::Open { accept: self.accept_line(claim, answer) },
            (_, _, None) => Grant::NotClaimed,
        }
    }

    /// The claims of the export that this binding has not accepted, each with
    /// the line that accepts it, in the export's order.
    pub fn open(&self) -> Vec<(String, String)> {
        let resource =
            |claim: &Value| (object::text(claim, "/group").to_owned(), object::text(claim, "/resource").to_owned());
        let all = self.wanted.iter().map(resource);
        all.filter_map(|(group, name)| match self.grant(&group, &name) {
            Grant::Open { accept } => Some((group_resource(&group, &name), accept)),
            _ => None,
        })
        .collect()
    }

    /// The JSON patch that accepts a claim, as `kubectl` takes it.
    fn accept_line(&self, claim: &Value, answer: Option<usize>) -> String {
        let accepted = accepted(claim);
        let patch = match (&self.answered, answer) {
            (_, Some(index)) => {
                json!([{"op": "replace", "path": format!("/spec/permissionClaims/{index}"), "value": accepted}])
            }
            (Some(_), None) => json!([{"op": "add", "path": "/spec/permissionClaims/-", "value": accepted}]),
            (None, None) => json!([{"op": "add", "path": "/spec/permissionClaims", "value": [accepted]}]),
        };
        format!("kubectl patch apibinding {} --type=json -p='{patch}'", self.binding)
    }
}

/// A claim of an export as the accepting entry of a binding's
/// `spec.permissionClaims`.
pub fn accepted(claim: &Value) -> Value {
    let mut entry = claim.clone();
    if let Some(fields) = entry.as_object_mut() {
        fields.remove("defaultSelector");
        fields.insert("state".into(), "Accepted".into());
        fields.insert("selector".into(), json!({"matchAll": true}));
    }
    entry
}

/// `configmaps`, or `deployments.apps`.
pub fn group_resource(group: &str, resource: &str) -> String {
    if group.is_empty() { resource.to_owned() } else { format!("{resource}.{group}") }
}

fn names(claim: &Value, group: &str, resource: &str) -> bool {
    object::text(claim, "/group") == group && object::text(claim, "/resource") == resource
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binding(spec: Value, applied: Value) -> Claims {
        Claims::of(&json!({
            "metadata": {"name": "webs.kro.run", "annotations": {"kcp.io/path": "root:consumer:team-1"}},
            "spec": spec,
            "status": {
                "appliedPermissionClaims": applied,
                "exportPermissionClaims": [{"group": "", "resource": "configmaps", "verbs": ["get"]}],
            },
        }))
    }

    #[test]
    fn a_claim_counts_once_kcp_has_applied_it() {
        let answered = |state: &str| json!({"permissionClaims": [{"resource": "configmaps", "state": state}]});
        let applied = json!([{"group": "", "resource": "configmaps"}]);
        assert_eq!(binding(answered("Accepted"), applied.clone()).grant("", "configmaps"), Grant::Accepted);
        assert_eq!(binding(answered("Accepted"), json!([])).grant("", "configmaps"), Grant::Applying);
        assert_eq!(binding(answered("Accepted"), applied.clone()).grant("", "secrets"), Grant::NotClaimed);
        let rejected = binding(answered("Rejected"), applied).grant("", "configmaps");
        assert!(matches!(rejected, Grant::Open { .. }), "{rejected:?}");
    }

    #[test]
    fn an_open_claim_comes_with_the_line_that_accepts_it() {
        let value =
            r#"{"group":"","resource":"configmaps","selector":{"matchAll":true},"state":"Accepted","verbs":["get"]}"#;
        let cases = [
            (json!({}), format!(r#"[{{"op":"add","path":"/spec/permissionClaims","value":[{value}]}}]"#)),
            (
                json!({"permissionClaims": []}),
                format!(r#"[{{"op":"add","path":"/spec/permissionClaims/-","value":{value}}}]"#),
            ),
            (
                json!({"permissionClaims": [{"resource": "configmaps", "state": "Rejected"}]}),
                format!(r#"[{{"op":"replace","path":"/spec/permissionClaims/0","value":{value}}}]"#),
            ),
        ];
        for (spec, patch) in cases {
            let accept = format!("kubectl patch apibinding webs.kro.run --type=json -p='{patch}'");
            assert_eq!(binding(spec, json!([])).grant("", "configmaps"), Grant::Open { accept });
        }
    }
}
