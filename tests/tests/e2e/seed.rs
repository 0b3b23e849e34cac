//! The flow that croft started from, in its own layout.

use serde_json::json;

use crate::stage::{Stage, api, kcp};

const DEFINITION: &str = include_str!("../../cases/seed/definition.yaml");

#[test]
fn the_original_flow_works_to_the_letter() {
    let stage = Stage::new("seed", 1);
    stage.publish(DEFINITION, &["--layout", "shared"]);
    stage.done(&["kubeconfig", "somethings.kro.run", "--context", "provider", "--name", "kro-vw"]);

    // The virtual workspace serves these three things and nothing else.
    let url = stage.virtual_workspace("somethings.kro.run");
    let path = url.strip_prefix(&kcp().0.base_url()).unwrap();
    let served = |group: &str| {
        let list = api().find(&format!("{path}/clusters/*/apis/{group}")).unwrap().unwrap();
        let names = list["resources"].as_array().unwrap().iter().map(|r| r["name"].as_str().unwrap().to_owned());
        names.filter(|name| !name.contains('/')).collect::<Vec<_>>()
    };
    let mut own = served("kro.run/v1alpha1");
    own.sort();
    assert_eq!(own, ["resourcegroups", "somethings"]);
    assert_eq!(served("apis.kcp.io/v1alpha2"), ["apibindings"]);

    let host = stage.host(&["--context", "kro-vw"]);
    stage.bind(1, "somethings.kro.run");
    let object = "somethings.kro.run/my-instance-will-cel-functions";
    stage.create(1, object, "Something", json!({"name": "app3", "config": {}, "required": 15}));
    let instance = stage.until(1, object, "Ready", "True");
    let spec = json!({
        "name": "app3", "required": 15, "elements": ["a", "b", "c", "d"], "element": "e", "enabled": true,
        "number": 100, "config": {"field2": 200, "field3": 2002},
    });
    assert_eq!(instance["spec"], spec);
    assert_eq!(instance["status"]["state"], "ACTIVE");
    // An instance without children is free to go at any time.
    assert_eq!(instance["metadata"].get("finalizers"), None);
    assert!(host.process.end().unwrap().success());
}
