//! Two workspaces never see each other's objects.

use serde_json::json;

use crate::stage::{CHAIN, Stage, api, wait};

#[test]
fn equal_names_in_two_workspaces_are_strangers() {
    let stage = Stage::new("tenants", 2);
    stage.publish(CHAIN, &[]);
    let host = stage.host_of("chains.kro.run");
    for consumer in [1, 2] {
        stage.bind(consumer, "chains.kro.run");
        let text = format!("of team {consumer}");
        stage.create(consumer, "chains.kro.run/same", "Chain", json!({"name": "same", "text": text}));
    }
    let uids: Vec<_> = [1, 2]
        .map(|consumer| {
            let instance = stage.until(consumer, "chains.kro.run/same", "Ready", "True");
            let first = stage.find(consumer, "configmaps/same-first").unwrap();
            assert_eq!(first["data"]["text"], format!("of team {consumer}"));
            assert_eq!(instance["status"]["uid"], first["metadata"]["uid"]);
            first["metadata"]["uid"].clone()
        })
        .into();
    assert_ne!(uids[0], uids[1]);

    // One goes, the other stays as it is.
    api().delete(&stage.path(1, "chains.kro.run/same")).unwrap();
    wait("the end", || stage.find(1, "chains.kro.run/same").is_none().then_some(()));
    assert!(stage.children(1, "configmaps").is_empty() && stage.children(1, "secrets").is_empty());
    assert_eq!(stage.children(2, "configmaps"), ["same-first", "same-third"]);
    assert_eq!(stage.find(2, "configmaps/same-first").unwrap()["metadata"]["uid"], uids[1]);
    assert!(host.process.end().unwrap().success());
}
