//! Objects that are not croft's stay as they are.

use serde_json::json;

use crate::stage::{CHAIN, Stage, api, condition, is, wait};

#[test]
fn an_object_in_the_way_is_left_untouched_and_reported() {
    let stage = Stage::new("conflicts", 1);
    stage.publish(CHAIN, &[]);
    stage.bind(1, "chains.kro.run");
    let host = stage.host_of("chains.kro.run");
    let theirs =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a-first"}, "data": {"mine": "1"}});
    let before = api().apply(&stage.path(1, "configmaps/a-first"), &theirs).unwrap();
    stage.create(1, "chains.kro.run/a", "Chain", json!({"name": "a"}));
    let instance = stage.until(1, "chains.kro.run/a", "Applied", "False");
    let applied = condition(&instance, "Applied").unwrap();
    assert_eq!(applied["reason"], "Conflict");
    let message = applied["message"].as_str().unwrap();
    assert!(message.contains("ConfigMap default/a-first") && message.contains("croft.run/adopt"), "{message}");
    let after = stage.find(1, "configmaps/a-first").unwrap();
    assert_eq!(after["metadata"]["resourceVersion"], before["metadata"]["resourceVersion"]);

    // Handed over, it becomes a child and keeps what else it says.
    api()
        .merge(&stage.path(1, "configmaps/a-first"), &json!({"metadata": {"annotations": {"croft.run/adopt": "a"}}}))
        .unwrap();
    stage.until(1, "chains.kro.run/a", "Ready", "True");
    let adopted = stage.find(1, "configmaps/a-first").unwrap();
    assert_eq!(adopted["data"], json!({"mine": "1", "text": "hello"}));
    assert_eq!(adopted["metadata"]["uid"], before["metadata"]["uid"]);

    // Another instance's child is in the way just the same, until it goes.
    stage.create(1, "chains.kro.run/b", "Chain", json!({"name": "a"}));
    let second = stage.until(1, "chains.kro.run/b", "Applied", "False");
    let message = condition(&second, "Applied").unwrap()["message"].as_str().unwrap().to_owned();
    assert!(message.contains("belongs to Chain.kro.run default/a"), "{message}");
    api().delete(&stage.path(1, "chains.kro.run/a")).unwrap();
    stage.until(1, "chains.kro.run/b", "Ready", "True");
    wait("the first to be gone", || stage.find(1, "chains.kro.run/a").is_none().then_some(()));
    assert_eq!(stage.children(1, "configmaps"), ["a-first", "a-third"]);
    assert!(host.process.end().unwrap().success());
}

#[test]
fn a_child_that_cannot_move_stays_until_it_can() {
    let stage = Stage::new("occupied", 1);
    stage.publish(CHAIN, &[]);
    stage.bind(1, "chains.kro.run");
    let host = stage.host_of("chains.kro.run");
    stage.create(1, "chains.kro.run/a", "Chain", json!({"name": "a"}));
    stage.until(1, "chains.kro.run/a", "Ready", "True");
    let children = ["configmaps/a-first", "secrets/a-second", "configmaps/a-third"];
    let uids = || children.map(|child| stage.find(1, child).map(|found| found["metadata"]["uid"].clone()));
    let before = uids();
    let theirs = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b-first"}});
    api().apply(&stage.path(1, "configmaps/b-first"), &theirs).unwrap();
    api().merge(&stage.path(1, "chains.kro.run/a"), &json!({"spec": {"name": "b"}})).unwrap();
    let instance = stage.until(1, "chains.kro.run/a", "Applied", "False");
    assert_eq!(condition(&instance, "Applied").unwrap()["reason"], "Conflict");
    // Whatever happens besides.
    api().merge(&stage.path(1, "chains.kro.run/a"), &json!({"spec": {"text": "bye"}})).unwrap();
    stage.until(1, "chains.kro.run/a", "Applied", "False");
    assert_eq!(uids(), before);
    assert!(before.iter().all(Option::is_some), "{before:?}");

    // The way is free: all of it moves.
    api().delete(&stage.path(1, "configmaps/b-first")).unwrap();
    stage.until(1, "chains.kro.run/a", "Ready", "True");
    wait("the move", || (stage.children(1, "configmaps") == ["b-first", "b-third"]).then_some(()));
    wait("the move", || (stage.children(1, "secrets") == ["b-second"]).then_some(()));
    assert!(host.process.end().unwrap().success());
}

/// An object that comes into being right before croft creates a child of that
/// name, and says the same: it is somebody's, and stays when the instance goes.
#[test]
fn a_creation_does_not_merge_into_what_came_into_being_meanwhile() {
    let stage = Stage::new("merging", 1);
    stage.publish(CHAIN, &["--layout", "shared"]);
    stage.bind(1, "chains.kro.run");
    let proxy = stage.proxy("chains.kro.run");
    let host = stage.host(&["--context", "proxy"]);
    let (path, mut made) = (stage.path(1, "configmaps/a-third"), false);
    let theirs = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a-third"}, "data": {"of": "a-second"},
    });
    let expected = theirs["data"].clone();
    proxy.before(move |seen| {
        if seen.path.contains("a-third") && !std::mem::replace(&mut made, true) {
            api().apply(&path, &theirs).unwrap();
        }
    });
    stage.create(1, "chains.kro.run/a", "Chain", json!({"name": "a"}));
    let instance = stage.until(1, "chains.kro.run/a", "Applied", "False");
    assert_eq!(condition(&instance, "Applied").unwrap()["reason"], "Conflict");
    let left = || stage.find(1, "configmaps/a-third").unwrap();
    assert_eq!((&left()["data"], left()["metadata"]["labels"].get("croft.run/instance")), (&expected, None));
    api().delete(&stage.path(1, "chains.kro.run/a")).unwrap();
    wait("the end", || stage.find(1, "chains.kro.run/a").is_none().then_some(()));
    assert_eq!(left()["data"], expected);
    assert!(host.process.end().unwrap().success());
}

/// The connection ends before the host hears that a child was created.
#[test]
fn a_creation_whose_answer_is_lost_is_found_to_be_ones_own() {
    let stage = Stage::new("lost-answer", 1);
    stage.publish(CHAIN, &["--layout", "shared"]);
    stage.bind(1, "chains.kro.run");
    let proxy = stage.proxy("chains.kro.run");
    let host = stage.host(&["--context", "proxy"]);
    let mut lost = false;
    proxy.judge(move |seen| match seen.path.contains("/configmaps") && !std::mem::replace(&mut lost, true) {
        true => harness::Verdict::Drop,
        false => harness::Verdict::Pass,
    });
    stage.create(1, "chains.kro.run/a", "Chain", json!({"name": "a"}));
    stage.until(1, "chains.kro.run/a", "Ready", "True");
    assert!(!host.log().contains("is not croft's"), "{}", host.log());
    // A field that is not rendered any more goes, whoever noted it in what way.
    let path = stage.path(1, "configmaps/a-first");
    let uid = stage.find(1, "configmaps/a-first").unwrap()["metadata"]["uid"].clone();
    let with_more =
        CHAIN.replace("data: {text: '${schema.spec.text}'}", "data: {text: '${schema.spec.text}', more: x}");
    stage.publish(&with_more, &["--layout", "shared"]);
    wait("one field more", || (api().find(&path).unwrap()?["data"]["more"] == "x").then_some(()));
    stage.publish(&CHAIN.replace("data: {text: '${schema.spec.text}'}", "data: {other: one}"), &["--layout", "shared"]);
    wait("one field less", || (api().find(&path).unwrap()?["data"] == json!({"other": "one"})).then_some(()));
    assert_eq!(stage.find(1, "configmaps/a-first").unwrap()["metadata"]["uid"], uid);
    assert!(host.process.end().unwrap().success());
}

#[test]
fn everybody_who_waits_for_an_object_gets_a_turn() {
    let stage = Stage::new("queueing", 1);
    stage.publish(CHAIN, &[]);
    stage.bind(1, "chains.kro.run");
    let host = stage.host_of("chains.kro.run");
    for name in ["one", "two", "three"] {
        stage.create(1, &format!("chains.kro.run/{name}"), "Chain", json!({"name": "shared"}));
    }
    let mut waiting = vec!["one", "two", "three"];
    while !waiting.is_empty() {
        let ready = wait("one of them to be ready", || {
            let is_ready = |name: &&&str| {
                stage.find(1, &format!("chains.kro.run/{name}")).is_some_and(|found| is(&found, "Ready", "True"))
            };
            waiting.iter().find(is_ready).copied()
        });
        api().delete(&stage.path(1, &format!("chains.kro.run/{ready}"))).unwrap();
        waiting.retain(|name| *name != ready);
    }
    wait("the end", || stage.children(1, "configmaps").is_empty().then_some(()));
    assert!(host.process.end().unwrap().success());
}

#[test]
fn a_namespace_that_is_made_later_is_found() {
    let stage = Stage::new("later", 1);
    let elsewhere = CHAIN.replace("-first'}", "-first', namespace: later}");
    stage.publish(&elsewhere, &[]);
    stage.bind(1, "chains.kro.run");
    let host = stage.host_of("chains.kro.run");
    stage.create(1, "chains.kro.run/a", "Chain", json!({"name": "a"}));
    let instance = stage.until(1, "chains.kro.run/a", "Applied", "False");
    assert_eq!(condition(&instance, "Applied").unwrap()["reason"], "NamespaceNotFound");
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "later"}});
    api().apply(&format!("/clusters/{}/api/v1/namespaces/later", stage.consumers[0]), &namespace).unwrap();
    stage.until(1, "chains.kro.run/a", "Ready", "True");
    assert!(host.process.end().unwrap().success());
}

#[test]
fn a_child_of_an_impossible_shape_is_told_and_harms_nobody() {
    let stage = Stage::new("shapes", 1);
    stage.publish(&CHAIN.replace("-first'}", "-first', labels: '${schema.spec.text}'}"), &[]);
    stage.bind(1, "chains.kro.run");
    let host = stage.host_of("chains.kro.run");
    stage.create(1, "chains.kro.run/a", "Chain", json!({"name": "a"}));
    let instance = stage.until(1, "chains.kro.run/a", "Rendered", "False");
    assert_eq!(condition(&instance, "Rendered").unwrap()["reason"], "InvalidInstance");
    assert!(!host.log().contains("bug in croft"), "{}", host.log());
    assert!(host.process.end().unwrap().success());
}
