//! The conditions that a definition adds to its instances.

use expr::value::{Condition as Made, Value};
use guest_sdk::{Condition, ConditionStatus};
use serde_json::{Value as Json, json};

use super::scope::{Lack, Scope};
use crate::{
    problem::{Pointer, Problems},
    program::Program,
};

/// The conditions that can be told; one that waits for something is left out.
pub(super) fn of(
    program: &Program,
    schema: &Json,
    scope: &Scope,
    all_ready: bool,
    problems: &mut Problems,
) -> Vec<Condition> {
    if program.conditions.is_empty() {
        return Vec::new();
    }
    let mut instance = schema.clone();
    instance["status"] = json!({"conditions": built_in(all_ready)});
    let mut told: Vec<Condition> = Vec::new();
    for expression in &program.conditions {
        let value = Value::of_json(&instance, None);
        match evaluate(expression, scope, value) {
            Ok(made) => told.extend(made),
            Err(Lack::Pending(_)) => {}
            Err(Lack::Failed(why) | Lack::Exhausted(why)) => {
                let message = format!("failed to evaluate the condition `{}`: {why}", expression.shown());
                problems.error("EvaluationFailed", &Pointer::root(), message);
            }
        }
    }
    // Of two of one type the first stands, as in kro, which fails besides.
    let mut kinds: Vec<String> = Vec::new();
    told.retain(|condition| {
        let is_new = !kinds.contains(&condition.kind);
        kinds.push(condition.kind.clone());
        is_new
    });
    told
}

/// One expression's conditions. What it makes does not outlive the instance that
/// it sees.
fn evaluate(expression: &crate::program::Expression, scope: &Scope, instance: Value) -> Result<Vec<Condition>, Lack> {
    conditions(&scope.with(expression, 0, instance)?)
}

fn conditions(value: &Value) -> Result<Vec<Condition>, Lack> {
    match value {
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
