//! Two workspaces never see each other's objects.

use std::time::Duration;

use serde_json::{Value, json};

use crate::stage::{CHAIN, Stage, api, is, wait};

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

/// The server of one workspace takes its time, as with an admission webhook that
/// does not answer: all instances of that workspace wait, and nobody else's.
#[test]
fn a_slow_workspace_holds_up_its_own_instances_only() {
    let stage = Stage::new("slow", 2);
    stage.publish(CHAIN, &["--layout", "shared"]);
    stage.bind(1, "chains.kro.run");
    stage.bind(2, "chains.kro.run");
    let names: Vec<String> = (0..12).map(|number| format!("a{number}")).collect();
    let objects: Vec<String> = names.iter().map(|name| format!("chains.kro.run/{name}")).collect();
    for (name, object) in names.iter().zip(&objects) {
        stage.create(1, object, "Chain", json!({"name": name}));
    }
    let cluster = stage.find(1, &objects[0]).unwrap()["metadata"]["annotations"]["kcp.io/cluster"].clone();
    let proxy = stage.proxy("chains.kro.run");
    proxy.slow(&format!("/clusters/{}/", cluster.as_str().unwrap()), Duration::from_secs(8));
    let host = stage.host(&["--context", "proxy", "--workers", "4"]);
    wait("the first pass", || {
        proxy.take().iter().any(|seen| seen.is_write() && seen.path.contains("/chains/a")).then_some(())
    });
    stage.create(2, "chains.kro.run/b", "Chain", json!({"name": "b"}));
    stage.until(2, "chains.kro.run/b", "Ready", "True");
    // A chain takes four writes one after the other, and the host has four workers.
    let ready = objects.iter().filter(|object| stage.find(1, object).is_some_and(|found| is(&found, "Ready", "True")));
    assert_eq!(ready.count(), 0, "{}", host.log());
    // Its passes would take longer to end than anybody waits.
    host.process.kill().unwrap();
}

/// A record that names many children which are not there: each is asked for, several
/// at once, and others have their turn meanwhile.
#[test]
fn a_deletion_of_many_recorded_children_takes_turns_with_others() {
    let stage = Stage::new("many-records", 2);
    stage.publish(CHAIN, &["--layout", "shared"]);
    stage.bind(1, "chains.kro.run");
    stage.bind(2, "chains.kro.run");
    let proxy = stage.proxy("chains.kro.run");
    let host = stage.host(&["--context", "proxy", "--workers", "1"]);
    stage.create(1, "chains.kro.run/a", "Chain", json!({"name": "a"}));
    stage.until(1, "chains.kro.run/a", "Ready", "True");
    assert!(host.process.end().unwrap().success());
    let forged = |number: usize| {
        json!({
            "id": "first", "apiVersion": "v1", "kind": "ConfigMap", "namespace": "default",
            "name": format!("forged-{number}"), "uid": format!("forged-{number}"),
        })
    };
    let record: Vec<Value> = (0..300).map(forged).collect();
    let path = stage.path(1, "chains.kro.run/a");
    api().delete(&path).unwrap();
    api().merge(&format!("{path}/status"), &json!({"status": {"croft": {"inventory": record}}})).unwrap();

    // One after the other they would take five minutes, and eight at once more than
    // half of one.
    proxy.slow_to_read("/configmaps/forged-", Duration::from_secs(1), usize::MAX);
    let host = stage.host(&["--context", "proxy", "--workers", "1"]);
    let asked = |count: usize| {
        let mut seen = 0;
        wait("the questions", || {
            seen += proxy.take().iter().filter(|seen| seen.path.contains("/forged-")).count();
            (seen >= count).then_some(())
        });
    };
    asked(1);
    stage.create(2, "chains.kro.run/b", "Chain", json!({"name": "b"}));
    stage.until(2, "chains.kro.run/b", "Ready", "True");
    assert!(stage.find(1, "chains.kro.run/a").is_some(), "b had its turn only after a: {}", host.log());
    wait("the end of a", || stage.find(1, "chains.kro.run/a").is_none().then_some(()));
    assert!(host.process.end().unwrap().success());
}
