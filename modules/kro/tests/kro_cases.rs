//! kro's own answers: each folder of `tests/kro-cases/` is a definition and an
//! instance with what kro made of them (`kro.json`).
//!
//! `KRO_CASES=FOLDER` runs other folders of that form.

#[path = "support/builtin.rs"]
mod builtin;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use guest_sdk::{Failure, Gvk, Observed, Prepared, Rendering, Role, Scope};
use serde_json::{Value, json};

/// Where we answer differently on purpose; `docs/kro-compatibility.md` says why.
const DIFFERENT: &[&str] = &[];

#[test]
fn definitions_have_kros_answers() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/kro-cases");
    let root = std::env::var_os("KRO_CASES").map_or(own, PathBuf::from);
    let mut folders: Vec<PathBuf> =
        fs::read_dir(&root).expect("what the case holds").map(|entry| entry.unwrap().path()).collect();
    folders.retain(|folder| folder.join("kro.json").exists());
    folders.sort();
    assert!(!folders.is_empty(), "no case in {}", root.display());
    let mut failures = Vec::new();
    for folder in &folders {
        let name = folder.file_name().expect("what the case holds").to_string_lossy().into_owned();
        let outcome = run(folder);
        if DIFFERENT.contains(&name.as_str()) {
            assert!(outcome.is_err(), "{name} is answered as kro does: strike it from the list");
        } else if let Err(why) = outcome {
            failures.push(format!("{name}: {why}"));
        }
    }
    println!("{} passed, {} failed", folders.len() - failures.len(), failures.len());
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

fn read(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    if path.extension().is_some_and(|it| it == "json") {
        serde_json::from_str(&text).expect("what the case holds")
    } else {
        yaml(&text)
    }
}

/// Kubernetes reads `n` and `y` as texts, unlike YAML 1.1.
fn yaml(text: &str) -> Value {
    let quoted = text.lines().map(|line| match line.rsplit_once(": ") {
        Some((start, letter @ ("n" | "y" | "N" | "Y"))) => format!("{start}: \"{letter}\"\n"),
        _ => format!("{line}\n"),
    });
    serde_saphyr::from_str(&quoted.collect::<String>()).expect("what the case holds")
}

fn run(folder: &Path) -> Result<(), String> {
    let (definition, wanted) = (read(&folder.join("definition.yaml")), read(&folder.join("kro.json")));
    let prepared = match (builtin::prepare(&definition), wanted["accepted"] == true) {
        (Ok(prepared), true) => prepared,
        (Ok(_), false) => return Err(format!("is accepted, kro says: {}", wanted["error"])),
        (Err(failure), accepted) => {
            let messages = messages(&failure);
            // The words up to the picture of the expression that cel-go draws.
            let error = wanted["error"].as_str().unwrap_or("it is accepted").lines().next().unwrap_or_default();
            let says = messages.iter().any(|message| message.contains(error));
            return if says && !accepted { Ok(()) } else { Err(format!("kro says: {error}\nwe say: {messages:#?}")) };
        }
    };
    let order: Vec<&str> = prepared.blueprint.order();
    same("topologicalOrder", &wanted["topologicalOrder"], &json!(order))?;
    if wanted.get("crd").is_some() {
        same("crd", &wanted["crd"], &prepared.blueprint.api.crd)?;
    }
    let Some(instance) = wanted.get("admittedInstance") else { return Ok(()) };
    let first = guest_sdk::test::render::<kro::Kro>(&prepared.program, instance, &[]);
    answers("plain", &wanted["plain"], &first, &[], &prepared)?;
    let (last, observed) = settle(&prepared, instance)?;
    answers("echo", &wanted["echo"], &last, &observed, &prepared)
}

fn messages(failure: &Failure) -> Vec<String> {
    match failure {
        Failure::Invalid(problems) => problems.iter().map(|problem| problem.message.clone()).collect(),
        Failure::Internal(message) => vec![format!("INTERNAL {message}")],
    }
}

fn same(what: &str, wanted: &Value, found: &Value) -> Result<(), String> {
    if wanted == found { Ok(()) } else { Err(format!("{what}: kro: {wanted:#}\nwe: {found:#}")) }
}

type Rendered = Result<Rendering, Failure>;

/// Renders until nothing changes, with everything that was stated fed back.
fn settle(prepared: &Prepared, instance: &Value) -> Result<(Rendered, Vec<Observed>), String> {
    let mut observed: Vec<Observed> = Vec::new();
    for _ in 0..20 {
        let rendered = guest_sdk::test::render::<kro::Kro>(&prepared.program, instance, &observed);
        if rendered != guest_sdk::test::render::<kro::Kro>(&prepared.program, instance, &observed) {
            return Err("two renders of the same differ".to_owned());
        }
        let Ok(rendering) = &rendered else { return Ok((rendered, observed)) };
        let stated = rendering.children.iter().map(|child| Observed {
            id: child.id.clone(),
            key: child.key.clone(),
            object: with_namespace(&child.manifest, instance),
        });
        let stated: Vec<Observed> = stated.collect();
        if stated == observed {
            return Ok((rendered, observed));
        }
        observed = stated;
    }
    Err("it does not settle".to_owned())
}

/// The host puts an object into the instance's namespace.
fn with_namespace(manifest: &Value, instance: &Value) -> Value {
    let mut manifest = manifest.clone();
    let namespaced = Gvk::of(&manifest).is_some_and(|kind| builtin::schema(&kind).scope == Scope::Namespaced);
    let namespace = instance.pointer("/metadata/namespace").cloned();
    if let (true, Some(namespace), None) = (namespaced, namespace, manifest.pointer("/metadata/namespace")) {
        manifest["metadata"]["namespace"] = namespace;
    }
    manifest
}

fn answers(
    what: &str,
    wanted: &Value,
    found: &Rendered,
    observed: &[Observed],
    prepared: &Prepared,
) -> Result<(), String> {
    let empty = serde_json::Map::new();
    let nodes = wanted["nodes"].as_object().unwrap_or(&empty);
    let rendering = match found {
        Ok(rendering) => rendering,
        Err(failure) => {
            let messages = messages(failure);
            let errors =
                nodes.values().filter(|node| node["state"] == "ERROR").filter_map(|node| node["error"].as_str());
            let told: Vec<&str> = errors.collect();
            let says = told.iter().all(|error| messages.iter().any(|message| told_alike(message, error)));
            return if says && !told.is_empty() {
                Ok(())
            } else {
                Err(format!("{what}: {messages:#?}, kro: {wanted:#}"))
            };
        }
    };
    let instance = json!({"metadata": {"namespace": "default"}});
    for (id, node) in nodes {
        let is_external = prepared
            .blueprint
            .nodes
            .iter()
            .any(|it| it.id == *id && matches!(it.role, Role::External | Role::ExternalCollection));
        if let (Some(objects), false) = (node.get("rendered"), is_external) {
            let children = rendering.children.iter().filter(|child| child.id == *id);
            let children: Vec<Value> = children.map(|child| with_namespace(&child.manifest, &instance)).collect();
            same(&format!("{what} {id}"), objects, &json!(children))?;
        }
        let blocked = rendering.blocked.iter().any(|it| it.id == *id);
        let excluded = rendering.excluded.iter().any(|it| it.id == *id);
        let ready = rendering.readiness.iter().filter(|it| it.id == *id).all(|it| it.ready);
        let state = match (blocked, excluded, ready) {
            (true, ..) => "IN_PROGRESS",
            (_, true, _) => "SKIPPED",
            (.., false) => "IN_PROGRESS",
            _ => "SYNCED",
        };
        // Two nodes with one target are kept apart by the host, which refuses both.
        if node["state"] != state && wanted["state"] != "" {
            return Err(format!("{what} {id}: kro has {}, we {state}: {:?}", node, rendering.blocked));
        }
    }
    status(what, wanted, rendering, observed)
}

/// Whether two messages say the same of one error.
fn told_alike(ours: &str, kros: &str) -> bool {
    let cause = kros.rsplit(": ").next().unwrap_or(kros);
    ours.contains(kros) || ours.contains(cause)
}

fn status(what: &str, wanted: &Value, rendering: &Rendering, _: &[Observed]) -> Result<(), String> {
    let mut fields = wanted["status"].clone();
    let Some(map) = fields.as_object_mut() else { return Ok(()) };
    map.remove("state");
    let conditions = map.remove("conditions").unwrap_or(json!([]));
    same(&format!("{what} status"), &fields, &json!(rendering.status))?;
    let status = |status| match status {
        guest_sdk::ConditionStatus::True => "True",
        guest_sdk::ConditionStatus::False => "False",
        guest_sdk::ConditionStatus::Unknown => "Unknown",
    };
    let ours: BTreeMap<&str, Value> = rendering
        .conditions
        .iter()
        .map(|it| {
            let told =
                json!({"type": it.kind, "status": status(it.status), "reason": it.reason, "message": it.message});
            (it.kind.as_str(), told)
        })
        .collect();
    let conditions = conditions.as_array().cloned().unwrap_or_default();
    let kros: BTreeMap<&str, Value> =
        conditions.iter().map(|it| (it["type"].as_str().unwrap_or_default(), it.clone())).collect();
    if kros == ours { Ok(()) } else { Err(format!("{what} conditions: kro: {kros:#?}\nwe: {ours:#?}")) }
}
