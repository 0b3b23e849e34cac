//! ResourceGraphDefinitions: collections, what is read of others, conditions of
//! a definition's own, and instances that are left alone.

use serde_json::{Value, json};

use crate::stage::{CHAIN, Stage, api, condition, wait};

const GRAPHS: &str = "apis/kro.run/v1alpha1/resourcegraphdefinitions";

/// Reads one object of others by name and several by label; has a child that is
/// ready when others say so, one for each zone, and one on demand.
const FLEET: &str = r#"
apiVersion: kro.run/v1alpha1
kind: ResourceGraphDefinition
metadata: {name: fleet}
spec:
  schema:
    apiVersion: v1alpha1
    kind: Fleet
    spec:
      zones: '[]string | default=["north"]'
      debug: boolean | default=false
      note: string
    status:
      features: ${features.map(f, f.metadata.name)}
      conditions:
      - >-
        ${runtime.newCondition({type: "Approved", status: has(gate.data.approved) ? "True" : "False",
        reason: "Checked", message: ""})}
  resources:
  - id: settings
    externalRef:
      apiVersion: v1
      kind: ConfigMap
      metadata: {name: fleet-settings}
  - id: features
    externalRef:
      apiVersion: v1
      kind: ConfigMap
      metadata:
        selector:
          matchLabels: {example.org/feature: "on"}
  - id: gate
    readyWhen: ['${has(gate.data.approved)}']
    template:
      apiVersion: v1
      kind: ConfigMap
      metadata: {name: '${schema.metadata.name}-gate'}
      data: {wanted: approval}
  - id: list
    template:
      apiVersion: v1
      kind: ConfigMap
      metadata: {name: '${schema.metadata.name}-list'}
      data: {features: '${features.map(f, f.metadata.name).join(",")}'}
  - id: stations
    forEach:
    - zone: ${schema.spec.zones}
    template:
      apiVersion: v1
      kind: ConfigMap
      metadata: {name: '${schema.metadata.name}-in-${zone}'}
      data:
        zone: ${zone}
        color: ${settings.data.color}
        note: '${has(schema.spec.note) ? schema.spec.note : omit()}'
  - id: trace
    includeWhen: ['${schema.spec.debug}']
    template:
      apiVersion: v1
      kind: Secret
      metadata: {name: '${schema.metadata.name}-trace'}
      stringData: {stations: '${string(stations.size())}'}
"#;

const INSTANCE: &str = "fleets.kro.run/a";

/// A definition in the provider's workspace.
fn definition(stage: &Stage, name: &str) -> Option<Value> {
    api().find(&format!("/clusters/{}/{GRAPHS}/{name}", stage.provider)).unwrap()
}

/// Waits until the host has a definition in force and says so.
fn active(stage: &Stage, name: &str) -> Value {
    wait("the definition to be in force", || {
        definition(stage, name).filter(|definition| definition["status"]["state"] == "Active")
    })
}

/// Publishes and binds the fleet and creates the settings that it reads.
fn stage_with_settings(name: &str) -> Stage {
    let stage = Stage::new(name, 1);
    stage.publish(FLEET, &[]);
    stage.bind(1, "fleets.kro.run");
    put(&stage, "configmaps/fleet-settings", json!({}), json!({"color": "blue"}));
    stage
}

/// Puts a ConfigMap into the consumer's workspace that is nobody's child.
fn put(stage: &Stage, object: &str, labels: Value, data: Value) {
    let name = object.split('/').next_back().unwrap();
    let metadata = json!({"name": name, "labels": labels});
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data});
    api().apply(&stage.path(1, object), &map).unwrap();
}

/// Approves an instance.
fn approve(stage: &Stage, instance: &str) {
    let gate = stage.path(1, &format!("configmaps/{instance}-gate"));
    wait("the gate", || api().find(&gate).unwrap());
    api().merge(&gate, &json!({"data": {"approved": "yes"}})).unwrap();
}

/// Waits until a ConfigMap says this.
#[track_caller]
fn until_data(stage: &Stage, name: &str, data: Value) {
    wait(&format!("{name} to say {data}"), || {
        (stage.find(1, &format!("configmaps/{name}"))?["data"] == data).then_some(())
    });
}

/// Waits until the instance has these ConfigMaps for children.
#[track_caller]
fn until_children(stage: &Stage, names: &[&str]) {
    wait(&format!("the children {names:?}"), || (stage.children(1, "configmaps") == names).then_some(()));
}

#[test]
fn an_instance_waits_for_what_it_reads_and_follows_it() {
    let stage = Stage::new("fleet-reads", 1);
    let said = stage.publish(FLEET, &[]);
    assert!(said.stderr.contains("applied ResourceGraphDefinition.kro.run fleet"), "{said:#?}");
    stage.bind(1, "fleets.kro.run");
    let host = stage.host_of("fleets.kro.run");
    stage.create(1, INSTANCE, "Fleet", json!({}));

    // What does not depend on the settings is there, and the rest is waited for.
    until_children(&stage, &["a-gate", "a-list"]);
    let instance = wait("the instance to say what it waits for", || {
        let instance = stage.until(1, INSTANCE, "Ready", "False");
        condition(&instance, "Ready")?["message"].as_str()?.contains("settings").then_some(instance)
    });
    assert_eq!(condition(&instance, "ResourcesReady").unwrap()["reason"], "NotReady");
    assert_eq!(condition(&instance, "GraphResolved").unwrap()["status"], "True");
    assert_eq!(condition(&instance, "Approved").unwrap()["status"], "False");
    let fleet = active(&stage, "fleet");
    for kind in ["Accepted", "Ready", "GraphAccepted", "KindReady", "ControllerReady"] {
        assert_eq!(condition(&fleet, kind).unwrap()["status"], "True", "{kind}: {fleet:#?}");
    }

    // They appear, and change.
    put(&stage, "configmaps/fleet-settings", json!({}), json!({"color": "blue"}));
    until_data(&stage, "a-in-north", json!({"zone": "north", "color": "blue"}));
    approve(&stage, "a");
    let instance = stage.until(1, INSTANCE, "Ready", "True");
    assert_eq!(instance["status"]["state"], "ACTIVE");
    assert_eq!(condition(&instance, "ResourcesReady").unwrap()["reason"], "AllResourcesReady");
    assert_eq!(condition(&instance, "Approved").unwrap()["status"], "True");
    put(&stage, "configmaps/fleet-settings", json!({}), json!({"color": "red"}));
    until_data(&stage, "a-in-north", json!({"zone": "north", "color": "red"}));

    // What is read by label is found in all namespaces, and in its own workspace
    // alone; it comes and goes.
    let other = format!("/clusters/{}/api/v1/namespaces/other", stage.consumers[0]);
    api().apply(&other, &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other"}})).unwrap();
    let feature = json!({"example.org/feature": "on"});
    let far = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "far", "labels": feature.clone()}});
    wait("the namespace", || api().apply(&format!("{other}/configmaps/far"), &far).ok());
    until_data(&stage, "a-list", json!({"features": "far"}));
    put(&stage, "configmaps/near", feature, json!({}));
    until_data(&stage, "a-list", json!({"features": "near,far"}));
    wait("the status", || (stage.find(1, INSTANCE)?["status"]["features"] == json!(["near", "far"])).then_some(()));
    api().delete(&format!("{other}/configmaps/far")).unwrap();
    until_data(&stage, "a-list", json!({"features": "near"}));
    let plain = json!({"metadata": {"labels": {"example.org/feature": null}}});
    api().merge(&stage.path(1, "configmaps/near"), &plain).unwrap();
    until_data(&stage, "a-list", json!({"features": ""}));

    // What was only read stays.
    api().delete(&stage.path(1, INSTANCE)).unwrap();
    wait("the end", || stage.find(1, INSTANCE).is_none().then_some(()));
    assert!(stage.children(1, "configmaps").is_empty());
    assert!(stage.find(1, "configmaps/fleet-settings").is_some() && stage.find(1, "configmaps/near").is_some());
    assert!(host.process.end().unwrap().success());
}

#[test]
fn a_collection_grows_and_shrinks_and_a_child_comes_on_demand() {
    let stage = stage_with_settings("fleet-sizes");
    let host = stage.host_of("fleets.kro.run");
    stage.create(1, INSTANCE, "Fleet", json!({"zones": ["north", "south"]}));
    approve(&stage, "a");
    stage.until(1, INSTANCE, "Ready", "True");
    until_children(&stage, &["a-gate", "a-in-north", "a-in-south", "a-list"]);
    let uid = |name: &str| stage.find(1, name).unwrap()["metadata"]["uid"].clone();
    let south = uid("configmaps/a-in-south");
    let set = |spec: Value| api().merge(&stage.path(1, INSTANCE), &json!({"spec": spec})).unwrap();

    // One more at the front: those that stay are the same objects.
    set(json!({"zones": ["west", "south"]}));
    until_children(&stage, &["a-gate", "a-in-south", "a-in-west", "a-list"]);
    assert_eq!(uid("configmaps/a-in-south"), south);
    let instance = stage.until(1, INSTANCE, "Ready", "True");
    assert_eq!(instance["status"]["croft"]["inventory"].as_array().unwrap().len(), 4);

    // On demand, made from the whole collection; and not any more.
    set(json!({"debug": true, "note": "hi"}));
    until_data(&stage, "a-in-west", json!({"zone": "west", "color": "blue", "note": "hi"}));
    let trace = wait("the trace", || stage.find(1, "secrets/a-trace"));
    assert_eq!(trace["data"], json!({"stations": "Mg=="}));
    set(json!({"debug": false, "note": null}));
    wait("the pruning", || stage.children(1, "secrets").is_empty().then_some(()));
    until_data(&stage, "a-in-west", json!({"zone": "west", "color": "blue"}));

    // None at all is a collection too. After a restart it is as it was.
    set(json!({"zones": []}));
    until_children(&stage, &["a-gate", "a-list"]);
    stage.until(1, INSTANCE, "Ready", "True");
    set(json!({"zones": ["east"]}));
    until_children(&stage, &["a-gate", "a-in-east", "a-list"]);
    stage.until(1, INSTANCE, "Ready", "True");
    let east = uid("configmaps/a-in-east");
    assert!(host.process.end().unwrap().success());
    let host = stage.host_of("fleets.kro.run");
    set(json!({"zones": ["east", "west"]}));
    until_children(&stage, &["a-gate", "a-in-east", "a-in-west", "a-list"]);
    assert_eq!(uid("configmaps/a-in-east"), east);
    assert!(host.process.end().unwrap().success());
}

#[test]
fn a_suspended_instance_is_left_alone_and_can_be_deleted() {
    let stage = stage_with_settings("fleet-suspended");
    let host = stage.host_of("fleets.kro.run");
    stage.create(1, INSTANCE, "Fleet", json!({}));
    approve(&stage, "a");
    stage.until(1, INSTANCE, "Ready", "True");
    let reconcile = |word: Value| {
        let annotation = json!({"metadata": {"annotations": {"kro.run/reconcile": word}}});
        api().merge(&stage.path(1, INSTANCE), &annotation).unwrap();
    };
    reconcile("suspended".into());
    let instance = stage.until(1, INSTANCE, "ResourcesReady", "False");
    for kind in ["Applied", "Ready", "ResourcesReady"] {
        assert_eq!(condition(&instance, kind).unwrap()["reason"], "ReconciliationSuspended", "{kind}");
    }

    // Nothing is created, changed or deleted.
    api().delete(&stage.path(1, "configmaps/a-list")).unwrap();
    api().merge(&stage.path(1, "configmaps/a-in-north"), &json!({"data": {"color": "drift"}})).unwrap();
    api().merge(&stage.path(1, INSTANCE), &json!({"spec": {"zones": ["south"]}})).unwrap();
    stage.until(1, INSTANCE, "ResourcesReady", "False");
    // The host has been through all that when it has seen to a later instance.
    stage.create(1, "fleets.kro.run/b", "Fleet", json!({}));
    approve(&stage, "b");
    stage.until(1, "fleets.kro.run/b", "Ready", "True");
    assert_eq!(stage.children(1, "configmaps"), ["a-gate", "a-in-north", "b-gate", "b-in-north", "b-list"]);
    assert_eq!(stage.find(1, "configmaps/a-in-north").unwrap()["data"]["color"], "drift");

    // Resumed, it is as its spec says.
    reconcile(Value::Null);
    stage.until(1, INSTANCE, "Ready", "True");
    assert_eq!(stage.children(1, "configmaps"), ["a-gate", "a-in-south", "a-list", "b-gate", "b-in-north", "b-list"]);

    // Suspended, it can still go.
    reconcile("suspended".into());
    stage.until(1, INSTANCE, "ResourcesReady", "False");
    api().delete(&stage.path(1, INSTANCE)).unwrap();
    wait("the end", || stage.find(1, INSTANCE).is_none().then_some(()));
    assert_eq!(stage.children(1, "configmaps"), ["b-gate", "b-in-north", "b-list"]);
    assert!(host.process.end().unwrap().success());
}

/// Of ConfigMaps that are nobody's children only their place is kept, until one
/// of them is read.
#[test]
fn a_definition_that_reads_what_was_only_in_the_way_needs_no_restart() {
    let definition = |own: &str, more: &str| {
        format!(
            "
apiVersion: kro.run/v1alpha1
kind: ResourceGraphDefinition
metadata: {{name: copy}}
spec:
  schema:
    apiVersion: v1alpha1
    kind: Copy
    spec: {{unused: string}}
  resources:
  - id: own
    template:
      apiVersion: v1
      kind: ConfigMap
      metadata: {{name: '${{schema.metadata.name}}-own'}}
      data: {{text: {own}}}
{more}"
        )
    };
    let stage = Stage::new("later-read", 1);
    stage.publish(&definition("none", ""), &[]);
    stage.bind(1, "copies.kro.run");
    put(&stage, "configmaps/theirs", json!({}), json!({"text": "theirs"}));
    let host = stage.host_of("copies.kro.run");
    let object = "copies.kro.run/a";
    stage.create(1, object, "Copy", json!({}));
    stage.until(1, object, "Ready", "True");
    until_data(&stage, "a-own", json!({"text": "none"}));

    let theirs = "
  - id: theirs
    externalRef:
      apiVersion: v1
      kind: ConfigMap
      metadata: {name: theirs}
";
    stage.publish(&definition("'${theirs.data.text}'", theirs), &[]);
    until_data(&stage, "a-own", json!({"text": "theirs"}));
    put(&stage, "configmaps/theirs", json!({}), json!({"text": "changed"}));
    until_data(&stage, "a-own", json!({"text": "changed"}));
    assert!(host.process.end().unwrap().success());
}

#[test]
fn a_graph_takes_over_from_a_resource_group_once_that_is_gone() {
    let stage = Stage::new("succession", 1);
    stage.publish(CHAIN, &[]);
    stage.bind(1, "chains.kro.run");
    let host = stage.host_of("chains.kro.run");
    let object = "chains.kro.run/a";
    stage.create(1, object, "Chain", json!({"name": "a"}));
    let instance = stage.until(1, object, "Ready", "True");
    assert!(condition(&instance, "InstanceSynced").is_some() && condition(&instance, "ResourcesReady").is_none());
    let first = stage.find(1, "configmaps/a-first").unwrap();

    // The older definition of a kind keeps it. kcp serves the other kind of
    // definition only from now on.
    stage.publish(&CHAIN.replace("kind: ResourceGroup", "kind: ResourceGraphDefinition"), &[]);
    let waiting = wait("the host's word on the second definition", || {
        let graph = definition(&stage, "chain")?;
        condition(&graph, "KindReady").filter(|found| found["status"] == "False").cloned().map(|found| (graph, found))
    });
    assert_eq!(condition(&waiting.0, "Accepted").unwrap()["reason"], "DuplicateKind");
    assert!(waiting.1["message"].as_str().unwrap().contains("ResourceGroup.kro.run default/chain"), "{waiting:#?}");

    let group = format!("/clusters/{}/apis/kro.run/v1alpha1/namespaces/default/resourcegroups/chain", stage.provider);
    api().delete(&group).unwrap();
    let instance = stage.until(1, object, "ResourcesReady", "True");
    assert!(condition(&instance, "InstanceSynced").is_none(), "{instance:#?}");
    assert_eq!(stage.find(1, "configmaps/a-first").unwrap()["metadata"]["uid"], first["metadata"]["uid"]);
    active(&stage, "chain");
    // That kcp did not serve such definitions at first was nothing to say. Once it
    // does, what was listed first may be too old for a watch that has just begun.
    let complains = |line: &str| {
        line.contains("cannot watch")
            && line.contains("ResourceGraphDefinition")
            && !line.contains("too old resource version")
    };
    assert!(!host.log().lines().any(complains), "{}", host.log());
    assert!(host.process.end().unwrap().success());
}
