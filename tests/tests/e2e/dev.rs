//! `croft dev --context`: what would change in a workspace is shown, and nothing is
//! changed.

use std::fs;

use serde_json::{Value, json};

use crate::stage::{CHAIN, Host, Stage, wait};

const INSTANCE: &str = "apiVersion: kro.run/v1alpha1\nkind: Chain\nmetadata: {name: a}\nspec: {name: a}\n";

/// Waits until a round is over in which all of this is said.
#[track_caller]
fn says(dev: &Host, parts: &[&str]) {
    wait(&format!("{parts:?}"), || {
        let log = dev.log();
        (log.trim_end().ends_with(" ms") && parts.iter().all(|part| log.contains(part))).then_some(())
    });
}

#[test]
fn what_a_saved_definition_would_change_is_shown_and_nothing_is_written() {
    let stage = Stage::new("dev", 1);
    stage.publish(CHAIN, &[]);
    stage.bind(1, "chains.kro.run");
    let host = stage.host_of("chains.kro.run");
    stage.create(1, "chains.kro.run/a", "Chain", json!({"name": "a"}));
    stage.until(1, "chains.kro.run/a", "Ready", "True");
    assert!(host.process.end().unwrap().success());
    let all = ["chains.kro.run/a", "configmaps/a-first", "secrets/a-second", "configmaps/a-third"];
    let before: Vec<Option<Value>> = all.iter().map(|object| stage.find(1, object)).collect();

    let (definition, instance) = (stage.file("definition.yaml", CHAIN), stage.file("a.yaml", INSTANCE));
    let dev =
        stage.background(&["dev", definition.to_str().unwrap(), instance.to_str().unwrap(), "--context", "team-1"]);
    let as_it_is = ["ConfigMap default/a-first", "Secret default/a-second", "ConfigMap default/a-third"];
    says(&dev, &as_it_is.map(|object| format!("as it should be: {object}")).each_ref().map(String::as_str));

    let changed = CHAIN.replace("text: '${schema.spec.text}'", "text: '${schema.spec.text}!'");
    let changed = changed.replace("['${schema.spec.last}']", "['${!schema.spec.last}']");
    fs::write(&definition, changed).unwrap();
    says(
        &dev,
        &[
            "changed: definition.yaml",
            "to be changed: ConfigMap default/a-first",
            "-  text: hello\n",
            "+  text: hello!\n",
            "to be deleted: ConfigMap default/a-third",
        ],
    );
    fs::write(&instance, INSTANCE.replace("a}", "b}")).unwrap();
    says(&dev, &["changed: a.yaml", "to be created: ConfigMap default/b-first", "blocked: second"]);

    let after: Vec<Option<Value>> = all.iter().map(|object| stage.find(1, object)).collect();
    assert_eq!(before, after);
    assert!(stage.find(1, "configmaps/b-first").is_none());
}
