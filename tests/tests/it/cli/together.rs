//! Definitions that are given together, folders, and what servers would set.

use super::Desk;

const CHILD: &str = "\
apiVersion: kro.run/v1alpha1
kind: ResourceGraphDefinition
metadata: {name: child}
spec:
  schema:
    apiVersion: v1alpha1
    kind: Child
    spec: {host: string | required=true, port: integer | default=80}
    status: {url: '${config.data.url}'}
  resources:
  - id: config
    template:
      apiVersion: v1
      kind: ConfigMap
      metadata: {name: '${schema.metadata.name}'}
      data: {url: 'http://${schema.spec.host}:${string(schema.spec.port)}'}
";

const PARENT: &str = "\
apiVersion: kro.run/v1alpha1
kind: ResourceGraphDefinition
metadata: {name: parent}
spec:
  schema:
    apiVersion: v1alpha1
    kind: Parent
    spec: {host: string | default=\"a.example.org\"}
    status: {url: '${child.status.url}'}
  resources:
  - id: child
    template:
      apiVersion: kro.run/v1alpha1
      kind: Child
      metadata: {name: '${schema.metadata.name}'}
      spec: {host: '${schema.spec.host}'}
";

const INSTANCE: &str = "\
apiVersion: kro.run/v1alpha1
kind: Parent
metadata: {name: one, namespace: team}
spec: {}
";

fn misspelt() -> String {
    PARENT.replace("spec: {host: '${schema.spec.host}'}", "spec: {hots: '${schema.spec.host}'}")
}

#[test]
fn definitions_that_are_given_together_know_each_other() {
    for (first, second) in [("parent.yaml", "child.yaml"), ("child.yaml", "parent.yaml")] {
        let desk = Desk::with(&[("child.yaml", CHILD), ("parent.yaml", PARENT)]);
        let ran = desk.croft(&format!("check -f {first} -f {second}")).done();
        assert!(!ran.stderr.contains("UnknownKind"), "{}", ran.stderr);
        desk.write("parent.yaml", misspelt());
        desk.croft(&format!("check -f {first} -f {second}"))
            .refused(&["--> parent.yaml:16:14", "did you mean `host`?"]);
    }
    let desk = Desk::with(&[("both.yaml", &format!("{PARENT}---\n{CHILD}"))]);
    assert!(!desk.croft("check -f both.yaml").done().stderr.contains("UnknownKind"));
    // Alone it is not known, and that is only a warning.
    desk.write("parent.yaml", misspelt());
    assert!(desk.croft("check -f parent.yaml").done().stderr.contains("UnknownKind"));
}

#[test]
fn an_instance_is_rendered_by_the_definition_whose_api_it_is_of() {
    let desk = Desk::with(&[("child.yaml", CHILD), ("parent.yaml", PARENT), ("one.yaml", INSTANCE)]);
    let ran = desk.croft("render -f child.yaml -f parent.yaml -f one.yaml").done();
    assert!(ran.stdout.contains("kind: Child") && ran.stdout.contains("host: a.example.org"), "{}", ran.stdout);
    desk.write("other.yaml", INSTANCE.replace("Parent", "Other"));
    let words = ["this is not an instance of any of the definitions", "the kind `Child` or `Parent`"];
    desk.croft("render -f child.yaml -f parent.yaml -f other.yaml").refused(&words);
}

#[test]
fn what_publish_prints_is_a_file_of_schemas_and_children_come_first() {
    let desk = Desk::with(&[("child.yaml", CHILD), ("parent.yaml", PARENT)]);
    let published = desk.croft("publish -f child.yaml").done().stdout;
    desk.write("published.yaml", &published);
    assert!(!desk.croft("check -f parent.yaml --schemas published.yaml").done().stderr.contains("UnknownKind"));
    desk.write("parent.yaml", misspelt());
    desk.croft("check -f parent.yaml --schemas published.yaml").refused(&["did you mean `host`?"]);

    desk.write("parent.yaml", PARENT);
    let both = desk.croft("publish -f parent.yaml -f child.yaml").done().stdout;
    let at = |text: &str| both.find(text).unwrap_or_else(|| panic!("`{text}` is not in {both}"));
    assert!(at("name: children.kro.run") < at("name: parents.kro.run"), "{both}");
}

#[test]
fn a_folder_stands_for_its_files_and_what_is_not_crofts_is_left_aside() {
    let desk = Desk::with(&[("all.txt", "")]);
    std::fs::create_dir_all(desk.path("all/deep")).unwrap();
    for (name, text) in [("all/parent.yaml", PARENT), ("all/one.yml", INSTANCE), ("all/deep/child.json", "")] {
        desk.write(name, text);
    }
    desk.write("all/notes.txt", "no: [yaml");
    desk.write("all/other.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n");
    desk.write("all/empty.yaml", "# nothing\n");
    desk.write("all/deep/child.yaml", CHILD);
    let ran = desk.croft("render -f all").done();
    assert!(ran.stdout.contains("kind: Child") && ran.stderr.contains("UnknownKind"), "{ran:?}");
    let ran = desk.croft("check -R -f all").done();
    assert!(ran.stderr.contains("2 definitions: 0 errors, 0 warnings"), "{}", ran.stderr);
    desk.croft("explain -R -f all").done();
    desk.croft("graph -R -f all").done();
    desk.croft("render all").done();
}

#[test]
fn what_servers_set_has_stand_ins_and_they_are_the_same_each_time() {
    let definition = CHILD.replace(
        "url: 'http://${schema.spec.host}:${string(schema.spec.port)}'",
        "id: '${schema.metadata.uid}', born: '${string(schema.metadata.creationTimestamp)}', age: '${string(schema.metadata.generation)}'",
    );
    let instance = INSTANCE.replace("Parent", "Child").replace("spec: {}", "spec: {host: a}");
    let desk = Desk::with(&[("child.yaml", &definition), ("one.yaml", &instance)]);
    let ran = desk.croft("render -f child.yaml -f one.yaml").done();
    assert_eq!(ran.stdout, desk.croft("render -f child.yaml -f one.yaml").done().stdout);
    assert_eq!(ran.stderr.matches("--instance-metadata").count(), 1, "{}", ran.stderr);
    let id = ran.stdout.lines().find_map(|line| line.strip_prefix("  id: ")).unwrap();
    assert_eq!((id.len(), id.matches('-').count()), (36, 4), "{id}");
    assert!(!ran.stdout.contains("uid:"), "the instance itself is printed as it was given: {}", ran.stdout);

    let given = "--instance-metadata uid=u-1 --instance-metadata generation=7";
    let ran = desk.croft(&format!("render -f child.yaml -f one.yaml {given}")).done();
    assert!(ran.stdout.contains("  id: u-1\n") && ran.stdout.contains("  age: \"7\"\n"), "{}", ran.stdout);
    for (wrong, word) in [
        ("uid", "NAME=VALUE"),
        ("name=x", "`uid`"),
        ("generation=x", "whole number"),
        ("creationTimestamp=now", "is not a time"),
        ("resourceVersion=7", "never sees"),
        ("uid=", "empty"),
    ] {
        let ran = desk.croft(&format!("render -f child.yaml -f one.yaml --instance-metadata {wrong}"));
        assert!(ran.status == 2 && ran.stderr.contains(word), "{ran:?}");
    }
}

#[test]
fn an_instance_that_breaks_a_rule_is_refused_with_its_place() {
    let definition =
        CHILD.replace("host: string | required=true", "host: 'string | validation=\"self.startsWith(\\\"a\\\")\"'");
    let instance = INSTANCE.replace("Parent", "Child").replace("spec: {}", "spec: {host: b.example.org}");
    let desk = Desk::with(&[("child.yaml", &definition), ("one.yaml", &instance)]);
    let words = ["error[RuleBroken]: `spec.host` breaks the rule", "--> one.yaml:4:14"];
    desk.croft("render -f child.yaml -f one.yaml").refused(&words);
    desk.write("one.yaml", instance.replace("b.example.org", "a.example.org"));
    let ran = desk.croft("render -f child.yaml -f one.yaml").done();
    assert!(!ran.stdout.contains("croft.run/"), "{}", ran.stdout);
}
