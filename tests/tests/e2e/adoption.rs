//! An instance that kro made is taken over with its children, and given back:
//! no child is deleted or made again on the way.

use serde_json::{Value, json};

use crate::stage::{CHAIN, Stage, api, wait};

const EXPORT: &str = "chains.kro.run";
const INSTANCE: &str = "chains.kro.run/a";
const CHILDREN: [&str; 3] = ["configmaps/a-first", "secrets/a-second", "configmaps/a-third"];
/// kro's, but of no definition any more.
const LEFTOVER: &str = "configmaps/a-old";
const APPLYSET: &str = "applyset-of-a-v1";

/// Applies an object as one of kro's field managers.
#[track_caller]
fn as_kro(stage: &Stage, object: &str, manager: &str, manifest: &Value) -> Value {
    let path = format!("{}?fieldManager={manager}&force=true", stage.path(1, object));
    let answer = api().request("PATCH", &path, "application/apply-patch+yaml", &manifest.to_string());
    let (code, answer) = answer.unwrap();
    assert!(matches!(code, 200 | 201), "{path} answered {code}: {answer}");
    answer
}

/// A child as kro v0.9 leaves it.
fn child(stage: &Stage, instance: &Value, object: &str, node: &str, mut manifest: Value) -> Value {
    manifest["apiVersion"] = "v1".into();
    manifest["kind"] = if object.starts_with("secrets") { "Secret".into() } else { "ConfigMap".into() };
    manifest["metadata"] = json!({
        "name": object.split_once('/').unwrap().1,
        "labels": {
            "kro.run/owned": "true", "kro.run/kro-version": "v0.9.3", "kro.run/node-id": node,
            "kro.run/instance-id": instance["metadata"]["uid"], "kro.run/instance-name": "a",
            "kro.run/instance-namespace": "default", "kro.run/instance-group": "kro.run",
            "kro.run/instance-version": "v1alpha1", "kro.run/instance-kind": "Chain",
            "app.kubernetes.io/managed-by": "kro", "applyset.kubernetes.io/part-of": APPLYSET,
        },
        "annotations": {"internal.kro.run/apply-order": "1"},
    });
    as_kro(stage, object, "kro.run/applyset", &manifest)
}

/// An instance with three children and a leftover, as kro v0.9 leaves them.
fn made_by_kro(stage: &Stage) {
    let instance = stage.create(1, INSTANCE, "Chain", json!({"name": "a"}));
    let marks = json!({
        "apiVersion": "kro.run/v1alpha1", "kind": "Chain",
        "metadata": {
            "name": "a", "finalizers": ["kro.run/finalizer"],
            "labels": {
                "kro.run/owned": "true", "kro.run/kro-version": "v0.9.3",
                "kro.run/resource-graph-definition-name": "chain", "applyset.kubernetes.io/id": APPLYSET,
            },
            "annotations": {
                "applyset.kubernetes.io/tooling": "kro/v0.9.3",
                "applyset.kubernetes.io/contains-group-kinds": "ConfigMap,Secret",
                "applyset.kubernetes.io/additional-namespaces": "",
            },
        },
    });
    as_kro(stage, INSTANCE, "kro.run/labeller", &marks);
    // `old` is a field that an earlier definition rendered.
    let first = child(stage, &instance, CHILDREN[0], "first", json!({"data": {"text": "hello", "old": "1"}}));
    child(stage, &instance, CHILDREN[1], "second", json!({"stringData": {"of": first["metadata"]["uid"]}}));
    child(stage, &instance, CHILDREN[2], "third", json!({"data": {"of": "a-second"}}));
    child(stage, &instance, LEFTOVER, "gone", json!({"data": {"of": "nobody"}}));
}

/// A field of the metadata of everything that there is.
fn all(stage: &Stage, fields: &[&str]) -> Vec<Value> {
    let objects = CHILDREN.iter().chain([&LEFTOVER, &INSTANCE]);
    let metadata = objects.map(|object| stage.find(1, object).unwrap()["metadata"].clone());
    metadata.flat_map(|metadata| fields.iter().map(|field| metadata[*field].clone()).collect::<Vec<_>>()).collect()
}

fn identities(stage: &Stage) -> Vec<Value> {
    all(stage, &["uid", "creationTimestamp"])
}

fn versions(stage: &Stage) -> Vec<Value> {
    all(stage, &["resourceVersion"])
}

/// The names of an object's labels and annotations that begin with a prefix.
fn marks(stage: &Stage, object: &str, prefixes: &[&str]) -> Vec<String> {
    let metadata = stage.find(1, object).unwrap()["metadata"].clone();
    let pairs = ["labels", "annotations"].map(|field| metadata[field].as_object().cloned().unwrap_or_default());
    let names = pairs.into_iter().flatten().map(|(name, _)| name);
    names.filter(|name| prefixes.iter().any(|prefix| name.starts_with(prefix))).collect()
}

const KROS: [&str; 4] = ["kro.run/", "internal.kro.run/", "applyset.kubernetes.io/", "app.kubernetes.io/"];

#[test]
fn an_instance_is_taken_over_from_kro_and_given_back_with_all_its_children() {
    let stage = Stage::new("adoption", 1);
    stage.publish(CHAIN, &["--layout", "shared"]);
    stage.bind(1, EXPORT);
    let proxy = stage.proxy(EXPORT);
    stage.context("team", &format!("{}/clusters/{}", proxy.base_url(), stage.consumers[0]));
    let definition = stage.file("definition.yaml", CHAIN);
    let adopt = ["adopt", "--context", "team", "-f", definition.to_str().unwrap()];
    let with = |more: &[&'static str]| [&adopt[..], more].concat();
    made_by_kro(&stage);
    let before = identities(&stage);

    // What would happen is said, and does not happen.
    let untouched = versions(&stage);
    let said = stage.done(&with(&[]));
    for line in [
        "Chain.kro.run default/a: would be taken over (5 writes)",
        "adopt: ConfigMap default/a-first `first`",
        "adopt: Secret default/a-second `second`",
        "adopt: ConfigMap default/a-third `third`",
        "leftover: ConfigMap default/a-old `gone`",
    ] {
        assert!(said.stdout.contains(line), "{said:#?}");
    }
    // kro may still be at work.
    let refused = stage.croft(&with(&["--apply"]));
    assert_eq!(refused.code, Some(1), "{refused:#?}");
    assert!(refused.stderr.contains("--kro-is-stopped"), "{refused:#?}");
    assert_eq!(versions(&stage), untouched);

    let suspended = json!({"metadata": {"annotations": {"kro.run/reconcile": "suspended"}}});
    let leftover = stage.find(1, LEFTOVER).unwrap();
    api().merge(&stage.path(1, INSTANCE), &suspended).unwrap();
    stage.done(&with(&["--apply"]));
    assert_eq!(stage.find(1, INSTANCE).unwrap()["metadata"]["finalizers"], json!(["croft.run/children"]));
    assert_eq!(marks(&stage, INSTANCE, &KROS), ["kro.run/reconcile"]);
    for child in CHILDREN {
        assert!(marks(&stage, child, &KROS).is_empty(), "{child}: {:?}", marks(&stage, child, &KROS));
        let managers = stage.find(1, child).unwrap()["metadata"]["managedFields"].to_string();
        assert!(!managers.contains("kro.run/applyset"), "{child}: {managers}");
    }
    assert_eq!(stage.find(1, LEFTOVER).unwrap(), leftover);
    let taken = versions(&stage);
    assert!(stage.done(&with(&["--apply", "--kro-is-stopped"])).stdout.contains("nothing to do"));
    assert_eq!((versions(&stage), identities(&stage)), (taken, before.clone()));

    // The host finds everything as it should be, and what kro once applied goes
    // with the next change.
    let resumed = json!({"metadata": {"annotations": {"kro.run/reconcile": null}}});
    api().merge(&stage.path(1, INSTANCE), &resumed).unwrap();
    let host = stage.host(&["--context", "proxy"]);
    stage.until(1, INSTANCE, "Ready", "True");
    assert_eq!(stage.children(1, "configmaps"), ["a-first", "a-third"]);
    assert_eq!(identities(&stage), before);
    api().merge(&stage.path(1, INSTANCE), &json!({"spec": {"text": "bye"}})).unwrap();
    wait("the change", || (stage.find(1, CHILDREN[0])?["data"] == json!({"text": "bye"})).then_some(()));
    stage.until(1, INSTANCE, "Ready", "True");
    assert!(host.process.end().unwrap().success());

    // And back.
    let refused = stage.croft(&with(&["--undo", "--apply"]));
    assert_eq!(refused.code, Some(1), "{refused:#?}");
    stage.done(&with(&["--undo", "--croft-is-stopped", "--apply"]));
    let instance = stage.find(1, INSTANCE).unwrap();
    assert_eq!(instance["metadata"]["finalizers"], json!(["kro.run/finalizer"]));
    assert_eq!(instance["status"].get("croft"), None);
    let applyset = &instance["metadata"]["labels"]["applyset.kubernetes.io/id"];
    let kinds = &instance["metadata"]["annotations"]["applyset.kubernetes.io/contains-group-kinds"];
    assert_eq!(kinds, "ConfigMap,Secret");
    for child in CHILDREN {
        let found = stage.find(1, child).unwrap();
        let labels = &found["metadata"]["labels"];
        assert_eq!(labels["kro.run/instance-id"], instance["metadata"]["uid"], "{child}");
        assert_eq!(&labels["applyset.kubernetes.io/part-of"], applyset, "{child}");
        assert!(marks(&stage, child, &["croft.run/"]).is_empty(), "{child}: {found}");
    }
    let again = stage.done(&with(&["--undo", "--croft-is-stopped", "--apply"]));
    assert!(again.stdout.contains("nothing to do"), "{again:#?}");
    assert_eq!(identities(&stage), before);

    let deletions: Vec<_> = proxy.take().into_iter().filter(|seen| seen.method == "DELETE").collect();
    assert!(deletions.is_empty(), "{deletions:?}");
}
