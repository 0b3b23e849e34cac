//! A `Composition`: a definition that names a module which is written as code.
//! The module is `modules/hello`.

use std::path::Path;

use serde_json::json;

use super::Desk;

const COMPOSITION: &str = "\
apiVersion: croft.run/v1alpha1
kind: Composition
metadata:
  name: greetings
  namespace: ignored
spec:
  module: file:hello.wasm
";

const ADA: &str = "\
apiVersion: kro.run/v1alpha1
kind: Greeting
metadata:
  name: for-ada
spec:
  name: ada
";

/// A folder with a definition, an instance and the module.
fn desk(definition: &str) -> Desk {
    let desk = Desk::with(&[("composition.yaml", definition), ("ada.yaml", ADA)]);
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/modules/hello.wasm");
    desk.write("hello.wasm", std::fs::read(&module).expect("`cargo xtask modules` has made it"));
    desk
}

#[test]
fn every_command_that_takes_a_definition_takes_it() {
    let desk = desk(COMPOSITION);
    assert!(desk.croft("check -f composition.yaml").done().stderr.contains("1 definition: 0 errors, 0 warnings"));
    let told = desk.croft("explain -f composition.yaml").done().stdout;
    assert!(
        told.starts_with("API     kro.run/v1alpha1 Greeting, greetings, namespaced\nModule  file:hello.wasm@sha256:"),
        "{told}"
    );
    let drawn = desk.croft("graph -f composition.yaml").done().stdout;
    assert!(drawn.contains("id_card --> id_seal"), "{drawn}");
    let rendered = desk.croft("render -f composition.yaml -f ada.yaml").done();
    assert_eq!(rendered.stderr, "blocked: seal waits for card: `metadata.uid` of `card` is not there yet\n");
    let objects = rendered.objects();
    assert_eq!(objects[0]["spec"], json!({"name": "ada", "greeting": "Hello"}));
    assert_eq!(objects[1]["data"], json!({"message": "Hello, ada!", "language": "English"}));
    let converged = desk.croft("render -f composition.yaml -f ada.yaml --converge").done().objects();
    assert_eq!(converged[0]["status"]["state"], "ACTIVE");
    assert_eq!(converged.len(), 3);
}

#[test]
fn it_is_published_with_its_crd_and_the_rights_for_it() {
    let desk = desk(COMPOSITION);
    let objects = desk.croft("publish -f composition.yaml -o provider").done().objects();
    assert_eq!(objects[0]["metadata"]["name"], "compositions.croft.run");
    let rules = objects.iter().find(|object| object["kind"] == "ClusterRole").unwrap()["rules"].to_string();
    for right in [
        r#"{"apiGroups":["croft.run"],"resources":["compositions"],"verbs":["get","list","watch"]}"#,
        r#"{"apiGroups":["croft.run"],"resources":["compositions/status"],"verbs":["get","update","patch"]}"#,
        r#"{"apiGroups":["kro.run"],"resources":["resourcegroups","resourcegraphdefinitions"],"verbs":["get","list","watch"]}"#,
    ] {
        assert!(rules.contains(right), "{rules}");
    }
    let definition = desk.croft("publish -f composition.yaml -o definition").done().objects().remove(0);
    let module = definition["spec"]["module"].as_str().unwrap();
    assert!(module.starts_with("file:hello.wasm@sha256:") && module.len() == 15 + 8 + 64, "{module}");
    assert_eq!(definition["metadata"].get("namespace"), None);
    let shared = desk.croft("publish -f composition.yaml -o provider --layout shared").done().objects();
    let export = shared.iter().find(|object| object["kind"] == "APIExport").unwrap();
    assert_eq!(export["spec"]["resources"][1]["group"], "croft.run");
}

/// A definition that is refused at `line:column`, saying all of these.
#[track_caller]
fn refused(definition: &str, at: &str, says: &[&str]) {
    for command in ["check", "explain", "graph", "render", "publish"] {
        let ran = desk(definition).croft(&format!("{command} -f composition.yaml"));
        let text = format!("{ran:?}");
        assert_eq!(ran.status, 1, "{command}: {text}");
        let place = format!("--> composition.yaml:{at}\n");
        assert!(ran.stderr.contains(&place), "{command}, not at {at}:\n{}", ran.stderr);
        assert!(says.iter().all(|said| ran.stderr.contains(said)), "{command}:\n{}", ran.stderr);
    }
}

#[test]
fn what_is_wrong_with_one_is_told_with_its_place() {
    let with = |spec: &str| COMPOSITION.replace("  module: file:hello.wasm\n", spec);
    refused(&with("  config: {}\n"), "6:1", &["names its module in `spec.module`", "hint: write the reference"]);
    refused(&with("  module: [file:hello.wasm]\n"), "7:3", &["the reference to a module is a text"]);
    refused(&with("  module: hello\n"), "7:11", &["`hello` is not a module reference", "hint: "]);
    let hint = "hint: name another module in `spec.module`, or write a `ResourceGraphDefinition`";
    refused(
        &with("  module: builtin:kro\n"),
        "2:7",
        &["a `Composition` is for a module that is written as code", hint],
    );
    refused(
        &with("  module: file:hello.wasm\n  config: {size: 3}\n"),
        "8:3",
        &["the module takes no configuration", "hint: remove `config`"],
    );
    refused(
        &with("  module: file:hello.wasm\n  confg: {}\n"),
        "8:3",
        &["the spec of a Composition has no field `confg`", "hint: it takes `module`, and `config`"],
    );
    refused(&with("  module: file:hello.wasm\n  config: 3\n"), "8:11", &["`config` is 3, and has to be a map"]);
    let newer = COMPOSITION.replace("v1alpha1", "v1");
    refused(&newer, "1:13", &["a Composition has no version `v1`", "hint: write `apiVersion: croft.run/v1alpha1`"]);
}

#[test]
fn a_misspelt_kind_is_told_from_something_else_entirely() {
    let misspelt = "apiVersion: croft.run/v1alpha1\nkind: Compositon\nmetadata: {name: x}\nspec: {}\n";
    Desk::with(&[("a.yaml", misspelt)])
        .croft("check -f a.yaml")
        .refused(&["--> a.yaml:2:7", "or `apiVersion: croft.run/v1alpha1` and `kind: Composition`"]);
}

#[test]
fn a_module_given_by_hand_takes_the_place_of_one_that_is_not_named() {
    let desk = desk(&COMPOSITION.replace("spec:\n  module: file:hello.wasm\n", "spec: {}\n"));
    assert_eq!(desk.croft("render -f composition.yaml -f ada.yaml --module hello.wasm").done().objects().len(), 2);
    let definition =
        desk.croft("publish -f composition.yaml -o definition --module hello.wasm").done().objects().remove(0);
    assert!(definition["spec"]["module"].as_str().unwrap().starts_with("file:hello.wasm@sha256:"));
}
