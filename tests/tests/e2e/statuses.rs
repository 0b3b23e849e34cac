//! Statuses that are more than a server takes.

use harness::Seen;
use serde_json::{Value, json};

use crate::stage::{CHAIN, Stage, api, condition, wait};

/// A collection of ConfigMaps.
const FLEET: &str = "
apiVersion: kro.run/v1alpha1
kind: ResourceGraphDefinition
metadata: {name: fleets}
spec:
  schema:
    apiVersion: v1alpha1
    kind: Fleet
    spec: {name: string, count: integer}
    status: {names: '${all.map(it, it.metadata.name)}'}
  resources:
  - id: all
    forEach:
    - number: ${lists.range(schema.spec.count)}
    template:
      apiVersion: v1
      kind: ConfigMap
      metadata: {name: '${schema.spec.name + string(number)}'}
";

/// Waits for a status that says that it is not all of it, and answers croft's record.
fn short(stage: &Stage, object: &str) -> Value {
    let instance = stage.until(1, object, "Ready", "False");
    let ready = condition(&instance, "Ready").unwrap();
    assert_eq!(
        (&ready["reason"], &instance["status"]["state"]),
        (&json!("StatusTooLarge"), &json!("ERROR")),
        "{ready:#}"
    );
    assert_eq!(condition(&instance, "Applied").unwrap()["status"], "True");
    instance["status"]["croft"].clone()
}

#[test]
fn a_status_that_a_server_in_between_finds_too_large_is_a_short_one_and_not_tried_for_ever() {
    let stage = Stage::new("large-status", 1);
    stage.publish(FLEET, &["--layout", "shared"]);
    stage.bind(1, "fleets.kro.run");
    let proxy = stage.proxy("fleets.kro.run");
    proxy.largest_status(8 << 10);
    let host = stage.host(&["--context", "proxy"]);
    let name = "n".repeat(200);
    stage.create(1, "fleets.kro.run/a", "Fleet", json!({"name": name, "count": 40}));
    let record = short(&stage, "fleets.kro.run/a");
    assert_eq!((&record["children"], record["inventory"].as_array().unwrap().len()), (&json!(40), 1), "{record:#}");
    assert_eq!(stage.children(1, "configmaps").len(), 40);
    // The whole one, the one without what the definition states, and the short one.
    let statuses = |seen: Vec<Seen>| seen.iter().filter(|seen| seen.path.contains("/a/status")).count();
    assert!(statuses(proxy.take()) <= 6, "{}", host.log());
    stage.create(1, "fleets.kro.run/b", "Fleet", json!({"name": "b", "count": 1}));
    stage.until(1, "fleets.kro.run/b", "Ready", "True");
    assert_eq!(statuses(proxy.take()), 0);

    // One that fits says all of it again.
    api().merge(&stage.path(1, "fleets.kro.run/a"), &json!({"spec": {"count": 2}})).unwrap();
    let instance = stage.until(1, "fleets.kro.run/a", "Ready", "True");
    let record = &instance["status"]["croft"];
    assert_eq!((&record["children"], record["inventory"].as_array().unwrap().len()), (&Value::Null, 2));
    api().delete(&stage.path(1, "fleets.kro.run/a")).unwrap();
    wait("the end", || stage.find(1, "fleets.kro.run/a").is_none().then_some(()));
    assert!(host.process.end().unwrap().success());
}

/// Records of children that cannot be seen, as many as the server itself takes.
#[test]
fn a_record_that_is_too_large_for_the_server_itself_is_cut() {
    let stage = Stage::new("large-record", 1);
    stage.publish(CHAIN, &[]);
    stage.bind(1, "chains.kro.run");
    let host = stage.host_of("chains.kro.run");
    stage.create(1, "chains.kro.run/a", "Chain", json!({"name": "a"}));
    stage.until(1, "chains.kro.run/a", "Ready", "True");
    assert!(host.process.end().unwrap().success());
    let path = format!("{}/status", stage.path(1, "chains.kro.run/a"));
    let entry = |number: usize| {
        json!({
            "id": "x", "apiVersion": "hidden.example.org/v1", "kind": "Hidden", "namespace": "default",
            "name": format!("{number:0>200}"), "uid": format!("{number:0>8}"),
        })
    };
    let fits = |count: usize| {
        let record: Vec<Value> = (0..count).map(entry).collect();
        api().merge(&path, &json!({"status": {"croft": {"inventory": record}}})).is_ok()
    };
    // Between 1.2 MB and 3.2 MB.
    let (mut most, mut too_many) = (4_000, 10_000);
    assert!(fits(most) && !fits(too_many));
    while too_many - most > 1 {
        let middle = usize::midpoint(most, too_many);
        if fits(middle) { most = middle } else { too_many = middle }
    }
    assert!(fits(most));
    let host = stage.host_of("chains.kro.run");
    let record = wait("the short record", || {
        let found = stage.find(1, "chains.kro.run/a")?["status"]["croft"].clone();
        found["children"].is_number().then_some(found)
    });
    assert_eq!(record["children"], json!(most + 3));
    let kinds: Vec<&Value> = record["inventory"].as_array().unwrap().iter().map(|entry| &entry["kind"]).collect();
    assert_eq!(kinds, ["ConfigMap", "Secret", "Hidden"], "{}", host.log());
    short(&stage, "chains.kro.run/a");
    assert!(host.process.end().unwrap().success());
}

/// Its status has the definition itself, as it was accepted.
#[test]
fn a_definition_whose_status_is_too_large_is_in_force_and_says_so() {
    let stage = Stage::new("large-definition", 1);
    let long = CHAIN.replace(
        "{text: '${schema.spec.text}'}",
        &format!("{{text: '${{schema.spec.text}}', long: {}}}", "x".repeat(9 << 10)),
    );
    stage.publish(&long, &["--layout", "shared"]);
    stage.bind(1, "chains.kro.run");
    let proxy = stage.proxy("chains.kro.run");
    proxy.largest_status(8 << 10);
    let host = stage.host(&["--context", "proxy"]);
    let path = format!("/clusters/{}/apis/kro.run/v1alpha1/namespaces/default/resourcegroups/chain", stage.provider);
    let status = wait("the definition's status", || {
        let status = api().find(&path).unwrap()?["status"].clone();
        status["conditions"].is_array().then_some(status)
    });
    assert_eq!((&status["state"], &status["croft"]["kind"]), (&json!("Active"), &json!("Chain")), "{status:#}");
    assert_eq!(status["croft"].get("accepted"), None);
    // It is not tried for ever.
    stage.create(1, "chains.kro.run/a", "Chain", json!({"name": "a"}));
    stage.until(1, "chains.kro.run/a", "Ready", "True");
    let tried = proxy.take().iter().filter(|seen| seen.path.contains("/chain/status")).count();
    assert_eq!(tried, 2, "{}", host.log());
    assert!(host.process.end().unwrap().success());
}
