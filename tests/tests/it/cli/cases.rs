//! `croft render` over the folders in `tests/cases`: what the module's own
//! tests expect of it comes out of the command line too.

use std::{
    fs,
    path::{Path, PathBuf},
};

use contract::{Gvk, Scope};
use host::yaml::Source;
use host_core::kinds;
use serde_json::{Map, Value, json};

use super::{Desk, Ran};

/// What a case expects.
enum Answer {
    Rendering(Value),
    Definition,
    RefusedDefinition(Vec<Value>),
    RefusedInstance,
}

struct Case {
    name: String,
    folder: PathBuf,
}

fn cases() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut folders: Vec<PathBuf> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let name = |folder: &PathBuf| folder.file_name().unwrap().to_string_lossy().into_owned();
    folders.into_iter().map(|folder| Case { name: name(&folder), folder }).collect()
}

impl Case {
    fn yaml(&self, file: &str) -> Option<Value> {
        let text = fs::read_to_string(self.folder.join(file)).ok()?;
        Some(Source::parse(file, &text).unwrap().documents.remove(0).value)
    }

    fn answer(&self) -> Answer {
        let json = |file: &str| {
            let text = fs::read_to_string(self.folder.join(file)).ok()?;
            Some(serde_json::from_str::<Value>(&text).unwrap())
        };
        match (json("rendering.json"), json("crd.json"), json("problems.json")) {
            (Some(rendering), _, _) => Answer::Rendering(rendering),
            (None, Some(_), Some(_)) => Answer::RefusedInstance,
            (None, None, Some(problems)) => Answer::RefusedDefinition(problems.as_array().unwrap().clone()),
            (None, Some(_), None) => Answer::Definition,
            (None, None, None) => panic!("{}: the case expects nothing", self.name),
        }
    }

    fn run(&self) -> Ran {
        let desk = Desk::with(&[]);
        let mut args = "render -f definition.yaml".to_owned();
        for file in ["definition.yaml", "instance.yaml"] {
            if let Ok(text) = fs::read(self.folder.join(file)) {
                desk.write(file, text);
            }
        }
        if desk.path("instance.yaml").exists() {
            args += " -f instance.yaml";
        }
        if let Some(observed) = self.yaml("observed.yaml") {
            let namespace = self.yaml("instance.yaml").map_or(Value::Null, |it| it["metadata"]["namespace"].clone());
            let objects = observed.as_array().unwrap().iter().map(|seen| placed(&seen["object"], &namespace));
            let objects: Vec<Value> = objects.collect();
            desk.write("live.json", json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string());
            args += " --observed live.json";
        }
        desk.croft(&args)
    }

    fn check_rendering(&self, expected: &Value, ran: Ran) {
        let ran = ran.done();
        let (objects, instance) = (ran.objects(), self.yaml("instance.yaml").unwrap());
        let (rendered, children) = objects.split_first().unwrap();
        let mut status = rendered["status"].clone();
        let state = status.as_object_mut().unwrap().remove("state");
        let conditions = status.as_object_mut().unwrap().remove("conditions").unwrap_or_default();
        assert_eq!(status, expected["status"], "{}: status", self.name);
        assert!([Some(json!("ACTIVE")), Some(json!("IN_PROGRESS"))].contains(&state), "{}: {state:?}", self.name);
        for wanted in expected["conditions"].as_array().into_iter().flatten() {
            let found = conditions.as_array().into_iter().flatten().find(|it| it["type"] == wanted["type"]);
            assert_eq!(found.map(|it| &it["reason"]), Some(&wanted["reason"]), "{}: {conditions}", self.name);
        }
        let mut spec = instance["spec"].clone();
        host_core::defaults::fill(&mut spec, expected["defaults"].as_object().unwrap_or(&Map::new()));
        // A server fills in more: what the schema says of the elements of lists.
        assert!(covers(&rendered["spec"], &spec), "{}: {} lacks some of {spec}", self.name, rendered["spec"]);
        let (namespace, wanted) = (&instance["metadata"]["namespace"], expected["children"].as_array().unwrap());
        let mut wanted: Vec<Value> = wanted.iter().map(|child| placed(&child["manifest"], namespace)).collect();
        let mut children = children.to_vec();
        // The items of a collection are printed by name, whatever they come from.
        if expected["children"].as_array().unwrap().iter().any(|child| !child["key"].is_null()) {
            wanted.sort_by_cached_key(Value::to_string);
            children.sort_by_cached_key(Value::to_string);
        }
        assert_eq!(children, wanted, "{}: children", self.name);
        for (field, word) in [("blocked", "blocked"), ("excluded", "excluded")] {
            for entry in expected[field].as_array().unwrap() {
                let said = format!("{word}: {}", entry["id"].as_str().unwrap());
                assert!(ran.stderr.contains(&said), "{}: `{said}` is not in:\n{}", self.name, ran.stderr);
            }
        }
    }
}

/// A child as it is applied: in its instance's namespace, unless it names one.
fn placed(manifest: &Value, namespace: &Value) -> Value {
    let mut manifest = manifest.clone();
    let cluster = kinds::builtin(&Gvk::of(&manifest).unwrap()).is_some_and(|kind| kind.scope == Scope::Cluster);
    if !cluster && manifest["metadata"]["namespace"].is_null() {
        manifest["metadata"]["namespace"] = namespace.as_str().unwrap_or("default").into();
    }
    manifest
}

/// Whether everything in the second value is in the first.
fn covers(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(key, part)| whole.get(key).is_some_and(|whole| covers(whole, part)))
        }
        (Value::Array(whole), Value::Array(part)) => {
            whole.len() == part.len() && whole.iter().zip(part).all(|(whole, part)| covers(whole, part))
        }
        _ => whole == part,
    }
}

#[test]
fn the_command_line_agrees_with_every_case() {
    let cases = cases();
    assert!(cases.len() >= 20, "only {} cases found", cases.len());
    for case in cases {
        let ran = case.run();
        match case.answer() {
            Answer::Rendering(expected) => case.check_rendering(&expected, ran),
            Answer::Definition => assert_eq!(ran.status, 0, "{}: {}", case.name, ran.stderr),
            Answer::RefusedDefinition(problems) => {
                // Of a kind that nobody knows, no module is asked: it is not a definition at all.
                let is_unknown = |problem: &Value| {
                    problem["message"].as_str().unwrap().ends_with("is not a definition that this module knows")
                };
                let code = |problem: &Value| match problem["code"].as_str().unwrap() {
                    "UnsupportedKind" if is_unknown(problem) => "[UnexpectedDocument]: ".to_owned(),
                    code => format!("[{code}]: "),
                };
                let codes = problems.iter().map(code);
                let codes: Vec<String> =
                    codes.chain(["--> definition.yaml:".into(), "definition.yaml was refused".into()]).collect();
                ran.refused(&codes.iter().map(String::as_str).collect::<Vec<_>>());
            }
            Answer::RefusedInstance => {
                ran.refused(&["--> instance.yaml:", "instance.yaml was refused"]);
            }
        }
    }
}
