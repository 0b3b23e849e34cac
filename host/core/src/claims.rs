//! What a consumer lets the provider's export do in its workspace, read from
//! the consumer's APIBinding, and the `kubectl` line that would accept the rest.
//!
//! It knows kcp's permission claims and nothing of definitions.

use serde_json::{Value, json};

use crate::{object, shell};

/// The claims of one APIBinding (`apis.kcp.io/v1alpha2`).
#[derive(Clone, Debug, PartialEq)]
pub struct Claims {
    binding: String,
    workspace: String,
    bound: Vec<Value>,
    applied: Vec<Value>,
    wanted: Vec<Value>,
    answered: Option<Vec<Value>>,
    /// The export with its workspace, as `croft bind` takes it.
    export: Option<String>,
}

/// Whether a resource may be touched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// The consumer accepted the claim and kcp has applied it.
    Accepted,
    /// The consumer accepted it, and kcp has not applied it yet.
    Applying,
    /// The consumer has not accepted it, or has rejected it.
    Open,
    /// The export does not claim it at all.
    NotClaimed,
}

/// A longer command would be cut off with the condition that tells it, whose
/// message has 2000 characters at most.
const LONGEST_LINE: usize = 1500;

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
            export: export(binding),
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
        let wanted = self.wanted.iter().find(|claim| names(claim, group, resource));
        // An answer to a claim on somebody else's resource of that name is none
        // to this one.
        let is_answer = |claim: &&Value| {
            names(claim, group, resource) && wanted.is_none_or(|wanted| identity(claim) == identity(wanted))
        };
        let state = self.answered.iter().flatten().find(is_answer).map(|claim| object::text(claim, "/state"));
        let applied = self.applied.iter().any(|claim| is_answer(&claim));
        // A claim that was just rejected counts at once, also while kcp still
        // applies it.
        match (state, applied, wanted.is_some()) {
            (Some("Accepted"), true, _) => Grant::Accepted,
            (Some("Accepted"), false, true) => Grant::Applying,
            (_, _, true) => Grant::Open,
            (_, _, false) => Grant::NotClaimed,
        }
    }

    /// Everything that the export claims and this binding has not accepted;
    /// `None` if there is nothing.
    pub fn missing(&self) -> Option<Missing> {
        let open = self.open();
        let resources: Vec<String> = open.iter().map(|claim| resource_of(claim)).collect();
        let (binding, patch) = (shell::quote(&self.binding), self.acceptance().to_string());
        let accept = format!("kubectl patch apibinding {binding} --type=json -p={}", shell::quote(&patch));
        let accept = match &self.export {
            Some(export) if accept.len() > LONGEST_LINE => {
                format!("croft bind {} --name {binding} --accept-claims", shell::quote(export))
            }
            _ => accept,
        };
        (!resources.is_empty()).then_some(Missing { resources, accept })
    }

    /// The resources that the workspace has from the export: group, resource, and the
    /// name of the schema.
    pub fn bound(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.bound.iter().map(|bound| {
            (object::text(bound, "/group"), object::text(bound, "/resource"), object::text(bound, "/schema/name"))
        })
    }

    /// What the export claims, in its order.
    pub fn wanted(&self) -> &[Value] {
        &self.wanted
    }

    /// The claims that wait for an answer, in the export's order. One that was
    /// accepted for fewer verbs waits for the others.
    fn open(&self) -> Vec<&Value> {
        let is_open = |claim: &&Value| match self.grant(object::text(claim, "/group"), object::text(claim, "/resource"))
        {
            Grant::Open => true,
            Grant::Accepted | Grant::Applying => {
                self.answered.iter().flatten().any(|answer| falls_short(answer, claim))
            }
            Grant::NotClaimed => false,
        };
        self.wanted.iter().filter(is_open).collect()
    }

    /// The JSON patch of the binding that accepts all that is missing and leaves
    /// the other answers as they are. It fails where the answers are not those
    /// any more that it was made for, rather than undo them.
    pub fn acceptance(&self) -> Value {
        const LIST: &str = "/spec/permissionClaims";
        let open = self.open();
        let Some(answered) = &self.answered else {
            let all: Vec<Value> = open.into_iter().map(accepted).collect();
            return json!([
                {"op": "test", "path": LIST, "value": null},
                {"op": "add", "path": LIST, "value": all},
            ]);
        };
        open.into_iter().flat_map(|claim| answer(answered, claim)).collect()
    }
}

/// What a consumer has not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Such as `configmaps` or `deployments.apps`, in the export's order.
    pub resources: Vec<String>,
    /// The command that accepts them all.
    pub accept: String,
}

/// The operations that accept one claim in a list of answers.
fn answer(answered: &[Value], claim: &Value) -> Vec<Value> {
    let (group, resource) = (object::text(claim, "/group"), object::text(claim, "/resource"));
    let of = |exact: bool| {
        let is = |other: &Value| names(other, group, resource) && (!exact || identity(other) == identity(claim));
        answered.iter().position(is)
    };
    let mut value = accepted(claim);
    match of(true).or_else(|| of(false)) {
        Some(index) => {
            let place = format!("/spec/permissionClaims/{index}");
            if let (true, Some(selector)) = (falls_short(&answered[index], claim), answered[index].get("selector")) {
                value["selector"] = selector.clone();
            }
            let test = json!({"op": "test", "path": format!("{place}/resource"), "value": resource});
            vec![test, json!({"op": "replace", "path": place, "value": value})]
        }
        None => vec![json!({"op": "add", "path": "/spec/permissionClaims/-", "value": value})],
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

fn export(binding: &Value) -> Option<String> {
    let reference = binding.pointer("/spec/reference/export")?;
    let (path, name) = (object::text(reference, "/path"), object::text(reference, "/name"));
    (!path.is_empty() && !name.is_empty()).then(|| format!("{path}:{name}"))
}

/// A claim's resource, such as `configmaps` or `deployments.apps`.
pub fn resource_of(claim: &Value) -> String {
    group_resource(object::text(claim, "/group"), object::text(claim, "/resource"))
}

fn identity(claim: &Value) -> &str {
    object::text(claim, "/identityHash")
}

/// Whether an answer accepts a claim for some of its verbs only.
fn falls_short(answer: &Value, claim: &Value) -> bool {
    let verbs = |claim: &Value| -> Vec<String> {
        let verbs = claim.get("verbs").and_then(Value::as_array).into_iter().flatten();
        verbs.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let (has, is_all) = (verbs(answer), |verb: &String| verb == "*");
    let is_answer = names(answer, object::text(claim, "/group"), object::text(claim, "/resource"))
        && identity(answer) == identity(claim)
        && object::text(answer, "/state") == "Accepted";
    is_answer && !has.iter().any(is_all) && verbs(claim).iter().any(|verb| !has.contains(verb))
}

fn names(claim: &Value, group: &str, resource: &str) -> bool {
    object::text(claim, "/group") == group && object::text(claim, "/resource") == resource
}

#[cfg(test)]
mod tests;
