//! Definitions: whose they are, what is wrong with them, which module runs
//! them.

use std::path::Path;

use serde_json::{Value, json};

use crate::stage::{CHAIN, Stage, api, condition, wait};

const GROUPS: &str = "apis/kro.run/v1alpha1/namespaces/default/resourcegroups";

fn definition(cluster: &str, name: &str) -> Option<Value> {
    api().find(&format!("/clusters/{cluster}/{GROUPS}/{name}")).unwrap()
}

/// Waits for what the host says of a definition.
fn accepted(cluster: &str, name: &str, status: &str) -> Value {
    wait("the host's word on the definition", || {
        let object = definition(cluster, name)?;
        let generation = object["metadata"]["generation"].clone();
        condition(&object, "Accepted")
            .filter(|accepted| accepted["status"] == status && accepted["observedGeneration"] == generation)
            .cloned()
    })
}

#[test]
fn a_broken_change_is_told_and_the_last_good_version_stays_in_force() {
    let stage = Stage::new("broken", 1);
    stage.publish(CHAIN, &[]);
    stage.bind(1, "chains.kro.run");
    let host = stage.host_of("chains.kro.run");
    stage.create(1, "chains.kro.run/a", "Chain", json!({"name": "a"}));
    stage.until(1, "chains.kro.run/a", "Ready", "True");
    assert_eq!(definition(&stage.provider, "chain").unwrap()["status"]["state"], "Active");

    let path = format!("/clusters/{}/{GROUPS}/chain", stage.provider);
    let broken = json!([{"op": "replace", "path": "/spec/resources/0/template/data/text", "value": "${nobody.x}"}]);
    api().patch(&path, &broken).unwrap();
    let refused = accepted(&stage.provider, "chain", "False");
    assert_eq!(refused["reason"], "InvalidDefinition");
    let message = refused["message"].as_str().unwrap();
    assert!(message.contains("nobody") && message.contains("/spec/resources/0/template/data/text"), "{message}");
    stage.create(1, "chains.kro.run/b", "Chain", json!({"name": "b"}));
    stage.until(1, "chains.kro.run/b", "Ready", "True");

    // Mended: every instance follows.
    let mended =
        json!([{"op": "replace", "path": "/spec/resources/0/template/data/text", "value": "${schema.spec.text}!"}]);
    api().patch(&path, &mended).unwrap();
    accepted(&stage.provider, "chain", "True");
    for name in ["a", "b"] {
        wait("the children to follow", || {
            (stage.find(1, &format!("configmaps/{name}-first"))?["data"]["text"] == "hello!").then_some(())
        });
    }

    // Gone: the instance says so, and can still be deleted.
    api().delete(&path).unwrap();
    let instance = stage.until(1, "chains.kro.run/a", "Accepted", "False");
    assert_eq!(condition(&instance, "Accepted").unwrap()["reason"], "DefinitionGone");
    api().delete(&stage.path(1, "chains.kro.run/a")).unwrap();
    wait("the end", || stage.find(1, "chains.kro.run/a").is_none().then_some(()));
    assert_eq!(stage.children(1, "secrets"), ["b-second"]);
    assert!(host.process.end().unwrap().success());
}

#[test]
fn a_version_that_was_accepted_serves_on_after_a_restart_where_a_later_one_is_refused() {
    let stage = Stage::new("refused-restart", 1);
    stage.publish(CHAIN, &[]);
    stage.bind(1, "chains.kro.run");
    let mut host = stage.host_of("chains.kro.run");
    stage.create(1, "chains.kro.run/a", "Chain", json!({"name": "a"}));
    stage.until(1, "chains.kro.run/a", "Ready", "True");
    let path = format!("/clusters/{}/{GROUPS}/chain", stage.provider);
    let edit = |text: &str| {
        let place = "/spec/resources/0/template/data/text";
        api().patch(&path, &json!([{"op": "replace", "path": place, "value": text}])).unwrap();
    };
    // Edited while a host runs, and while none does.
    edit("${nobody.x}");
    accepted(&stage.provider, "chain", "False");
    for (name, text) in [("b", "${nobody.y}"), ("c", "${nobody.z}")] {
        assert!(host.process.end().unwrap().success());
        edit(text);
        host = stage.host_of("chains.kro.run");
        stage.create(1, &format!("chains.kro.run/{name}"), "Chain", json!({"name": name}));
        stage.until(1, &format!("chains.kro.run/{name}"), "Ready", "True");
        assert_eq!(accepted(&stage.provider, "chain", "False")["reason"], "InvalidDefinition");
    }
    // What an instance says stays right, and a version that is mended takes over.
    api().merge(&stage.path(1, "chains.kro.run/a"), &json!({"spec": {"text": "bye"}})).unwrap();
    wait("the change", || (stage.find(1, "configmaps/a-first")?["data"]["text"] == "bye").then_some(()));
    edit("${schema.spec.text}!");
    wait("the new version", || (stage.find(1, "configmaps/a-first")?["data"]["text"] == "bye!").then_some(()));
    assert!(host.process.end().unwrap().success());
}

/// The second would be dealt with first, by its name.
#[test]
fn the_definition_that_has_a_kind_keeps_it_over_a_restart() {
    let stage = Stage::new("keeping", 1);
    stage.publish(CHAIN, &[]);
    stage.bind(1, "chains.kro.run");
    let mut host = stage.host_of("chains.kro.run");
    stage.create(1, "chains.kro.run/a", "Chain", json!({"name": "a"}));
    stage.until(1, "chains.kro.run/a", "Ready", "True");
    let first = stage.find(1, "configmaps/a-first").unwrap();
    let mut second = json!({
        "apiVersion": "kro.run/v1alpha1", "kind": "ResourceGroup", "metadata": {"name": "aaa"},
        "spec": definition(&stage.provider, "chain").unwrap()["spec"],
    });
    second["spec"]["resources"][0]["template"]["data"]["text"] = "of the second".into();
    second["spec"]["resources"].as_array_mut().unwrap().truncate(1);
    let path = format!("/clusters/{}/{GROUPS}/aaa", stage.provider);
    api().apply(&path, &second).unwrap();
    assert_eq!(accepted(&stage.provider, "aaa", "False")["reason"], "DuplicateKind");
    for edit in ["${schema.spec.text}", "${nobody.x}"] {
        // Also as it was accepted last.
        assert!(host.process.end().unwrap().success());
        let place = "/spec/resources/0/template/data/text";
        let path = format!("/clusters/{}/{GROUPS}/chain", stage.provider);
        api().patch(&path, &json!([{"op": "replace", "path": place, "value": edit}])).unwrap();
        host = stage.host_of("chains.kro.run");
        wait("the first to be in force", || host.log().contains("in force").then_some(()));
        let name = if edit.contains("nobody") { "c" } else { "b" };
        stage.create(1, &format!("chains.kro.run/{name}"), "Chain", json!({"name": name}));
        stage.until(1, &format!("chains.kro.run/{name}"), "Ready", "True");
        assert_eq!(accepted(&stage.provider, "aaa", "False")["reason"], "DuplicateKind");
        assert_eq!(stage.find(1, "configmaps/a-first").unwrap()["metadata"]["uid"], first["metadata"]["uid"]);
        assert_eq!(stage.find(1, &format!("configmaps/{name}-first")).unwrap()["data"]["text"], "hello");
        assert!(stage.children(1, "secrets").contains(&"a-second".to_owned()));
    }
    // The one that has it goes: the other takes over.
    api().delete(&format!("/clusters/{}/{GROUPS}/chain", stage.provider)).unwrap();
    accepted(&stage.provider, "aaa", "True");
    wait("the second's text", || {
        (stage.find(1, "configmaps/a-first")?["data"]["text"] == "of the second").then_some(())
    });
    assert!(host.process.end().unwrap().success());
}

#[test]
fn no_instance_leaves_active_while_a_field_with_a_default_is_added() {
    let stage = Stage::new("added", 1);
    stage.publish(CHAIN, &[]);
    stage.bind(1, "chains.kro.run");
    let host = stage.host_of("chains.kro.run");
    let names = ["a", "b", "c"].map(|name| format!("chains.kro.run/{name}"));
    for name in &names {
        stage.create(1, name, "Chain", json!({"name": name.split('/').nth(1)}));
        stage.until(1, name, "Ready", "True");
    }
    // kcp serves the new schema some seconds after the definition is there.
    let with_color = CHAIN.replace("      last: boolean", "      color: string | default=\"red\"\n      last: boolean");
    let with_status =
        with_color.replace("      uid: ${first", "      color: ${first.data.text + \"!\"}\n      uid: ${first");
    stage.publish(&with_status, &[]);
    for name in &names {
        wait("the new field and its status", || {
            let instance = stage.find(1, name)?;
            assert_eq!(instance["status"]["state"], "ACTIVE", "{instance:#}");
            (instance["spec"]["color"] == "red" && instance["status"]["color"] == "hello!").then_some(())
        });
    }
    assert!(host.process.end().unwrap().success());
}

#[test]
fn a_definition_made_again_under_another_name_takes_over() {
    let stage = Stage::new("renamed", 1);
    stage.publish(CHAIN, &[]);
    stage.bind(1, "chains.kro.run");
    let host = stage.host_of("chains.kro.run");
    stage.create(1, "chains.kro.run/a", "Chain", json!({"name": "a"}));
    stage.until(1, "chains.kro.run/a", "Ready", "True");
    api().delete(&format!("/clusters/{}/{GROUPS}/chain", stage.provider)).unwrap();
    stage.until(1, "chains.kro.run/a", "Accepted", "False");
    stage.publish(&CHAIN.replace("metadata: {name: chain}", "metadata: {name: chain-2}"), &[]);
    stage.until(1, "chains.kro.run/a", "Ready", "True");
    assert!(host.process.end().unwrap().success());
}

#[test]
fn a_child_of_a_kind_that_the_definition_drops_is_pruned_also_after_a_restart() {
    let stage = Stage::new("dropped", 1);
    stage.publish(CHAIN, &[]);
    stage.bind(1, "chains.kro.run");
    let host = stage.host_of("chains.kro.run");
    for name in ["a", "b"] {
        stage.create(1, &format!("chains.kro.run/{name}"), "Chain", json!({"name": name}));
        stage.until(1, &format!("chains.kro.run/{name}"), "Ready", "True");
    }
    // Without the Secret, and without what depends on it. The export keeps its
    // claim: consumers still have Secrets to be taken away.
    let path = format!("/clusters/{}/{GROUPS}/chain", stage.provider);
    let first = definition(&stage.provider, "chain").unwrap()["spec"]["resources"][0].clone();
    assert!(host.process.end().unwrap().success());
    api().merge(&path, &json!({"spec": {"resources": [first]}})).unwrap();
    let host = stage.host_of("chains.kro.run");
    wait("the pruning", || stage.children(1, "secrets").is_empty().then_some(()));
    for name in ["a", "b"] {
        wait("the record to follow", || {
            let instance = stage.until(1, &format!("chains.kro.run/{name}"), "Ready", "True");
            (instance["status"]["croft"]["inventory"].as_array()?.len() == 1).then_some(())
        });
    }
    assert!(host.process.end().unwrap().success());
}

#[test]
fn a_definition_that_is_never_served_does_not_hold_up_another() {
    let stage = Stage::new("patience", 1);
    stage.publish(CHAIN, &[]);
    stage.bind(1, "chains.kro.run");
    let host = stage.host_of("chains.kro.run");
    let of = |name: &str, kind: &str| {
        let text = CHAIN.replace("kind: Chain", &format!("kind: {kind}"));
        text.replace("metadata: {name: chain}", &format!("metadata: {{name: {name}}}"))
    };
    // Of no export of this host.
    stage.publish(&of("aaa", "Aaa"), &[]);
    api().delete(&format!("/clusters/{}/{GROUPS}/chain", stage.provider)).unwrap();
    stage.publish(&of("zzz", "Chain"), &[]);
    accepted(&stage.provider, "zzz", "True");
    assert_eq!(definition(&stage.provider, "aaa").unwrap().get("status"), None);
    assert!(host.process.end().unwrap().success());
}

#[test]
fn a_consumers_definition_governs_nothing() {
    let stage = Stage::new("usurper", 1);
    stage.publish(CHAIN, &["--layout", "shared"]);
    stage.done(&["kubeconfig", "chains.kro.run", "--context", "provider", "--name", "kro-vw"]);
    stage.bind(1, "chains.kro.run");
    let host = stage.host(&["--context", "kro-vw"]);
    let theirs = json!({
        "apiVersion": "kro.run/v1alpha1", "kind": "ResourceGroup", "metadata": {"name": "mine"},
        "spec": {"schema": {"apiVersion": "v1alpha1", "kind": "Chain", "spec": {"name": "string"}}, "resources": []},
    });
    let path = format!("/clusters/{}/{GROUPS}/mine", stage.consumers[0]);
    wait("the API", || api().apply(&path, &theirs).ok());
    assert_eq!(accepted(&stage.consumers[0], "mine", "False")["reason"], "NotProvider");
    stage.create(1, "chains.kro.run/a", "Chain", json!({"name": "a"}));
    stage.until(1, "chains.kro.run/a", "Ready", "True");
    assert_eq!(stage.children(1, "secrets"), ["a-second"]);
    assert!(host.process.end().unwrap().success());
}

/// With `--allow-consumer-definitions` it governs the workspace that it lives in, and
/// no other.
#[test]
fn a_consumers_definition_governs_its_own_workspace_where_the_host_is_told_so() {
    let stage = Stage::new("own-rules", 2);
    stage.publish(CHAIN, &["--layout", "shared"]);
    stage.done(&["kubeconfig", "chains.kro.run", "--context", "provider", "--name", "kro-vw"]);
    stage.bind(1, "chains.kro.run");
    stage.bind(2, "chains.kro.run");
    let host = stage.host(&["--context", "kro-vw", "--allow-consumer-definitions"]);
    let template = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "${schema.spec.name}-own"}});
    let theirs = json!({
        "apiVersion": "kro.run/v1alpha1", "kind": "ResourceGroup", "metadata": {"name": "mine"},
        "spec": {
            "schema": {"apiVersion": "v1alpha1", "kind": "Chain", "spec": {"name": "string"}},
            "resources": [{"id": "own", "template": template}],
        },
    });
    let path = format!("/clusters/{}/{GROUPS}/mine", stage.consumers[0]);
    wait("the API", || api().apply(&path, &theirs).ok());
    accepted(&stage.consumers[0], "mine", "True");
    for consumer in [1, 2] {
        stage.create(consumer, "chains.kro.run/a", "Chain", json!({"name": "a"}));
        stage.until(consumer, "chains.kro.run/a", "Ready", "True");
    }
    assert_eq!(stage.children(1, "configmaps"), ["a-own"]);
    assert_eq!(stage.children(2, "configmaps"), ["a-first", "a-third"]);

    // Without it the provider's governs again.
    api().delete(&path).unwrap();
    wait("the provider's children", || (stage.children(1, "configmaps") == ["a-first", "a-third"]).then_some(()));
    assert!(host.process.end().unwrap().success());
}

const GREETINGS: &str = include_str!("../../../examples/greetings/definition.yaml");

#[test]
fn a_provider_moves_from_a_definition_to_code_and_the_instance_stays() {
    let stage = Stage::new("code", 1);
    stage.publish(GREETINGS, &[]);
    stage.bind(1, "greetings.kro.run");
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/modules");
    let host =
        stage.host(&["--context", "provider", "--export", "greetings.kro.run", "--modules", modules.to_str().unwrap()]);
    stage.create(1, "greetings.kro.run/hi", "Greeting", json!({"name": "world"}));
    let before = stage.until(1, "greetings.kro.run/hi", "Ready", "True");
    let card = stage.find(1, "configmaps/world-card").unwrap();
    assert_eq!(card["data"].get("language"), None);

    // A module that the host does not take is refused by its digest.
    let module = modules.join("hello.wasm");
    let said = stage.publish(GREETINGS, &["--module", module.to_str().unwrap()]);
    assert!(said.stderr.contains("applied ResourceGroup"), "{said:#?}");
    let code = wait("the code's children", || {
        stage.find(1, "configmaps/world-card").filter(|card| card["data"].get("language").is_some())
    });
    assert_eq!(code["metadata"]["uid"], card["metadata"]["uid"]);
    let after = wait("the new receipt", || {
        let instance = stage.until(1, "greetings.kro.run/hi", "Ready", "True");
        let module = |object: &Value| object["status"]["croft"]["receipt"]["module"].clone();
        (module(&instance) != module(&before)).then_some(instance)
    });
    assert_eq!(after["metadata"]["uid"], before["metadata"]["uid"]);

    let pinned =
        definition(&stage.provider, "greetings.kro.run").unwrap()["spec"]["module"].as_str().unwrap().to_owned();
    let (name, digest) = pinned.split_once("@sha256:").unwrap();
    assert_eq!((name, digest.len()), ("file:hello.wasm", 64));
    let path = format!("/clusters/{}/{GROUPS}/greetings.kro.run", stage.provider);
    let other = format!("{name}@sha256:{}", "0".repeat(64));
    api().merge(&path, &json!({"spec": {"module": other}})).unwrap();
    assert_eq!(accepted(&stage.provider, "greetings.kro.run", "False")["reason"], "DigestMismatch");
    assert!(host.process.end().unwrap().success());
}

const COMPOSITION: &str = include_str!("../../../examples/greetings/composition.yaml");

#[test]
fn an_api_that_is_code_is_served_by_a_composition() {
    let stage = Stage::new("composition", 1);
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/modules");
    let said = stage.publish(COMPOSITION, &["--module", modules.join("hello.wasm").to_str().unwrap()]);
    assert!(said.stderr.contains("applied Composition.croft.run greetings"), "{said:#?}");
    stage.bind(1, "greetings.kro.run");
    let host =
        stage.host(&["--context", "provider", "--export", "greetings.kro.run", "--modules", modules.to_str().unwrap()]);
    stage.create(1, "greetings.kro.run/hi", "Greeting", json!({"name": "world"}));
    let instance = stage.until(1, "greetings.kro.run/hi", "Ready", "True");
    assert_eq!(
        (&instance["spec"]["greeting"], &instance["status"]["message"]),
        (&json!("Hello"), &json!("Hello, world!"))
    );
    let kinds = |object: &Value| {
        let conditions = object["status"]["conditions"].as_array().unwrap();
        conditions.iter().map(|it| it["type"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&instance), ["Accepted", "Rendered", "Applied", "Ready"], "kro has no such definition");

    let path = format!("/clusters/{}/apis/croft.run/v1alpha1/compositions/greetings", stage.provider);
    let word = |kind: &str, status: &str| {
        wait("the host's word on the definition", || {
            let object = api().find(&path).unwrap()?;
            let generation = object["metadata"]["generation"].clone();
            condition(&object, kind)
                .filter(|found| found["status"] == status && found["observedGeneration"] == generation)
                .cloned()
        })
    };
    word("Ready", "True");
    let definition = api().find(&path).unwrap().unwrap();
    assert_eq!(
        (&definition["status"]["state"], kinds(&definition)),
        (&json!("Active"), vec!["Accepted".into(), "Ready".into()])
    );
    assert_eq!(definition["status"]["croft"]["kind"], "Greeting");
    assert_eq!(definition["status"]["topologicalOrder"], json!(["card", "seal"]));

    // What the module does not take leaves the version before in force.
    api().merge(&path, &json!({"spec": {"config": {"size": 3}}})).unwrap();
    let refused = word("Accepted", "False");
    assert!(refused["message"].as_str().unwrap().contains("the module takes no configuration"), "{refused}");
    word("Ready", "False");
    stage.create(1, "greetings.kro.run/ho", "Greeting", json!({"name": "moon"}));
    stage.until(1, "greetings.kro.run/ho", "Ready", "True");

    // A Composition without a module does not reach the host.
    let unnamed = api().merge(&path, &json!({"spec": {"module": null}})).unwrap_err();
    assert!(format!("{unnamed:#}").contains("spec.module"), "{unnamed:#}");
    assert!(host.process.end().unwrap().success());
}
