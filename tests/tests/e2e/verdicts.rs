//! What an instance says when it cannot come about.

use std::time::{Duration, Instant};

use harness::Seen;
use serde_json::json;

use crate::stage::{CHAIN, Stage, condition, wait};

/// Two collections, each as large as an instance says.
const CROWD: &str = "
apiVersion: kro.run/v1alpha1
kind: ResourceGraphDefinition
metadata: {name: crowds.kro.run}
spec:
  schema:
    apiVersion: v1alpha1
    kind: Crowd
    spec: {first: integer | required=true, second: integer | required=true}
  resources:
  - id: first
    forEach:
    - number: ${lists.range(schema.spec.first)}
    template:
      apiVersion: v1
      kind: ConfigMap
      metadata: {name: 'first-${string(number)}'}
  - id: second
    forEach:
    - number: ${lists.range(schema.spec.second)}
    template:
      apiVersion: v1
      kind: ConfigMap
      metadata: {name: 'second-${string(number)}'}
";

/// A child that says which versions there are of all such children.
const MIRROR: &str = "
apiVersion: kro.run/v1alpha1
kind: ResourceGraphDefinition
metadata: {name: mirrors.kro.run}
spec:
  schema:
    apiVersion: v1alpha1
    kind: Mirror
    spec: {name: string}
  resources:
  - id: all
    externalRef:
      apiVersion: v1
      kind: ConfigMap
      metadata:
        selector:
          matchLabels: {example.org/mirror: \"yes\"}
  - id: mirror
    template:
      apiVersion: v1
      kind: ConfigMap
      metadata:
        name: ${schema.spec.name}
        labels: {example.org/mirror: \"yes\"}
      data:
        seen: '${all.map(one, one.metadata.resourceVersion).join(\",\")}'
";

#[test]
fn an_instance_has_twelve_hundred_children_or_none() {
    let stage = Stage::new("crowd", 1);
    stage.publish(CROWD, &[]);
    stage.bind(1, "crowds.kro.run");
    let host = stage.host_of("crowds.kro.run");
    stage.create(1, "crowds.kro.run/a", "Crowd", json!({"first": 600, "second": 601}));
    let instance = stage.until(1, "crowds.kro.run/a", "Applied", "False");
    let applied = condition(&instance, "Applied").unwrap();
    assert_eq!(applied["reason"], "TooManyChildren", "{applied:#}");
    assert!(applied["message"].as_str().unwrap().contains("1201"), "{applied:#}");
    assert!(stage.children(1, "configmaps").is_empty());
    stage.create(1, "crowds.kro.run/a", "Crowd", json!({"first": 600, "second": 600}));
    // Twice the patience for so many.
    wait("half of them", || (stage.children(1, "configmaps").len() >= 600).then_some(()));
    stage.until(1, "crowds.kro.run/a", "Ready", "True");
    assert_eq!(stage.children(1, "configmaps").len(), 1200);
    assert!(host.process.end().unwrap().success());
}

#[test]
fn a_rendering_that_never_settles_is_the_modules_fault_and_held_back() {
    let stage = Stage::new("mirror", 1);
    stage.publish(MIRROR, &["--layout", "shared"]);
    stage.bind(1, "mirrors.kro.run");
    let proxy = stage.proxy("mirrors.kro.run");
    let host = stage.host(&["--context", "proxy"]);
    stage.create(1, "mirrors.kro.run/a", "Mirror", json!({"name": "a"}));
    let instance = stage.until(1, "mirrors.kro.run/a", "Rendered", "False");
    assert_eq!(condition(&instance, "Rendered").unwrap()["reason"], "Unstable", "{instance:#}");
    proxy.take();
    let start = Instant::now();
    wait("the end of the window", || (start.elapsed() >= Duration::from_secs(10)).then_some(()));
    // Each pass has seven rounds, and pauses of 0.25 s that double leave room for six
    // passes; one after the other it would be hundreds.
    let writes = proxy.take().into_iter().filter(Seen::is_write).count();
    assert!((1..=60).contains(&writes), "{writes} writes");
    assert!(host.process.end().unwrap().success());
}

#[test]
fn an_instance_whose_children_cannot_be_seen_says_so_and_waits() {
    let stage = Stage::new("unseen", 1);
    stage.publish(CHAIN, &["--layout", "shared"]);
    stage.bind(1, "chains.kro.run");
    let proxy = stage.proxy("chains.kro.run");
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "not now", "code": 500});
    let refused =
        move |seen: &Seen| (seen.is_watch() && seen.path.contains("/api/v1/secrets")).then(|| (500, status.clone()));
    proxy.answer(refused.clone());
    let host = stage.host(&["--context", "proxy"]);
    stage.create(1, "chains.kro.run/a", "Chain", json!({"name": "a"}));
    let instance = stage.until(1, "chains.kro.run/a", "Applied", "False");
    let applied = condition(&instance, "Applied").unwrap();
    assert_eq!(applied["reason"], "NotSynced", "{applied:#}");
    assert!(applied["message"].as_str().unwrap().contains("Secret"), "{applied:#}");
    assert_eq!(stage.find(1, "configmaps/a-first"), None);
    proxy.forward();
    stage.until(1, "chains.kro.run/a", "Ready", "True");
    assert!(host.process.end().unwrap().success());
    // After a restart it is the same, and what is on record and not seen stays there.
    proxy.answer(refused);
    let host = stage.host(&["--context", "proxy"]);
    let instance = stage.until(1, "chains.kro.run/a", "Applied", "False");
    assert_eq!(condition(&instance, "Applied").unwrap()["reason"], "NotSynced");
    let record = instance["status"]["croft"]["inventory"].to_string();
    assert!(["a-first", "a-second", "a-third"].iter().all(|name| record.contains(name)), "{record}");
    proxy.forward();
    stage.until(1, "chains.kro.run/a", "Ready", "True");
    assert!(host.process.end().unwrap().success());
}
