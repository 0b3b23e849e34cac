//! What a definition's status says: croft's word on it, and kro's fields and
//! conditions of its kind.
//!
//! It says; the clock and the write are its caller's.

use serde_json::{Value, json};

use super::{Error, record};
use host_core::{
    definition::DefinitionKind,
    fault::Fault,
    status::{MOST_IDS, chain, cut, order},
};

use crate::pass::world::Serving;

/// kro's conditions of a ResourceGraphDefinition, in the order in which one
/// comes after the other; the last sums them up.
const GRAPH: &str = "GraphAccepted";
const KIND: &str = "KindReady";
const CONTROLLER: &str = "ControllerReady";
const READY: &str = "Ready";

/// One condition, without dates.
struct Finding {
    kind: &'static str,
    status: &'static str,
    reason: String,
    message: String,
}

/// The status after a look at the definition. `now` is RFC 3339, in seconds; it
/// goes only into conditions whose status changed. `serves` says whether the
/// definition is in force, be it in an earlier version.
pub(super) fn status(
    kind: DefinitionKind,
    definition: &Value,
    result: Result<&Serving, &Error>,
    serves: bool,
    now: &str,
) -> Value {
    let mut status = definition.get("status").cloned().unwrap_or_else(|| json!({}));
    let findings = match kind {
        DefinitionKind::ResourceGroup => vec![accepted("Accepted", result), accepted("GraphVerified", result)],
        DefinitionKind::ResourceGraphDefinition => of_a_graph(result, serves),
        DefinitionKind::Composition => vec![accepted("Accepted", result), ready(result)],
    };
    let generation = &definition["metadata"]["generation"];
    let conditions: Value = findings.iter().map(|finding| dated(finding, &status, generation, now)).collect();
    status["conditions"] = conditions;
    status["state"] = if result.is_ok() { "Active" } else { "Inactive" }.into();
    if let Ok(serving) = result {
        let blueprint = &serving.prepared.blueprint;
        status["topologicalOrder"] = order(blueprint);
        status["module"] = serving.module.digest().as_str().into();
        status["croft"] = record::of(definition, &blueprint.api.kind);
        let depending = blueprint.nodes.iter().filter(|node| !node.depends_on.is_empty());
        let resources: Vec<Value> = depending
            .take(MOST_IDS)
            .map(|node| {
                let ids: Vec<Value> = node.depends_on.iter().take(MOST_IDS).map(|id| json!({"id": id})).collect();
                json!({"id": node.id, "dependencies": ids})
            })
            .collect();
        status["resources"] = resources.into();
    }
    status
}

/// Takes out of a status what is more than the server takes: the version that was
/// accepted, which a restart goes without then, and what is made of the definition.
/// Which API it has stays.
pub(super) fn shorten(status: &mut Value) {
    let Some(fields) = status.as_object_mut() else { return };
    fields.remove("resources");
    fields.remove("topologicalOrder");
    if let Some(record) = fields.get_mut("croft").and_then(Value::as_object_mut) {
        record.remove("accepted");
    }
}

/// croft's word, under croft's name or under the one that kro v0.1 has for it.
fn accepted(kind: &'static str, result: Result<&Serving, &Error>) -> Finding {
    let (status, reason, message) = match result {
        Ok(serving) => {
            let warnings: Vec<String> = serving.prepared.warnings.iter().map(ToString::to_string).collect();
            ("True", "Valid", warnings.join("; "))
        }
        Err(error) => ("False", error.reason(), chain(error)),
    };
    Finding { kind, status, reason: reason.to_owned(), message }
}

/// The sum of it all, of a definition that kro does not know.
fn ready(result: Result<&Serving, &Error>) -> Finding {
    match result {
        Ok(_) => Finding { kind: READY, status: "True", reason: READY.to_owned(), message: String::new() },
        Err(_) => Finding { message: "see the condition `Accepted`".to_owned(), ..accepted(READY, result) },
    }
}

/// croft's word, and kro v0.9's conditions beside it. What was not looked at
/// because of an error before is as it was for the version in force, if there
/// is one.
fn of_a_graph(result: Result<&Serving, &Error>, serves: bool) -> Vec<Finding> {
    let bad = result.err().map(|error| (at_fault(error), chain(error)));
    let part = |kind: &'static str, well: &str, badly: &str| {
        let (status, reason, message) = match &bad {
            None => ("True", well, String::new()),
            Some((at, message)) if *at == kind => ("False", badly, message.clone()),
            // The graph is looked at before the kind.
            Some((at, _)) if kind == GRAPH && *at == KIND => ("True", well, String::new()),
            Some(_) if kind != GRAPH && serves => ("True", well, String::new()),
            Some(_) => ("Unknown", "AwaitingReconciliation", String::new()),
        };
        Finding { kind, status, reason: reason.to_owned(), message }
    };
    let parts = [
        part(GRAPH, "Valid", "InvalidResourceGraph"),
        part(KIND, "Ready", "Failed"),
        part(CONTROLLER, "Running", "FailedToStart"),
    ];
    let ready = match parts.iter().find(|part| part.status == "False") {
        None => Finding { kind: READY, status: "True", reason: READY.to_owned(), message: String::new() },
        Some(part) => {
            let (reason, message) = (part.reason.clone(), part.message.clone());
            Finding { kind: READY, status: "False", reason, message }
        }
    };
    [accepted("Accepted", result), ready].into_iter().chain(parts).collect()
}

/// Which of kro's conditions an error makes false. There is always one.
fn at_fault(error: &Error) -> &'static str {
    match error {
        Error::Refused(_) | Error::Insatiable => GRAPH,
        Error::NotServed { .. } | Error::DuplicateKind { .. } | Error::OtherKind { .. } => KIND,
        // Nobody could so much as look at the graph.
        Error::NotProvider | Error::Module(_) | Error::Schema { .. } | Error::LookUp { .. } | Error::Interrupted => {
            CONTROLLER
        }
    }
}

/// The condition with the time of its last transition: the earlier one's,
/// unless the status is another.
fn dated(finding: &Finding, before: &Value, generation: &Value, now: &str) -> Value {
    let Finding { kind, status, reason, message } = finding;
    let message = cut(message);
    let mut earlier = before["conditions"].as_array().into_iter().flatten();
    let same = earlier.find(|other| other["type"] == *kind && other["status"] == *status);
    let since = same.and_then(|other| other["lastTransitionTime"].as_str()).unwrap_or(now);
    json!({
        "type": kind, "status": status, "reason": reason, "message": message,
        "lastTransitionTime": since, "observedGeneration": generation,
    })
}

#[cfg(test)]
mod tests {
    use contract::Gvk;

    use super::*;

    const NOW: &str = "2026-01-02T00:00:00Z";

    /// `Type=Status/Reason` of every condition.
    fn summary(kind: DefinitionKind, error: &Error, serves: bool) -> Vec<String> {
        let definition = json!({"metadata": {"generation": 2}});
        let status = status(kind, &definition, Err(error), serves, NOW);
        assert_eq!(status["state"], "Inactive");
        let field = |condition: &Value, name: &str| condition[name].as_str().unwrap().to_owned();
        let told = |c: &Value| format!("{}={}/{}", field(c, "type"), field(c, "status"), field(c, "reason"));
        status["conditions"].as_array().unwrap().iter().map(told).collect()
    }

    fn not_served() -> Error {
        let kind = Gvk { group: "kro.run".into(), version: "v1".into(), kind: "Web".into() };
        Error::NotServed { kind, plural: "webs".into() }
    }

    #[test]
    fn a_resource_group_has_the_conditions_of_its_time() {
        let conditions = summary(DefinitionKind::ResourceGroup, &Error::NotProvider, false);
        assert_eq!(conditions, ["Accepted=False/NotProvider", "GraphVerified=False/NotProvider"]);
    }

    #[test]
    fn a_composition_has_crofts_word_and_the_sum_of_it_and_nothing_of_kros() {
        let conditions = summary(DefinitionKind::Composition, &not_served(), true);
        assert_eq!(conditions, ["Accepted=False/NotServed", "Ready=False/NotServed"]);
    }

    #[test]
    fn a_graph_definition_says_where_it_fails_and_ready_repeats_it() {
        let cases = [
            (
                Error::Insatiable,
                ["False/InvalidResourceGraph"; 2],
                "Unknown/AwaitingReconciliation",
                "Unknown/AwaitingReconciliation",
            ),
            (not_served(), ["False/Failed", "True/Valid"], "False/Failed", "Unknown/AwaitingReconciliation"),
            (
                Error::NotProvider,
                ["False/FailedToStart", "Unknown/AwaitingReconciliation"],
                "Unknown/AwaitingReconciliation",
                "False/FailedToStart",
            ),
        ];
        for (error, [ready, graph], kind, controller) in cases {
            let expected = [
                format!("Accepted=False/{}", error.reason()),
                format!("Ready={ready}"),
                format!("GraphAccepted={graph}"),
                format!("KindReady={kind}"),
                format!("ControllerReady={controller}"),
            ];
            assert_eq!(summary(DefinitionKind::ResourceGraphDefinition, &error, false), expected);
        }
    }

    #[test]
    fn a_refused_change_leaves_the_version_in_force_at_work() {
        let conditions = summary(DefinitionKind::ResourceGraphDefinition, &Error::Insatiable, true);
        let expected =
            ["GraphAccepted=False/InvalidResourceGraph", "KindReady=True/Ready", "ControllerReady=True/Running"];
        assert_eq!(conditions[2..], expected);
    }

    #[test]
    fn a_message_is_no_longer_than_is_stated() {
        let kind = Gvk { group: "kro.run".into(), version: "v1".into(), kind: "W".repeat(10_000) };
        let error = Error::NotServed { kind, plural: String::new() };
        for kind in DefinitionKind::ALL {
            let status = status(kind, &json!({}), Err(&error), false, NOW);
            for condition in status["conditions"].as_array().unwrap() {
                assert!(condition["message"].as_str().unwrap().chars().count() <= 2001, "{condition}");
            }
        }
    }

    #[test]
    fn a_transition_is_dated_only_when_the_status_changes() {
        let before = json!([
            {"type": "Accepted", "status": "False", "lastTransitionTime": "2026-01-01T00:00:00Z"},
            {"type": "GraphVerified", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"},
        ]);
        let definition = json!({"metadata": {"generation": 3}, "status": {"conditions": before, "other": 1}});
        let status = status(DefinitionKind::ResourceGroup, &definition, Err(&Error::NotProvider), false, NOW);
        let dates: Vec<_> = status["conditions"].as_array().unwrap().iter().map(|c| &c["lastTransitionTime"]).collect();
        assert_eq!(dates, ["2026-01-01T00:00:00Z", NOW]);
        assert_eq!((&status["conditions"][0]["observedGeneration"], &status["other"]), (&json!(3), &json!(1)));
    }
}
