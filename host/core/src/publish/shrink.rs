//! Claims that a new version of a definition does not need any more. Children of
//! the former version are still there when it is published, and nobody sees or
//! deletes them without the claim: claims grow first and shrink last.

use serde_json::{Value, json};

use crate::object;

/// What an export claims and a new version of it would not: other resources, and
/// more verbs.
pub fn former_claims(former: &Value, export: &Value) -> Vec<Value> {
    let is_more = |claim: &&Value| match claims(export).find(|other| is_one(other, claim)) {
        None => true,
        Some(other) => verbs(claim).any(|verb| !verbs(other).any(|kept| kept == verb || kept == "*")),
    };
    claims(former).filter(is_more).cloned().collect()
}

/// An export that claims these too.
pub(super) fn widened(export: &Value, former: &[Value]) -> Value {
    let mut all: Vec<Value> = claims(export).cloned().collect();
    for claim in former {
        match all.iter_mut().find(|other| is_one(other, claim)) {
            Some(other) => {
                let more = verbs(claim).filter(|verb| !verbs(other).any(|kept| kept == *verb));
                other["verbs"] = verbs(other).chain(more).collect();
            }
            None => all.push(claim.clone()),
        }
    }
    let mut export = export.clone();
    if !all.is_empty() {
        export["spec"]["permissionClaims"] = json!(all);
    }
    export
}

fn claims(export: &Value) -> impl Iterator<Item = &Value> {
    export.pointer("/spec/permissionClaims").and_then(Value::as_array).into_iter().flatten()
}

fn verbs(claim: &Value) -> impl Iterator<Item = &str> {
    claim.get("verbs").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// Whether two claims are on one resource. Whose it is may differ: a resource of
/// somebody else takes the place of the one before.
fn is_one(one: &Value, other: &Value) -> bool {
    ["/group", "/resource"].into_iter().all(|field| object::text(one, field) == object::text(other, field))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn export(claims: &[(&str, &[&str])]) -> Value {
        let claim = |(resource, verbs): &(&str, &[&str])| json!({"group": "", "resource": resource, "verbs": verbs});
        json!({"spec": {"permissionClaims": claims.iter().map(claim).collect::<Vec<_>>()}})
    }

    #[test]
    fn what_a_former_version_claimed_beyond_this_one_is_kept_for_a_while() {
        let former = export(&[("configmaps", &["get", "delete"]), ("secrets", &["get"]), ("roles", &["get"])]);
        let new = export(&[("configmaps", &["get", "watch"]), ("roles", &["get", "list"])]);
        let kept = former_claims(&former, &new);
        let resources: Vec<_> = kept.iter().map(|claim| object::text(claim, "/resource")).collect();
        assert_eq!(resources, ["configmaps", "secrets"]);
        let both =
            export(&[("configmaps", &["get", "watch", "delete"]), ("roles", &["get", "list"]), ("secrets", &["get"])]);
        assert_eq!(widened(&new, &kept), both);
        assert!(former_claims(&both, &both).is_empty());
        assert_eq!(widened(&json!({"spec": {}}), &[]), json!({"spec": {}}));
    }
}
