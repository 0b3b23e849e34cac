//! A definition whose server takes its time holds up no other, whatever their order.

use std::time::{Duration, Instant};

use harness::Proxy;
use serde_json::{Value, json};

use crate::stage::{Stage, api, condition, wait};

/// What schemas are read from.
const SCHEMAS: &str = "/openapi/v3";
const PAUSE: Duration = Duration::from_secs(30);

/// A definition with a ConfigMap, for which a schema is read, or without anything.
fn definition(name: &str, kind: &str, resources: usize) -> Value {
    let template = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "${schema.spec.name}"}, "data": {"text": "hello"},
    });
    json!({
        "apiVersion": "kro.run/v1alpha1", "kind": "ResourceGraphDefinition", "metadata": {"name": name},
        "spec": {
            "schema": {"apiVersion": "v1alpha1", "kind": kind, "spec": {"name": "string"}},
            "resources": vec![json!({"id": "one", "template": template}); resources],
        },
    })
}

/// A definition of lanterns in the shared layout, bound by a consumer.
fn lanterns(name: &str) -> (Stage, Proxy) {
    let stage = Stage::new(name, 1);
    stage.publish(&definition("lanterns", "Lantern", 1).to_string(), &["--layout", "shared"]);
    stage.bind(1, "lanterns.kro.run");
    let proxy = stage.proxy("lanterns.kro.run");
    (stage, proxy)
}

fn path(stage: &Stage, name: &str) -> String {
    format!("/clusters/{}/apis/kro.run/v1alpha1/resourcegraphdefinitions/{name}", stage.provider)
}

/// What is said of a definition as it is.
fn accepted(stage: &Stage, name: &str) -> Option<Value> {
    let found = api().find(&path(stage, name)).unwrap()?;
    let accepted = condition(&found, "Accepted")?;
    (accepted["observedGeneration"] == found["metadata"]["generation"]).then(|| accepted.clone())
}

/// Waits until the slow question has been asked.
fn until_asked(proxy: &Proxy) -> Instant {
    wait("the question for a schema", || proxy.take().iter().any(|seen| seen.path.contains(SCHEMAS)).then_some(()));
    Instant::now()
}

#[test]
fn a_definition_whose_schema_takes_long_holds_up_neither_another_nor_its_own_next_version() {
    let (stage, proxy) = lanterns("slow-schema");
    let host = stage.host(&["--context", "proxy"]);
    stage.create(1, "lanterns.kro.run/a", "Lantern", json!({"name": "a"}));
    stage.until(1, "lanterns.kro.run/a", "Ready", "True");
    proxy.take();
    proxy.slow_to_read(SCHEMAS, PAUSE, 1);
    api().apply(&path(&stage, "aaa"), &definition("aaa", "Lamp", 1)).unwrap();
    let asked = until_asked(&proxy);

    let edit = json!([{"op": "replace", "path": "/spec/resources/0/template/data/text", "value": "bye"}]);
    api().patch(&path(&stage, "lanterns"), &edit).unwrap();
    wait("the other definition", || (stage.find(1, "configmaps/a")?["data"]["text"] == "bye").then_some(()));
    assert!(asked.elapsed() < PAUSE, "it took {:?}: {}", asked.elapsed(), host.log());
    assert_eq!(accepted(&stage, "aaa"), None);

    // A version that needs no schema is dealt with at once.
    api().merge(&path(&stage, "aaa"), &json!({"spec": {"resources": []}})).unwrap();
    let said = wait("the next version", || accepted(&stage, "aaa"));
    assert_eq!(said["reason"], "NotServed");
    assert!(asked.elapsed() < PAUSE, "it took {:?}: {}", asked.elapsed(), host.log());
    host.process.kill().unwrap();
}

/// The older one takes longer, and gets the kind all the same.
#[test]
fn of_two_new_definitions_of_a_kind_the_older_one_gets_it_however_long_it_takes() {
    let (stage, proxy) = lanterns("slow-older");
    api().delete(&path(&stage, "lanterns")).unwrap();
    let older = api().apply(&path(&stage, "zzz"), &definition("zzz", "Lantern", 1)).unwrap();
    // Ages are told in seconds.
    let made = &older["metadata"]["creationTimestamp"];
    wait("a later second", || {
        let object = api().apply(&path(&stage, "aaa"), &definition("aaa", "Lantern", 0)).unwrap();
        let is_later = object["metadata"]["creationTimestamp"] != *made;
        if !is_later {
            api().delete(&path(&stage, "aaa")).unwrap();
        }
        is_later.then_some(())
    });
    proxy.slow_to_read(SCHEMAS, Duration::from_secs(5), 1);
    let host = stage.host(&["--context", "proxy"]);
    let refused = wait("what is said of the younger", || accepted(&stage, "aaa"));
    assert_eq!(refused["reason"], "DuplicateKind", "{}", host.log());
    assert_eq!(accepted(&stage, "zzz").unwrap()["status"], "True");
    assert!(proxy.take().iter().any(|seen| seen.path.contains(SCHEMAS)));
    host.process.kill().unwrap();
}
