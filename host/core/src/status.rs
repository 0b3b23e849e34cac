//! What an instance's status says: state, conditions, the fields that its
//! definition projects, and croft's own record.
//!
//! It says; the clock and the write are its caller's.

use std::collections::{HashMap, HashSet};

use contract::{Blueprint, Condition, ConditionStatus, Rendering};
use serde_json::{Map, Value, json};

use crate::{
    definition::DefinitionKind,
    fault::{Blame, Fault},
    inventory::Inventory,
    object,
    receipt::Receipt,
};

/// How far a pass came. Stages are conditions of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// There is a definition that its module accepted.
    Accepted,
    /// The module rendered the instance.
    Rendered,
    /// The children were admitted and written.
    Applied,
    /// The children do what the definition waits for.
    Ready,
}

const STAGES: [(Stage, &str); 4] = [
    (Stage::Accepted, "Accepted"),
    (Stage::Rendered, "Rendered"),
    (Stage::Applied, "Applied"),
    (Stage::Ready, "Ready"),
];

/// How a pass ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everything is there and ready.
    Ready,
    /// Everything that can be done is done; something else has to happen.
    Waiting {
        /// What.
        message: String,
    },
    /// The definition asked to leave the instance alone.
    Suspended {
        /// Why.
        message: String,
    },
    /// The pass stopped at a stage.
    Stopped {
        /// The stage that failed.
        stage: Stage,
        /// One PascalCase word.
        reason: String,
        /// Whose turn it is.
        blame: Blame,
        /// What happened.
        message: String,
    },
    /// The instance is going; its children go first.
    Deleting {
        /// What is waited for.
        message: String,
    },
}

impl Verdict {
    /// A pass that an error stopped.
    pub fn stopped(stage: Stage, error: &dyn Fault) -> Verdict {
        Verdict::Stopped { stage, reason: error.reason().to_owned(), blame: error.blame(), message: chain(error) }
    }

    /// kro's one-word summary.
    pub fn state(&self) -> &'static str {
        match self {
            Verdict::Ready => "ACTIVE",
            Verdict::Waiting { .. } | Verdict::Suspended { .. } => "IN_PROGRESS",
            Verdict::Stopped { blame: Blame::Host, .. } => "IN_PROGRESS",
            Verdict::Stopped { .. } => "ERROR",
            Verdict::Deleting { .. } => "DELETING",
        }
    }

    /// A condition's status, reason and message under this verdict.
    fn condition(&self, at: Stage) -> (ConditionStatus, &str, &str) {
        use ConditionStatus::{False, True, Unknown};
        match self {
            Verdict::Stopped { stage, reason, message, .. } if *stage == at => (False, reason, message),
            // Whoever looks at one condition looks at this.
            Verdict::Stopped { stage, reason, message, .. } if at == Stage::Ready && at > *stage => {
                (False, reason, message)
            }
            Verdict::Stopped { stage, .. } if at > *stage => (Unknown, "NotReached", ""),
            Verdict::Waiting { message } if at == Stage::Ready => (False, "Waiting", message),
            Verdict::Suspended { message } if at >= Stage::Applied => (False, SUSPENDED, message),
            // What is on its way out is not a success, whatever it was before.
            Verdict::Deleting { message } if at >= Stage::Applied => (False, "Deleting", message),
            Verdict::Deleting { .. } => (Unknown, "Deleting", ""),
            _ => (True, reason_when_true(at), ""),
        }
    }
}

/// kro's word for it.
const SUSPENDED: &str = "ReconciliationSuspended";

fn reason_when_true(stage: Stage) -> &'static str {
    match stage {
        Stage::Accepted => "Valid",
        Stage::Rendered => "Rendered",
        Stage::Applied => "Applied",
        Stage::Ready => "Ready",
    }
}

/// How much a status says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// Nothing that a module said, and of the children how many there are, and one of
    /// each kind: what is left where the server takes no more.
    Short,
}

/// What the pass found out. Without a rendering the fields that an earlier one
/// projected are kept.
pub struct Findings<'a> {
    /// How it ended.
    pub verdict: &'a Verdict,
    /// The kind of the definition.
    pub definition: DefinitionKind,
    /// The definition's blueprint, if there is one.
    pub blueprint: Option<&'a Blueprint>,
    /// What the module answered, if it did, and its receipt.
    pub rendered: Option<(&'a Rendering, &'a Receipt)>,
    /// The children as they are now.
    pub inventory: &'a Inventory,
    /// How much of it is said.
    pub extent: Extent,
}

/// The instance's whole status. `now` is RFC 3339, in seconds; it goes only
/// into conditions whose status changed.
pub fn status(instance: &Value, findings: &Findings<'_>, now: &str) -> Map<String, Value> {
    let before = instance.get("status").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut status = match (findings.extent, findings.rendered) {
        (Extent::Short, _) => Map::new(),
        (Extent::Whole, Some((rendering, _))) => rendering.status.clone(),
        (Extent::Whole, None) => before.clone(),
    };
    let generation = instance.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or(0);
    status.insert("state".into(), findings.verdict.state().into());
    status.insert("conditions".into(), conditions(&before, findings, generation, now));
    status.insert("croft".into(), record(before.get("croft"), findings, generation));
    status
}

fn conditions(before: &Map<String, Value>, findings: &Findings<'_>, generation: i64, now: &str) -> Value {
    let earlier = before.get("conditions").and_then(Value::as_array).cloned().unwrap_or_default();
    let own = STAGES.map(|(stage, kind)| {
        let (status, reason, message) = findings.verdict.condition(stage);
        condition(kind, status, reason, message)
    });
    let kros = kros(findings, &own);
    let said = findings.rendered.filter(|_| findings.extent == Extent::Whole);
    let added = said.map(|(rendering, _)| rendering.conditions.as_slice()).unwrap_or_default();
    let overridden: HashSet<&str> = added.iter().map(|condition| condition.kind.as_str()).collect();
    let usual = own.into_iter().chain(kros).filter(|condition| !overridden.contains(condition.kind.as_str()));
    let all: Vec<Condition> = usual.chain(added.iter().cloned()).collect();
    let told: HashSet<&str> = all.iter().map(|condition| condition.kind.as_str()).collect();
    let is_told = |earlier: &Value| told.contains(object::text(earlier, "/type"));
    let is_kros = |earlier: &Value| KROS.iter().any(|kind| earlier["type"] == *kind);
    let pending = earlier.iter().filter(|earlier| !is_told(earlier) && !is_kros(earlier));
    let pending = pending.filter(|_| may_be_pending(before, findings)).cloned();
    let since = earlier.iter().rev().map(|earlier| (transition(earlier), earlier)).collect();
    let all = all.iter().map(|condition| dated(condition, &since, generation, now)).chain(pending);
    let is_usual = |kind: &str| STAGES.iter().any(|(_, own)| *own == kind) || KROS.contains(&kind);
    let mut room = match findings.extent {
        Extent::Whole => MOST_CONDITIONS,
        Extent::Short => 0,
    };
    let fits = |condition: &Value| {
        let counts = !is_usual(object::text(condition, "/type"));
        let fits = !counts || room > 0;
        room -= usize::from(counts && fits);
        fits
    };
    all.filter(fits).collect()
}

fn condition(kind: &str, status: ConditionStatus, reason: &str, message: &str) -> Condition {
    Condition { kind: kind.into(), status, reason: reason.into(), message: message.into() }
}

/// Whether a condition that the module left out may be one that it cannot tell
/// yet, which keeps what it said, rather than one that the definition does not
/// have any more. As long as nothing is waited for, all can be told.
fn may_be_pending(before: &Map<String, Value>, findings: &Findings<'_>) -> bool {
    let Some((rendering, receipt)) = findings.rendered else { return true };
    let definition = before.get("croft").and_then(|record| record.pointer("/receipt/definition"));
    let is_same = definition.and_then(Value::as_str) == Some(receipt.input.definition.as_str());
    is_same && (rendering.suspended.is_some() || waiting(rendering).is_some())
}

/// The conditions that kro has, whatever the kind of definition.
const KROS: [&str; 4] = ["InstanceSynced", "InstanceManaged", "GraphResolved", "ResourcesReady"];

/// kro's own conditions, for what its users wait for, for the health checks of
/// their tools, and for the columns that kro's CRDs have: what `own` says, in
/// the words of the kro that the definition is for. They cost nothing, since
/// they change only when croft's own do.
fn kros(findings: &Findings<'_>, own: &[Condition; 4]) -> Vec<Condition> {
    let deleting = matches!(findings.verdict, Verdict::Deleting { .. });
    match findings.definition {
        // kro has no definitions of this kind.
        DefinitionKind::Composition => Vec::new(),
        DefinitionKind::ResourceGroup if deleting => vec![leaving("InstanceSynced")],
        DefinitionKind::ResourceGraphDefinition if deleting => {
            ["InstanceManaged", "GraphResolved", "ResourcesReady"].map(leaving).into()
        }
        DefinitionKind::ResourceGroup => vec![synced(&own[Stage::Applied as usize])],
        DefinitionKind::ResourceGraphDefinition => vec![
            echo("InstanceManaged", ["Managed", "ManagementFailed"], &own[Stage::Accepted as usize]),
            echo("GraphResolved", ["Resolved", "ResolutionFailed"], &own[Stage::Rendered as usize]),
            resources_ready(findings.verdict),
        ],
    }
}

/// What kro says of an instance that is being deleted.
fn leaving(kind: &str) -> Condition {
    condition(kind, ConditionStatus::Unknown, "UnderDeletion", "see the condition `Ready`")
}

/// kro v0.1's: whether the children were written.
fn synced(applied: &Condition) -> Condition {
    let reason = match applied.status {
        ConditionStatus::True => "ReconciliationSucceeded",
        ConditionStatus::False | ConditionStatus::Unknown => "ReconciliationFailed",
    };
    let message = if applied.message.is_empty() { "" } else { "see the condition `Applied`" };
    condition("InstanceSynced", applied.status, reason, message)
}

/// A condition of croft's under another name, with the reasons when it holds and
/// when it does not.
fn echo(kind: &str, [well, badly]: [&str; 2], own: &Condition) -> Condition {
    let reason = match own.status {
        ConditionStatus::True => well,
        ConditionStatus::False => badly,
        ConditionStatus::Unknown => AWAITING,
    };
    let message = if own.message.is_empty() { String::new() } else { format!("see the condition `{}`", own.kind) };
    condition(kind, own.status, reason, &message)
}

/// kro v0.9's: whether the children are what the definition waits for.
fn resources_ready(verdict: &Verdict) -> Condition {
    use ConditionStatus::{False, True, Unknown};
    let (status, reason, see) = match verdict {
        Verdict::Ready => (True, "AllResourcesReady", ""),
        Verdict::Waiting { .. } => (False, "NotReady", "see the condition `Ready`"),
        Verdict::Suspended { .. } => (False, SUSPENDED, "see the condition `Ready`"),
        Verdict::Deleting { .. } => return leaving("ResourcesReady"),
        Verdict::Stopped { stage, .. } if *stage >= Stage::Applied => {
            (False, "NotReady", "see the condition `Applied`")
        }
        Verdict::Stopped { .. } => (Unknown, AWAITING, ""),
    };
    condition("ResourcesReady", status, reason, see)
}

/// kro's reason for what nobody has looked at.
const AWAITING: &str = "AwaitingReconciliation";

/// What a condition was last set to: its type and its status.
fn transition(condition: &Value) -> (&str, &str) {
    (object::text(condition, "/type"), object::text(condition, "/status"))
}

/// The condition with the time of its last transition: the earlier one's,
/// unless the status is another.
fn dated(condition: &Condition, earlier: &HashMap<(&str, &str), &Value>, generation: i64, now: &str) -> Value {
    let mut dated = serde_json::to_value(condition).expect("a condition is plain data");
    dated["message"] = cut(&condition.message).into();
    let same = earlier.get(&transition(&dated));
    let since = same.and_then(|other| other["lastTransitionTime"].as_str()).unwrap_or(now);
    dated["lastTransitionTime"] = since.into();
    dated["observedGeneration"] = generation.into();
    dated
}

/// So many conditions of a definition's own a status has at most, besides croft's
/// and kro's. A module may state as many as fit its answer.
pub const MOST_CONDITIONS: usize = 64;

/// So many ids a status lists at most of what a definition is made of.
pub const MOST_IDS: usize = 256;

/// A message no longer than a person reads, 2,000 characters: a module may say as
/// much as it likes.
pub fn cut(message: &str) -> String {
    const MOST: usize = 2000;
    match message.char_indices().nth(MOST) {
        None => message.to_owned(),
        Some((end, _)) => format!("{}…", &message[..end]),
    }
}

/// croft's own record on the instance.
fn record(before: Option<&Value>, findings: &Findings<'_>, generation: i64) -> Value {
    let mut record = json!({"observedGeneration": generation});
    match findings.extent {
        Extent::Whole => record["inventory"] = findings.inventory.record(),
        Extent::Short => {
            record["inventory"] = findings.inventory.short_record();
            record["children"] = findings.inventory.len().into();
        }
    }
    let earlier = |field: &str| before.and_then(|before| before.get(field)).cloned();
    let order = findings.blueprint.map(order).or_else(|| earlier("topologicalOrder"));
    let receipt = match (findings.rendered, earlier("receipt")) {
        // Something changed that the module does not look at: the same came out,
        // and saying so anew would be a write for nothing.
        (Some((_, receipt)), Some(earlier)) if is_same_work(receipt, &earlier) => Some(earlier),
        (Some((_, receipt)), _) => Some(json!(receipt)),
        (None, earlier) => earlier,
    };
    for (field, value) in [("topologicalOrder", order), ("receipt", receipt)] {
        if let Some(value) = value {
            record[field] = value;
        }
    }
    record
}

/// The ids of a definition's children, each after those that it is made from.
pub fn order(blueprint: &Blueprint) -> Value {
    blueprint.order().into_iter().take(MOST_IDS).collect()
}

/// Whether the same module made the same of the same definition.
fn is_same_work(receipt: &Receipt, earlier: &Value) -> bool {
    let now = json!(receipt);
    ["module", "definition", "output"].iter().all(|field| now[field] == earlier[field])
}

/// The JSON merge patch (RFC 7386) that turns one status into another; `None`
/// if they are equal.
pub fn patch(before: Option<&Value>, after: &Map<String, Value>) -> Option<Value> {
    let empty = Map::new();
    merge_patch(before.and_then(Value::as_object).unwrap_or(&empty), after).map(Value::Object)
}

fn merge_patch(before: &Map<String, Value>, after: &Map<String, Value>) -> Option<Map<String, Value>> {
    let gone = before.keys().filter(|key| !after.contains_key(*key)).map(|key| (key.clone(), Value::Null));
    let changed = after.iter().filter_map(|(key, value)| match (before.get(key), value) {
        (Some(old), new) if old == new => None,
        (Some(Value::Object(old)), Value::Object(new)) => {
            merge_patch(old, new).map(|patch| (key.clone(), Value::Object(patch)))
        }
        (_, new) => Some((key.clone(), new.clone())),
    });
    let patch: Map<_, _> = gone.chain(changed).collect();
    if patch.is_empty() { None } else { Some(patch) }
}

/// What a rendering still waits for, in one sentence; `None` if for nothing.
pub fn waiting(rendering: &Rendering) -> Option<String> {
    let unready = rendering.readiness.iter().filter(|readiness| !readiness.ready).map(|readiness| {
        let message = if readiness.message.is_empty() { "it is not ready" } else { &readiness.message };
        match readiness.key.as_str() {
            "" => format!("{}: {message}", readiness.id),
            key => format!("{}[{key}]: {message}", readiness.id),
        }
    });
    let blocked = rendering.blocked.iter().map(|blocked| format!("{}: {}", blocked.id, blocked.message));
    let all: Vec<String> = blocked.chain(unready).collect();
    match all.as_slice() {
        [] => None,
        // A condition's message is read in a terminal: a few are enough.
        few if few.len() <= 5 => Some(few.join("; ")),
        some => Some(format!("{}; and {} more", some[..5].join("; "), some.len() - 5)),
    }
}

/// An error and its causes in one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        // Some libraries print their cause within their own text.
        if !text.contains(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests;
