//! What became of each instance, or would, as text or as JSON.

use std::fmt::Write as _;

use clap::ValueEnum;
use contract::Gvk;
use serde_json::{Value, json};

use super::Way;
use host_core::{
    adopt::{Entry, Fate, Plan},
    object,
};

/// How to print it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// A line for each instance and each object
    Text,
    /// One JSON object
    Json,
}

/// What became of one instance.
pub(super) struct Outcome {
    /// Its kind and place.
    pub(super) name: String,
    /// What was planned for it.
    pub(super) plan: Plan,
    /// How many writes were sent.
    pub(super) sent: usize,
}

/// An instance's kind and place.
pub(super) fn name(instance: &Value) -> String {
    let kind = Gvk::of(instance).map(|kind| kind.to_string()).unwrap_or_default();
    let name = object::text(instance, "/metadata/name");
    match object::text(instance, "/metadata/namespace") {
        "" => format!("{kind} {name}"),
        namespace => format!("{kind} {namespace}/{name}"),
    }
}

/// Everything that there is to say. `applied` tells whether it was done.
pub(super) fn text(outcomes: &[Outcome], way: &Way, applied: bool, format: Format) -> String {
    match format {
        Format::Json => {
            let instances: Vec<Value> = outcomes.iter().map(|outcome| as_json(outcome, way, applied)).collect();
            format!("{:#}\n", json!({"applied": applied, "instances": instances}))
        }
        Format::Text => outcomes.iter().map(|outcome| as_text(outcome, way, applied)).collect(),
    }
}

fn as_text(outcome: &Outcome, way: &Way, applied: bool) -> String {
    let Outcome { name, plan, sent } = outcome;
    let mut text = format!("{name}: {}", summary(plan, way, applied));
    let writes = if applied { *sent } else { plan.writes.len() };
    // Writing to a string cannot fail.
    let _ = match writes {
        0 => writeln!(text),
        1 => writeln!(text, " (1 write)"),
        writes => writeln!(text, " ({writes} writes)"),
    };
    for reason in &plan.held {
        let _ = writeln!(text, "  {reason}");
    }
    for entry in &plan.entries {
        let _ = writeln!(text, "  {}", line(entry, way, applied));
    }
    text
}

fn as_json(outcome: &Outcome, way: &Way, applied: bool) -> Value {
    let Outcome { name, plan, sent } = outcome;
    let object = |entry: &Entry| {
        let target = &entry.target;
        let mut object = json!({
            "apiVersion": target.kind.api_version(), "kind": target.kind.kind, "name": target.name,
            "id": entry.id, "fate": word(&entry.fate, way, applied),
        });
        if !target.namespace.is_empty() {
            object["namespace"] = target.namespace.as_str().into();
        }
        if let Fate::Conflict { owner } = &entry.fate {
            object["owner"] = owner.as_str().into();
        }
        object
    };
    let objects: Vec<Value> = plan.entries.iter().map(object).collect();
    let writes = if applied { *sent } else { plan.writes.len() };
    json!({
        "instance": name, "summary": summary(plan, way, applied), "writes": writes, "held": plan.held,
        "objects": objects,
    })
}

fn summary(plan: &Plan, way: &Way, applied: bool) -> &'static str {
    match (plan.held.is_empty(), plan.writes.is_empty(), way, applied) {
        (false, ..) => "left alone for now",
        (true, true, ..) => "nothing to do",
        (true, false, Way::Take, true) => "taken over",
        (true, false, Way::Take, false) => "would be taken over",
        (true, false, Way::GiveBack(_), true) => "given back",
        (true, false, Way::GiveBack(_), false) => "would be given back",
    }
}

fn line(entry: &Entry, way: &Way, applied: bool) -> String {
    let id = if entry.id.is_empty() { String::new() } else { format!(" `{}`", entry.id) };
    let rest = match &entry.fate {
        Fate::Conflict { owner } => format!(", belongs to {owner}"),
        _ => String::new(),
    };
    format!("{}: {}{id}{rest}", word(&entry.fate, way, applied), entry.target)
}

fn word(fate: &Fate, way: &Way, applied: bool) -> &'static str {
    match (fate, way, applied) {
        (Fate::Move, Way::Take, false) => "adopt",
        (Fate::Done, Way::Take, _) | (Fate::Move, Way::Take, true) => "adopted",
        (Fate::Move, Way::GiveBack(_), false) => "give back",
        (Fate::Done, Way::GiveBack(_), _) | (Fate::Move, Way::GiveBack(_), true) => "given back",
        (Fate::Later, ..) => "create later",
        (Fate::Leftover, ..) => "leftover",
        (Fate::Undecided, ..) => "undecided",
        (Fate::Conflict { .. }, ..) => "conflict",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use host_core::object::Target;

    fn outcome() -> Outcome {
        let kind = Gvk { group: String::new(), version: "v1".into(), kind: "ConfigMap".into() };
        let entry = |name: &str, id: &str, fate: Fate| Entry {
            target: Target { kind: kind.clone(), namespace: "team".into(), name: name.into() },
            id: id.into(),
            fate,
        };
        let entries = vec![
            entry("a", "card", Fate::Move),
            entry("b", "seal", Fate::Conflict { owner: "the ApplySet `x`".into() }),
            entry("z", "", Fate::Leftover),
        ];
        let write = host_core::adopt::Write { target: entries[0].target.clone(), part: "", patch: json!({}) };
        let plan = Plan { entries, writes: vec![write], held: Vec::new() };
        Outcome { name: "Web.kro.run team/shop".into(), plan, sent: 1 }
    }

    #[test]
    fn each_object_has_a_line_with_its_fate() {
        let expected = "Web.kro.run team/shop: would be taken over (1 write)\n  adopt: ConfigMap team/a `card`\n  \
                        conflict: ConfigMap team/b `seal`, belongs to the ApplySet `x`\n  leftover: ConfigMap team/z\n";
        assert_eq!(text(&[outcome()], &Way::Take, false, Format::Text), expected);
    }

    #[test]
    fn what_was_done_is_told_as_done() {
        let json: Value = serde_json::from_str(&text(&[outcome()], &Way::Take, true, Format::Json)).unwrap();
        assert_eq!(json["instances"][0]["summary"], "taken over");
        assert_eq!(json["instances"][0]["objects"][0]["fate"], "adopted");
        assert_eq!(json["instances"][0]["objects"][1]["owner"], "the ApplySet `x`");
    }
}
