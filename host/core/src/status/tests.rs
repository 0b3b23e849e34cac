use contract::{Blocked, Readiness};

use super::*;
use crate::{name::Digest, receipt::Input};

const NOW: &str = "2026-01-02T00:00:00Z";

fn findings(verdict: &Verdict, before: Value) -> Map<String, Value> {
    findings_of(DefinitionKind::ResourceGroup, verdict, before)
}

fn findings_of(definition: DefinitionKind, verdict: &Verdict, before: Value) -> Map<String, Value> {
    let instance = json!({"metadata": {"generation": 3}, "status": before});
    let inventory = Inventory::default();
    let extent = Extent::Whole;
    let found = Findings { verdict, definition, blueprint: None, rendered: None, inventory: &inventory, extent };
    status(&instance, &found, NOW)
}

/// The status with a rendering, made from a definition of this content.
fn rendered(rendering: &Rendering, definition: &[u8], before: Value) -> Map<String, Value> {
    let digest = Digest::of(b"");
    let input = Input { module: digest.clone(), definition: Digest::of(definition), input: digest };
    let receipt = input.answered(rendering);
    let inventory = Inventory::default();
    let found = Findings {
        verdict: &Verdict::Ready,
        definition: DefinitionKind::ResourceGroup,
        blueprint: None,
        rendered: Some((rendering, &receipt)),
        inventory: &inventory,
        extent: Extent::Whole,
    };
    status(&json!({"status": before}), &found, NOW)
}

fn own(kind: &str, status: ConditionStatus) -> Condition {
    Condition { kind: kind.into(), status, reason: "Mine".into(), message: "m".into() }
}

/// `Type=Status/Reason` of every condition.
fn summary(status: &Map<String, Value>) -> Vec<String> {
    let conditions = status["conditions"].as_array().unwrap();
    let field = |condition: &Value, name: &str| condition[name].as_str().unwrap().to_owned();
    conditions.iter().map(|c| format!("{}={}/{}", field(c, "type"), field(c, "status"), field(c, "reason"))).collect()
}

#[test]
fn the_conditions_tell_how_far_a_pass_came() {
    let stopped = Verdict::Stopped {
        stage: Stage::Rendered,
        reason: "OutOfFuel".into(),
        blame: Blame::Module,
        message: "m".into(),
    };
    let cases = [
        (
            Verdict::Ready,
            "ACTIVE",
            ["Accepted=True/Valid", "Rendered=True/Rendered", "Applied=True/Applied", "Ready=True/Ready"],
        ),
        (
            Verdict::Waiting { message: "w".into() },
            "IN_PROGRESS",
            ["Accepted=True/Valid", "Rendered=True/Rendered", "Applied=True/Applied", "Ready=False/Waiting"],
        ),
        (
            stopped,
            "ERROR",
            ["Accepted=True/Valid", "Rendered=False/OutOfFuel", "Applied=Unknown/NotReached", "Ready=False/OutOfFuel"],
        ),
    ];
    for (verdict, state, conditions) in cases {
        let status = findings(&verdict, json!({}));
        assert_eq!(status["state"], state);
        assert_eq!(summary(&status)[..4], conditions, "{verdict:?}");
    }
}

#[test]
fn while_a_deletion_waits_no_condition_says_success() {
    for kind in DefinitionKind::ALL {
        let status = findings_of(kind, &Verdict::Deleting { message: "d".into() }, json!({}));
        let conditions = status["conditions"].as_array().unwrap();
        assert!(conditions.iter().all(|condition| condition["status"] != "True"), "{conditions:#?}");
        assert!(conditions.iter().any(|it| it["type"] == "Ready" && it["message"] == "d"), "{conditions:#?}");
    }
}

#[test]
fn ready_repeats_why_a_pass_was_stopped() {
    let (reason, message) = ("R".to_owned(), "m".to_owned());
    let verdict = Verdict::Stopped { stage: Stage::Applied, reason, blame: Blame::Consumer, message };
    let status = findings(&verdict, json!({}));
    let ready = status["conditions"].as_array().unwrap().iter().find(|it| it["type"] == "Ready").unwrap();
    assert_eq!((&ready["reason"], &ready["message"]), (&json!("R"), &json!("m")));
}

#[test]
fn kros_users_find_their_own_condition() {
    let synced = |verdict: &Verdict| summary(&findings(verdict, json!({}))).pop().unwrap();
    assert_eq!(synced(&Verdict::Ready), "InstanceSynced=True/ReconciliationSucceeded");
    let stopped =
        Verdict::Stopped { stage: Stage::Applied, reason: "R".into(), blame: Blame::Consumer, message: "m".into() };
    assert_eq!(synced(&stopped), "InstanceSynced=False/ReconciliationFailed");
}

#[test]
fn users_of_kros_graphs_find_their_own_conditions() {
    let kros = |verdict: Verdict| {
        summary(&findings_of(DefinitionKind::ResourceGraphDefinition, &verdict, json!({}))).split_off(4)
    };
    let stopped =
        |stage: Stage| Verdict::Stopped { stage, reason: "R".into(), blame: Blame::Consumer, message: "m".into() };
    let (managed, resolved) = ("InstanceManaged=True/Managed", "GraphResolved=True/Resolved");
    let cases = [
        (Verdict::Ready, [managed, resolved, "ResourcesReady=True/AllResourcesReady"]),
        (Verdict::Waiting { message: "w".into() }, [managed, resolved, "ResourcesReady=False/NotReady"]),
        (
            Verdict::Suspended { message: "s".into() },
            [managed, resolved, "ResourcesReady=False/ReconciliationSuspended"],
        ),
        (
            Verdict::Deleting { message: "d".into() },
            [
                "InstanceManaged=Unknown/UnderDeletion",
                "GraphResolved=Unknown/UnderDeletion",
                "ResourcesReady=Unknown/UnderDeletion",
            ],
        ),
        (stopped(Stage::Applied), [managed, resolved, "ResourcesReady=False/NotReady"]),
        (
            stopped(Stage::Rendered),
            [managed, "GraphResolved=False/ResolutionFailed", "ResourcesReady=Unknown/AwaitingReconciliation"],
        ),
        (
            stopped(Stage::Accepted),
            [
                "InstanceManaged=False/ManagementFailed",
                "GraphResolved=Unknown/AwaitingReconciliation",
                "ResourcesReady=Unknown/AwaitingReconciliation",
            ],
        ),
    ];
    for (verdict, conditions) in cases {
        assert_eq!(kros(verdict.clone()), conditions, "{verdict:?}");
    }
}

#[test]
fn a_suspended_instance_says_so_where_kros_users_look() {
    let status = findings(&Verdict::Suspended { message: "s".into() }, json!({}));
    assert_eq!(status["state"], "IN_PROGRESS");
    let expected = ["Applied", "Ready"].map(|kind| format!("{kind}=False/ReconciliationSuspended"));
    assert_eq!(summary(&status)[2..4], expected);
}

#[test]
fn trouble_of_the_platform_is_no_error_of_the_instance() {
    let verdict =
        Verdict::Stopped { stage: Stage::Applied, reason: "R".into(), blame: Blame::Host, message: "m".into() };
    assert_eq!(findings(&verdict, json!({}))["state"], "IN_PROGRESS");
}

#[test]
fn a_transition_is_dated_only_when_the_status_changes() {
    let before = json!({"conditions": [
        {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"},
        {"type": "Applied", "status": "False", "lastTransitionTime": "2026-01-01T00:00:00Z"},
    ]});
    let status = findings(&Verdict::Ready, before);
    let dates: Vec<_> =
        status["conditions"].as_array().unwrap().iter().map(|c| c["lastTransitionTime"].as_str().unwrap()).collect();
    assert_eq!(dates, [NOW, NOW, NOW, "2026-01-01T00:00:00Z", NOW]);
}

#[test]
fn a_failed_pass_keeps_what_an_earlier_one_projected() {
    let verdict = Verdict::Waiting { message: String::new() };
    let status = findings(&verdict, json!({"url": "x", "croft": {"receipt": {"output": "o"}}}));
    assert_eq!(status["url"], "x");
    assert_eq!(status["croft"], json!({"observedGeneration": 3, "inventory": [], "receipt": {"output": "o"}}));
}

#[test]
fn a_definitions_condition_overrides_the_hosts() {
    let conditions = vec![own("Ready", ConditionStatus::Unknown)];
    let status = rendered(&Rendering { conditions, ..Rendering::default() }, b"d", json!({}));
    assert_eq!(summary(&status).last().unwrap(), "Ready=Unknown/Mine");
    assert_eq!(summary(&status).iter().filter(|condition| condition.starts_with("Ready=")).count(), 1);
    assert!(status["croft"]["receipt"]["output"].as_str().unwrap().starts_with("sha256:"));
}

#[test]
fn a_definitions_condition_stays_while_it_is_pending_and_goes_when_it_is_gone() {
    let has = |status: &Map<String, Value>| summary(status).contains(&"Edge=True/Mine".to_owned());
    let conditions = vec![own("Edge", ConditionStatus::True)];
    let first = rendered(&Rendering { conditions, ..Rendering::default() }, b"d", json!({}));
    assert!(has(&first));
    let blocked = vec![Blocked { id: "a".into(), waits_for: Vec::new(), message: "m".into() }];
    let waiting = Rendering { blocked, ..Rendering::default() };
    let suspended = Rendering { suspended: Some("s".into()), ..Rendering::default() };
    for pending in [&waiting, &suspended] {
        let status = rendered(pending, b"d", json!(first.clone()));
        assert!(has(&status));
        assert_eq!(status["conditions"].as_array().unwrap().last(), first["conditions"].as_array().unwrap().last());
    }
    assert!(!has(&rendered(&Rendering::default(), b"d", json!(first.clone()))));
    assert!(!has(&rendered(&waiting, b"another definition", json!(first.clone()))));
    // Without a rendering nobody knows.
    let stopped =
        Verdict::Stopped { stage: Stage::Rendered, reason: "R".into(), blame: Blame::Module, message: "m".into() };
    assert!(has(&findings(&stopped, json!(first))));
}

#[test]
fn a_module_that_talks_for_ever_is_cut_short() {
    let verdict = Verdict::Waiting { message: "ä".repeat(100_000) };
    let status = findings(&verdict, json!({}));
    let message = status["conditions"][3]["message"].as_str().unwrap();
    assert!(message.len() < 5000 && message.ends_with('…'), "{}", message.len());
}

#[test]
fn a_change_that_the_module_does_not_look_at_is_not_recorded() {
    let rendering = Rendering::default();
    let receipt = |input: &[u8], module: &[u8]| {
        let (module, definition) = (Digest::of(module), Digest::of(b"d"));
        Input { module, definition, input: Digest::of(input) }.answered(&rendering)
    };
    let recorded = |receipt: &Receipt, before: Value| {
        let inventory = Inventory::default();
        let found = Findings {
            verdict: &Verdict::Ready,
            definition: DefinitionKind::ResourceGroup,
            blueprint: None,
            rendered: Some((&rendering, receipt)),
            inventory: &inventory,
            extent: Extent::Whole,
        };
        status(&json!({"status": {"croft": {"receipt": before}}}), &found, NOW)["croft"]["receipt"]["input"].clone()
    };
    let before = json!(receipt(b"one", b"m"));
    assert_eq!(recorded(&receipt(b"two", b"m"), before.clone()), before["input"]);
    assert_ne!(recorded(&receipt(b"two", b"other"), before.clone()), before["input"]);
}

#[test]
fn a_patch_says_only_what_changes() {
    let before = json!({"a": 1, "b": {"c": 1, "d": 2}, "e": 3});
    let after = json!({"a": 1, "b": {"c": 1, "d": 4}});
    let after = after.as_object().unwrap();
    assert_eq!(patch(Some(&before), after), Some(json!({"b": {"d": 4}, "e": null})));
    assert_eq!(patch(Some(&Value::Object(after.clone())), after), None);
    assert_eq!(patch(None, after), Some(Value::Object(after.clone())));
}

#[test]
fn what_is_waited_for_is_one_sentence() {
    let mut rendering = Rendering::default();
    assert_eq!(waiting(&rendering), None);
    rendering.blocked =
        vec![Blocked { id: "b".into(), waits_for: vec!["a".into()], message: "`a.data` is not there".into() }];
    rendering.readiness = vec![Readiness { id: "a".into(), key: String::new(), ready: false, message: String::new() }];
    assert_eq!(waiting(&rendering).unwrap(), "b: `a.data` is not there; a: it is not ready");
    rendering.readiness[0].key = "0".into();
    assert!(waiting(&rendering).unwrap().ends_with("a[0]: it is not ready"));
}

#[test]
fn conditions_and_ids_are_no_more_than_is_stated() {
    let kinds = (0..200).map(|number| format!("Own{number}")).chain(["Ready".to_owned()]);
    let conditions = kinds.map(|kind| own(&kind, ConditionStatus::True)).collect();
    let status = rendered(&Rendering { conditions, ..Rendering::default() }, b"d", json!({}));
    let all = summary(&status);
    // Croft's four, of which the definition states one, and one of kro's.
    assert_eq!(all.len(), MOST_CONDITIONS + 4 + 1);
    assert_eq!(all.last().unwrap(), "Ready=True/Mine");

    // Neither do those pile up that were stated earlier.
    let pending: Vec<Value> =
        (0..200).map(|number| json!({"type": format!("Old{number}"), "status": "True"})).collect();
    let waiting = Verdict::Waiting { message: "w".into() };
    let status = findings(&waiting, json!({"conditions": pending}));
    assert_eq!(status["conditions"].as_array().unwrap().len(), MOST_CONDITIONS + 4 + 1);
}

/// What a module said may be what is too much.
#[test]
fn a_short_status_says_what_croft_says_and_nothing_else() {
    let before = json!({
        "text": "x".repeat(1000), "state": "ACTIVE",
        "conditions": [{"type": "Mine", "status": "True"}],
        "croft": {"inventory": [], "topologicalOrder": ["a"]},
    });
    let rendering = Rendering {
        status: Map::from_iter([("text".to_owned(), json!("y".repeat(1000)))]),
        conditions: vec![own("Ready", ConditionStatus::True), own("Other", ConditionStatus::True)],
        ..Rendering::default()
    };
    let digest = Digest::of(b"");
    let input = Input { module: digest.clone(), definition: digest.clone(), input: digest };
    let receipt = input.answered(&rendering);
    let inventory = Inventory::default();
    for rendered in [None, Some((&rendering, &receipt))] {
        let found = Findings {
            verdict: &Verdict::Ready,
            definition: DefinitionKind::ResourceGroup,
            blueprint: None,
            rendered,
            inventory: &inventory,
            extent: Extent::Short,
        };
        let status = status(&json!({"status": before}), &found, NOW);
        assert_eq!(status.keys().collect::<Vec<_>>(), ["conditions", "croft", "state"]);
        let expected = ["Accepted=True/Valid", "Rendered=True/Rendered", "Applied=True/Applied", "Ready=True/Ready"];
        assert_eq!(summary(&status)[..4], expected);
        assert!(!summary(&status).iter().any(|said| said.starts_with("Mine") || said.starts_with("Other")));
        assert_eq!((&status["croft"]["children"], &status["croft"]["inventory"]), (&json!(0), &json!([])));
    }
}
