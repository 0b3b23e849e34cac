//! What objects that are nobody's cost the host.

use serde_json::json;

use crate::stage::{CHAIN, Host, Stage, api, wait};

/// What the host has in memory, in MiB.
fn resident(host: &Host) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", host.process.pid())).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")).unwrap();
    resident.parse::<usize>().unwrap() >> 10
}

/// A hundred objects of nearly 1 MiB, with a label that names no instance.
#[test]
fn objects_with_a_forged_label_are_not_kept_whole() {
    let stage = Stage::new("forged-labels", 1);
    stage.publish(CHAIN, &[]);
    stage.bind(1, "chains.kro.run");
    let host = stage.host_of("chains.kro.run");
    let instance = stage.create(1, "chains.kro.run/a", "Chain", json!({"name": "a"}));
    stage.until(1, "chains.kro.run/a", "Ready", "True");
    let before = resident(&host);
    let labelled = |name: &str, instance: &str, text: &str| {
        let metadata = json!({"name": name, "labels": {"croft.run/instance": instance}});
        let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"text": text}});
        let made =
            api().request("POST", &stage.path(1, "configmaps"), "application/json", &object.to_string()).unwrap();
        assert_eq!(made.0, 201, "{made:?}");
    };
    let text = "x".repeat(900_000);
    (0..100).for_each(|number| labelled(&format!("forged-{number}"), "nobody", &text));
    // The host has seen all of them when it deletes this one.
    labelled("unwanted", instance["metadata"]["uid"].as_str().unwrap(), "");
    wait("the host to catch up", || stage.find(1, "configmaps/unwanted").is_none().then_some(()));
    let after = resident(&host);
    println!("{before} MiB before, {after} MiB after");
    assert!(after < before + 40, "{before} MiB before, {after} MiB after");
    assert!(host.process.end().unwrap().success());
}

/// An object whose label names an instance of which the host hears later.
#[test]
fn a_child_that_was_seen_before_its_instance_is_fetched() {
    let (stage, proxy, host) = Stage::with_a_chain("early-children");
    proxy.take();
    proxy.hold(Some("/chains?"));
    let instance = stage.create(1, "chains.kro.run/b", "Chain", json!({"name": "b"}));
    let labels = json!({"croft.run/instance": instance["metadata"]["uid"]});
    let metadata = json!({"name": "early", "labels": labels});
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"text": "early"}});
    api().apply(&stage.path(1, "configmaps/early"), &object).unwrap();
    // By then the host has heard of the other one.
    let labels = json!({"croft.run/instance": stage.find(1, "chains.kro.run/a").unwrap()["metadata"]["uid"]});
    let other = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "unwanted", "labels": labels}});
    api().apply(&stage.path(1, "configmaps/unwanted"), &other).unwrap();
    wait("the host to catch up", || stage.find(1, "configmaps/unwanted").is_none().then_some(()));
    assert!(stage.find(1, "configmaps/early").is_some());
    proxy.hold(None);
    stage.until(1, "chains.kro.run/b", "Ready", "True");
    wait("the child that is not wanted to go", || stage.find(1, "configmaps/early").is_none().then_some(()));
    let asked =
        proxy.take().iter().filter(|seen| seen.method == "GET" && seen.path.ends_with("/configmaps/early")).count();
    assert_eq!(asked, 1, "{}", host.log());
    assert!(host.process.end().unwrap().success());
}
