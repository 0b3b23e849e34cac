//! Children from the first to the last.

use serde_json::json;

use crate::stage::{CHAIN, Stage, api, condition, wait};

#[test]
fn children_follow_their_instance() {
    let stage = Stage::new("lifecycle", 1);
    stage.publish(CHAIN, &[]);
    stage.bind(1, "chains.kro.run");
    let host = stage.host_of("chains.kro.run");

    // Created, each from what the server says of the one before.
    stage.create(1, "chains.kro.run/a", "Chain", json!({"name": "a"}));
    let instance = stage.until(1, "chains.kro.run/a", "Ready", "True");
    let first = stage.find(1, "configmaps/a-first").unwrap();
    assert_eq!(first["data"], json!({"text": "hello"}));
    assert_eq!(instance["status"]["uid"], first["metadata"]["uid"]);
    assert_eq!(instance["status"]["state"], "ACTIVE");
    assert_eq!(instance["status"]["croft"]["topologicalOrder"], json!(["first", "second", "third"]));
    for digest in ["module", "definition", "input", "output"] {
        let text = instance["status"]["croft"]["receipt"][digest].as_str().unwrap();
        assert!(text.starts_with("sha256:"), "{digest}: {text}");
    }
    assert_eq!(stage.children(1, "configmaps"), ["a-first", "a-third"]);
    assert_eq!(stage.children(1, "secrets"), ["a-second"]);

    // Changed.
    api().merge(&stage.path(1, "chains.kro.run/a"), &json!({"spec": {"text": "bye"}})).unwrap();
    wait("the change", || (stage.find(1, "configmaps/a-first")?["data"]["text"] == "bye").then_some(()));

    // Drift is put back, and what others add is left alone.
    let drift = json!({"data": {"text": "drift", "theirs": "1"}});
    api().merge(&stage.path(1, "configmaps/a-first"), &drift).unwrap();
    wait("the repair", || {
        (stage.find(1, "configmaps/a-first")?["data"] == json!({"text": "bye", "theirs": "1"})).then_some(())
    });

    // One that lost its label is still the instance's, and gets it back.
    let bare = json!({"metadata": {"labels": {"croft.run/instance": null}}});
    api().merge(&stage.path(1, "configmaps/a-third"), &bare).unwrap();
    wait("the label", || (stage.children(1, "configmaps") == ["a-first", "a-third"]).then_some(()));
    stage.until(1, "chains.kro.run/a", "Ready", "True");

    // Made again.
    api().delete(&stage.path(1, "secrets/a-second")).unwrap();
    wait("the new secret", || stage.find(1, "secrets/a-second"));

    // Pruned, once it is no longer rendered.
    stage.until(1, "chains.kro.run/a", "Ready", "True");
    api().merge(&stage.path(1, "chains.kro.run/a"), &json!({"spec": {"last": false}})).unwrap();
    wait("the pruning", || (stage.children(1, "configmaps") == ["a-first"]).then_some(()));

    // Renamed: the new ones come, the old ones go, and what is made from the
    // new one is made from the new one.
    api().merge(&stage.path(1, "chains.kro.run/a"), &json!({"spec": {"name": "b", "last": true}})).unwrap();
    wait("the renaming", || (stage.children(1, "configmaps") == ["b-first", "b-third"]).then_some(()));
    let instance = stage.until(1, "chains.kro.run/a", "Ready", "True");
    assert_eq!(instance["status"]["uid"], stage.find(1, "configmaps/b-first").unwrap()["metadata"]["uid"]);
    assert_eq!(stage.children(1, "secrets"), ["b-second"]);
    assert!(host.process.end().unwrap().success());
}

#[test]
fn children_are_deleted_in_reverse_order_and_nothing_is_left() {
    let stage = Stage::new("deletion", 1);
    stage.publish(CHAIN, &[]);
    stage.bind(1, "chains.kro.run");
    let host = stage.host_of("chains.kro.run");
    stage.create(1, "chains.kro.run/a", "Chain", json!({"name": "a"}));
    stage.until(1, "chains.kro.run/a", "Ready", "True");

    // Somebody holds the second: the third goes, the first stays, and the
    // instance says what it waits for.
    let held = json!({"metadata": {"finalizers": ["example.org/hold"]}});
    api().merge(&stage.path(1, "secrets/a-second"), &held).unwrap();
    api().delete(&stage.path(1, "chains.kro.run/a")).unwrap();
    let instance = wait("the wait", || {
        let instance = stage.find(1, "chains.kro.run/a")?;
        condition(&instance, "Ready").filter(|ready| ready["reason"] == "Deleting")?;
        Some(instance)
    });
    assert_eq!(instance["status"]["state"], "DELETING");
    let message = condition(&instance, "Ready").unwrap()["message"].as_str().unwrap();
    assert!(message.contains("a-second"), "{message}");
    assert_eq!(stage.children(1, "configmaps"), ["a-first"]);

    let released = json!({"metadata": {"finalizers": null}});
    api().merge(&stage.path(1, "secrets/a-second"), &released).unwrap();
    wait("the end", || stage.find(1, "chains.kro.run/a").is_none().then_some(()));
    assert!(stage.children(1, "configmaps").is_empty() && stage.children(1, "secrets").is_empty());
    assert!(host.process.end().unwrap().success());
}

#[test]
fn a_child_that_lost_its_label_while_nobody_looked_goes_with_its_instance() {
    let stage = Stage::new("unlabelled", 1);
    stage.publish(CHAIN, &[]);
    stage.bind(1, "chains.kro.run");
    let host = stage.host_of("chains.kro.run");
    stage.create(1, "chains.kro.run/a", "Chain", json!({"name": "a"}));
    stage.until(1, "chains.kro.run/a", "Ready", "True");
    assert!(host.process.end().unwrap().success());
    let bare = json!({"metadata": {"labels": {"croft.run/instance": null}}});
    api().merge(&stage.path(1, "configmaps/a-first"), &bare).unwrap();
    api().delete(&stage.path(1, "chains.kro.run/a")).unwrap();
    let host = stage.host_of("chains.kro.run");
    wait("the end", || stage.find(1, "chains.kro.run/a").is_none().then_some(()));
    assert!(stage.find(1, "configmaps/a-first").is_none());
    assert!(host.process.end().unwrap().success());
}

/// A change that arrives while a pass is about to write the status comes back in
/// the answer to that write. It is not taken for something that was rendered.
#[test]
fn a_change_in_the_middle_of_a_pass_is_not_lost() {
    let stage = Stage::new("race", 1);
    stage.publish(CHAIN, &["--layout", "shared"]);
    stage.bind(1, "chains.kro.run");
    let proxy = stage.proxy("chains.kro.run");
    let host = stage.host(&["--context", "proxy"]);
    let (path, mut changed) = (stage.path(1, "chains.kro.run/a"), false);
    // Right after the last child was written, and before the status is.
    proxy.judge(move |seen| {
        if seen.path.contains("a-third") && !std::mem::replace(&mut changed, true) {
            api().merge(&path, &json!({"spec": {"text": "meanwhile"}})).unwrap();
        }
        harness::Verdict::Pass
    });
    stage.create(1, "chains.kro.run/a", "Chain", json!({"name": "a"}));
    wait("the change", || (stage.find(1, "configmaps/a-first")?["data"]["text"] == "meanwhile").then_some(()));
    stage.until(1, "chains.kro.run/a", "Ready", "True");
    assert!(host.process.end().unwrap().success());
}

/// More resources that wait for each other than a pass goes through at once.
#[test]
fn a_long_chain_takes_several_turns_and_comes_to_its_end() {
    let resource = |number: usize| {
        let before = match number {
            0 => "start".to_owned(),
            number => format!("'${{r{}.metadata.uid}}'", number - 1),
        };
        format!(
            "  - id: r{number}\n    template:\n      apiVersion: v1\n      kind: ConfigMap\n      metadata: {{name: 'l-{number}'}}\n      \
             data: {{of: {before}}}\n"
        )
    };
    let head = "apiVersion: kro.run/v1alpha1\nkind: ResourceGraphDefinition\nmetadata: {name: longs}\nspec:\n  schema:\n    \
                apiVersion: v1alpha1\n    kind: Long\n  resources:\n";
    let definition: String = [head.to_owned()].into_iter().chain((0..40).map(resource)).collect();
    let stage = Stage::new("turns", 1);
    stage.publish(&definition, &[]);
    stage.bind(1, "longs.kro.run");
    let host = stage.host_of("longs.kro.run");
    stage.create(1, "longs.kro.run/a", "Long", json!({}));
    stage.until(1, "longs.kro.run/a", "Ready", "True");
    assert_eq!(stage.children(1, "configmaps").len(), 40);
    assert!(host.process.end().unwrap().success());
}
