//! Golden cases: each folder of `tests/cases/` is a definition, perhaps an
//! instance and what was observed, and the answers that the module must give.
//!
//! `BLESS=1` writes the answers instead of comparing them; read the difference
//! before you keep it.

#[path = "support/builtin.rs"]
mod builtin;

use std::{
    fs,
    path::{Path, PathBuf},
};

use guest_sdk::{ConditionStatus, Failure, Observed, Prepared, Rendering, Role, Selection};
use serde_json::{Value, json};

#[test]
fn every_case_gives_the_answers_it_holds() {
    let mut failures = Vec::new();
    let folders = folders().expect("the folder of cases can be read");
    assert!(folders.len() >= 20, "only {} cases found", folders.len());
    for folder in folders {
        let case = Case { folder };
        if let Err(reason) = case.run() {
            failures.push(format!("{}: {reason}", case.folder.file_name().unwrap().to_string_lossy()));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

fn folders() -> std::io::Result<Vec<PathBuf>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases");
    let folders = fs::read_dir(root)?.map(|entry| entry.map(|entry| entry.path()));
    let mut folders = folders.collect::<Result<Vec<PathBuf>, _>>()?;
    folders.sort();
    Ok(folders)
}

struct Case {
    folder: PathBuf,
}

type Outcome = Result<(), String>;

impl Case {
    fn run(&self) -> Outcome {
        self.refuse_strangers()?;
        let definition = self.read("definition.yaml")?.ok_or("there is no definition.yaml")?;
        let prepared = match builtin::prepare(&definition) {
            Ok(prepared) => prepared,
            Err(failure) => return self.only_problems(&failure),
        };
        self.expect("crd.json", &prepared.blueprint.api.crd)?;
        self.expect("blueprint.json", &blueprint(&prepared))?;
        let Some(instance) = self.read("instance.yaml")? else {
            return self.absent("rendering.json").and_then(|()| self.absent("problems.json"));
        };
        let observed = self.observed()?;
        let rendered = guest_sdk::test::render::<kro::Kro>(&prepared.program, &instance, &observed);
        let again = guest_sdk::test::render::<kro::Kro>(&prepared.program, &instance, &observed);
        if rendered != again {
            return Err("two renders of the same differ".to_owned());
        }
        match rendered {
            Ok(rendering) => {
                self.absent("problems.json").and_then(|()| self.expect("rendering.json", &shown(&rendering)))
            }
            Err(failure) => {
                self.absent("rendering.json").and_then(|()| self.expect("problems.json", &problems(&failure)))
            }
        }
    }

    fn only_problems(&self, failure: &Failure) -> Outcome {
        for answer in ["crd.json", "blueprint.json", "rendering.json"] {
            self.absent(answer)?;
        }
        self.expect("problems.json", &problems(failure))
    }

    fn refuse_strangers(&self) -> Outcome {
        const KNOWN: [&str; 8] = [
            "definition.yaml",
            "instance.yaml",
            "observed.yaml",
            "crd.json",
            "blueprint.json",
            "rendering.json",
            "problems.json",
            "README.md",
        ];
        for entry in fs::read_dir(&self.folder).map_err(|error| error.to_string())? {
            let name = entry.map_err(|error| error.to_string())?.file_name();
            if !KNOWN.iter().any(|known| name == *known) {
                return Err(format!("nothing reads {}", name.to_string_lossy()));
            }
        }
        Ok(())
    }

    fn read(&self, name: &str) -> Result<Option<Value>, String> {
        let path = self.folder.join(name);
        if !path.exists() {
            return Ok(None);
        }
        let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
        serde_saphyr::from_str(&text).map(Some).map_err(|error| format!("{name}: {error}"))
    }

    fn observed(&self) -> Result<Vec<Observed>, String> {
        let listed = self.read("observed.yaml")?.unwrap_or_else(|| json!([]));
        let entries = listed.as_array().ok_or("observed.yaml is not a list")?;
        let text = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        Ok(entries
            .iter()
            .map(|entry| Observed { id: text(entry, "id"), key: text(entry, "key"), object: entry["object"].clone() })
            .collect())
    }

    fn expect(&self, name: &str, found: &Value) -> Outcome {
        let path = self.folder.join(name);
        if std::env::var_os("BLESS").is_some() {
            return fs::write(path, format!("{found:#}\n")).map_err(|error| error.to_string());
        }
        let text = fs::read_to_string(&path).map_err(|_| format!("{name} is missing; the answer is {found:#}"))?;
        let expected: Value = serde_json::from_str(&text).map_err(|error| format!("{name}: {error}"))?;
        if expected == *found { Ok(()) } else { Err(format!("{name}: expected {expected:#}\nfound {found:#}")) }
    }

    fn absent(&self, name: &str) -> Outcome {
        let path = self.folder.join(name);
        if !path.exists() {
            return Ok(());
        }
        if std::env::var_os("BLESS").is_some() {
            return fs::remove_file(path).map_err(|error| error.to_string());
        }
        Err(format!("there is a {name}, but the module gives another kind of answer"))
    }
}

fn blueprint(prepared: &Prepared) -> Value {
    let kinds = prepared.blueprint.kinds.iter().map(|used| format!("{} {}", used.kind.api_version(), used.kind.kind));
    let nodes = prepared.blueprint.nodes.iter().map(|node| {
        let mut shown = json!({"id": node.id, "dependsOn": node.depends_on});
        let role = match node.role {
            Role::Child => return shown,
            Role::Collection => "collection",
            Role::External => "external",
            Role::ExternalCollection => "external collection",
        };
        shown["role"] = role.into();
        shown
    });
    json!({
        "kinds": kinds.collect::<Vec<_>>(),
        "nodes": nodes.collect::<Vec<_>>(),
        "warnings": prepared.warnings,
    })
}

fn problems(failure: &Failure) -> Value {
    match failure {
        Failure::Invalid(problems) => json!(problems),
        Failure::Internal(message) => panic!("the module is at fault: {message}"),
    }
}

/// What few renderings have is shown only where they have it.
fn shown(rendering: &Rendering) -> Value {
    let keyed = |mut shown: Value, key: &str| {
        if !key.is_empty() {
            shown["key"] = key.into();
        }
        shown
    };
    let children = rendering.children.iter();
    let children =
        children.map(|it| keyed(json!({"id": it.id, "dependsOn": it.depends_on, "manifest": it.manifest}), &it.key));
    let readiness = rendering.readiness.iter();
    let readiness = readiness.map(|it| keyed(json!({"id": it.id, "ready": it.ready, "message": it.message}), &it.key));
    let blocked = rendering.blocked.iter();
    let mut shown = json!({
        "defaults": rendering.defaults,
        "children": children.collect::<Vec<_>>(),
        "blocked": blocked.map(|it| json!({"id": it.id, "waitsFor": it.waits_for, "message": it.message})).collect::<Vec<_>>(),
        "excluded": rendering.excluded.iter().map(|it| json!({"id": it.id, "message": it.message})).collect::<Vec<_>>(),
        "readiness": readiness.collect::<Vec<_>>(),
        "status": rendering.status,
    });
    if !rendering.reads.is_empty() {
        let reads = rendering.reads.iter().map(|it| match &it.select {
            Selection::Named { namespace, name } => json!({"id": it.id, "namespace": namespace, "name": name}),
            Selection::Labelled { namespace, selector } => {
                json!({"id": it.id, "namespace": namespace, "selector": selector})
            }
        });
        shown["reads"] = reads.collect();
    }
    if !rendering.conditions.is_empty() {
        let conditions = rendering.conditions.iter().map(|it| {
            let status = match it.status {
                ConditionStatus::True => "True",
                ConditionStatus::False => "False",
                ConditionStatus::Unknown => "Unknown",
            };
            json!({"type": it.kind, "status": status, "reason": it.reason, "message": it.message})
        });
        shown["conditions"] = conditions.collect();
    }
    if let Some(why) = &rendering.suspended {
        shown["suspended"] = why.as_str().into();
    }
    shown
}
