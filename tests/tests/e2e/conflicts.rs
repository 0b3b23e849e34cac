//! Objects that are not croft's stay as they are.

use serde_json::json;

use crate::stage::{CHAIN, Stage, api, condition, wait};

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
