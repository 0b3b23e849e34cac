//! A kind that is used in two of its versions: its objects are the same ones.

use serde_json::{Value, json};

use crate::{
    publishing::{SHOP, export_gadgets},
    stage::{Stage, api, condition, is, wait},
};

fn gadget(stage: &Stage, version: &str, name: &str) -> Option<Value> {
    let cluster = &stage.consumers[0];
    api().find(&format!("/clusters/{cluster}/apis/example.org/{version}/namespaces/default/gadgetry/{name}")).unwrap()
}

/// A stage where gadgets are bound and claimed.
fn stage(name: &str, definition: &str) -> Stage {
    let stage = Stage::new(name, 2);
    let platform = stage.consumers[1].clone();
    export_gadgets(&platform);
    for context in ["provider", "team-1"] {
        stage.done(&["bind", &format!("{platform}:gadgets"), "--context", context]);
    }
    stage.publish(definition, &[]);
    stage.bind(1, "shops.kro.run");
    stage
}

#[test]
fn a_child_that_moves_to_another_version_stays_the_same_object() {
    let stage = stage("versions", SHOP);
    let mut host = stage.host_of("shops.kro.run");
    stage.create(1, "shops.kro.run/a", "Shop", json!({}));
    stage.until(1, "shops.kro.run/a", "Ready", "True");
    let before = gadget(&stage, "v1", "a").unwrap();

    // There and back, with a host that knows the former version and with one
    // that does not.
    for (version, size, restart) in [("v2", 4, false), ("v1", 5, true), ("v2", 6, true)] {
        let moved = SHOP.replace("example.org/v1", &format!("example.org/{version}"));
        let moved = moved.replace("spec: {size: '${schema.spec.size}'}", &format!("spec: {{size: {size}}}"));
        if restart {
            assert!(host.process.end().unwrap().success());
            stage.publish(&moved, &[]);
            host = stage.host_of("shops.kro.run");
        } else {
            stage.publish(&moved, &[]);
        }
        wait("the move", || (gadget(&stage, "v1", "a")?["spec"]["size"] == size).then_some(()));
        wait("the record of the move", || {
            let instance = stage.find(1, "shops.kro.run/a").filter(|instance| is(instance, "Ready", "True"))?;
            let record = instance["status"]["croft"]["inventory"].as_array()?.clone();
            let entry = record.iter().find(|entry| entry["kind"] == "Gadget")?;
            (record.len() == 2 && entry["apiVersion"] == format!("example.org/{version}")).then_some(())
        });
        assert_eq!(gadget(&stage, version, "a").unwrap()["metadata"]["uid"], before["metadata"]["uid"]);
        assert!(!host.log().contains("deleting"), "{}", host.log());
    }
    api().delete(&stage.path(1, "shops.kro.run/a")).unwrap();
    wait("the end", || stage.find(1, "shops.kro.run/a").is_none().then_some(()));
    assert_eq!(gadget(&stage, "v1", "a"), None);
    assert!(host.process.end().unwrap().success());
}

const BOTH: &str = "
apiVersion: kro.run/v1alpha1
kind: ResourceGraphDefinition
metadata: {name: shops.kro.run}
spec:
  schema:
    apiVersion: v1alpha1
    kind: Shop
    spec:
      size: integer | default=3
      twin: string | default=\"b\"
  resources:
  - id: one
    template:
      apiVersion: example.org/v1
      kind: Gadget
      metadata: {name: '${schema.metadata.name}-a'}
      spec: {size: '${schema.spec.size}'}
  - id: two
    template:
      apiVersion: example.org/v2
      kind: Gadget
      metadata: {name: '${schema.metadata.name}-${schema.spec.twin}'}
      spec: {size: '${one.spec.size}'}
";

#[test]
fn two_versions_of_a_kind_in_one_definition_are_two_children_that_stay() {
    let stage = stage("both-versions", BOTH);
    let host = stage.host_of("shops.kro.run");
    stage.create(1, "shops.kro.run/x", "Shop", json!({}));
    stage.until(1, "shops.kro.run/x", "Ready", "True");
    let uids = || ["x-a", "x-b"].map(|name| gadget(&stage, "v1", name).map(|it| it["metadata"]["uid"].clone()));
    let before = uids();
    assert!(before.iter().all(Option::is_some), "{before:?}");
    api().merge(&stage.path(1, "shops.kro.run/x"), &json!({"spec": {"size": 4}})).unwrap();
    wait("the change", || (gadget(&stage, "v1", "x-b")?["spec"]["size"] == 4).then_some(()));
    stage.until(1, "shops.kro.run/x", "Ready", "True");
    assert_eq!(uids(), before);
    assert!(!host.log().contains("deleting"), "{}", host.log());

    // Two children cannot be one object in two versions of it.
    api().merge(&stage.path(1, "shops.kro.run/x"), &json!({"spec": {"twin": "a"}})).unwrap();
    let instance = stage.until(1, "shops.kro.run/x", "Applied", "False");
    assert_eq!(condition(&instance, "Applied").unwrap()["reason"], "DuplicateTarget");
    assert_eq!(uids(), before);
    api().delete(&stage.path(1, "shops.kro.run/x")).unwrap();
    wait("the end", || stage.find(1, "shops.kro.run/x").is_none().then_some(()));
    assert_eq!(uids(), [None, None]);
    assert!(host.process.end().unwrap().success());
}
