//! Collections as large as they may be.

use serde_json::{Value, json};

use crate::stage::{Stage, api, wait};

/// A collection whose size is the instance's to say.
const MANY: &str = "
apiVersion: kro.run/v1alpha1
kind: ResourceGraphDefinition
metadata: {name: many}
spec:
  schema:
    apiVersion: v1alpha1
    kind: Many
    spec: {count: integer}
    status: {count: '${size(entries)}'}
  resources:
  - id: entries
    forEach:
    - i: ${lists.range(schema.spec.count)}
    readyWhen: ['${each.metadata.uid != \"\"}']
    template:
      apiVersion: v1
      kind: ConfigMap
      metadata: {name: '${schema.metadata.name}-${string(i)}'}
      data: {index: '${string(i)}'}
";

const INSTANCE: &str = "manies.kro.run/a";

#[test]
fn a_collection_of_a_thousand_comes_shrinks_and_goes() {
    let stage = Stage::new("many", 1);
    stage.publish(MANY, &[]);
    stage.bind(1, "manies.kro.run");
    let host = stage.host_of("manies.kro.run");
    stage.create(1, INSTANCE, "Many", json!({"count": 1000}));
    let counted = |instance: &Value, count: u64| {
        assert_eq!(instance["status"]["count"], count, "{instance:#}");
        assert_eq!(instance["status"]["croft"]["inventory"].as_array().unwrap().len() as u64, count);
        assert_eq!(stage.children(1, "configmaps").len() as u64, count);
    };
    counted(&stage.until(1, INSTANCE, "Ready", "True"), 1000);

    api().merge(&stage.path(1, INSTANCE), &json!({"spec": {"count": 10}})).unwrap();
    counted(&stage.until(1, INSTANCE, "Ready", "True"), 10);

    api().delete(&stage.path(1, INSTANCE)).unwrap();
    wait("the instance to be gone", || stage.find(1, INSTANCE).is_none().then_some(()));
    assert!(stage.children(1, "configmaps").is_empty());
    assert!(host.process.end().unwrap().success());
}
