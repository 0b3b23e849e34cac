//! A definition goes while there are instances, and so does the host.

use serde_json::json;

use crate::stage::{CHAIN, Stage, api, wait};

/// The same as a definition of the other kind.
fn graph() -> String {
    CHAIN
        .replace("kind: ResourceGroup", "kind: ResourceGraphDefinition")
        .replace("metadata: {name: chain}", "metadata: {name: chains.kro.run}")
}

#[test]
fn instances_of_a_definition_that_is_gone_can_be_deleted_after_a_restart() {
    let group = "namespaces/default/resourcegroups/chain";
    let cases = [
        ("leftover-split", CHAIN.to_owned(), "split", group),
        ("leftover-shared", CHAIN.to_owned(), "shared", group),
        ("leftover-graph", graph(), "split", "resourcegraphdefinitions/chains.kro.run"),
    ];
    for (name, definition, layout, path) in cases {
        let stage = Stage::new(name, 1);
        stage.publish(&definition, &["--layout", layout]);
        stage.bind(1, "chains.kro.run");
        stage.context("shared", &stage.virtual_workspace("chains.kro.run"));
        let start = || match layout {
            "shared" => stage.host(&["--context", "shared"]),
            _ => stage.host_of("chains.kro.run"),
        };
        let host = start();
        for instance in ["a", "b"] {
            stage.create(1, &format!("chains.kro.run/{instance}"), "Chain", json!({"name": instance}));
            stage.until(1, &format!("chains.kro.run/{instance}"), "Ready", "True");
        }
        assert!(host.process.end().unwrap().success());
        api().delete(&format!("/clusters/{}/apis/kro.run/v1alpha1/{path}", stage.provider)).unwrap();

        let host = start();
        api().delete(&stage.path(1, "chains.kro.run/a")).unwrap();
        wait("the end", || stage.find(1, "chains.kro.run/a").is_none().then_some(()));
        // The other one is as it was.
        assert_eq!(stage.children(1, "secrets"), ["b-second"], "{}", host.log());
        assert_eq!(stage.children(1, "configmaps"), ["b-first", "b-third"]);
        let instance = stage.find(1, "chains.kro.run/b").unwrap();
        assert_eq!(instance["status"]["state"], "ACTIVE", "{instance:#}");

        // And comes to life again with a definition.
        stage.publish(&definition, &["--layout", layout]);
        api().merge(&stage.path(1, "chains.kro.run/b"), &json!({"spec": {"text": "again"}})).unwrap();
        wait("the change", || (stage.find(1, "configmaps/b-first")?["data"]["text"] == "again").then_some(()));
        assert!(host.process.end().unwrap().success());
    }
}

/// It is there, and this host does not take it: nor does it know of a version that was
/// accepted.
#[test]
fn instances_of_a_definition_that_is_refused_can_be_deleted_after_a_restart() {
    let stage = Stage::new("leftover-refused", 1);
    stage.publish(CHAIN, &[]);
    stage.bind(1, "chains.kro.run");
    let host = stage.host_of("chains.kro.run");
    stage.create(1, "chains.kro.run/a", "Chain", json!({"name": "a"}));
    stage.until(1, "chains.kro.run/a", "Ready", "True");
    assert!(host.process.end().unwrap().success());
    let path = format!("/clusters/{}/apis/kro.run/v1alpha1/namespaces/default/resourcegroups/chain", stage.provider);
    let annotations = json!({"croft.run/module": "file:none.wasm"});
    api().merge(&path, &json!({"metadata": {"annotations": annotations}})).unwrap();
    api().merge(&format!("{path}/status"), &json!({"status": {"croft": null}})).unwrap();
    let host = stage.host_of("chains.kro.run");
    wait("the refusal", || host.log().contains("refused").then_some(()));
    api().delete(&stage.path(1, "chains.kro.run/a")).unwrap();
    wait("the end", || stage.find(1, "chains.kro.run/a").is_none().then_some(()));
    assert!(stage.children(1, "secrets").is_empty() && stage.children(1, "configmaps").is_empty());
    assert!(host.process.end().unwrap().success());
}

#[test]
fn an_export_that_is_deleted_stays_until_its_instances_are_gone() {
    let stage = Stage::new("leftover-export", 1);
    stage.publish(CHAIN, &[]);
    stage.bind(1, "chains.kro.run");
    let provider = format!("/clusters/{}/apis", stage.provider);
    let export = format!("{provider}/apis.kcp.io/v1alpha2/apiexports/chains.kro.run");
    let host = stage.host_of("chains.kro.run");
    stage.create(1, "chains.kro.run/a", "Chain", json!({"name": "a"}));
    stage.until(1, "chains.kro.run/a", "Ready", "True");
    let holds =
        || api().find(&export).unwrap()?["metadata"]["finalizers"].to_string().contains("croft.run/").then_some(());
    wait("the finalizer", holds);
    assert!(host.process.end().unwrap().success());

    // All that there was of it goes, and nobody is there to see it.
    api().delete(&format!("{provider}/kro.run/v1alpha1/namespaces/default/resourcegroups/chain")).unwrap();
    api().delete(&export).unwrap();
    let host = stage.host_of("chains.kro.run");
    wait("the host to say so", || host.log().contains("stays until its instances are gone").then_some(()));
    assert!(api().find(&export).unwrap().is_some());
    assert_eq!(stage.children(1, "secrets"), ["a-second"]);
    api().delete(&stage.path(1, "chains.kro.run/a")).unwrap();
    wait("the end of the instance", || stage.find(1, "chains.kro.run/a").is_none().then_some(()));
    assert!(stage.children(1, "secrets").is_empty() && stage.children(1, "configmaps").is_empty());
    wait("the end of the export", || api().find(&export).unwrap().is_none().then_some(()));
    assert!(host.process.end().unwrap().success());
}
