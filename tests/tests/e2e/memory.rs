//! What objects that are nobody's cost the host.

use serde_json::{Value, json};

use crate::stage::{CHAIN, Host, Stage, api, condition, wait};

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

/// The same with a label and an annotation that name an instance of the consumer's own,
/// and a finalizer, so that they do not go.
#[test]
fn more_children_than_a_module_is_given_are_not_kept_whole() {
    let stage = Stage::new("own-labels", 1);
    stage.publish(CHAIN, &[]);
    stage.bind(1, "chains.kro.run");
    let host = stage.host_of("chains.kro.run");
    let instance = stage.create(1, "chains.kro.run/a", "Chain", json!({"name": "a"}));
    stage.until(1, "chains.kro.run/a", "Ready", "True");
    let before = resident(&host);
    let text = "x".repeat(900_000);
    for number in 0..100 {
        let metadata = json!({
            "name": format!("large-{number}"), "labels": {"croft.run/instance": instance["metadata"]["uid"]},
            "annotations": {"croft.run/child": format!("large{number}")}, "finalizers": ["example.org/stays"],
        });
        let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"text": text}});
        let made =
            api().request("POST", &stage.path(1, "configmaps"), "application/json", &object.to_string()).unwrap();
        assert_eq!(made.0, 201, "{made:?}");
    }
    // It says how much there is once it has seen all of them.
    wait("the host to catch up", || {
        let instance = stage.find(1, "chains.kro.run/a")?;
        let rendered = condition(&instance, "Rendered")?;
        let size = rendered["message"].as_str()?.split(' ').find_map(|word| word.parse::<usize>().ok())?;
        (rendered["reason"] == "InputTooLarge" && size > 90_000_000).then_some(())
    });
    let after = resident(&host);
    println!("{before} MiB before, {after} MiB after");
    assert!(after < before + 60, "{before} MiB before, {after} MiB after");
    // It goes on when they are gone.
    for number in 0..100 {
        let path = stage.path(1, &format!("configmaps/large-{number}"));
        api().merge(&path, &json!({"metadata": {"finalizers": null}})).unwrap();
        if api().find(&path).unwrap().is_some() {
            api().delete(&path).ok();
        }
    }
    stage.until(1, "chains.kro.run/a", "Ready", "True");
    let left: Vec<Value> = (0..100).filter_map(|number| stage.find(1, &format!("configmaps/large-{number}"))).collect();
    assert!(left.is_empty(), "{} are left", left.len());
    assert!(host.process.end().unwrap().success());
}

/// A child that was seen before its instance, and that the server does not show.
#[test]
fn a_child_whose_read_is_refused_is_told() {
    let (stage, proxy, host) = Stage::with_a_chain("refused-children");
    proxy.hold(Some("/chains?"));
    let instance = stage.create(1, "chains.kro.run/b", "Chain", json!({"name": "b"}));
    let own = |name: &str, uid: &Value| {
        let metadata = json!({"name": name, "labels": {"croft.run/instance": uid}});
        let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"text": "x"}});
        api().apply(&stage.path(1, &format!("configmaps/{name}")), &object).unwrap();
    };
    own("early", &instance["metadata"]["uid"]);
    // By then the host has heard of it.
    own("unwanted", &stage.find(1, "chains.kro.run/a").unwrap()["metadata"]["uid"]);
    wait("the host to catch up", || stage.find(1, "configmaps/unwanted").is_none().then_some(()));
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "not now", "code": 500});
    proxy.answer(move |seen| (seen.method == "GET" && seen.path.ends_with("/early")).then(|| (500, status.clone())));
    proxy.hold(None);
    let instance = stage.until(1, "chains.kro.run/b", "Applied", "False");
    let applied = condition(&instance, "Applied").unwrap();
    assert_eq!(applied["reason"], "ServerError", "{applied:#}");
    let message = applied["message"].as_str().unwrap();
    assert!(message.contains("early") && message.contains("not now"), "{message}");
    assert!(host.process.end().unwrap().success());
}
