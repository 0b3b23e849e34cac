//! `croft render` with input that is right.

use serde_json::{Value, json};

use super::Desk;

/// The original flow's definition.
pub(in crate::cli) const SOMETHING: &str = r#"apiVersion: kro.run/v1alpha1
kind: ResourceGroup
metadata:
  name: somethings.kro.run
spec:
  schema:
    apiVersion: v1alpha1
    kind: Something
    spec:
      name: string
      elements: '[]string | default=["a","b","c","d"]'
      required: 'integer | required=true'
      element: 'string | default="e"'
      enabled: 'boolean | default=true'
      number: 'integer | default=100'
      config:
        field: string
        field2: integer | default=200
        field3: integer | default=2002
  resources: []
"#;

/// The original flow's instance.
pub(super) const APP3: &str = "\
apiVersion: kro.run/v1alpha1
kind: Something
metadata:
  name: my-instance-will-cel-functions
spec:
  name: app3
  config: {}
  required: 15
";

/// A card, and a seal that waits for a field which only a server sets.
pub(in crate::cli) const GREETING: &str = r#"apiVersion: kro.run/v1alpha1
kind: ResourceGroup
metadata:
  name: greetings.kro.run
spec:
  schema:
    apiVersion: v1alpha1
    kind: Greeting
    spec:
      name: string | required=true
      greeting: string | default="Hello"
      loud: boolean | default=false
    status:
      message: ${card.data.message}
  resources:
  - id: seal
    template:
      apiVersion: v1
      kind: Secret
      metadata:
        name: ${schema.spec.name}-seal
      stringData:
        signature: sealed on card ${card.metadata.uid}
  - id: card
    template:
      apiVersion: v1
      kind: ConfigMap
      metadata:
        name: ${schema.spec.name}-card
      data:
        message: ${schema.spec.greeting}, ${schema.spec.name}!
  - id: horn
    includeWhen:
    - ${schema.spec.loud}
    template:
      apiVersion: v1
      kind: ConfigMap
      metadata:
        name: ${schema.spec.name}-horn
"#;

pub(in crate::cli) const ADA: &str = "\
apiVersion: kro.run/v1alpha1
kind: Greeting
metadata:
  name: ada
  namespace: team
spec:
  name: ada
";

const LIVE: &str = r#"apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: ada-card, namespace: team, uid: 0-1-2, managedFields: []}
  data: {message: "Hello, ada!"}
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: somebody-elses, namespace: team}
"#;

fn greeting() -> Desk {
    Desk::with(&[("rg.yaml", GREETING), ("ada.yaml", ADA), ("live.yaml", LIVE)])
}

/// `Kind name` of every object.
fn names(objects: &[Value]) -> Vec<String> {
    let text = |object: &Value, pointer| object.pointer(pointer).and_then(Value::as_str).unwrap_or("?").to_owned();
    objects.iter().map(|object| format!("{} {}", text(object, "/kind"), text(object, "/metadata/name"))).collect()
}

#[test]
fn the_seeds_instance_comes_out_with_its_defaults() {
    let desk = Desk::with(&[("rg.yaml", SOMETHING), ("app3.yaml", APP3)]);
    let ran = desk.croft("render -f rg.yaml -f app3.yaml").done();
    assert_eq!(
        ran.stdout,
        "\
apiVersion: kro.run/v1alpha1
kind: Something
metadata:
  name: my-instance-will-cel-functions
  namespace: default
spec:
  config:
    field2: 200
    field3: 2002
  element: e
  elements:
  - a
  - b
  - c
  - d
  enabled: true
  name: app3
  number: 100
  required: 15
status:
  state: ACTIVE
"
    );
    assert_eq!(ran.stderr, "");
}

#[test]
fn a_blocked_child_is_no_error_and_is_said_on_stderr() {
    let ran = greeting().croft("render -f rg.yaml -f ada.yaml").done();
    let objects = ran.objects();
    assert_eq!(names(&objects), ["Greeting ada", "ConfigMap ada-card"]);
    assert_eq!(objects[0]["status"]["state"], "IN_PROGRESS");
    assert_eq!(objects[1]["metadata"], json!({"name": "ada-card", "namespace": "team"}));
    assert!(ran.stderr.contains("blocked: seal waits for `card` to be ready"), "{}", ran.stderr);
    assert!(ran.stderr.contains("excluded: horn"), "{}", ran.stderr);
}

#[test]
fn what_was_observed_unblocks_the_rest_in_the_order_of_dependencies() {
    let ran = greeting().croft("render -f rg.yaml -f ada.yaml --observed live.yaml --explain").done();
    let objects = ran.objects();
    assert_eq!(names(&objects), ["Greeting ada", "ConfigMap ada-card", "Secret ada-seal"]);
    assert_eq!(objects[0]["status"]["message"], "Hello, ada!");
    assert_eq!(objects[2]["stringData"]["signature"], "sealed on card 0-1-2");
    for line in [
        "Greeting team/ada: IN_PROGRESS",
        "  ready: card: ConfigMap team/ada-card",
        "  to be created: seal: Secret team/ada-seal, after card",
        "  excluded: horn:",
        "note: ConfigMap team/somebody-elses was given with `--observed`",
    ] {
        assert!(ran.stderr.contains(line), "`{line}` is not in:\n{}", ran.stderr);
    }
}

#[test]
fn played_to_the_end_every_wave_follows_from_stand_ins() {
    let desk = greeting();
    let ran = desk.croft("render -f rg.yaml -f ada.yaml --converge").done();
    let objects = ran.objects();
    assert_eq!(names(&objects), ["Greeting ada", "ConfigMap ada-card", "Secret ada-seal"]);
    assert_eq!(objects[0]["status"]["state"], "ACTIVE");
    for line in ["note: wave 1: ConfigMap team/ada-card\n", "note: wave 2: Secret team/ada-seal\n"] {
        assert!(ran.stderr.contains(line), "`{line}` is not in:\n{}", ran.stderr);
    }
    // What is given goes before what is made up.
    let objects = desk.croft("render -f rg.yaml -f ada.yaml --converge --observed live.yaml").done().objects();
    assert_eq!(objects[2]["stringData"]["signature"], "sealed on card 0-1-2");
}

#[test]
fn what_is_no_object_cannot_be_observed() {
    let desk = greeting();
    for (text, field) in [
        ("hello\n", "apiVersion"),
        ("[1, 2]\n", "apiVersion"),
        ("apiVersion: v1\nmetadata: {name: x}\n", "kind"),
        ("apiVersion: v1\nkind: ConfigMap\n", "metadata.name"),
    ] {
        desk.write("odd.yaml", text);
        let ran = desk.croft("render -f rg.yaml -f ada.yaml --observed odd.yaml");
        ran.refused(&["odd.yaml:1", &format!("an observed object has `{field}`"), "kubectl get -o yaml"]);
    }
}

#[test]
fn a_condition_whose_status_is_a_boolean_is_warned_of() {
    let desk = greeting();
    desk.write("odd.yaml", format!("{LIVE}  status: {{conditions: [{{type: Ready, status: True}}]}}\n"));
    let ran = desk.croft("render -f rg.yaml -f ada.yaml --observed odd.yaml").done();
    assert!(ran.stderr.contains("warning[OddCondition]"), "{}", ran.stderr);
}

#[test]
fn what_was_rendered_may_be_observed_with_the_instance_in_it() {
    let desk = greeting();
    let ran = desk.croft("render -f rg.yaml -f ada.yaml").done();
    let again = desk.croft_with("render -f rg.yaml -f ada.yaml --observed -", &[], &ran.stdout).done();
    assert!(!again.stderr.contains("was given with"), "{}", again.stderr);
}

#[test]
fn an_instance_whose_children_are_all_there_is_active() {
    let desk = greeting();
    let mut live = LIVE.to_owned();
    live += "- apiVersion: v1\n  kind: Secret\n  metadata: {name: ada-seal}\n";
    desk.write("live.yaml", live);
    let objects = desk.croft("render -f rg.yaml -f ada.yaml --observed live.yaml").done().objects();
    assert_eq!(objects[0]["status"]["state"], "ACTIVE");
}

#[test]
fn what_croft_marked_is_the_child_that_it_says_also_while_it_is_blocked() {
    let desk = greeting();
    let seal = |owner: &str| {
        let marks = format!("croft.run/child: seal, croft.run/owner: {owner}");
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: ada-seal, namespace: team, annotations: {{{marks}}}}}\n"
        )
    };
    for (owner, is_known) in [("Greeting.kro.run team/ada", true), ("Greeting.kro.run team/bob", false)] {
        desk.write("live.yaml", seal(owner));
        let ran = desk.croft("render -f rg.yaml -f ada.yaml --observed live.yaml").done();
        assert!(ran.stderr.contains("blocked: seal"), "{}", ran.stderr);
        assert_eq!(!ran.stderr.contains("was given with `--observed`"), is_known, "{owner}: {}", ran.stderr);
    }
}

#[test]
fn several_instances_and_files_in_any_order_are_rendered_one_after_the_other() {
    let bob = ADA.replace(": ada", ": bob").replace("namespace: team", "labels: {a: b}");
    let desk = Desk::with(&[("all.yaml", &format!("{ADA}---\n{GREETING}---\n")), ("bob.yaml", &bob)]);
    let objects = desk.croft("render -f bob.yaml -f all.yaml").done().objects();
    assert_eq!(names(&objects), ["Greeting bob", "ConfigMap bob-card", "Greeting ada", "ConfigMap ada-card"]);
    assert_eq!(objects[1]["metadata"]["namespace"], "default");
    assert_eq!(objects[0]["metadata"], json!({"name": "bob", "namespace": "default", "labels": {"a": "b"}}));
}

#[test]
fn json_is_one_list_and_reads_back_as_input() {
    let desk = greeting();
    let ran = desk.croft("render -f rg.yaml -f ada.yaml -o json").done();
    let list: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&list["apiVersion"], &list["kind"]), (&json!("v1"), &json!("List")));
    assert_eq!(list["items"].as_array().unwrap(), &desk.croft("render -f rg.yaml -f ada.yaml").done().objects());
    let again = desk.croft_with("render -f rg.yaml -f ada.yaml --observed -", &[], &ran.stdout).done();
    assert!(again.stderr.contains("blocked: seal waits for card"), "no uid yet: {}", again.stderr);
}

#[test]
fn a_definition_alone_is_checked() {
    let ran = greeting().croft_with("render -f -", &[], GREETING).done();
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.contains("the definition of Greeting.kro.run is valid"), "{}", ran.stderr);
}

#[test]
fn rendering_what_was_rendered_changes_nothing() {
    let desk = Desk::with(&[("rg.yaml", SOMETHING), ("app3.yaml", APP3)]);
    let once = desk.croft("render -f rg.yaml -f app3.yaml").done().stdout;
    desk.write("app3.yaml", &once);
    assert_eq!(desk.croft("render -f rg.yaml -f app3.yaml").done().stdout, once);
}
