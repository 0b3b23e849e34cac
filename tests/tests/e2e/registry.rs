//! Modules that come from a registry, and have to be signed.

use std::{fs, path::Path};

use harness::registry::{Kind, Registry};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::stage::{Host, Stage, api, condition, wait};

/// A policy that wants the key of `tests/registry` to have signed what comes from a
/// registry.
fn policy(stage: &Stage, registry: &Registry, revoked: &[&str]) -> String {
    let revoked: Vec<Value> =
        revoked.iter().map(|digest| json!({"digest": digest, "why": "it greets the wrong people"})).collect();
    let policy = json!({
        "apiVersion": "croft.run/v1alpha1",
        "kind": "ModulePolicy",
        "keys": [{"name": "release", "publicKey": fs::read_to_string(keys().join("ed.pub")).unwrap()}],
        "signed": [{"module": format!("oci://{}/", registry.host()), "by": ["release"]}],
        "revoked": revoked,
    });
    stage.file("policy.json", &policy.to_string()).display().to_string()
}

fn keys() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("registry")
}

/// A host with a cache of its own, which nothing but this test filled.
fn host(stage: &Stage, cache: &Path, policy: &str) -> Host {
    let cache = cache.display().to_string();
    let args = ["--context", "provider", "--export", "greetings.kro.run", "--cache", &cache, "--module-policy", policy];
    stage.host(&[&args[..], &["--registry-timeout", "5"]].concat())
}

#[track_caller]
fn refused(path: &str, reason: &str) -> String {
    wait(&format!("the refusal {reason}"), || {
        let definition = api().find(path).unwrap()?;
        let found = condition(&definition, "Accepted").filter(|found| found["reason"] == reason)?;
        Some(found["message"].as_str().unwrap().to_owned())
    })
}

#[test]
fn a_signed_module_is_served_from_the_registry_and_without_it_until_it_is_revoked() {
    let folder = TempDir::new().unwrap();
    let mut registry = match Registry::start(Kind::Distribution, folder.path()) {
        Ok(registry) => registry,
        Err(error) => return eprintln!("left out, there is no registry: {error:#}"),
    };
    let stage = Stage::new("shipped", 1);
    let cache = TempDir::new().unwrap();
    let policy_file = policy(&stage, &registry, &[]);
    let wasm = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/modules/hello.wasm");
    let tag = format!("oci://{}/team/hello:v1", registry.host());
    let pushed = stage.done(&["module", "push", wasm.to_str().unwrap(), &tag]).stdout.trim().to_owned();

    // Published by its tag, in force by its digest, and not before it is signed.
    let text = include_str!("../../../examples/greetings/definition-as-code.yaml").replace("file:hello.wasm", &tag);
    stage.publish(&text, &[]);
    let path = format!(
        "/clusters/{}/apis/kro.run/v1alpha1/namespaces/default/resourcegroups/greetings.kro.run",
        stage.provider
    );
    assert_eq!(api().find(&path).unwrap().unwrap()["spec"]["module"], pushed);
    stage.bind(1, "greetings.kro.run");
    let running = host(&stage, cache.path(), &policy_file);
    let said = refused(&path, "ModuleNotSigned");
    assert!(said.contains("has to be signed by the key `release`, and there is no signature"), "{said}");
    stage.done(&["module", "sign", &pushed, "--key", keys().join("ed.key").to_str().unwrap()]);
    stage.create(1, "greetings.kro.run/hi", "Greeting", json!({"name": "world"}));
    stage.until(1, "greetings.kro.run/hi", "Ready", "True");

    // What is wrong with a new version leaves the former in force.
    let nothing = format!("{}@sha256:{}", tag, "0".repeat(64));
    for (module, reason) in [(tag.as_str(), "NoDigest"), (nothing.as_str(), "ModuleNotFound")] {
        api().merge(&path, &json!({"spec": {"module": module}})).unwrap();
        let said = refused(&path, reason);
        assert!(said.contains("(hint: "), "{said}");
    }
    let greet = |greeting: &str| {
        let spec = json!({"name": "world", "greeting": greeting});
        stage.create(1, "greetings.kro.run/hi", "Greeting", spec);
        wait("the card", || {
            let card = stage.find(1, "configmaps/world-card")?;
            (card["data"]["message"] == format!("{greeting}, world!")).then_some(card["metadata"]["uid"].clone())
        })
    };
    let card = greet("Hallo");
    api().merge(&path, &json!({"spec": {"module": pushed}})).unwrap();
    wait("the module in force", || {
        let definition = api().find(&path).unwrap()?;
        (condition(&definition, "Accepted")?["status"] == "True").then_some(())
    });
    assert!(running.process.end().unwrap().success());

    // The registry is down, and the host starts from what it has.
    registry.stop().unwrap();
    let running = host(&stage, cache.path(), &policy_file);
    assert_eq!(greet("Salut"), card);
    assert!(running.process.end().unwrap().success());

    // Revoked, it is not run, and what it made stays.
    registry.restart().unwrap();
    let digest = &pushed[pushed.find("sha256:").unwrap()..];
    let policy_file = policy(&stage, &registry, &[digest]);
    let running = host(&stage, cache.path(), &policy_file);
    let said = refused(&path, "ModuleRevoked");
    assert!(said.contains(digest) && said.contains("it greets the wrong people"), "{said}");
    let instance = stage.find(1, "greetings.kro.run/hi").unwrap();
    assert_eq!(instance["metadata"].get("deletionTimestamp"), None);
    assert_eq!(stage.find(1, "configmaps/world-card").unwrap()["metadata"]["uid"], card);
    assert!(!running.log().contains("in force definition"), "{}", running.log());
    assert!(running.process.end().unwrap().success());
}
