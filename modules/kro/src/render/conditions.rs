//! The conditions that a definition adds to its instances.

use std::collections::BTreeSet;

use expr::value::{Condition as Made, Value};
use guest_sdk::{Condition, ConditionStatus, shape};
use serde_json::{Value as Json, json};

use super::scope::{Lack, Scope};
use crate::program::Program;

/// Tells of conditions that cannot be told. kro puts the whole instance into
/// `ERROR` then, with its children as they should be.
const INCOMPLETE: &str = "ConditionsComputed";

/// The conditions that can be told; one that waits for something is left out.
/// What is wrong with one is no reason to leave the children alone: it is told
/// in a condition, and the others stand.
pub(super) fn of<'r>(program: &'r Program<'r>, schema: &Json, scope: Scope<'r>, all_ready: bool) -> Vec<Condition> {
    if program.conditions.is_empty() {
        return Vec::new();
    }
    let mut instance = schema.clone();
    instance["status"] = json!({"conditions": built_in(all_ready)});
    // What they make does not outlive the instance that they see.
    let mut scope = scope;
    scope.set(0, Some(Value::of_json(&instance, None)));
    let mut told: Vec<Condition> = Vec::new();
    let mut wrong: Vec<(&str, String)> = Vec::new();
    for expression in &program.conditions {
        match scope.value(expression).and_then(|made| conditions(&made)) {
            Ok(made) => told.extend(made),
            Err(Lack::Pending(_)) => {}
            Err(Lack::Failed(why) | Lack::Exhausted(why)) => {
                wrong.push(("EvaluationFailed", format!("cannot evaluate `{}`: {why}", expression.shown())));
            }
        }
    }
    // Of several of one type none can be right, as in kro.
    let mut seen = BTreeSet::new();
    let again = told.iter().filter(|condition| !seen.insert(condition.kind.as_str()));
    let twice: BTreeSet<String> = again.map(|condition| condition.kind.clone()).collect();
    told.retain(|condition| !twice.contains(&condition.kind));
    wrong.extend(
        twice.iter().map(|kind| ("DuplicateCondition", format!("more than one condition is of type `{kind}`"))),
    );
    if let Some(incomplete) = incomplete(&wrong) {
        told.retain(|condition| condition.kind != incomplete.kind);
        told.push(incomplete);
    }
    told
}

/// What is wrong, as a condition.
fn incomplete(wrong: &[(&str, String)]) -> Option<Condition> {
    let (reason, _) = wrong.first()?;
    let messages: Vec<&str> = wrong.iter().map(|(_, message)| message.as_str()).collect();
    Some(Condition {
        kind: INCOMPLETE.to_owned(),
        status: ConditionStatus::False,
        reason: (*reason).to_owned(),
        message: messages.join("; "),
    })
}

/// One expression's conditions.
fn conditions(value: &Value) -> Result<Vec<Condition>, Lack> {
    match value {
        Value::Condition(made) if !shape::is_word(&made.kind) => Err(Lack::Failed(format!(
            "`{}` is not a type of a condition: it is one word, such as `DatabaseReady`",
            made.kind
        ))),
        Value::Condition(made) if !shape::is_reason(&made.reason) => Err(Lack::Failed(format!(
            "the reason of condition `{}` is not a line of at most 1,024 bytes, such as `DatabaseCreated`",
            made.kind
        ))),
        Value::Condition(made) => Ok(vec![condition(made)]),
        Value::List(list) => {
            let mut all = Vec::new();
            for element in list.iter() {
                all.extend(conditions(&element)?);
            }
            Ok(all)
        }
        Value::Optional(Some(value)) => conditions(value),
        Value::Optional(None) | Value::Null => Ok(Vec::new()),
        other => Err(Lack::Failed(format!("it is of type {}, and no condition", other.type_name()))),
    }
}

fn condition(made: &Made) -> Condition {
    let status = match made.status.as_str() {
        "True" => ConditionStatus::True,
        "False" => ConditionStatus::False,
        _ => ConditionStatus::Unknown,
    };
    Condition { kind: made.kind.clone(), status, reason: made.reason.clone(), message: made.message.clone() }
}

/// kro's own conditions of an instance that got as far as this, which
/// `runtime.condition(schema, …)` reads.
fn built_in(all_ready: bool) -> Json {
    let (status, reason) = if all_ready { ("True", "AllResourcesReady") } else { ("False", "NotReady") };
    let of = |kind: &str, status: &str, reason: &str| json!({"type": kind, "status": status, "reason": reason, "message": ""});
    json!([
        of("InstanceManaged", "True", "Managed"),
        of("GraphResolved", "True", "Resolved"),
        of("ResourcesReady", status, reason),
        of("Ready", status, if all_ready { "Ready" } else { reason }),
    ])
}
